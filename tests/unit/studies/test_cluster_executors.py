"""Studies on dask and MPI: the same bytes of every file, lost workers, and schedulers that cannot be reached."""

import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from command_line import call, script_of
from small import small_study, tree

import clustersim as cs
from clustersim.studies.executors import dask_executor, mpi_executor, number_of_workers

distributed = pytest.importorskip("distributed", reason="dask is not installed")


@pytest.fixture(scope="module")
def cluster():
    """Two dask processes on this machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, protocol="tcp", host="127.0.0.1",
            silence_logs=50,
        ) as cluster:  # fmt: skip
            yield cluster


@pytest.mark.filterwarnings("ignore")
def test_dask_gives_the_same_bytes_and_a_lost_worker_costs_a_retry(cluster, tmp_path):
    study = small_study(replications=12, until=cs.Until(updates=60))
    with dask_executor(cluster.scheduler_address) as executor:
        assert number_of_workers(executor) == 2
        victim = next(iter(cluster.workers.values())).process.pid

        def kill(done, runs, key):
            if done == 5 and key is not None:
                os.kill(victim, signal.SIGKILL)

        results = study.run(tmp_path / "dask", seed=2, executor=executor, progress=kill)
    assert results.failures.empty
    study.run(tmp_path / "here", seed=2)
    assert tree(tmp_path / "dask") == tree(tmp_path / "here")


@pytest.mark.filterwarnings("ignore")
def test_data_reaches_dask_workers_without_a_common_disk(cluster, tmp_path, monkeypatch):
    study = small_study(problem=cs.LeastSquares.synthetic(rows=5000, features=20, seed=1), optimizer=cs.SGD(1e-7))
    monkeypatch.setattr("clustersim.studies.parcels.Parcels._written", lambda self, name, views: "/no/such/file")
    with dask_executor(cluster.scheduler_address) as executor:
        study.run(tmp_path / "dask", executor=executor)
    study.run(tmp_path / "here")
    assert tree(tmp_path / "dask") == tree(tmp_path / "here")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_named(address):
    words = rf"{address}: no dask scheduler answers there within 0\.5 s"
    with pytest.raises(cs.ConfigurationError, match=words), dask_executor(address, timeout=0.5):
        pass


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_without_workers_is_named():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty,
        pytest.raises(cs.ConfigurationError, match="this dask scheduler has no workers; start some with `dask worker"),
        dask_executor(empty.scheduler_address, timeout=0.5),
    ):
        pass


def test_two_ways_to_compute_contradict_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scripted.py").write_text(script_of())
    outcome = call("run", "scripted.py", "--jobs", "2", "--dask", "tcp://127.0.0.1:9")
    assert outcome.exit_code == 1
    assert outcome.stderr == "Error: --jobs and --dask: expected only one of them\n"


OVER_MPI = """
if __name__ == "__main__":
    from clustersim.studies.executors import mpi_executor
    with mpi_executor() as executor:
        study.run("mpi", executor=executor)
    study.run("here")
"""


def test_mpi_gives_the_same_bytes(tmp_path):
    pytest.importorskip("mpi4py", reason="MPI is not installed")
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if mpiexec is None:
        pytest.skip("there is no mpiexec")
    (tmp_path / "scripted.py").write_text(f"{script_of().partition('if __name__')[0]}\n{OVER_MPI}")
    command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", "scripted.py"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    assert tree(tmp_path / "mpi") == tree(tmp_path / "here")


def test_a_single_mpi_process_is_told_how_to_start_several():
    pytest.importorskip("mpi4py", reason="MPI is not installed")
    with pytest.raises(cs.ConfigurationError, match="start several, for example with: mpiexec -n 3"), mpi_executor():
        pass
