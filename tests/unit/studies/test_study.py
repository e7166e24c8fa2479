"""Studies: the same bytes wherever they run, common random numbers, and clear refusals."""

import dataclasses
import functools
import math
import os
import sys
import threading
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest
from small import small_study, tree
from threadpoolctl import threadpool_info

import clustersim as cs
from clustersim.streams import Streams
from clustersim.studies import jobs, parcels, process_pool


@pytest.fixture
def calls(monkeypatch):
    """What `simulate` was called for: (k of the policy, replication)."""
    seen = []
    real = jobs.simulate

    def counted(*args, **kwargs):
        seen.append((args[2].k, kwargs["replication"]))
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs, "simulate", counted)
    return seen


VARIANTS = {"near": {}, "far": {"cluster": cs.Cluster(6, cs.Exponential(mean=1.0), uplink=cs.Link(latency=0.5))}}


@pytest.fixture(scope="module")
def processes():
    """A pool for all tests: a process takes seconds to import the package."""
    with process_pool(2) as executor:
        yield executor


def test_same_bytes_in_this_process_in_threads_and_in_two_processes(tmp_path, processes):
    study = small_study(variants=VARIANTS)
    here = study.run(tmp_path / "here", seed=3)
    with ThreadPoolExecutor(3) as threads:
        study.run(tmp_path / "threads", seed=3, executor=threads)
    there = study.run(tmp_path / "processes", seed=3, executor=processes)
    assert len(tree(tmp_path / "here")) == 2 + 2 * 2 * 2, "the manifest, the lock and the runs"
    assert tree(tmp_path / "here") == tree(tmp_path / "threads") == tree(tmp_path / "processes")
    assert here.frame.equals(there.frame)
    assert here.frame.equals(study.run(seed=3).frame), "the disk changes nothing"
    assert not here.frame.equals(study.run(seed=4).frame)


def test_frame_and_totals_are_those_of_the_single_runs():
    study = small_study()
    results = study.run(seed=5)
    run = cs.simulate(
        study.problem,
        study.cluster,
        cs.FastestK(4),
        optimizer=study.optimizer,
        until=study.until,
        seed=5,
        replication=1,
    )
    rows = results.frame[(results.frame["policy"] == "k = 4") & (results.frame["replication"] == 1)]
    for column in run.history:
        np.testing.assert_array_equal(rows[column], run.history[column])
    totals = results.totals.set_index(["policy", "replication"]).loc[("k = 4", 1)]
    assert {name: totals[name] for name in run.totals} == run.totals


def test_common_random_numbers_over_policies_and_variants():
    study = small_study(
        policies={
            "one": cs.FastestK(2),
            "same": cs.AdaptiveK(start=2, threshold=10**6, burn_in=10**6),  # another policy that does the same
        },
        variants={"a": {}, "b": {"optimizer": cs.SGD(2e-5)}},
    )
    frame = study.run(seed=1).frame
    first = frame.groupby(["variant", "policy", "replication"])["time"].apply(list)
    assert first["a", "one", 0] == first["a", "same", 0] == first["b", "one", 0], "same draws, same clock"
    assert first["a", "one", 0] != first["a", "one", 1]


def test_a_problem_becomes_bytes_and_is_solved_once_for_all_variants(monkeypatch):
    made, solved = [], []
    pack, lstsq = parcels.pack, np.linalg.lstsq
    monkeypatch.setattr(parcels, "pack", lambda thing, apart: made.append(type(thing)) or pack(thing, apart))
    monkeypatch.setattr(np.linalg, "lstsq", lambda *args, **more: solved.append(1) or lstsq(*args, **more))
    one, other = (cs.LeastSquares.synthetic(rows=60, features=3, design="gaussian", seed=seed) for seed in (101, 102))
    small_study(problem=one, variants={"a": {}, "b": {"until": cs.Until(updates=20)}}, replications=3).run()
    assert (made.count(cs.LeastSquares), len(solved)) == (1, 1)
    small_study(problem=one, variants={"a": {}, "b": {"problem": other}}).run()
    assert (made.count(cs.LeastSquares), len(solved)) == (3, 2), "the first problem is still at hand"


