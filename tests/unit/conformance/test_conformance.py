"""Every part of the package conforms, and each law is broken by some part here, whose check says so."""

import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from scipy import sparse

import clustersim as cs
from clustersim.conformance import (
    ConformanceError,
    check_decoder,
    check_latency,
    check_optimizer,
    check_placement,
    check_policy,
    check_problem,
)
from clustersim.placements import Assignment
from clustersim.protocol import Policy, PolicyState

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3))
CLASSES = RANDOM.integers(3, size=40)

# ---------------------------------------------------------------------- all parts of the package


PROBLEMS = [
    cs.LeastSquares(X, X.sum(axis=1)),
    cs.LeastSquares(X, X.sum(axis=1), ridge=0.1),
    cs.LeastSquares(sparse.csr_array(X * (X > 0.0)), X.sum(axis=1)),
    cs.LogisticRegression(X, CLASSES > 0, ridge=0.01),
    cs.LogisticRegression(X, CLASSES),
    cs.SoftmaxRegression(X, CLASSES, ridge=0.1),
    cs.MultilayerPerceptron(X, CLASSES, hidden=(4,)),
]
LATENCIES = [
    cs.Exponential(1.0),
    cs.ShiftedExponential(0.5, 1.5),
    cs.Constant(2.0),
    cs.Gamma(2.0, shape=3.0),
    cs.Pareto(1.0, shape=1.5),
    cs.Pareto(1.0, shape=2.5),
    cs.Weibull(1.0, shape=0.7),
    cs.LogNormal(1.0, sigma=0.5),
    cs.Empirical([1.0, 2.0, 2.0, 3.5]),
    cs.FromScipy(scipy.stats.uniform(1.0, 2.0)),
    cs.BernoulliStraggler(0.3, time=1.0),
    cs.Persistent(cs.Exponential(1.0), rounds=4),
    cs.PerWorker([cs.Exponential(1.0), cs.Constant(2.0)]),
    cs.Markov(cs.Exponential(1.0), cs.Exponential(5.0), slow_down=0.1, recover=0.3),
    cs.Replay(RANDOM.random((20, 6)) + 0.5),
]
PLACEMENTS = [
    cs.placements.EvenPartition(),
    cs.placements.FractionalRepetition(3),
    cs.placements.CyclicRepetition(3),
    cs.placements.UniformReplication(3),
    cs.placements.NormReplication(2.5),
    cs.placements.Everything(),
    cs.placements.Uncombined(cs.placements.UniformReplication(2)),
    cs.ByLabel(2),
    cs.Dirichlet(0.5),
]
DECODERS = [
    kind(0.3) if "straggler_probability" in inspect.signature(kind).parameters else kind()
    for kind in map(vars(cs.decoders).get, cs.decoders.__all__)
    if inspect.isclass(kind) and not inspect.isabstract(kind)
]
OPTIMIZERS = [
    cs.SGD(0.1),
    cs.SGD(lambda t: 0.1 / t, weight_decay=0.01),
    cs.Momentum(0.1, momentum=0.9),
    cs.Nesterov(0.1),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=repr)
def test_problems_conform(problem):
    check_problem(problem, points=2)


@pytest.mark.parametrize("model", LATENCIES, ids=repr)
def test_latency_models_conform(model):
    check_latency(model)


@pytest.mark.parametrize("placement", PLACEMENTS, ids=repr)
def test_placements_conform(placement):
    check_placement(placement)


@pytest.mark.parametrize("decoder", DECODERS, ids=repr)
def test_decoders_conform(decoder):
    check_decoder(decoder)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
def test_optimizers_conform(optimizer):
    check_optimizer(optimizer)


# ---------------------------------------------------------------------- problems that break a law


class Mended(cs.LeastSquares):
    """Least squares, of which each test spoils one method."""

    def __init__(self):
        super().__init__(X, X.sum(axis=1))


class WrongSign(Mended):
    def gradient(self, w, rows, weights):
        return -super().gradient(w, rows, weights)


class ForgetsWeights(Mended):
    def gradient(self, w, rows, weights):
        return super().gradient(w, rows, 1.0 / 40 if rows is None else float(np.mean(weights)) if len(rows) else 1.0)


class CountsOnce(Mended):
    def gradient(self, w, rows, weights):
        if rows is None or np.ndim(weights) == 0:
            return super().gradient(w, rows, weights)
        once = np.unique(rows, return_index=True)[1]
        return super().gradient(w, rows[once], weights[once])


