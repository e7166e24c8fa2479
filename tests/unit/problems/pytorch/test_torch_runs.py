"""Runs of torch problems: the same bytes on any number of threads, in other processes, on a GPU; and VGG-11."""

import importlib.util
import math
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import clustersim as cs
from clustersim.problems.pytorch.library import alone

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch
from networks import CLASSES, FEATURES, data_of, seeded, small_net
from torch import nn


def cluster() -> Any:
    return cs.Cluster(workers=6, compute=cs.Exponential(mean=1.0))


def trained(problem: Any, seed: int = 1, updates: int = 60) -> Any:
    return cs.simulate(
        problem, cluster(), cs.FastestK(4), optimizer=cs.SGD(0.1), until=cs.Until(updates=updates), seed=seed
    )


def fashion_net() -> Any:
    """A small convolutional net in float32, and images that its first convolution spreads over threads."""
    data = cs.datasets.fashion_mnist()
    net = seeded(lambda: nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 4, 5, stride=3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10)
    ))  # fmt: skip
    return cs.TorchProblem(net, data.X[:300], data.y[:300], test=(data.test_X, data.test_y), batch=64)


@pytest.mark.filterwarnings("ignore:Lazy modules")  # older torch calls them new
def test_a_run_trains_and_the_same_seed_gives_the_same_bytes_on_any_number_of_threads() -> None:
    first, threads = trained(fashion_net()), torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    again = trained(fashion_net())
    torch.set_num_threads(threads)
    assert first.w.tobytes() == again.w.tobytes()
    assert first.history.equals(again.history)
    assert trained(fashion_net(), seed=2).w.tobytes() != first.w.tobytes()
    history = first.history
    assert history["loss"].iloc[0] == pytest.approx(math.log(10.0), abs=0.3)
    assert history["loss"].iloc[-1] < 0.7 * history["loss"].iloc[0]
    assert history["test_accuracy"].iloc[-1] > 0.5  # the ten classes are equally many
    assert history["error"].isna().all()


def test_torch_has_one_thread_inside_a_call_and_its_own_number_afterwards() -> None:
    seen: list[int] = []

    class Watched(nn.Linear):
        def forward(self, x: Any) -> Any:
            seen.append(torch.get_num_threads())
            return super().forward(x)

    problem = cs.TorchProblem(Watched(FEATURES, CLASSES), *data_of())
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    seen.clear()
    problem.gradient(problem.initial_model(), None, 1.0)
    problem.evaluate(problem.initial_model())
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)
    assert seen == [1, 1]


