"""Picture files: the same bytes for the same results, each under a name of its own, complete or not there."""

import io
import reprlib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from clustersim.checks import choice
from clustersim.errors import ConfigurationError
from clustersim.plots.figures import standard_figures
from clustersim.plots.style import STYLE
from clustersim.studies import Results
from clustersim.studies.arguments import expect, labelled
from clustersim.studies.files import write_atomically
from clustersim.studies.pictures import Format, Origin, own_names
from clustersim.studies.signals import Stopped
from clustersim.studies.user_code import tell

__all__ = ["Format", "draw", "picture", "save"]

MOST_DOTS = 30_000  # along either side; the libraries below matplotlib end at 65,536


def picture(sheet: Figure, kind: str = "png", *, about: str = "") -> bytes:
    """A figure as the bytes of a picture file: PNG at 160 dots an inch, PDF or SVG; without dates.

    Parameters
    ----------
    sheet : Figure
        The figure.
    kind : {"png", "pdf", "svg"}
        The format.
    about : str, optional
        A line that the file is to hold unseen, in its description.

    Raises
    ------
    ConfigurationError
        If it is no figure or the kind is unknown.
    """
    expect("sheet", sheet, Figure)
    choice("format", kind, tuple(Format))
    told: dict[str, dict[str, str | None]] = {
        "png": {"Description": about or None},
        "pdf": {"CreationDate": None, "Subject": about or None},
        "svg": {"Date": None, "Description": about or None},
    }
    metadata = {key: value for key, value in told[kind].items() if value is not None or key.endswith("Date")}
    sink = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # it is drawn as a box, and the tables show it
        dots = min(160.0, MOST_DOTS / float(max(sheet.get_size_inches())))
        sheet.savefig(sink, format=str(kind), dpi=dots, metadata=metadata)
    return sink.getvalue()


def save(sheet: Figure, path: str | Path) -> Path:
    """Write a figure to a file whose ending says the format; the file is complete or not there.

    Parameters
    ----------
    sheet : Figure
        The figure.
    path : str or Path
        The file, with the ending .png, .pdf or .svg.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigurationError
        If it is no figure, or the path is none or has another ending.
    ResultsError
        If the disk refuses.
    """
    file = _path("path", path)
    kind = file.suffix[1:].lower()
    if kind not in set(Format):
        raise ConfigurationError(f"path = {str(file)!r}: expected a file that ends with .png, .pdf or .svg")
    write_atomically(file, picture(sheet, kind))
    return file


def draw(
    results: Results,
    folder: str | Path,
    kind: str = "png",
    extra: Mapping[str, Callable[[Results], Figure]] | None = None,
    *,
    average: str = "auto",
    failures: list[str] | None = None,
) -> list[Path]:
    """Draw and write the standard figures and a study's own.

    No two pictures get the same name; a figure of one's own never replaces a standard one. Pictures that were drawn for
    the same study from other results, and that are not drawn now, are removed, lest they be taken for current. If
    `extra` is given, so are those in the same format that are not drawn any more. Other files are left alone.

    Parameters
    ----------
    results : Results
        The runs.
    folder : str or Path
        Where the pictures go.
    kind : {"png", "pdf", "svg"}
        The format.
    extra : mapping of str to callable, optional
        The study's own figures by file name, drawn from the results; an empty mapping says that there are none.
    average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
        Which average over the replications the standard figures draw, as in `figure`.
    failures : list of str, optional
        Takes what went wrong with figures of the study's own, so that the others are drawn; without it the first that
        fails ends all.

    Returns
    -------
    list of Path
        The files, in the order in which they were drawn.

    Raises
    ------
    ConfigurationError
        If an argument is unusable or a figure of one's own fails.
    ResultsError
        If the disk refuses.
    """
    expect("results", results, Results)
    place = _path("folder", folder)
    choice("format", kind, tuple(Format))
    own = labelled("extra", {} if extra is None else extra, empty=True)
    standard, origin = standard_figures(results, average=average), Origin.of(results)
    names = own_names(own, standard)
    origin.remove_stale(place, kind, [*standard, *names.values()], all_named=extra is not None)
    paths = []
    for name, make in standard.items():
        paths.append(_written(make(), place / f"{name}.{kind}", kind, origin))
    for label, function in own.items():
        try:
            paths.append(_drawn(results, label, function, place / f"{names[label]}.{kind}", kind, origin))
        except ConfigurationError as error:
            if failures is None:
                raise
            failures.append(str(error))
    return paths


def _drawn(
    results: Results, label: str, own: Callable[[Results], Figure], path: Path, kind: str, origin: Origin
) -> Path:
    """Draw one of a study's own figures; if it fails, an earlier picture of it does not stay."""
    try:
        if not callable(own):
            raise ConfigurationError(f"it is {reprlib.repr(own)}; expected a function of the results")
        sheet: Any = own(results)
        if not isinstance(sheet, Figure):
            raise ConfigurationError(f"it returned {reprlib.repr(sheet)}; expected a matplotlib Figure")
        content = picture(sheet, kind, about=origin.mark(path.stem))
    except Stopped:
        raise
    except (Exception, SystemExit) as error:
        origin.remove(path)
        raise ConfigurationError(f"figure {label!r} failed: {tell(error)}") from error
    write_atomically(path, content)
    return path


def _written(sheet: Figure, path: Path, kind: str, origin: Origin) -> Path:
    write_atomically(path, picture(sheet, kind, about=origin.mark(path.stem)))
    return path


def _path(name: str, value: Any) -> Path:
    if not isinstance(value, str | Path):
        raise ConfigurationError(f"{name} = {reprlib.repr(value)}: expected a path, as a text or a pathlib.Path")
    return Path(value)
