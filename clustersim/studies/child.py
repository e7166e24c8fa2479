"""A process of the pool: it receives tasks through a pipe, executes them, and sends the results back.

The pipes are the original standard input and output of the process. They are moved to other descriptors before the
user's code can read from or print to them; what that code prints goes to the standard error stream. The other end of
the pipes is `clustersim.studies.pool`.
"""

import os
import queue
import signal
import sys
import threading
import time
from typing import IO

from clustersim.studies.packing import pack, unpack
from clustersim.studies.pipe_messages import ERROR, PROGRESS, RESULT, pack_fraction, receive, send

__all__ = ["main", "report"]

_EVERY = 0.1  # seconds between two progress messages

_to_parent: IO[bytes] | None = None  # in a process of the pool: the pipe to the parent
_reported = 0.0  # time of the last progress message


def report(progress: float) -> None:
    """Report the progress of the present task to the parent, if this is a process of a pool.

    For a chunk of runs, it is the number of runs that are over, and the finished part of the present one.
    """
    global _reported  # noqa: PLW0603 - a process has one parent
    now = time.monotonic()
    if _to_parent is not None and now - _reported >= _EVERY:
        _reported = now
        send(_to_parent, PROGRESS, pack_fraction(progress))


def main() -> None:
    """Execute the tasks of the parent until it closes the pipe or dies."""
    global _to_parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the parent handles it
    tasks, _to_parent = _private_pipes()
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks, waiting), daemon=True).start()
    while True:
        send(_to_parent, *_executed(waiting.get()))


def _listen(tasks: IO[bytes], waiting: "queue.SimpleQueue[bytes]") -> None:
    """Receive tasks. When the parent has gone, exit at once, even during a task: nobody would receive the result."""
    try:
        while True:
            waiting.put(receive(tasks)[1])
    except (OSError, EOFError):
        os._exit(0)


def _executed(packed: bytes) -> tuple[bytes, bytes]:
    """Execute a task; return the kind and content of the message with its result or its error."""
    try:
        function, args, kwargs = unpack(packed)
        return RESULT, pack(function(*args, **kwargs))
    except Exception as error:
        return ERROR, _packed_error(error)


def _packed_error(error: Exception) -> bytes:
    """Pack an error; if it cannot be packed, pack a RuntimeError with its name and message."""
    try:
        content = pack(error)
        unpack(content)
    except Exception:
        return pack(RuntimeError(f"{type(error).__name__}: {error}"))
    return content


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes to the parent; redirect standard input to nothing and standard output to standard error."""
    tasks, to_parent = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdout.flush()
    return tasks, to_parent
