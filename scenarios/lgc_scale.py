"""Does live gradient compensation scale? Test accuracy and time saved for 10, 20 and 40 workers.

Section V-C.3 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021:
K = 0.7 N, mini-batches of 320 / N rows, c = 3 classes a worker, h = 10, response times 0.05 s + Exp(mean 0.02 s).
Savings are those of updates that take X_(K), as where stragglers are cut short; accuracies are given for stragglers
that finish, as the paper assumes, and for those that are cut short (s = 4 blocks).
"""

from typing import Any

from _lgc import (
    COLOURS,
    CUT,
    EVERY,
    FINISH,
    FULL,
    K_SGD,
    LGC,
    averaged,
    cluster,
    expected_saving,
    lost,
    off_theory,
    policies,
    saved,
    setting,
)
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, mean_interval

C, H = 3, 10
KS = {10: 7, 20: 14, 40: 28}  # by N
PRINTED = {10: 0.35, 20: 0.40, 40: 0.45}


def variant(n: int, how: str) -> str:
    """Label of n workers whose stragglers finish or are cut short."""
    return f"N = {n}, {how}"


def changes(n: int, how: str) -> dict[str, Any]:
    """What a variant differs in."""
    return {"cluster": cluster(H, finish=how == FINISH, workers=n), "policies": policies(C, KS[n], workers=n)}


def saving_off(results: cs.Results) -> float:
    """Standard errors between savings and theory, worst over N and both policies."""
    return max(
        off_theory(results, variant(n, CUT), policy, H, k, workers=n) for n, k in KS.items() for policy in (K_SGD, LGC)
    )


def off_print(results: cs.Results) -> float:
    """The greatest difference between LGC's saving and the printed one."""
    return max(abs(float(saved(results, variant(n, CUT)).mean) - printed) for n, printed in PRINTED.items())


def most_lost(results: cs.Results, how: str, policy: str) -> float:
    """Points of accuracy lost against full synchrony, by pairs: the greatest upper end over N."""
    return max(float(lost(results, variant(n, how), policy).high) for n in KS)


def scale(results: cs.Results) -> Figure:
    """Test accuracy and time saved against N, with 95 % intervals."""
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    looks = {(FULL, FINISH): ("o", "-"), (K_SGD, FINISH): ("s", "-"), (LGC, FINISH): ("D", "-"), (LGC, CUT): ("D", ":")}
    for place, ((policy, how), look) in enumerate(looks.items()):
        ends = [mean_interval(averaged(results, variant(n, how))[policy]) for n in KS]
        label = policy if policy == FULL else f"{policy}, {how}"
        _points(left, ends, policy, look, 0.08 * (place - 1.5), label)
    left.set(ylabel="test accuracy at the end")
    left.margins(y=0.9)
    for place, policy in enumerate((K_SGD, LGC)):
        ends = [saved(results, variant(n, CUT), policy) for n in KS]
        _points(right, ends, policy, ("os"[place], "none"), 0.1 * (place - 0.5), f"{policy}, simulated")
    exact = [expected_saving(k, n) for n, k in KS.items()]
    right.plot(range(len(KS)), exact, "_", color="black", markersize=26, label=r"$1 - \mu_K / \mu_N$, exact")
    right.plot(range(len(KS)), list(PRINTED.values()), "x", color="0.5", markersize=8, label="printed")
    right.set(ylabel="part of full synchrony's time saved", ylim=(0.2, 0.6))
    for axes in (left, right):
        axes.set_xticks(range(len(KS)), [f"N = {n}, K = {k}" for n, k in KS.items()])
        axes.set_xlim(-0.4, len(KS) - 0.6)
        axes.legend(frameon=False, fontsize="small", loc="upper left")
    return figure


def _points(axes: Any, intervals: list[Interval], policy: str, look: tuple[str, str], aside: float, label: str) -> None:
    """Means and intervals, one an N."""
    means = [float(each.mean) for each in intervals]
    reach = [[float(each.mean - each.low) for each in intervals], [float(each.high - each.mean) for each in intervals]]
    places = [place + aside for place in range(len(means))]
    fill = "none" if look[1] == ":" else COLOURS[policy]
    axes.errorbar(
        places, means, reach, marker=look[0], linestyle=look[1], color=COLOURS[policy], mfc=fill,
        markersize=5, linewidth=0.9, elinewidth=1.2, capsize=2.5, label=label,
    )  # fmt: skip
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


study = cs.Study(
    name="lgc-scale",
    **setting(updates=1000),
    cluster=cluster(H, finish=True),
    policies=policies(C),
    variants={variant(n, how): changes(n, how) for how in (FINISH, CUT) for n in KS},
    replications=5,
    evaluate_every=EVERY,
    metric="test_accuracy",
    claims=[
        cs.Claim("LGC saves about 35, 40, 45 % for N = 10, 20, 40 (greatest difference)",
                 off_print, high=0.03),
        cs.Claim("K-SGD and LGC save 33.8, 40.2, 45.8 %, exact order statistics (standard errors off, worst)",
                 saving_off, high=4.0),
        cs.Claim("LGC's test accuracy is nearly full synchrony's, stragglers finish (points lost, greatest upper end)",
                 lambda results: most_lost(results, FINISH, LGC), high=1.0),
        cs.Claim("and where they are cut short, s = 4 (as above)",
                 lambda results: most_lost(results, CUT, LGC), high=1.0),
    ],
    figures={"scale": scale},
    notes="K-SGD loses no accuracy on this convex problem with c = 3, only training loss, and less with more workers: "
    "more of them then hold each class. lgc_accuracy.py and lgc_nonconvex.py show where it does.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
