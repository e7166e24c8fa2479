"""The data sets that come with the package against their documented facts, and the route to the full ones."""

import hashlib
import re
import sys
from importlib import resources
from types import ModuleType
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from clustersim import datasets
from clustersim.datasets.dataset import read, standardised
from clustersim.errors import ConfigurationError

DATA = resources.files("clustersim.datasets") / "data"
FULL_COVERTYPE = np.array([211_840, 283_301, 35_754, 2_747, 9_493, 17_367, 20_510])  # rows of each class at UCI


def test_every_file_is_the_one_that_the_licence_page_names() -> None:
    page = (DATA / "LICENSES.md").read_text(encoding="utf-8")
    documented = dict(
        zip(re.findall(r"^## `(.+)`$", page, re.M), re.findall(r"sha256:\*\* `(\w+)`", page), strict=True)
    )
    shipped = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATA.iterdir()
        if path.name.endswith(".npz")
    }
    assert len(shipped) == 4
    assert shipped == documented


@pytest.mark.parametrize("fetch", [datasets.mnist, datasets.fashion_mnist, datasets.covertype, datasets.kc_house])
def test_arrays_fit_each_other_are_finite_float64_rows_and_read_only(fetch: Any) -> None:
    data = fetch()
    for X, y in ((data.X, data.y), data.test):
        assert X.dtype == np.float64
        assert X.flags.c_contiguous
        assert X.shape == (len(y), data.X.shape[1])
        assert np.isfinite(X).all()
        for array in (X, y):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
    assert data.licence.split()[0] in ("MIT", "CC", "CC0")
    assert data.source