def test_a_problem_serves_several_threads_at_once() -> None:
    problem = cs.TorchProblem(small_net(), np.random.default_rng(0).normal(size=(40, 2, 6, 6)), np.arange(40) % 3)
    models = [problem.initial_model() + 0.1 * number for number in range(6)]
    alone_there = [problem.gradient(w, None, 1.0) for w in models]
    found: dict[int, list[np.ndarray]] = {}

    def work(number: int) -> None:
        found[number] = [problem.gradient(models[number], None, 1.0) for _ in range(10)]

    before, workers = torch.get_num_threads(), [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert torch.get_num_threads() == before
    for number, expected in enumerate(alone_there):
        assert all(gradient.tobytes() == expected.tobytes() for gradient in found[number])


def test_on_a_gpu_torch_is_held_to_repeatable_algorithms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    assert not torch.are_deterministic_algorithms_enabled()
    with alone("cuda"):
        assert torch.are_deterministic_algorithms_enabled()
        assert (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark) == (True, False)
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.deterministic


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
def test_a_gpu_computes_the_same_to_rounding_and_repeats_itself() -> None:
    X, y = np.random.default_rng(0).normal(size=(40, 2, 6, 6)), np.arange(40) % 3
    here, there = cs.TorchProblem(small_net(), X, y), cs.TorchProblem(small_net(), X, y, device="cuda")
    w = here.initial_model()
    np.testing.assert_allclose(there.gradient(w, None, 1 / 40), here.gradient(w, None, 1 / 40), rtol=1e-9, atol=1e-11)
    assert there.gradient(w, None, 1.0).tobytes() == there.gradient(w, None, 1.0).tobytes()


@pytest.mark.filterwarnings("ignore:Lazy modules")  # older torch calls them new
def test_lazy_layers_begin_as_their_seed_says() -> None:
    def start(seed: int) -> np.ndarray:
        torch.rand(3)  # what others draw does not matter
        return cs.TorchProblem(nn.LazyLinear(CLASSES), *data_of(), seed=seed).initial_model()

    assert start(0).shape == (FEATURES * CLASSES + CLASSES,)
    np.testing.assert_array_equal(start(0), start(0))
    assert np.any(start(0) != start(1))


def test_a_study_carries_it_to_other_processes_and_gets_the_same_bytes() -> None:
    class Mine(nn.Linear):  # a class of the script's, which plain pickle could not carry
        def forward(self, x: Any) -> Any:
            return 2.0 * super().forward(x)

    problem = cs.TorchProblem(
        seeded(lambda: Mine(FEATURES, CLASSES)), *data_of(), test=data_of(seed=1),
        loss=lambda outputs, targets: nn.functional.cross_entropy(outputs, targets, reduction="none"),
    )  # fmt: skip
    study = cs.Study(
        name="torch", problem=problem, cluster=cluster(), optimizer=cs.SGD(0.1),
        policies={"k = 2": cs.FastestK(2), "all": cs.FullSync()}, until=cs.Until(updates=20), replications=2,
        metric="loss",
    )  # fmt: skip
    here = study.run(seed=3)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = study.run(seed=3, executor=pool)
    assert here.frame.equals(there.frame)
    assert "test_accuracy" in here.frame
    assert here.frame.groupby(["policy", "replication"])["loss"].agg(lambda loss: loss.iloc[-1] < loss.iloc[0]).all()


# ---------------------------------------------------------------------- VGG-11


def test_vgg11_is_the_published_network() -> None:
    net = cs.vgg11()
    convolutions = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    widths = [3, 64, 128, 256, 256, 512, 512, 512, 512]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == list(pairwise(widths))
    by_hand = sum(9 * a * b + b for a, b in pairwise(widths)) + 512 * 10 + 10
    assert by_hand == 9_225_610
    assert sum(parameter.numel() for parameter in net.parameters()) == by_hand
    kinds = "".join({"Conv2d": "c", "ReLU": "r", "MaxPool2d": "M"}.get(type(layer).__name__, "-") for layer in net)
    assert kinds == "crM" + "crM" + "crcrM" * 3 + "--"
    sides = [32]
    x = torch.rand(2, 3, 32, 32)
    for layer in net:
        x = layer(x)
        if isinstance(layer, nn.MaxPool2d):
            sides.append(x.shape[-1])
    assert sides == [32, 16, 8, 4, 2, 1]
    assert x.shape == (2, 10)
    assert cs.vgg11(classes=4, channels=1)(torch.rand(2, 1, 32, 32)).shape == (2, 4)


def test_vgg11_starts_at_he_s_values_of_its_seed() -> None:
    state = torch.get_rng_state()
    net, again, other = cs.vgg11(seed=1), cs.vgg11(seed=1), cs.vgg11(seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    for layer, same, different in zip(net, again, other, strict=True):
        if not hasattr(layer, "weight"):
            continue
        assert torch.equal(layer.weight, same.weight)
        assert not torch.equal(layer.weight, different.weight)
        assert not layer.bias.any()
        values = layer.weight.detach().double().numpy()
        entries, inputs = values.size, values[0].size
        expected = math.sqrt((2.0 if values.ndim == 4 else 1.0) / inputs)
        z = 5.5  # two statistics of nine layers: a false alarm in 1e6
        assert abs(values.std() / expected - 1.0) < z / math.sqrt(2 * entries)
        assert abs(values.mean()) < z * expected / math.sqrt(entries)


def test_vgg11_is_a_problem_that_learns() -> None:
    draw = np.random.default_rng(4)
    X, y = draw.normal(size=(6, 3, 32, 32)).astype(np.float32), np.arange(6) % 2
    problem = cs.TorchProblem(cs.vgg11(classes=2), X, y)
    w = problem.initial_model()
    before, slope = problem.loss(w), problem.gradient(w, None, 1 / 6)
    step = 0.1 * before / (slope @ slope)  # so short that the loss falls by about a tenth
    assert problem.loss(w - step * slope) == pytest.approx(0.9 * before, rel=0.05)


@pytest.mark.parametrize("options", [{"classes": 0}, {"channels": 0}, {"seed": -1}, {"classes": 2.5}])
def test_vgg11_refuses_numbers_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(cs.ConfigurationError, match=next(iter(options))):
        cs.vgg11(**options)
