"""The results folder: one Parquet file a run and one manifest, written so that nothing harms it.

    OUT/manifest.json                       what was run: configuration, seed, labels in order, versions, notes
    OUT/runs/<label>-<hash>-r0000.parquet   one finished run (`clustersim.studies.runfile`)
    OUT/failures/<label>-<hash>-r0000.json  one run that failed, and why (`clustersim.studies.failures`)
    OUT/figures/                            pictures (`clustersim.plots`)
    OUT/.lock                               held by the study that is running

A file appears under its name only when it is complete, and holds a checksum of its content. Nothing in it tells when or
where it was written, so the same study and seed give the same bytes. Data flows in from `clustersim.studies.study` and
out to `clustersim.studies.results`.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from clustersim.errors import FailedRunsError, ResultsError
from clustersim.studies.execution import Outcome
from clustersim.studies.failures import Failure
from clustersim.studies.files import read_bytes, read_text, slug, sweep, write_atomically
from clustersim.studies.lock import locked
from clustersim.studies.manifest import Manifest
from clustersim.studies.results import FAILURE_COLUMNS, Results, RunKey
from clustersim.studies.runfile import StoredRun, decode, with_key

__all__ = ["Store", "load_results"]


class Store:
    """A results folder, or (without a folder) the same in memory.

    Parameters
    ----------
    folder : Path or None
        Where the files are.
    manifest : Manifest
        What they are.
    """

    def __init__(self, folder: Path | None, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._runs: dict[RunKey, StoredRun] = {}
        self._failures: dict[RunKey, Failure] = {}

    @classmethod
    def join(cls, folder: Path | None, manifest: Manifest) -> "Store":
        """The store that a folder makes with what is to be run; nothing is written yet.

        Raises
        ------
        ResultsError
            If the folder belongs to another configuration, or is not clustersim's.
        """
        if folder is None:
            return cls(None, manifest)
        if folder.exists() and not folder.is_dir():
            raise ResultsError(f"{folder} is a file; choose a folder with --out")
        if os.path.lexists(folder / "manifest.json"):
            stored = cls.open(folder)
            finished = (key for key in stored.manifest.runs() if os.path.lexists(stored.path(key)))
            return cls(folder, manifest.merged(stored.manifest.only(finished), folder))
        if folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise ResultsError(
                f"{folder} is not empty and holds no manifest.json, so clustersim did not make it; choose "
                "another folder with --out"
            )
        return cls(folder, manifest)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open a folder for reading; raises `ResultsError` if there are no results in it."""
        return cls(folder, Manifest.read(folder))

    @contextmanager
    def held(self, *, changing: bool) -> Iterator["Store"]:
        """Keep other studies out of the folder, bring it up to date, and yield what it holds by now.

        A folder to which nothing is to be added is neither locked nor written, so a finished study can be looked at on
        a disk that cannot be written.

        Parameters
        ----------
        changing : bool
            Whether runs are to be added.

        Raises
        ------
        ResultsError
            If another study is running in the folder, or it cannot be written.
        """
        if self.folder is None or not (changing or self._manifest_differs()):
            yield self
            return
        with locked(self.folder):
            store = self.join(self.folder, self.manifest)  # again: another study may have written until now
            if store.manifest == self.manifest:
                store._runs, store._failures = self._runs, self._failures  # checked a moment ago
            sweep(self.folder)
            if store._manifest_differs():
                write_atomically(self.folder / "manifest.json", store.manifest.text().encode())
            yield store

    def _manifest_differs(self) -> bool:
        """Whether the folder does not hold this manifest yet."""
        folder = self.folder or Path()
        return not os.path.lexists(folder / "manifest.json") or not Manifest.read(folder).agrees(self.manifest)

    def path(self, key: RunKey) -> Path:
        """The file of a finished run; the hash of its labels tells apart labels that look alike as file names."""
        labels = " ".join(filter(None, key[:2]))
        mark = hashlib.sha256(json.dumps(key[:2]).encode()).hexdigest()[:8]
        return (self.folder or Path()) / "runs" / f"{slug(labels)}-{mark}-r{key.replication:04d}.parquet"

    def failure_path(self, key: RunKey) -> Path:
        """The file of a run that failed."""
        return (self.folder or Path()) / "failures" / self.path(key).with_suffix(".json").name

    def add(self, key: RunKey, outcome: Outcome) -> None:
        """Store what came of a run, in place of an earlier failure of it."""
        if outcome.failure:
            seed, run_hash = self.manifest.configuration["seed"], self.manifest.run_hash(key)
            failure = self._failures[key] = Failure(key, seed, outcome.failure, run_hash)
            if self.folder is not None:
                write_atomically(self.failure_path(key), failure.text().encode())
            return
        self._runs[key] = decode(outcome.content)
        self._failures.pop(key, None)
        if self.folder is not None:
            write_atomically(self.path(key), outcome.content)
            self.failure_path(key).unlink(missing_ok=True)

    def pending(self, keys: Iterable[RunKey], *, retry_failed: bool = False) -> list[RunKey]:
        """The runs that are to be done: neither finished, nor failed unless those are to be tried again."""
        return [key for key in keys if self.get(key) is None and (retry_failed or self.failure(key) is None)]

    def get(self, key: RunKey) -> StoredRun | None:
        """A finished run, or None if it is not there.

        Raises
        ------
        ResultsError
            If its file is damaged or holds another run.
        """
        if key not in self._runs and self.folder is not None and os.path.lexists(path := self.path(key)):
            run = decode(read_bytes(path), path)
            if run.key != key or run.run_hash != self.manifest.run_hash(key):
                raise ResultsError(
                    f"{path} holds a run of another configuration than {self.folder / 'manifest.json'} says; delete "
                    "that file and run the study again"
                )
            self._runs[key] = run
        return self._runs.get(key)

    def failure(self, key: RunKey) -> Failure | None:
        """Why a run failed, or None if it did not, or did under another configuration.

        Raises
        ------
        ResultsError
            If the file that should say so is damaged or speaks of another run.
        """
        if key not in self._failures and self.folder is not None and os.path.lexists(path := self.failure_path(key)):
            failure = Failure.parse(read_text(path), path)
            if failure.key != key:
                raise ResultsError(f"{path} speaks of another run; delete that file and run the study again")
            if failure.run_hash == self.manifest.run_hash(key):
                self._failures[key] = failure
        return self._failures.get(key)

    def results(self, keys: Iterable[RunKey], variants: Iterable[str], policies: Iterable[str]) -> Results:
        """The results that the given runs make.

        Raises
        ------
        ResultsError
            If none of them is stored.
        FailedRunsError
            If all that are stored have failed.
        """
        asked = list(keys)
        runs = [run for run in map(self.get, asked) if run is not None]
        failures = [f for key in asked if self.get(key) is None and (f := self.failure(key)) is not None]
        if not runs and failures:
            first = failures[0]
            which = f"all {len(failures)} runs" if len(failures) > 1 else "the run"
            remedy = "; --retry-failed (retry_failed=True) tries them again" if self.folder is not None else ""
            raise FailedRunsError(f"{which} failed; {first.key}: {first.reason}{remedy}")
        if not runs:
            raise ResultsError(f"{self.folder} holds no finished run yet; run the study first")
        places = [{label: place for place, label in enumerate(labels)} for labels in (variants, policies)]
        runs.sort(key=lambda run: _rank(run.key, places))
        failures.sort(key=lambda failure: _rank(failure.key, places))
        over = {run.key for run in runs} | {failure.key for failure in failures}
        return Results(
            name=self.manifest.name,
            metric=self.manifest.metric,
            notes=self.manifest.notes,
            frame=pd.concat([with_key(run.key, run.history) for run in runs], ignore_index=True),
            totals=pd.DataFrame([run.key._asdict() | run.totals for run in runs]),
            variants=tuple(places[0]),
            policies=tuple(places[1]),
            missing=tuple(key for key in asked if key not in over),
            failures=pd.DataFrame([_row(failure) for failure in failures], columns=FAILURE_COLUMNS),
        )


def load_results(folder: str | Path) -> Results:
    """Load what a results folder holds, finished or not.

    Parameters
    ----------
    folder : str or Path
        The folder given to `Study.run` or to ``--out``.

    Returns
    -------
    Results
        All runs that are stored; `Results.failures` tells those that failed, `Results.missing` those that were not
        done yet.

    Raises
    ------
    ResultsError
        If the folder is not there, is not clustersim's, is damaged, or holds no run yet.
    FailedRunsError
        If all runs that were done have failed.

    Examples
    --------
    >>> load_results("no/such/folder")
    Traceback (most recent call last):
        ...
    clustersim.errors.ResultsError: no/such/folder: there is no such folder
    """
    store = Store.open(Path(folder))
    return store.results(store.manifest.runs(), store.manifest.variants, store.manifest.policies)


def _rank(key: RunKey, places: list[dict[str, int]]) -> tuple[int, int, int]:
    """The place of a run in frames: by variant, policy and replication."""
    return places[0][key.variant], places[1][key.policy], key.replication


def _row(failure: Failure) -> dict[str, Any]:
    return failure.key._asdict() | {"seed": failure.seed, "reason": failure.reason}
