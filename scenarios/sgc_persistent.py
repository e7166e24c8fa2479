"""What if the same workers straggle for many updates in a row? Stochastic gradient coding.

Fig. 4 of Bitar, Wootters and El Rouayheb, "Stochastic gradient coding for straggler mitigation in distributed
learning", 2020: SGC with n = 10 workers and d = 2 copies of each row, where the stragglers stay the same for nu
updates. (a) The distance to the optimum against the number of updates at p = 0.7; (b) the distance after 5000 updates
against nu. The setting is in `_sgc.py`.
"""

from functools import partial
from itertools import pairwise

import _sgc as sgc
from _sgc import SGC
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval

PS, NUS = (0.1, 0.4, 0.7), (1, 3, 10, 30, 100)
COLOURS = ("#0072b2", "#009e73", "#d55e00", "#cc79a7", "black")


def variant(p: float, nu: int) -> str:
    """Label of a probability of straggling and of the number of updates for which stragglers stay the same."""
    return f"p = {p:g}, nu = {nu}"


def policies(p: float) -> dict[str, cs.Policy]:
    """SGC alone."""
    return {SGC: sgc.policies(p)[SGC]}


def rise(results: cs.Results, p: float, nu: int, below: int) -> Interval:
    """The floor with one nu over that with another, pair by pair."""
    above, under = (sgc.floors(results, variant(p, value))[SGC] for value in (nu, below))
    return geometric_interval(above / under)


def whole_rise(results: cs.Results, p: float) -> float:
    """The floor with the largest nu over that with the smallest, lower end."""
    return float(rise(results, p, NUS[-1], NUS[0]).low)


def smallest_rise(results: cs.Results, p: float) -> float:
    """The smallest ratio of the floors of two neighbouring values of nu."""
    return min(float(rise(results, p, nu, before).mean) for before, nu in pairwise(NUS))


def slowdown(results: cs.Results, nu: int, distance: float) -> float:
    """The updates that SGC needs at p = 0.7 to reach a distance, over those that it needs with nu = 1."""
    needed = [sgc.updates_to(results, variant(0.7, value), SGC, distance) for value in (nu, 1)]
    return float(geometric_interval(needed[0] / needed[1]).mean)


def figure_4(results: cs.Results) -> Figure:
    """Draw the distance against updates at p = 0.7, and the last distance against nu; 95 % bands."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    curves = {f"ν = {nu}": (SGC, variant(0.7, nu), colour) for nu, colour in zip(NUS, COLOURS, strict=True)}
    sgc.draw_curves(left, results, curves)
    left.set_title("p = 0.7")
    rows = {f"p = {p:g}": (SGC, [variant(p, nu) for nu in NUS], colour) for p, colour in zip(PS, COLOURS, strict=False)}
    sgc.draw_floors(right, results, NUS, rows)
    right.set(xscale="log", xlabel="ν, number of updates for which stragglers stay the same")
    right.set_xticks(NUS, [str(nu) for nu in NUS])
    right.minorticks_off()
    for axes in (left, right):
        axes.legend(frameon=False)
    return figure


study = cs.Study(
    name="sgc-persistent",
    problem=sgc.problem,
    cluster=sgc.cluster(0.7, rounds=1),
    optimizer=sgc.optimizer(),
    policies=policies(0.7),
    variants={
        variant(p, nu): {"cluster": sgc.cluster(p, rounds=nu), "policies": policies(p)} for p in PS for nu in NUS
    },
    until=cs.Until(updates=sgc.UPDATES),
    evaluate_every=10,
    replications=10,
    metric="distance",
    claims=[
        *(cs.Claim(f"p = {p:g}: the floor rises with nu (nu = 100 over nu = 1, lower end)",
                   partial(whole_rise, p=p), low=1.5) for p in PS),
        *(cs.Claim(f"p = {p:g}: each larger nu has a higher floor (smallest ratio of one to the previous)",
                   partial(smallest_rise, p=p), low=1.0) for p in PS),
        cs.Claim("p = 0.7: the floor grows as sqrt(nu) (nu = 100 over nu = 1; sqrt(nu) gives 10)",
                 lambda results: float(rise(results, 0.7, 100, 1).mean), low=7.0, high=14.0),
        cs.Claim("p = 0.7: nu = 10 slows convergence (ratio of the updates to distance 0.01, nu = 10 over nu = 1)",
                 lambda results: slowdown(results, 10, 0.01), low=1.0),
        cs.Claim("p = 0.7: nu = 100 slows convergence (ratio of the updates to distance 0.01, nu = 100 over nu = 1)",
                 lambda results: slowdown(results, 100, 0.01), low=1.2),
    ],
    figures={"fig-4": figure_4},
    notes="Gradient errors that repeat nu times add up before they average out. So the floor grows as sqrt(nu), as "
    "long as nu updates change the model little.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
