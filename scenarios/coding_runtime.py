"""How long does an update take with a gradient code? ErasureHead's theory of run times, against simulation.

Lemma 8 and Theorem 3 of Wang, Charles and Papailiopoulos, "ErasureHead: Distributed Gradient Descent without Delays
Using Approximate Gradient Coding", 2019, section 4: n workers, a load of c shares takes c/n plus an exponential time of
mean c / (lambda n). Uncoded (eq. 12), exact fractional repetition (eq. 13), cyclic repetition, of which the lemma does
not speak, and ErasureHead (eq. 14), which stops at the r-th answer or when all groups have answered.

Eq. 13 is misprinted: H_n - H_c stands for H_{n/c}. Theorem 3 is held against runs on a problem whose constants are
known, with lambda = 1/c as it asks for; r = 20 of 30 workers, since c r / n must be at least ln 2 and the noise small.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import clustersim as cs
from clustersim import theory
from clustersim.studies.statistics import Interval, mean_interval

LOADS = (1, 2, 3, 5, 10)
HEADS = {11: (2, 3, 5), 20: (2, 3, 5)}  # loads of ErasureHead by the answers, of 30 workers, that end an update
RATE = 1.0  # lambda
SIZES = (30, 60)
MU, BETA, PULL, C, R = 0.02, 1.0, 0.2, 3, 20  # Theorem 3
THEOREM = "Theorem 3: n = 30, lambda = 1/3"


def exact(c: int) -> str:
    """Label of the exact fractional repetition code; with c = 1 there is no code."""
    return f"exact, c = {c}" if c > 1 else "uncoded"


def cyclic(c: int) -> str:
    """Label of the cyclic code."""
    return f"cyclic, c = {c}"


def head(c: int, r: int) -> str:
    """Label of ErasureHead that waits for r of 30 workers."""
    return f"ErasureHead, c = {c}, {r}/30"


POLICIES: dict[str, cs.Policy] = (
    {exact(c): cs.ExactGradientCode(c) for c in LOADS}
    | {cyclic(c): cs.ExactGradientCode(c, "cyclic") for c in LOADS[1:]}
    | {head(c, r): cs.ErasureHead(c, r / 30) for r, loads in HEADS.items() for c in loads}
)


def cluster(n: int, rate: float) -> cs.Cluster:
    """Section 4's model, for loads that are counted in shares of 1/n."""
    return cs.Cluster(n, cs.ShiftedExponential(shift=1 / n, mean=1 / (rate * n)), scaling="proportional")


def theorem_problem() -> cs.LeastSquares:
    """Thirty shards of two rows, all with curvatures MU and BETA, whose gradients differ by at most 2 PULL; e_0 = 1."""
    curvature = np.array([MU, BETA])
    angles = 2 * np.pi * np.arange(30) / 30
    pulls = PULL * np.column_stack((np.cos(angles), np.sin(angles)))
    optima = np.array([math.sqrt(2 / MU), 0.0]) + pulls / curvature
    shard = np.diag(np.sqrt(2 * curvature))
    return cs.LeastSquares(np.tile(shard, (30, 1)), np.concatenate([shard @ optimum for optimum in optima]))


SIGMA = math.sqrt(2 * MU) + PULL  # bound on the norm of a group's gradient: the first model's, and the group's pull
CONSTANTS: dict[str, Any] = {"workers": 30, "load": C, "messages": R, "beta": BETA, "mu": MU, "initial_error": 1.0}
LEAST = theory.erasurehead_noise_level(30, C, R, mu=MU, sigma=SIGMA)  # epsilon_0


def variant(n: int) -> str:
    """Label of Lemma 8's setting."""
    return f"n = {n}"


def simulated(results: cs.Results, where: str, policy: str) -> Interval:
    """Mean time of an update and its 95 % interval over the replications."""
    runs = results.totals
    runs = runs[(runs["variant"] == where) & (runs["policy"] == policy)]
    return mean_interval(runs["time"] / runs["updates"])


