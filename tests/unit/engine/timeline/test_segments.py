"""Timelines on schedules that are timed by hand, and laws of them over random runs."""

import math
from dataclasses import replace

import numpy as np
import pytest
from agreement import outcome
from hypothesis import given, settings
from scripted import Scripted
from spaces import cases
from trace_format import events_of

import clustersim as cs
from clustersim.engine.timeline import trace_text, whole_timeline
from clustersim.engine.timeline.segments import segments
from clustersim.protocol import Arrivals, Decision, Dispatch, Update, Updated, Wants

FATES = {
    "compute_used": ["used", "used late"],
    "compute_wasted": ["discarded", "cancelled", "lost"],
    "compute_pending": ["in flight"],
}


def repeated(times):
    return cs.Replay([*times, *[times[-1]] * 40])


def run(policy, times, until, **links):
    """Workers whose q-th task takes times[q][worker] seconds; the last line is repeated."""
    cluster = cs.Cluster(len(times[0]), repeated(times), scaling="none", **links)
    problem = cs.LeastSquares.synthetic(rows=12, features=2, seed=1)
    return cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=until, messages=True)


def periodic(seconds, busy):
    """A policy that steps every few seconds with what has arrived at that instant, and sends the model to all."""

    def answer(event):
        if isinstance(event, Updated):
            return Decision((Dispatch(busy=busy),), Wants(99, event.time + seconds))
        if event.time % seconds:
            return Decision((), Wants(99, (event.time // seconds + 1) * seconds))
        return Decision((Update(getattr(event, "messages", np.empty(0, dtype=np.int64)), 1e-3),), Wants())

    return Scripted(answer)


def rows(frame, *columns):
    return [tuple(row) for row in frame[list(columns)].to_numpy().tolist()]


def with_links():
    """The model takes 0.5 s to a worker and a message 0.25 s to the master, who waits for one of two workers."""
    links = {"downlink": cs.Link(latency=0.5), "uplink": cs.Link(latency=0.25)}
    return run(cs.FastestK(1), [[1.0, 9.0], [1.0, 1.0], [9.0, 9.0]], cs.Until(updates=2), **links)


def test_a_restart_with_links():
    """Update 1 at 0.5 + 1 + 0.25; its model stops worker 1 at 2.25. Then both workers are equally fast."""
    timeline = whole_timeline(with_links())
    assert rows(timeline.segments, "worker", "task", "part", "start", "stop", "status", "wasted") == [
        (0, 0, "receiving", 0.0, 0.5, "used", False),
        (0, 0, "computing", 0.5, 1.5, "used", False),
        (0, 0, "sending", 1.5, 1.75, "used", False),
        (0, 1, "receiving", 1.75, 2.25, "used", False),
        (0, 1, "computing", 2.25, 3.25, "used", False),
        (0, 1, "sending", 3.25, 3.5, "used", False),
        (1, 0, "receiving", 0.0, 0.5, "cancelled", False),
        (1, 0, "computing", 0.5, 2.25, "cancelled", True),
        (1, 1, "receiving", 1.75, 2.25, "discarded", False),
        (1, 1, "computing", 2.25, 3.25, "discarded", True),
        (1, 1, "sending", 3.25, 3.5, "discarded", False),
    ]
    assert rows(timeline.updates, "update", "time") == [(1, 1.75), (2, 3.5)]
    assert timeline.exact
    assert (timeline.size, timeline.start, timeline.stop) == (2, 0.0, 3.5)


def test_an_unfinished_block_is_wasted_though_the_message_is_used():
    """Updates at 2, 4 and 5. Worker 1 stops at 4 with 2 of 3 s done: its first block took 1.5 s."""
    times = [[1.0, 2.0, 4.0], [1.0, 3.0, 2.0], [5.0, 1.0, 1.0]]
    timeline = whole_timeline(run(cs.LiveGradientCompensation(k=2, blocks=2), times, cs.Until(updates=3)))
    assert rows(timeline.segments, "worker", "start", "stop", "status", "wasted") == [
        (0, 0.0, 1.0, "used", False), (0, 2.0, 3.0, "used", False), (0, 4.0, 5.0, "in flight", False),
        (1, 0.0, 2.0, "used", False), (1, 2.0, 3.5, "used late", False), (1, 3.5, 4.0, "used late", True),
        (1, 4.0, 5.0, "used", False),
        (2, 0.0, 2.0, "used late", False), (2, 2.0, 4.0, "used", False), (2, 4.0, 5.0, "used", False),
    ]  # fmt: skip
    assert set(timeline.segments["part"]) == {"computing"}
    assert timeline.updates["time"].tolist() == [2.0, 4.0, 5.0]


def test_what_is_lost_and_what_never_begins_is_marked():
    """Models are sent at 0, 2, 4, 6 and 8, and workers finish first. The downlink takes 1 s.

    Worker 0 never receives its first model. The message of its second task, of 0.5 s, is lost. Its third task lasts
    from 5 to 14; the model received at 7 waits for its end, and is replaced by the one received at 9. Worker 1 would
    never finish its first task; the next model ends it at 3.
    """
    links = {
        "downlink": cs.Link(latency=repeated([[math.inf, 1.0], [1.0, 1.0]])),
        "uplink": cs.Link(latency=repeated([[1.0, 0.25], [math.inf, 0.25], [1.0, 0.25]])),
    }
    times = [[1.0, math.inf], [0.5, 0.5], [9.0, 0.5]]
    timeline = whole_timeline(run(periodic(2.0, "finish"), times, cs.Until(time=9.5), **links))
    assert rows(timeline.marks, "worker", "task", "status", "part", "time") == [
        (0, 0, "lost", "receiving", 0.0), (0, 1, "lost", "sending", 3.5), (0, 3, "cancelled", "receiving", 7.0)
    ]  # fmt: skip
    lost = timeline.segments[timeline.segments["status"] == "lost"]
    assert rows(lost, "worker", "task", "part", "start", "stop", "wasted") == [
        (0, 1, "receiving", 2.0, 3.0, False), (0, 1, "computing", 3.0, 3.5, True),
        (1, 0, "receiving", 0.0, 1.0, False), (1, 0, "computing", 1.0, 3.0, True),
    ]  # fmt: skip
    assert timeline.updates["time"].tolist() == [2.0, 4.0, 6.0, 8.0]


@pytest.mark.parametrize("messages", [True, False])
def test_the_times_of_updates(messages):
    made = with_links() if messages else replace(with_links(), messages=None)
    if messages:
        assert made.updates.tolist() == [1.75, 3.5]
        unknown = whole_timeline(replace(made, updates=None))
        assert not unknown.exact
        assert rows(unknown.updates, "update", "time") == [(1, 1.75)], "the model of update 2 was never sent"
    else:
        with pytest.raises(cs.ConfigurationError, match="pass messages=True"):
            whole_timeline(made)


@settings(max_examples=15)
@given(case=cases())
def test_laws_of_timelines(case):
    result = outcome(replace(case, evaluate_every=1), messages=True)
    if result.run is None:
        return
    timeline = whole_timeline(result.run)
    totals = result.run.totals
    found = timeline.segments
    assert timeline.size == case.cluster.workers or timeline.stop == 0.0
    assert (found["stop"] > found["start"]).all()
    assert found["start"].min() >= 0.0 or not len(found)
    assert found["stop"].max() <= timeline.stop * (1 + 1e-12) or not len(found)
    work = found[found["part"] == "computing"].sort_values(["worker", "start"])
    overlap = work.groupby("worker")["start"].shift(-1) < work["stop"]
    assert not overlap.any(), "a worker computes two tasks at once"
    spent = work["stop"] - work["start"]
    scale = 1e-9 * max(1.0, timeline.size * timeline.stop)
    for name, fates in FATES.items():
        mine = work["status"].isin(fates) & ~work["wasted"] if name != "compute_wasted" else work["wasted"]
        assert spent[mine].sum() == pytest.approx(totals[name], abs=scale), name
    first = result.run.history.drop_duplicates("update").query("update > 0")
    assert result.run.updates.tolist() == first["time"].tolist()
    events_of(trace_text(timeline, totals))


def test_a_sum_of_rounded_times_does_not_reach_into_the_next_task():
    """Worker 1 begins at 0.1, and the next model comes 0.2 s later: 0.1 + 0.2 is 0.30000000000000004 in floats."""
    times = [[0.1, 9.0], [9.0, 0.1]]
    result = run(cs.FastestK(1), times, cs.Until(updates=2), downlink=cs.Link(latency=0.1))
    found = segments(result.messages, result.totals["time"])
    work = found[(found["part"] == "computing") & (found["worker"] == 1)]
    assert rows(work, "start", "stop") == [(0.1, 0.3), (0.3, 0.4)]


def test_a_part_of_a_timeline():
    timeline = whole_timeline(with_links())
    early = timeline.part(updates=1)
    assert (early.start, early.stop) == (0.0, 1.75)
    assert early.segments["start"].max() == 1.5
    assert rows(timeline.part(start=2.0, workers=[1]).segments, "worker", "task", "start") == [
        (1, 0, 0.5), (1, 1, 1.75), (1, 1, 2.25), (1, 1, 3.25)
    ]  # fmt: skip
    assert timeline.part(start=2.0, stop=99.0).stop == 3.5, "the end of the run"
    assert timeline.part(updates=99).stop == 3.5
    assert timeline.part(workers=[1, 0, 1]).workers == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"updates": 0}, "updates = 0: expected a whole number, at least 1"),
        ({"updates": 3, "stop": 2.0}, "updates = 3 and stop are both given"),
        ({"start": 5.0}, r"start = 5 and stop = 3\.5: there is no time between them; the run lasts from 0 to 3\.5 s"),
        ({"start": math.nan}, "start = nan"),
        ({"workers": [2]}, "workers = 2: expected a whole number from 0 to 1"),
        ({"workers": []}, "at least one"),
        ({"workers": 3}, "workers = 3: expected the numbers of workers"),
    ],
)
def test_unusable_parts(arguments, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        whole_timeline(with_links()).part(**arguments)


def test_workers_that_no_model_was_sent_to_have_a_row():
    def answer(event):
        if isinstance(event, Arrivals):
            return Decision((Update(event.messages, 1e-3),), Wants())
        return Decision((Dispatch(np.array([1])),) if isinstance(event, Updated) else (), Wants())

    result = run(Scripted(answer), [[1.0, 1.0, 1.0, 1.0]] * 3, cs.Until(updates=2))
    assert whole_timeline(result).workers == (0, 1, 2, 3)
