"""Torch modules as problems: against the NumPy problems, finite differences, and what a gradient must not depend on."""

import importlib.util
import math
from typing import Any

import numpy as np
import pytest

import clustersim as cs

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch
from networks import CLASSES, FEATURES, ROWS, data_of, in_softmax_order, linear, seeded, small_net
from torch import nn

SOME = np.array([5, 0, 5, 22, 7])


@pytest.mark.parametrize("batch", [1, 3, 256])
@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        (None, 1 / ROWS),
        (None, np.linspace(-1.0, 2.0, ROWS)),
        (None, np.where(np.arange(ROWS) % 3, 0.0, 1.5)),
        (SOME, 0.25),
        (SOME, np.array([1.0, -2.0, 0.5, 0.0, 3.0])),
        (SOME[:0], 1.0),
        (SOME, np.zeros(5)),
    ],
)
def test_a_linear_module_is_softmax_regression(rows: Any, weights: Any, batch: int) -> None:
    (X, y), test = data_of(), data_of(seed=1)
    ours, theirs = cs.TorchProblem(linear(), X, y, test=test, batch=batch), cs.SoftmaxRegression(X, y, test=test)
    assert (ours.rows, ours.dimension) == (theirs.rows, theirs.dimension)
    w = np.random.default_rng(2).normal(size=ours.dimension)
    w.setflags(write=False)
    if isinstance(weights, np.ndarray):
        weights.setflags(write=False)
    v = in_softmax_order(w)
    assert ours.loss(w) == pytest.approx(theirs.loss(v), rel=1e-13)
    got = ours.gradient(w, rows, weights)
    assert (got.dtype, got.shape) == (np.float64, (ours.dimension,))
    np.testing.assert_allclose(in_softmax_order(got), theirs.gradient(v, rows, weights), rtol=1e-12, atol=1e-13)
    assert ours.metrics(w) == theirs.metrics(v)
    np.testing.assert_array_equal(ours.labels, theirs.labels)


def test_a_linear_module_without_bias_is_least_squares() -> None:
    X, y = data_of()
    targets = y + 0.25
    for shape in ((-1,), (-1, 1)):  # a column of outputs must not be stretched against a line of targets
        ours = cs.TorchProblem(
            linear(1, bias=False), X, targets.reshape(shape), loss="squared", test=(X[:9], targets[:9].reshape(shape))
        )
        theirs = cs.LeastSquares(X, targets, test=(X[:9], targets[:9]))
        w = np.random.default_rng(2).normal(size=FEATURES)
        assert ours.loss(w) == pytest.approx(theirs.loss(w), rel=1e-13)
        assert ours.metrics(w) == pytest.approx({"test_loss": theirs.metrics(w)["test_loss"]}, rel=1e-13)
        np.testing.assert_allclose(ours.gradient(w, SOME, 0.5), theirs.gradient(w, SOME, 0.5), rtol=1e-12)
        assert ours.labels is None
    whole = cs.TorchProblem(linear(1), X, y, loss="squared")
    assert whole.labels is None  # whole numbers that are no classes


@pytest.mark.parametrize("loss", ["cross-entropy", nn.HuberLoss(reduction="none", delta=0.1)])
def test_gradients_of_a_convolutional_net_are_finite_differences(loss: Any) -> None:
    draw = np.random.default_rng(3)
    X, y = draw.normal(size=(7, 2, 6, 6)), draw.integers(0, 3, 7)
    net = small_net()
    if loss != "cross-entropy":
        net, y = nn.Sequential(net, nn.Linear(3, 1).double(), nn.Flatten(0)), y + 0.5
    problem = cs.TorchProblem(net, X, y, loss=loss, batch=3)
    w, weights = problem.initial_model(), draw.normal(size=4)
    rows = np.array([6, 1, 1, 3])
    slope = problem.gradient(w, rows, weights)
    full = problem.gradient(w, None, 1 / 7)
    one = [cs.TorchProblem(net, X[[r]], y[[r]], loss=loss) for r in rows]  # the loss of each row by itself
    for axis in np.linspace(0, problem.dimension - 1, 40).astype(int):
        step = np.zeros(problem.dimension)
        step[axis] = 1e-6
        numeric = [(each.loss(w + step) - each.loss(w - step)) / 2e-6 for each in one]
        assert slope[axis] == pytest.approx(weights @ numeric, rel=1e-6, abs=1e-8)
        assert full[axis] == pytest.approx((problem.loss(w + step) - problem.loss(w - step)) / 2e-6, rel=1e-6, abs=1e-8)