class WritesToModel(Mended):
    def gradient(self, w, rows, weights):
        gradient = super().gradient(w, rows, weights)
        if w.flags.writeable:
            w += 1e-12
        return gradient


class KeepsItsResult(Mended):
    def __init__(self):
        super().__init__()
        self.kept = None

    def gradient(self, w, rows, weights):
        if rows is not None and len(rows) == 5 and np.ndim(weights) and (weights == 0.5).all():
            if self.kept is None:
                self.kept = super().gradient(w, rows, weights)
            return self.kept
        return super().gradient(w, rows, weights)


class WrongShape(Mended):
    def gradient(self, w, rows, weights):
        return super().gradient(w, rows, weights)[:, None]


class WrongOptimum(Mended):
    def optimum(self):
        best = super().optimum()
        return type(best)(best.w, best.objective - 1.0)

    def evaluate(self, w):
        return self.objective(w) - self.optimum().objective, self.loss(w)


class WrongSmoothness(Mended):
    def smoothness(self):
        return 0.01 * super().smoothness()


class WrongConvexity(Mended):
    def strong_convexity(self):
        return 100.0 * super().smoothness()


class Evasive(Mended):
    def evaluate(self, w):
        error, loss = super().evaluate(w)
        return error, loss + 1.0


class TakenName(Mended):
    def metrics(self, w):
        return {"time": float(w[0])}


class Restless(Mended):
    def describe(self):
        return {"number": np.random.default_rng().random()}


@pytest.mark.parametrize(
    ("problem", "complaint"),
    [
        (WrongSign, r"gradient is not the gradient: in direction .* central differences say"),
        (ForgetsWeights, "weighted sum of single rows"),
        (CountsOnce, "weighted sum of single rows"),
        (WritesToModel, "writes to its argument w"),
        (KeepsItsResult, "the second time"),
        (WrongShape, r"shape \(3, 1\): expected \(3,\)"),
        (WrongOptimum, r"optimum\(\) claims the objective"),
        (WrongSmoothness, "not L = "),
        (WrongConvexity, "c = .* is wrong"),
        (Evasive, r"evaluate\(w\) says loss"),
        (TakenName, "'time' is taken"),
        (Restless, r"describe\(\) returns something else"),
    ],
)
def test_the_law_that_a_problem_breaks_is_named(problem, complaint):
    with pytest.raises((ConformanceError, cs.ConfigurationError), match=complaint):
        check_problem(problem(), points=2)


# ---------------------------------------------------------------------- latency models that break a law


class Spoilt(cs.LatencyModel):
    """Exponential times, of which each test spoils one answer."""

    def quantile(self, u):
        return -np.log1p(-np.asarray(u, dtype=np.float64))


class Falls(Spoilt):
    def quantile(self, u):
        return np.abs(np.asarray(u) - 0.5)


class Negative(Spoilt):
    def quantile(self, u):
        return super().quantile(u) - 0.5


class WrongMean(Spoilt):
    @property
    def expected_time(self):
        return 1.1


class WrongVariance(Spoilt):
    @property
    def variance(self):
        return 1.3


class WrongRank(Spoilt):
    def order_statistic_mean(self, k, n):
        return super().order_statistic_mean(min(k + 1, n), n)


class OtherDraws(Spoilt):
    def times(self, uniforms, first_task, tasks, workers, lane=0):
        return 2.0 * super().times(uniforms, first_task, tasks, workers, lane)


class Neighbourly(Spoilt):
    def times(self, uniforms, first_task, tasks, workers, lane=0):
        times = super().times(uniforms, first_task, tasks, workers, lane)
        return times + 0.01 * workers


class OtherSingles(Spoilt):
    def times_at(self, uniforms, tasks, workers, lane=0):
        return 1.5 * super().times_at(uniforms, tasks, workers, lane)


class WrongShift(Spoilt):
    def shifts(self, workers):
        return np.full(workers, 0.5)


class Global(Spoilt):
    def quantile(self, u):
        np.random.random()  # noqa: NPY002 - this is what must be found
        return super().quantile(u)


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (Falls, r"the quantile falls, from .* at 0"),
        (Negative, r"quantile\(0\) is -0.5: expected seconds, at least 0"),
        (WrongMean, "expected_time is 1.1, the mean of 20000 draws"),
        (WrongVariance, "variance is 1.3"),
        (WrongRank, r"order_statistic_mean\(1, 5\)"),
        (OtherDraws, r"quantile\(0.01\) is"),
        (Neighbourly, "change with the number of workers"),
        (OtherSingles, "times_at returns other times"),
        (WrongShift, "less than its shift"),
        (Global, "global random state"),
    ],
)
def test_the_law_that_a_latency_model_breaks_is_named(model, complaint):
    with pytest.raises(ConformanceError, match=complaint):
        check_latency(model())


