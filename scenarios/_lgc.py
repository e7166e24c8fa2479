"""Data, models, cluster, policies and measures that the live gradient compensation (LGC) scenarios share (section V).

J. Xu, S.-L. Huang, L. Song, T. Lan, "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021.

The paper trains VGG-11 on CIFAR-10 for 60 epochs of 157 updates. The default here is the embedded extract of
Fashion-MNIST (2,000 rows, 500 test rows) and a model that a laptop trains in seconds: softmax regression for questions
about time, a perceptron for questions about non-convex loss. To get the paper's own setting, install the extra
``torch`` and set the environment variable CLUSTERSIM_CIFAR10 to the folder with the binary files of CIFAR-10.

For each task, a worker draws 320 / N rows of its own data. Response times are 0.05 s plus an exponential part of mean
0.02 s, whatever the number of rows, and stay the same for h tasks. *Stragglers finish*, as the paper assumes for its
Fig. 3 to 5: the downlink is so slow that all workers have responded before a new model reaches them. *Stragglers are
cut short*: the downlink takes no time, and workers that are stopped send the blocks that they have finished.

A policy's loss or accuracy *at the end* is its mean over the last part of the updates. Policies are compared pair by
pair. In claims, "lower end" and "upper end" are the ends of the 95 % interval.
"""

import functools
import math
import os
from collections.abc import Mapping
from typing import Any

import pandas as pd

import clustersim as cs
from clustersim import theory
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

N, K, BATCH, BLOCKS = 10, 7, 32, 4
SHIFT, MEAN = 0.05, 0.02  # seconds
FULL, K_SGD, LGC = "full synchrony", "K-SGD", "LGC"
FINISH, CUT = "stragglers finish", "stragglers are cut short"
DOWNLINK = 0.5  # seconds, under FINISH; a straggler needs more after the K-th message with probability below 10^-9
CIFAR = os.environ.get("CLUSTERSIM_CIFAR10") or None
WARM_UP = 2 / 60 if CIFAR else 0.0  # part of the updates for which K-SGD and LGC start in full synchrony
LAST = 1 / 12  # part of the updates over which results are averaged: the paper's last 5 of 60 epochs
EVERY = 157 if CIFAR else 13  # updates between evaluations: coprime to h = 5 and 10, so all phases have equal weight
COLOURS: Mapping[str, str] = {FULL: "#0072b2", K_SGD: "#d55e00", LGC: "#009e73"}


def softmax() -> cs.Problem:
    """Softmax regression on Fashion-MNIST."""
    data = cs.datasets.fashion_mnist()
    return cs.SoftmaxRegression(data.X, data.y, test=(data.test_X, data.test_y))


def perceptron() -> cs.Problem:
    """One hidden layer of 64 units on Fashion-MNIST."""
    data = cs.datasets.fashion_mnist()
    return cs.MultilayerPerceptron(data.X, data.y, hidden=(64,), test=(data.test_X, data.test_y), seed=1)


def vgg() -> cs.Problem:
    """The paper's VGG-11 on the user's CIFAR-10."""
    data = cs.datasets.cifar10(CIFAR)
    images, test = (rows.reshape(-1, 3, 32, 32) for rows in (data.X, data.test_X))
    return cs.TorchProblem(cs.vgg11(), images, data.y, test=(test, data.test_y))


def setting(default: cs.Problem | None = None, step_size: float = 0.05, updates: int = 1500) -> dict[str, Any]:
    """Problem, optimiser and horizon: the paper's if CIFAR-10 is there, otherwise those given, with plain SGD."""
    if CIFAR is None:
        return {
            "problem": softmax() if default is None else default,
            "optimizer": cs.SGD(step_size),
            "until": cs.Until(updates=updates),
        }
    problem = vgg()
    halfway = cs.schedules.updates_in(30, rows=problem.rows, workers=N, batch=BATCH)
    schedule = cs.schedules.StepDecay(0.1, at=[halfway])
    return {
        "problem": problem,
        "optimizer": cs.Momentum(schedule, momentum=0.9, weight_decay=0.0005),
        "until": cs.Until(epochs=60),
    }


