"""Labels and ticks of axes: units, millions in place of "1e6", and plain decimals on logarithmic axes.

The largest number of an axis comes in. A label and a formatter of ticks go out, which agree on the unit.
"""

import itertools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, LogFormatterSciNotation, MaxNLocator

from clustersim.plots.style import shortened

__all__ = ["LABELLED", "LABELS", "LARGEST", "PLAIN", "SMALLEST", "Unit", "fitted", "label", "logarithmic", "ticked"]

LABELS = {
    "time": "wall-clock time",
    "error": r"error $F(w) - F^*$",
    "loss": "loss on the training rows",
    "distance": r"distance $\|w - w^*\|_2$",
    "test_auc": "AUC on the test rows",
    "messages": "uplink + downlink messages",
    "uplink_vectors": "uplink",
    "vectors": "uplink + downlink",
    "uplink_bytes": "uplink",
    "bytes": "uplink + downlink",
    "compute_wasted": "compute time wasted",
}
UNITS = {
    "time": ("s", "seconds"),
    "uplink_vectors": (r"vectors of $\mathbb{R}^d$", "vectors"),
    "vectors": (r"vectors of $\mathbb{R}^d$", "vectors"),
    "uplink_bytes": ("bytes", "bytes"),
    "bytes": ("bytes", "bytes"),
    "compute_wasted": ("worker-seconds", "worker-seconds"),
}
LABELLED = frozenset(LABELS)
_WORDS = {3: "thousands", 6: "millions", 9: "billions", -3: "thousandths", -6: "millionths", -9: "billionths"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGE, PLAIN = 1e5, 1e-2  # between them, the ticks of an axis are plain numbers
LARGEST, SMALLEST = 1e150, 1e-150  # far from overflow, because matplotlib computes ticks far outside the axes
_DECIMALS = (1e-3, 1e4)  # where logarithmic axes have decimals in place of powers of ten


@dataclass(frozen=True)
class Unit:
    """The power of ten that the ticks of an axis are counted in.

    Attributes
    ----------
    power : int
        A multiple of 3; 0 for plain numbers.
    """

    power: int = 0

    @classmethod
    def of(cls, largest: float) -> "Unit":
        """Choose the unit for an axis by its largest number.

        Examples
        --------
        >>> Unit.of(2000.0).power, Unit.of(3e6).power, Unit.of(2e-5).power
        (0, 6, -6)
        """
        if not SMALLEST <= largest < math.inf or PLAIN <= largest < _LARGE:
            return cls()
        return cls(3 * math.floor(math.log10(largest) / 3))

    @property
    def factor(self) -> float:
        """Return what a tick is divided by."""
        return 10.0**self.power

    def words(self, column: str) -> str:
        """Return what is in parentheses in the label of a column; may be empty."""
        short, long = UNITS.get(column, ("", ""))
        if not self.power:
            return short
        if self.power not in _WORDS:
            return f"10{str(self.power).translate(_RAISED)} {long}".strip()
        return f"{_WORDS[self.power]} of {long}" if long else _WORDS[self.power]


def label(column: str, average: str = "arithmetic", unit: Unit | None = None) -> str:
    r"""Return the label of an axis, with the kind of average unless it is the arithmetic mean of a metric.

    Examples
    --------
    >>> label("time"), label("vectors", unit=Unit(6)), label("loss", "median")
    ('wall-clock time (s)', 'uplink + downlink (millions of vectors)', 'loss on the training rows\nmedian')
    """
    name = LABELS.get(column, shortened(column.replace("_", " "), 60))
    words = (unit or Unit()).words(column)
    usual = " (mean over replications)" if column == "k" else ""
    kind = {"geometric": "\ngeometric mean", "median": "\nmedian"}.get(average, usual)
    return name + (f" ({words})" if words else "") + kind


def fitted(text: str, inches: float, points: float) -> str:
    r"""Break a label before its parenthesis if it is too long for the room that it has.

    Examples
    --------
    >>> fitted("uplink + downlink (millions of vectors)", 1.2, 7.5)
    'uplink + downlink\n(millions of vectors)'
    """
    plain = re.sub(r"\\[a-z]+|[${}^_\\]", "", text)
    if "\n" in text or len(plain) * 0.53 * points / 72.0 <= inches:
        return text
    before, found, after = text.partition(" (")
    return f"{before}\n({after}" if found else text


class _Counted(Formatter):
    """Ticks in a unit, with as many decimals as their distances need."""

    def __init__(self, unit: Unit) -> None:
        self._factor = unit.factor

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Format a single number."""
        return f"{x / self._factor:g}" if pos is None else self.format_ticks([x])[0]

    def format_ticks(self, values: Iterable[float]) -> list[str]:
        """Format all ticks of an axis."""
        ticks = [value / self._factor for value in values]
        gaps = [high - low for low, high in itertools.pairwise(sorted(ticks)) if high > low]
        decimals = _decimals(min(gaps)) if gaps else 0
        return [_number(tick, decimals) for tick in ticks]


def _decimals(step: float) -> int:
    """Return how many decimals tell multiples of a step apart."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    scaled = step * 10.0**decimals
    return min(15, decimals + (abs(round(scaled) - scaled) > 1e-3))


def _number(tick: float, decimals: int) -> str:
    """Write a number with a minus sign, if it is not 0."""
    text = f"{tick:.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}" if text.strip("-0.") else "")


class _PlainLog(LogFormatterSciNotation):
    """Ticks of a logarithmic axis: 0.2 and 50 in place of powers of ten, if the numbers are short."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Format a tick; empty where there is no room for one."""
        text = str(super().__call__(x, pos))
        low, high = sorted(self.axis.get_view_interval()) if self.axis is not None else (x, x)
        return f"{x:g}" if text and _DECIMALS[0] <= low and high <= _DECIMALS[1] else text


def ticked(axis: Axis, unit: Unit, most: int = 6, *, whole: bool = False) -> None:
    """Set the ticks of a linear axis, in a unit."""
    steps = [1, 2, 5, 10] if whole else [1, 2, 2.5, 5, 10]
    axis.set_major_locator(MaxNLocator(nbins=most, integer=whole, steps=steps))
    axis.set_major_formatter(_Counted(unit))


def logarithmic(axis: Axis) -> None:
    """Set the format of the ticks of a logarithmic axis."""
    axis.set_major_formatter(_PlainLog())
    axis.set_minor_formatter(_PlainLog(minor_thresholds=(1.7, 0.5)))
