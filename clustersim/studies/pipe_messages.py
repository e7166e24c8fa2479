"""Messages between a pool and its processes: one byte for the kind, eight bytes for the length, and the content.

`clustersim.studies.pool` and `clustersim.studies.child` exchange them through pipes that no other process uses.
"""

import struct
from typing import IO

__all__ = ["ERROR", "PROGRESS", "RESULT", "TASK", "pack_fraction", "receive", "send", "unpack_fraction"]

TASK, RESULT, ERROR, PROGRESS = b"t", b"r", b"e", b"p"
_KINDS = (TASK, RESULT, ERROR, PROGRESS)
_HEAD = struct.Struct("!cQ")
_FRACTION = struct.Struct("!d")


def send(pipe: IO[bytes], kind: bytes, content: bytes) -> None:
    """Write one message.

    Raises
    ------
    OSError
        If the other end has been closed.
    """
    pipe.write(_HEAD.pack(kind, len(content)))
    pipe.write(content)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    """Read one message: its kind and its content.

    Raises
    ------
    EOFError
        If the other end has been closed, perhaps in the middle of a message.
    OSError
        If the received bytes are not a message.
    """
    kind, length = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if kind not in _KINDS:  # such as text that a user's sitecustomize prints while Python starts
        raise OSError(f"expected a message of the pool from the pipe, received other bytes that begin with {kind!r}")
    return kind, _exactly(pipe, length)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        raise EOFError("the other end of the pipe has been closed")
    return content


def pack_fraction(fraction: float) -> bytes:
    """Make the content of a progress message.

    Examples
    --------
    >>> unpack_fraction(pack_fraction(0.25))
    0.25
    """
    return _FRACTION.pack(fraction)


def unpack_fraction(content: bytes) -> float:
    """Read the fraction from the content of a progress message."""
    return float(_FRACTION.unpack(content)[0])
