"""How do stochastic gradient codes converge, and what does their redundancy buy? Linear regression.

Fig. 1, 3a and 3b of Bitar, Wootters and El Rouayheb, "Stochastic gradient coding for straggler mitigation in
distributed learning", 2020: the distance to the optimum against the number of updates, for n = 10 workers that straggle
with probability p = 0.1 or 0.7, and d = 2 copies of each row. The setting is in `_sgc.py`.

Gradient descent needs every row in every update. It cannot wait for all workers, since a straggler never responds.
Here it is ErasureHead with all rows on every worker: one message is enough, and if none arrives, the master sends the
same model out again. Its redundancy of 10, where the others have 2, buys the exact gradient.
"""

import _sgc as sgc
import numpy as np
from _sgc import ALL, BGC, FRESH, HEAD, IGNORE, SGC
from matplotlib.figure import Figure

import clustersim as cs
from clustersim import plots
from clustersim.studies.statistics import geometric_interval

PS = (0.1, 0.7)
EXACT = "gradient descent (d = 10)"


def variant(p: float) -> str:
    """Label of a probability of straggling."""
    return f"p = {p:g}"


def policies(p: float) -> dict[str, cs.Policy]:
    """The policies of Table I, mini-batch gradient descent and gradient descent."""
    exact = cs.ErasureHead(load=10, fraction=1.0, deadline=1.0, silence="redraw")
    return sgc.policies(p) | sgc.fresh_batches(p) | {EXACT: exact}


def floor_ratio(results: cs.Results, p: float, above: str, below: str) -> float:
    """One policy's floor over another's, geometric mean over pairs."""
    ends = sgc.floors(results, variant(p))
    return float(geometric_interval(ends[above] / ends[below]).mean)


def slowdown(results: cs.Results, p: float, slow: str, fast: str, distance: float) -> float:
    """The updates that one policy needs to reach a distance over those of another, geometric mean over pairs."""
    needed = [sgc.updates_to(results, variant(p), policy, distance) for policy in (slow, fast)]
    return float(geometric_interval(needed[0] / needed[1]).mean)


def vectors_ratio(results: cs.Results) -> float:
    """The vectors that workers send under SGC-Send-All over those that they send under SGC."""
    sent = results.totals.groupby("policy")["uplink_vectors"].sum()
    return float(sent[ALL] / sent[SGC])


def excess_over_exact(results: cs.Results) -> float:
    """A policy's floor over that of gradient descent: the smallest ratio over policies and p."""
    others = (SGC, BGC, HEAD, IGNORE, ALL, FRESH)
    return float(np.min([floor_ratio(results, p, label, EXACT) for p in PS for label in others]))


def distance_against_updates(results: cs.Results) -> Figure:
    """Draw Fig. 3a and 3b; the standard figure counts seconds, and gradient descent needs a few more."""
    return plots.figure(results, "distance", x="update")


study = cs.Study(
    name="sgc-convergence",
    problem=sgc.problem,
    cluster=sgc.cluster(0.7),
    optimizer=sgc.optimizer(),
    policies=policies(0.7),
    variants={variant(p): {"cluster": sgc.cluster(p), "policies": policies(p)} for p in PS},
    until=cs.Until(updates=sgc.UPDATES),
    evaluate_every=10,
    replications=10,
    metric="distance",
    claims=[
        cs.Claim("p = 0.7: SGC and Ignore-Stragglers start equally fast (ratio of the updates to distance 0.01)",
                 lambda results: slowdown(results, 0.7, SGC, IGNORE, 0.01), low=0.9, high=1.1),
        cs.Claim("p = 0.7: SGC ends nearer to the optimum than Ignore-Stragglers (last distance, ratio)",
                 lambda results: floor_ratio(results, 0.7, SGC, IGNORE), high=0.75),
        cs.Claim("p = 0.1: ErasureHead ends nearer to the optimum than SGC (last distance, ratio)",
                 lambda results: floor_ratio(results, 0.1, HEAD, SGC), high=0.7),
        cs.Claim("p = 0.7: ErasureHead is far slower than SGC (ratio of the updates to distance 0.01)",
                 lambda results: slowdown(results, 0.7, HEAD, SGC, 0.01), low=3.0),
        cs.Claim("p = 0.7: fresh batches perform about like Ignore-Stragglers (last distance, ratio)",
                 lambda results: floor_ratio(results, 0.7, FRESH, IGNORE), low=0.67, high=1.5),
        cs.Claim("p = 0.1, as printed: fresh batches perform about like Ignore-Stragglers (last distance, ratio)",
                 lambda results: floor_ratio(results, 0.1, FRESH, IGNORE), low=0.67, high=1.5),
        cs.Claim("every policy ends farther from the optimum than gradient descent (last distance, smallest ratio)",
                 excess_over_exact, low=1.0),
        cs.Claim("SGC-Send-All sends d m / n = 200 vectors where SGC sends one (ratio)",
                 vectors_ratio, low=195.0, high=210.0),
    ],
    figures={"distance-vs-update": distance_against_updates},
    notes="ErasureHead does not correct for groups from which no message arrives: its mean gradient is 1 - p^d of the "
    "full one, so its first phase takes longer in proportion. Fresh batches vary even if no worker straggles: their "
    "floor is sqrt(1/p) times that of Ignore-Stragglers, whose fixed shares complement each other. Gradient descent "
    "keeps all rows on all ten workers, and repeats a round in which no worker responds.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