class Solved(cs.LeastSquares):
    """Leaves a file wherever its optimum is computed."""

    def __init__(self, folder, **rows):
        super().__init__(**rows)
        self._folder = folder

    @functools.cached_property
    def _optimum(self):
        (self._folder / f"by-{os.getpid()}").touch()
        return super()._optimum


def test_an_optimum_is_computed_once_and_told_to_all_processes(tmp_path, processes):
    X = np.random.default_rng(1).normal(size=(60, 3))
    study = small_study(problem=Solved(tmp_path, X=X, y=X.sum(axis=1)))
    results = study.run(executor=processes)
    assert [path.name for path in tmp_path.iterdir()] == [f"by-{os.getpid()}"]
    assert results.frame["error"].notna().all()


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_runs_hold_linear_algebra_to_one_thread(monkeypatch):
    before = blas_threads()  # 1 on a machine with one CPU, where this test cannot fail
    inside = []
    barrier = threading.Barrier(2, timeout=30)

    def watched(*args, **kwargs):
        barrier.wait()  # two runs overlap, and then one leaves before the other
        if kwargs["replication"] == 1:
            time.sleep(0.05)
        inside.extend(blas_threads())
        return real(*args, **kwargs)

    real = jobs.simulate
    monkeypatch.setattr(jobs, "simulate", watched)
    with ThreadPoolExecutor(2) as threads:
        small_study(policies={"k = 1": cs.FastestK(1)}).run(executor=threads)
    assert set(inside) == {1}
    assert blas_threads() == before


def test_interrupted_study_goes_on_without_recomputing(tmp_path, calls):
    study = small_study(replications=3)

    def stop(done, runs, key):
        assert runs == 6
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.run(tmp_path / "out", progress=stop)
    assert calls == [(1, 0), (4, 0)]
    partial = cs.load_results(tmp_path / "out")
    assert len(partial.totals) == 2
    assert len(partial.missing) == 4
    calls.clear()
    seen = []
    study.run(tmp_path / "out", progress=lambda done, runs, key: seen.append(done))
    assert calls == [(1, 1), (4, 1), (1, 2), (4, 2)]
    assert seen == [2, 3, 4, 5, 6]
    calls.clear()
    study.run(tmp_path / "out")
    assert calls == []
    study.run(tmp_path / "whole")
    assert tree(tmp_path / "whole") == tree(tmp_path / "out")


def test_more_replications_and_policies_only_add_runs(tmp_path, calls):
    study = small_study()
    study.run(tmp_path / "out")
    before = tree(tmp_path / "out" / "runs")
    calls.clear()
    more = dataclasses.replace(
        study, replications=3, policies={**study.policies, "k = 6": cs.FastestK(6)}, notes="better", metric="loss"
    )
    results = more.run(tmp_path / "out")
    assert sorted(calls) == [(1, 2), (4, 2), (6, 0), (6, 1), (6, 2)]
    after = tree(tmp_path / "out" / "runs")
    assert before.items() <= after.items()
    assert results.policies == ("k = 1", "k = 4", "k = 6")
    calls.clear()
    smaller = study.run(tmp_path / "out")
    assert calls == []
    assert set(smaller.frame["replication"]) == {0, 1}, "a study gets what it asks for"
    assert len(cs.load_results(tmp_path / "out").totals) == 9, "and the folder keeps the rest"
    assert tree(tmp_path / "out" / "runs") == after


