"""Every public callable that takes arguments of its own, with arguments that are right."""

from functools import cache
from pathlib import Path

import numpy as np
from scipy import stats

import clustersim as cs
from clustersim import datasets, decoders, latency, optimizers, placements, policies, schedules, theory, waits
from clustersim.streams import Streams

X = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 1.0], [0.5, 3.0], [1.0, -1.0]])
Y = np.array([0, 1, 0, 1, 1, 0])
MEANS = [1.0, 2.0, 4.0]
BOUND = {"mu": MEANS, "eta": 0.01, "L": 2.0, "c": 1.0, "sigma2": 10.0, "s": 10.0, "e0": 100.0}
GROUPS = {"workers": 6, "load": 3, "messages": 2}
PL = {"beta": 1.0, "mu": 0.1, "sigma": 0.1, "initial_error": 1.0}
DESCENT = {"L": 1.0, "e0": 1.0, "beta2": 0.5, "sigma2": 0.7}
MODEL = {"model": latency.Exponential(1.0), "workers": 4, "k": 1}
SGC = {"epsilon": 0.01, "workers": 10, "redundancy": 2.0, "straggler_probability": 0.5, "L": 2.0, "c": 1.0,
       "incoherence": 0.05, "optimal_loss": 0.5, "initial_squared_distance": 100.0}  # fmt: skip


@cache
def problem():
    """Six rows of two classes."""
    return cs.LogisticRegression(X, Y, ridge=0.1)


@cache
def held():
    """Who holds which of the six rows: three workers."""
    return placements.EvenPartition().assign(problem(), 3, np.random.default_rng(0))


def cluster(**changes):
    """Three workers."""
    return cs.Cluster(**{"workers": 3, "compute": cs.Exponential(1.0)} | changes)


def simulate(**changes):
    """A run of three updates."""
    given = {"problem": problem(), "cluster": cluster(), "policy": cs.FastestK(2), "optimizer": cs.SGD(0.1)}
    return cs.simulate(**given | {"until": cs.Until(updates=3)} | changes)


def run_of(make, name):
    """A run in which one part is made of the arguments."""
    return lambda **arguments: simulate(**{name: make(**arguments)})


def run_on(make, name):
    """A run on a cluster of which one part is made of the arguments."""
    return run_of(lambda **arguments: cluster(**{name: make(**arguments)}), "cluster")


def earliest(rule, other):
    """The earliest of two rules."""
    return waits.Earliest(rule, other)


