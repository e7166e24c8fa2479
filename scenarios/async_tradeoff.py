"""Do synchronous or asynchronous schemes reach a lower error, and which is sooner? Time, staleness, update rates.

S. Dutta, G. Joshi, S. Ghosh, P. Dube, P. Nagpurkar, "Slow and Stale Gradients Can Win the Race", 2018. The papers on
adaptive k and on live gradient compensation compare their schemes with those of this paper: K-sync, K-batch-sync,
K-async, K-batch-async, full synchrony and asynchronous SGD (K-async with k = 1). All have the same step size.

n = 8 workers with equal data, mini-batches of 8 rows, least squares. The mean response time is 1 s, with three laws:
exponential; 0.5 s + Exp(mean 0.5 s), where a new task takes longer than the rest of an old one; Weibull of shape 0.5,
where it takes less time. Transfers take no time.

The *floor* of a scheme is the error at which it settles. In claims, "lower end" and "upper end" are the ends of the
95 % interval over pairs of runs.
"""

import math

import numpy as np
import pandas as pd
from _drawing import band, legend_above, points, tidy
from matplotlib.figure import Figure

import clustersim as cs
from clustersim import theory
from clustersim.studies.statistics import Interval, geometric_interval, mean_interval

N, BATCH = 8, 8
FULL, ASYNC = "full synchrony", "asynchronous, k = 1"
SYNC, BATCH_SYNC, K_ASYNC, BATCH_ASYNC = "K-sync", "K-batch-sync", "K-async", "K-batch-async"
SCHEMES = (SYNC, BATCH_SYNC, K_ASYNC, BATCH_ASYNC)
EXPONENTIAL, SHIFTED, WEIBULL = "exponential", "shifted exponential", "Weibull"
LAWS: dict[str, cs.LatencyModel] = {
    EXPONENTIAL: cs.Exponential(mean=1.0),
    SHIFTED: cs.ShiftedExponential(shift=0.5, mean=0.5),
    WEIBULL: cs.Weibull(mean=1.0, shape=0.5),
}
CASES = [(EXPONENTIAL, 2), (EXPONENTIAL, 4), (EXPONENTIAL, 6), (SHIFTED, 4), (WEIBULL, 4)]
COLOURS = {
    FULL: "#0072b2", SYNC: "#d55e00", BATCH_SYNC: "#009e73", K_ASYNC: "#cc79a7", BATCH_ASYNC: "black", ASYNC: "#e69f00",
}  # fmt: skip

problem = cs.LeastSquares.synthetic(rows=2000, features=20, design="gaussian", seed=7)


def variant(law: str, k: int) -> str:
    """Label of a law of response times and of k."""
    return f"{law}, k = {k}"


MAIN = variant(EXPONENTIAL, 4)


def policies(k: int) -> dict[str, cs.Policy]:
    """The six schemes; full synchrony and asynchronous SGD do not depend on k."""
    return {
        FULL: cs.FullSync(batch=BATCH),
        SYNC: cs.FastestK(k, batch=BATCH),
        BATCH_SYNC: cs.KBatchSync(k, batch=BATCH),
        K_ASYNC: cs.KAsync(k, batch=BATCH),
        BATCH_ASYNC: cs.KBatchAsync(k, batch=BATCH),
        ASYNC: cs.KAsync(1, batch=BATCH),
    }


def cluster(law: str) -> cs.Cluster:
    """Workers whose response time is that of a mini-batch, whatever its size."""
    return cs.Cluster(N, LAWS[law], scaling="none")


def update_times(results: cs.Results, where: str) -> pd.DataFrame:
    """Mean time of an update, seconds; one row for each replication, one column for each scheme."""
    runs = results.totals[results.totals["variant"] == where]
    return (runs["time"] / runs["updates"]).groupby([runs["replication"], runs["policy"]]).mean().unstack()


def staleness(results: cs.Results, where: str) -> pd.DataFrame:
    """Mean staleness of the used gradients, updates; one row for each replication, one column for each scheme."""
    runs = results.totals[results.totals["variant"] == where]
    return runs.pivot_table("mean_staleness", "replication", "policy")


def expected_time(scheme: str, k: int) -> float:
    """Expected time of an update for exponential response times of mean 1 s, seconds."""
    law = LAWS[EXPONENTIAL]
    if scheme in (FULL, SYNC):
        return theory.k_sync_update_time(law, N, N if scheme == FULL else k)
    if scheme in (ASYNC, K_ASYNC):
        return theory.k_async_update_time(law, N, 1 if scheme == ASYNC else k)
    times = {BATCH_SYNC: theory.k_batch_sync_update_time, BATCH_ASYNC: theory.k_batch_async_update_time}
    return times[scheme](law, N, k)


def expected_staleness(scheme: str, k: int) -> float:
    """Expected mean staleness, the same for all laws, updates."""
    if scheme == BATCH_ASYNC:
        return theory.k_batch_async_mean_staleness(N, k)
    waits = {K_ASYNC: k, ASYNC: 1}
    return theory.k_async_mean_staleness(N, waits[scheme]) if scheme in waits else 0.0


