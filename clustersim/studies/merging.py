"""Joining results folders: parts of one study that were carried out on several machines become one folder.

Folders come in, and one folder with all their runs goes out. Everything is checked before anything is written.
"""

from collections.abc import Sequence
from pathlib import Path

from clustersim.errors import ConfigurationError, ResultsError
from clustersim.studies.files import read_bytes, write_atomically
from clustersim.studies.lock import locked
from clustersim.studies.manifest import Manifest, in_short
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
        The results in `out`.

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
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ResultsError(f"{target} is not empty and contains no manifest.json; choose another folder with --out")
    manifest = _joined(stores)
    finished, failed = _collected(stores)
    with locked(target):
        joint = Store(target, manifest)
        write_atomically(target / "manifest.json", manifest.text().encode())
        for key, store in finished.items():
            if store.folder != target:
                write_atomically(joint.path(key), read_bytes(store.path(key)))
            joint.failure_path(key).unlink(missing_ok=True)
        for key, store in failed.items():
            if store.folder != target:
                write_atomically(joint.failure_path(key), read_bytes(store.failure_path(key)))
    return load_results(target)


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


def _collected(stores: Sequence[Store]) -> tuple[dict[RunKey, Store], dict[RunKey, Store]]:
    """Return where each finished and each failed run is; refuse a run whose files differ."""
    finished: dict[RunKey, Store] = {}
    failed: dict[RunKey, Store] = {}
    for store in stores:
        for key in store.manifest.runs():
            if store.get(key) is not None:
                other = finished.setdefault(key, store)
                if other is not store and read_bytes(other.path(key)) != read_bytes(store.path(key)):
                    raise ResultsError(
                        f"{other.path(key)} and {store.path(key)} differ, although they should be the same run; delete "
                        "one of them"
                    )
            elif store.failure(key) is not None:
                failed.setdefault(key, store)
    return finished, {key: store for key, store in failed.items() if key not in finished}