def test_no_more_than_a_batch_is_computed_at_once_and_nothing_for_weights_of_zero() -> None:
    sizes: list[int] = []

    class Watched(nn.Linear):
        def forward(self, x: Any) -> Any:
            sizes.append(len(x))
            return super().forward(x)

    X, y = data_of()
    problem = cs.TorchProblem(Watched(FEATURES, CLASSES), X, y, batch=10)
    w, weights = problem.initial_model(), np.zeros(ROWS)
    weights[:4] = 1.0
    for ask, expected in (
        (lambda: problem.gradient(w, None, 1.0), [10, 10, 3]),
        (lambda: problem.loss(w), [10, 10, 3]),
        (lambda: problem.gradient(w, None, weights), [4]),
        (lambda: problem.gradient(w, np.zeros(12, dtype=int), 1.0), [10, 2]),
    ):
        sizes.clear()
        ask()
        assert sizes == expected


# ---------------------------------------------------------------------- the module stays the user's


def test_the_users_module_generators_and_settings_are_left_as_they_were() -> None:
    net, (X, y) = nn.Sequential(linear(), nn.Identity()), data_of()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)
    problem = cs.TorchProblem(net, X, y)
    flat = np.concatenate([parameter.detach().numpy().ravel() for parameter in net.parameters()])
    np.testing.assert_array_equal(problem.initial_model(), flat)
    problem.gradient(problem.initial_model() + 1.0, None, 1.0)
    problem.initial_model()[:] = 7.0
    np.testing.assert_array_equal(problem.initial_model(), flat)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    with torch.no_grad():
        net[0].weight += 1.0  # nor does the problem follow what the user does later
        no_grad = problem.gradient(flat, None, 1.0)
    np.testing.assert_array_equal(problem.initial_model(), flat)
    np.testing.assert_array_equal(no_grad, problem.gradient(flat, None, 1.0))


def test_what_requires_no_gradient_is_no_part_of_w() -> None:
    net = nn.Sequential(nn.Linear(FEATURES, 5), nn.Linear(5, CLASSES)).double()
    net[0].weight.requires_grad_(False)
    problem = cs.TorchProblem(net, *data_of())
    assert problem.dimension == 5 + 5 * 3 + 3
    flat = np.concatenate([net[0].bias.detach(), net[1].weight.detach().ravel(), net[1].bias.detach()])
    np.testing.assert_array_equal(problem.initial_model(), flat)
    assert problem.loss(flat) == pytest.approx(
        nn.functional.cross_entropy(net(torch.tensor(data_of()[0])), torch.tensor(data_of()[1])).item(), rel=1e-13
    )


def test_shared_parameters_count_once_and_unused_ones_have_slope_zero() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)).double()
    net[1].weight = net[0].weight
    net.register_parameter("unused", nn.Parameter(torch.ones(2, dtype=torch.float64)))
    problem = cs.TorchProblem(net, *data_of())
    assert problem.dimension == 2 + 16 + 4 + 4
    w = np.random.default_rng(1).normal(size=26)
    slope = problem.gradient(w, None, 1 / ROWS)
    names = [name for name, _ in net.named_parameters()]
    assert names[0] == "unused"
    assert slope[:2].tolist() == [0.0, 0.0]
    for axis in range(2, 26):
        step = 1e-6 * np.eye(26)[axis]
        assert slope[axis] == pytest.approx((problem.loss(w + step) - problem.loss(w - step)) / 2e-6, abs=1e-7)


def test_float32_modules_compute_in_float32() -> None:
    X, y = data_of()
    problem = cs.TorchProblem(linear().float(), X, y)
    precise = cs.TorchProblem(linear().float().double(), X.astype(np.float32), y)
    w = problem.initial_model()
    off = abs(problem.gradient(w, None, 1 / ROWS) - precise.gradient(w, None, 1 / ROWS)).max()
    assert 0.0 < off < 1e-6
    assert w.dtype == np.float64


# ---------------------------------------------------------------------- a gradient is a function of w and the row


def test_running_statistics_in_evaluation_mode_stay_and_gradients_have_no_history() -> None:
    net = nn.Sequential(nn.Linear(FEATURES, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, CLASSES)).double()
    net[1].running_mean += 0.3
    X, y = data_of()
    problem = cs.TorchProblem(net.eval(), X, y, batch=7)
    w = problem.initial_model()
    first = problem.gradient(w, None, 1.0)
    problem.gradient(w + 1.0, np.array([3]), 1.0)
    np.testing.assert_array_equal(problem.gradient(w, None, 1.0), first)
    rowwise = sum(problem.gradient(w, np.array([row]), 1.0) for row in range(ROWS))
    np.testing.assert_allclose(rowwise, first, rtol=1e-10, atol=1e-12)
    with torch.no_grad():
        expected = nn.functional.cross_entropy(net(torch.tensor(X)), torch.tensor(y)).item()
    assert problem.loss(w) == pytest.approx(expected, rel=1e-12)