def time_off_theory(results: cs.Results) -> float:
    """The largest difference between simulated and expected times of an update, in standard errors; exponential law.

    The variance is exact. Times of updates are independent: order statistics or, where workers are never idle, the
    times of k events of a Poisson process of rate n.
    """
    worst = 0.0
    for law, k in CASES:
        for scheme in COLOURS if law == EXPONENTIAL else ():
            runs = results.totals[(results.totals["variant"] == variant(law, k)) & (results.totals["policy"] == scheme)]
            updates, waits = float(runs["updates"].sum()), {FULL: N, ASYNC: 1}.get(scheme, k)
            ordered = theory.order_statistic_variances(LAWS[law], N)[waits - 1]
            spread = math.sqrt((waits / N**2 if scheme in (BATCH_SYNC, BATCH_ASYNC) else ordered) / updates)
            worst = max(worst, abs(float(runs["time"].sum()) / updates - expected_time(scheme, k)) / spread)
    return worst


def staleness_off_theory(results: cs.Results) -> float:
    """The largest relative difference between simulated and expected mean staleness, over all laws and k."""
    return max(
        abs(float(staleness(results, variant(law, k))[scheme].mean()) / expected_staleness(scheme, k) - 1.0)
        for law, k in CASES
        for scheme in (K_ASYNC, BATCH_ASYNC, ASYNC)
    )


def pace(results: cs.Results, law: str, scheme: str = K_ASYNC, below: str = SYNC) -> Interval:
    """The time of one scheme's update over that of another's, k = 4, pair by pair."""
    times = update_times(results, variant(law, 4))
    return geometric_interval(times[scheme] / times[below])


def floors(results: cs.Results, where: str = MAIN) -> pd.DataFrame:
    """Geometric mean of the error over the last third of the time; one row a replication, one column a scheme."""
    runs = results.frame[results.frame["variant"] == where]
    runs = runs[runs["time"] > 2 / 3 * runs["time"].max()]
    means: pd.DataFrame = np.log(runs["error"]).groupby([runs["replication"], runs["policy"]]).mean().unstack()
    return means.apply(np.exp)


def floor_ratio(results: cs.Results, scheme: str, below: str) -> Interval:
    """One scheme's floor over another's, exponential law, k = 4, pair by pair."""
    values = floors(results)
    return geometric_interval(values[scheme] / values[below])


def reached(results: cs.Results, where: str, target: float) -> pd.Series:
    """When each scheme's mean error curve first reaches a part of the initial error; infinite below its floor."""
    first = problem.error(problem.initial_model())
    curves = results.on_grid("error", points=2000)
    curves = curves[(curves["variant"] == where) & (curves["mean"] <= target * first)]
    lowest = np.exp(np.log(floors(results, where)).mean())
    times = curves.groupby("policy")["time"].min().reindex(list(COLOURS))
    return times.where(lowest.reindex(times.index) <= target * first, np.inf).fillna(np.inf)


def lead(results: cs.Results, where: str, scheme: str, target: float) -> float:
    """The best other scheme's time to an error over this scheme's time; 0 if this scheme does not reach the error."""
    times = reached(results, where, target)
    return float(times.drop(scheme).min() / times[scheme]) if np.isfinite(times[scheme]) else 0.0


def error_by_time(results: cs.Results) -> Figure:
    """Draw the error against time, k = 4, one panel for each law; means and 95 % bands on logarithmic axes."""
    figure = Figure(figsize=(11.0, 4.4), layout="constrained")
    last = float(results.frame["time"].max())
    curves = results.on_grid("error", grid=np.geomspace(last / 1000, last, 300))
    for axes, law in zip(figure.subplots(1, len(LAWS), sharey=True), LAWS, strict=True):
        for scheme, colour in COLOURS.items():
            curve = curves[(curves["variant"] == variant(law, 4)) & (curves["policy"] == scheme)]
            band(axes, curve["time"], curve, colour, label=scheme)
        axes.set(xscale="log", yscale="log", xlabel="wall-clock time (s)")
        axes.set_ylim(0.3 * curves["mean"].min(), 3.0 * curves["mean"].max())  # bands of two runs are too wide
        axes.set_title(variant(law, 4), loc="left", fontsize="medium")
        tidy(axes)
    figure.axes[0].set_ylabel(r"error $F(w) - F^*$")
    legend_above(figure, 6)
    return figure


