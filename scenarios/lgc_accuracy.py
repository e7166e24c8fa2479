"""How much accuracy do ignored stragglers cost on skewed data, and does LGC win it back? Softmax regression.

Fig. 3 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021: N = 10
workers, K = 7, each worker has data of c = 1, 2, 3 or 10 of the ten classes of Fashion-MNIST, and response times stay
the same for h = 1, 5 or 10 updates. Stragglers finish before the next update, as the paper assumes. Test accuracy is
averaged over the last twelfth of the updates: the paper's last 5 of 60 epochs, 20 of 240 epochs here. The setting is in
`_lgc.py`.
"""

from _drawing import legend_above, points, tidy
from _lgc import COLOURS, EVERY, FULL, K_SGD, LGC, averaged, cluster, lost, policies, setting
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import mean_interval

CLASSES, HS = (1, 2, 3, 10), (1, 5, 10)
SHIFT = 0.16  # between the points of two policies at one c


def variant(c: int, h: int) -> str:
    """Label of c classes on each worker and h updates with the same stragglers."""
    return f"c = {c}, h = {h}"


def most_lost(results: cs.Results, policy: str, classes: tuple[int, ...], hs: tuple[int, ...]) -> float:
    """The most points by which a policy ends below full synchrony: largest mean over c and h."""
    return max(float(lost(results, variant(c, h), policy).mean) for c in classes for h in hs)


def largest_gap(results: cs.Results, policy: str) -> float:
    """Points between a policy and full synchrony, above or below: the furthest interval end over all c and h."""
    intervals = [lost(results, variant(c, h), policy) for c in CLASSES for h in HS]
    return max(max(abs(float(each.low)), abs(float(each.high))) for each in intervals)


def growth(results: cs.Results, c: int) -> float:
    """Points that K-SGD loses with h = 10 more than with h = 1, pair by pair: lower end."""
    long, short = (averaged(results, variant(c, h)) for h in (10, 1))
    return float(mean_interval(100.0 * ((long[FULL] - long[K_SGD]) - (short[FULL] - short[K_SGD]))).low)


def accuracy_by_classes(results: cs.Results) -> Figure:
    """Draw Fig. 3, and below it the points lost against full synchrony, pair by pair; 95 % intervals."""
    figure = Figure(figsize=(9.6, 5.6), layout="constrained")
    grid = figure.subplots(2, len(HS), sharex=True, sharey="row")
    for column, h in enumerate(HS):
        top, bottom = grid[:, column]
        for place, label in enumerate((FULL, K_SGD, LGC)):
            x = [position + SHIFT * (place - 1) for position in range(len(CLASSES))]
            ends = [mean_interval(averaged(results, variant(c, h))[label]) for c in CLASSES]
            points(top, x, ends, COLOURS[label], label=label)
            if label != FULL:
                points(bottom, x, [lost(results, variant(c, h), label) for c in CLASSES], COLOURS[label])
        bottom.axhline(0.0, color=COLOURS[FULL], linewidth=1)
        tidy(top, bottom, grid="y")
        top.set_title(f"h = {h}", loc="left", fontsize="medium")
        bottom.set_xticks(range(len(CLASSES)), [str(c) for c in CLASSES])
        bottom.set_xlabel("classes c on each worker")
    grid[0, 0].set_ylabel("test accuracy at the end")
    grid[1, 0].set_ylabel("points lost against\nfull synchrony, pair by pair")
    legend_above(figure, 3)
    return figure


study = cs.Study(
    name="lgc-accuracy",
    **setting(),
    cluster=cluster(10, finish=True),
    policies=policies(1),
    variants={
        variant(c, h): {"cluster": cluster(h, finish=True), "policies": policies(c)} for c in CLASSES for h in HS
    },
    replications=5,
    evaluate_every=EVERY,
    metric="test_accuracy",
    claims=[
        cs.Claim("c = 1, h = 10: K-SGD loses accuracy (points below full synchrony, lower end)",
                 lambda results: float(lost(results, variant(1, 10), K_SGD).low), low=1.0),
        cs.Claim("LGC ends as high as full synchrony for every c and h (points apart, furthest interval end)",
                 lambda results: largest_gap(results, LGC), high=1.0),
        cs.Claim("h = 1: K-SGD loses hardly any accuracy (points lost, most over c)",
                 lambda results: most_lost(results, K_SGD, CLASSES, (1,)), high=1.0),
        cs.Claim("c = 1: K-SGD loses more, the longer stragglers stay the same (points, h = 10 less h = 1, lower end)",
                 lambda results: growth(results, 1), low=0.0),
        cs.Claim("c = 10, IID data: K-SGD loses nothing (points lost, most over h)",
                 lambda results: most_lost(results, K_SGD, (10,), HS), high=0.5),
        cs.Claim("c = 2 and 3: on this convex problem, K-SGD loses hardly any accuracy (points lost, most over h)",
                 lambda results: most_lost(results, K_SGD, (2, 3), HS), high=1.0),
    ],
    figures={"accuracy-by-classes": accuracy_by_classes},
    notes="Wall-clock times include the 0.5 s of the downlink, in which stragglers finish. If stragglers stay the same "
    "for h = 10 updates, K-SGD's accuracy rises and falls with them. Evaluations are 13 updates apart, so they fall on "
    "each of these ten updates equally often. LGC and, for h = 1, K-SGD end a little above full synchrony.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
