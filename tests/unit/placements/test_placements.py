"""Placements: who holds which rows, how often, how loaded the workers are, and how balanced it is."""

import itertools
import math

import numpy as np
import pytest
from coding import encoding, place, problem, row_coefficients, subsets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim import placements as pl
from clustersim.errors import ConfigurationError
from clustersim.placements.difference_sets import difference_set, is_difference_set
from clustersim.placements.hadamard import hadamard
from clustersim.placements.replication import random_subsets

Z = stats.norm.isf(0.5e-6)  # two-sided, one false alarm in a million
ALARM = 1e-6


def holders(assignment):
    """The set of workers that hold each row."""
    held = [set() for _ in range(assignment.total_rows)]
    for worker in range(assignment.workers):
        for row in assignment.rows_of(np.array([worker])).tolist():
            assert worker not in held[row], "a row is twice on one worker"
            held[row].add(worker)
    return held


# fractional repetition


@settings(max_examples=60, deadline=None)
@given(load=st.integers(1, 4), groups=st.integers(1, 4), size=st.integers(1, 3), extra=st.integers(0, 7))
def test_fractional_repetition(load, groups, size, extra):
    workers, rows = groups * size, groups * 2 + extra
    assignment = place(pl.FractionalRepetition(load, tasks=load * groups), rows, workers)
    runs = np.array_split(np.arange(rows), groups)  # longer runs first, as even runs are
    for worker in range(workers):
        assert assignment.rows_of(np.array([worker])).tolist() == runs[worker // size].tolist()
    np.testing.assert_allclose(assignment.loads, [len(runs[i // size]) * workers / rows for i in range(workers)])
    assert assignment.groups.tolist() == [i // size for i in range(workers)]
    assert assignment.recovery == workers - size + 1
    heard = [{i // size for i in answers} for answers in itertools.combinations(range(workers), assignment.recovery)]
    assert all(len(groups_heard) == groups for groups_heard in heard)
    if groups > 1:
        fewer = itertools.combinations(range(workers), assignment.recovery - 1)
        assert any(len({i // size for i in answers}) < groups for answers in fewer)


def test_fractional_repetition_of_as_many_tasks_as_workers():
    assignment = place(pl.FractionalRepetition(3), 30, 6)
    assert assignment.groups.tolist() == [0, 0, 0, 1, 1, 1]
    assert set(assignment.redundancy.tolist()) == {3}
    np.testing.assert_array_equal(assignment.loads, np.full(6, 3.0))


@pytest.mark.parametrize(
    ("placement", "workers", "says"),
    [
        (pl.FractionalRepetition(4), 10, r"load = 4: expected a divisor of the 10 workers.* 2 and 5"),
        (pl.FractionalRepetition(12), 10, r"load = 12: expected a divisor of the 10 workers.* 10"),
        (pl.FractionalRepetition(4, tasks=6), 10, r"load = 4: expected a divisor of the 6 tasks.* 3 and 6"),
        (pl.FractionalRepetition(2, tasks=6), 10, r"10 workers do not split into 3 groups"),
        (pl.CyclicRepetition(11), 10, r"load = 11: expected a whole number from 1 to 10"),
        (pl.UniformReplication(11), 10, r"redundancy = 11: expected a whole number from 1 to 10"),
        (pl.NormReplication(10.5), 10, r"redundancy = 10.5: .* more than the 10 workers"),
        (pl.BlockDesign(11), 10, r"redundancy = 11: expected a whole number from 1 to 10"),
        (pl.BlockDesign(2), 10, r"redundancy = 2: no pairwise-balanced.* can be 1, 9, 10, .* with 2, 3, 4 workers"),
        (pl.BlockDesign(6), 16, r"no pairwise-balanced.* can be 1, 8, 15, 16, .* 6, 7, 11, 12, 31 workers"),
        (pl.CyclicRepetition(2), 50, r"workers = 50: the problem has only 40 rows"),
        (pl.EvenPartition(), 50, r"workers = 50: the problem has only 40 rows"),
        (pl.BlockDesign(1), 50, r"partitions = 50: the problem has only 40 rows"),
    ],
)
def test_placements_that_cannot_be_carried_out(placement, workers, says):
    with pytest.raises(ConfigurationError, match=says):
        place(placement, 40, workers)


@pytest.mark.parametrize("kind", [pl.FractionalRepetition, pl.CyclicRepetition, pl.UniformReplication, pl.BlockDesign])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
def test_whole_numbers_are_asked_for(kind, value):
    with pytest.raises(ConfigurationError, match=r"(load|redundancy) = "):
        kind(value)


@pytest.mark.parametrize("value", [0.99, math.nan, math.inf, "2"])
def test_an_average_redundancy_is_a_number_of_at_least_one(value):
    with pytest.raises(ConfigurationError, match="redundancy = "):
        pl.NormReplication(value)


def test_placements_that_are_none():
    with pytest.raises(ConfigurationError, match="placement = 3: expected a placement"):
        pl.Uncombined(3)
    with pytest.raises(ConfigurationError, match="tasks = 0"):
        pl.FractionalRepetition(1, tasks=0)
    with pytest.raises(ConfigurationError, match=r"all rows of .* are zero"):
        pl.NormReplication(2).assign(cs.LeastSquares(np.zeros((4, 2)), np.ones(4)), 3, np.random.default_rng(0))


# cyclic repetition


@settings(max_examples=30, deadline=None)
@given(workers=st.integers(1, 9), data=st.data())
def test_cyclic_repetition_places_neighbours(workers, data):
    load = data.draw(st.integers(1, workers))
    rows = workers * 2 + data.draw(st.integers(0, 5))
    assignment = place(pl.CyclicRepetition(load), rows, workers)
    partitions = np.array_split(np.arange(rows), workers)
    for worker in range(workers):
        expected = np.concatenate([partitions[(worker + j) % workers] for j in range(load)])
        assert sorted(assignment.rows_of(np.array([worker])).tolist()) == sorted(expected.tolist())
    assert assignment.recovery == workers - load + 1
    columns = encoding(assignment)
    for run in partitions:
        assert (columns[:, run] == columns[:, run[:1]]).all()


# random replication


def test_uniform_replication_is_exact_and_adds_up():
    for copies in (1, 2, 3, 7):
        assignment = place(pl.UniformReplication(copies), 200, 7)
        assert {len(held) for held in holders(assignment)} == {copies}
        np.testing.assert_allclose(encoding(assignment).sum(axis=0), 1.0, rtol=1e-12)
        np.testing.assert_allclose(encoding(assignment).max(), 1.0 / copies, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_subsets_are_uniform(size):
    drawn = np.sort(random_subsets(30_000, size, 5, np.random.default_rng(size)), axis=1)
    names = {subset: number for number, subset in enumerate(itertools.combinations(range(5), size))}
    seen = np.array([names[tuple(line)] for line in drawn.tolist()])
    each = np.bincount(seen, minlength=len(names))
    assert stats.chisquare(each).statistic < stats.chi2.isf(ALARM, len(names) - 1)
    pairs = np.bincount(seen[::2] * len(names) + seen[1::2], minlength=len(names) ** 2)  # neighbours are independent
    assert stats.chisquare(pairs).statistic < stats.chi2.isf(ALARM, len(names) ** 2 - 1)


def test_rows_of_norm_replication_are_uniform_over_the_workers():
    assignment = pl.NormReplication(2).assign(problem(6000, features=8), 5, np.random.default_rng(1))
    for copies in (1, 2, 3, 4):
        names = {frozenset(subset): i for i, subset in enumerate(itertools.combinations(range(5), copies))}
        each = np.bincount([names[frozenset(h)] for h in holders(assignment) if len(h) == copies], minlength=len(names))
        assert each.sum() > 100
        assert stats.chisquare(each).statistic < stats.chi2.isf(ALARM, len(names) - 1)


def test_norm_replication_follows_the_squared_norms():
    X = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0], [40.0, 0.0], [6.0, 6.0], [0.0, 10.0]])
    assignment = pl.NormReplication(2.5).assign(cs.LeastSquares(X, np.ones(6)), 4, np.random.default_rng(0))
    norms = [25.0, 0.0, 1.0, 1600.0, 72.0, 100.0]
    shares = [norm * 6 * 2.5 / sum(norms) for norm in norms]
    assert assignment.redundancy.tolist() == [min(4, max(1, round(share))) for share in shares]
    np.testing.assert_allclose(encoding(assignment).sum(axis=0), 1.0, rtol=1e-12)


def test_average_redundancy_on_the_journals_data():
    averages = []
    for seed in range(40):
        data = cs.LeastSquares.synthetic(rows=1000, features=100, design="gaussian", seed=seed)
        averages.append(pl.NormReplication(2).assign(data, 10, np.random.default_rng(0)).redundancy.mean())
    # 2 |x|^2 / E|x|^2 is chi-square with 100 degrees of freedom over 50, rounded
    expected = 1.0 + sum(stats.chi2.sf(50.0 * (copies + 0.5), 100) for copies in range(1, 9))
    assert abs(np.mean(averages) - expected) < Z * np.std(averages, ddof=1) / math.sqrt(40)
    assert abs(expected - 2.02) < 0.005  # the paper: 2.024


@pytest.mark.parametrize("placement", [pl.UniformReplication(2), pl.NormReplication(2), pl.CyclicRepetition(3)])
def test_the_generator_decides(placement):
    first, again, other = (place(placement, 60, 8, seed).matrix.toarray() for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


# block designs


@pytest.mark.parametrize(
    ("workers", "redundancy"),
    [
        (7, 3), (7, 4), (11, 5), (13, 4), (13, 9), (15, 7), (21, 5), (23, 11), (31, 6), (40, 13), (57, 8), (6, 5),
        (5, 5), (4, 1),
    ],
)  # fmt: skip
def test_difference_sets_share_equally_many_workers(workers, redundancy):
    assignment = place(pl.BlockDesign(redundancy), workers, workers)
    held = holders(assignment)
    assert {len(row) for row in held} == {redundancy}
    shared = {len(a & b) for a, b in itertools.combinations(held, 2)}
    assert shared == {redundancy * (redundancy - 1) // (workers - 1)}
    assert set(assignment.sizes.tolist()) == {redundancy}
    np.testing.assert_allclose(encoding(assignment).sum(axis=0), 1.0, rtol=1e-12)


@pytest.mark.parametrize("workers", [4, 8, 12, 16, 20, 24, 28])
def test_hadamard_designs_are_pairwise_balanced(workers):
    d = workers // 2
    assignment = place(pl.BlockDesign(d), workers - 1, workers)
    held = holders(assignment)
    assert {len(row) for row in held} == {d}
    assert {len(a & b) for a, b in itertools.combinations(held, 2)} == {d * d // workers}
    assert pl.imbalance(assignment) == 0.0
    assert assignment.sizes.min() >= 1
    assert np.isclose(
        np.var(assignment.sizes), (workers - 1) * d * (1 - d / workers) / workers
    )  # as the docstring says


@pytest.mark.parametrize("order", range(2, 16))
def test_the_search_finds_a_difference_set_whenever_there_is_one(order):
    for size in range(1, order + 1):
        exists = any(
            is_difference_set(np.array(residues), order) for residues in itertools.combinations(range(order), size)
        )
        found = difference_set(order, size)
        assert (found is not None) == exists, size
        assert found is None or (len(set(found)) == size and is_difference_set(np.array(found), order))


def test_hadamard_matrices():
    made = []
    for order in range(1, 129):
        if (matrix := hadamard(order)) is not None:
            made.append(order)
            assert set(matrix.ravel().tolist()) <= {1, -1}
            assert (matrix @ matrix.T == order * np.eye(order)).all()
    assert set(range(4, 101, 4)) - set(made) == {52, 92, 100}
    assert all(order in (1, 2) or order % 4 == 0 for order in made)


# imbalance


def plain_imbalance(assignment):
    held = holders(assignment)
    deviations = [
        len(a & b) - len(a) * len(b) / assignment.workers for a, b in itertools.permutations(held, 2)
    ]  # fmt: skip
    return math.sqrt(np.mean(np.square(deviations)))


@settings(max_examples=40, deadline=None)
@given(workers=st.integers(1, 6), rows=st.integers(2, 12), seed=st.integers(0, 10**6))
def test_imbalance_against_all_pairs(workers, rows, seed):
    assignment = pl.NormReplication(min(2, workers)).assign(
        problem(rows, seed=seed), workers, np.random.default_rng(seed)
    )
    assert pl.imbalance(assignment) == pytest.approx(plain_imbalance(assignment), rel=1e-9, abs=1e-12)


def test_imbalance_of_random_placements():
    n, d, rows = 10, 2, 60
    data = problem(rows)
    squares = [
        pl.imbalance(pl.UniformReplication(d).assign(data, n, np.random.default_rng(seed))) ** 2 for seed in range(600)
    ]
    expected = d**2 * (n - d) ** 2 / (n**2 * (n - 1))
    assert abs(np.mean(squares) - expected) < Z * np.std(squares, ddof=1) / math.sqrt(len(squares))


def least_imbalance(n, d, rows):
    return d * (n - d) / (n * math.sqrt(n - 1)) * math.sqrt((rows - n + 1) / (rows - 1))


def test_imbalance_of_repetition_and_designs():
    n, d, rows = 10, 2, 5000
    repeated, drawn = (
        pl.imbalance(place(kind, rows, n)) for kind in (pl.FractionalRepetition(d), pl.UniformReplication(d))
    )
    assert repeated == pytest.approx(d * math.sqrt(d * (n - d)) / n, rel=1e-3)
    assert repeated / drawn == pytest.approx(math.sqrt(d * (n - 1) / (n - d)), rel=2e-3)
    assert drawn >= least_imbalance(n, d, rows)
    for n, d in [(7, 3), (13, 4)]:
        assert pl.imbalance(place(pl.BlockDesign(d), 10 * n, n)) == pytest.approx(
            least_imbalance(n, d, 10 * n), rel=1e-12
        )
        for seed in range(20):
            assert pl.imbalance(place(pl.UniformReplication(d), 10 * n, n, seed)) >= least_imbalance(n, d, 10 * n)
    assert pl.imbalance(place(pl.EvenPartition(), 1, 1)) == 0.0


# wrappers


@pytest.mark.parametrize("inner", [pl.NormReplication(2), pl.FractionalRepetition(2), pl.CyclicRepetition(2)])
def test_uncombined_keeps_the_rows_and_sends_each(inner):
    plain, apart = place(inner, 40, 8, seed=5), place(pl.Uncombined(inner), 40, 8, seed=5)
    assert apart.coefficients is None
    assert not apart.combined
    np.testing.assert_array_equal(apart.rows, plain.rows)
    np.testing.assert_array_equal(apart.starts, plain.starts)
    np.testing.assert_array_equal(apart.vectors, plain.sizes)
    np.testing.assert_array_equal(plain.vectors, np.ones(8))


def test_everything():
    assignment = place(pl.Everything(), 12, 4)
    assert all(assignment.rows_of(np.array([i])).tolist() == list(range(12)) for i in range(4))
    np.testing.assert_array_equal(assignment.loads, np.full(4, 4.0))
    assert assignment.groups.tolist() == [0, 0, 0, 0]


# gathering: the arithmetic of a weighted sum of messages

PLACEMENTS = [
    pl.EvenPartition(),
    pl.FractionalRepetition(2),
    pl.FractionalRepetition(3, tasks=9),
    pl.CyclicRepetition(3),
    pl.UniformReplication(2),
    pl.UniformReplication(1),
    pl.NormReplication(2.5),
    pl.Everything(),
    pl.Uncombined(pl.UniformReplication(2)),
    pl.Uncombined(pl.EvenPartition()),
]


@pytest.mark.parametrize("placement", PLACEMENTS, ids=repr)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["one", "equal", "any", "some zero"]))
def test_gather_names_each_row_once(placement, seed, kind):
    draw = np.random.default_rng(seed)
    assignment = place(placement, 31, 12, seed)
    workers = draw.permutation(12)[: draw.integers(0, 13)]
    vectors = int(assignment.vectors[workers].sum())
    weights = {
        "one": 0.25,
        "equal": np.full(vectors, 0.25),
        "any": draw.normal(size=vectors),
        "some zero": draw.integers(0, 2, size=vectors) * 0.5,
    }[kind]
    rows, row_weights = assignment.gather(workers, weights)
    named = np.arange(31) if rows is None else rows
    assert len(set(named.tolist())) == len(named)
    summed = np.zeros(31)
    summed[named] = row_weights
    np.testing.assert_allclose(31 * summed, row_coefficients(assignment, workers, weights), rtol=1e-12, atol=1e-12)


def test_gather_of_whole_groups_copies_nothing():
    assignment = place(pl.FractionalRepetition(2), 30, 6)
    rows, weights = assignment.gather(np.array([5, 0, 3]), np.full(3, 0.1))
    assert rows is None
    assert weights.tolist() == [0.1] * 30
    rows, weights = assignment.gather(np.array([3]), 0.1)
    assert (rows.tolist(), weights.tolist()) == (list(range(10, 20)), [0.1] * 10)


def test_gather_of_two_answers_of_one_group():
    assignment = place(pl.FractionalRepetition(2), 24, 12)
    rows, weights = assignment.gather(np.array([1, 0]), 0.25)
    assert rows.tolist() == [0, 1, 2, 3]
    assert weights.tolist() == [0.5] * 4


def test_row_sums_and_redundancy():
    for placement in PLACEMENTS:
        assignment = place(placement, 31, 6)
        matrix = encoding(assignment)
        np.testing.assert_allclose(assignment.row_sums, matrix.sum(axis=0), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(assignment.totals, matrix.sum(axis=1), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(assignment.redundancy, (matrix != 0.0).sum(axis=0))
        assert assignment.evenly_coded == (np.ptp(matrix.sum(axis=0)) < 1e-9)
    assert not place(pl.CyclicRepetition(3), 31, 6).evenly_coded


def test_subsets_helper_enumerates_all():
    assert len(list(subsets(5))) == 32


@pytest.mark.parametrize("redundancy", [1, 2, 3.5])
def test_sgc_places_as_many_copies_as_its_theory_says(redundancy):
    """Two pieces of code state eq. 6-8; they must not drift apart."""
    X = np.random.default_rng(4).normal(size=(60, 3)) * np.random.default_rng(5).uniform(0.1, 3.0, size=(60, 1))
    problem = cs.LeastSquares(X, np.zeros(60))
    assignment = pl.NormReplication(redundancy).assign(problem, 8, np.random.default_rng(0))
    expected = cs.theory.sgc_whole_redundancies(X, redundancy, 8)
    assert assignment.redundancy.tolist() == expected.tolist()
    assert redundancy == 1 or len(set(expected.tolist())) > 3