def updates_and_staleness(results: cs.Results) -> Figure:
    """Draw the time of an update and the mean staleness against k: simulation with 95 % intervals, theory as lines."""
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    ks = [k for law, k in CASES if law == EXPONENTIAL]
    markers = {SYNC: "o", BATCH_SYNC: "s", K_ASYNC: "D", BATCH_ASYNC: "^", FULL: "P", ASYNC: "X"}
    for axes, measure, expected in ((left, update_times, expected_time), (right, staleness, expected_staleness)):
        tables = {k: measure(results, variant(EXPONENTIAL, k)) for k in ks}
        for scheme, marker in markers.items():
            shown = ks if scheme in SCHEMES else [4]
            ends = [mean_interval(tables[k][scheme]) for k in shown]
            x, look = {FULL: [N], ASYNC: [1]}.get(scheme, shown), {"mfc": "none", "markersize": 6, "label": scheme}
            points(axes, x, ends, COLOURS[scheme], fmt=marker, **look)
        for scheme, line in zip(SCHEMES, ("-", "-", "--", "--"), strict=True):
            theory_line = [expected(scheme, k) for k in range(1, N + 1)]
            axes.plot(range(1, N + 1), theory_line, line, color=COLOURS[scheme], linewidth=1)
        axes.set(xlabel="k", xticks=range(1, N + 1))
        tidy(axes)
    left.set(ylabel="time of an update (s)")
    right.set(ylabel="mean staleness (updates)")
    figure.suptitle("exponential response times; lines: theory", x=0.01, ha="left", fontsize="medium")
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return figure


study = cs.Study(
    name="async-tradeoff",
    problem=problem,
    cluster=cluster(EXPONENTIAL),
    optimizer=cs.SGD(0.1 / problem.smoothness()),
    policies=policies(4),
    variants={variant(law, k): {"cluster": cluster(law), "policies": policies(k)} for law, k in CASES},
    until=cs.Until(time=600.0),
    replications=10,
    evaluate_every=5,
    claims=[
        cs.Claim("exponential: updates take H_n - H_{n-k} (K-sync, K-async), k/n (K-batch-sync, -async), H_n (full), "
                 "1/n (asynchronous) (largest difference, standard errors)", time_off_theory, high=4.0),
        cs.Claim("mean staleness is (n - k) / k for K-async, (n - 1) / k for K-batch-async, n - 1 for k = 1, for all "
                 "laws (largest relative difference)", staleness_off_theory, high=0.02),
        cs.Claim("exponential: updates of K-async and K-sync take equally long (ratio of update times)",
                 lambda results: float(pace(results, EXPONENTIAL).mean), low=0.98, high=1.02),
        cs.Claim("shifted exponential: updates of K-async take less time than those of K-sync (ratio, upper end)",
                 lambda results: float(pace(results, SHIFTED).high), high=1.0),
        cs.Claim("Weibull of shape 0.5: updates of K-async take more time than those of K-sync (ratio, lower end)",
                 lambda results: float(pace(results, WEIBULL).low), low=1.0),
        cs.Claim("exponential: an update of full synchrony takes n H_n = 21.7 times as long as one of asynchronous SGD"
                 " (ratio)",
                 lambda results: float(pace(results, EXPONENTIAL, FULL, ASYNC).mean), low=21.0, high=22.5),
        cs.Claim("asynchronous SGD is the first to 1/100 of the initial error (best other's time / its own time)",
                 lambda results: lead(results, MAIN, ASYNC, 1e-2), low=1.0),
        cs.Claim("asynchronous SGD has the highest floor (ratio to K-batch-async's, lower end)",
                 lambda results: float(floor_ratio(results, ASYNC, BATCH_ASYNC).low), low=1.0),
        cs.Claim("full synchrony has the lowest floor (ratio to K-sync's, upper end)",
                 lambda results: float(floor_ratio(results, FULL, SYNC).high), high=1.0),
        cs.Claim("K-sync and K-batch-sync have equal floors (ratio)",
                 lambda results: float(floor_ratio(results, BATCH_SYNC, SYNC).mean), low=0.9, high=1.1),
        cs.Claim("staleness raises the floor (K-batch-async's over K-batch-sync's, lower end)",
                 lambda results: float(floor_ratio(results, BATCH_ASYNC, BATCH_SYNC).low), low=1.0),
        cs.Claim("below the floor of k = 1, K-batch-async is the first (to 1e-8 of the initial error, ratio of times)",
                 lambda results: lead(results, MAIN, BATCH_ASYNC, 1e-8), low=1.0),
        cs.Claim("Weibull of shape 0.5: K-batch-sync is the first to 1e-4 of the initial error (ratio of times)",
                 lambda results: lead(results, variant(WEIBULL, 4), BATCH_SYNC, 1e-4), low=1.0),
    ],
    figures={"error-by-time": error_by_time, "updates-and-staleness": updates_and_staleness},
    notes="With exponential times an update takes as long for K-batch-sync as for K-batch-async, and for K-sync as for "
    "K-async. A little staleness then acts like momentum: errors fall faster, to a higher floor. If a few tasks take "
    "very long (Weibull), it pays to give them up, which only the synchronous schemes do; full synchrony has not "
    "reached its floor there. Unless a claim says otherwise, it is about exponential times and k = 4.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
