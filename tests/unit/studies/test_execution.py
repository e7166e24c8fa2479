"""Handing out runs: chunks, workers that lack the data or have other software, and what executors differ in."""

import itertools
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace

import pandas as pd
import pytest
from small import small_study

import clustersim as cs
from clustersim.studies import RunKey, jobs, parcels, process_pool
from clustersim.studies.executors import number_of_workers
from clustersim.studies.pace import Pace
from clustersim.studies.packing import pack, unpack
from clustersim.studies.pool import ProcessDied


class Remote(Executor):
    """Computes at once, behind a wire on which everything is packed, and records what has travelled."""

    num_workers = 2

    def __init__(self):
        self.sizes, self.chunks = [], []

    def submit(self, fn, /, *args, **kwargs):
        packed = pack((fn, args, kwargs))
        self.sizes.append(len(packed))
        self.chunks.append(len(args[0].jobs))
        future = Future()
        function, args, kwargs = unpack(packed)
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def nothing_opened(monkeypatch):
    """No thread has opened a parcel yet."""
    monkeypatch.setattr(parcels, "_kept", type("Nothing", (), {})())


def test_data_reaches_a_worker_without_a_common_disk_once(monkeypatch, nothing_opened):
    monkeypatch.setattr(parcels, "_mapped", lambda parcel: None)
    problem = cs.LeastSquares.synthetic(rows=5000, features=20, seed=1)
    study = small_study(problem=problem, optimizer=cs.SGD(1e-7), replications=8)
    remote = Remote()
    results = study.run(executor=remote)
    data = 5000 * 20 * 8
    assert sum(size > data for size in remote.sizes) <= remote.num_workers
    assert sum(remote.sizes) < (remote.num_workers + 1) * data
    pd.testing.assert_frame_equal(results.frame, study.run().frame)


def test_data_does_not_travel_at_all_where_the_disk_is_shared(nothing_opened):
    study = small_study(problem=cs.LeastSquares.synthetic(rows=5000, features=20, seed=1), optimizer=cs.SGD(1e-7))
    remote = Remote()
    study.run(executor=remote)
    assert max(remote.sizes) < 50_000


def test_short_runs_travel_together_once_their_duration_is_known(nothing_opened, monkeypatch):
    moments = itertools.count()
    clock = SimpleNamespace(perf_counter=lambda: 0.01 * next(moments))  # each run takes a hundredth of a second
    monkeypatch.setattr(jobs, "time", clock)
    remote = Remote()
    study = small_study(replications=30)
    results = study.run(executor=remote)
    assert len(results.totals) == 30 * len(study.policies) == sum(remote.chunks)
    assert remote.chunks[0] == 1
    assert max(remote.chunks) > 3


def test_a_worker_with_other_software_is_named(monkeypatch):
    study = small_study()
    here = jobs.software()
    monkeypatch.setattr("clustersim.studies.execution.software", lambda: here | {"clustersim": "0.0.9"})
    with ThreadPoolExecutor(1) as threads, pytest.raises(cs.ConfigurationError, match=r"0\.1\.0 instead of 0\.0\.9"):
        study.run(executor=threads)


def test_an_error_of_a_whole_chunk_costs_only_the_run_that_caused_it(monkeypatch, nothing_opened):
    real = jobs.execute

    def fragile(chunk, content=None):
        if any(job.key.replication == 7 for job in chunk.jobs):
            raise MemoryError("too much")
        return real(chunk, content)

    monkeypatch.setattr("clustersim.studies.execution.execute", fragile)
    remote = Remote()
    with pytest.warns(cs.FailedRunsWarning):
        results = small_study(replications=20).run(executor=remote)
    assert set(results.failures["replication"]) == {7}
    assert set(results.failures["reason"]) == {"MemoryError: too much"}


def test_runs_that_nobody_has_timed_do_not_swell_the_chunks(monkeypatch, nothing_opened):
    def deadly(chunk, content=None):
        raise ProcessDied("the process died")

    monkeypatch.setattr("clustersim.studies.execution.execute", deadly)
    remote = Remote()
    with pytest.raises(cs.FailedRunsError, match=r"all 40 runs failed.*too little memory"):
        small_study(replications=20).run(executor=remote)
    assert set(remote.chunks) == {1}


class Breaks(Remote):
    """Takes one chunk and carries it out, and then breaks before anybody hears of it."""

    def submit(self, fn, /, *args, **kwargs):
        if self.chunks:
            raise BrokenProcessPool("a child process terminated abruptly")
        return super().submit(fn, *args, **kwargs)


def test_an_executor_that_breaks_while_runs_are_handed_out_ends_the_study_and_finished_runs_are_kept(tmp_path):
    study, first = small_study(), small_study(replications=1)
    first.run(tmp_path)
    with pytest.raises(cs.ClusterSimError, match=r"broke down .BrokenProcessPool: a child.*finished runs are kept"):
        study.run(tmp_path, executor=Breaks())
    assert study.run(tmp_path).reused >= len(first.policies)


def test_an_executor_that_was_shut_down_is_no_traceback():
    with ThreadPoolExecutor(1) as threads:
        pass
    with pytest.raises(cs.ClusterSimError, match="after shutdown"):
        small_study().run(executor=threads)


def test_a_machine_that_can_start_no_process_is_not_the_fault_of_a_run(monkeypatch, tmp_path):
    def exhausted(*args, **kwargs):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("clustersim.studies.pool.subprocess.Popen", exhausted)
    with process_pool(2) as pool, pytest.raises(cs.ClusterSimError, match="no process can be started: Resource"):
        small_study().run(tmp_path, executor=pool)
    assert not (tmp_path / "failures").exists()


def test_the_size_of_chunks_follows_the_runs_and_shrinks_towards_the_end():
    pace = Pace()
    key = RunKey("", "a", 0)
    assert pace.seconds(key) == float("inf")
    assert pace.room(100, 2) == 0.0
    pace.took(key, 0.02)
    pace.took(RunKey("", "b", 0), 0.06)
    assert pace.seconds(key) == 0.02
    assert pace.seconds(RunKey("", "c", 0)) == 0.04
    assert pace.room(10_000, 2) == 0.5
    assert pace.room(8, 2) == pytest.approx(8 * 0.04 / 4)


def test_the_number_of_workers():
    with ThreadPoolExecutor(3) as threads:
        assert number_of_workers(threads) == 3
    assert number_of_workers(Remote()) == 2
    assert number_of_workers(Executor()) >= 1
