"""How do stochastic gradient codes converge, and what does their redundancy buy? Linear regression.

Fig. 1, 3a and 3b of Bitar, Wootters and El Rouayheb, "Stochastic gradient coding for straggler mitigation in
distributed learning", 2020: the distance to the optimum against the number of updates, for n = 10 workers that straggle
with probability p = 0.1 or 0.7, and d = 2.

Gradient descent needs every row in every update. Waiting for all workers would take for ever, since a straggler never
answers: here it is ErasureHead with all rows on every worker, which needs but one answer, and sends the same model out
again if there is none. It is the redundancy of 10, where the others have 2, that buys the exact gradient.
"""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import clustersim as cs
from clustersim import plots
from clustersim.studies.statistics import geometric_interval

N, D, T = 10, 2, 5000
PS = (0.1, 0.7)
SGC, BGC, HEAD, IGNORE, ALL, FRESH = "SGC", "BGC", "ErasureHead", "Ignore-Stragglers", "SGC-Send-All", "fresh batches"
EXACT = "gradient descent (d = 10)"

problem = cs.LeastSquares.synthetic(rows=1000, features=100, design="gaussian", seed=7)
eta = cs.schedules.PowerDecay(initial=7 * math.log(1e100) / (problem.rows * problem.smoothness()), power=0.7)


def cluster(p: float) -> cs.Cluster:
    """Workers that answer in a second, whatever their load, or not at all."""
    return cs.Cluster(workers=N, compute=cs.BernoulliStraggler(p, time=1.0), scaling="none")


def policies(p: float) -> dict[str, cs.Policy]:
    """The schemes of Table I, mini-batch SGD and gradient descent, for a known p."""
    return {
        SGC: cs.StochasticGradientCoding(D, p),
        BGC: cs.BernoulliGradientCoding(D, p),
        HEAD: cs.ErasureHead(load=D, fraction=1.0, deadline=1.0),
        IGNORE: cs.IgnoreStragglers(p),
        ALL: cs.SendAll(D, p),
        FRESH: cs.FreshBatches(batch=problem.rows // N, straggler_probability=p, deadline=1.0),
        EXACT: cs.ErasureHead(load=N, fraction=1.0, deadline=1.0, silence="redraw"),
    }


def variant(p: float) -> str:
    """Label of a probability of straggling."""
    return f"p = {p:g}"


def table(values: pd.Series) -> pd.DataFrame:
    """One number a run; one row a replication, one column a policy."""
    return values.unstack("policy")


def floor_ratio(results: cs.Results, p: float, above: str, below: str) -> float:
    """One policy's last distance over another's, geometric mean over pairs."""
    runs = results.frame[results.frame["variant"] == variant(p)]
    ends = table(runs.groupby(["replication", "policy"])["distance"].last())
    return float(geometric_interval(ends[above] / ends[below]).mean)


def speed_ratio(results: cs.Results, p: float, slow: str, fast: str, target: float) -> float:
    """The updates that one policy needs to reach a distance over those of another, geometric mean over pairs."""
    runs = results.frame[(results.frame["variant"] == variant(p)) & (results.frame["distance"] <= target)]
    first = table(runs.groupby(["replication", "policy"])["update"].first())
    return float(geometric_interval(first[slow] / first[fast]).mean) if {slow, fast} <= {*first} else math.nan


def vectors_ratio(results: cs.Results) -> float:
    """The vectors that workers send under SGC-Send-All over those under SGC."""
    sent = results.totals.groupby("policy")["uplink_vectors"].sum()
    return float(sent[ALL] / sent[SGC])


def excess_over_exact(results: cs.Results) -> float:
    """The last distance of a scheme over that of gradient descent: the least over schemes and p."""
    others = (SGC, BGC, HEAD, IGNORE, ALL, FRESH)
    return float(np.min([floor_ratio(results, p, label, EXACT) for p in PS for label in others]))


def distance_against_updates(results: cs.Results) -> Figure:
    """Fig. 3a and 3b; the standard figure counts seconds, of which gradient descent needs a few more."""
    return plots.figure(results, "distance", x="update")


study = cs.Study(
    name="sgc-convergence",
    problem=problem,
    cluster=cluster(0.7),
    optimizer=cs.SGD(eta),
    policies=policies(0.7),
    variants={variant(p): {"cluster": cluster(p), "policies": policies(p)} for p in PS},
    until=cs.Until(updates=T),
    replications=10,
    metric="distance",
    claims=[
        cs.Claim("p = 0.7: SGC and Ignore-Stragglers are equally fast at first (updates to 0.01, ratio)",
                 lambda results: speed_ratio(results, 0.7, SGC, IGNORE, 0.01), low=0.9, high=1.1),
        cs.Claim("p = 0.7: SGC then comes nearer to the optimum (last distance over that of Ignore-Stragglers)",
                 lambda results: floor_ratio(results, 0.7, SGC, IGNORE), high=0.75),
        cs.Claim("p = 0.1: ErasureHead comes nearer than SGC (last distance, ErasureHead / SGC)",
                 lambda results: floor_ratio(results, 0.1, HEAD, SGC), high=0.7),
        cs.Claim("p = 0.7: ErasureHead decays far more slowly (updates to 0.01, ErasureHead / SGC)",
                 lambda results: speed_ratio(results, 0.7, HEAD, SGC, 0.01), low=3.0),
        cs.Claim("p = 0.7: fresh batches perform about like Ignore-Stragglers (last distance, ratio)",
                 lambda results: floor_ratio(results, 0.7, FRESH, IGNORE), low=0.67, high=1.5),
        cs.Claim("p = 0.1: as printed, fresh batches perform about like Ignore-Stragglers (as above)",
                 lambda results: floor_ratio(results, 0.1, FRESH, IGNORE), low=0.67, high=1.5),
        cs.Claim("every scheme ends farther off than gradient descent (last distance, least ratio)",
                 excess_over_exact, low=1.0),
        cs.Claim("SGC-Send-All sends d m / n vectors where SGC sends one", vectors_ratio, low=195.0, high=210.0),
    ],
    figures={"distance-vs-update": distance_against_updates},
    notes="ErasureHead does not make up for groups that nobody answers for: its mean gradient is 1 - p^d of the full "
    "one, which makes its first phase so much longer. Fresh batches scatter even if nobody straggles: their floor is "
    "sqrt(1/p) times that of Ignore-Stragglers, whose fixed shares complete each other. Gradient descent has all rows "
    "on all ten workers, and repeats a round that nobody answers.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
