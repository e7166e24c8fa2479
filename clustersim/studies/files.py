"""File names for labels, and files that are either complete or not there.

Data flows in as bytes from `clustersim.studies.store` and `clustersim.plots`, and out to the disk.
"""

import contextlib
import hashlib
import os
import re
import secrets
import stat
import time
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from pathlib import Path
from typing import TypeVar

from clustersim.errors import ResultsError

__all__ = ["file_names", "read_bytes", "read_text", "slug", "sweep", "write_atomically"]

_LONGEST = 60  # letters of a name
_HOUR = 3600.0  # seconds
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{16}\.tmp")
Key = TypeVar("Key", bound=Hashable)
# A new file only, never one that somebody has put there, nor what a link leads to. Windows knows no such links.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def slug(text: str) -> str:
    """A file name for a label: letters, digits, dots and dashes; a long one is cut, and ends with a short hash.

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
    """File names, one for each key, that no file system takes for one another.

    A name is the `slug` of what is wanted. Where two would be the same, where one is taken, or where nothing is left of
    it, it ends with a short hash of its key. So a name is the same whenever it is asked for beside the same others.

    Parameters
    ----------
    wanted : mapping of key to str
        The text that each name is to be made of. The text that `repr` gives for a key must be its own.
    taken : collection of str, optional
        Names that are not free.

    Returns
    -------
    dict of key to str

    Examples
    --------
    >>> file_names({"k=1": "k=1", "k 1": "k 1", "k = 2": "k = 2"})
    {'k=1': 'k-1-c543143e', 'k 1': 'k-1-3c4f16ec', 'k = 2': 'k-2'}
    """
    names = {key: slug(text) for key, text in wanted.items()}
    marked: set[Key] = set()
    while True:
        counts = Counter(names.values())
        unfit = {key for key, name in names.items() if not name or counts[name] > 1 or name in taken} - marked
        if not unfit:
            return names
        marked |= unfit
        for key in unfit:
            mark = hashlib.sha256(repr(key).encode(errors="backslashreplace")).hexdigest()[:8]
            names[key] = f"{names[key]}-{mark}".lstrip("-")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is either complete or not there.

    It is written under another, hidden name first, ``.NAME.RANDOM.tmp``, which is new and which nobody can know
    beforehand. A link that stands under the file's own name is replaced, never followed.

    Raises
    ------
    ResultsError
        If the disk or the folder refuses.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, _NEW_FILE, 0o666)  # less what the umask forbids
        try:
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror or error}") from error
    except ValueError as error:  # a name that holds a NUL
        raise ResultsError(f"{str(path)!r} cannot be written: {error}") from error


def read_bytes(path: Path) -> bytes:
    """The content of an ordinary file: a pipe or a device in its place would never end.

    Raises
    ------
    ResultsError
        If it is no ordinary file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ResultsError(f"{path} is no ordinary file; remove it, or choose another folder")
        return path.read_bytes()
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror or error}") from error


def read_text(path: Path) -> str:
    """The content of an ordinary text file in UTF-8; see `read_bytes`."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise ResultsError(f"{path} cannot be read: {error}") from error


def sweep(folder: Path) -> None:
    """Remove the temporary files that processes left behind when they were killed while they wrote.

    Only for whoever holds the lock of the results folder: nobody else writes runs there then. Pictures are drawn
    without the lock, so that of them only what is an hour old goes.
    """
    for place in (folder, folder / "runs", folder / "failures", folder / "figures"):
        for leftover in place.glob(".*.tmp") if not place.is_symlink() else ():
            with contextlib.suppress(OSError):
                if _TEMPORARY.fullmatch(leftover.name) and (
                    place.name != "figures" or time.time() - leftover.lstat().st_mtime > _HOUR
                ):
                    leftover.unlink()
