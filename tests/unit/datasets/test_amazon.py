"""Amazon Employee Access: the synthetic stand-in, the user's own file, and what OpenML serves."""

import math
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
from encoded import area, assert_one_hot, categories, stacked

from clustersim import datasets
from clustersim.datasets.amazon import COLUMNS
from clustersim.datasets.dataset import split
from clustersim.errors import ConfigurationError

Z = 4.9  # a false alarm in a million
REAL_KINDS = [7_518, 4_243, 128, 177, 449, 343, 2_358, 67, 343]  # distinct values of the nine columns


@pytest.fixture(scope="module")
def amazon_like() -> Any:
    return datasets.amazon_like()


def test_amazon_like_has_the_rows_and_the_dimension_of_the_papers_table(amazon_like: Any) -> None:
    assert_one_hot(amazon_like, train=26_215, test=6_554, features=241_915, ones=44)


def test_amazon_like_is_the_same_for_the_same_seed_only(amazon_like: Any) -> None:
    again, other = datasets.amazon_like(seed=0), datasets.amazon_like(seed=1)
    for one, two in ((amazon_like.X, again.X), (amazon_like.test_X, again.test_X)):
        np.testing.assert_array_equal(one.indices, two.indices)
    np.testing.assert_array_equal(amazon_like.y, again.y)
    frequencies = [stacked(data).sum(axis=0)[:7_518] for data in (amazon_like, again, other)]  # of the resources
    np.testing.assert_array_equal(frequencies[0], frequencies[1])
    assert (frequencies[0] != frequencies[2]).mean() > 0.5  # other rows, not the same ones split in another way


def test_amazon_like_says_that_it_is_synthetic(amazon_like: Any) -> None:
    assert amazon_like.source.startswith("synthetic")
    assert "stand in" in str(datasets.amazon_like.__doc__)


@pytest.mark.parametrize("seed", [1, 2])
def test_amazon_like_has_the_real_numbers_of_columns_and_categories_for_every_seed(seed: int) -> None:
    data = datasets.amazon_like(seed=seed)
    codes = categories(stacked(data))
    assert data.X.shape == (26_215, 241_915)
    assert len(np.unique(codes)) == 241_915
    assert [len(np.unique(column)) for column in codes.T[:9]] == REAL_KINDS


