"""File names for labels, and files that are either complete or not there.

Data flows in as bytes from `clustersim.studies.store` and `clustersim.plots`, and out to the disk.
"""

import contextlib
import os
import re
from pathlib import Path

from clustersim.errors import ResultsError

__all__ = ["slug", "write_atomically"]


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
