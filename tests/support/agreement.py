"""Runs of one case in two ways, where they differ first, and what there was in them that may go wrong."""

import itertools
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock

import numpy as np
import pandas as pd
import simpy
from wild import Watched

import clustersim as cs
from clustersim.protocol import Arrivals, Decision, Event, Lost, Timeout

ENGINES = ("process", "cohort")

Conversation = list[tuple[Event, Decision]]

_MOST_EVENTS = 50_000  # the cases here take a few thousand

_SIZES = {
    "engine.cohort.arrival_queue._FEW": 2,
    "engine.cohort.arrival_queue._MOST": 4,
    "engine.cohort.arrival_queue._SORT_ALL": 4,
    "engine.cohort.task_table._SPARE_BYTES": 0,
    "engine.cohort.arrival_order._SORTED": 3,
    "engine.delays._KEYS": 16,
    "draw_cache._DRAWS": 16,
    "draw_cache._FEW": 2,
    "draw_cache._MISSED": 2,
    "draw_cache._PRICE": 1,
    "draw_cache._TASKS": 4,
}  # where the engines take other ways, for many workers or long runs, and where these begin instead


@contextmanager
def ways_of_the_large():
    """Few workers are treated as thousands otherwise are: what is for many is tried on small cases too."""
    with ExitStack() as stack:
        for name, size in _SIZES.items():
            stack.enter_context(mock.patch(f"clustersim.{name}", size))
        yield


@contextmanager
def short_patience():
    """A run that goes round in circles is given up after hundreds of events instead of ten thousand."""
    standstill = mock.patch("clustersim.engine.stopping._STANDSTILL", 300)
    with standstill, mock.patch("clustersim.policies.synchronous._PATIENCE", 100):
        yield


@dataclass(frozen=True)
class Outcome:
    """What came of a run: the run or the error, and what the policy was told if it was watched."""

    run: cs.Run | None = None
    error: cs.ClusterSimError | None = None
    told: Conversation | None = None
    progress: tuple[float, ...] = ()


def outcome(case, policy=None, *, watched=False, **options):
    """Run a case, perhaps with a wrapped policy; a run that goes on and on is given up."""
    policy = policy or case.policy
    told, progress = [] if watched else None, []
    with mock.patch.object(simpy.Environment, "step", _limited(simpy.Environment.step)):
        try:
            run = case.run(Watched(policy, told) if watched else policy, progress=progress.append, **options)
        except cs.ClusterSimError as error:
            return Outcome(error=error, told=told)
    return Outcome(run=run, told=told, progress=tuple(progress))


def in_both_engines(case, **options):
    """What comes of a case in each of the engines, whose policies are watched."""
    return [outcome(case, watched=True, engine=name, **options) for name in ENGINES]


def _limited(step):
    """Take this many steps of SimPy."""
    steps = itertools.count()

    def limited(env):
        assert next(steps) < _MOST_EVENTS, f"the run hangs at time {env.now}: {_MOST_EVENTS} SimPy events"
        step(env)

    return limited


# ---------------------------------------------------------------------- differences, in words


def differences(a, b):
    """Where two outcomes differ; empty if they are the same bit by bit. Columns and rows that differ first are shown.

    Tables of messages and conversations are compared if both outcomes have them.
    """
    found = [] if a.told is None or b.told is None else _conversations(a.told, b.told)
    if a.run is None or b.run is None:
        return [*found, *_errors(a.error, b.error)]
    if a.run.messages is not None and b.run.messages is not None:
        found += _frames("messages", a.run.messages, b.run.messages)
    if a.run.updates is not None and b.run.updates is not None and a.run.updates.tolist() != b.run.updates.tolist():
        found.append(f"the times of updates differ: {a.run.updates} or {b.run.updates}")
    found += _frames("history", a.run.history, b.run.history)
    found += _totals(a.run.totals, b.run.totals)
    if a.progress != b.progress:
        found.append(f"the bar of progress moves otherwise: {a.progress} or {b.progress}")
    if a.run.w.tobytes() != b.run.w.tobytes():
        found.append(f"the models differ: {a.run.w} or {b.run.w}, by {a.run.w - b.run.w}")
    return found


def demand_same(one, two, what):
    complaints = differences(one, two)
    assert not complaints, f"{what}:\n  " + "\n  ".join(complaints)


def _errors(a, b):
    if type(a) is not type(b):
        return [f"one run ends with {a!r}, the other one with {b!r}"]
    one, two = str(a), str(b)
    return [] if one == two else [f"the {type(a).__name__}s say\n    {one}\n    {two}"]


def _conversations(a, b):
    for i, ((one, _), (two, _)) in enumerate(zip(a, b, strict=False)):
        if (words := _unlike_events(one, two)) is not None:
            return [f"event {i} of {len(a)} and {len(b)}: {words}\n    {one}\n    {two}"]
    if len(a) != len(b):
        longer = (a if len(a) > len(b) else b)[min(len(a), len(b))][0]
        return [f"{len(a)} and {len(b)} events; the longer conversation goes on with {longer}"]
    return []


def _unlike_events(a, b):
    if type(a) is not type(b):
        return "other kinds"
    return next((f"other {name}" for name in a._fields if not _alike(getattr(a, name), getattr(b, name))), None)


