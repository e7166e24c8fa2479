"""The engine: simulated time. The only floor that knows SimPy.

`simulate` puts the parts together. The `Master` carries the conversation of policy and workers through the interface of
`clustersim.engine.fleet`; ``process`` and ``cohort`` hold the two fleets, ``accounting`` what is told of a run.
"""

from clustersim.engine.run import Run
from clustersim.engine.setup import make_setting
from clustersim.engine.simulate import simulate

__all__ = ["Run", "make_setting", "simulate"]
