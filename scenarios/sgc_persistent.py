"""What if the same workers straggle for many updates on end? Stochastic gradient coding.

Fig. 4 of Bitar, Wootters and El Rouayheb, "Stochastic gradient coding for straggler mitigation in distributed
learning", 2020: SGC with n = 10 workers and d = 2 where the stragglers stay the same for nu updates. (a) The distance
to the optimum against the number of updates at p = 0.7; (b) the distance after 5000 updates against nu.
"""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval

N, D, T = 10, 2, 5000
PS, NUS = (0.1, 0.4, 0.7), (1, 3, 10, 30, 100)
COLOURS = ("#0072b2", "#009e73", "#d55e00", "#cc79a7", "black")

problem = cs.LeastSquares.synthetic(rows=1000, features=100, design="gaussian", seed=7)
eta = cs.schedules.PowerDecay(initial=7 * math.log(1e100) / (problem.rows * problem.smoothness()), power=0.7)


def cluster(p: float, nu: int) -> cs.Cluster:
    """Workers that answer in a second or not at all, and change only every nu updates."""
    compute = cs.Persistent(cs.BernoulliStraggler(p, time=1.0), rounds=nu)
    return cs.Cluster(workers=N, compute=compute, scaling="none")


def variant(p: float, nu: int) -> str:
    """Label of a probability of straggling and a persistence."""
    return f"p = {p:g}, nu = {nu}"


def runs_of(results: cs.Results, p: float, nu: int) -> pd.DataFrame:
    """The histories of one variant."""
    return results.frame[results.frame["variant"] == variant(p, nu)]


def rise(results: cs.Results, p: float, nu: int, over: int) -> Interval:
    """The last distance over that with another nu, by pairs."""
    last, other = (runs_of(results, p, value).groupby("replication")["distance"].last() for value in (nu, over))
    return geometric_interval(last / other)


def floor_rise(results: cs.Results, p: float) -> float:
    """The floor of the greatest nu over that of the least, lower end."""
    return float(rise(results, p, NUS[-1], NUS[0]).low)


def least_step(results: cs.Results, p: float) -> float:
    """The least rise of the floor from one nu to the next."""
    return min(float(rise(results, p, nu, before).mean) for before, nu in pairwise(NUS))


def slowing(results: cs.Results, nu: int, target: float) -> float:
    """The updates that SGC needs at p = 0.7 to reach a distance, over those that it needs at nu = 1."""
    firsts = []
    for value in (nu, 1):
        runs = runs_of(results, 0.7, value)
        firsts.append(runs[runs["distance"] <= target].groupby("replication")["update"].min())
    return float(geometric_interval(firsts[0] / firsts[1]).mean)


def figure_4(results: cs.Results) -> Figure:
    """The distance against updates at p = 0.7, and after the last update against nu; 95 % bands."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    last = int(results.frame["update"].max())
    curves = results.on_grid("distance", over="update", grid=np.linspace(0, last, 251)).set_index("variant")
    for nu, colour in zip(NUS, COLOURS, strict=True):
        curve = curves.loc[variant(0.7, nu)]
        left.plot(curve["update"], curve["mean"], color=colour, label=f"ν = {nu}", linewidth=1.4)
        left.fill_between(curve["update"], curve["low"], curve["high"], color=colour, alpha=0.15, linewidth=0)
    ends = curves[curves["update"] == last]
    for p, colour in zip(PS, COLOURS, strict=False):
        points = ends.loc[[variant(p, nu) for nu in NUS]]
        right.plot(NUS, points["mean"], "o-", color=colour, label=f"p = {p:g}", linewidth=1.4)
        right.fill_between(NUS, points["low"], points["high"], color=colour, alpha=0.15, linewidth=0)
    left.set(yscale="log", xlabel="update", ylabel=r"distance $\|w - w^*\|_2$", title="p = 0.7")
    right.set(yscale="log", xscale="log", xlabel="ν, updates for which stragglers stay the same")
    right.set(ylabel=r"distance $\|w - w^*\|_2$ at the end", title=f"after {last} updates")
    right.set_xticks(NUS, [str(nu) for nu in NUS])
    right.minorticks_off()
    for axes in (left, right):
        axes.set_ylim(0.5 * curves["mean"].min(), 2 * (curves if axes is left else ends)["mean"].max())
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


study = cs.Study(
    name="sgc-persistent",
    problem=problem,
    cluster=cluster(0.7, 1),
    optimizer=cs.SGD(eta),
    policies={"SGC": cs.StochasticGradientCoding(D, 0.7)},
    variants={
        variant(p, nu): {"cluster": cluster(p, nu), "policies": {"SGC": cs.StochasticGradientCoding(D, p)}}
        for p in PS
        for nu in NUS
    },
    until=cs.Until(updates=T),
    replications=10,
    metric="distance",
    claims=[
        *(cs.Claim(f"p = {p:g}: the floor rises with nu (nu = 100 over nu = 1, lower end)",
                   partial(floor_rise, p=p), low=1.5) for p in PS),
        *(cs.Claim(f"p = {p:g}: each larger nu raises the floor (least ratio of one to the next)",
                   partial(least_step, p=p), low=1.0) for p in PS),
        cs.Claim("p = 0.7: the floor goes as sqrt(nu) (nu = 100 over nu = 1, which would be 10)",
                 lambda results: float(rise(results, 0.7, 100, 1).mean), low=7.0, high=14.0),
        cs.Claim("p = 0.7: nu slows the decay (updates to 0.01, nu = 10 over nu = 1)",
                 lambda results: slowing(results, 10, 0.01), low=1.0),
        cs.Claim("p = 0.7: nu slows the decay (updates to 0.01, nu = 100 over nu = 1)",
                 lambda results: slowing(results, 100, 0.01), low=1.2),
    ],
    figures={"fig-4": figure_4},
    notes="Errors of the gradient that repeat nu times add up before they average out: the distance at the floor goes "
    "as sqrt(nu), as long as nu updates change the model little.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
