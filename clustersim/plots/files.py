"""Figure files: drawing the figures of a study and writing them as PNG, PDF or SVG.

The same results give the same bytes. Each figure has a name of its own. A file is complete or does not exist.
"""

import io
import reprlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from clustersim.checks import choice
from clustersim.errors import ConfigurationError
from clustersim.plots.selection import listed
from clustersim.plots.standard import not_drawn, standard_figures
from clustersim.plots.style import STYLE
from clustersim.studies import Results
from clustersim.studies.arguments import expect, labelled
from clustersim.studies.files import write_atomically
from clustersim.studies.formats import Format
from clustersim.studies.pictures import Origin, own_names
from clustersim.studies.signals import Stopped
from clustersim.studies.user_code import describe_error

__all__ = ["Format", "draw", "picture", "save"]

MOST_DOTS = 30_000  # along either side; the libraries that matplotlib uses allow at most 65,536


def picture(sheet: Figure, kind: str = "png", *, about: str = "") -> bytes:
    """Return a figure as the bytes of a file: PNG at 160 dots per inch, PDF or SVG, without dates.

    Parameters
    ----------
    sheet : Figure
        The figure.
    kind : {"png", "pdf", "svg"}
        The format.
    about : str, optional
        A line for the metadata of the file, as its description.

    Raises
    ------
    ConfigurationError
        If `sheet` is not a figure or the kind is unknown.
    """
    expect("sheet", sheet, Figure)
    choice("format", kind, tuple(Format))
    fields: dict[str, dict[str, str | None]] = {
        "png": {"Description": about or None},
        "pdf": {"CreationDate": None, "Subject": about or None},
        "svg": {"Date": None, "Description": about or None},
    }
    metadata = {key: value for key, value in fields[kind].items() if value is not None or key.endswith("Date")}
    sink = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing from"
        )  # a box is drawn instead, and the tables show the character
        dots = min(160.0, MOST_DOTS / float(max(sheet.get_size_inches())))
        with _laid_out(sheet, dots) if kind == "png" else nullcontext():
            sheet.savefig(sink, format=str(kind), dpi=dots, metadata=metadata)
    return sink.getvalue()


@contextmanager
def _laid_out(sheet: Figure, dots: float) -> Iterator[None]:
    """Lay a figure out before it is drawn; matplotlib would draw it twice, once only to lay it out."""
    engine, before = sheet.get_layout_engine(), sheet.dpi
    if engine is None:
        yield
        return
    sheet.set_dpi(dots)
    try:
        engine.execute(sheet)
        sheet.set_layout_engine("none")
        yield
    finally:
        sheet.set_layout_engine(engine)
        sheet.set_dpi(before)


def save(sheet: Figure, path: str | Path) -> Path:
    """Write a figure to a file; its ending gives the format. The file is complete or does not exist.

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
        If `sheet` is not a figure, or `path` is not a path or has another ending.
    ResultsError
        If the file cannot be written.
    """
    file = _path("path", path)
    kind = file.suffix[1:].lower()
    if kind not in set(Format):
        raise ConfigurationError(f"path = {str(file)!r}: expected a file name that ends with .png, .pdf or .svg")
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
    left_out: list[str] | None = None,
    policies: Iterable[str] | None = None,
    variants: Iterable[str] | None = None,
    x: str | Iterable[str] | None = None,
    y: str | Iterable[str] | None = None,
    width: float | None = None,
    titles: bool = False,
    notes: bool = False,
    style: str | Iterable[str] = "colour",
) -> list[Path]:
    """Draw and write the standard figures of a study and its own figures.

    No two files get the same name, and a study's own figure never replaces a standard one. Outdated files are removed:
    those that were drawn for the same study from other results and that are not drawn now. If `extra` is given, files
    in the same format that are no longer drawn are removed too. All other files stay as they are.

    Parameters
    ----------
    results : Results
        The results of a study.
    folder : str or Path
        The folder for the files.
    kind : {"png", "pdf", "svg"}
        The format.
    extra : mapping of str to callable, optional
        Functions of the results that draw the study's own figures, by file name; an empty mapping means that the study
        has none.
    average : {"auto", "arithmetic", "geometric", "median"}, default "auto"
        The kind of average over the replications in the standard figures, as in `figure`.
    failures : list of str, optional
        If given, the error messages of the study's own figures that fail are appended to it, and the other figures are
        still drawn. Otherwise the first failure raises an error.
    left_out : list of str, optional
        If given, sentences about what is left out of the figures of a large study are appended to it.
    policies, variants, x, y, width, titles, notes, style
        What the standard figures show, and how, as in `standard_figures`. The study's own figures show what their
        functions draw, in the size that these give them.

    Returns
    -------
    list of Path
        The files, in the order in which they were drawn.

    Raises
    ------
    ConfigurationError
        If an argument is unusable or one of the study's own figures fails.
    ResultsError
        If a file cannot be written.
    """
    expect("results", results, Results)
    place = _path("folder", folder)
    choice("format", kind, tuple(Format))
    own = labelled("extra", {} if extra is None else extra, empty=True)
    shown: dict[str, Any] = {"policies": policies, "variants": variants, "x": x, "y": y}
    shown = {name: value if value is None else listed(name, value) for name, value in shown.items()}
    looks: dict[str, Any] = {"width": width, "titles": titles, "notes": notes, "style": style}
    standard, origin = standard_figures(results, average=average, **shown, **looks), Origin.of(results)
    if left_out is not None:
        left_out += not_drawn(results, **shown)
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
    """Draw and write one of a study's own figures; if it fails, remove an earlier file of it."""
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
        raise ConfigurationError(f"figure {label!r} failed: {describe_error(error)}") from error
    write_atomically(path, content)
    return path


def _written(sheet: Figure, path: Path, kind: str, origin: Origin) -> Path:
    write_atomically(path, picture(sheet, kind, about=origin.mark(path.stem)))
    return path


def _path(name: str, value: Any) -> Path:
    if not isinstance(value, str | Path):
        raise ConfigurationError(f"{name} = {reprlib.repr(value)}: expected a path, as a str or a pathlib.Path")
    return Path(value)
