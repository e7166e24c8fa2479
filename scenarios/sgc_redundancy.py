"""What does more redundancy buy? Stochastic gradient codes with n = 100 workers and d = 5 copies of each row.

Fig. 5 of Bitar, Wootters and El Rouayheb, "Stochastic gradient coding for straggler mitigation in distributed
learning", 2020: (a) the distance to the optimum against the number of updates at p = 0.8; (b) the distance after 5000
updates against p. The setting is in `_sgc.py`.

What to expect: with random stragglers and randomly placed rows, the variance of the estimated gradient at the optimum
is proportional to (1/d - 1/n) p / (1 - p), and distances to its square root.
"""

import math

import _sgc as sgc
import numpy as np
from _sgc import ALL, BGC, IGNORE, SGC
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval

N, D = 100, 5
PS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9)
EXPECTED = math.sqrt((1 / D - 1 / N) / (1 - 1 / N))  # SGC's floor over that of Ignore-Stragglers


def variant(p: float) -> str:
    """Label of a probability of straggling."""
    return f"p = {p:g}"


def ratios(results: cs.Results, above: str, below: str, ps: tuple[float, ...] = PS) -> Interval:
    """One policy's floor over another's, pair by pair, for each p."""
    return sgc.ratios(results, [variant(p) for p in ps], above, below)


def figure_5(results: cs.Results) -> Figure:
    """Draw the distance against updates at p = 0.8, and the last distance against p; 95 % bands."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    labels, variants = list(study.policies), [variant(p) for p in PS]
    sgc.draw_curves(left, results, {name: (name, variant(0.8), sgc.COLOURS[name]) for name in labels})
    left.set_title("p = 0.8")
    sgc.draw_floors(right, results, PS, {name: (name, variants, sgc.COLOURS[name]) for name in labels})
    right.set_xlabel("probability p of straggling")
    left.legend(frameon=False)
    return figure


study = cs.Study(
    name="sgc-redundancy",
    problem=sgc.problem,
    cluster=sgc.cluster(0.8, N),
    optimizer=sgc.optimizer(),
    policies=sgc.policies(0.8, D),
    variants={variant(p): {"cluster": sgc.cluster(p, N), "policies": sgc.policies(p, D)} for p in PS},
    until=cs.Until(updates=sgc.UPDATES),
    replications=10,
    evaluate_every=20,
    metric="distance",
    claims=[
        cs.Claim("p = 0.8: SGC's floor is at most half that of Ignore-Stragglers (ratio, upper end)",
                 lambda results: float(ratios(results, SGC, IGNORE, (0.8,)).high[0]), high=0.5),
        cs.Claim("for every p: SGC's floor is at most half that of Ignore-Stragglers (largest ratio)",
                 lambda results: float(ratios(results, SGC, IGNORE).mean.max()), high=0.5),
        cs.Claim(f"that ratio is sqrt((1/d - 1/n) / (1 - 1/n)) = {EXPECTED:.3f} (mean over p)",
                 lambda results: float(np.mean(ratios(results, SGC, IGNORE).mean)), low=EXPECTED - 0.03,
                 high=EXPECTED + 0.03),
        cs.Claim("the floors of SGC and BGC are alike (largest ratio SGC / BGC)",
                 lambda results: float(ratios(results, SGC, BGC).mean.max()), high=1.15),
        cs.Claim("SGC-Send-All's floor is a lower bound for SGC's (smallest ratio SGC / Send-All)",
                 lambda results: float(ratios(results, SGC, ALL).mean.min()), low=1.0),
    ],
    figures={"fig-5": figure_5},
    notes="With five copies, SGC's floor is less than half that of Ignore-Stragglers, for every p. ErasureHead and "
    "SGC-Send-All, which count each group or row once, are far better still for small p, where hardly any row is "
    "missing. ErasureHead is the best up to p = 0.8, where messages arrive from two groups in three, and the worst at "
    "0.9, where its gradient is 41 % of the full one on average.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
