"""A timeline in the Trace Event Format, which Perfetto (https://ui.perfetto.dev) and chrome://tracing open.

A `Timeline` flows in; the text of a JSON object flows out. The format has processes with threads; one process holds the
master, the other one the workers. A worker has a thread for its work and, if its links take time, threads for its
downlink and its uplink. Segments of one thread must not overlap, so a link that carries several messages at a time gets
several threads.

Source: *Trace Event Format*, Google, https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

import heapq
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from clustersim.engine.timeline.segments import PARTS, WASTED
from clustersim.engine.timeline.view import Timeline

__all__ = ["trace_text"]

_MASTER, _WORKERS = 1, 2  # the numbers of the processes
_FIRST_THREAD = 10  # thread numbers beyond all numbers of processes, whose main threads would be shown first
_SUFFIX = {"computing": "", "receiving": " downlink", "sending": " uplink"}
_COLOURS = {
    "used": "thread_state_running",
    "used late": "thread_state_runnable",
    "discarded": "terrible",
    "cancelled": "grey",
    "lost": "black",
    "in flight": "thread_state_unknown",
}  # fmt: skip - names that the trace viewer reserves for colours

Event = dict[str, Any]


def trace_text(timeline: Timeline, about: dict[str, Any] | None = None) -> str:
    """Return a timeline as the text of a JSON object of trace events.

    Parameters
    ----------
    timeline : Timeline
        What to write.
    about : dict, optional
        Further plain values about the run, which viewers show as metadata.

    Returns
    -------
    str
        Strict JSON, without NaN. Times are in microseconds, rounded to the nanosecond, since viewers count those.
    """
    events = [*_processes(), *_master(timeline)]
    for thread, name, segments, marks in _threads(timeline):
        events += _thread(_WORKERS, thread, name)
        events += _complete(thread, segments)
        events += [_mark(thread, *row) for row in _rows(marks, "time")]
    content = {"displayTimeUnit": "ms", "otherData": about or {}, "traceEvents": events}
    return json.dumps(content, allow_nan=False, separators=(",", ":"))


def _processes() -> Iterator[Event]:
    """Name the master and the workers; the master is shown first."""
    for process, thread, name in ((_MASTER, _FIRST_THREAD, "master"), (_WORKERS, _FIRST_THREAD + 1, "workers")):
        yield _metadata(process, thread, "process_name", name=name)
        yield _metadata(process, thread, "process_sort_index", sort_index=process)


def _thread(process: int, thread: int, name: str) -> Iterator[Event]:
    """Name a thread; threads are shown in the order of their numbers."""
    yield _metadata(process, thread, "thread_name", name=name)
    yield _metadata(process, thread, "thread_sort_index", sort_index=thread)


def _metadata(process: int, thread: int, kind: str, /, **args: Any) -> Event:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "ts": 0, "args": args}


def _master(timeline: Timeline) -> Iterator[Event]:
    """Yield an instant event for each update; its line crosses all threads."""
    yield from _thread(_MASTER, _FIRST_THREAD, "updates")
    for update, time in zip(timeline.updates["update"].tolist(), timeline.updates["time"].tolist(), strict=True):
        yield {
            "ph": "i", "s": "g", "name": f"update {update}", "cat": "update", "pid": _MASTER, "tid": _FIRST_THREAD,
            "ts": _microseconds(time), "args": {"update": update},
        }  # fmt: skip


def _threads(timeline: Timeline) -> Iterator[tuple[int, str, pd.DataFrame, pd.DataFrame]]:
    """Yield number, name, segments and marks of each thread of the workers."""
    thread = _FIRST_THREAD
    by_worker = dict(iter(timeline.segments.groupby("worker")))
    marks = dict(iter(timeline.marks.groupby("worker")))
    for worker in timeline.workers:
        mine = by_worker.get(worker, timeline.segments[:0])
        for part in ("computing", *(part for part in PARTS if part != "computing")):
            for number, lane in enumerate(_lanes(mine[mine["part"] == part], always=part == "computing")):
                thread += 1
                suffix = _SUFFIX[part] + (f" ({number + 1})" if number else "")
                marked = marks.get(worker) if part == "computing" else None
                yield thread, f"worker {worker}{suffix}", lane, timeline.marks[:0] if marked is None else marked


def _lanes(segments: pd.DataFrame, *, always: bool) -> list[pd.DataFrame]:
    """Share segments, sorted by their starts, among as few lanes as possible, so that none overlap within a lane."""
    free: list[tuple[float, int]] = []  # when each lane ends, and its number
    lane_of = np.zeros(len(segments), dtype=np.int64)
    for place, (start, stop) in enumerate(zip(segments["start"].tolist(), segments["stop"].tolist(), strict=True)):
        lane_of[place] = heapq.heappop(free)[1] if free and free[0][0] <= start else len(free)
        heapq.heappush(free, (stop, int(lane_of[place])))
    lanes = int(lane_of.max()) + 1 if len(segments) else int(always)
    return [segments[lane_of == lane] for lane in range(lanes)]


def _rows(frame: pd.DataFrame, *times: str) -> Iterator[tuple[Any, ...]]:
    """Yield task, version, staleness and status of each row, then the other columns asked for, as plain values."""
    columns = ("task", "version", "staleness", "status", *times)
    return zip(*(frame[name].tolist() for name in columns), strict=True)


def _complete(thread: int, segments: pd.DataFrame) -> Iterator[Event]:
    """Yield a complete event for each segment; what is alike has the same name, by which Perfetto colours it."""
    columns = ("part", "start", "stop", "wasted")
    for task, version, staleness, status, part, start, stop, wasted in _rows(segments, *columns):
        begin, end = _microseconds(start), _microseconds(stop)
        unfinished = wasted and status not in WASTED
        kind = "unfinished block" if unfinished else status
        yield {
            "ph": "X", "name": part if part == "receiving" else f"{part}: {kind}",
            "cat": f"{part},wasted" if wasted else part, "pid": _WORKERS, "tid": thread, "ts": begin,
            "dur": round(end - begin, 3), "cname": "grey" if unfinished else _COLOURS[status],
            "args": _args(task, version, staleness, status),
        }  # fmt: skip


def _mark(thread: int, task: int, version: int, staleness: float, status: str, time: float) -> Event:
    """Return an instant event for a message that was lost on a link, or cancelled before its work began."""
    return {
        "ph": "i", "s": "t", "name": status, "cat": status, "pid": _WORKERS, "tid": thread,
        "ts": _microseconds(time), "args": _args(task, version, staleness, status),
    }  # fmt: skip


def _args(task: int, version: int, staleness: float, status: str) -> dict[str, Any]:
    """Return what viewers show of a segment that is clicked on."""
    args: dict[str, Any] = {"task": task, "version": version, "fate": status}
    if staleness == staleness:  # noqa: PLR0124 - not NaN
        args |= {"staleness": int(staleness), "used by update": version + int(staleness) + 1}
    return args


def _microseconds(seconds: float) -> float:
    return round(seconds * 1e6, 3)
