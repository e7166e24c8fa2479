"""Latency models: the law of the seconds that a worker takes for one even share of the data.

=====================  ===========================================================================
file                   contents
=====================  ===========================================================================
`base`                 `LatencyModel`: the interface of all models
`parametric`           light tails: constant, exponential, shifted exponential, gamma
`heavy_tails`          heavy tails: Pareto, Weibull, log-normal
`empirical`            measured times, drawn at random or replayed
`scipy_model`          any frozen distribution of scipy.stats
`stragglers`           Bernoulli stragglers, and draws that persist for several tasks
`per_worker`           a model for each worker
`markov`               workers with slow and fast phases
`scaling`              the compute time of any load: `ComputeTimes`
`integrals`            expectations of order statistics, by numerical integration
`mixture`              the law of a time that comes from one of several models
=====================  ===========================================================================
"""

from clustersim.latency.base import LatencyModel, representable
from clustersim.latency.empirical import Empirical, Replay
from clustersim.latency.heavy_tails import LogNormal, Pareto, Weibull
from clustersim.latency.markov import Markov
from clustersim.latency.parametric import Constant, Exponential, Gamma, ShiftedExponential
from clustersim.latency.per_worker import PerWorker
from clustersim.latency.scaling import SCALINGS, ComputeTimes, compute_times, shortest_times
from clustersim.latency.scipy_model import FromScipy
from clustersim.latency.stragglers import BernoulliStraggler, Persistent

__all__ = [
    "SCALINGS",
    "BernoulliStraggler",
    "ComputeTimes",
    "Constant",
    "Empirical",
    "Exponential",
    "FromScipy",
    "Gamma",
    "LatencyModel",
    "LogNormal",
    "Markov",
    "Pareto",
    "PerWorker",
    "Persistent",
    "Replay",
    "ShiftedExponential",
    "Weibull",
    "compute_times",
    "representable",
    "shortest_times",
]
