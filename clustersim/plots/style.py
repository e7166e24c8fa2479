"""The style of figures: colours, dashes and markers of policies, sizes of text, matplotlib settings.

Width and style come in from the user as a `Look`. Settings for matplotlib go out.
"""

import itertools
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.font_manager import FontProperties

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.plots.selection import listed
from clustersim.studies import Results
from clustersim.studies.display_text import printable

__all__ = ["COLOURS", "DASHES", "MARKERS", "STYLE", "Look", "curve_style", "shortened", "style_at"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")  # after Okabe and Ito
GREYS = ("#000000", "#7A7A7A", "#404040", "#A0A0A0")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), (0, (8, 1.5, 1, 1.5, 1, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")  # as many as no other cycle divides
PINNED: dict[Any, Any] = {
    "pdf.fonttype": 42,  # TrueType, embedded; publishers refuse the default, Type 3
    "svg.fonttype": "path",  # outlines, so that it looks the same without the font
    "svg.hashsalt": "clustersim",
    "savefig.bbox": None,  # a tight box would change the width
}
STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.labelsize": 9, "axes.titlesize": 10, "legend.fontsize": 8.5,
    "xtick.labelsize": 9, "ytick.labelsize": 9, "lines.markersize": 4.5, "figure.titlesize": 7.5,
    "axes.grid": True, "grid.alpha": 0.3, "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "hatch.linewidth": 0.5, **PINNED,
}  # fmt: skip
_PAPER: dict[Any, Any] = {
    "font.size": 7.5, "axes.labelsize": 7.5, "axes.titlesize": 8, "legend.fontsize": 7.5,
    "xtick.labelsize": 7, "ytick.labelsize": 7, "lines.markersize": 3.2, "figure.titlesize": 7,
    "axes.linewidth": 0.6, "grid.linewidth": 0.4, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4, "ytick.minor.width": 0.4, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5, "ytick.minor.size": 1.5, "xtick.major.pad": 2.5, "ytick.major.pad": 2.5,
    "axes.labelpad": 2.5, "axes.titlepad": 3.0,
}  # fmt: skip
_STYLES: dict[str, dict[Any, Any]] = {
    "colour": {},
    "grey": {"image.cmap": "gray"},
    "serif": {"font.family": ["STIXGeneral", "DejaVu Serif"], "mathtext.fontset": "stix"},
}
_COLOURS = {"colour": COLOURS, "grey": GREYS}
_NARROWEST, _WIDEST = 2.0, 40.0  # inches


@dataclass(frozen=True)
class Look:
    """How a figure looks.

    Attributes
    ----------
    width : float or None
        The width in inches; None for a size that suits a screen.
    titles, notes : bool
        Whether the name of the study and its notes are in the figure.
    style : tuple of str
        Names of styles; later ones override earlier ones.
    """

    width: float | None = None
    titles: bool = False
    notes: bool = False
    style: tuple[str, ...] = ("colour",)

    @classmethod
    def of(
        cls,
        width: float | None = None,
        titles: bool = False,
        notes: bool = False,
        style: str | Iterable[str] = "colour",
    ) -> "Look":
        """Check what a user has chosen.

        Raises
        ------
        ConfigurationError
            If the width is not between 2 and 40 inches, or a style is unknown or cannot be read.
        """
        if width is not None:
            width = number("width", width, low=_NARROWEST, high=_WIDEST, remedy="give inches, such as 3.5 for a column")
        names = tuple(listed("style", style))
        look = cls(width, bool(titles), bool(notes), names)
        for name in names:
            _settings(name)
        return look

    @property
    def settings(self) -> dict[Any, Any]:
        """Settings of matplotlib, for `matplotlib.rc_context`."""
        settings = STYLE | (_PAPER if self.width is not None else {})
        for name in self.style:
            settings |= _settings(name)
        return settings | PINNED

    @property
    def colours(self) -> tuple[str, ...]:
        """The colours of the policies: those of the last style that has any."""
        for name in reversed(self.style):
            if name in _COLOURS:
                return _COLOURS[name]
            if cycle := _settings(name).get("axes.prop_cycle"):
                return tuple(cycle.by_key().get("color", COLOURS))
        return COLOURS

    @property
    def thin(self) -> bool:
        """Whether lines are thin, as in a paper."""
        return self.width is not None

    def size(self, name: str) -> float:
        """Return the size of a kind of text, in points: ``axes.label``, ``legend.font`` or ``figure.title``."""
        with mpl.rc_context(self.settings):
            return float(FontProperties(size=self.settings[f"{name}size"]).get_size_in_points())


def _settings(name: Any) -> dict[Any, Any]:
    """Return the settings of a style: one of ours, one of matplotlib's, or a file."""
    if isinstance(name, str) and name in _STYLES:
        return _STYLES[name]
    import matplotlib.style  # noqa: PLC0415 - it reads thirty files

    if isinstance(name, str) and name in matplotlib.style.library:
        return _with_family(matplotlib.style.library[name])
    if isinstance(name, str | Path) and str(name).endswith(".mplstyle"):
        try:
            return _with_family(mpl.rc_params_from_file(name, use_default_template=False))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"style = {str(name)!r}: it cannot be read: {error}") from error
    raise ConfigurationError(
        f"style = {reprlib.repr(name)}: expected 'colour', 'grey', 'serif', the name of a style of matplotlib, or the "
        "path of a file that ends with .mplstyle"
    )


def _with_family(sheet: Mapping[Any, Any]) -> dict[Any, Any]:
    """Name the fonts of a family, because text keeps its settings until it is drawn, but not the lists of families."""
    settings = dict(sheet)
    families = settings.get("font.family", ())
    fonts = [settings.get(f"font.{family}", [family]) for family in families]
    return settings | ({"font.family": [*itertools.chain(*fonts)]} if fonts else {})


def curve_style(results: Results, policy: str, look: Look | None = None) -> dict[str, Any]:
    """Return colour, dashes, marker and line width of a policy, the same in every panel and figure.

    Dashes and markers differ too, so that grey print tells policies apart. Curves that are drawn later are thinner, so
    that a curve does not hide an earlier one that it coincides with.
    """
    return style_at(results.policies.index(policy), len(results.policies), look or Look())


def style_at(place: int, count: int, look: Look) -> dict[str, Any]:
    """Return the style of one of several curves, as `curve_style` does."""
    width = 2.2 - 0.8 * place / max(1, count - 1)
    colours = look.colours
    return {
        "color": colours[place % len(colours)],
        "linestyle": DASHES[place % len(DASHES)],
        "marker": MARKERS[place % len(MARKERS)],
        "linewidth": width * (0.6 if look.thin else 1.0),
        "markeredgewidth": 0.4,
        "markeredgecolor": "white",
    }


def shortened(text: str, most: int) -> str:
    """Return a text as one printable line of at most `most` characters; a longer text loses its middle.

    Examples
    --------
    >>> shortened("a very long label, k = 4", 15)
    'a very …, k = 4'
    """
    line = printable(text).replace("\n", " ")
    kept = (most - 1) // 2
    return line if len(line) <= most else f"{line[:kept]}…{line[kept + 1 - most :]}"