LATENCIES = {
    "Constant": {"time": 1.0},
    "Exponential": {"mean": 1.0},
    "ShiftedExponential": {"shift": 0.5, "mean": 1.0},
    "Gamma": {"mean": 1.0, "shape": 2.0},
    "Pareto": {"mean": 1.0, "shape": 1.5},
    "Weibull": {"mean": 1.0, "shape": 0.7},
    "LogNormal": {"mean": 1.0, "sigma": 1.0},
    "Empirical": {"samples": [1.0, 2.0]},
    "Replay": {"times": [[1.0, 2.0, 3.0]] * 5},
    "FromScipy": {"distribution": stats.expon()},
    "BernoulliStraggler": {"probability": 0.1, "time": 1.0},
    "Persistent": {"model": latency.Exponential(1.0), "rounds": 2},
    "Markov": {"fast": latency.Exponential(1.0), "slow": latency.Constant(3.0), "slow_down": 0.1, "recover": 0.5},
    "PerWorker": {"models": [latency.Exponential(1.0)] * 3},
}
PARTS = {"placement": placements.EvenPartition(), "batch": 1}
STRAGGLERS = {"straggler_probability": 0.2, "deadline": 3.0, "silence": "count"}
POLICIES = {
    "FullSync": PARTS,
    "FastestK": {"k": 2, "warm_up": 0.0, **PARTS},
    "AdaptiveK": {"start": 1, "threshold": 0, "burn_in": 1, "step": 1, "factor": None, "max_k": 3},
    "SwitchingTimes": {"times": [1.0, 2.0], "start": 1},
    "ErasureHead": {"load": 1, "fraction": 0.5, "deadline": None, "silence": "count"},
    "ExactGradientCode": {"load": 3, "code": "fractional"},
    "StochasticGradientCoding": {"redundancy": 2.0, **STRAGGLERS},
    "BernoulliGradientCoding": {"redundancy": 2, **STRAGGLERS},
    "IgnoreStragglers": STRAGGLERS,
    "SendAll": {"redundancy": 2, **STRAGGLERS},
    "FreshBatches": {"batch": 2, **STRAGGLERS},
    "LiveGradientCompensation": {"k": 2, "blocks": 1, "scaled": True, "warm_up": 0.0, **PARTS},
    "KAsync": {"k": 2, "max_staleness": 1, **PARTS},
    "KBatchAsync": {"k": 2, "max_staleness": 1, **PARTS},
    "KBatchSync": {"k": 2, **PARTS},
    "Asynchronous": {"k": 2, "at_once": False, "to_all": False, "max_staleness": None, **PARTS},
    "Compensate": {"scaled": True},
    "Synchronous": {"wait": waits.Fastest(2), "decoder": decoders.Mean(), "silence": "count", "blocks": 1,
                    "late": policies.Discard(), **PARTS},
}  # fmt: skip
WAITS = {
    "Fastest": {"k": 2},
    "Fraction": {"delta": 0.5},
    "Deadline": {"seconds": 3.0, "for_all": False},
    "Pflug": {"start": 1, "threshold": 0, "burn_in": 0, "step": 1, "factor": None, "max_k": 3},
    "Schedule": {"times": [1.0], "start": 1},
    "WarmUp": {"rule": waits.Fastest(2), "epochs": 1.0},
}
PLACEMENTS = {
    "BlockDesign": {"redundancy": 2},
    "ByLabel": {"classes": 1},
    "CyclicRepetition": {"load": 2},
    "Dirichlet": {"alpha": 1.0},
    "FractionalRepetition": {"load": 3, "tasks": None},
    "NormReplication": {"redundancy": 2.0},
    "UniformReplication": {"redundancy": 2},
    "Uncombined": {"placement": placements.UniformReplication(2)},
}
PROBLEMS = {
    "LeastSquares": {"X": X, "y": Y, "ridge": 0.1, "test": None},
    "LogisticRegression": {"X": X, "y": Y, "ridge": 0.1, "test": None, "bias": True},
    "SoftmaxRegression": {"X": X, "y": Y, "ridge": 0.1, "test": (X, Y), "bias": True},
    "MultilayerPerceptron": {"X": X, "y": Y, "hidden": (2,), "ridge": 0.1, "test": None, "seed": 0},
}
STEPS = {
    "SGD": {"step_size": 0.1, "weight_decay": 0.1},
    "Momentum": {"step_size": 0.1, "weight_decay": 0.1, "momentum": 0.5},
    "Nesterov": {"step_size": 0.1, "weight_decay": 0.1, "momentum": None},
}
SCHEDULES = {
    "PowerDecay": {"initial": 1.0, "power": 0.5},
    "ExponentialDecay": {"initial": 1.0, "factor": 0.9},
    "Capped": {"schedule": schedules.PowerDecay(1.0, 0.5), "highest": 0.5},
    "StepDecay": {"initial": 0.1, "at": (1, 2), "factor": 0.1},
    "updates_in": {"epochs": 2.0, "rows": 6, "workers": 3, "batch": 1},
}
THEORY = {
    "fastest_k_error_bound": {"t": [0.0, 10.0], "k": 2, **BOUND},
    "lemma_1_probability": {"t": 1000.0, "k": 1, "mu": MEANS, "variances": [1.0, 1.0, 1.0], "epsilon": 0.1},
    "bound_optimal_switching_times": BOUND,
    "adaptive_error_bound": {"t": [0.0, 10.0], "times": [5.0], **BOUND},
    "fixed_k_crossings": BOUND,
    "k_sync_update_time": MODEL,
    "k_batch_sync_update_time": MODEL,
    "k_async_update_time": MODEL,
    "k_batch_async_update_time": MODEL,
    "fixed_weights_decoding_error": {"straggler_probability": 0.5, "redundancy": [1, 2]},
    "optimal_decoding_error_bound": {"straggler_probability": 0.5, "redundancy": 2},
    "repetition_decoding_error": {"straggler_probability": 0.5, "redundancy": 2, "rescaled": True},
    "unbiased_decoding_error_bound": {"straggler_probability": 0.5, "redundancy": 2},
    "missing_probabilities": GROUPS,
    "erasurehead_error_bound": {"updates": 10, "step": "1/beta", **GROUPS, **PL},
    "erasurehead_exponential_error_bound": {"updates": 10, "step": "1/beta", **GROUPS, **PL},
    "erasurehead_noise_level": {"mu": 0.1, "sigma": 1.0, **GROUPS},
    "erasurehead_update_time": {"straggling_rate": 1.0, **GROUPS},
    "erasurehead_update_time_bound": {"straggling_rate": 1.0, **GROUPS},
    "exact_code_update_time": {"workers": 6, "load": 3, "straggling_rate": 1.0, "printed": False},
    "times_to_error_bound": {"error": 0.06, "printed": False, **GROUPS, **PL},
    "uncoded_update_time": {"workers": 6, "straggling_rate": 1.0},
    "uncovered_probabilities": {"workers": 6, "load": 3},
    "k_sgd_error_bound": {"updates": 10, "step_size": 0.1, "workers": 4, "k": 2, "persistent": True, **DESCENT},
    "lgc_error_bound": {"updates": [10, 20], "step_size": 0.1, "workers": 4, "k": 2, "batch": 2, **DESCENT},
    "lgc_gradient_bias": {"gradients": X, "k": 2, "sigma2": 1.0, "batch": 1, "sets": "worst"},
    "lgc_gradient_bias_bound": {"workers": 4, "k": 2, "beta2": 1.0, "sigma2": 1.0, "batch": 1},
    "lgc_approximate_means": {"workers": 4, "shift": 0.1, "mean": 1.0},
    "lgc_feasible_k": {"mu": MEANS, "blocks": 2, "slack": 0.5, "latency": 0.1},
    "lgc_fraction_limits": {"workers": 4, "blocks": 2, "slack": 0.5, "shift": 0.1, "mean": 1.0, "latency": 0.1},
    "lgc_optimal_fraction": {"t": 10.0, "step_size": 0.1, "workers": 4, "mean": 1.0, "batch": 2, **DESCENT},
    "lgc_time_error_bounds": {"t": 10.0, "step_size": 0.1, "mu": MEANS, "relaxed": True, **DESCENT},
    "harmonic_numbers": {"n": 4},
    "order_statistic_means": {"model": latency.Gamma(1.0, 2.0), "n": 3},
    "order_statistic_variances": {"model": latency.Exponential(1.0), "n": 3},
    "sgc_step_size": {"t": [1, 2], "epsilon": 0.1, "L": 2.0, "c": 1.0, "printed": False},
    "sgc_distance_bound": {"updates": 200, "printed": False, **SGC},
    "sgc_general_distance_bound": {"updates": 10, "workers": 4, "rows": 6, "least_redundancy": 2,
                                   "straggler_probability": 0.5, "gradient_bound": 3.0, "c": 1.0},
    "sgc_incoherence": {"X": X},
    "sgc_redundancies": {"X": X, "redundancy": 2.0},
    "sgc_whole_redundancies": {"X": X, "redundancy": 2.0, "workers": 4},
    "async_error_bound": {"updates": 10, "step_size": 0.05, "k": 4, "L": 1.0, "c": 0.5, "e0": 1.0, "sigma2": 0.4,
                          "gamma": 0.5, "p0": 0.5, "batch": 2},
    "k_async_mean_staleness": {"workers": 4, "k": 2},
    "k_batch_async_mean_staleness": {"workers": 4, "k": 2},
    "k_async_staleness_probabilities": {"workers": 4, "k": 2, "most": 5},
    "k_batch_async_staleness_probabilities": {"workers": 4, "k": 2, "most": 5},
}  # fmt: skip
CLUSTER = {"workers": 3, "compute": cs.Exponential(1.0), "downlink": cs.Link(), "uplink": cs.Link(),
           "scaling": "proportional", "busy": "restart", "bytes_per_entry": 8}  # fmt: skip
