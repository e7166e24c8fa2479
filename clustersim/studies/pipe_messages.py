"""Messages between a pool and its processes: a kind of one byte, a length of eight, and the content.

Data flows between `clustersim.studies.pool` and `clustersim.studies.child`, over a pipe that only those two hold.
"""

import struct
from typing import IO

__all__ = ["ANSWER", "ERROR", "PROGRESS", "TASK", "pack_fraction", "receive", "send", "unpack_fraction"]

TASK, ANSWER, ERROR, PROGRESS = b"t", b"a", b"e", b"p"
_KINDS = (TASK, ANSWER, ERROR, PROGRESS)
_HEAD = struct.Struct("!cQ")
_FRACTION = struct.Struct("!d")


def send(pipe: IO[bytes], kind: bytes, content: bytes) -> None:
    """Write one message.

    Raises
    ------
    OSError
        If nobody reads at the other end any more.
    """
    pipe.write(_HEAD.pack(kind, len(content)))
    pipe.write(content)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    """Read one message: its kind and its content.

    Raises
    ------
    EOFError
        If the other end has been closed, perhaps in the midst of a message.
    OSError
        If what comes is no message.
    """
    kind, length = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if kind not in _KINDS:  # such as what a user's sitecustomize prints while Python starts
        raise OSError(f"something else than a message came through the pipe: {kind!r}")
    return kind, _exactly(pipe, length)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        raise EOFError("the other end of the pipe has been closed")
    return content


def pack_fraction(fraction: float) -> bytes:
    """The content of a message of progress.

    Examples
    --------
    >>> unpack_fraction(pack_fraction(0.25))
    0.25
    """
    return _FRACTION.pack(fraction)


def unpack_fraction(content: bytes) -> float:
    """The fraction in a message of progress."""
    return float(_FRACTION.unpack(content)[0])