def test_a_variant_may_have_policies_of_its_own(tmp_path, calls):
    """Under the labels of the study's; runs with another policy are never mixed with them."""
    base = small_study(replications=1)
    label, other = "k = 1", cs.FastestK(2)
    study = dataclasses.replace(base, variants={"": {}, "two": {"policies": {label: other}}})
    results = study.run(tmp_path / "out")
    run = cs.simulate(study.problem, study.cluster, other, optimizer=study.optimizer, until=study.until,
                      evaluate_every=study.evaluate_every)  # fmt: skip
    found = results.frame[(results.frame["variant"] == "two") & (results.frame["policy"] == label)]
    assert found["error"].tolist() == run.history["error"].tolist()
    assert found["error"].tolist() != results.frame[results.frame["variant"] == ""]["error"].tolist()[: len(found)]
    before = len(calls)
    more = dataclasses.replace(study, variants={**study.variants, "three": {"policies": {label: cs.FastestK(3)}}})
    more.run(tmp_path / "out")
    assert len(calls) == before + len(base.policies), "only the runs of the new variant"
    for changed in ({}, {"policies": {label: cs.FastestK(3)}}):
        with pytest.raises(cs.ResultsError, match="variant 'two', policy 'k = 1':"):
            dataclasses.replace(study, variants={"": {}, "two": changed}).run(tmp_path / "out")
    assert len(calls) == before + len(base.policies)


def test_a_policy_that_does_not_fit_in_a_variant_is_named_with_it():
    study = small_study(variants={"": {}, "odd": {"policies": {"k = 1": cs.ExactGradientCode(4)}}})
    with pytest.raises(cs.ConfigurationError, match="variant 'odd', policy 'k = 1': load = 4"):
        study.run()


def test_a_run_that_is_missing_is_done_again_under_its_variants_policy(tmp_path):
    """A folder in which the only run of an overridden policy is not there yet, as after an interrupt."""
    study = small_study(replications=1, variants={"a": {}, "b": {"policies": {"k = 1": cs.FastestK(3)}}})
    study.run(tmp_path / "whole")
    study.run(tmp_path / "out")
    whole = tree(tmp_path / "whole")
    for file in sorted((tmp_path / "out" / "runs").iterdir()):
        content = file.read_bytes()
        file.unlink()
        study.run(tmp_path / "out")
        assert file.read_bytes() == content
    assert tree(tmp_path / "out") == whole


