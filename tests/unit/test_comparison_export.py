"""Comparisons for other programs: nothing is lost in CSV, and no label breaks a table."""

import csv
import dataclasses
import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from command_line import call
from hypothesis import given, settings
from hypothesis import strategies as st
from small import made_up, small_study

import clustersim as cs
from clustersim.comparison_export import exported

NASTY = "50 % of $n_k & {x} ^ ~ # \\ | * <b>\x1b[31m"


def runs(policies=("a", "b"), variants=("",), replications=8, value=1.0):
    return made_up({
        (v, p, r): [(0, 8.0, 0), (4 + place + 0.1 * r, value, 3)]
        for v in variants for place, p in enumerate(policies) for r in range(replications)
    })  # fmt: skip


def written(results, kind, **options):
    return exported(cs.compare(results, **options), results, kind)


@pytest.mark.parametrize("value", [1.0, 4.0])
def test_csv_has_every_column_of_every_variant_and_its_numbers_are_the_tables(value):
    results = runs(variants=("one, two", "three"), replications=3, value=value)
    comparison = cs.compare(results, target=2.0)
    back = pd.read_csv(io.StringIO(exported(comparison, results, "csv")), keep_default_na=False, na_values=[""])
    assert [*back.columns] == [*comparison.table.columns]
    for name in back:
        expected = comparison.table[name]
        if pd.api.types.is_numeric_dtype(expected):
            np.testing.assert_array_equal(back[name].to_numpy(dtype=float), expected.to_numpy(dtype=float), name)
        else:
            assert [*back[name].astype(object).fillna("")] == [*expected]
    assert np.isinf(back["time"]).all() == (value > 2.0)


def test_the_values_of_a_sweep_are_columns():
    build = lambda workers, p: {"cluster": cs.Cluster(workers, cs.Exponential(1.0 + p))}  # noqa: E731
    study = small_study(variants=cs.grid(build, workers=[5, 6], p=[0.5]), until=cs.Until(updates=5))
    rows = list(csv.DictReader(io.StringIO(written(study.run(), "csv"))))
    assert [(row["workers"], row["swept_p"]) for row in rows] == [("5", "0.5")] * 2 + [("6", "0.5")] * 2


def cells(line):
    """The cells of a row of a LaTeX table; an escaped ampersand separates nothing."""
    return re.split(r"(?<!\\)&", line.removesuffix(r"\\"))


@pytest.mark.parametrize("variants", [("",), (NASTY, "plain")])
def test_latex_is_balanced_and_every_row_has_as_many_cells_as_the_head(variants):
    text = written(runs((NASTY, "b_1"), variants), "latex", target=2.0)
    comments = [line for line in text.splitlines() if line.startswith("%")]
    assert comments[0] == r"% Needs \usepackage{booktabs} in the preamble."
    assert sum("error = 2" in line for line in comments) == len(variants)
    body = [line for line in text.splitlines() if not line.startswith("%")]
    assert (body[0], body[-1]) == (r"\begin{table}", r"\end{table}")
    plain = re.sub(r"\\[{}$&#_%]", "", "\n".join(body))
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0
    assert not set("#_%~^|<>\x1b") & set(plain.replace("$>$", "")), "these would have a meaning"
    rows = [line for line in body if line.endswith(r"\\") and "multicolumn" not in line]
    (count,) = {len(cells(row)) for row in rows}
    spec = re.search(r"begin\{tabular\}\{@\{\}(\w+)@\{\}\}", text)[1]
    assert len(spec) == count
    assert len(rows) == 1 + 2 * len(variants)
    assert r"\quad b\_1 &" in text if len(variants) > 1 else r"b\_1 &" in text
    assert r"50 \% of \$n\_k \& \{x\} \textasciicircum{} \textasciitilde{} \# \textbackslash{} \textbar{} *" in text