def cluster(h: int, *, finish: bool, workers: int = N) -> cs.Cluster:
    """N workers whose response times stay the same for h tasks."""
    compute = cs.ShiftedExponential(shift=SHIFT, mean=MEAN)
    link = cs.Link(latency=DOWNLINK) if finish else cs.Link()
    return cs.Cluster(workers, cs.Persistent(compute, rounds=h) if h > 1 else compute, downlink=link, scaling="none")


def policies(
    classes: int, k: int = K, workers: int = N, blocks: int = BLOCKS, warm_up: float = 2.0 if CIFAR else 0.0
) -> Mapping[str, cs.Policy]:
    """The paper's three policies, with data of `classes` classes on each worker; K-SGD and LGC wait for k messages."""
    placement, batch = cs.ByLabel(classes), BATCH * N // workers
    return {
        FULL: cs.FullSync(placement, batch),
        K_SGD: cs.FastestK(k, placement, batch, warm_up=warm_up),
        LGC: cs.LiveGradientCompensation(k, blocks, placement, batch, warm_up=warm_up),
    }


@functools.lru_cache(maxsize=256)  # claims ask for the same variants again and again
def averaged(results: cs.Results, variant: str, column: str = "test_accuracy", last: float = LAST) -> pd.DataFrame:
    """A column at the end, its mean over the last part of the updates; one row a replication, one column a policy."""
    runs = results.frame[results.frame["variant"] == variant]
    late = runs[runs["update"] >= (1.0 - last) * runs["update"].max()]
    table: pd.DataFrame = late.pivot_table(column, "replication", "policy")
    return table


def lost(
    results: cs.Results, variant: str, policy: str, below: str = FULL, last: float = LAST, column: str = "test_accuracy"
) -> Interval:
    """Points of test accuracy (hundredths) by which a policy ends below another one, pair by pair."""
    values = averaged(results, variant, column, last)
    return mean_interval(100.0 * (values[below] - values[policy]))


def ratio(
    results: cs.Results, variant: str, policy: str, below: str = FULL, last: float = LAST, column: str = "loss"
) -> Interval:
    """A policy's loss at the end over another's, pair by pair; geometric mean."""
    values = averaged(results, variant, column, last)
    return geometric_interval(values[policy] / values[below])


def update_times(results: cs.Results, variant: str, downlink: float = 0.0) -> pd.DataFrame:
    """Mean time of an update less the downlink's seconds; one row a replication, one column a policy."""
    runs = results.totals[results.totals["variant"] == variant]
    return (runs["time"] / runs["updates"] - downlink).groupby([runs["replication"], runs["policy"]]).mean().unstack()


def saved(results: cs.Results, variant: str, policy: str = LGC, downlink: float = 0.0) -> Interval:
    """Part of full synchrony's time that a policy saves, pair by pair."""
    times = update_times(results, variant, downlink)
    return mean_interval(1.0 - times[policy] / times[FULL])


def expected_saving(k: int = K, workers: int = N, downlink: float = 0.0) -> float:
    """The expected saving, 1 - mu_K / mu_N, from exact means of order statistics; the downlink is added to both."""
    mu = downlink + theory.order_statistic_means(cs.ShiftedExponential(shift=SHIFT, mean=MEAN), workers)
    return float((1.0 - WARM_UP) * (1.0 - mu[k - 1] / mu[-1]))


def off_theory(
    results: cs.Results,
    variant: str,
    policy: str = LGC,
    h: int = 10,
    k: int = K,
    workers: int = N,
    downlink: float = 0.0,
) -> float:
    """Difference between the saving over all replications and the expected saving, in standard errors.

    h updates share their times. X_(N) - X_(K) is independent of X_(K), so the covariance of X_(K) and X_(N) is the
    variance of X_(K).
    """
    law = cs.ShiftedExponential(shift=SHIFT, mean=MEAN)
    mu = downlink + theory.order_statistic_means(law, workers)
    variances = theory.order_statistic_variances(law, workers)
    part = mu[k - 1] / mu[-1]
    draws = float(results.totals.groupby(["variant", "policy"])["updates"].sum()[variant, policy]) / h
    spread = math.sqrt(((1.0 - 2.0 * part) * variances[k - 1] + part**2 * variances[-1]) / draws) / mu[-1]
    times = update_times(results, variant).mean()
    return float(abs(1.0 - times[policy] / times[FULL] - expected_saving(k, workers, downlink)) / spread)
