"""The rules of a worker without an engine: its reports and their times, computed by hand."""

import math

import pytest

from clustersim.engine.worker import Task, Worker


class Driver:
    """A clock that goes from one event to the next, and a list of the reports of one worker."""

    def __init__(self, ends=(1.0,)):
        self.reports, self.alarm = [], math.inf
        self.worker = Worker(self, ends, self)

    def set(self, at, /):
        self.alarm = min(self.alarm, at)

    def send(self, number, at, busy, compute):
        self.run(at)
        self.worker.receive(Task(0, number, number, None, busy, 0.0, compute), at)

    def run(self, until=math.inf):
        while (now := self.alarm) <= until and now < math.inf:
            self.alarm = math.inf
            self.worker.wake(now)

    def finished(self, task, now, /):
        self.reports.append(("finished", task.number, now))

    def cut(self, task, blocks, share, now, /):
        self.reports.append(("cut", task.number, blocks, share, now))

    def abandoned(self, task, now, /):
        self.reports.append(("abandoned", task.number, now))

    def cancelled(self, task, now, /):
        self.reports.append(("cancelled", task.number, now))

    def lost(self, task, now, /):
        self.reports.append(("lost", task.number, now))


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ("restart", [("abandoned", 0, 2.0), ("abandoned", 1, 3.0), ("finished", 2, 7.0)]),
        ("send", [("cut", 0, 2, 0.5, 2.0), ("cut", 1, 1, 0.25, 3.0), ("finished", 2, 7.0)]),
        ("finish", [("cancelled", 1, 3.0), ("finished", 0, 4.0), ("finished", 2, 8.0)]),
        ("queue", [("finished", 0, 4.0), ("finished", 1, 8.0), ("finished", 2, 12.0)]),
    ],
)
def test_what_a_busy_worker_does_with_newer_models(busy, expected):
    """Three models at 0, 2 and 3 s, four seconds of work each, in four blocks."""
    driver = Driver(ends=(0.25, 0.5, 0.75, 1.0))
    for number, at in enumerate((0.0, 2.0, 3.0)):
        driver.send(number, at, busy, 4.0)
    driver.run()
    assert driver.reports == expected


def test_an_overtaken_model_is_cancelled_unless_all_are_queued():
    driver = Driver()
    driver.send(2, 0.0, "restart", 1.0)
    driver.send(0, 0.5, "restart", 1.0)
    driver.send(1, 0.5, "queue", 1.0)
    driver.run()
    assert driver.reports == [("cancelled", 0, 0.5), ("finished", 2, 1.0), ("finished", 1, 2.0)]


def test_work_that_never_ends_is_dropped_whether_the_next_model_waits_or_arrives_later():
    driver = Driver()
    driver.send(0, 0.0, "queue", 1.0)
    driver.send(1, 0.0, "queue", math.inf)
    driver.send(2, 0.0, "queue", math.inf)
    driver.send(3, 5.0, "finish", 2.0)
    driver.run()
    assert driver.reports == [
        ("finished", 0, 1.0), ("lost", 1, 1.0), ("abandoned", 1, 1.0), ("lost", 2, 1.0), ("abandoned", 2, 5.0),
        ("finished", 3, 7.0),
    ]  # fmt: skip


def test_a_worker_may_be_woken_too_early_and_asks_again():
    """It is woken at 1 s, as it had set, although the work has been replaced by work that takes until 5.5 s."""
    driver = Driver()
    driver.send(0, 0.0, "restart", 1.0)
    driver.send(1, 0.5, "restart", 5.0)
    driver.worker.wake(1.0)
    assert driver.reports == [("abandoned", 0, 0.5)]
    driver.run()
    assert driver.reports[1:] == [("finished", 1, 5.5)]
