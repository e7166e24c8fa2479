"""What a torch problem trains on, what it refuses, and what tells one from another."""

import functools
import importlib.util
import json
import math
from typing import Any

import numpy as np
import pytest

import clustersim as cs

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch
from networks import CLASSES, FEATURES, data_of, linear, seeded
from torch import nn


class Pairs(torch.utils.data.Dataset):
    """A data set as users write them."""

    def __init__(self, X: Any, y: Any) -> None:
        self.X, self.y = X, y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, number: int) -> Any:
        return torch.tensor(self.X[number]), int(self.y[number])


def test_arrays_lists_tensors_and_data_sets_are_the_same_problem() -> None:
    X, y = data_of()
    one = cs.TorchProblem(linear(), X, y, test=(X[:5], y[:5])).describe()
    for given, test in (
        ((X.tolist(), y.tolist()), (X[:5].tolist(), y[:5].tolist())),
        ((torch.tensor(X), torch.tensor(y, dtype=torch.int32)), (torch.tensor(X[:5]), torch.tensor(y[:5]))),
        ((Pairs(X, y),), Pairs(X[:5], y[:5])),
        ((X[:, ::-1][:, ::-1], y.astype(float)), (np.asfortranarray(X[:5]), y[:5].astype(np.uint8))),
    ):
        assert cs.TorchProblem(linear(), *given, test=test).describe() == one


def test_the_data_are_copied() -> None:
    X, y = data_of()
    tensor = torch.tensor(X)
    for given in (X, tensor):
        problem = cs.TorchProblem(linear(), given, y)
        w = problem.initial_model()
        before = problem.loss(w)
        given[:] = 0.0
        assert problem.loss(w) == before


def test_rows_of_whole_numbers_are_for_embeddings() -> None:
    words = np.array([[0, 1], [2, 2], [1, 0], [3, 1]], dtype=np.int16)
    net = nn.Sequential(nn.Embedding(4, 5), nn.Flatten(), nn.Linear(10, 2))
    problem = cs.TorchProblem(net, words, [0, 1, 0, 1])
    assert problem.dimension == 4 * 5 + 10 * 2 + 2
    slope = problem.gradient(problem.initial_model(), np.array([1]), 1.0)[:20].reshape(4, 5)
    assert np.flatnonzero(abs(slope).sum(axis=1)).tolist() == [2]  # row 1 names word 2 alone


def test_targets_of_several_entries_are_averaged_over_them() -> None:
    """Cross-entropy of each pixel, as in segmentation: the mean over the pixels of a row."""
    draw = np.random.default_rng(5)
    X, y = draw.normal(size=(6, 2, 3, 3)), draw.integers(0, 4, (6, 3, 3))
    net = nn.Conv2d(2, 4, 1).double()
    problem = cs.TorchProblem(net, X, y, test=(X[:2], y[:2]))
    expected = nn.functional.cross_entropy(net(torch.tensor(X)), torch.tensor(y)).item()
    w = problem.initial_model()
    assert problem.loss(w) == pytest.approx(expected, rel=1e-12)
    assert problem.labels is None
    assert list(problem.metrics(w)) == ["test_loss"]


