"""Reports: the results of a study as one HTML page that can be sent, with interactive charts.

The page holds everything that it needs, so it opens from a file and without a network. Its Content-Security-Policy
forbids it to load anything or to run any script but its own. Texts of users are escaped. The same results give the same
bytes.

Data flows: results folder, script, tuning -> `Facts` -> sections -> page. Sections are HTML and boards; a board is a
group of charts with the controls that they share.

============  ================================================================
file          contents
============  ================================================================
`write`       `report`: from results or a results folder to a file
`facts`       `Facts`: everything that a report tells about
`page`        the sections in their order, in one page
`markup`      pieces of HTML: paragraphs, tables, sections
`boards`      charts and their controls as HTML and JSON
`curves`      the metrics against time and communication
`maps`        a sweep as a heat map
`sentences`   the outcome in plain words
`settings`    what was run, from the manifest, in readable form
`comparison`  the comparison and the claims as tables
`timelines`   the first updates of a run as pictures
`tunings`     what `clustersim tune` tried and picked
`commands`    how to reproduce the report
`library`     plotly, which is an optional dependency
`page.css`    the style of the page
`page.js`     what draws the charts and follows the controls
============  ================================================================
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clustersim.studies import Results, Study

__all__ = ["report"]


def report(
    results: "Results | str | Path",
    path: str | Path,
    *,
    target: float | None = None,
    metric: str | None = None,
    baseline: str | None = None,
    study: "Study | None" = None,
    tuned: str | Path | None = None,
    script: str = "",
) -> Path:
    """Write a report of a study: one HTML page with interactive charts, which needs no network.

    It needs plotly: ``pip install 'clustersim[report]'``.

    Parameters
    ----------
    results : Results, str or Path
        A results folder. `Results` do as well; then the report cannot say with which settings they were made.
    path : str or Path
        The file to write, such as ``"report.html"``.
    target, metric, baseline
        What the policies are compared by, as for `clustersim.compare`.
    study : Study, optional
        The study that made the results. With it, the report checks the study's claims and shows timelines.
    tuned : str or Path, optional
        The folder that ``clustersim tune`` has made, to show what it tried and picked.
    script : str, optional
        The script of the study, or the name of a scenario, for the commands that reproduce the results.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigurationError
        If plotly is not installed, or an argument is unusable.
    ResultsError
        If the folder contains no results, or the file cannot be written.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.report("no/such/folder", "report.html")
    Traceback (most recent call last):
        ...
    clustersim.errors.ResultsError: no/such/folder: there is no such folder
    """
    from clustersim.reports.write import write_report  # noqa: PLC0415 - plots load slowly, and plotly is optional

    return write_report(
        results, path, target=target, metric=metric, baseline=baseline, study=study, tuned=tuned, script=script
    )
