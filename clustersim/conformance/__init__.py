"""Checks for parts of your own: call one of them from a test, and it names the first law that the part breaks.

==========================  ====================================================================================
function                    what it checks
==========================  ====================================================================================
`check_policy`              a policy: conservation, determinism, no state between runs, honest wants and plans
`check_problem`             a problem: gradients against central differences, weights, rows, the optimum, constants
`check_latency`             a latency model: quantiles, draws, moments and order statistics
`check_placement`           a placement: the assignment that it makes, determinism, what it promises to recover
`check_decoder`             a decoder: shapes, determinism, equal weights, its expected error
`check_optimizer`           an optimiser: shapes, determinism, no state between runs, arguments left alone
`check_run`                 the ledger of one run, against the table of its messages
==========================  ====================================================================================

All of them raise `ConformanceError`, whose message says which law is broken and shows the values, and return nothing if
every law holds. Checks against random draws use confidence intervals that a correct part misses less than once in a
million times, and their seed is fixed, so that the outcome is always the same.
"""

from clustersim.conformance.decoders import check_decoder
from clustersim.conformance.demands import ConformanceError
from clustersim.conformance.latency import check_latency
from clustersim.conformance.optimizers import check_optimizer
from clustersim.conformance.placements import check_placement
from clustersim.conformance.policies import check_policy
from clustersim.conformance.problems import check_problem
from clustersim.conformance.runs import check_run

__all__ = [
    "ConformanceError",
    "check_decoder",
    "check_latency",
    "check_optimizer",
    "check_placement",
    "check_policy",
    "check_problem",
    "check_run",
]
