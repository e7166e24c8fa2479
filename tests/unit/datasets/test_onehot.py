"""One-hot data sets: the ErasureHead paper's dimensions, and the rows behind the columns."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from encoded import area, assert_one_hot, categories, stacked
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import clustersim as cs
from clustersim import datasets
from clustersim.datasets.dataset import TEST, read, split
from clustersim.datasets.onehot import one_hot
from clustersim.errors import ConfigurationError


@pytest.fixture(scope="module")
def covertype() -> Any:
    return datasets.covertype(classes=(1, 2), encoding="one-hot")


@pytest.fixture(scope="module")
def kc_house() -> Any:
    return datasets.kc_house(encoding="one-hot")


@given(arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=st.integers(-3, 3)))
def test_one_hot_has_a_column_for_each_value_of_each_column_and_one_of_ones(table: Any) -> None:
    expected = [column == value for column in table.T for value in sorted(set(column.tolist()))]
    np.testing.assert_array_equal(one_hot(table.T).toarray(), np.array([*expected, np.ones(len(table))]).T)


def test_dimensions_and_ones_of_each_row(covertype: Any, kc_house: Any) -> None:
    assert_one_hot(covertype, train=13_635, test=3_409, features=10_899, ones=55)
    assert_one_hot(kc_house, train=17_290, test=4_323, features=27_654, ones=19)  # as in the paper's Table 1


def test_covertype_encodes_every_value_of_the_rows_of_the_kept_classes(covertype: Any) -> None:
    raw = read("covtype_20k.npz")
    kept = raw["y"] <= 2
    measured = sum(len(set(column.tolist())) for column in raw["num"][kept].T)
    flags = [len(set((raw[name][kept] == kind).tolist())) for name, kinds in (("wild", 4), ("soil", 40))
             for kind in range(kinds)]  # fmt: skip
    assert covertype.X.shape[1] == measured + sum(flags) + 1


def test_kc_house_encodes_every_value_of_18_columns(kc_house: Any) -> None:
    raw = read("kc_house.npz")
    kinds = [len(set(values.tolist())) for name, values in raw.items() if name != "price"]
    assert len(kinds) == 18
    assert kc_house.X.shape[1] == sum(kinds) + 1


@pytest.mark.parametrize("seed", [0, 3])
def test_covertype_has_the_same_rows_in_the_same_order_in_both_encodings(seed: int) -> None:
    plain = datasets.covertype(classes=(1, 2), seed=seed)
    encoded = datasets.covertype(classes=(1, 2), encoding="one-hot", seed=seed)
    raw = read("covtype_20k.npz")
    elevations = np.unique(raw["num"][raw["y"] <= 2, 0])  # the first columns, in this order
    seen = [elevations[categories(X)[:, 0]] for X in (encoded.X, encoded.test_X)]
    mean, deviation = seen[0].mean(), seen[0].std()
    for column, X in zip(seen, (plain.X, plain.test_X), strict=True):
        np.testing.assert_allclose((column - mean) / deviation, X[:, 0], atol=1e-9)
    np.testing.assert_array_equal(encoded.y, plain.y)
    np.testing.assert_array_equal(encoded.test_y, plain.test_y)


def test_kc_house_has_the_same_sales_in_the_same_order_and_prices_in_millions(kc_house: Any) -> None:
    plain, raw = datasets.kc_house(), read("kc_house.npz")
    prices = np.concatenate([kc_house.y, kc_house.test_y])
    np.testing.assert_allclose(np.sort(prices), np.sort(raw["price"]) / 1e6)
    logs = np.log(kc_house.y)
    for targets, encoded in ((plain.y, kc_house.y), (plain.test_y, kc_house.test_y)):
        np.testing.assert_allclose((np.log(encoded) - logs.mean()) / logs.std(), targets, atol=1e-9)
    names = [name for name in raw if name != "price"]
    start = sum(len(np.unique(raw[name])) for name in names[: names.index("sqft_living")])
    areas = np.unique(raw["sqft_living"])[categories(stacked(kc_house))[:, names.index("sqft_living")] - start]
    assert sorted(zip(areas.tolist(), prices.tolist(), strict=True)) == sorted(
        zip(raw["sqft_living"].tolist(), (raw["price"] / 1e6).tolist(), strict=True)
    )


@pytest.mark.parametrize("fetch", [datasets.covertype, datasets.kc_house])
def test_an_unknown_encoding_is_refused(fetch: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"encoding = 'hot': expected one of 'standardised', 'one-hot'"):
        fetch(encoding="hot")


def test_one_hot_covertype_can_be_learnt(covertype: Any) -> None:
    assert area(covertype, steps=60, step_size=0.3) > 0.68


def test_one_hot_kc_house_can_be_learnt(kc_house: Any) -> None:
    problem = cs.LeastSquares(kc_house.X, kc_house.y, test=kc_house.test)
    w = np.zeros(problem.dimension)
    for _ in range(200):
        w = w - 0.1 * problem.gradient(w, None, 1.0 / problem.rows)
    assert np.mean((kc_house.test_X @ w - kc_house.test_y) ** 2) < 0.5 * kc_house.test_y.var()


def test_the_full_covertype_has_as_many_training_rows_as_the_authors_split() -> None:
    assert [len(part) for part in split(495_141, TEST, 0)] == [396_112, 99_029]


def test_full_covertype_has_the_papers_dimension(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in whose classes 1 and 2 have as many distinct values as the full set's; other classes have their own."""
    draw = np.random.default_rng(5)
    kinds = np.array([1_978, 361, 60, 551, 700, 5_000, 207, 185, 255, 6_123])
    assert kinds.sum() + 2 * 44 == 15_508
    measured = [draw.permutation(np.resize(np.arange(count), 6_200)) for count in kinds]
    X = np.column_stack([*measured, *draw.permuted(np.arange(6_200)[:, None] % 2 * np.ones(44), axis=0).T])
    X, y = np.vstack([X, X[:100] + 10_000]), np.r_[draw.integers(1, 3, 6_200), draw.integers(3, 8, 100)]
    monkeypatch.setattr("sklearn.datasets.fetch_covtype", lambda **options: (X, y.astype(np.int32)))
    data = datasets.full("covertype", classes=(1, 2), encoding="one-hot")
    assert data.X.shape == (4_960, 15_509)
    assert data.test_X.shape == (1_240, 15_509)
    assert set(data.y.tolist()) == {1, 2}
    assert datasets.full("covertype", classes=(1, 2)).X.shape == (4_960, 54)


def test_importing_clustersim_does_not_import_scikit_learn() -> None:
    code = "import sys, clustersim; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - a constant
