"""Packing objects, including the user's own functions and classes, into bytes for another process.

Cloudpickle handles lambdas and the classes of scripts and notebooks, which plain pickle cannot. This module changes two
details. Cloudpickle drops the file name of code; here code keeps it, so that errors show file and line in every
process. And when a class is packed and unpacked in one process, cloudpickle replaces its methods by copies that do not
see later changes of globals; here a class stays as it is in the process where it was defined.

`clustersim.studies.study`, `clustersim.studies.parcels` and `clustersim.studies.pool` pack; the packed bytes travel
between the processes of a study, and `clustersim.studies.jobs` and `clustersim.studies.child` unpack them. They are
never written to a file.
"""

import io
import pickle
from collections import ChainMap
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any, ClassVar
from weakref import WeakSet

import cloudpickle

from clustersim.errors import ConfigurationError
from clustersim.studies.sources import remembered_file

__all__ = ["pack", "unpack"]

_NO_FILE = "<dynamic-code>"  # cloudpickle 3.1.3 and later write this instead of the file name

_packed_here: WeakSet[type] = WeakSet()


def _reduced_code(code: CodeType) -> tuple[Any, ...]:
    """Return cloudpickle's recipe for a code object, with the name of its file."""
    make, arguments = cloudpickle.Pickler.dispatch_table[CodeType](code)
    file = code.co_filename if code.co_filename != _NO_FILE else remembered_file(code) or _NO_FILE
    return make, tuple(file if argument == _NO_FILE else argument for argument in arguments)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc] # cloudpickle has no types
    """The pickler of cloudpickle, except that code keeps the name of its file."""

    dispatch_table: ClassVar[Any] = ChainMap({CodeType: _reduced_code}, cloudpickle.Pickler.dispatch_table)

    def reducer_override(self, obj: Any) -> Any:
        """Remember classes that are packed by value; cloudpickle does the rest."""
        if isinstance(obj, type):
            _packed_here.add(obj)
        return super().reducer_override(obj)


class _Unpickler(pickle.Unpickler):
    """The unpickler of pickle, except that a class that was packed in this process stays unchanged."""

    def find_class(self, module: str, name: str) -> Any:
        """Find an object by module and name."""
        found = super().find_class(module, name)
        return _unless_packed_here(found) if name == "_class_setstate" else found


def _unless_packed_here(fill: Callable[[type, Any], Any]) -> Callable[[type, Any], Any]:
    """Wrap the function that fills a class, so that classes packed in this process are left alone."""
    return lambda kind, state: kind if kind in _packed_here else fill(kind, state)


def pack(thing: Any, apart: Callable[[pickle.PickleBuffer], Any] | None = None) -> bytes:
    """Pack an object into bytes.

    Parameters
    ----------
    thing : object
        Any object; it may contain lambdas, closures, and classes of scripts and notebooks.
    apart : callable, optional
        Called with each array in the object, which then stays out of the bytes. `unpack` needs these arrays again.

    Returns
    -------
    bytes

    Examples
    --------
    >>> unpack(pack(lambda t: 0.5 / t))(2)
    0.25
    """
    sink = io.BytesIO()
    callback = None if apart is None else lambda array: bool(apart(array))  # a false value keeps it out of the bytes
    _Pickler(sink, buffer_callback=callback).dump(thing)
    return sink.getvalue()


def unpack(content: bytes, arrays: Iterable[Any] = ()) -> Any:
    """Unpack bytes from `pack` into a copy of the object, in the same process or in another.

    Parameters
    ----------
    content : bytes
        Trusted bytes: unpacking can execute code, so they must not come from a file or a stranger.
    arrays : iterable of buffer
        The arrays that `pack` kept apart, in the same order. They may come from a file, because they are only numbers.

    Raises
    ------
    ConfigurationError
        If the bytes name a module that this process cannot import.
    """
    try:
        return _Unpickler(io.BytesIO(content), buffers=arrays).load()
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"another process cannot import the module {error.name!r}, in which a part of the study is defined; "
            "install it, or add its folder to the environment variable PYTHONPATH"
        ) from error