SIMULATE = {"problem": problem(), "cluster": cluster(), "policy": cs.FastestK(2), "optimizer": cs.SGD(0.1),
            "until": cs.Until(updates=3), "seed": 0, "replication": 0, "evaluate_every": 1, "messages": False,
            "engine": "auto", "progress": None}  # fmt: skip
OTHERS = {
    "cs.Cluster": (cs.Cluster, CLUSTER),
    "cs.Link": (cs.Link, {"latency": 0.1, "bandwidth": 1e6}),
    "cs.Until": (cs.Until, {"time": 5.0, "updates": 3, "error": 0.1, "epochs": 2.0}),
    "cs.simulate": (cs.simulate, SIMULATE),
    "cs.LeastSquares.synthetic": (
        cs.LeastSquares.synthetic,
        {"rows": 6, "features": 2, "design": "integers", "seed": 1, "noise": 1.0},
    ),
    "waits.Earliest": (earliest, {"rule": waits.All(), "other": waits.All()}),
    "placements.imbalance": (placements.imbalance, {"assignment": held()}),
    "placements.label_counts": (placements.label_counts, {"assignment": held(), "labels": Y}),
    "datasets.mnist": (datasets.mnist, {"train": 10, "seed": 0}),
    "datasets.covertype": (datasets.covertype, {"classes": (1, 2), "encoding": "standardised", "seed": 0}),
    "datasets.kc_house": (datasets.kc_house, {"encoding": "standardised", "seed": 0}),
    "datasets.amazon_from_csv": (datasets.amazon_from_csv, {"path": Path("no such file")}),
    "datasets.cifar10": (datasets.cifar10, {"folder": Path("no such folder")}),
    "streams.Streams": (Streams, {"seed": 1, "replication": 0}),
    "latency.compute_times": (
        lambda **given: latency.compute_times(uniforms=Streams(1).uniforms("x"), first_task=0, tasks=2, **given),
        {"model": latency.Exponential(1.0), "scaling": "additive", "loads": [1.0, 2.0], "workers": 2},
    ),
    "decoders.Mean.expected_error": (
        lambda **given: decoders.Mean().expected_error(held(), **given),
        {"straggler_probability": 0.2},
    ),
}


