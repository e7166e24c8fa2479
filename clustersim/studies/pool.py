"""A pool of processes that survives signals and the death of its processes without hanging.

Every process has two pipes of its own and shares no lock or queue with the others. When a process dies, its pipe is
closed. The pool notices at once, gives the task to a new process, and gives up if that one dies too. When the parent
dies, the pipes of the children are closed, and the children exit. Shutting down kills the children; this is safe,
because only the parent writes files. The pool of the standard library shares its queues between all processes, so a
process that is killed at the wrong moment can leave the others and the parent waiting for ever.

`clustersim.studies.execution` submits functions and arguments. They are packed into bytes and go through a pipe to
`clustersim.studies.child`. The packed result comes back as the result of a `Future`.
"""

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from typing import IO, Any, NamedTuple, TypeVar, cast

from clustersim.checks import integer
from clustersim.studies.packing import pack, unpack
from clustersim.studies.pipe_messages import ERROR, PROGRESS, TASK, receive, send, unpack_fraction

__all__ = ["ProcessDied", "WorkerPool", "process_pool"]

_ATTEMPTS = 2
_PATIENCE = 10.0  # seconds to wait for a thread whose process has been killed
_Result = TypeVar("_Result")

_OWN_GROUP: dict[str, Any]  # Ctrl-C reaches all processes of the terminal's group, but only the parent handles it
if sys.platform == "win32":
    _OWN_GROUP = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    _OWN_GROUP = {"process_group": 0}


class ProcessDied(BrokenExecutor):
    """The process that worked on a task died, and so did the process that repeated the task."""


class _Call(NamedTuple):
    """A call and the future for its result. Calls are packed one at a time, to save memory."""

    future: "Future[Any]"
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class WorkerPool(Executor):
    """An executor of new processes, started when there is work for them.

    Each process has a thread that gives it one task at a time. These threads and the submitting thread share only
    operations that a signal cannot interrupt halfway. So an exception such as Ctrl-C, wherever it occurs, never leaves
    a lock behind that a thread would wait for.

    Parameters
    ----------
    jobs : int
        Number of processes, at least 1.

    Examples
    --------
    >>> with WorkerPool(2) as pool:
    ...     pool.submit(divmod, 7, 2).result()
    (3, 1)
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = integer("jobs", jobs, low=1)
        self._tasks: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()  # None: no more tasks will come
        self._threads: list[threading.Thread] = []
        self._children: list[_Child | None] = [None] * self._jobs
        self._fractions = [0.0] * self._jobs
        self._closed = self._killed = False

    def submit(self, fn: Callable[..., _Result], /, *args: Any, **kwargs: Any) -> "Future[_Result]":
        """Submit a call to be executed in one of the processes.

        Raises
        ------
        RuntimeError
            If the pool has been shut down.
        """
        if self._closed:
            raise RuntimeError("the pool has been shut down; submit tasks before that")
        future: Future[_Result] = Future()
        self._tasks.put(_Call(future, (fn, args, kwargs)))
        if (place := len(self._threads)) < self._jobs:
            thread = threading.Thread(
                target=self._serve, args=(place,), daemon=True
            )  # a daemon does not keep Python from exiting
            self._threads.append(thread)
            thread.start()
        return future

    @property
    def jobs(self) -> int:
        """The number of processes."""
        return self._jobs

    @property
    def under_way(self) -> float:
        """The progress that the tasks under way have reported, added up; see `clustersim.studies.child.report`."""
        return sum(self._fractions)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more tasks, and end the processes when all tasks are done.

        Parameters
        ----------
        wait : bool, default True
            Whether to wait until the processes have ended.
        cancel_futures : bool, default False
            Whether to cancel the tasks that have not begun and kill the processes of those that have.
        """
        self._closed = True
        self._killed = self._killed or cancel_futures
        for _ in self._threads:
            self._tasks.put(None)
        for child in self._children if self._killed else ():
            if child is not None:
                child.kill()
        for thread in self._threads if wait else ():
            if thread.ident is not None:  # the thread has been started
                thread.join(_PATIENCE if self._killed else None)

    # ------------------------------------------------------------------ in the thread of each process

    def _serve(self, place: int) -> None:
        """Give tasks to the process at this place, one at a time, until no more will come."""
        while (task := self._tasks.get()) is not None:
            if self._killed:
                task.future.cancel()
            elif task.future.set_running_or_notify_cancel():
                try:
                    self._work(place, task)
                except BaseException as error:  # of any kind, because the submitter waits for the future
                    self._end(place)
                    task.future.set_exception(error)
                self._fractions[place] = 0.0
        self._end(place)

    def _work(self, place: int, task: _Call) -> None:
        """Carry out a task and set its result, or an error if its processes die."""
        packed = pack(task.call)
        for _ in range(_ATTEMPTS):
            child = self._child(place)
            try:
                kind, content = self._exchange(place, child, packed)
                return _deliver(task.future, kind, content)
            except (OSError, EOFError) as error:
                reason = error
                self._end(place)
                if self._killed:
                    break
        died = ProcessDied("the process that executed it died, and so did the process that repeated it")
        died.__cause__ = reason
        return task.future.set_exception(died)

    def _child(self, place: int) -> "_Child":
        """Return the process at a place. Start one if there is none; kill it if the pool has been killed meanwhile."""
        try:
            child = self._children[place] = self._children[place] or _Child()
        except OSError as error:  # no fault of the task
            raise BrokenExecutor(f"no process can be started: {error.strerror or error}") from error
        if self._killed:
            child.kill()
        return child

    def _end(self, place: int) -> None:
        """End the process at a place, if there is one."""
        child, self._children[place] = self._children[place], None
        if child is not None:
            child.close()

    def _exchange(self, place: int, child: "_Child", packed: bytes) -> tuple[bytes, bytes]:
        """Send a task, record its progress, and return the kind and the content of the final message."""
        child.send(packed)
        while True:
            kind, content = child.receive()
            if kind != PROGRESS:
                return kind, content
            self._fractions[place] = unpack_fraction(content)


