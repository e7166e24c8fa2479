"""The workers as arrays: the fleet that works out a dispatch at a time, or many rounds."""

from clustersim.engine.cohort.fleet import CohortFleet

__all__ = ["CohortFleet"]