@pytest.mark.parametrize(
    ("policies", "words"),
    [
        ({"strange": cs.FastestK(1)}, r"\['strange'\]: expected one of the study's policies"),
        ({"k = 1": 3}, r"\['k = 1'\] = 3: expected a Policy"),
        (cs.FastestK(1), "expected a mapping from labels"),
    ],
)
def test_bad_policies_of_a_variant_are_named(policies, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        small_study(variants={"": {"policies": policies}})


class Waiting(Executor):
    """Takes tasks and does only the first."""

    def __init__(self):
        self.futures = []

    def submit(self, function, /, *args):
        future = Future()
        if not self.futures:
            future.set_result(function(*args))
        self.futures.append(future)
        return future


@pytest.mark.parametrize("reason", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_cancels_what_is_pending_and_keeps_what_is_stored(tmp_path, reason):
    executor = Waiting()

    def stop(done, runs, key):
        if done == 1:
            raise reason

    with pytest.raises(reason):
        small_study().run(tmp_path / "out", executor=executor, progress=stop)
    assert [future.cancelled() for future in executor.futures] == [False, True, True, True]
    assert len(cs.load_results(tmp_path / "out").totals) == 1


def wild(**changes):
    """A study in whose variant "wild" every run diverges."""
    return small_study(variants={"tame": {}, "wild": {"optimizer": cs.SGD(10.0)}}, **changes)


def test_a_run_that_fails_is_an_outcome_and_the_others_are_done(tmp_path, calls):
    with pytest.warns(cs.FailedRunsWarning, match="4 of 8 runs failed"):
        results = wild().run(tmp_path / "out", seed=3)
    assert len(calls) == 8
    assert set(results.totals["variant"]) == {"tame"}
    assert results.failures[["variant", "policy", "replication", "seed"]].values.tolist() == [
        ["wild", policy, replication, 3] for policy in ("k = 1", "k = 4") for replication in (0, 1)
    ]
    assert results.failures["reason"].str.contains("the model diverged at update").all()
    assert results.missing == ()
    stored = cs.load_results(tmp_path / "out")
    assert stored.failures.equals(results.failures)
    assert stored.frame.equals(results.frame)
    calls.clear()
    with pytest.warns(cs.FailedRunsWarning):
        again = wild().run(tmp_path / "out", seed=3)
    assert calls == [], "a stored failure is not tried again"
    assert (again.reused, results.reused) == (8, 0)
    with pytest.warns(cs.FailedRunsWarning):
        assert wild().run(tmp_path / "out", seed=3, retry_failed=True).reused == 4
    assert len(calls) == 4


def test_a_study_whose_runs_all_fail_says_why_the_first_did(tmp_path):
    study = small_study(optimizer=cs.SGD(10.0))
    words = "all 4 runs failed; policy 'k = 1', replication 0: the model diverged"
    for attempt in (lambda: study.run(tmp_path / "out"), lambda: cs.load_results(tmp_path / "out"), study.run):
        with pytest.raises(cs.FailedRunsError, match=words):
            attempt()


class Moody(cs.Optimizer):
    """Plain gradient steps that fail while a file is there."""

    def __init__(self, path):
        self.path = path

    def describe(self):
        return {}

    def begin(self, w0):
        return self

    def step(self, w, gradient, update_number):
        if self.path.exists() and update_number == 3:
            raise RuntimeError("not today")
        return w - 1e-5 * gradient


class Noting(cs.FastestK):
    """Keeps something in itself when a run begins."""

    def begin(self, setting):
        object.__setattr__(self, "seen", setting.workers)
        return super().begin(setting)


def test_what_a_policy_notes_in_itself_does_not_change_its_description(tmp_path):
    study = dataclasses.replace(small_study(), policies={"noting": Noting(2)})
    study.run(tmp_path)
    assert study.run(tmp_path).reused == 2


def test_an_error_whose_text_is_no_unicode_is_stored_too(tmp_path, monkeypatch):
    study = dataclasses.replace(small_study(), policies={"k = 1": cs.FastestK(1)})
    monkeypatch.setattr(
        "clustersim.studies.study.carry_out",
        lambda tasks, *_: ((task.key, jobs.Outcome(failure="no \udce9")) for task in tasks),
    )
    with pytest.raises(cs.FailedRunsError, match=r"--retry-failed \(retry_failed=True\) repeats them"):
        study.run(tmp_path)
    with pytest.raises(cs.FailedRunsError, match="no \udce9"):
        cs.load_results(tmp_path)


class Undescribed(cs.FastestK):
    def describe(self):
        return {"rate": self.missing}


def test_an_error_while_the_users_thing_describes_itself_is_told_with_its_place():
    study = dataclasses.replace(small_study(), policies={"odd": Undescribed(1)})
    with pytest.raises(cs.ConfigurationError, match=r"describing the study failed.*test_study\.py.*missing"):
        study.run()


def test_a_retried_run_takes_the_place_of_its_failure(tmp_path):
    mood, out = tmp_path / "mood", tmp_path / "out"
    study = small_study(optimizer=Moody(mood))
    mood.touch()
    with pytest.raises(cs.FailedRunsError, match=r"test_study.py, line \d+ \(raise RuntimeError.*: not today"):
        study.run(out)
    assert len(list((out / "failures").iterdir())) == 4
    mood.unlink()
    with pytest.raises(cs.FailedRunsError):
        study.run(out)
    study.run(out, retry_failed=True)
    study.run(tmp_path / "whole")
    assert tree(out) == tree(tmp_path / "whole"), "nothing is left of the failures"


def test_a_failure_under_another_configuration_is_forgotten(tmp_path):
    with pytest.raises(cs.FailedRunsError):
        small_study(optimizer=cs.SGD(10.0)).run(tmp_path / "out")
    small_study().run(tmp_path / "out")
    small_study().run(tmp_path / "whole")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


class Ending(cs.Optimizer):
    """Ends its process in one way or another."""

    def __init__(self, end):
        self.end = end

    def describe(self):
        return {}

    def begin(self, w0):
        self.end()

    def step(self, w, gradient, update_number):
        return w


ENDS = {
    "death": (lambda: os._exit(0), "the process that executed it died, and so did the process that repeated it"),
    "exit": (lambda: sys.exit(0), "SystemExit: 0"),
    "error": (lambda: next(iter([])), "StopIteration"),
    "error in a library": (lambda: math.sqrt("x"), "TypeError: must be real number, not str"),
}


def test_whatever_ends_a_run_in_a_pool_the_others_are_done(tmp_path, processes):
    ending = {name: {"optimizer": Ending(end)} for name, (end, _) in ENDS.items()}
    study = small_study(
        replications=1, policies={"k = 1": cs.FastestK(1)}, variants={"tame": {}, **ending, "tame too": {}}
    )
    with pytest.warns(cs.FailedRunsWarning, match="4 of 6 runs failed"):
        results = study.run(tmp_path / "out", executor=processes)
    reasons = results.failures.set_index("variant")["reason"]
    assert {name for name, (_, words) in ENDS.items() if words not in reasons[name]} == set()
    assert cs.load_results(tmp_path / "out").totals["variant"].tolist() == ["tame", "tame too"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_users_error_is_told_with_file_and_line(processes, elsewhere):
    class Broken(cs.Optimizer):  # a class that plain pickle could not carry
        def begin(self, w0):
            return self

        def step(self, w, gradient, update_number):
            return w - 1 / (update_number - 1)

    words = (
        r"policy 'k = .', replication .: .*test_study.py, line \d+ \(return w - .*: ZeroDivisionError: division by zero"
    )
    with pytest.raises(cs.FailedRunsError, match=words):
        small_study(optimizer=Broken()).run(executor=processes if elsewhere else None)


def test_a_policy_that_does_not_fit_is_found_before_anything_is_run(tmp_path, calls):
    study = small_study(policies={"k = 1": cs.FastestK(1), "k = 60": cs.FastestK(60)})
    with pytest.raises(cs.ConfigurationError, match="policy 'k = 60': k = 60"):
        study.run(tmp_path / "out")
    assert calls == []
    assert not (tmp_path / "out").exists()


@dataclasses.dataclass(frozen=True)
class Unlucky(cs.placements.Placement):
    """Even shares, drawn at random, and impossible for one draw."""

    unlucky: float

    def assign(self, problem, workers, generator):
        if generator.random() == self.unlucky:
            raise cs.ConfigurationError("no such shares")
        return cs.placements.EvenPartition().assign(problem, workers, generator)


def test_a_placement_that_is_impossible_in_a_later_replication_is_found_before_anything_is_run(tmp_path, calls):
    draws = [Streams(5, replication).generator("placement").random() for replication in range(6)]
    study = small_study(policies={"odd": cs.FastestK(1, placement=Unlucky(draws[4]))}, replications=6)
    with pytest.raises(
        cs.ConfigurationError, match=r"policy 'odd', replication 4: .*no such shares; choose another seed"
    ):
        study.run(tmp_path / "out", seed=5)
    assert calls == []
    assert not (tmp_path / "out").exists()
    dataclasses.replace(study, replications=4).run(tmp_path / "out", seed=5)


def test_a_placement_that_leaves_nothing_to_chance_is_tried_once(monkeypatch):
    tried = []
    real = cs.placements.EvenPartition.assign
    monkeypatch.setattr(cs.placements.EvenPartition, "assign", lambda *args: tried.append(1) or real(*args))
    monkeypatch.setattr(jobs, "simulate", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(cs.FailedRunsError):
        small_study(replications=9).run()
    assert len(tried) == 2, "once for each policy"


def test_quick_is_a_tenth_with_two_replications():
    study = small_study(
        replications=10,
        until=cs.Until(time=50.0, updates=305, error=1e-3),
        variants={"": {}, "b": {"until": cs.Until(9)}},
        claims=[cs.Claim("all is well", len)],
        figures={"own": len},
        notes="All is well.",
    ).quick()
    assert study.name == "small-quick"
    assert study.claims == ()
    assert study.notes.startswith("A quick look: ")
    assert list(study.figures) == ["own"]
    assert study.replications == 2
    assert study.until == cs.Until(time=5.0, updates=30, error=1e-3)
    assert study.variants["b"]["until"] == cs.Until(time=0.9)
    assert small_study(replications=1, until=cs.Until(updates=3)).quick().until.updates == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "/"}, "name = '/'"),
        ({"replications": 0}, "replications = 0"),
        ({"evaluate_every": 2.5}, "evaluate_every = 2.5"),
        ({"problem": "mnist"}, "problem = 'mnist': expected a Problem"),
        ({"cluster": 5}, "cluster = 5: expected a Cluster"),
        ({"optimizer": 0.05}, "optimizer = 0.05: expected an Optimizer"),
        ({"until": 100.0}, "until = 100.0: expected an Until"),
        ({"policies": {}}, "policies = {}"),
        ({"policies": [cs.FastestK(1)]}, "policies = .*expected a mapping"),
        ({"policies": {"": cs.FastestK(1)}}, "policies: label ''"),
        ({"policies": {"a\nb": cs.FastestK(1)}}, "label 'a.nb'"),
        ({"policies": {"full": cs.FullSync}}, r"write FullSync\(\.\.\.\)"),
        ({"variants": {}}, "variants = {}"),
        ({"variants": {"a": {"seed": 1}}}, "'seed'.*can override only problem, cluster, optimizer, until"),
        ({"variants": {"a": {"until": 3}}}, r"variants\['a'\]\['until'\] = 3"),
        ({"claims": ["it is fast"]}, r"claims\[0\] = 'it is fast'"),
        ({"figures": {"a": 3}}, r"figures\['a'\] = 3"),
        ({"metric": None}, "metric = None"),
        ({"claims": None}, "claims = None: expected a list of claims"),
        ({"claims": cs.Claim("one", len)}, r"claims = Claim\(statement='one'"),
    ],
)
def test_bad_arguments_are_named(changes, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        small_study(**changes)


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_bad_seeds_are_named(seed):
    with pytest.raises(cs.ConfigurationError, match=f"seed = {seed!r}"):
        small_study().run(seed=seed)


@pytest.mark.parametrize(("name", "value"), [("out", 3), ("executor", 4), ("progress", 3)])
def test_bad_arguments_of_a_run_are_named_even_if_nothing_is_pending(tmp_path, name, value):
    study = small_study(replications=1)
    study.run(tmp_path / "out")
    with pytest.raises(cs.ConfigurationError, match=f"{name} = {value}: expected"):
        study.run(**{"out": tmp_path / "out", name: value})


def digits(**test):
    X = np.random.default_rng(3).normal(size=(40, 3))
    return cs.SoftmaxRegression(X, np.arange(40) % 2, ridge=0.1, **{key: (X, np.arange(40) % 2) for key in test})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "speed"}, "metric = 'speed': expected one of error, loss, distance$"),
        ({"metric": "time"}, "metric = 'time': expected one of error, loss, distance$"),
        ({"metric": "test_accuracy", "problem": digits()}, "'test_accuracy'.*no test rows: give it test="),
        ({"metric": "accuracy", "problem": digits(test=1)}, "'accuracy': expected one of error, loss, test_accuracy$"),
        (
            {"metric": "test_accuracy", "problem": digits(test=1), "variants": {"a": {}, "b": {"problem": digits()}}},
            "expected one of error, loss in variant 'b'; .*test=",
        ),
        (
            {"variants": {"a": {}, "b": {"problem": cs.MultilayerPerceptron(np.eye(12), np.arange(12) % 2)}}},
            "'error': MultilayerPerceptron.* does not know its optimum in variant 'b'; choose metric='loss'",
        ),
    ],
)
def test_a_metric_that_nobody_measures_is_found_before_anything_is_run(tmp_path, calls, changes, words):
    with pytest.raises(cs.ConfigurationError, match=words):
        small_study(**changes).run(tmp_path / "out")
    assert calls == []
    assert not (tmp_path / "out").exists()
