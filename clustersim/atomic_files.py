"""Atomic writing: a file is either complete or does not exist."""

import contextlib
import os
import secrets
from pathlib import Path

from clustersim.errors import ResultsError

__all__ = ["write_atomically"]

# Open only a new file: never an existing one, and never the target of a link. Windows has no O_NOFOLLOW.
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is either complete or does not exist.

    The content is first written to a new hidden file with an unpredictable name, ``.NAME.RANDOM.tmp``, which is then
    renamed. If the path is a link, the link is replaced, never followed.

    Raises
    ------
    ResultsError
        If the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, _NEW_FILE, 0o666)  # minus the umask
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
    except ValueError as error:  # a name that contains a NUL
        raise ResultsError(f"{str(path)!r} cannot be written: {error}") from error
