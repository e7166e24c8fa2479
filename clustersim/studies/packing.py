"""Objects as bytes that cross to another process, the user's own functions and classes among them.

Cloudpickle carries lambdas and the classes of scripts and notebooks, which plain pickle cannot. Two of its habits are
changed here. It forgets in which file code was written; here code keeps its file, so that an error is told with file
and line in every process. And it replaces the methods of a class that has been packed and unpacked in one process by
copies that see no later change of a global; here a class stays as it is in the process that it comes from.

Data flows in from `clustersim.studies.study`, and out to `clustersim.studies.execution`.
"""

import io
import pickle
from collections import ChainMap
from collections.abc import Callable
from types import CodeType
from typing import Any, ClassVar
from weakref import WeakSet

import cloudpickle

from clustersim.errors import ConfigurationError
from clustersim.studies.sources import noted_file

__all__ = ["pack", "unpack"]

_NO_FILE = "<dynamic-code>"  # what cloudpickle from 3.1.3 on writes in place of a file's name

_packed_here: WeakSet[type] = WeakSet()


def _reduced_code(code: CodeType) -> tuple[Any, ...]:
    """Cloudpickle's recipe of a code object, with the name of its file."""
    make, arguments = cloudpickle.Pickler.dispatch_table[CodeType](code)
    file = code.co_filename if code.co_filename != _NO_FILE else noted_file(code) or _NO_FILE
    return make, tuple(file if argument == _NO_FILE else argument for argument in arguments)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc] # cloudpickle has no types
    """Cloudpickle's, but code keeps the name of its file."""

    dispatch_table: ClassVar[Any] = ChainMap({CodeType: _reduced_code}, cloudpickle.Pickler.dispatch_table)

    def reducer_override(self, obj: Any) -> Any:
        """Note classes that are packed by value, and leave the work to cloudpickle."""
        if isinstance(obj, type):
            _packed_here.add(obj)
        return super().reducer_override(obj)


class _Unpickler(pickle.Unpickler):
    """Pickle's, but a class that was packed in this process keeps its methods and attributes."""

    def find_class(self, module: str, name: str) -> Any:
        """Find what the bytes name."""
        found = super().find_class(module, name)
        return _unless_packed_here(found) if name == "_class_setstate" else found


def _unless_packed_here(fill: Callable[[type, Any], Any]) -> Callable[[type, Any], Any]:
    """Fill a class with its methods and attributes, unless it comes from this process and has them."""
    return lambda kind, state: kind if kind in _packed_here else fill(kind, state)


def pack(thing: Any) -> bytes:
    """Turn an object into bytes.

    Parameters
    ----------
    thing : object
        Lambdas, closures, and classes of scripts and notebooks may be in it.

    Returns
    -------
    bytes

    Examples
    --------
    >>> unpack(pack(lambda t: 0.5 / t))(2)
    0.25
    """
    sink = io.BytesIO()
    _Pickler(sink).dump(thing)
    return sink.getvalue()


def unpack(content: bytes) -> Any:
    """Turn bytes that `pack` made into a copy of the object, in the same process or in another.

    Parameters
    ----------
    content : bytes
        They are trusted: they must not come from a file or a stranger.

    Raises
    ------
    ConfigurationError
        If they name a module that this process cannot import.
    """
    try:
        return _Unpickler(io.BytesIO(content)).load()
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"another process cannot import the module {error.name!r}, in which a part of the study is defined; "
            "install it, or name the folder that holds it in the environment variable PYTHONPATH"
        ) from error
