"""File names for labels, reading, and atomic writing (see `clustersim.atomic_files`).

`clustersim.studies.store` and `clustersim.plots` write and read their files here.
"""

import contextlib
import hashlib
import re
import stat
import time
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import TypeVar

from clustersim.atomic_files import write_atomically
from clustersim.errors import ResultsError

__all__ = ["file_names", "is_vacant", "read_bytes", "read_text", "slug", "sweep", "write_atomically"]

_LONGEST = 60  # characters of a name
_HOUR = 3600.0  # seconds
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{16}\.tmp")
Key = TypeVar("Key", bound=Hashable)


def slug(text: str) -> str:
    """Return a file name for a label: letters, digits, dots and dashes; a long name is cut and ends with a hash.

    Examples
    --------
    >>> slug("adaptive, k = 2 / 8")
    'adaptive-k-2-8'
    """
    name = re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.").lower()
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}-{hashlib.sha256(text.encode(errors='backslashreplace')).hexdigest()[:8]}"


def file_names(wanted: Mapping[Key, str], taken: Collection[str] = ()) -> dict[Key, str]:
    """Return a file name for each key; no file system confuses any two of them.

    A name is the `slug` of the wanted text. If two names would be equal, a name is taken, or the slug is empty, then
    the name ends with a short hash of its key. So the same set of keys always gives the same names.

    Parameters
    ----------
    wanted : mapping of key to str
        The text for each name. Different keys must have different `repr` texts.
    taken : collection of str, optional
        Names that are in use.

    Returns
    -------
    dict of key to str

    Examples
    --------
    >>> file_names({"k=1": "k=1", "k 1": "k 1", "k = 2": "k = 2"})
    {'k=1': 'k-1-c543143e', 'k 1': 'k-1-3c4f16ec', 'k = 2': 'k-2'}
    """
    names = {key: slug(text) for key, text in wanted.items()}
    hashed: set[Key] = set()
    while True:
        counts = Counter(names.values())
        clashing = {key for key, name in names.items() if not name or counts[name] > 1 or name in taken} - hashed
        if not clashing:
            return names
        hashed |= clashing
        for key in clashing:
            mark = hashlib.sha256(repr(key).encode(errors="backslashreplace")).hexdigest()[:8]
            names[key] = f"{names[key]}-{mark}".lstrip("-")


def is_vacant(folder: Path) -> bool:
    """Return whether a new study may have a folder: it is missing, or contains only hidden files such as a lock."""
    return not folder.exists() or (folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir()))


def read_bytes(path: Path) -> bytes:
    """Read an ordinary file; pipes and devices are refused, because reading them might never end.

    Raises
    ------
    ResultsError
        If it is not an ordinary file or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ResultsError(f"{path} is not an ordinary file; remove it, or choose another folder")
        return path.read_bytes()
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror or error}") from error


def read_text(path: Path) -> str:
    """Read an ordinary text file in UTF-8; see `read_bytes`."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path} cannot be read: {error}") from error


def sweep(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while writing.

    The caller must hold the lock of the results folder, so that no other process writes runs there. Figures are drawn
    without the lock, so temporary files in the folder of figures are removed only if they are older than an hour.
    """
    for place in (folder, *(folder / name for name in ("runs", "messages", "failures", "figures"))):
        for leftover in place.glob(".*.tmp") if not place.is_symlink() else ():
            with contextlib.suppress(OSError):
                if _TEMPORARY.fullmatch(leftover.name) and (
                    place.name != "figures" or time.time() - leftover.lstat().st_mtime > _HOUR
                ):
                    leftover.unlink()
