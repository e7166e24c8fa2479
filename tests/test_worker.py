"""The rules of a worker on its own, told by hand: what it reports, and when."""

import math

import pytest

from clustersim.engine.worker import Task, Worker


class Driver:
    """Models at given times, and a clock that goes from one event to the next; what is reported ends up in `heard`."""

    def __init__(self, ends=(1.0,)):
        self.heard, self.alarm = [], math.inf
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
        self.heard.append(("finished", task.number, now))

    def cut(self, task, blocks, share, now, /):
        self.heard.append(("cut", task.number, blocks, share, now))

    def abandoned(self, task, now, /):
        self.heard.append(("abandoned", task.number, now))

    def cancelled(self, task, now, /):
        self.heard.append(("cancelled", task.number, now))

    def lost(self, task, now, /):
        self.heard.append(("lost", task.number, now))


@pytest.mark.parametrize(
    ("busy", "told"),
    [
        ("restart", [("abandoned", 0, 2.0), ("abandoned", 1, 3.0), ("finished", 2, 7.0)]),
        ("send", [("cut", 0, 2, 0.5, 2.0), ("cut", 1, 1, 0.25, 3.0), ("finished", 2, 7.0)]),
        ("finish", [("cancelled", 1, 3.0), ("finished", 0, 4.0), ("finished", 2, 8.0)]),
        ("queue", [("finished", 0, 4.0), ("finished", 1, 8.0), ("finished", 2, 12.0)]),
    ],
)
def test_what_a_busy_worker_does_with_newer_models(busy, told):
    """Three models at 0, 2 and 3 s, four seconds of work each, in four blocks."""
    driver = Driver(ends=(0.25, 0.5, 0.75, 1.0))
    for number, at in enumerate((0.0, 2.0, 3.0)):
        driver.send(number, at, busy, 4.0)
    driver.run()
    assert driver.heard == told


def test_an_overtaken_model_is_put_aside_unless_all_are_queued():
    driver = Driver()
    driver.send(2, 0.0, "restart", 1.0)
    driver.send(0, 0.5, "restart", 1.0)
    driver.send(1, 0.5, "queue", 1.0)
    driver.run()
    assert driver.heard == [("cancelled", 0, 0.5), ("finished", 2, 1.0), ("finished", 1, 2.0)]


def test_work_that_never_ends_gives_way_whether_the_next_model_waits_or_comes_later():
    driver = Driver()
    driver.send(0, 0.0, "queue", 1.0)
    driver.send(1, 0.0, "queue", math.inf)
    driver.send(2, 0.0, "queue", math.inf)
    driver.send(3, 5.0, "finish", 2.0)
    driver.run()
    assert driver.heard == [
        ("finished", 0, 1.0), ("lost", 1, 1.0), ("abandoned", 1, 1.0), ("lost", 2, 1.0), ("abandoned", 2, 5.0),
        ("finished", 3, 7.0),
    ]  # fmt: skip


def test_a_worker_may_be_woken_too_early_and_asks_again():
    """Set for 1 s, and woken then though the work has been replaced by some that takes until 5.5 s."""
    driver = Driver()
    driver.send(0, 0.0, "restart", 1.0)
    driver.send(1, 0.5, "restart", 5.0)
    driver.worker.wake(1.0)
    assert driver.heard == [("abandoned", 0, 0.5)]
    driver.run()
    assert driver.heard[1:] == [("finished", 1, 5.5)]