@pytest.fixture(scope="module")
def renamed():
    """A table whose first policy and first variant get any label."""
    results = runs(("a", "b"), ("one", NASTY), replications=1)
    comparison = cs.compare(results, target=2.0)
    targets = comparison.targets

    def rename(label, kind):
        table = comparison.table.replace({"policy": {"a": f"x{label}"}, "variant": {"one": f"y{label}"}})
        changed = {f"y{label}" if name == "one" else name: target for name, target in targets.items()}
        return exported(dataclasses.replace(comparison, table=table, targets=changed), results, kind)

    return rename


@settings(max_examples=12)
@given(label=st.text())
def test_no_label_opens_a_group_or_a_line_in_latex(renamed, label):
    lines = renamed(label, "latex").split("\n")
    row = next(line for line in lines if line.startswith(r"\quad x"))
    assert [line.startswith("%") for line in lines].index(False) == sum(line.startswith("%") for line in lines)
    assert len(cells(row)) == len(cells(next(line for line in lines if line.startswith("policy"))))
    plain = re.sub(r"\\[{}$&#_%]", "", row)
    assert plain.count("{") == plain.count("}")
    assert "%" not in plain


def test_long_latex_tables_may_break_between_pages():
    results = runs(replications=1)
    comparison = cs.compare(results, target=2.0)
    long = dataclasses.replace(comparison, table=pd.concat([comparison.table] * 21))
    text = exported(long, results, "latex")
    assert text.count("\na & ") == 21
    assert text.splitlines()[0] == r"% Needs \usepackage{booktabs,longtable} in the preamble."
    head = text.index(r"\endhead")
    assert text.index(r"\begin{longtable}") < text.index(r"\caption") < text.index("policy &") < head
    assert head < text.index("\na & ") < text.index(r"\end{longtable}")


@settings(max_examples=12)
@given(label=st.text())
def test_markdown_rows_have_as_many_cells_as_the_head(renamed, label):
    lines = renamed(label, "markdown").split("\n")
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 4
    assert len({len(re.split(r"(?<!\\)\|", line)) for line in table}) == 1
    assert re.fullmatch(r"\| (--- \| ){3}(---: \| )*---: \|", table[1])


def test_numbers_are_those_of_the_comparison():
    results = runs(("a", "b", "never"))
    frame = results.frame
    frame.loc[(frame["policy"] == "never") & (frame["update"] > 0), "error"] = 4.0
    comparison = cs.compare(results, target=2.0)
    times = comparison.table.set_index("policy")
    low, high = (times.loc["b", f"time_{end}"] for end in ("low", "high"))
    for kind, dash, more in (("latex", "--", "$>$"), ("markdown", " - ", r"\> ")):
        text = exported(comparison, results, kind)
        assert f"{times.loc['b', 'time']:.2f} ({low:.2f}{dash}{high:.2f})" in text
        assert f"{more}{times.loc['never', 'time_end']:.2f}" in text
        assert "6 of 8" not in text
        assert "0 of 8" in text
    assert math.isinf(times.loc["never", "time"])
    assert "known to need more than it had spent" in exported(comparison, results, "markdown")


def test_large_numbers_are_powers_of_ten_in_latex():
    results = made_up({("", p, 0): [(0, 8.0, 0), (3e9, 1.0, 3)] for p in "ab"})
    assert r"$3.00\times10^{9}$" in written(results, "latex", target=2.0)


def test_bad_arguments():
    results = runs()
    with pytest.raises(cs.ConfigurationError, match="format = 'html': expected one of 'csv', 'latex', 'markdown'"):
        written(results, "html")
    with pytest.raises(cs.ConfigurationError, match=r"comparison = 3: expected the outcome of clustersim.compare"):
        exported(3, results, "csv")


def test_the_command_line_writes_each_format(tmp_path):
    study = small_study(until=cs.Until(updates=8))
    results = study.run(tmp_path / "out")
    for kind in ("csv", "latex"):
        outcome = call("compare", tmp_path / "out", "--target", "1e9", "--format", kind)
        assert outcome.exit_code == 0, outcome.output
        assert outcome.stdout == written(results, kind, target=1e9)
    assert "┃" in call("compare", tmp_path / "out", "--format", "table").stdout
    assert call("compare", tmp_path / "out", "--format", "html").exit_code == 2
