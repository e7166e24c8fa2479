"""The results folder: one manifest, one Parquet file per finished run, one JSON file per failed run.

    OUT/manifest.json                       what was run: configuration, seed, labels in order, versions, notes
    OUT/runs/<label>-<hash>-r0000.parquet   a finished run (`clustersim.studies.runfile`)
    OUT/messages/<label>-<hash>-r0000.parquet  its message table, on request (`clustersim.studies.messagefile`)
    OUT/failures/<label>-<hash>-r0000.json  a failed run and the reason (`clustersim.studies.failures`)
    OUT/figures/                            figures (`clustersim.plots`)
    OUT/.lock                               locked by the study that is running

A file appears under its name only when it is complete, and contains a checksum of its content. No file says when or
where it was written, so the same study and seed give the same bytes. `clustersim.studies.study` writes and reads the
folder; `clustersim.studies.results` is made from it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clustersim.engine import Run
from clustersim.errors import FailedRunsError, ResultsError
from clustersim.studies.failures import Failure
from clustersim.studies.files import is_vacant, read_bytes, read_text, slug, sweep, write_atomically
from clustersim.studies.jobs import Outcome
from clustersim.studies.lock import locked
from clustersim.studies.manifest import Manifest
from clustersim.studies.messagefile import decode_messages
from clustersim.studies.results import FAILURE_COLUMNS, KEYS, Results, RunKey
from clustersim.studies.runfile import StoredRun, decode
from clustersim.studies.sweeps import with_swept

__all__ = ["Store", "load_results", "load_run"]


class Store:
    """A results folder or, without a folder, the same in memory.

    Parameters
    ----------
    folder : Path or None
        The folder; None to keep everything in memory.
    manifest : Manifest
        The description of the study.
    """

    def __init__(self, folder: Path | None, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._runs: dict[RunKey, StoredRun] = {}
        self._failures: dict[RunKey, Failure] = {}

    @classmethod
    def join(cls, folder: Path | None, manifest: Manifest) -> "Store":
        """Combine a study that is to be run with the results in a folder; nothing is written yet.

        Raises
        ------
        ResultsError
            If the folder belongs to another configuration, or clustersim did not make it.
        """
        if folder is None:
            return cls(None, manifest)
        if folder.exists() and not folder.is_dir():
            raise ResultsError(f"{folder} is a file; choose a folder with --out")
        if os.path.lexists(folder / "manifest.json"):
            stored = cls.open(folder)
            finished = (key for key in stored.manifest.runs() if os.path.lexists(stored.path(key)))
            return cls(folder, manifest.merged(stored.manifest.only(finished), folder))
        if not is_vacant(folder):
            raise ResultsError(
                f"{folder} is not empty and contains no manifest.json, so clustersim did not make it; choose "
                "another folder with --out"
            )
        return cls(folder, manifest)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open a folder for reading; raise `ResultsError` if there are no results in it."""
        return cls(folder, Manifest.read(folder))

    @contextmanager
    def exclusive(self, *, changing: bool) -> Iterator["Store"]:
        """Lock the folder, write the manifest, and yield the store with the present content of the folder.

        If nothing will be added, the folder is neither locked nor written. So a finished study can be read from a disk
        that is read-only.

        Parameters
        ----------
        changing : bool
            Whether runs will be added.

        Raises
        ------
        ResultsError
            If another study is running in the folder, or the folder cannot be written.
        """
        if self.folder is None or not (changing or self._manifest_differs()):
            yield self
            return
        with locked(self.folder):
            store = self.join(self.folder, self.manifest)  # again, because another study may have written meanwhile
            if store.manifest == self.manifest:
                store._runs, store._failures = self._runs, self._failures  # checked a moment ago
            sweep(self.folder)
            if store._manifest_differs():
                write_atomically(self.folder / "manifest.json", store.manifest.text().encode())
            yield store

    def _manifest_differs(self) -> bool:
        """Return whether the manifest in the folder is missing or different."""
        folder = self.folder or Path()
        return not os.path.lexists(folder / "manifest.json") or not Manifest.read(folder).agrees(self.manifest)

    def path(self, key: RunKey) -> Path:
        """Return the file of a finished run; a hash of the labels distinguishes labels with equal file names."""
        labels = " ".join(filter(None, key[:2]))
        mark = hashlib.sha256(json.dumps(key[:2]).encode()).hexdigest()[:8]
        return (self.folder or Path()) / "runs" / f"{slug(labels)}-{mark}-r{key.replication:04d}.parquet"

    def messages_path(self, key: RunKey) -> Path:
        """Return the file of a run's message table."""
        return (self.folder or Path()) / "messages" / self.path(key).name

    def failure_path(self, key: RunKey) -> Path:
        """Return the file of a failed run."""
        return (self.folder or Path()) / "failures" / self.path(key).with_suffix(".json").name

    def add(self, key: RunKey, outcome: Outcome) -> None:
        """Store the outcome of a run; it replaces an earlier failure of the run."""
        if outcome.failure:
            seed, run_hash = self.manifest.configuration["seed"], self.manifest.run_hash(key)
            failure = self._failures[key] = Failure(key, seed, outcome.failure, run_hash)
            if self.folder is not None:
                write_atomically(self.failure_path(key), failure.text().encode())
            return
        self._runs[key] = decode(outcome.content)
        self._failures.pop(key, None)
        if self.folder is not None:
            if outcome.messages:
                write_atomically(self.messages_path(key), outcome.messages)
            write_atomically(self.path(key), outcome.content)
            self.failure_path(key).unlink(missing_ok=True)

    def pending(self, keys: Iterable[RunKey], *, retry_failed: bool = False, messages: bool = False) -> list[RunKey]:
        """Return the runs to carry out.

        These are the runs that have neither finished nor failed; if `retry_failed`, also those that have failed; if
        `messages`, also those whose message table is not stored.
        """
        lacking = [key for key in keys if not (self._has_messages(key) if messages else self.get(key))]
        return [key for key in lacking if retry_failed or self.failure(key) is None]

    def _has_messages(self, key: RunKey) -> bool:
        """Return whether a run and its message table are stored."""
        return self.get(key) is not None and self.messages_path(key).exists()

    def get(self, key: RunKey) -> StoredRun | None:
        """Return a finished run, or None if it is not stored.

        Raises
        ------
        ResultsError
            If its file is damaged or contains another run.
        """
        if key not in self._runs and self.folder is not None and os.path.lexists(path := self.path(key)):
            run = decode(read_bytes(path), path)
            if run.key != key or run.run_hash != self.manifest.run_hash(key):
                raise ResultsError(
                    f"{path} contains a run of another configuration than {self.folder / 'manifest.json'}; delete that "
                    "file and run the study again"
                )
            self._runs[key] = run
        return self._runs.get(key)

    def failure(self, key: RunKey) -> Failure | None:
        """Return the failure of a run, or None if it did not fail or failed under another configuration.

        Raises
        ------
        ResultsError
            If the file of the failure is damaged or is about another run.
        """
        if key not in self._failures and self.folder is not None and os.path.lexists(path := self.failure_path(key)):
            failure = Failure.parse(read_text(path), path)
            if failure.key != key:
                raise ResultsError(f"{path} is about another run; delete that file and run the study again")
            if failure.run_hash == self.manifest.run_hash(key):
                self._failures[key] = failure
        return self._failures.get(key)

    def results(self, keys: Iterable[RunKey], variants: Iterable[str], policies: Iterable[str]) -> Results:
        """Make `Results` from the given runs.

        Raises
        ------
        ResultsError
            If none of the runs is stored.
        FailedRunsError
            If all stored runs have failed.
        """
        wanted = list(keys)
        runs = [run for run in map(self.get, wanted) if run is not None]
        failures = [f for key in wanted if self.get(key) is None and (f := self.failure(key)) is not None]
        if not runs and failures:
            first = failures[0]
            which = f"all {len(failures)} runs" if len(failures) > 1 else "the run"
            remedy = "; --retry-failed (retry_failed=True) repeats them" if self.folder is not None else ""
            raise FailedRunsError(f"{which} failed; {first.key}: {first.reason}{remedy}")
        if not runs:
            raise ResultsError(f"{self.folder} contains no finished run yet; run the study first")
        places = [{label: place for place, label in enumerate(labels)} for labels in (variants, policies)]
        runs.sort(key=lambda run: _rank(run.key, places))
        failures.sort(key=lambda failure: _rank(failure.key, places))
        frame = _all_histories(runs)
        totals = pd.DataFrame([run.key._asdict() | run.totals for run in runs])
        swept = {label: values for label, values in self.manifest.swept.items() if label in places[0]}
        stored = {run.key for run in runs} | {failure.key for failure in failures}
        return Results(
            name=self.manifest.name,
            metric=self.manifest.metric,
            notes=self.manifest.notes,
            frame=with_swept(frame, swept, len(KEYS)),
            totals=with_swept(totals, swept, len(KEYS)),
            swept=swept,
            variants=tuple(places[0]),
            policies=tuple(places[1]),
            missing=tuple(key for key in wanted if key not in stored),
            failures=pd.DataFrame([_row(failure) for failure in failures], columns=FAILURE_COLUMNS),
        )