@pytest.mark.parametrize("train", [10, 80, 400, 490])
def test_mnist_trains_on_equally_many_of_each_digit_and_tests_on_the_rest(train: int) -> None:
    data = datasets.mnist(train=train)
    assert np.bincount(data.y).tolist() == [train // 10] * 10
    assert np.bincount(data.test_y).tolist() == [50 - train // 10] * 10
    raw = read("mnist_500.npz")
    together = np.vstack([data.X, data.test_X]) * 255.0
    labels = np.concatenate([data.y, data.test_y])
    order, expected = np.lexsort(together.T), np.lexsort(raw["X"].T.astype(float))
    np.testing.assert_allclose(together[order], raw["X"][expected], atol=1e-9)  # no image is lost or taken twice
    np.testing.assert_array_equal(labels[order], raw["y"][expected])


def test_contiguous_shards_of_mnist_mix_the_digits() -> None:
    shards = datasets.mnist(train=80).y.reshape(20, 4)
    assert all(len(set(shard.tolist())) > 1 for shard in shards)
    assert all(np.any(shards[0] != shard) for shard in shards[1:])


def test_the_seed_chooses_the_images_of_mnist() -> None:
    np.testing.assert_array_equal(datasets.mnist(80).X, datasets.mnist(80, seed=0).X)
    assert np.any(datasets.mnist(80).X != datasets.mnist(80, seed=1).X)


def test_mnist_images_are_digits() -> None:
    """The nearest mean image names the digit far more often than chance, so pixels and labels belong together."""
    data = datasets.mnist(train=400)
    means = np.array([data.X[data.y == digit].mean(axis=0) for digit in range(10)])
    guesses = ((data.test_X[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (guesses == data.test_y).mean() > 0.6
    assert data.X.min() == 0.0
    assert data.X.max() == 1.0


@pytest.mark.parametrize("train", [0, 5, 85, 500, 80.0, "80"])
def test_mnist_refuses_other_numbers_of_training_images(train: Any) -> None:
    with pytest.raises(ConfigurationError, match="train = "):
        datasets.mnist(train=train)


def test_fashion_mnist_is_balanced() -> None:
    data = datasets.fashion_mnist()
    assert np.bincount(data.y).tolist() == [200] * 10
    assert np.bincount(data.test_y).tolist() == [50] * 10
    assert (data.X.min(), data.X.max()) == (0.0, 1.0)
    assert all(len(set(shard.tolist())) > 1 for shard in data.y.reshape(100, 20))


def test_covertype_has_the_classes_of_the_full_set_in_proportion() -> None:
    data = datasets.covertype()
    counts = np.bincount(np.concatenate([data.y, data.test_y]), minlength=8)[1:]
    assert np.abs(counts - 20_000 * FULL_COVERTYPE / FULL_COVERTYPE.sum()).max() < 1.0
    assert len(data.test_y) == 4_000


def test_covertype_columns_are_standardised_and_one_hot() -> None:
    data = datasets.covertype()
    np.testing.assert_allclose(data.X[:, :10].mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(data.X[:, :10].std(axis=0), 1.0, atol=1e-12)
    both = np.vstack([data.X, data.test_X])
    assert np.isin(both[:, 10:], (0.0, 1.0)).all()
    raw = read("covtype_20k.npz")
    assert both[:, 10:14].sum(axis=0).tolist() == np.bincount(raw["wild"], minlength=4).tolist()
    assert both[:, 14:].sum(axis=0).tolist() == np.bincount(raw["soil"], minlength=40).tolist()
    assert (both[:, 14:].sum(axis=1) == 1.0).all()


def test_covertype_rows_keep_their_labels() -> None:
    """Elevation tells the classes apart: their mean elevations are in the order of the raw rows."""
    data, raw = datasets.covertype(), read("covtype_20k.npz")
    seen = [data.X[data.y == kind, 0].mean() for kind in range(1, 8)]
    expected = [raw["num"][raw["y"] == kind, 0].mean() for kind in range(1, 8)]
    assert np.corrcoef(seen, expected)[0, 1] > 0.999


def test_covertype_keeps_the_classes_that_are_asked_for() -> None:
    data = datasets.covertype(classes=(1, 2))
    both = np.concatenate([data.y, data.test_y])
    raw = read("covtype_20k.npz")["y"]
    assert [(both == kind).sum() for kind in (1, 2)] == [(raw == kind).sum() for kind in (1, 2)]
    assert len(both) == (raw <= 2).sum()


@pytest.mark.parametrize("classes", [(1,), (1, 1), (0, 1), (1, 8), (1, 2.5), 1, "12", ()])
def test_covertype_refuses_classes_that_it_does_not_have(classes: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"classes.*\(1, 2\)"):
        datasets.covertype(classes=classes)


def test_kc_house_has_every_sale_and_the_standardised_logarithm_of_its_price() -> None:
    data, raw = datasets.kc_house(), read("kc_house.npz")
    assert len(data.y) == 17_290  # the count of the ErasureHead paper's Table 1
    assert len(data.y) + len(data.test_y) == 21_613
    np.testing.assert_allclose(data.X.mean(axis=0), 0.0, atol=1e-10)
    np.testing.assert_allclose(data.X.std(axis=0), 1.0, atol=1e-10)
    seen = np.sort(np.concatenate([data.y, data.test_y]))
    logs = np.sort(np.log(raw["price"]))
    slope, shift = np.polyfit(logs, seen, 1)
    np.testing.assert_allclose(seen, slope * logs + shift, atol=1e-9)
    assert data.y.std() == pytest.approx(1.0)


def test_kc_house_leaves_out_only_what_other_columns_determine() -> None:
    raw = read("kc_house.npz")
    np.testing.assert_array_equal(raw["sqft_basement"], raw["sqft_living"] - raw["sqft_above"])
    X = datasets.kc_house().X
    assert np.linalg.matrix_rank(X) == X.shape[1] == 16


def test_kc_house_prices_stay_with_their_houses() -> None:
    data = datasets.kc_house()
    w = np.linalg.lstsq(data.X, data.y, rcond=None)[0]
    residual = data.test_X @ w - data.test_y
    assert residual @ residual / (data.test_y @ data.test_y) < 0.3


def test_standardising_uses_the_training_rows_alone() -> None:
    train, test = standardised(np.array([[0.0, 5.0], [2.0, 9.0]]), np.array([[3.0, 7.0]]))
    assert train.tolist() == [[-1.0, -1.0], [1.0, 1.0]]
    assert test.tolist() == [[2.0, 0.0]]


def fake_sklearn(monkeypatch: pytest.MonkeyPatch, **fetchers: Any) -> None:
    module = ModuleType("sklearn.datasets")
    vars(module).update(fetchers)
    monkeypatch.setitem(sys.modules, "sklearn", ModuleType("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.datasets", module)


@pytest.mark.parametrize(("name", "openml"), [("mnist", "mnist_784"), ("fashion_mnist", "Fashion-MNIST")])
def test_full_image_sets_are_scaled_and_split_as_published(
    monkeypatch: pytest.MonkeyPatch, name: str, openml: str
) -> None:
    asked: list[str] = []
    pixels = np.arange(10_003.0)[:, None] % 256

    def fetch_openml(name: str, **options: Any) -> tuple[Any, Any]:
        asked.append(name)
        return pixels, np.array([str(i % 10) for i in range(10_003)], dtype=object)

    fake_sklearn(monkeypatch, fetch_openml=fetch_openml)
    data = datasets.full(name)
    assert asked == [openml]
    np.testing.assert_allclose(data.X, pixels[:3] / 255.0)
    np.testing.assert_allclose(data.test_X, pixels[3:] / 255.0)
    assert data.y.tolist() == [0, 1, 2]
    assert data.test_y[:2].tolist() == [3, 4]


def test_full_covertype_is_encoded_as_the_extract(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    X = np.hstack([draw.normal(5.0, 3.0, (50, 10)), draw.integers(0, 2, (50, 44))])
    fake_sklearn(monkeypatch, fetch_covtype=lambda **options: (X, np.arange(50, dtype=np.int32) % 7 + 1))
    data = datasets.full("covertype")
    assert data.X.shape == (40, 54)
    np.testing.assert_allclose(data.X[:, :10].std(axis=0), 1.0)
    assert np.isin(data.X[:, 10:], (0.0, 1.0)).all()


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "covertype"])
def test_full_sets_need_a_connection_and_say_what_works_without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("name resolution failed")

    fake_sklearn(monkeypatch, fetch_openml=offline, fetch_covtype=offline)
    with pytest.raises(ConfigurationError, match=rf"name resolution failed.*clustersim\.datasets\.{name}\(\)"):
        datasets.full(name)


def test_an_unknown_full_set_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"name = .cifar.: expected one of .mnist."):
        datasets.full("cifar")
