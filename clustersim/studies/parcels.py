"""Problems as parcels: packed once, carried to each worker once, and unpacked once there.

A problem may contain gigabytes of data and serve thousands of runs. Its arrays are therefore kept apart from the rest
of the packed problem. On the machine of the study they are in a temporary file, which every process maps into its
memory, so that all processes share one copy. A worker that sees no such file, because it runs on another machine, asks
for the content of the parcel; it gets the content with its next runs, and keeps it.

`clustersim.studies.study` makes parcels with `Parcels`; `clustersim.studies.jobs` opens them where the runs are
computed.
"""

import hashlib
import mmap
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from pickle import PickleBuffer
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from clustersim.studies.packing import pack, unpack

__all__ = ["Content", "Parcel", "Parcels", "opened"]

_ALIGNMENT = 64  # bytes; arrays begin at multiples of it everywhere, so that sums give the same bits everywhere
_SMALL = 1 << 20  # bytes of a packed problem, without its arrays, that may travel with every chunk of runs


class Content(NamedTuple):
    """The content of a parcel: the packed problem without its arrays, and the arrays."""

    head: bytes
    arrays: list[Any]


class Parcel(NamedTuple):
    """A packed problem: what a worker needs to find it.

    Attributes
    ----------
    digest : str
        The sha256 of the content.
    head : bytes or None
        The packed problem without its arrays, if it is small.
    path : str
        The file with the arrays, on the machine of the study; empty if there is none.
    sizes : tuple of int
        The size of each array in bytes.
    """

    digest: str
    head: bytes | None
    path: str
    sizes: tuple[int, ...]


class Parcels:
    """Makes parcels, and keeps their contents and files as long as the context is open.

    Parameters
    ----------
    shared : bool
        Whether other processes will open the parcels, so that files are worth while.

    Examples
    --------
    >>> with Parcels(shared=True) as parcels:
    ...     parcel = parcels.make({"rows": np.arange(3.0)})
    ...     opened(parcel)["rows"].tolist()
    [0.0, 1.0, 2.0]
    """

    def __init__(self, *, shared: bool) -> None:
        self._folder: TemporaryDirectory[str] | None = None
        self._shared = shared
        self._contents: dict[str, Content] = {}
        self._made: dict[str, Parcel] = {}
        self._packed: dict[int, tuple[Any, Parcel]] = {}  # by identity; the problem too, so that no other one gets it

    def __enter__(self) -> "Parcels":
        """Open the context; create the folder of the files."""
        if self._shared:
            with suppress(OSError):  # without a folder, the contents travel with the runs
                self._folder = TemporaryDirectory(prefix="clustersim-", ignore_cleanup_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Remove the files, and the copy of a problem that this thread has opened."""
        vars(_kept).clear()
        if self._folder is not None:
            self._folder.cleanup()

    def make(self, problem: Any) -> Parcel:
        """Pack a problem; a problem that was packed before, or an equal one, gets the same parcel.

        A file is never written twice: a process that has mapped it would be killed while it is short.
        """
        if id(problem) not in self._packed:
            self._packed[id(problem)] = problem, self._new(problem)
        return self._packed[id(problem)][1]

    def _new(self, problem: Any) -> Parcel:
        """Pack a problem that was not packed before."""
        arrays: list[PickleBuffer] = []
        head = pack(problem, arrays.append)
        views = [array.raw() for array in arrays]
        digest = hashlib.sha256(head)
        for view in views:
            digest.update(view)
        name = digest.hexdigest()
        if name not in self._made:
            self._contents[name] = Content(head, list(arrays))
            sizes, small = tuple(view.nbytes for view in views), head if len(head) <= _SMALL else None
            self._made[name] = Parcel(name, small, self._written(name, views), sizes)
        return self._made[name]

    def content(self, parcel: Parcel) -> Content:
        """Return the content of a parcel, for a worker that asks for it."""
        return self._contents[parcel.digest]

    def _written(self, name: str, views: Iterable[memoryview]) -> str:
        """Write the arrays into a file; return its path, or an empty text if that is impossible."""
        if self._folder is None:
            return ""
        path = Path(self._folder.name) / name
        try:
            with path.open("wb") as file:
                for view in views:
                    file.write(view)
                    file.write(bytes(-view.nbytes % _ALIGNMENT))
        except OSError:  # such as a full disk
            return ""
        return str(path)


_kept = threading.local()


def opened(parcel: Parcel, content: Content | None = None) -> Any:
    """Return the problem in a parcel, or None if this process needs the content.

    Each thread keeps the problem that it opened last. Arrays are never shared with the study's own objects, so a run
    cannot change them.

    Parameters
    ----------
    parcel : Parcel
        The parcel.
    content : Content, optional
        Its content, if this process has asked for it.

    Returns
    -------
    Problem or None
    """
    if getattr(_kept, "digest", "") != parcel.digest:
        found = _copied(content) if content is not None else _mapped(parcel)
        if found is None:
            return None
        _kept.problem, _kept.digest = unpack(found.head, found.arrays), parcel.digest
    return _kept.problem


def _copied(content: Content) -> Content:
    """Copy the arrays of a content to aligned memory."""
    arrays = []
    for array in content.arrays:
        view = memoryview(array).cast("B") if memoryview(array).nbytes else memoryview(b"")
        room = np.empty(view.nbytes + _ALIGNMENT, dtype=np.uint8)
        start = -room.ctypes.data % _ALIGNMENT
        room[start : start + view.nbytes] = view
        arrays.append(room[start : start + view.nbytes])
    return Content(content.head, arrays)


def _mapped(parcel: Parcel) -> Content | None:
    """Map the file of a parcel into memory; None if this process has no such file, or no small head."""
    if parcel.head is None:
        return None
    steps = [size + -size % _ALIGNMENT for size in parcel.sizes]
    try:
        if os.path.getsize(parcel.path) != sum(steps):
            return None
        view = memoryview(_map(parcel.path)) if sum(steps) else memoryview(b"")
    except OSError:
        return None
    starts = np.cumsum([0, *steps])
    arrays = [view[start : start + size] for start, size in zip(starts, parcel.sizes, strict=False)]
    return Content(parcel.head, arrays)


def _map(path: str) -> mmap.mmap:
    """Map a file; what a process writes into the memory stays its own."""
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
