"""The commands for stored results: `compare` and `plot`."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

import clustersim
from clustersim.cli.errors import plain_errors, raise_all
from clustersim.cli.option_lists import taking
from clustersim.cli.options import Baseline, Folder, Metric, Pictures, ScriptOfResults, Target, a_number
from clustersim.studies.formats import Format, TableFormat
from clustersim.terminal import PlainConsole, console_for_tables

__all__ = ["compare", "plot"]

_TableFormat = Annotated[
    TableFormat,
    typer.Option("--format", help="A table to read, every column as CSV, or a table for LaTeX (booktabs) or Markdown."),
]
_Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policies", "--policy", metavar="LABEL", help="A policy to show; repeat it for more.  [default: all]"
    ),
]
_Variants = Annotated[
    list[str] | None,
    typer.Option(
        "--variants", "--variant", metavar="LABEL", help="A variant to show; repeat it for more.  [default: all]"
    ),
]
_X = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="Horizontal axis: time, uplink_vectors, vectors, update or another column that never falls; repeat it "
        "for more. With --x or --y, no other figures are drawn.",
    ),
]
_Y = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Vertical axis: error, loss, k or another column; repeat it for more."),
]
_Width = Annotated[
    float | None,
    typer.Option(
        parser=a_number, metavar="INCHES", help="Width, such as 3.5 for a column of a paper; text is 7 to 8 points."
    ),
]
_Style = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STYLE",
        help="colour, grey, serif, a style of matplotlib, or the path of an .mplstyle file; repeat it for more.",
    ),
]
_Titles = Annotated[bool, typer.Option("--titles", help="Put the name of the study into the figures.")]
_Notes = Annotated[bool, typer.Option("--notes", help="Put the notes of the study into the figures.")]


def compare(
    folder: Folder,
    target: Target = None,
    metric: Metric = None,
    baseline: Baseline = None,
    format_: _TableFormat = TableFormat.TABLE,
) -> None:
    """Compare the policies of a stored study: time, vectors and bytes to reach a target, with 95 % intervals.

    Medians are printed. A run that ends before the target counts as one that needs more than it had spent. Ratios to
    the baseline are taken replication by replication, and verdicts are corrected for their number.

    The study may be unfinished; the comparison then covers the stored runs.

    Examples: clustersim compare results/adaptive-mnist --target 0.05 --metric loss; clustersim compare
    results/adaptive-mnist --format latex > table.tex
    """
    from clustersim.comparison_export import exported
    from clustersim.studies import load_results
    from clustersim.tables import print_comparison, print_missing, print_notes

    with plain_errors():
        results = load_results(folder)
        if format_ is not TableFormat.TABLE:
            outcome = clustersim.compare(results, target, metric, baseline=baseline)
            typer.echo(exported(outcome, results, format_), nl=False)
            print_missing(PlainConsole(stderr=True), results)
            return
        console = console_for_tables()
        print_comparison(console, results, target, metric, baseline=baseline)
        print_notes(console, results)


@dataclass(frozen=True)
class PlotOptions:
    """The options of the command `plot` that say what the figures show, and how they look."""

    policies: _Policies = None
    variants: _Variants = None
    x: _X = None
    y: _Y = None
    width: _Width = None
    style: _Style = None
    titles: _Titles = False
    notes: _Notes = False

    @property
    def chosen(self) -> bool:
        """Whether policies, variants or axes were chosen."""
        return any((self.policies, self.variants, self.x, self.y))

    @property
    def given(self) -> dict[str, Any]:
        """The options that were given, by the names that `clustersim.plots.draw` has for them."""
        given = {name: value for name, value in vars(self).items() if value}
        return given if self.width is None else given | {"width": self.width}  # 0 is a bad width, not an absent one


@taking(PlotOptions)
def plot(
    folder: Folder, format_: Pictures = Format.PNG, script: ScriptOfResults = None, *, options: PlotOptions
) -> None:
    """Draw the figures of a stored study into DIR/figures: the standard figures and those of its script.

    The stored runs are used; nothing is simulated again. The figures of the script are left out if you choose policies,
    variants or axes; they have the size and the style that the script gives them.

    Examples: clustersim plot results/adaptive-mnist --format pdf; clustersim plot results/mine --script my_script.py;
    clustersim plot results/mine --y error --x vectors --width 3.5 --policies "k = 1" --policies "k = 4" --format pdf
    """
    from clustersim.scripts import study_of
    from clustersim.studies import load_results
    from clustersim.tables import print_left_out, print_missing, print_paths

    with plain_errors():
        results = load_results(folder)
        study = None if options.chosen and script is None else study_of(results, script)[0]
        failures, left_out = list[str](), list[str]()
        paths = clustersim.plots.draw(
            results, folder / "figures", format_, study.figures if study else None, failures=failures,
            left_out=left_out, **options.given,
        )  # fmt: skip
        console = console_for_tables()
        print_missing(console, results)
        print_paths(console, paths)
        print_left_out(console, left_out)
        if study is None and not options.chosen:
            console.print(
                "These are the standard figures. To draw those of the study's script too, add --script SCRIPT."
            )
        raise_all(failures)