def _alike(a, b):
    """Whether two values have the same type and the same bits."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and (a == b or (a != a and b != b))  # noqa: PLR0124 - NaN is like NaN


def _totals(a, b):
    if list(a) != list(b):
        return [f"the totals have other names: {set(a) ^ set(b) or 'in another order'}"]
    return [
        f"totals[{name!r}] is {a[name]!r} ({type(a[name]).__name__}) or {b[name]!r} ({type(b[name]).__name__})"
        for name in a
        if not _alike(a[name], b[name])
    ]


def _frames(what, a, b):
    if list(a) != list(b):
        return [f"{what} has other columns: {set(a) ^ set(b) or 'in another order'}"]
    found = [
        f"{what}[{name!r}] is of {a[name].dtype} or {b[name].dtype}" for name in a if a[name].dtype != b[name].dtype
    ]
    if len(a) != len(b):
        found.append(f"{what} has {len(a)} or {len(b)} rows")
    common = min(len(a), len(b))
    one, two = a.iloc[:common].reset_index(drop=True), b.iloc[:common].reset_index(drop=True)
    unlike = ~((one == two) | (one.isna() & two.isna()))
    if unlike.any(axis=None):
        row = int(unlike.any(axis=1).to_numpy().argmax())
        first = [name for name in unlike if unlike[name].iloc[row]]
        later = [name for name in unlike if unlike[name].any() and name not in first]
        found.append(
            f"{what} differs first in row {row}, in {', '.join(first)}; later also in {', '.join(later) or 'none'}:\n"
            + pd.DataFrame([one.iloc[row], two.iloc[row]], index=["    one", "    two"]).to_string()
        )
    if not found and not a.equals(b):
        found.append(f"{what} is not the same, though all values are: look at the index")
    return found


# ---------------------------------------------------------------------- what there was in a run


def traits(case, result):
    """What happened in a run that was watched and kept its messages, as a Counter of 1 for each trait."""
    if result.run is None:
        return Counter({type(result.error).__name__: 1, "refused or ended by an error": 1})
    table, blocks = result.run.messages, case.policy.work.blocks
    arrived = table.dropna(subset="arrived")
    lost, cancelled = table[table["status"] == "lost"], table[table["status"] == "cancelled"]
    seen = {
        "tie of answers": arrived["arrived"].duplicated().any(),
        "no time at all": (arrived["arrived"] == arrived["dispatched"]).any(),
        "done when a model comes": _meets(table, "finished", "received"),
        "answer when a model goes": np.isin(table["arrived"], table["dispatched"]).any(),
        "overtaken on the downlink": _overtaken(table, "task", "received"),
        "overtaken on the uplink": _overtaken(table, "finished", "arrived"),
        "lost by a worker": lost["started"].notna().any(),
        "lost on the downlink": lost["received"].isna().any(),
        "lost on the uplink": lost["finished"].notna().any(),
        "cut answer": (cut := (table["blocks"] > 0) & (table["blocks"] < blocks)).any(),
        "cut between blocks": (cut & (table["dropped"] == 0)).any(),
        "nothing left to cut": ((table["dropped"] == 0) & (table["blocks"] == blocks)).any() and blocks > 1,
        "dropped": cancelled["started"].notna().any(),
        "cancelled before it began": (cancelled["started"].isna() & cancelled["received"].notna()).any(),
        "queue of several": _waiting(table) > 1,
        "late use": (table["status"] == "used late").any(),
        "several tasks under way": table["status"].eq("in flight").any(),
        f"ended by {_end(result.run.totals['reason'])}": True,
        f"busy: {case.cluster.busy}": table["worker"].duplicated().any(),
        "many workers": case.cluster.workers > 9,
        "long": len(result.run.messages) > 100,
    }
    return Counter(name for name, happened in {**seen, **_told(result.told)}.items() if happened)


def _end(reason):
    """What ended a run: a horizon, or the policy."""
    return next((horizon for horizon in ("time", "updates", "error") if horizon in reason.split()), "the policy")


def _told(told):
    """What the policy met."""
    events = [event for event, _ in told]
    wants = [answer.wants for _, answer in told]
    met = [(event, want) for want, event in zip(wants, events[1:], strict=False) if isinstance(event, Arrivals)]
    return {
        "deadline with nothing": any(isinstance(event, Timeout) for event in events),
        "deadline with answers": any(e.time == w.deadline and len(e.messages) < w.arrivals for e, w in met),
        "loss told": any(isinstance(event, Lost) for event in events),
        "more than wanted": any(len(event.messages) > want.arrivals for event, want in met),
        "fewer than wanted, and no more will come": any(
            e.time < w.deadline and len(e.messages) < w.arrivals for e, w in met
        ),
        "several commands": any(len(answer.commands) > 2 for _, answer in told),
    }


def _meets(table, one, other):
    """Whether something happens to a task of a worker at the instant of something else to another task of it."""
    when = {}
    for worker, task, time in table[["worker", "task", other]].itertuples(index=False):
        when.setdefault((worker, float(time)), set()).add(task)
    rows = table[["worker", "task", one]].itertuples(index=False)
    return any(when.get((worker, float(time)), {task}) - {task} for worker, task, time in rows)


def _overtaken(table, before, after):
    """Whether of two messages of a worker the one that was first `before` comes later `after`."""
    rows = table.dropna(subset=[before, after]).sort_values(["worker", before])
    back = rows[after].diff() < 0
    return (back & (rows["worker"] == rows["worker"].shift())).any()


def _waiting(table):
    """The most models that wait at one worker."""
    rows = table.dropna(subset=["received", "started"])
    rows = rows[rows["started"] > rows["received"]]
    return max((_depth(mine["received"], mine["started"]) for _, mine in rows.groupby("worker")), default=0)


def _depth(begins, ends):
    """The most intervals that overlap."""
    steps = sorted([(time, 1) for time in begins] + [(time, -1) for time in ends])
    return int(np.cumsum([step for _, step in steps]).max())