def _all_histories(runs: list[StoredRun]) -> pd.DataFrame:
    """Return the histories of all runs below each other, with the labels of each run as the first columns."""
    frame = pd.concat([run.history for run in runs], ignore_index=True)
    rows = [len(run.history) for run in runs]
    for place, name in enumerate(KEYS):
        labels = pd.Series([getattr(run.key, name) for run in runs])
        frame.insert(place, name, labels.repeat(rows).reset_index(drop=True))
    return frame


def load_results(folder: str | Path) -> Results:
    """Load the results of a folder; the study may be unfinished.

    Parameters
    ----------
    folder : str or Path
        The folder given to `Study.run` or to ``--out``.

    Returns
    -------
    Results
        All stored runs. `Results.failures` lists those that failed, `Results.missing` those that have not been carried
        out yet.

    Raises
    ------
    ResultsError
        If the folder does not exist, was not made by clustersim, is damaged, or contains no run yet.
    FailedRunsError
        If all stored runs have failed.

    Examples
    --------
    >>> load_results("no/such/folder")
    Traceback (most recent call last):
        ...
    clustersim.errors.ResultsError: no/such/folder: there is no such folder
    """
    store = Store.open(Path(folder))
    return store.results(store.manifest.runs(), store.manifest.variants, store.manifest.policies)


