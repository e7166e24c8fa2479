"""Does adaptive-k reach a lower error sooner, and with less communication, than any fixed k? (Linear regression.)

Fig. 3 and 4 of Kas Hanna et al., "Adaptive stochastic gradient descent for fast and communication-efficient
distributed learning", 2022: n = 50 workers, response times exponential with mean 1, 2000 rows of 100 integers,
eta = 0.0005; k = 10, 20, 30 or 40, or k from 10 to 40 by Pflug's test (thresh = 10, burn-in = 200).

The paper's F is printed as a sum of squares; eta is stable only for the mean over the rows, which is meant (eq. 3).
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import clustersim as cs

KS = (10, 20, 30, 40)
ADAPTIVE = "adaptive k"

problem = cs.LeastSquares.synthetic(rows=2000, features=100, design="integers", seed=7)


def switches(results: cs.Results) -> pd.DataFrame:
    """When each replication of adaptive-k was first seen at k = 20, 30 and 40; shape (replications, 3), seconds."""
    frame = results.frame
    adaptive = frame[frame["policy"] == ADAPTIVE]
    times = {k: adaptive[adaptive["k"] >= k].groupby("replication")["time"].min() for k in KS[1:]}
    return pd.DataFrame(times)


def floor(results: cs.Results, policy: str) -> float:
    """The error at which a policy settles: the geometric mean over its last 1000 s."""
    frame = results.frame
    last = frame[(frame["policy"] == policy) & (frame["time"] > frame["time"].max() - 1000.0)]
    return float(np.exp(np.log(last["error"]).mean()))


def reaches(results: cs.Results, policy: str) -> float:
    """Median time at which a policy is first within 10 % of the floor of adaptive-k; infinite if most never are."""
    reached = results.time_to_target(1.1 * floor(results, ADAPTIVE))
    times = reached[reached["policy"] == policy]["time"].fillna(np.inf)
    return float(times.median())


def uplink_advantage(results: cs.Results, column: str) -> float:
    """The least, over errors from 1000 down to adaptive-k's floor, of best fixed k over adaptive-k in a cost."""
    ratios = []
    for target in np.geomspace(1000.0, 1.1 * floor(results, ADAPTIVE), 12):
        costs = results.time_to_target(target).groupby("policy")[column].median()
        ratios.append(costs.drop(ADAPTIVE).min() / costs[ADAPTIVE])
    return float(min(ratios))


def switching_times(results: cs.Results) -> Figure:
    """How the switching times scatter: one dot a replication, a bar at the median."""
    times = switches(results)
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.add_subplot()
    for row, k in enumerate(times.columns):
        spread = np.linspace(-0.15, 0.15, len(times))
        axes.plot(times[k], row + spread, "o", color="#0072b2", alpha=0.7, markersize=5)
        axes.plot([times[k].median()] * 2, [row - 0.3, row + 0.3], color="black", linewidth=1.5)
    axes.set_yticks(range(len(times.columns)), [f"k = {k}" for k in times.columns])
    axes.set_xlabel("wall-clock time of the switch (s)")
    axes.set_title(f"Switches of adaptive-k, {len(times)} replications (bar: median)", loc="left")
    axes.set_xlim(left=0.0)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


study = cs.Study(
    name="adaptive-linear",
    problem=problem,
    cluster=cs.Cluster(workers=50, compute=cs.Exponential(mean=1.0)),
    optimizer=cs.SGD(0.0005),
    policies={f"k = {k}": cs.FastestK(k) for k in KS}
    | {ADAPTIVE: cs.AdaptiveK(start=10, threshold=10, burn_in=200, step=10, max_k=40)},
    until=cs.Until(time=7000.0),
    replications=10,
    claims=[
        cs.Claim(
            "adaptive-k reaches its lowest error near t = 2000 (within 10 %, median)",
            lambda results: reaches(results, ADAPTIVE), low=1200.0, high=2800.0,
        ),
        cs.Claim(
            "k = 40 reaches the same error only near t = 6000 (median)",
            lambda results: reaches(results, "k = 40"), low=4800.0, high=7200.0,
        ),
        cs.Claim(
            "adaptive-k needs the fewest uplink messages for any error (best fixed k over adaptive-k, least)",
            lambda results: uplink_advantage(results, "uplink_messages"), low=0.95,
        ),
        cs.Claim(
            "adaptive-k needs the least uplink and downlink together for any error (as above)",
            lambda results: uplink_advantage(results, "messages"), low=0.95,
        ),
    ],
    figures={"switching_times": switching_times},
    notes="Kas Hanna et al. 2022, Fig. 3 and 4. The paper says 'download' for the uplink (worker to master) and "
    "'upload' for the downlink.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
