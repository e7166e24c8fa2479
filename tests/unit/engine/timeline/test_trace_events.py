"""Trace files: the documented fields, and times in microseconds that are computed by hand."""

import math

import pytest
from test_segments import periodic, repeated, run, with_links
from trace_format import events_of

import clustersim as cs


def written(made, path, **part):
    assert made.save_timeline(path, **part) == path
    return events_of(path.read_text())


def names(events, kind="thread_name"):
    return [event["args"]["name"] for event in events if event["name"] == kind]


def test_times_are_those_of_the_schedule_in_microseconds(tmp_path):
    events = written(with_links(), tmp_path / "run.json")
    thread = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    complete = [(thread[e["tid"]], e["name"], e["ts"], e["dur"]) for e in events if e["ph"] == "X"]
    assert complete == [
        ("worker 0", "computing: used", 500_000, 1_000_000),
        ("worker 0", "computing: used", 2_250_000, 1_000_000),
        ("worker 0 downlink", "receiving", 0, 500_000),
        ("worker 0 downlink", "receiving", 1_750_000, 500_000),
        ("worker 0 uplink", "sending: used", 1_500_000, 250_000),
        ("worker 0 uplink", "sending: used", 3_250_000, 250_000),
        ("worker 1", "computing: cancelled", 500_000, 1_750_000),
        ("worker 1", "computing: discarded", 2_250_000, 1_000_000),
        ("worker 1 downlink", "receiving", 0, 500_000),
        ("worker 1 downlink", "receiving", 1_750_000, 500_000),
        ("worker 1 uplink", "sending: discarded", 3_250_000, 250_000),
    ]
    updates = [(e["name"], e["ts"], e["s"], e["pid"]) for e in events if e["ph"] == "i"]
    assert updates == [("update 1", 1_750_000, "g", 1), ("update 2", 3_500_000, "g", 1)]
    assert names(events, "process_name") == ["master", "workers"]
    wasted = [e["name"] for e in events if "wasted" in e.get("cat", "").split(",")]
    assert wasted == ["computing: cancelled", "computing: discarded"]


def test_a_click_tells_task_version_fate_and_use(tmp_path):
    times = [[1.0, 2.0, 4.0], [1.0, 3.0, 2.0], [5.0, 1.0, 1.0]]
    made = run(cs.LiveGradientCompensation(k=2, blocks=2), times, cs.Until(updates=3))
    events = written(made, tmp_path / "run.json")
    late = [e for e in events if e["ph"] == "X" and e["args"]["fate"] == "used late" and e["args"]["task"] == 1]
    told = {"task": 1, "version": 1, "fate": "used late", "staleness": 1, "used by update": 3}
    assert [(e["name"], e["ts"], e["dur"], e["args"]) for e in late] == [
        ("computing: used late", 2_000_000, 1_500_000, told),
        ("computing: unfinished block", 3_500_000, 500_000, told),
    ]
    pending = next(e for e in events if e["ph"] == "X" and e["args"]["fate"] == "in flight")
    assert pending["args"] == {"task": 2, "version": 2, "fate": "in flight"}, "no staleness, rather than NaN"


def test_models_that_overlap_on_a_link_get_lanes(tmp_path):
    """The downlink takes 2.5 s, and a model is sent every second: three of them are under way at a time."""
    made = run(periodic(1.0, "queue"), [[1.0]], cs.Until(time=6.5), downlink=cs.Link(latency=2.5))
    events = written(made, tmp_path / "run.json")
    lanes = [name for name in names(events) if "downlink" in name]
    assert lanes == ["worker 0 downlink", "worker 0 downlink (2)", "worker 0 downlink (3)"]


def test_decimal_times_are_exact_and_adjacent(tmp_path):
    """Tasks of 0.1 s follow one another; their ends in microseconds are whole."""
    made = run(cs.FullSync(), [[0.1]], cs.Until(updates=30))
    complete = [e for e in written(made, tmp_path / "run.json") if e["ph"] == "X"]
    assert [(e["ts"], e["dur"]) for e in complete] == [(100_000 * i, 100_000) for i in range(30)]


def test_a_part_of_the_run_and_some_workers(tmp_path):
    events = written(with_links(), tmp_path / "run.json", start=2.0, workers=[1])
    assert names(events) == ["updates", "worker 1", "worker 1 downlink", "worker 1 uplink"]
    assert [e["ts"] for e in events if e["ph"] == "i"] == [3_500_000]
    assert [e["ts"] for e in events if e["ph"] == "X"] == [500_000, 2_250_000, 1_750_000, 3_250_000]


def test_lost_messages_are_instants_in_the_worker(tmp_path):
    uplink = cs.Link(latency=repeated([[math.inf], [1.0]]))
    events = written(run(periodic(3.0, "restart"), [[1.0]], cs.Until(time=4.0), uplink=uplink), tmp_path / "run.json")
    instants = [(e["name"], e["ts"], e["s"]) for e in events if e["ph"] == "i"]
    assert instants == [("update 1", 3_000_000, "g"), ("lost", 1_000_000, "t")]


def test_same_run_same_bytes(tmp_path):
    one, two = (with_links().save_timeline(tmp_path / name) for name in ("a.json", "b.json"))
    assert one.read_bytes() == two.read_bytes()


def test_a_file_is_complete_or_does_not_exist(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(cs.ResultsError, match=r"run\.json cannot be written: No space left on device"):
        with_links().save_timeline(tmp_path / "run.json")
    assert not [*tmp_path.iterdir()]


def test_unusable_arguments(tmp_path):
    with pytest.raises(cs.ConfigurationError, match="path = 3: expected the path of a file"):
        with_links().save_timeline(3)
    cluster, problem = cs.Cluster(2, cs.Constant(1.0)), cs.LeastSquares.synthetic(rows=12, features=2, seed=1)
    made = cs.simulate(problem, cluster, cs.FullSync(), optimizer=cs.SGD(1e-3), until=cs.Until(updates=1))
    assert made.updates is None
    with pytest.raises(cs.ConfigurationError, match=r"no message table.*pass messages=True to cs\.simulate"):
        made.save_timeline(tmp_path / "run.json")
