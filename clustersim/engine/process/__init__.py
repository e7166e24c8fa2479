"""The process fleet: each worker is a SimPy process. It is the reference for other fleets."""

from clustersim.engine.process.fleet import ProcessFleet

__all__ = ["ProcessFleet"]