def _deliver(future: "Future[Any]", kind: bytes, content: bytes) -> None:
    """Set the result or the error of a future; content that cannot be unpacked is an error too."""
    try:
        result = unpack(content)
    except Exception as error:
        future.set_exception(error)
        return
    if kind == ERROR:
        future.set_exception(result)
    else:
        future.set_result(result)


class _Child:
    """A process and the pipes to and from it."""

    def __init__(self) -> None:
        path = [str(folder) for folder in sys.path if isinstance(folder, str)]  # Python ignores other types
        program = f"import sys; sys.path[:] = {path!r}; from clustersim.studies.child import main; main()"
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **_OWN_GROUP
        )

    def send(self, packed: bytes) -> None:
        send(cast("IO[bytes]", self._process.stdin), TASK, packed)

    def receive(self) -> tuple[bytes, bytes]:
        return receive(cast("IO[bytes]", self._process.stdout))

    def kill(self) -> None:
        """Kill the process; safe to call twice, and while another thread reads from it."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process and close the pipes; only the thread that reads from it may call this."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # unsent data cannot be flushed
                cast("IO[bytes]", pipe).close()


@contextmanager
def process_pool(jobs: int) -> Iterator[Executor | None]:
    """Provide a pool of `jobs` new processes, or None for one job.

    At the end of the block, also after an exception such as Ctrl-C, the processes are killed. No finished run is lost,
    because the calling process writes the files.

    Parameters
    ----------
    jobs : int
        Number of processes, at least 1.

    Yields
    ------
    Executor or None
        The executor for `Study.run`.

    Examples
    --------
    >>> with process_pool(1) as executor:
    ...     print(executor)
    None
    """
    if integer("jobs", jobs, low=1) == 1:
        yield None
        return
    pool = WorkerPool(jobs)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