# ---------------------------------------------------------------------- placements and assignments


def _row_twice_out_of_order(parts):
    parts["rows"][:3] = parts["rows"][[0, 1, 0]]


SPOILS = {
    "row out of range": lambda parts: parts["rows"].__setitem__(-1, parts["total_rows"]),
    "negative row": lambda parts: parts["rows"].__setitem__(0, -1),
    "row twice": lambda parts: parts["rows"].__setitem__(1, parts["rows"][0]),
    "row twice, out of order": _row_twice_out_of_order,
    "total": lambda parts: parts.update(total_rows=parts["total_rows"] + 1),
    "workers": lambda parts: parts.update(starts=parts["starts"][[0, -1]]),
    "coefficient": lambda parts: parts["coefficients"].__setitem__(1, np.nan),
    "coefficients": lambda parts: parts.update(coefficients=np.ones(2)),
    "starts": lambda parts: parts["starts"].__setitem__(1, parts["starts"][2] + 1),
    "floats": lambda parts: parts.update(rows=parts["rows"].astype(np.float64)),
    "recovery": lambda parts: parts.update(recovery=len(parts["starts"])),
    "promise": lambda parts: parts.update(recovery=1),
    "random": lambda parts: parts.update(rows=np.random.default_rng().permutation(parts["total_rows"])),
    "missing": lambda parts: parts["rows"].__setitem__(-1, 0),
    "lists": lambda parts: parts.update(rows=parts["rows"].tolist()),
}


@dataclass(frozen=True)
class Fixed(cs.placements.Placement):
    """An even partition, of which each test spoils one part."""

    spoil: str = ""

    def assign(self, problem, workers, generator):
        parts = {
            "total_rows": problem.rows,
            "starts": np.linspace(0, problem.rows, workers + 1).astype(np.int64),
            "rows": np.arange(problem.rows),
            "coefficients": np.ones(problem.rows),
        }
        SPOILS.get(self.spoil, dict)(parts)
        return Assignment(**parts)


UNSOUND = {
    "row out of range": r"worker \d+ holds row \d+: expected rows 0 \.\. \d+",
    "negative row": r"worker 0 holds row -1",
    "row twice": "worker 0 holds row 0 twice",
    "row twice, out of order": "worker 0 holds row 0 twice",
    "total": r"total_rows = \d+: the problem has \d+",
    "workers": r"is for 1 workers: the cluster has \d+",
    "coefficient": "worker 0 holds row 1 with coefficient nan",
    "coefficients": r"coefficients of shape \(2,\)",
    "starts": "expected numbers that rise from 0",
    "floats": "rows of dtype float64",
    "recovery": r"recovery = \d+: expected 1 \.\. \d+",
    "lists": r"rows = \[0, 1, 2.*: expected a NumPy array",
}


@pytest.mark.parametrize("spoil", UNSOUND)
def test_an_unsound_assignment_is_refused_when_the_run_is_set_up(spoil):
    problem = cs.LeastSquares.synthetic(rows=12, features=2, seed=1)
    cluster = cs.Cluster(3, cs.Exponential(1.0))
    policy = cs.Synchronous(cs.waits.Fastest(2), placement=Fixed(spoil))
    with pytest.raises(cs.ConfigurationError, match=r"Fixed\(spoil='" + re.escape(spoil) + "'.*" + UNSOUND[spoil]):
        cs.simulate(problem, cluster, policy, optimizer=cs.SGD(1e-3), until=cs.Until(updates=2))


def test_what_is_no_assignment_is_refused():
    @dataclass(frozen=True)
    class Nothing(cs.placements.Placement):
        def assign(self, problem, workers, generator):
            return [[0, 1], [2, 3]]

    policy = cs.Synchronous(cs.waits.All(), placement=Nothing())
    with pytest.raises(cs.ConfigurationError, match=r"returns \[\[0, 1\], \[2, 3\]\]: expected an Assignment"):
        cs.simulate(
            cs.LeastSquares.synthetic(rows=4, features=2, seed=1), cs.Cluster(2, cs.Exponential(1.0)), policy,
            optimizer=cs.SGD(1e-3), until=cs.Until(updates=2),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        *UNSOUND.items(),
        ("promise", "promises that any 1 workers determine the full gradient"),
        ("random", "equal generators give different assignments"),
        ("missing", r"row \[\d+\] is on no worker"),
    ],
)
def test_the_law_that_a_placement_breaks_is_named(spoil, complaint):
    with pytest.raises(ConformanceError, match=complaint):
        check_placement(Fixed(spoil), workers=3)


