"""How often the intervals of a comparison cover the truth, and how often it claims a difference that is none.

Times are drawn from laws whose medians and means are known. Ten replications each; runs end at a common time (as with
``Until(time=...)``) or at times of their own that are drawn from the same law, scaled, so that 0, 20 or 60 % of the
runs do not reach the target. ``docs/statistics.md`` explains the numbers. This measures no speed: seeds are fixed, and
the same numbers come out on every machine.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma, ndtr, ndtri

from benchmarks.measure import Effort, table
from clustersim.studies.paired import holm, paired_ratio
from clustersim.studies.statistics import INTERVALS, Interval
from clustersim.studies.survival import quantile_interval, share_interval

__all__ = ["LAWS", "Covered", "Law", "claimed", "medians", "ratios", "run"]

REPLICATIONS = 10
SHARES = (0.0, 0.2, 0.6)
ENDS = ("common", "own")
_PARETO, _WORKERS = 1.5, 10

Array = NDArray[np.float64]


class Law(NamedTuple):
    """A law of times.

    Attributes
    ----------
    of_normal : callable
        Turns standard normal numbers into times, so that correlated normal numbers become correlated times.
    quantile : callable
        The quantile function.
    scale : callable
        For a share f: the factor s for which a time is greater than s times another one with probability f.
    mean, geometric : float
        The true mean and geometric mean.
    """

    of_normal: Callable[[Array], Array]
    quantile: Callable[[float], float]
    scale: Callable[[float], float]
    mean: float
    geometric: float


def _exponential(normal: Array) -> Array:
    return np.asarray(-np.log(ndtr(-normal)))


LAWS = {
    "exponential": Law(
        _exponential, lambda q: -math.log1p(-q), lambda f: 1.0 / f - 1.0, 1.0, math.exp(-0.5772156649015329)
    ),
    "log-normal": Law(
        np.exp,
        lambda q: math.exp(float(ndtri(q))),
        lambda f: math.exp(-math.sqrt(2.0) * float(ndtri(f))),
        math.exp(0.5),
        1.0,
    ),
}


class Covered(NamedTuple):
    """How many of the trials an interval covered the truth, and in how many it had no upper end."""

    trials: int
    covered: int
    open_ended: int

    def lines(self) -> list[str]:
        """Return the shares in percent."""
        return [f"{100.0 * count / self.trials:.1f} %" for count in (self.covered, self.open_ended)]


def _counted(intervals: Iterator[Interval], truth: float, trials: int) -> Covered:
    covered = open_ended = 0
    for _, low, high in (next(intervals) for _ in range(trials)):
        covered += bool((np.isnan(low) or low <= truth) and (np.isnan(high) or truth <= high))
        open_ended += bool(np.isinf(high) or np.isnan(high))
    return Covered(trials, covered, open_ended)


def censored(law: Law, share: float, ends: str, normal: Array, draw: np.random.Generator) -> tuple[Array, NDArray[Any]]:
    """Return the costs of runs that end, and whether they reached the target before."""
    times = law.of_normal(normal)
    if share == 0.0:
        return times, np.ones(times.shape, dtype=bool)
    if ends == "common":
        last = np.full(times.shape, law.quantile(1.0 - share))
    else:
        last = law.scale(share) * law.of_normal(draw.normal(size=times.shape))
    return np.minimum(times, last), times <= last


def medians(law: Law, share: float, ends: str, trials: int, probability: float = 0.5, seed: int = 1) -> Covered:
    """Count how often the Kaplan-Meier interval covers the true median, or another quantile."""
    draw = np.random.Generator(np.random.Philox(seed))

    def intervals() -> Iterator[Interval]:
        while True:
            yield quantile_interval(*censored(law, share, ends, draw.normal(size=REPLICATIONS), draw), probability)

    return _counted(intervals(), law.quantile(probability), trials)


def ratios(law: Law, share: float, trials: int, correlation: float = 0.5, seed: int = 2) -> Covered:
    """Count how often the interval of a paired ratio covers the true one, 1, under common random numbers."""
    draw = np.random.Generator(np.random.Philox(seed))

    def intervals() -> Iterator[Interval]:
        while True:
            costs, reached = censored(law, share, "common", _correlated(draw, 2, correlation), draw)
            found = paired_ratio(costs[1], reached[1], costs[0], reached[0])
            yield Interval(*map(np.asarray, found[:3]))

    return _counted(intervals(), 1.0, trials)


def _correlated(draw: np.random.Generator, policies: int, correlation: float) -> Array:
    common, own = draw.normal(size=REPLICATIONS), draw.normal(size=(policies, REPLICATIONS))
    return np.asarray(math.sqrt(correlation) * common + math.sqrt(1.0 - correlation) * own)


def averages(kind: str, law: Law, trials: int, seed: int = 3) -> Covered:
    """Count how often an interval of `Results.on_grid` covers the true average."""
    draw = np.random.Generator(np.random.Philox(seed))
    truth = {"arithmetic": law.mean, "geometric": law.geometric, "median": law.quantile(0.5)}[kind]

    def intervals() -> Iterator[Interval]:
        while True:
            yield INTERVALS[kind](law.of_normal(draw.normal(size=REPLICATIONS)), 0.95)

    return _counted(intervals(), truth, trials)


def heavy_tails(kind: str, trials: int, seed: int = 4) -> Covered:
    """The same for the time of the slowest of ten workers with Pareto(1.5) times: their variance is infinite."""
    draw = np.random.Generator(np.random.Philox(seed))
    mean = math.factorial(_WORKERS) * gamma(1.0 - 1.0 / _PARETO) / gamma(_WORKERS + 1.0 - 1.0 / _PARETO)
    truth = mean if kind == "arithmetic" else (1.0 - 0.5 ** (1.0 / _WORKERS)) ** (-1.0 / _PARETO)

    def intervals() -> Iterator[Interval]:
        while True:
            slowest = (1.0 + draw.pareto(_PARETO, size=(REPLICATIONS, _WORKERS))).max(axis=1)
            yield INTERVALS[kind](slowest, 0.95)

    return _counted(intervals(), truth, trials)


def shares(truth: float, trials: int, seed: int = 5) -> Covered:
    """Count how often Wilson's interval covers the true share of runs that reach the target."""
    draw = np.random.Generator(np.random.Philox(seed))
    counts = draw.binomial(REPLICATIONS, truth, size=trials)
    return _counted((share_interval(int(count), REPLICATIONS) for count in counts), truth, trials)


