"""The results folder: one Parquet file a run and one manifest, written so that a crash harms nothing.

    OUT/manifest.json               what was run: configuration and its hash, seed, labels in order, versions, notes
    OUT/runs/<label>-<hash>-r0000.parquet   one run's history; its totals and its own hash are in the file's metadata

A file appears under its name only when it is complete. Nothing in it tells when or where it was written, so the same
study and seed give the same bytes. Data flows in from `clustersim.studies.study` and out to
`clustersim.studies.results`.
"""

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clustersim.errors import ResultsError
from clustersim.studies.files import slug, write_atomically
from clustersim.studies.manifest import Manifest, versions
from clustersim.studies.results import KEYS, Results, RunKey

__all__ = ["Store", "StoredRun", "decode", "encode", "load_results"]

_METADATA = b"clustersim"


def encode(key: RunKey, history: pd.DataFrame, totals: dict[str, int | float | str], run_hash: str) -> bytes:
    """Turn a finished run into the bytes of its Parquet file."""
    told = key._asdict() | {"hash": run_hash, "totals": totals, "versions": versions()}
    table = pa.Table.from_pandas(history, preserve_index=False)
    table = table.replace_schema_metadata({_METADATA: json.dumps(told, sort_keys=True).encode()})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@dataclass(frozen=True, eq=False)
class StoredRun:
    """One run as its file holds it."""

    key: RunKey
    history: pd.DataFrame
    totals: dict[str, int | float | str]
    run_hash: str


def decode(content: bytes, where: object = "the run") -> StoredRun:
    """Turn the bytes of a Parquet file back into a run.

    Raises
    ------
    ResultsError
        If they are not what `encode` made; the message names the file, `where`.
    """
    try:
        table = pq.read_table(pa.BufferReader(content))
        told = json.loads(table.schema.metadata[_METADATA])
        key = RunKey(str(told["variant"]), str(told["policy"]), int(told["replication"]))
        history = table.replace_schema_metadata(None).to_pandas()
        return StoredRun(key, history, dict(told["totals"]), str(told["hash"]))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(
            f"{where} is damaged or was not written by clustersim ({type(error).__name__}); delete that file and run "
            "the study again: only this run is computed anew"
        ) from error


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

    @classmethod
    def create(cls, folder: Path | None, manifest: Manifest) -> "Store":
        """Make a folder ready for a study, or take up one in which the study has been begun.

        Raises
        ------
        ResultsError
            If the folder belongs to another configuration or is not clustersim's; nothing in it is changed.
        """
        if folder is None:
            return cls(None, manifest)
        if folder.exists() and not folder.is_dir():
            raise ResultsError(f"{folder} is a file; choose a folder with --out")
        if (folder / "manifest.json").exists():
            stored = cls(folder, Manifest.read(folder))
            manifest = manifest.merged(stored.manifest.only(filter(stored.has, stored.manifest.runs())), folder)
        elif folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise ResultsError(
                f"{folder} is not empty and holds no manifest.json, so clustersim did not make it; choose "
                "another folder with --out"
            )
        write_atomically(folder / "manifest.json", manifest.text().encode())
        return cls(folder, manifest)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open a folder for reading; raises `ResultsError` if there are no results in it."""
        return cls(folder, Manifest.read(folder))

    def path(self, key: RunKey) -> Path:
        """The file of a run; the hash of its labels tells apart labels that look alike as file names."""
        labels = " ".join(filter(None, key[:2]))
        mark = hashlib.sha256(json.dumps(key[:2]).encode()).hexdigest()[:8]
        return (self.folder or Path()) / "runs" / f"{slug(labels)}-{mark}-r{key.replication:04d}.parquet"

    def has(self, key: RunKey) -> bool:
        """Whether there is a file for a run."""
        return self.path(key).exists()

    def add(self, key: RunKey, content: bytes) -> None:
        """Store a finished run."""
        self._runs[key] = decode(content)
        if self.folder is not None:
            write_atomically(self.path(key), content)

    def get(self, key: RunKey) -> StoredRun | None:
        """A stored run, or None if it is not there.

        Raises
        ------
        ResultsError
            If its file is damaged or holds another run.
        """
        if key not in self._runs and self.folder is not None and (path := self.path(key)).exists():
            try:
                run = decode(path.read_bytes(), path)
            except OSError as error:
                raise ResultsError(f"{path} cannot be read: {error.strerror or error}") from error
            if run.key != key or run.run_hash != self.manifest.run_hash(key):
                raise ResultsError(
                    f"{path} holds a run of another configuration than {self.folder / 'manifest.json'} says; delete "
                    "that file and run the study again"
                )
            self._runs[key] = run
        return self._runs.get(key)

    def results(self, keys: Iterable[RunKey], variants: Iterable[str], policies: Iterable[str]) -> Results:
        """The results that the given runs make.

        Raises
        ------
        ResultsError
            If none of them is stored.
        """
        runs: list[StoredRun] = []
        missing: list[RunKey] = []
        for key in keys:
            run = self.get(key)
            if run is None:
                missing.append(key)
            else:
                runs.append(run)
        if not runs:
            raise ResultsError(f"{self.folder} holds no finished run yet; run the study first")
        order = {label: rank for rank, label in enumerate(policies)}
        runs.sort(key=lambda run: (list(variants).index(run.key.variant), order[run.key.policy], run.key.replication))
        frame = pd.concat([_keyed(run.key, run.history) for run in runs], ignore_index=True)
        totals = pd.DataFrame([run.key._asdict() | run.totals for run in runs])
        return Results(
            self.manifest.name, frame, totals, tuple(order), tuple(variants),
            metric=self.manifest.metric, notes=self.manifest.notes, missing=tuple(missing),
        )  # fmt: skip


def load_results(folder: str | Path) -> Results:
    """Load what a results folder holds, finished or not.

    Parameters
    ----------
    folder : str or Path
        The folder given to `Study.run` or to ``--out``.

    Returns
    -------
    Results
        All runs that are stored; `Results.missing` names those that are not.

    Raises
    ------
    ResultsError
        If the folder is not there, is not clustersim's, is damaged, or holds no run yet.

    Examples
    --------
    >>> load_results("no/such/folder")
    Traceback (most recent call last):
        ...
    clustersim.errors.ResultsError: no/such/folder: there is no such folder
    """
    store = Store.open(Path(folder))
    return store.results(store.manifest.runs(), store.manifest.variants, store.manifest.policies)


def _keyed(key: RunKey, history: pd.DataFrame) -> pd.DataFrame:
    """A history with the columns that say which run it is."""
    frame = history.copy()
    values: dict[str, Any] = key._asdict()
    for place, name in enumerate(KEYS):
        frame.insert(place, name, values[name])
    return frame
