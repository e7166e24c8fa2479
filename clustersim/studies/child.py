"""What a process of the pool does: take a task from its pipe, do it, and send back the answer.

The pipes are the process's first standard input and output. They are moved out of the way before any user's code can
read from the one or print to the other; what a user's code prints goes to the standard error stream. Data flows in
from `clustersim.studies.pool` and back to it.
"""

import os
import queue
import signal
import sys
import threading
import time
from typing import IO

from clustersim.studies.packing import pack, unpack
from clustersim.studies.pipe_messages import ANSWER, ERROR, PROGRESS, pack_fraction, receive, send

__all__ = ["main", "report"]

_EVERY = 0.1  # seconds between two messages of progress

_answers: IO[bytes] | None = None  # in a process of the pool: the pipe to the parent
_reported = 0.0  # when the last message of progress was sent


def report(fraction: float) -> None:
    """Tell the parent how much of the present task is done, if this is a process of a pool."""
    global _reported  # noqa: PLW0603 - a process has one parent
    now = time.monotonic()
    if _answers is not None and now - _reported >= _EVERY:
        _reported = now
        send(_answers, PROGRESS, pack_fraction(fraction))


def main() -> None:
    """Serve the parent until it closes the pipe or dies."""
    global _answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the parent to heed
    tasks, _answers = _private_pipes()
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks, waiting), daemon=True).start()
    while True:
        send(_answers, *_done(waiting.get()))


def _listen(tasks: IO[bytes], waiting: "queue.SimpleQueue[bytes]") -> None:
    """Take in tasks; when the parent is gone, end at once, even in the midst of one: nobody would take its answer."""
    try:
        while True:
            waiting.put(receive(tasks)[1])
    except (OSError, EOFError):
        os._exit(0)


def _done(packed: bytes) -> tuple[bytes, bytes]:
    """Do a task; what it raises is its answer too."""
    try:
        function, args, kwargs = unpack(packed)
        return ANSWER, pack(function(*args, **kwargs))
    except Exception as error:
        return ERROR, _packed_error(error)


def _packed_error(error: Exception) -> bytes:
    """An error as bytes; one that cannot be carried is told in words."""
    try:
        content = pack(error)
        unpack(content)
    except Exception:
        return pack(RuntimeError(f"{type(error).__name__}: {error}"))
    return content


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the parent; from now on reading finds nothing, and printing goes to the standard error stream."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdout.flush()
    return tasks, answers
