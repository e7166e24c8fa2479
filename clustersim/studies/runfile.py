"""The file of one finished run: a Parquet table that plain pandas reads, with a checksum that detects any damage.

The columns are variant, policy, replication and the values of a sweep, which are the same in every row, and those of
the history of the run.
The metadata contains the totals, the hash of the configuration, the versions, and the seal: the sha256 of the whole
file, computed with zeros in the place of the seal. A file in which any byte has changed is refused before it is parsed.
No threads are used: for tables of this size they save nothing, and a process that ends while they start may be aborted.
`clustersim.studies.jobs` encodes runs; `clustersim.studies.store` decodes them.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clustersim.errors import ResultsError
from clustersim.studies.manifest import versions
from clustersim.studies.results import KEYS, RunKey
from clustersim.studies.sweeps import Scalar, with_swept

__all__ = ["DAMAGE", "StoredRun", "decode", "encode", "sealed", "unsealed"]

_METADATA = b"clustersim"
_SEAL = re.compile(rb'"seal": "sha256:([0-9a-f]{64})"')
_UNSEALED = "sha256:" + 64 * "0"
DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What reading a damaged file may raise."""

_COLUMNS = {"time", "update", "error", "loss"}  # columns of every history


@dataclass(frozen=True, eq=False)
class StoredRun:
    """The content of the file of a run.

    Attributes
    ----------
    key : RunKey
        The labels of the run.
    history : DataFrame
        The history, as in `Run`.
    totals : dict
        The totals, as in `Run`.
    run_hash : str
        The hash of everything that the numbers of the run depend on.
    """

    key: RunKey
    history: pd.DataFrame
    totals: dict[str, int | float | str]
    run_hash: str


def encode(
    key: RunKey,
    history: pd.DataFrame,
    totals: dict[str, int | float | str],
    run_hash: str,
    swept: Mapping[str, Scalar] | None = None,
) -> bytes:
    """Encode a finished run as the bytes of its file; the same run gives the same bytes.

    `swept` contains the values of a sweep that the run's variant stands for.
    """
    labelled = with_swept(with_key(key, history), {key.variant: swept or {}}, len(KEYS))
    extra = [name for name in labelled if name not in history and name not in KEYS]
    facts = {"hash": run_hash, "swept": extra, "totals": totals, "versions": versions()}
    return sealed(labelled, key._asdict() | facts)


def decode(content: bytes, where: object = "the run") -> StoredRun:
    """Decode the bytes of a file into a run.

    Raises
    ------
    ResultsError
        If the bytes were not made by `encode` or have changed; the message names the file, `where`.
    """
    try:
        table, metadata = unsealed(content)
        key = RunKey(str(metadata["variant"]), str(metadata["policy"]), int(metadata["replication"]))
        labels = {*KEYS, *metadata["swept"]}
        history = table[[name for name in table.columns if name not in labels]]
        _check_numbers(history, metadata["totals"])
        return StoredRun(key, history, dict(metadata["totals"]), str(metadata["hash"]))
    except DAMAGE as error:
        raise ResultsError(
            f"{where} is damaged or was not written by clustersim ({error}); delete that file and run the study again: "
            "only this run is repeated"
        ) from error


def sealed(frame: pd.DataFrame, metadata: Mapping[str, Any]) -> bytes:
    """Write a table and its metadata as a Parquet file that contains the checksum of itself."""
    facts = {**metadata, "seal": _UNSEALED}
    table = pa.Table.from_pandas(frame, preserve_index=False, nthreads=1)
    table = table.replace_schema_metadata({_METADATA: json.dumps(facts, sort_keys=True).encode()})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    content = sink.getvalue()
    return content.replace(_UNSEALED.encode(), f"sha256:{hashlib.sha256(content).hexdigest()}".encode())


def unsealed(content: bytes) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read what `sealed` has written; raise one of `DAMAGE` if a byte has changed."""
    _check_seal(content)
    table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    return table.replace_schema_metadata(None).to_pandas(use_threads=False), dict(
        json.loads(table.schema.metadata[_METADATA])
    )


def with_key(key: RunKey, history: pd.DataFrame) -> pd.DataFrame:
    """Return a history with the labels of its run as the first columns."""
    values = key._asdict()
    labels = pd.DataFrame({name: values[name] for name in KEYS}, index=history.index)
    return pd.concat([labels, history], axis=1)


def _check_seal(content: bytes) -> None:
    """Refuse a file that differs from what was written in any byte."""
    seals = list(_SEAL.finditer(content))
    if len(seals) != 1:
        raise ValueError("it has no seal")
    start, end = seals[0].span(1)
    unsealed = content[:start] + 64 * b"0" + content[end:]
    if hashlib.sha256(unsealed).hexdigest().encode() != seals[0].group(1):
        raise ValueError("its content has changed since it was written")


def _check_numbers(history: pd.DataFrame, totals: dict[str, Any]) -> None:
    """Refuse a history or totals with values that are not numbers."""
    if missing := _COLUMNS - set(history.columns):
        raise ValueError(f"column {sorted(missing)[0]!r} is missing")
    if not len(history):
        raise ValueError("it has no rows")
    for name, column in history.items():
        if not pd.api.types.is_numeric_dtype(column):
            raise ValueError(f"column {name!r} does not contain numbers")
    for name, value in totals.items():
        if isinstance(value, bool) or not isinstance(value, str if name == "reason" else int | float):
            raise ValueError(f"the total {name!r} is {value!r}")