BAD_DATA = {
    "lengths": ((np.ones((4, 4)), [0, 1, 2]), "y: expected 4 targets, one for each row, got 3"),
    "empty": ((np.ones((0, 4)), []), r"X of shape \(0, 4\): expected at least one row"),
    "scalar": ((1.0, [0]), r"X of shape \(\)"),
    "ragged": (([[1.0, 2.0], [1.0]], [0, 1]), "X: expected rows of one shape, got ragged"),
    "nan": (
        ([[1.0] * 4, [1.0, 2.0, math.nan, 4.0]], [0, 1]),
        r"X: expected finite numbers, got NaN or infinity in row 1 \(1",
    ),
    "infinite target": ((np.ones((2, 4)), [0.0, math.inf]), "y: expected finite numbers, got NaN or infinity in row 1"),
    "words": ((np.ones((2, 4)), ["cat", "dog"]), "y of type .*class numbers"),
    "negative": ((np.ones((2, 4)), [0, -1]), "y: expected class numbers 0, 1"),
    "fraction": ((np.ones((2, 4)), [0.0, 0.5]), "y: expected class numbers.*'squared'"),
    "complex": ((torch.ones((2, 4), dtype=torch.complex64), [0, 1]), "X of type torch.complex64"),
    "no targets": ((np.ones((2, 4)),), "y = None, X of type ndarray: give arrays X and y, or"),
    "not pairs": ((Pairs(np.ones((2, 4)), np.ones((2, 3))),), "items of Pairs are not pairs"),
    "no items": ((Pairs(np.ones((0, 4)), []),), "the data set is empty"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_are_refused(name: str) -> None:
    given, words = BAD_DATA[name]
    with pytest.raises(cs.ConfigurationError, match=words):
        cs.TorchProblem(linear(), *given)
    test = given if len(given) == 2 else given[0]
    with pytest.raises(cs.ConfigurationError, match=r"^test "):
        cs.TorchProblem(linear(), *data_of(), test=test)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test": (np.ones((2, 5)), [0, 1])}, r"test X of shape \(2, 5\).*shape \(4,\)"),
        ({"test": (np.ones((2, 4)), [0, 7])}, "3 outputs for each row, expected 8 or more"),
        ({"test": (np.ones((2, 4)), [0, 1], 3)}, "test of 3 items: expected a pair"),
        ({"batch": 0}, "batch = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"device": "tpu"}, "device = 'tpu': expected one of 'cpu', 'cuda'"),
        ({"loss": "hinge"}, "loss = 'hinge': expected one of 'cross-entropy', 'squared'"),
        ({"loss": nn.CrossEntropyLoss()}, r"tensor of shape \(\), expected \(2,\).*reduction='none'"),
        ({"loss": lambda outputs, targets: outputs}, r"tensor of shape \(2, 3\), expected \(2,\)"),
        ({"loss": lambda outputs, targets: outputs.no_such}, "loss: .*fails on outputs.*no_such"),
        ({"loss": "squared"}, "3 outputs for each row, expected 1, the number of entries"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(cs.ConfigurationError, match=words):
        cs.TorchProblem(linear(), *data_of(), **options)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(cs.ConfigurationError, match="device = 'cuda': torch finds no GPU here"):
        cs.TorchProblem(linear(), *data_of(), device="cuda")


def pinball(outputs: Any, targets: Any, level: float = 0.5) -> Any:
    below = targets.double() - outputs[:, 0]
    return torch.maximum(level * below, (level - 1.0) * below)


def closed_over(level: float) -> Any:
    return lambda outputs, targets: pinball(outputs, targets, level)


class Scaled(nn.Linear):
    """What `forward` uses and nobody prints."""

    def __init__(self, scale: float) -> None:
        super().__init__(FEATURES, CLASSES, dtype=torch.float64)
        self.scale = scale

    def forward(self, x: Any) -> Any:
        return self.scale * super().forward(x)


def local_class(power: int) -> Any:
    if power == 2:

        class Powered(nn.Linear):
            def forward(self, x: Any) -> Any:
                return super().forward(x) ** 2

    else:

        class Powered(nn.Linear):  # the same name, the same numbers
            def forward(self, x: Any) -> Any:
                return super().forward(x) ** 3

    return seeded(lambda: Powered(FEATURES, CLASSES))


def test_descriptions_are_plain_and_tell_every_problem_from_every_other() -> None:
    X, y = data_of()
    other_X, other_y = X.copy(), y.copy()
    other_X[3, 1] += 1e-9
    other_y[0] = (other_y[0] + 1) % CLASSES
    frozen, eval_norm = linear(), nn.Sequential(linear(), nn.BatchNorm1d(3).double()).eval()
    frozen.bias.requires_grad_(False)
    moved = nn.Sequential(linear(), nn.BatchNorm1d(3).double()).eval()
    moved[1].running_mean += 1.0

    def partly(frozen: int) -> Any:
        net = nn.Sequential(linear(4), linear(4), linear())
        net[frozen].requires_grad_(False)
        return net

    def make(net: Any = None, X: Any = X, y: Any = y, **options: Any) -> Any:
        return cs.TorchProblem(linear() if net is None else net, X, y, **options).describe()

    def all_of_them() -> list[Any]:
        return [
            make(), make(X=other_X), make(y=other_y), make(batch=7), make(test=(X, y)), make(test=(other_X, y)),
            make(test=(X, other_y)), make(linear().float()), make(frozen), make(partly(0)), make(partly(1)),
            make(eval_norm), make(moved),
            make(nn.Sequential(linear(), nn.ReLU())), make(nn.Sequential(linear(), nn.Tanh())),
            make(seeded(lambda: nn.Linear(FEATURES, CLASSES).double(), 1)),
            make(seeded(lambda: Scaled(1.0))), make(seeded(lambda: Scaled(2.0))), make(local_class(2)),
            make(local_class(3)), make(loss=pinball), make(loss=functools.partial(pinball, level=0.1)),
            make(loss=functools.partial(pinball, level=0.2)), make(loss=closed_over(0.1)), make(loss=closed_over(0.2)),
            make(loss=nn.CrossEntropyLoss(reduction="none")),
            make(loss=nn.CrossEntropyLoss(reduction="none", weight=torch.tensor([1.0, 2.0, 3.0]).double())),
            make(loss=nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1)),
        ]  # fmt: skip

    texts = [json.dumps(told, sort_keys=True, allow_nan=False) for told in all_of_them()]
    assert len(set(texts)) == len(texts)
    assert texts == [json.dumps(told, sort_keys=True) for told in all_of_them()]


def test_a_loss_that_cannot_be_told_from_another_is_refused_by_describe() -> None:
    class Opaque:
        def __call__(self, outputs: Any, targets: Any) -> Any:
            return pinball(outputs, targets)

    problem = cs.TorchProblem(linear(), *data_of(), loss=Opaque())
    with pytest.raises(cs.ConfigurationError, match=r"loss: .*cannot be described"):
        problem.describe()


def test_a_loss_module_is_copied_too() -> None:
    loss = nn.CrossEntropyLoss(reduction="none", weight=torch.ones(3, dtype=torch.float64))
    problem = cs.TorchProblem(linear(), *data_of(), loss=loss)
    before = problem.loss(problem.initial_model())
    loss.weight *= 2.0
    assert problem.loss(problem.initial_model()) == before


def test_it_prints_what_it_is_and_knows_no_optimum() -> None:
    problem = cs.TorchProblem(linear(), *data_of(), loss=pinball)
    assert repr(problem) == "TorchProblem(Linear of 15 parameters, 23 rows, loss='pinball')"
    assert not problem.has_optimum
    assert problem.metrics(problem.initial_model()) == {}
    with pytest.raises(cs.ConfigurationError, match="no optimum is known"):
        problem.optimum()
