"""The commands for stored results: `compare` and `plot`."""

from typing import Annotated

import typer

import clustersim
from clustersim.cli.errors import plain_errors, raise_all
from clustersim.cli.options import Baseline, Folder, Metric, Pictures, ScriptOfResults, Target
from clustersim.comparison_export import TableFormat, exported
from clustersim.scripts import find_script, load_study, shipped_study
from clustersim.studies import load_results
from clustersim.studies.pictures import Format
from clustersim.tables import console_for_tables, print_comparison, print_missing, print_notes, print_paths
from clustersim.terminal import PlainConsole

__all__ = ["compare", "plot"]


def compare(
    folder: Folder,
    target: Target = None,
    metric: Metric = None,
    baseline: Baseline = None,
    format_: Annotated[
        TableFormat,
        typer.Option(
            "--format",
            help="A table to read, every column as CSV, or a table for LaTeX (booktabs) or Markdown.",
        ),
    ] = TableFormat.TABLE,
) -> None:
    """Compare the policies of a stored study: time, vectors and bytes to reach a target, with 95 % intervals.

    Medians are printed. A run that ends before the target counts as one that needs more than it had spent. Ratios to
    the baseline are taken replication by replication, and verdicts are corrected for their number.

    The study may be unfinished; the comparison then covers the stored runs.

    Examples: clustersim compare results/adaptive-mnist --target 0.05 --metric loss; clustersim compare
    results/adaptive-mnist --format latex > table.tex
    """
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


def plot(
    folder: Folder,
    format_: Pictures = Format.PNG,
    script: ScriptOfResults = None,
) -> None:
    """Draw the figures of a stored study into DIR/figures: the standard figures and those of its script.

    The stored runs are used; nothing is simulated again.

    Examples: clustersim plot results/adaptive-mnist --format pdf; clustersim plot results/mine --script my_script.py
    """
    with plain_errors():
        results = load_results(folder)
        study = shipped_study(results) if script is None else load_study(find_script(script))
        failures: list[str] = []
        paths = clustersim.plots.draw(
            results, folder / "figures", format_, study.figures if study else None, failures=failures
        )
        console = console_for_tables()
        print_missing(console, results)
        print_paths(console, paths)
        if study is None:
            console.print(
                "These are the standard figures. To draw those of the study's script too, add --script SCRIPT."
            )
        raise_all(failures)