def claimed(law: Law, share: float, tables: int, policies: int = 8, seed: int = 6) -> int:
    """Count the tables of equal policies that claim some difference from the baseline, the first one."""
    draw = np.random.Generator(np.random.Philox(seed))
    found = 0
    for _ in range(tables):
        costs, reached = censored(law, share, "common", _correlated(draw, policies, 0.5), draw)
        tests = [paired_ratio(costs[i], reached[i], costs[0], reached[0]).p for i in range(1, policies)]
        found += bool((holm(tests) <= 0.05).any())  # NaN is no claim
    return found


def _cases(trials: int) -> Iterator[tuple[str, str, str, Covered]]:
    """Yield what was measured: interval, law, what is censored, and the counts."""
    for number, (name, law) in enumerate(LAWS.items()):
        for share in SHARES:
            for ends in ENDS if share else ENDS[:1]:
                what = f"{100 * share:.0f} %, {ends} end" if share else "0 %"
                yield "median of times (Kaplan-Meier)", name, what, medians(law, share, ends, trials, seed=10 + number)
        yield "lower quartile of times", name, "60 %, common end", medians(law, 0.6, "common", trials, 0.25, number)
        for share in SHARES:
            yield "ratio to the baseline", name, f"{100 * share:.0f} %", ratios(law, share, trials, seed=20 + number)
        for kind in INTERVALS:
            yield f"{kind} average on a grid", name, "", averages(kind, law, trials, seed=30 + number)
    for kind in ("arithmetic", "median"):
        yield f"{kind} average on a grid", "slowest of ten Pareto(1.5)", "", heavy_tails(kind, trials)
    for share in SHARES[1:]:
        yield "share that reached", "binomial", f"{100 * share:.0f} %", shares(1.0 - share, trials)


def run(effort: Effort) -> str:
    """Measure all intervals, and the claims among equal policies."""
    trials, tables = (200, 200) if effort.quick else (2000, 4000)
    lines = []
    for what, law, share_censored, covered in _cases(trials):
        effort.say(f"coverage: {what}, {law}, {share_censored}")
        lines.append([what, law, share_censored, *covered.lines()])
    first = table(["95 % interval", "law", "censored", "covers", "no upper end"], lines)
    claims = []
    for number, (name, law) in enumerate(LAWS.items()):
        for share in SHARES:
            effort.say(f"coverage: eight equal policies, {name}, {share}")
            count = claimed(law, share, tables, seed=40 + number)
            claims.append([name, f"{100 * share:.0f} %", f"{100.0 * count / tables:.1f} %"])
    second = table(["eight equal policies", "censored", "tables that claim a difference"], claims)
    return f"{trials} trials with ten replications each; {tables} tables.\n\n{first}\n\n{second}"
