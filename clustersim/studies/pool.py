"""A pool of processes that neither a signal nor the death of a process can hang.

Every process has two pipes of its own and shares no lock or queue with the others. When a process dies, its pipe ends:
the pool sees that at once, gives the task to a fresh process, and gives it up when that one dies too. When the parent
dies, the children's pipes end, and so do the children. Shutting down kills the children, which is safe, since only the
parent writes files. The standard library's pool shares its queues between all processes, so a process that is killed
at the wrong moment can leave the others, and the parent, waiting for ever.

Data flows in from `clustersim.studies.execution` as functions and arguments, packed into bytes; it crosses a pipe to
`clustersim.studies.child`, and the packed answer comes back as the result of a `Future`.
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

_APART: dict[str, Any]  # Ctrl-C in a terminal reaches all processes of its group, but it is for the parent to heed
if sys.platform == "win32":
    _APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    _APART = {"process_group": 0}


class ProcessDied(BrokenExecutor):
    """The process that worked on a task died, and so did the one that tried it again."""


class _Task(NamedTuple):
    """What is to be done, and where the answer goes; it is packed when its turn comes, lest all copies wait at once."""

    future: "Future[Any]"
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class WorkerPool(Executor):
    """An executor of fresh processes, started when there is work for them.

    A thread for each process hands it one task at a time. Between these threads and whoever submits tasks there are
    only operations that a signal cannot leave half done, so an exception such as Ctrl-C, wherever it strikes, leaves no
    lock behind that a thread would wait for.

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
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()  # None: there will be no more
        self._threads: list[threading.Thread] = []
        self._children: list[_Child | None] = [None] * self._jobs
        self._fractions = [0.0] * self._jobs
        self._closed = self._killed = False

    def submit(self, fn: Callable[..., _Result], /, *args: Any, **kwargs: Any) -> "Future[_Result]":
        """Hand over a call to be done in one of the processes.

        Raises
        ------
        RuntimeError
            If the pool has been shut down.
        """
        if self._closed:
            raise RuntimeError("the pool has been shut down; submit tasks before that")
        future: Future[_Result] = Future()
        self._tasks.put(_Task(future, (fn, args, kwargs)))
        if (place := len(self._threads)) < self._jobs:
            thread = threading.Thread(target=self._serve, args=(place,), daemon=True)  # a daemon lets Python end
            self._threads.append(thread)
            thread.start()
        return future

    @property
    def under_way(self) -> float:
        """How much of the tasks that are being worked on is done, added up; each counts 0 to 1."""
        return sum(self._fractions)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks; end the processes when all are done.

        Parameters
        ----------
        wait : bool, default True
            Return only when the processes have ended.
        cancel_futures : bool, default False
            Cancel the tasks that have not begun, and kill the processes of those that have.
        """
        self._closed = True
        self._killed = self._killed or cancel_futures
        for _ in self._threads:
            self._tasks.put(None)
        for child in self._children if self._killed else ():
            if child is not None:
                child.kill()
        for thread in self._threads if wait else ():
            if thread.ident is not None:  # it has been started
                thread.join(_PATIENCE if self._killed else None)

    # ------------------------------------------------------------------ in the thread of each process

    def _serve(self, place: int) -> None:
        """Give tasks to one process at a time, until there will be no more."""
        while (task := self._tasks.get()) is not None:
            if self._killed:
                task.future.cancel()
            elif task.future.set_running_or_notify_cancel():
                try:
                    self._work(place, task)
                except BaseException as error:  # whatever it is, somebody waits for an answer
                    self._end(place)
                    task.future.set_exception(error)
                self._fractions[place] = 0.0
        self._end(place)

    def _work(self, place: int, task: _Task) -> None:
        """See to it that a task gets an answer, or an error if its processes die."""
        packed = pack(task.call)
        for _ in range(_ATTEMPTS):
            child = self._child(place)
            try:
                kind, content = self._asked(place, child, packed)
                return _deliver(task.future, kind, content)
            except (OSError, EOFError) as error:
                reason = error
                self._end(place)
                if self._killed:
                    break
        died = ProcessDied("the process that worked on it died, and so did the one that tried it again")
        died.__cause__ = reason
        return task.future.set_exception(died)

    def _child(self, place: int) -> "_Child":
        """The process at a place, started if there is none, and killed at once if the pool has been by now."""
        child = self._children[place] = self._children[place] or _Child()
        if self._killed:
            child.kill()
        return child

    def _end(self, place: int) -> None:
        """End the process at a place, if there is one."""
        child, self._children[place] = self._children[place], None
        if child is not None:
            child.close()

    def _asked(self, place: int, child: "_Child", packed: bytes) -> tuple[bytes, bytes]:
        """Send a task, follow its progress, and return the kind and the content of the answer."""
        child.send(packed)
        while True:
            kind, content = child.receive()
            if kind != PROGRESS:
                return kind, content
            self._fractions[place] = unpack_fraction(content)


def _deliver(future: "Future[Any]", kind: bytes, content: bytes) -> None:
    """Hand an answer to whoever waits for it; one that cannot be unpacked is an error too."""
    try:
        answer = unpack(content)
    except Exception as error:
        future.set_exception(error)
        return
    if kind == ERROR:
        future.set_exception(answer)
    else:
        future.set_result(answer)


class _Child:
    """A process and the pipes to and from it."""

    def __init__(self) -> None:
        path = [str(folder) for folder in sys.path if isinstance(folder, str)]  # Python ignores whatever else is there
        program = f"import sys; sys.path[:] = {path!r}; from clustersim.studies.child import main; main()"
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **_APART
        )

    def send(self, packed: bytes) -> None:
        send(cast("IO[bytes]", self._process.stdin), TASK, packed)

    def receive(self) -> tuple[bytes, bytes]:
        return receive(cast("IO[bytes]", self._process.stdout))

    def kill(self) -> None:
        """End the process at once; safe to be called twice, and while another thread reads from it."""
        self._process.kill()

    def close(self) -> None:
        """End the process and close the pipes; only for the thread that reads from it."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not sent cannot be flushed
                cast("IO[bytes]", pipe).close()


@contextmanager
def process_pool(jobs: int) -> Iterator[Executor | None]:
    """A pool of `jobs` fresh processes, or None for one job.

    When an exception leaves the block, such as Ctrl-C, the processes are killed. Nothing is lost by that, for finished
    runs are written by this process.

    Parameters
    ----------
    jobs : int
        Number of processes, at least 1.

    Yields
    ------
    Executor or None
        To be handed to `Study.run`.

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
