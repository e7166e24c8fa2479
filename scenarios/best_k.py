"""Which k is best, if a worker straggles with probability p? Fastest-k over a grid.

A sweep that is in none of the papers. Twenty workers take 1 s for their share of the rows on average (0.5 s and an
exponential part); with probability p, a task takes ten times as long. How long do the fastest k need to an error of
0.005, for every k and p? A small k escapes stragglers, but its gradients are noisy, so that it may never get there.
"""

import numpy as np
from matplotlib.figure import Figure

import clustersim as cs

KS = (1, 2, 4, 8, 12, 16, 18, 20)
PS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
TARGET = 0.005
WORKERS, DRAWS = 20, 1000


def times(p: float) -> cs.LatencyModel:
    """Compute times of which a fraction p is ten times as long, as a sample of a thousand equally likely ones."""
    usual = 0.5 - 0.5 * np.log1p(-(np.arange(DRAWS) + 0.5) / DRAWS)
    slow = np.arange(DRAWS) % round(1 / p) == 0 if p else np.zeros(DRAWS, dtype=bool)
    return cs.Empirical(np.where(slow, 10.0 * usual, usual))


def build(p: float) -> dict[str, cs.Cluster]:
    """Return the cluster in which tasks straggle with probability p."""
    return {"cluster": cs.Cluster(WORKERS, times(p))}


def best_k(results: cs.Results, p: float) -> int:
    """Return the k that reaches the target first, by the median time."""
    column = results.pivot("policy", "p", "time", target=TARGET)[p]
    return int(str(column.replace(np.inf, np.nan).idxmin()).removeprefix("k = "))


def waiting_for_all(results: cs.Results) -> float:
    """Return the median time with all workers over that with the best k, at p = 0.1."""
    column = results.pivot("policy", "p", "time", target=TARGET)[0.1]
    return float(column[f"k = {WORKERS}"] / column.min())


def over_the_grid(results: cs.Results) -> Figure:
    """Draw the time to the target for every k and p, with the best k for each p framed."""
    return cs.plots.heatmap(results, x="p", value="time", target=TARGET)


def against_p(results: cs.Results) -> Figure:
    """Draw the time to the target against p, one line for each k."""
    return cs.plots.lines(results, x="p", value="time", target=TARGET)


study = cs.Study(
    name="best-k",
    problem=cs.LeastSquares.synthetic(rows=400, features=10, design="integers", seed=7),
    cluster=cs.Cluster(WORKERS, times(0.0)),
    optimizer=cs.SGD(5e-3),
    policies={f"k = {k}": cs.FastestK(k) for k in KS},
    variants=cs.grid(build, p=PS),
    until=cs.Until(time=600.0),
    replications=10,
    figures={"time-over-grid": over_the_grid, "time-against-p": against_p},
)

if __name__ == "__main__":
    cs.main(study)
