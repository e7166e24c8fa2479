"""How far a study is: a bar that moves within a run, and few lines in a log."""

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn
from small import small_study

import clustersim as cs
from clustersim import progress
from clustersim.progress import Bar, Log
from clustersim.studies import RunKey

KEY = RunKey("", "k [1]", 3)


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def logged(clock, moments):
    """The lines that a log of 40 runs prints when it hears, at given seconds, how many runs are over."""
    console = Console(file=io.StringIO(), width=80)
    log = Log(console)
    for clock[0], done, part in moments:
        log(int(done), 40, KEY if done else None)
        log.under_way(part)
    return console.file.getvalue().splitlines()


def test_a_short_study_leaves_no_line(clock):
    assert logged(clock, [(0.2 * i, i, 0.5) for i in range(41)]) == []


def test_a_long_study_leaves_one_line_a_minute(clock):
    lines = logged(clock, [(i / 10.0, 2 + i // 50_000, i % 50_000 / 50_000) for i in range(36_000)])
    assert len(lines) == 59, "the tenths of this hour lie farther apart than its minutes"
    assert lines[0] == "2 of 40 runs done; 0:01:00 elapsed, about 0:19:00 left"


def test_a_study_of_minutes_leaves_a_line_each_tenth_of_the_way(clock):
    lines = logged(clock, [(i, i // 5, i % 5 / 5) for i in range(201)])
    assert [int(line.split()[0]) for line in lines] == [4 * i for i in range(1, 10)]
    assert lines[4] == "20 of 40 runs done; 0:01:40 elapsed, about 0:01:40 left"


def test_what_was_there_before_does_not_count_as_speed():
    line = Log.line(done=30, runs=40, part=0.0, before=20, seconds=100.0)
    assert line == "30 of 40 runs done (20 were already stored); 0:01:40 elapsed, about 0:01:40 left"


def test_the_bar_moves_within_a_run_and_shows_whole_runs():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with Progress(TextColumn("{task.fields[done]} of {task.fields[runs]} {task.description}"), console=console) as rich:
        bar = Bar(rich)
        bar(0, 4, None)
        bar.under_way(1.5)
        assert (rich.tasks[0].completed, rich.tasks[0].total) == (1.5, 4)
        bar(2, 4, KEY)
        assert rich.tasks[0].completed == 2
        rich.refresh()
    assert "2 of 4 last: policy 'k [1]', replication 3" in re.sub(
        r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue()
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_study_tells_what_is_under_way(jobs, monkeypatch):
    """The runs' own evaluations are what moves the bar."""
    heard = []

    class Listener:
        def __call__(self, done, runs, key):
            heard.append((done, 0.0))

        def under_way(self, part):
            heard.append((heard[-1][0], part))

    monkeypatch.setattr("clustersim.studies.execution._TICK", 0.02)
    study = small_study(until=cs.Until(updates=6_000), replications=1)
    with cs.studies.process_pool(jobs) as executor:
        study.run(executor=executor, progress=Listener())
    whole = [done for done, part in heard if not part]
    assert sorted(set(whole)) == [0, 1, 2]
    parts = [part for _, part in heard if part]
    assert len(parts) > 3
    assert all(0.0 < part <= jobs for part in parts)
