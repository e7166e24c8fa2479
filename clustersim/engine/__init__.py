"""The engine: it simulates a run in simulated time. No other part of the package uses SimPy.

`simulate` puts the parts together. The `Master` passes events to the policy and carries out its commands, through the
interface of `clustersim.engine.fleet`. The subpackages ``process`` and ``cohort`` contain the two fleets;
``accounting`` contains the ledger and the tables of a run.
"""

from clustersim.engine.run import Run
from clustersim.engine.setup import make_setting
from clustersim.engine.simulate import simulate

__all__ = ["Run", "make_setting", "simulate"]