def _named(module, bases):
    """The callables of a module with their arguments, by name."""
    short = module.__name__.rpartition(".")[2]
    return {f"{short}.{name}": (getattr(module, name), arguments) for name, arguments in bases.items()}


SLOW = {name for name in OTHERS if name.startswith("datasets.")}
"""Those that take a second a call."""

CALLABLES = (
    _named(latency, LATENCIES)
    | _named(policies, POLICIES)
    | _named(waits, WAITS)
    | _named(placements, PLACEMENTS)
    | _named(cs.problems, PROBLEMS)
    | _named(optimizers, STEPS)
    | _named(schedules, SCHEDULES)
    | _named(theory, THEORY)
    | _named(decoders, {name: {"straggler_probability": 0.5} for name in ("Unbiased", "DistinctRows")})
    | {f"latency.{name}(...).order_statistic_mean": (getattr(latency, name)(**arguments).order_statistic_mean,
                                                     {"k": 1, "n": 3})
       for name, arguments in LATENCIES.items() if name not in ("BernoulliStraggler", "FromScipy")}
    | OTHERS
    | {f"a run of latency.{name}": (run_on(getattr(latency, name), "compute"), arguments)
       for name, arguments in LATENCIES.items()}
    | {f"a run of policies.{name}": (run_of(getattr(policies, name), "policy"), arguments)
       for name, arguments in POLICIES.items() if name != "Compensate"}
    | {f"a run of problems.{name}": (run_of(getattr(cs.problems, name), "problem"), arguments)
       for name, arguments in PROBLEMS.items()}
    | {f"a run of optimizers.{name}": (run_of(getattr(optimizers, name), "optimizer"), arguments)
       for name, arguments in STEPS.items()}
    | {"a run of cs.Cluster": (run_of(cs.Cluster, "cluster"), CLUSTER),
       "a run of cs.Link": (run_on(cs.Link, "downlink"), {"latency": 0.1, "bandwidth": 1e6})}
)  # fmt: skip
"""Every callable with arguments that are right, by name."""
