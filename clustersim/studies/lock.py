"""One study at a time in a results folder.

Two processes that add runs to one folder would overwrite each other's manifest. The operating system holds the lock
and drops it when the process ends, however that happens, so no lock is ever left behind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from clustersim.errors import ResultsError

__all__ = ["locked"]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a results folder, which is made if it is not there, for this study alone.

    Raises
    ------
    ResultsError
        If another study is running in the folder, or the disk refuses to make the folder or the lock.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name, locked(Path(name)):
    ...     try:
    ...         with locked(Path(name)):
    ...             pass
    ...     except ResultsError as error:
    ...         print(str(error).partition(": ")[2])
    another study is running in this folder; wait until it has ended, or choose another folder with --out
    """
    lock = FileLock(folder / ".lock", timeout=0, thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise ResultsError(
            f"{folder}: another study is running in this folder; wait until it has ended, or choose another folder "
            "with --out"
        ) from error
    except OSError as error:
        raise ResultsError(f"{folder} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()
