"""Figures of the adaptive-k scenarios: switching times, errors by scale of the gradient, and what theory predicts.

Kas Hanna et al., "Adaptive stochastic gradient descent for fast and communication-efficient distributed learning",
2022. Results and times that the scripts have computed come in; Matplotlib figures go out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from _drawing import band, tidy
from matplotlib.figure import Figure
from numpy.typing import NDArray

import clustersim as cs
from clustersim.studies.statistics import geometric_interval

ADAPTIVE = "adaptive k"  # label of the policy
Times = NDArray[np.float64]


def switches(results: cs.Results, ks: Sequence[int]) -> pd.DataFrame:
    """When adaptive k was first seen at each k, seconds; one row for each replication, one column for each k."""
    frame = results.frame
    adaptive = frame[frame["policy"] == ADAPTIVE]
    return pd.DataFrame({k: adaptive[adaptive["k"] >= k].groupby("replication")["time"].min() for k in ks})


def switching_times(results: cs.Results, ks: Sequence[int]) -> Figure:
    """Draw the switching times to each k: one dot for each replication, a bar at the median."""
    times = switches(results, ks)
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.add_subplot()
    for row, k in enumerate(ks):
        if times[k].isna().all():
            axes.text(0.02, row, "never", transform=axes.get_yaxis_transform(), va="center", color="0.4")
        axes.plot(times[k], row + np.linspace(-0.15, 0.15, len(times)), "o", color="#0072b2", alpha=0.7, markersize=5)
        axes.plot([times[k].median()] * 2, [row - 0.3, row + 0.3], color="black", linewidth=1.5)
    axes.set_yticks(range(len(ks)), [f"k = {k}" for k in ks])
    axes.set_xlabel("wall-clock time of the switch (s)")
    axes.set_title(f"Switches of adaptive k, {len(times)} replications (bar: median)", loc="left")
    axes.set_xlim(0.0, 1.05 * float(np.nanmax(times)) if times.notna().any(axis=None) else 1.0)
    tidy(axes, grid=None)
    return figure


def reached_by_scale(
    panels: Mapping[str, Sequence[pd.DataFrame]], scales: Sequence[float], labels: Sequence[str]
) -> Figure:
    """Draw what each policy has reached against the scale of the gradient: geometric means with 95 % bands.

    Parameters
    ----------
    panels : mapping of str to sequence of pandas.DataFrame
        For each panel, by its title, one table for each scale: one row a replication, one column a policy.
    scales : sequence of float
        The scales of the gradient.
    labels : sequence of str
        The policies; the last one is drawn in bold.
    """
    figure = Figure(figsize=(8.0, 3.8), layout="constrained")
    for axes, (title, tables) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for label, colour in zip(labels, ("#0072b2", "#d55e00", "#009e73", "black"), strict=True):
            interval = geometric_interval(np.column_stack([table[label] for table in tables]))._asdict()
            band(axes, scales, interval, colour, "o-", label=label, linewidth=2.2 if label == labels[-1] else 1.3)
        axes.set(xscale="log", yscale="log", xlabel="scale of the gradient")
        axes.set_xticks(scales, [f"{scale:g}" for scale in scales])
        axes.minorticks_off()
        axes.set_title(title, loc="left", fontsize="medium")
        tidy(axes)
    figure.axes[0].legend(frameon=False)
    return figure


def bounds(
    results: cs.Results, bound: Callable[[str, Any], Any], labels: Sequence[str], crossings: Times, end: float
) -> Figure:
    """Draw Fig. 1: the bound of each policy, and the mean simulated error below it.

    Parameters
    ----------
    results : Results
        The runs.
    bound : callable
        Takes the label of a policy and times in seconds, and returns the bounds on its expected error.
    labels : sequence of str
        The policies; the last one is drawn in bold.
    crossings : ndarray, shape (n - 1,)
        When the best fixed k changes, seconds.
    end : float
        Where the time axis ends, seconds.
    """
    means = results.on_grid("error", average="arithmetic").groupby("policy")  # the bounds are on the expected error
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    t = np.linspace(0.0, end, 1600)
    for label, colour in zip(labels, ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "black"), strict=True):
        simulated = means.get_group(label)
        axes.plot(t, bound(label, t), color=colour, linewidth=2 if label == labels[-1] else 1.5, label=label)
        axes.plot(simulated["time"], simulated["mean"], ":", color=colour, linewidth=1)
    axes.plot([], [], ":", color="0.4", linewidth=1, label="simulated, arithmetic mean")
    for crossing in crossings:
        axes.axvline(crossing, color="0.8", linewidth=0.8, zorder=0)
    axes.set(yscale="log", xlabel="wall-clock time (s)", ylabel="error and its bound (Lemma 1)")
    axes.set(xlim=(0.0, end), ylim=(1e-7, 300.0))  # with all five workers the error falls without limit
    axes.set_title("Fig. 1: grey lines mark where the best fixed k changes", loc="left", fontsize="medium")
    axes.legend(frameon=False)
    tidy(axes, grid=None)
    return figure


def best_k(crossings: Times, theorem: Times, misprint: float, end: float) -> Figure:
    """Draw Fig. 2: the k that minimises the bound, fixed from the start or switched at Theorem 1's times.

    Parameters
    ----------
    crossings, theorem : ndarray, shape (n - 1,)
        When the best fixed k changes, and when Theorem 1 switches, seconds.
    misprint : float
        The first switch in the paper's Fig. 2b, seconds.
    end : float
        Where the time axis ends, seconds.
    """
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes, n = figure.add_subplot(), len(crossings) + 1
    for times, style, label in ((crossings, "--", "best fixed k"), (theorem, "-", "Theorem 1")):
        axes.step([0.0, *times, end], [1, *range(2, n + 1), n], style, where="post", color="black", label=label)
        for k, time in enumerate(times, start=1):
            axes.text(time - 30, k + 1.05, f"{time:.1f}", ha="right", fontsize=8)
    axes.plot([misprint], [1.5], "x", color="#d55e00")
    axes.annotate(
        f"Fig. 2b's first switch, {misprint:.0f}:\nηLσ² ten times too small in the logarithms",
        (misprint, 1.5), xytext=(1300.0, 1.35), fontsize=8, color="#d55e00",
    )  # fmt: skip
    axes.set(xlabel="wall-clock time (s)", ylabel="k", xlim=(0.0, end), ylim=(0.7, n + 0.6), yticks=range(1, n + 1))
    axes.set_title("Fig. 2: the k that minimises the bound", loc="left", fontsize="medium")
    axes.legend(frameon=False, loc="lower right")
    tidy(axes, grid=None)
    return figure
