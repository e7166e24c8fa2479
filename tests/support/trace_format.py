"""A checker of the Trace Event Format, written from Google's document of that name.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

import json
from collections import defaultdict
from itertools import pairwise

METADATA = {
    "process_name": ("name", str), "process_labels": ("labels", str), "process_sort_index": ("sort_index", int),
    "thread_name": ("name", str), "thread_sort_index": ("sort_index", int),
}  # fmt: skip
RESERVED_COLOURS = {
    "thread_state_uninterruptible", "thread_state_iowait", "thread_state_running", "thread_state_runnable",
    "thread_state_sleeping", "thread_state_unknown", "generic_work", "good", "bad", "terrible", "black", "grey",
    "white", "yellow", "olive",
}  # fmt: skip
TOP = {
    "traceEvents", "displayTimeUnit", "systemTraceEvents", "otherData", "powerTraceAsString", "stackFrames", "samples"
}  # fmt: skip


def events_of(text):
    """The events of a file of the JSON Object Format; whatever the format does not allow is a failure."""
    content = json.loads(text, parse_constant=_refuse)
    assert isinstance(content, dict)
    assert set(content) <= TOP
    assert content.get("displayTimeUnit", "ms") in ("ms", "ns")
    events = content["traceEvents"]
    assert isinstance(events, list)
    for event in events:
        _check(event)
    _check_names(events)
    _check_nesting(events)
    return events


def _refuse(word):
    raise AssertionError(f"{word} is not JSON")


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(event):
    assert isinstance(event["name"], str), event
    assert type(event["pid"]) is int, event
    assert type(event["tid"]) is int, event
    assert _number(event["ts"]), event
    assert event["ts"] >= 0, event
    assert isinstance(event.get("args", {}), dict), event
    assert isinstance(event.get("cat", ""), str), event
    assert event.get("cname", "grey") in RESERVED_COLOURS, event
    {"X": _check_complete, "i": _check_instant, "M": _check_metadata}[event["ph"]](event)


def _check_complete(event):
    assert _number(event["dur"]), event
    assert event["dur"] >= 0, event


def _check_instant(event):
    assert event["s"] in ("g", "p", "t"), event
    assert "dur" not in event, event


def _check_metadata(event):
    key, kind = METADATA[event["name"]]
    assert type(event["args"][key]) is kind, event


def _check_names(events):
    """Every thread that is used has a name, and no two threads share one."""
    named = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name" and e["ph"] == "M"}
    assert {(e["pid"], e["tid"]) for e in events if e["ph"] != "M"} <= set(named)
    assert len(set(named.values())) == len(named)
    processes = {e["pid"] for e in events if e["name"] == "process_name"}
    assert {e["pid"] for e in events} == processes


def _check_nesting(events):
    """Complete events of a thread either nest or do not overlap; here, they do not overlap."""
    threads = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            threads[event["pid"], event["tid"]].append(event)
    for mine in threads.values():
        in_order = sorted(mine, key=lambda event: event["ts"])
        for one, two in pairwise(in_order):
            assert round(one["ts"] + one["dur"], 3) <= two["ts"], (one, two)
