"""Joining results folders: parts of one study that were carried out on several machines become one folder.

Folders come in, and one folder with all their runs goes out, with their message tables. Everything is checked before
anything is written.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from clustersim.errors import ConfigurationError, ResultsError
from clustersim.studies.files import is_vacant, read_bytes, read_text, write_atomically
from clustersim.studies.lock import locked
from clustersim.studies.manifest import Manifest, in_short
from clustersim.studies.messagefile import decode_messages
from clustersim.studies.results import Results, RunKey
from clustersim.studies.store import Store, load_results

__all__ = ["merge"]


def merge(folders: Sequence[str | Path], out: str | Path) -> Results:
    """Join results folders of one study, such as parts with other policies, variants or replications.

    Parameters
    ----------
    folders : sequence of str or Path
        The folders to join.
    out : str or Path
        The folder for all their runs. It may be one of them, or contain runs of the same study.

    Returns
    -------
    Results
        The results in `out`, which has the message tables too.

    Raises
    ------
    ResultsError
        If a folder is damaged, or the folders contradict each other: in the seed, the versions, a setting, a policy, or
        the content of a run. The message names what differs. Nothing is written then.
    ConfigurationError
        If no folder is given.

    Examples
    --------
    >>> merge(["no/such/folder"], "all")
    Traceback (most recent call last):
        ...
    clustersim.errors.ResultsError: no/such/folder: there is no such folder
    """
    target = Path(out)
    stores = [Store.open(Path(folder)) for folder in folders]
    if not stores:
        raise ConfigurationError("folders = []: expected at least one results folder")
    if (target / "manifest.json").exists():
        stores.insert(0, Store.open(target))
    elif not is_vacant(target):
        raise ResultsError(f"{target} is not empty and contains no manifest.json; choose another folder with --out")
    before = _text_of_manifest(target)
    joint = Store(target, _joined(stores))
    parts = _collected(stores)
    with locked(target):
        if _text_of_manifest(target) != before:
            raise ResultsError(
                f"{target}: a study has run in it meanwhile; join the folders again. Nothing was written"
            )
        write_atomically(target / "manifest.json", joint.manifest.text().encode())
        _copy(parts, joint)
    return load_results(target)


def _text_of_manifest(folder: Path) -> str | None:
    path = folder / "manifest.json"
    return read_text(path) if path.exists() else None


class _Parts(NamedTuple):
    """Which folder each finished run, each message table and each failed run is taken from."""

    finished: dict[RunKey, Store]
    messages: dict[RunKey, Store]
    failed: dict[RunKey, Store]


def _copy(parts: _Parts, joint: Store) -> None:
    """Copy the files of all runs into the joint folder; a run's message table first, so that no run lacks it."""
    kinds = (
        (parts.messages, Store.messages_path), (parts.finished, Store.path), (parts.failed, Store.failure_path)
    )  # fmt: skip
    for runs, path in kinds:
        for key, store in runs.items():
            if store.folder != joint.folder:
                write_atomically(path(joint, key), read_bytes(path(store, key)))
    for key in parts.finished:
        joint.failure_path(key).unlink(missing_ok=True)


def _joined(stores: Sequence[Store]) -> Manifest:
    """Return the manifest of all folders; refuse folders that contradict each other."""
    joint = stores[0].manifest
    for store in stores[1:]:
        where = store.folder or Path()
        for name in ("name", "metric"):
            if getattr(store.manifest, name) != getattr(joint, name):
                raise ResultsError(
                    f"{where} has {name} {getattr(store.manifest, name)!r}, {stores[0].folder} has "
                    f"{getattr(joint, name)!r}; only parts of one study can be joined"
                )
        if found := joint.contradictions(store.manifest):
            raise ResultsError(
                f"{where} cannot be joined with {stores[0].folder}: {in_short(found)}; 'in the folder' is {where}, "
                f"'now' is {stores[0].folder}. Nothing was written"
            )
        joint = joint.merged(store.manifest, where)
    return joint


def _collected(stores: Sequence[Store]) -> _Parts:
    """Return where everything is; refuse a run whose files differ, and damaged message tables."""
    parts = _Parts({}, {}, {})
    for store in stores:
        for key in store.manifest.runs():
            if (run := store.get(key)) is not None:
                _check_equal(key, parts.finished.setdefault(key, store), store)
                if key not in parts.messages and (path := store.messages_path(key)).exists():
                    decode_messages(read_bytes(path), run.run_hash, path)
                    parts.messages[key] = store
            elif store.failure(key) is not None:
                parts.failed.setdefault(key, store)
    return parts._replace(failed={key: store for key, store in parts.failed.items() if key not in parts.finished})


def _check_equal(key: RunKey, one: Store, other: Store) -> None:
    """Refuse two files of one run that differ."""
    if one is not other and read_bytes(one.path(key)) != read_bytes(other.path(key)):
        raise ResultsError(
            f"{one.path(key)} and {other.path(key)} differ, although they should be the same run; delete one of them"
        )