def test_a_buffer_that_counts_calls_keeps_its_first_value() -> None:
    class Counting(nn.Linear):
        def __init__(self) -> None:
            super().__init__(FEATURES, CLASSES)
            self.register_buffer("calls", torch.ones(()))

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return super().forward(x) * self.calls

    problem = cs.TorchProblem(Counting(), *data_of())
    w = problem.initial_model()
    first = problem.loss(w)
    assert problem.loss(w) == first
    plain = nn.Linear(FEATURES, CLASSES)
    theirs = cs.TorchProblem(plain, *data_of())
    assert first == theirs.loss(2.0 * w)  # called for the first time: the factor is 2


def test_modules_are_computed_in_evaluation_mode() -> None:
    class Dropping(nn.Linear):
        def forward(self, x: Any) -> Any:
            return nn.functional.dropout(super().forward(x), 0.5, self.training)

    net = seeded(lambda: Dropping(FEATURES, CLASSES).double())
    ours, plain = cs.TorchProblem(net, *data_of()), cs.TorchProblem(linear(), *data_of())
    w = plain.initial_model()
    assert ours.loss(w) == plain.loss(w)
    np.testing.assert_array_equal(ours.gradient(w, None, 1.0), plain.gradient(w, None, 1.0))


def noisy() -> Any:
    class Noisy(nn.Linear):
        def forward(self, x: Any) -> Any:
            return super().forward(x) + torch.randn(CLASSES)

    return Noisy(FEATURES, CLASSES)


class TakeLast(nn.Module):
    """The last outputs of a recurrent layer."""

    def forward(self, x: Any) -> Any:
        return x[0][:, -1]


REFUSED = {
    "Dropout": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.1)), "layer '1' .Dropout.*random numbers.*eval"),
    "BatchNorm1d": (lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), "other rows.*GroupNorm"),
    "no running statistics": (
        lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, track_running_stats=False)).eval(),
        "normalises with the other rows",
    ),
    "LSTM": (
        lambda: nn.Sequential(nn.Unflatten(1, (2, 2)), nn.LSTM(2, 3, 2, batch_first=True, dropout=0.2), TakeLast()),
        "layer '1' .LSTM.*random numbers",
    ),
    "RReLU": (lambda: nn.Sequential(nn.Linear(4, 3), nn.RReLU()), "layer '1' .RReLU"),
    "noise": (noisy, "draws random numbers"),
    "nothing to train": (nn.Flatten, "0 parameters that require a gradient"),
    "complex": (lambda: nn.Linear(4, 3, dtype=torch.complex64), "real floating-point"),
    "no gradient": (lambda: nn.Sequential(nn.Linear(4, 3), Cut()), "autograd|requires? grad"),
    "too few outputs": (lambda: nn.Linear(4, 2), "2 outputs for each row, expected 3 or more"),
    "no scores": (lambda: nn.Sequential(nn.Linear(4, 1), nn.Flatten(0)), "0 outputs for each row, expected 3"),
    "other features": (lambda: nn.Linear(5, 3), r"Linear fails on rows of shape \(4,\)"),
    "whole class": (lambda: nn.Linear, "expected a torch.nn.Module"),
}


class Cut(nn.Module):
    """Autograd sees nothing below."""

    def forward(self, x: Any) -> Any:
        return x.detach()


@pytest.mark.parametrize("name", REFUSED)
def test_modules_without_a_gradient_for_each_row_are_refused(name: str) -> None:
    make, words = REFUSED[name]
    threads = torch.get_num_threads()
    with pytest.raises(cs.ConfigurationError, match=words):
        cs.TorchProblem(make(), *data_of())
    assert torch.get_num_threads() == threads


def test_layers_that_would_do_nothing_are_welcome() -> None:
    lstm = nn.LSTM(2, 3, 2, batch_first=True)
    for net in (
        nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.0)),
        nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3)),
        nn.Sequential(nn.Unflatten(1, (2, 2)), lstm, TakeLast()),
    ):
        assert math.isfinite(cs.TorchProblem(net, *data_of()).loss(cs.TorchProblem(net, *data_of()).initial_model()))
