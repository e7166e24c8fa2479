"""The lock of a results folder, which allows only one study at a time to run in it.

Two processes that add runs to one folder would overwrite each other's manifest. The lock belongs to the operating
system, which releases it whenever the process ends, also after a crash. So no lock is ever left behind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from clustersim.errors import ResultsError

__all__ = ["locked"]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a results folder for one study; create the folder if it does not exist.

    Raises
    ------
    ResultsError
        If another study is running in the folder, or the folder or the lock cannot be created.

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
