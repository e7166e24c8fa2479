"""From results to the file of a report."""

import reprlib
from pathlib import Path
from typing import Any

from clustersim.errors import ConfigurationError
from clustersim.reports.facts import Facts, find_tuning, matching_study, stored_versions
from clustersim.reports.library import javascript
from clustersim.reports.page import page
from clustersim.studies import Results, Study, compare, load_results
from clustersim.studies.arguments import expect
from clustersim.studies.files import write_atomically
from clustersim.studies.manifest import Manifest

__all__ = ["write_report"]


def write_report(
    results: Results | str | Path,
    path: str | Path,
    *,
    target: float | None,
    metric: str | None,
    baseline: str | None,
    study: Study | None,
    tuned: str | Path | None,
    script: str,
) -> Path:
    """Do the work of `clustersim.report`."""
    file = Path(_path("path", path))
    folder = None if isinstance(results, Results) else Path(_path("results", results))
    tuning = None if tuned is None else Path(_path("tuned", tuned))
    if study is not None:
        expect("study", study, Study)
    loaded, library = (results if isinstance(results, Results) else load_results(results)), javascript()
    given = {"target": target, "metric": metric, "baseline": baseline}
    facts = Facts(
        loaded,
        compare(loaded, target, metric, baseline=baseline),
        Manifest.read(folder) if folder else None,
        stored_versions(folder) if folder else {},
        study,
        script=script,
        tuned=find_tuning(tuning, folder, loaded),
        options={name: str(value) for name, value in given.items() if value is not None},
    )
    write_atomically(file, page(matching_study(facts), library).encode("utf-8", "backslashreplace"))
    return file


def _path(name: str, value: Any) -> str | Path:
    """Check a path."""
    if not isinstance(value, str | Path) or not str(value):
        raise ConfigurationError(f"{name} = {reprlib.repr(value)}: expected a path, as a str or a pathlib.Path")
    return value
