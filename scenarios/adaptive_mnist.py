"""When does adaptive-k pay? Logistic regression on MNIST digits.

Fig. 5 and 6 of Kas Hanna et al., "Adaptive stochastic gradient descent for fast and communication-efficient
distributed learning", 2022: n = 20 workers, 80 images, response times exponential with mean 50, eta = 0.05, ridge 0.01;
k = 2, 4 or 8, or k from 2 to 8 by doubling (thresh = 20, burn-in = 30).

The paper does not say how the gradient is scaled, and the verdict turns with that. Here eta = 0.05 applies to each
label's own regression, as the text has it, with the gradient the mean over the rows times a scale: 1 (the mean), 4 (the
sum over a worker's rows), 10, 20, and 80 (the sum over all rows). Scale 10 comes nearest to the figure: adaptive-k's
log-loss is lowest near t = 1700.
"""

import pandas as pd
from matplotlib.figure import Figure

import clustersim as cs
from clustersim.studies.statistics import Interval, geometric_interval

ETA, LABELS = 0.05, 10
SCALES = (1, 4, 10, 20, 80)
ADAPTIVE = "adaptive k"
FIGURE_TIME = 1700.0  # where Fig. 5 has adaptive-k's lowest log-loss

POLICIES = {f"k = {k}": cs.FastestK(k) for k in (2, 4, 8)} | {
    ADAPTIVE: cs.AdaptiveK(start=2, threshold=20, burn_in=30, factor=2, max_k=8)
}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "black")

digits = cs.datasets.mnist(train=80)
problem = cs.LogisticRegression(digits.X, digits.y, ridge=0.01, test=(digits.test_X, digits.test_y))


def optimizer(scale: float) -> cs.SGD:
    """The step on the problem's objective, which is the mean over the ten labels: ten times that of a single label."""
    return cs.SGD(ETA * LABELS * scale)


def variant(scale: int) -> str:
    """Label of a scale of the gradient."""
    return f"gradient x {scale}"


def at_figure_time(results: cs.Results, scale: int, column: str) -> pd.DataFrame:
    """A column at t = 1700, or at the end of a shorter run; one row a replication, one column a policy."""
    frame = results.frame
    runs = frame[(frame["variant"] == variant(scale)) & (frame["time"] <= FIGURE_TIME)]
    return runs.groupby(["replication", "policy"])[column].last().unstack("policy")


def advantage(results: cs.Results, scale: int, column: str, over: str = "") -> Interval:
    """A fixed k, the best if none is named, over adaptive-k at t = 1700, by pairs; above 1 adaptive-k pays."""
    values = at_figure_time(results, scale, column)
    fixed = {label: geometric_interval(values[label]).mean for label in POLICIES if label != ADAPTIVE}
    best = over or min(fixed, key=lambda label: float(fixed[label]))
    return geometric_interval(values[best] / values[ADAPTIVE])


def lowest_at(results: cs.Results, scale: int) -> float:
    """When adaptive-k's mean log-loss is first within 5 % of its lowest."""
    curves = results.on_grid("loss")
    curve = curves[(curves["variant"] == variant(scale)) & (curves["policy"] == ADAPTIVE)]
    return float(curve["time"][curve["mean"] <= 1.05 * curve["mean"].min()].iloc[0])


def verdict_by_scale(results: cs.Results) -> Figure:
    """How the verdict turns with the scale of the gradient: what each policy has reached at t = 1700, 95 % bands."""
    figure = Figure(figsize=(8.0, 3.8), layout="constrained")
    shown = min(FIGURE_TIME, results.frame["time"].max())  # a quick look ends before
    for axes, column, title in zip(
        figure.subplots(1, 2), ("loss", "error"), ("log-loss (eq. 8)", "error F(w) - F*, ridge included"), strict=True
    ):
        values = {scale: at_figure_time(results, scale, column) for scale in SCALES}
        for label, colour in zip(POLICIES, COLOURS, strict=True):
            bands = [geometric_interval(values[scale][label]) for scale in SCALES]
            width = 2.2 if label == ADAPTIVE else 1.3
            axes.plot(SCALES, [band.mean for band in bands], "o-", color=colour, label=label, linewidth=width)
            low, high = [float(band.low) for band in bands], [float(band.high) for band in bands]
            axes.fill_between(SCALES, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set(xscale="log", yscale="log", xlabel="scale of the gradient")
        axes.set_xticks(SCALES, [str(scale) for scale in SCALES])
        axes.minorticks_off()
        axes.set_title(f"{title} at t = {shown:.0f}", loc="left", fontsize="medium")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    figure.axes[0].legend(frameon=False)
    return figure


study = cs.Study(
    name="adaptive-mnist",
    problem=problem,
    cluster=cs.Cluster(workers=20, compute=cs.Exponential(mean=50.0)),
    optimizer=optimizer(10),
    policies=POLICIES,
    variants={variant(scale): {"optimizer": optimizer(scale)} for scale in SCALES},
    until=cs.Until(time=2500.0),
    replications=10,
    evaluate_every=5,
    metric="loss",
    claims=[
        cs.Claim("scale 10: adaptive-k's log-loss is lowest near t = 1700 (within 5 %)",
                 lambda results: lowest_at(results, 10), low=1400.0, high=2200.0),
        cs.Claim("scale 1: k = 2 stays ahead in log-loss at t = 1700 (k = 2 / adaptive, upper end)",
                 lambda results: float(advantage(results, 1, "loss", "k = 2").high), high=1.0),
        cs.Claim("scale 4: k = 2 stays ahead in log-loss at t = 1700 (k = 2 / adaptive, upper end)",
                 lambda results: float(advantage(results, 4, "loss", "k = 2").high), high=1.0),
        cs.Claim("scale 20: adaptive-k is ahead in log-loss at t = 1700 (best fixed / adaptive, lower end)",
                 lambda results: float(advantage(results, 20, "loss").low), low=1.0),
    ],
    figures={"verdict-by-scale": verdict_by_scale},
    notes="The paper does not say how the gradient is scaled. With the mean over the rows (x 1) and the sum over a "
    "worker's rows (x 4) the 80 images are fitted closely before k = 2 meets a floor, and adaptive-k only loses time. "
    "Where steps are so large that k = 2 and k = 4 settle at a visible floor (x 20), adaptive-k pays: it is 4 to 11 % "
    "ahead of the best fixed k in log-loss at t = 1700 (in F - F*, ridge included, it ties with it), and Fig. 6 comes "
    "out as printed. x 10 is nearest to Fig. 5 in time. At x 80 (the sum over all rows) no k stays low. So adaptive-k "
    "pays when the floor of a small k lies above the error that you need, and is reached well before your deadline.",
)  # fmt: skip

if __name__ == "__main__":
    cs.main(study)