def test_amazon_like_has_a_hierarchy_and_heavy_tails(amazon_like: Any) -> None:
    codes = categories(stacked(amazon_like))
    column = dict(zip(COLUMNS, codes.T, strict=False))
    for high, low in (
        ("ROLE_ROLLUP_1", "ROLE_ROLLUP_2"),
        ("ROLE_ROLLUP_2", "ROLE_DEPTNAME"),
        ("ROLE_FAMILY", "ROLE_TITLE"),
        ("ROLE_CODE", "ROLE_TITLE"),
        ("ROLE_TITLE", "ROLE_CODE"),
    ):
        pairs = np.unique(np.column_stack([column[high], column[low]]), axis=0)
        assert len(pairs) == len(np.unique(column[low])), f"{low} does not give {high}"
    for name in ("RESOURCE", "MGR_ID", "ROLE_TITLE"):
        counts = np.sort(np.bincount(column[name] - column[name].min()))[::-1]
        assert counts[: len(counts) // 10].sum() > 0.25 * len(codes), f"{name}: the tail of frequencies is not heavy"


def test_pairs_of_amazon_like_are_the_pairs_of_its_columns(amazon_like: Any) -> None:
    codes = categories(stacked(amazon_like))
    pairs = [(i, j) for i, j in combinations(range(9), 2) if (i, j) not in ((2, 3), (5, 7))]
    for number, (i, j) in enumerate(pairs, start=9):
        joint = len(np.unique(codes[:, i].astype(np.int64) * 241_915 + codes[:, j]))
        triples = len(np.unique(codes[:, [i, j, number]], axis=0)) if number in (9, 17, 42) else joint
        assert triples == joint  # the two columns give the pair's
        assert len(np.unique(codes[:, number])) == joint or (i == 0 and len(np.unique(codes[:, number])) > 0.85 * joint)


def test_labels_of_amazon_like_are_as_unbalanced_as_the_real_ones(amazon_like: Any) -> None:
    labels = np.concatenate([amazon_like.y, amazon_like.test_y])
    assert set(labels.tolist()) == {0, 1}
    assert abs(labels.mean() - 0.942) < Z * math.sqrt(0.942 * 0.058 / len(labels))


def test_amazon_like_can_be_learnt(amazon_like: Any) -> None:
    assert area(amazon_like, steps=60, step_size=2.0) > 0.8


@pytest.mark.parametrize("options", [{"classes": (1, 2)}, {"encoding": "one-hot"}])
def test_only_covertype_takes_options_in_full(options: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"expected no {next(iter(options))}.*leave it out"):
        datasets.full("amazon", **options)


def employees(rows: int) -> pd.DataFrame:
    """Rows in the layout of Kaggle's train.csv, with numbers of one to six digits."""
    draw = np.random.default_rng(8)
    table = {name: draw.integers(1, 12, rows) ** draw.integers(1, 6) for name in COLUMNS}
    return pd.DataFrame({"ACTION": draw.integers(0, 2, rows), **table})


def test_amazon_from_csv_encodes_columns_and_pairs(tmp_path: Path) -> None:
    frame = employees(200)
    frame.to_csv(tmp_path / "train.csv", index=False)
    data = datasets.amazon_from_csv(tmp_path / "train.csv")
    kept = [pair for pair in combinations(COLUMNS, 2)
            if pair not in (("ROLE_ROLLUP_1", "ROLE_ROLLUP_2"), ("ROLE_TITLE", "ROLE_FAMILY"))]  # fmt: skip
    assert len(kept) == 34
    groups = [*((name,) for name in COLUMNS), *kept]
    assert data.X.shape == (160, 1 + sum(len(frame[list(group)].drop_duplicates()) for group in groups))
    assert (np.diff(stacked(data).indptr) == 44).all()
    shared = (stacked(data) @ stacked(data).T).toarray()  # of two rows: in how many columns and pairs they agree
    agree = np.ones((200, 200))
    for group in groups:
        values = frame[list(group)].to_numpy()
        agree += (values[:, None] == values[None]).all(axis=2)
    order = np.concatenate(split(200, 0.2, 0))
    np.testing.assert_array_equal(shared, agree[np.ix_(order, order)])
    np.testing.assert_array_equal(np.concatenate([data.y, data.test_y]), frame["ACTION"].to_numpy()[order])
    assert "train.csv" in data.source


def test_amazon_from_csv_goes_by_names_and_not_by_places(tmp_path: Path) -> None:
    frame = employees(50)
    frame.to_csv(tmp_path / "plain.csv", index=False)
    odd = frame[frame.columns[::-1]].assign(id=range(50))
    odd.to_csv(tmp_path / "odd.csv", index=False, quoting=1, encoding="utf-8-sig")
    plain, other = (datasets.amazon_from_csv(str(tmp_path / name), seed=4) for name in ("plain.csv", "odd.csv"))
    np.testing.assert_array_equal(plain.X.toarray(), other.X.toarray())
    np.testing.assert_array_equal(plain.y, other.y)


HEADER = ",".join(("ACTION", *COLUMNS))
ROW = "1,2,3,4,5,6,7,8,9,10"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "lacks the column ACTION, RESOURCE"),
        (HEADER.replace("ACTION", "id") + f"\n{ROW}", r"lacks the column ACTION; .*its test\.csv has no ACTION"),
        (HEADER.replace("MGR_ID", "BOSS") + f"\n{ROW}", "lacks the column MGR_ID;"),
        (f"{HEADER}\n\n", "contains no rows"),
        (f"{HEADER}\n{ROW}\n{ROW.replace('7', 'seven')}", "contains something other than whole numbers.*seven.*row 1"),
        (f"{HEADER}\n{ROW.replace('7', '')}", "contains something other than whole numbers.*row 0"),
        (f"{HEADER}\n{ROW}\n1,2,3", "contains something other than whole numbers.*columns changed"),
        (f"{HEADER}\n{ROW},11", "has 10 column names but 11 columns"),
        (f"{HEADER}\n{ROW}\n2{ROW[1:]}", "labels other than 0 and 1 in ACTION"),
    ],
)
def test_amazon_from_csv_refuses_other_files(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"path = '.*train\.csv': .*{fault}.*") as caught:
        datasets.amazon_from_csv(path)
    assert "give train.csv of Kaggle's amazon-employee-access-challenge" in str(caught.value)


def test_amazon_from_csv_says_why_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00ACTION")
    for path, fault in (
        (tmp_path / "absent.csv", "No such file"),
        (tmp_path, "directory"),
        (tmp_path / "binary.csv", "utf-8"),
        (None, "path = None"),
    ):
        with pytest.raises(ConfigurationError, match=fault):
            datasets.amazon_from_csv(path)


def test_full_amazon_is_encoded_as_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = employees(120)
    asked: list[str] = []

    def fetch_openml(name: str, **options: Any) -> tuple[Any, Any]:
        asked.append(name)
        text = frame.astype(str).astype("category")  # as OpenML serves it
        return text[[*COLUMNS[::-1]]], text["ACTION"].rename("target")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    frame.to_csv(tmp_path / "train.csv", index=False)
    served, own = datasets.full("amazon"), datasets.amazon_from_csv(tmp_path / "train.csv")
    assert asked == ["Amazon_employee_access"]
    assert served.X.shape == own.X.shape
    np.testing.assert_array_equal((served.X @ served.X.T).toarray(), (own.X @ own.X.T).toarray())
    np.testing.assert_array_equal(served.y, own.y)
    np.testing.assert_array_equal(served.test_y, own.test_y)


def test_full_amazon_without_a_connection_names_the_file_and_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("name resolution failed")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", offline)
    with pytest.raises(ConfigurationError, match=r"name resolution failed.*amazon_from_csv\(path\).*amazon_like\(\)"):
        datasets.full("amazon")