# ---------------------------------------------------------------------- decoders


@dataclass(frozen=True)
class Odd(cs.decoders.Decoder):
    """The mean, of which each test spoils one answer."""

    spoil: str = ""
    seen: list[int] = field(default_factory=list, compare=False)

    def weights(self, assignment, workers):
        weight = cs.decoders.Mean().weights(assignment, workers)
        match self.spoil:
            case "shape":
                return np.ones(len(workers) + 1)
            case "nan":
                return float("nan")
            case "memory":
                self.seen.append(1)
                return weight * len(self.seen)
            case "writes":
                workers[:] = 0
        return weight

    def alike(self, assignment, count):
        return 7.0 if self.spoil == "alike" else None

    def expected_error(self, assignment, straggler_probability):
        if self.spoil == "error":
            return 0.01
        return super().expected_error(assignment, straggler_probability)

    def check(self, assignment):
        if self.spoil == "refuses":
            raise cs.ConfigurationError("never")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ("shape", r"have shape \(13,\): expected one number or \(12,\)"),
        ("nan", "are nan"),
        ("memory", "and then"),
        ("writes", "writes to the array of workers"),
        ("alike", "alike says that 1 messages have the weight 7.0"),
        ("error", "expected_error is 0.01 for p = 0.3"),
        ("refuses", "refuses every placement"),
    ],
)
def test_the_law_that_a_decoder_breaks_is_named(spoil, complaint):
    with pytest.raises(ConformanceError, match=complaint):
        check_decoder(Odd(spoil))


# ---------------------------------------------------------------------- optimisers


@dataclass(frozen=True)
class Spoilsport(cs.Optimizer):
    """Gradient descent, of which each test spoils one habit."""

    spoil: str = ""
    total: list[float] = field(default_factory=lambda: [0.0], compare=False)

    def begin(self, w0):
        return _Step(self)


class _Step:
    def __init__(self, rule):
        self.rule = rule

    def step(self, w, gradient, update_number):
        match self.rule.spoil:
            case "in place":
                w -= 0.1 * gradient
                return w
            case "writes":
                gradient *= 0.5
            case "leaks":
                self.rule.total[0] += float(gradient[0])
                return w - 0.1 * gradient - self.rule.total[0]
            case "nan":
                return w * np.nan
            case "shape":
                return w[:-1]
            case "deaf":
                return w + 0.1
        return w - 0.1 * gradient


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ("in place", "changes or returns an earlier model"),
        ("writes", "writes to the gradient"),
        ("leaks", "state leaks between runs"),
        ("nan", "expected finite numbers"),
        ("shape", r"expected an array of shape \(5,\)"),
        ("deaf", "the same models for opposite gradients"),
    ],
)
def test_the_law_that_an_optimizer_breaks_is_named(spoil, complaint):
    with pytest.raises(ConformanceError, match=complaint):
        check_optimizer(Spoilsport(spoil))


# ---------------------------------------------------------------------- states of policies


class Inherits(PolicyState):
    """A state that inherits from `PolicyState`, and hands everything on."""

    def __init__(self, inner):
        self.inner, self.k = inner, inner.k

    def react(self, event):
        return self.inner.react(event)


@dataclass(frozen=True)
class Inheriting(Policy):
    def begin(self, setting):
        return Inherits(cs.FastestK(2).begin(setting))


def test_a_state_may_inherit_from_policy_state():
    check_policy(Inheriting(), updates=5)


@dataclass(frozen=True)
class WithK(Policy):
    """Fastest-1, whose state says that it waits for `k`, or has no k at all."""

    k: object = None

    def begin(self, setting):
        inner = cs.FastestK(1).begin(setting)
        state = type("State", (), {"react": lambda self, event: inner.react(event)})()
        if self.k is not None:
            state.k = self.k
        return state


SMALL = cs.LeastSquares.synthetic(rows=12, features=3, seed=1)


def run(problem=SMALL, policy=None, optimizer=None):
    cluster = cs.Cluster(3, cs.Exponential(1.0))
    until = cs.Until(updates=3)
    return cs.simulate(problem, cluster, policy or cs.FastestK(1), optimizer=optimizer or cs.SGD(1e-3), until=until)


