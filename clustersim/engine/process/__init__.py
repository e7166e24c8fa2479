"""The workers as SimPy processes: the fleet that every other one is held against."""

from clustersim.engine.process.fleet import ProcessFleet

__all__ = ["ProcessFleet"]