def deviation(results: cs.Results, n: int, c: int, *, printed: bool) -> float:
    """How many standard errors lie between the simulated time of an exact code's update and eq. 13.

    The time's variance, 1 / (lambda n)^2 times the sum of 1 / k^2 up to k = n/c, is exact and not estimated.
    """
    runs = results.totals
    runs = runs[(runs["variant"] == variant(n)) & (runs["policy"] == exact(c))]
    updates = float(runs["updates"].sum())
    spread = math.sqrt(sum(1 / k**2 for k in range(1, n // c + 1)) / updates) / (RATE * n)
    expected = theory.exact_code_update_time(n, c, RATE, printed=printed)
    return abs(float(runs["time"].sum()) / updates - expected) / spread


def deviations(results: cs.Results, *, printed: bool) -> list[float]:
    """For every n and every code with c > 1."""
    return [deviation(results, n, c, printed=printed) for n in SIZES for c in LOADS[1:]]


def over_theory(results: cs.Results, formula: Callable[[int, int, int, float], float], r: int) -> list[float]:
    """Simulated times of ErasureHead's update over a formula's, for every n and c."""
    pairs = [(n, c) for n in SIZES for c in HEADS[r]]
    times = [float(simulated(results, variant(n), head(c, r)).mean) for n, c in pairs]
    return [time / formula(n, c, r * n // 30, RATE) for time, (n, c) in zip(times, pairs, strict=True)]


def off_exact_time(results: cs.Results) -> float:
    """The greatest relative difference between simulated and exact expected times of ErasureHead's update."""
    return max(abs(ratio - 1) for r in HEADS for ratio in over_theory(results, theory.erasurehead_update_time, r))


def over_eq_14(results: cs.Results, r: int) -> list[float]:
    """Simulated times of ErasureHead's update over eq. 14."""
    return over_theory(results, theory.erasurehead_update_time_bound, r)


def totals(results: cs.Results, error: float) -> dict[str, float]:
    """Mean time until the error, as an expectation, is first that low; infinite where it never is.

    The theorem bounds the expected error, so the mean over the replications is what has to be low.
    """
    frame = results.frame[results.frame["variant"] == THEOREM]
    times = {}
    for name, label in zip(("uncoded", "exact_code", "erasurehead"), (exact(1), exact(C), head(C, R)), strict=True):
        means = frame[frame["policy"] == label].groupby("update")[["error", "time"]].mean()
        reached = means[means["error"] <= error]["time"]
        times[name] = float(reached.iloc[0]) if len(reached) else math.inf
    return times


def over_theorem_3(results: cs.Results) -> float:
    """The greatest ratio of simulated total time to Theorem 3's bound, over schemes and errors from epsilon_0 up."""
    worst = 0.0
    for error in np.geomspace(LEAST, 0.9, 8):
        bounds = theory.times_to_error_bound(float(error), **CONSTANTS, sigma=SIGMA, printed=True)._asdict()
        worst = max(worst, *(time / bounds[name] for name, time in totals(results, float(error)).items()))
    return worst


def floor(results: cs.Results) -> float:
    """The error at which ErasureHead settles, over epsilon_0: mean over the last tenth of the updates.

    It is the arithmetic mean, which is what Theorem 3 bounds.
    """
    frame = results.frame[(results.frame["variant"] == THEOREM) & (results.frame["policy"] == head(C, R))]
    last = frame[frame["update"] >= 0.9 * frame["update"].max()]
    return float(last["error"].mean()) / LEAST


def over_printed_exact_update(results: cs.Results) -> float:
    """Time of the exact code's update over what Theorem 3 as printed allows for it, (c ln(n/c) + c + 1) / n."""
    allowed = (C * math.log(30 / C) + C + 1) / 30
    return float(simulated(results, THEOREM, exact(C)).mean) / allowed


def time_per_update(results: cs.Results) -> Figure:
    """Time of an update against c: simulation with 95 % intervals, and the formulas."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    for axes, n in zip(figure.subplots(1, 2), SIZES, strict=True):
        for printed, style in ((False, "-"), (True, "--")):
            times = [theory.exact_code_update_time(n, c, RATE, printed=printed) for c in LOADS]
            axes.plot(LOADS, times, style, color="#0072b2", label=f"eq. 13 {'as printed' if printed else 'mended'}")
        for (r, loads), colour in zip(HEADS.items(), ("#d55e00", "#cc79a7"), strict=True):
            bound = [theory.erasurehead_update_time_bound(n, c, r * n // 30, RATE) for c in loads]
            axes.plot(loads, bound, ":", color=colour, label=f"eq. 14, {r}/30")
            _points(axes, results, n, {c: head(c, r) for c in loads}, colour, f"ErasureHead, {r}/30")
        _points(axes, results, n, {c: cyclic(c) for c in LOADS[1:]}, "#009e73", "cyclic repetition")
        _points(axes, results, n, {c: exact(c) for c in LOADS}, "#0072b2", "fractional repetition")
        axes.set(
            xlabel="load c",
            ylabel="time of an update (1: least of a full gradient)",
            xticks=LOADS,
            ylim=(0.0, 0.75 * 30 / n),
        )
        axes.set_title(f"n = {n}, lambda = {RATE:g}", loc="left", fontsize="medium")
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return figure


def _points(axes: Any, results: cs.Results, n: int, labels: dict[int, str], colour: str, name: str) -> None:
    """Simulated times of policies, by load."""
    mean, low, high = np.transpose([simulated(results, variant(n), label) for label in labels.values()])
    reach = np.nan_to_num([mean - low, high - mean])
    look = "s" if name.startswith("frac") else "o"
    axes.errorbar(list(labels), mean, reach, fmt=look, color=colour, markersize=6, mfc="none", capsize=2, label=name)


study = cs.Study(
    name="coding-runtime",
    problem=theorem_problem(),
    cluster=cluster(30, RATE),
    optimizer=cs.SGD(1 / BETA),  # Theorem 3's (1 - p) / beta, for ErasureHead does not divide its gradient by 1 - p
    policies=POLICIES,
    variants={variant(n): {"cluster": cluster(n, RATE)} for n in SIZES} | {THEOREM: {"cluster": cluster(30, 1 / C)}},
    until=cs.Until(updates=1000),
    replications=5,
    evaluate_every=1,
    claims=[
        cs.Claim("eq. 12: uncoded updates take 1/n + H_n / (lambda n) (standard errors off, worst n)",
                 lambda results: max(deviation(results, n, 1, printed=False) for n in SIZES), high=4.0),
        cs.Claim("eq. 13 as printed, c/n + (H_n - H_c) / (lambda n), is refuted (standard errors off, least)",
                 lambda results: min(deviations(results, printed=True)), low=20.0),
        cs.Claim("eq. 13 mended, c/n + H_{n/c} / (lambda n), is confirmed (standard errors off, greatest)",
                 lambda results: max(deviations(results, printed=False)), high=4.0),
        cs.Claim("eq. 14 bounds ErasureHead's update (simulated / bound, greatest; they are equal where n/c > r)",
                 lambda results: max(over_eq_14(results, 11) + over_eq_14(results, 20)), high=1.005),
        cs.Claim("eq. 14 is far above it where all groups answer early (simulated / bound, least)",
                 lambda results: min(over_eq_14(results, 20)), high=0.8),
        cs.Claim("ErasureHead's expected time, computed exactly (greatest relative difference)",
                 off_exact_time, high=0.01),
        cs.Claim("Theorem 3 as printed bounds total times from epsilon_0 up (simulated / bound, greatest)",
                 over_theorem_3, high=1.0),
        cs.Claim("below, ErasureHead settles, and no time is enough (its floor / epsilon_0)",
                 floor, low=1e-9, high=1.0),
        cs.Claim("Theorem 3 as printed allows the exact code less than an update takes (simulated / allowed)",
                 over_printed_exact_update, low=1.02),
    ],
    figures={"time-per-update": time_per_update},
    notes="Time 1 is the least that the full gradient takes on one worker. At 20/30, where all groups often answer "
    "before the 20th worker, ErasureHead takes up to 28 % less than eq. 14 allows. The cyclic code, for the same "
    "promise, takes longer: it needs n - c + 1 answers, whoever they come from.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
