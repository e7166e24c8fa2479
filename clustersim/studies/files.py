"""File names for labels, and files that are either complete or not there.

Data flows in as bytes from `clustersim.studies.store` and `clustersim.plots`, and out to the disk.
"""

import contextlib
import os
import re
import stat
from pathlib import Path

from clustersim.errors import ResultsError

__all__ = ["read_bytes", "read_text", "slug", "sweep", "write_atomically"]


def slug(text: str) -> str:
    """A file name for a label: letters, digits, dots and dashes.

    Examples
    --------
    >>> slug("adaptive, k = 2 / 8")
    'adaptive-k-2-8'
    """
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.").lower()[:60]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is either complete or not there.

    Raises
    ------
    ResultsError
        If the disk or the folder refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror or error}") from error


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

    Only for whoever holds the lock of the results folder: nobody else is writing there then.
    """
    for place in (folder, *(child for child in folder.glob("*") if child.is_dir() and not child.is_symlink())):
        for leftover in place.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                leftover.unlink()
