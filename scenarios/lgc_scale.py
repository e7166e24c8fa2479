"""Does live gradient compensation (LGC) scale? Test accuracy and time saved for 10, 20 and 40 workers.

Section V-C.3 of J. Xu et al., "Live Gradient Compensation for Evading Stragglers in Distributed Learning", 2021:
K = 0.7 N, mini-batches of 320 / N rows, c = 3 classes on each worker, response times of 0.05 s + Exp(mean 0.02 s) that
stay the same for h = 10 updates. Savings are those of updates that take X_(K), that is, with stragglers cut short.
Accuracies are given for stragglers that finish, as the paper assumes, and for stragglers that are cut short (s = 4
blocks). The setting is in `_lgc.py`.
"""

from typing import Any

import _lgc as lgc
import numpy as np
from _drawing import points, tidy
from _lgc import CUT, FINISH, FULL, K_SGD, LGC, cluster, policies, saved
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import mean_interval

C, H = 3, 10
KS = {10: 7, 20: 14, 40: 28}  # by N
PRINTED = {10: 0.35, 20: 0.40, 40: 0.45}


def variant(n: int, how: str) -> str:
    """Label of n workers whose stragglers finish or are cut short."""
    return f"N = {n}, {how}"


def changes(n: int, how: str) -> dict[str, Any]:
    """Cluster and policies of a variant."""
    return {"cluster": cluster(H, finish=how == FINISH, workers=n), "policies": policies(C, KS[n], workers=n)}


def off_theory(results: cs.Results) -> float:
    """Difference between savings and theory in standard errors, largest over N and both policies."""
    cases = [(n, k, policy) for n, k in KS.items() for policy in (K_SGD, LGC)]
    return max(lgc.off_theory(results, variant(n, CUT), policy, H, k, workers=n) for n, k, policy in cases)


def off_print(results: cs.Results) -> float:
    """The largest difference between LGC's saving and the printed one."""
    return max(abs(float(saved(results, variant(n, CUT)).mean) - printed) for n, printed in PRINTED.items())


def most_lost(results: cs.Results, how: str, policy: str) -> float:
    """Points of accuracy lost against full synchrony, pair by pair: largest upper end over N."""
    return max(float(lgc.lost(results, variant(n, how), policy).high) for n in KS)


def scale(results: cs.Results) -> Figure:
    """Draw test accuracy and time saved against N, with 95 % intervals."""
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    x = np.arange(len(KS))
    for place, (policy, how) in enumerate(((FULL, FINISH), (K_SGD, FINISH), (LGC, FINISH), (LGC, CUT))):
        ends = [mean_interval(lgc.averaged(results, variant(n, how))[policy]) for n in KS]
        look = {"fmt": "oSDD"[place].lower(), "linestyle": "-:"[how == CUT], "mfc": "none" if how == CUT else None}
        label = policy if policy == FULL else f"{policy}, {how}"
        points(left, x + 0.08 * (place - 1.5), ends, lgc.COLOURS[policy], label=label, linewidth=0.9, **look)
    for place, policy in enumerate((K_SGD, LGC)):
        ends, label = [saved(results, variant(n, CUT), policy) for n in KS], f"{policy}, simulated"
        points(right, x + 0.1 * (place - 0.5), ends, lgc.COLOURS[policy], label=label, fmt="os"[place])
    exact = [lgc.expected_saving(k, n) for n, k in KS.items()]
    right.plot(x, exact, "_", color="black", markersize=26, label=r"$1 - \mu_K / \mu_N$, exact")
    right.plot(x, list(PRINTED.values()), "x", color="0.5", markersize=8, label="printed")
    left.set(ylabel="test accuracy at the end", ymargin=0.9)
    right.set(ylabel="part of full synchrony's time saved", ylim=(0.2, 0.6))
    for axes in (left, right):
        axes.set(xticks=x, xticklabels=[f"N = {n}, K = {k}" for n, k in KS.items()], xlim=(-0.4, len(KS) - 0.6))
        axes.legend(frameon=False, fontsize="small", loc="upper left")
        tidy(axes, grid="y")
    return figure


study = cs.Study(
    name="lgc-scale",
    **lgc.setting(updates=1000),
    cluster=cluster(H, finish=True),
    policies=policies(C),
    variants={variant(n, how): changes(n, how) for how in (FINISH, CUT) for n in KS},
    replications=5,
    evaluate_every=lgc.EVERY,
    metric="test_accuracy",
    claims=[
        cs.Claim("LGC saves about 35, 40 and 45 % of the time for N = 10, 20 and 40 (largest difference)",
                 off_print, high=0.03),
        cs.Claim("K-SGD and LGC save 33.8, 40.2 and 45.8 %, as order statistics predict (largest difference, standard "
                 "errors)", off_theory, high=4.0),
        cs.Claim("stragglers finish: LGC's test accuracy is nearly full synchrony's (points lost, largest upper end)",
                 lambda results: most_lost(results, FINISH, LGC), high=1.0),
        cs.Claim("cut short, s = 4: LGC's test accuracy is nearly full synchrony's (points lost, largest upper end)",
                 lambda results: most_lost(results, CUT, LGC), high=1.0),
    ],
    figures={"scale": scale},
    notes="On this convex problem with c = 3, K-SGD loses no accuracy. Its training loss is higher than full "
    "synchrony's, but less so with more workers, since more of them then have data of each class. lgc_accuracy.py and "
    "lgc_nonconvex.py show where K-SGD loses accuracy.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
