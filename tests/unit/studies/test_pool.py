"""The pool of processes: answers come back, and neither deaths nor signals leave anybody waiting."""

import io
import operator
import os
import signal
import sys
import threading
import time
import tracemalloc
from concurrent.futures import CancelledError
from types import ModuleType

import pytest

import clustersim as cs
from clustersim.studies import WorkerPool, child, process_pool
from clustersim.studies.pipe_messages import RESULT, receive
from clustersim.studies.pool import ProcessDied


@pytest.fixture(scope="module")
def pool():
    """One for all tests, for it takes seconds to start, and survives whatever they do to it."""
    with process_pool(2) as executor:
        yield executor


def once(path, act):
    """A function that acts when it is called for the first time, and returns 7 later."""

    def call():
        if path.exists():
            return 7
        path.touch()
        return act()

    return call


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_the_midst_of_a_message():
    """Send the head of a long result message and a part of its content, and die."""
    child._to_parent.write(RESULT + (10**6).to_bytes(8, "big") + b"half")
    child._to_parent.flush()
    die()


def test_answers_come_back_in_whatever_order_they_are_asked_for(pool):
    futures = [pool.submit(operator.mul, i, big) for i, big in enumerate([b"x" * 10**6] * 6)]
    assert [len(future.result()) for future in futures] == [i * 10**6 for i in range(6)]
    assert pool.submit(lambda x, *, y: x - y, 5, y=3).result() == 2


@pytest.mark.parametrize("death", [die, die_in_the_midst_of_a_message, lambda: sys.exit(3), lambda: os._exit(0)])
def test_a_task_whose_process_dies_is_tried_again(pool, tmp_path, death):
    assert pool.submit(once(tmp_path / "tried", death)).result() == 7
    with pytest.raises(ProcessDied, match="so did the process that repeated it"):
        pool.submit(death).result()
    assert pool.submit(abs, -3).result() == 3


class HeavyError(Exception):
    """Cannot be carried to another process."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


class Odd:
    """Becomes an error when it is unpacked."""

    def __reduce__(self):
        return operator.truediv, (1, 0)


def raising(error):
    raise error


def test_errors_come_back_whatever_they_are_made_of(pool):
    with pytest.raises(ZeroDivisionError):
        pool.submit(operator.truediv, 1, 0).result()
    with pytest.raises(RuntimeError, match="HeavyError: one and two"):
        pool.submit(lambda: raising(HeavyError("one", "two"))).result()
    with pytest.raises(ZeroDivisionError):
        pool.submit(Odd).result()
    with pytest.raises(Exception, match="lock"):  # an answer that cannot be packed
        pool.submit(threading.Lock).result()
    assert pool.submit(abs, -3).result() == 3


def test_what_a_task_prints_and_reads_does_not_disturb_the_pipes(capfd):
    def talk():
        sys.stdout.write("to standard output\n")
        sys.stdout.flush()
        os.write(1, b"more\n")
        return sys.stdin.read()

    with WorkerPool(1) as executor:
        assert executor.submit(talk).result() == ""
    assert capfd.readouterr().err == "to standard output\nmore\n"


def test_processes_see_the_parents_path(monkeypatch, tmp_path):
    (tmp_path / "of_the_user.py").write_text("VALUE = 9\n")
    monkeypatch.syspath_prepend(tmp_path)
    with WorkerPool(1) as executor:
        assert executor.submit(lambda: __import__("of_the_user").VALUE).result() == 9


def test_a_module_that_only_the_parent_knows_is_named(pool, monkeypatch):
    module = ModuleType("made_by_hand")
    exec("def one():\n    return 1", vars(module))  # noqa: S102 - our own text
    monkeypatch.setitem(sys.modules, "made_by_hand", module)
    with pytest.raises(cs.ConfigurationError, match=r"cannot import the module 'made_by_hand'.*PYTHONPATH"):
        pool.submit(module.one).result()


def test_a_path_that_python_ignores_is_no_harm(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [tmp_path, *sys.path])
    with WorkerPool(1) as executor:
        assert executor.submit(abs, -3).result() == 3


def test_whatever_befalls_the_thread_of_a_process_the_caller_hears_of_it(monkeypatch):
    def exhausted(pipe):
        raise MemoryError

    with WorkerPool(1) as executor:
        with monkeypatch.context() as patch:
            patch.setattr("clustersim.studies.pool.receive", exhausted)
            with pytest.raises(MemoryError):
                executor.submit(abs, -3).result(timeout=60)
        assert executor.submit(abs, -3).result(timeout=60) == 3


def test_words_in_place_of_a_message_are_no_message():
    with pytest.raises(OSError, match=r"expected a message of the pool.*received other bytes"):
        receive(io.BytesIO(b"hello from sitecustomize\n"))


def test_calls_that_wait_share_their_arguments():
    """Otherwise a study with a large problem would hold a copy of it for each of its runs."""
    content = bytes(1 << 20)
    with WorkerPool(1) as executor:
        executor.submit(time.sleep, 1.0)
        tracemalloc.start()
        futures = [executor.submit(len, content) for _ in range(20)]
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert grown < 4 << 20
        assert {future.result() for future in futures} == {1 << 20}


def test_progress_is_told_while_a_task_is_under_way(pool, tmp_path):
    def working():
        child.report(0.25)
        while not (tmp_path / "seen").exists():
            time.sleep(0.01)

    future = pool.submit(working)
    while pool.under_way != 0.25:
        time.sleep(0.01)
    (tmp_path / "seen").touch()
    future.result()
    while pool.under_way:
        time.sleep(0.01)


def test_leaving_by_an_exception_kills_what_is_under_way_and_cancels_the_rest(tmp_path):
    def forever(name):
        (tmp_path / name).write_text(str(os.getpid()))
        time.sleep(1000)

    def interrupted():
        with process_pool(2) as executor:
            futures.extend(executor.submit(forever, str(i)) for i in range(4))
            while not ((tmp_path / "0").exists() and (tmp_path / "1").exists()):
                time.sleep(0.01)
            raise KeyboardInterrupt

    futures = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    for future in futures[:2]:
        with pytest.raises(ProcessDied):
            future.result()
    for future in futures[2:]:
        with pytest.raises(CancelledError):
            future.result()
    assert not (tmp_path / "2").exists()


def test_a_pool_that_is_left_in_peace_does_all_that_was_asked():
    with WorkerPool(2) as executor:
        futures = [executor.submit(abs, -i) for i in range(5)]
    assert [future.result() for future in futures] == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(abs, 3)


def test_a_cancelled_task_is_not_begun(tmp_path):
    with WorkerPool(1) as executor:
        first = executor.submit(time.sleep, 0.2)
        second = executor.submit((tmp_path / "begun").touch)
        assert second.cancel()
        first.result()
    assert not (tmp_path / "begun").exists()


@pytest.mark.parametrize("jobs", [0, 1.5, "2"])
def test_bad_numbers_of_jobs_are_named(jobs):
    with pytest.raises(cs.ConfigurationError, match=f"jobs = {jobs!r}"), process_pool(jobs):
        pass