def load_run(folder: str | Path, policy: str, *, variant: str = "", replication: int = 0) -> Run:
    """Load one stored run, with its message table if that was stored.

    Parameters
    ----------
    folder : str or Path
        The results folder.
    policy, variant : str
        The labels of the run.
    replication : int, default 0
        The number of the replication.

    Returns
    -------
    Run
        History and totals; messages and updates if the study was run with ``messages=True``, otherwise None. The model
        is not stored: ``w`` is empty.

    Raises
    ------
    ResultsError
        If the folder does not contain the run, or a file is damaged.

    Examples
    --------
    >>> load_run("no/such/folder", "k = 4")
    Traceback (most recent call last):
        ...
    clustersim.errors.ResultsError: no/such/folder: there is no such folder
    """
    store, key = Store.open(Path(folder)), RunKey(variant, policy, replication)
    stored = store.get(key) if key in [*store.manifest.runs()] else None
    if stored is None:
        raise ResultsError(f"{folder} contains no finished run of {key}; `clustersim compare` shows what it contains")
    path = store.messages_path(key)
    if not path.exists():
        return Run(stored.history, stored.totals, None, np.empty(0))
    messages, updates = decode_messages(read_bytes(path), stored.run_hash, path)
    return Run(stored.history, stored.totals, messages, np.empty(0), updates)


def _rank(key: RunKey, places: list[dict[str, int]]) -> tuple[int, int, int]:
    """Return the sort key of a run in frames: variant, policy and replication."""
    return places[0][key.variant], places[1][key.policy], key.replication


def _row(failure: Failure) -> dict[str, Any]:
    return failure.key._asdict() | {"seed": failure.seed, "reason": failure.reason}
