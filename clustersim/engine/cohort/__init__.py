"""The cohort fleet: it simulates the workers as arrays, one dispatch or many rounds at a time."""

from clustersim.engine.cohort.fleet import CohortFleet

__all__ = ["CohortFleet"]