@pytest.mark.parametrize("k", [None, 0, 4, 1.5, True, "one"])
def test_a_state_without_a_sound_k_is_refused(k):
    found = "no k" if k is None else f"k = {k!r}"
    with pytest.raises(cs.ProtocolError, match=rf"WithK\(.*its state has {re.escape(found)}: expected .* 1 \.\. 3;"):
        run(policy=WithK(k))


def test_a_state_with_a_sound_k_is_not():
    assert run(policy=WithK(np.int64(3))).history["k"].unique().tolist() == [3]


class Short(cs.LeastSquares):
    """A problem that returns vectors of the wrong length from one method."""

    def __init__(self, method):
        super().__init__(X, X.sum(axis=1))
        self.method = method

    def gradient(self, w, rows, weights):
        gradient = super().gradient(w, rows, weights)
        return gradient[:1] if self.method == "gradient" else gradient

    def initial_model(self):
        return np.zeros(3, dtype=np.int64) if self.method == "initial_model" else super().initial_model()


@pytest.mark.parametrize("method", ["gradient", "initial_model"])
def test_vectors_of_the_wrong_kind_are_refused(method):
    with pytest.raises(cs.ConfigurationError, match=rf"{method}\(\) returns an array of .*expected an array of floats"):
        run(problem=Short(method))


def test_models_of_the_wrong_shape_are_refused():
    with pytest.raises(cs.ConfigurationError, match=r"step\(\) returns an array of float64 of shape \(2,\)"):
        run(optimizer=Spoilsport("shape"))


@dataclass(frozen=True)
class Waiting(cs.waits.WaitRule):
    """A wait rule whose `begin` returns what a test says."""

    state: object

    def begin(self, setting):
        return self.state


class KLess(cs.waits.WaitState):
    def opened(self, updated):
        pass


class WithWaitK(KLess):
    k = 4


@dataclass(frozen=True)
class Late(cs.waits.ArrivalDeadline):
    """A deadline that is no number of seconds."""

    answer: object

    def deadline(self, times):
        return self.answer


@dataclass(frozen=True)
class Stateless(cs.Optimizer):
    def begin(self, w0):
        return None


@dataclass(frozen=True)
class StatelessPolicy(Policy):
    def begin(self, setting):
        return None


class Scalar(cs.LatencyModel):
    """A quantile function that takes one number only."""

    def quantile(self, u):
        return 1.0 if u < 0.5 else 2.0


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (
            {"policy": cs.Synchronous(Waiting(None))},
            r"wait = None: expected Waiting.* to return a WaitState",
        ),
        ({"policy": cs.Synchronous(Waiting(KLess()))}, r"its state has no k: expected .* 1 \.\. 3;"),
        ({"policy": cs.Synchronous(cs.waits.Latest(cs.waits.All(), Waiting(None)))}, "to return a WaitState"),
        ({"policy": cs.Synchronous(cs.waits.Earliest(Waiting(KLess()), cs.waits.All()))}, "its state has no k"),
        ({"policy": cs.Synchronous(cs.waits.WarmUp(Waiting(None), 1.0))}, "to return a WaitState"),
        ({"policy": cs.Synchronous(Waiting(WithWaitK()))}, r"its state has k = 4: expected .* 1 \.\. 3;"),
        ({"policy": cs.Synchronous(Late(float("nan")))}, r"deadline\(\[inf inf inf\]\) returns nan: expected seconds"),
        ({"policy": cs.Synchronous(Late(None))}, "returns None: expected seconds"),
        ({"policy": cs.Synchronous(Late(-1.0))}, "returns -1.0: expected seconds"),
        ({"policy": StatelessPolicy()}, r"begin\(\) returns None: expected a state with k and react"),
        ({"optimizer": Stateless()}, r"begin\(\) returns None: expected a state with step"),
    ],
)
def test_what_begin_returns_is_checked(part, complaint):
    with pytest.raises(cs.ClusterSimError, match=complaint):
        run(**part)


def test_a_quantile_for_single_numbers_only_is_refused():
    with pytest.raises(cs.ConfigurationError, match=r"quantile\(\[0.25 0.5 \]\) gives .*element by element"):
        cs.simulate(SMALL, cs.Cluster(3, Scalar()), cs.FastestK(1), optimizer=cs.SGD(1e-3), until=cs.Until(updates=2))


def test_the_list_of_decoders_is_not_empty():
    assert len(DECODERS) == 6
    assert Path(inspect.getfile(cs.decoders)).is_file()
