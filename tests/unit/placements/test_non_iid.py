"""Non-IID placements: which classes a worker holds, how many rows of each, and with which probabilities."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import clustersim as cs
from clustersim import placements as pl
from clustersim.errors import ConfigurationError
from clustersim.placements.non_iid import draw_classes

Z = stats.norm.isf(0.5e-6)  # two-sided, one false alarm in a million
ALARM = 1e-6


class Labelled(cs.LeastSquares):
    """Rows of which only the labels matter; any whole numbers."""

    def __init__(self, labels):
        super().__init__(np.ones((len(labels), 1)), np.zeros(len(labels)))
        self._classes = np.asarray(labels)

    @property
    def labels(self):
        return self._classes


def assign(placement, labels, workers, seed=0):
    return placement.assign(Labelled(labels), workers, np.random.default_rng(seed))


def shuffled(sizes, seed=0):
    """Labels of rows in any order; the argument says how many rows each class has."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))


def plain_counts(assignment, labels):
    """Rows of each worker and class, counted one by one; each row is met exactly once."""
    assert assignment.coefficients is None
    assert assignment.total_rows == len(labels)
    assert assignment.starts[0] == 0
    met, counts = [], [[0] * (max(labels) + 1) for _ in range(assignment.workers)]
    for worker, line in enumerate(counts):
        for entry in range(assignment.starts[worker], assignment.starts[worker + 1]):
            met.append(int(assignment.rows[entry]))
            line[labels[assignment.rows[entry]]] += 1
    assert sorted(met) == list(range(len(labels)))
    return np.array(counts)


def within(samples, expected, tests=1):
    """Whether the mean of independent samples is what is expected, by the interval of the central limit theorem."""
    samples = np.asarray(samples, dtype=float)
    z = stats.norm.isf(0.5e-6 / tests)
    return abs(samples.mean() - expected) < z * samples.std(ddof=1) / math.sqrt(len(samples))


# by label


@settings(max_examples=75, deadline=None)
@given(data=st.data(), workers=st.integers(1, 9), classes=st.integers(1, 7), seed=st.integers(0, 10**6))
def test_every_worker_holds_exactly_c_classes_and_classes_are_shared_evenly(data, workers, classes, seed):
    held = data.draw(st.integers(-(-classes // workers), classes))
    most = -(-workers * held // classes)
    sizes = data.draw(st.lists(st.integers(most, most + 9), min_size=classes, max_size=classes))
    labels = shuffled(sizes, seed)
    counts = plain_counts(assign(cs.ByLabel(held), labels, workers, seed), labels)
    assert ((counts > 0).sum(axis=1) == held).all()
    holders = (counts > 0).sum(axis=0)
    assert set(holders.tolist()) <= {workers * held // classes, most}
    for column in counts.T:
        assert np.ptp(column[column > 0]) <= 1


def test_all_classes_on_every_worker_is_an_even_split_of_each():
    labels = shuffled([40, 24, 8], 1)
    counts = plain_counts(assign(cs.ByLabel(3), labels, 8), labels)
    np.testing.assert_array_equal(counts, [[5, 3, 1]] * 8)


@pytest.mark.parametrize(("classes", "held", "workers"), [(5, 3, 4), (4, 2, 6)])
def test_every_set_of_classes_is_equally_likely_for_every_worker(classes, held, workers):
    labels = shuffled([-(-workers * held // classes)] * classes)
    problem, draws = Labelled(labels), 1500
    names = {subset: i for i, subset in enumerate(itertools.combinations(range(classes), held))}
    seen = np.zeros((workers, len(names)))
    surplus = np.zeros(classes)  # classes that are on one worker more than others
    for seed in range(draws):
        assignment = cs.ByLabel(held).assign(problem, workers, np.random.default_rng(seed))
        holds = pl.label_counts(assignment, labels) > 0
        for worker in range(workers):
            seen[worker, names[tuple(np.flatnonzero(holds[worker]).tolist())]] += 1
        surplus += holds.sum(axis=0) - workers * held // classes
    limit = stats.chi2.isf(ALARM / workers, len(names) - 1)
    assert all(stats.chisquare(line).statistic < limit for line in seen)
    extra = workers * held % classes
    assert surplus.sum() == draws * extra
    if extra:
        p = extra / classes
        assert np.abs(surplus / draws - p).max() < stats.norm.isf(0.5e-6 / classes) * math.sqrt(p * (1 - p) / draws)


def test_any_two_workers_are_alike():
    # two decks of four classes, two a worker: hands of one deck share none, hands of two share none with chance 1/6
    labels = shuffled([2] * 4)
    problem, apart = Labelled(labels), []
    for seed in range(1500):
        counts = pl.label_counts(cs.ByLabel(2).assign(problem, 4, np.random.default_rng(seed)), labels)
        apart.append([not (counts[i] * counts[j]).any() for i, j in itertools.combinations(range(4), 2)])
    assert all(within(pair, 1 / 3 + 2 / 3 * 1 / 6, tests=6) for pair in np.transpose(apart))


def test_the_rows_of_a_class_are_split_at_random():
    labels = np.array([0, 0, 0, 0, 0, 1, 1])
    problem, draws = Labelled(labels), 1500
    owners = np.empty((draws, 7), dtype=int)
    for seed in range(draws):
        assignment = cs.ByLabel(2).assign(problem, 2, np.random.default_rng(seed))
        owners[seed, assignment.rows] = np.repeat([0, 1], assignment.sizes)
    assert all(within(owners[:, row] == 0, 0.5, tests=7) for row in range(7))
    together = (3 * 2 + 2 * 1) / (5 * 4)  # shares of 3 and 2 of the five rows
    pairs = list(itertools.combinations(range(5), 2))
    assert all(within(owners[:, i] == owners[:, j], together, tests=len(pairs)) for i, j in pairs)
    assert within((owners[:, :5] == 0).sum(axis=1) == 3, 0.5)  # who has the larger share


def test_by_label_takes_the_labels_there_are():
    labels = np.array([7, 7, 3, 3, 3, 3])
    counts = plain_counts(assign(cs.ByLabel(1), labels, 2), labels)
    assert sorted(counts[:, [3, 7]].tolist()) == [[0, 2], [4, 0]]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: assign(cs.ByLabel(4), shuffled([5, 5, 5]), 3), r"classes = 4: expected .* from 1 to 3; .* 3 classes"),
        (
            lambda: assign(cs.ByLabel(2), shuffled([5] * 9), 4),
            r"classes = 2: 4 workers hold 8 of the 9 classes .* choose 3 classes or more, or more workers",
        ),
        (lambda: assign(cs.ByLabel(2), shuffled([9, 9, 2, 9]), 5), r"class 2 has only 2 rows, .* of the 3 workers"),
        (lambda: assign(cs.Dirichlet(1.0), shuffled([2, 2]), 5), r"workers = 5: the problem has only 4 rows"),
        (
            lambda: cs.ByLabel(2).assign(cs.LeastSquares(np.ones((4, 1)), np.ones(4)), 2, np.random.default_rng(0)),
            r"placement = ByLabel\(classes=2\): the rows of LeastSquares\(4 rows.* have no labels; .*SoftmaxRegression",
        ),
        (
            lambda: cs.Dirichlet(0.5).assign(cs.LeastSquares(np.ones((4, 1)), np.ones(4)), 2, np.random.default_rng(0)),
            r"placement = Dirichlet\(alpha=0.5\): the rows of LeastSquares\(4 rows.* have no labels",
        ),
        *((lambda value=value: cs.ByLabel(value), "classes = ") for value in (0, -1, 1.5, "2", True)),
        *((lambda value=value: cs.Dirichlet(value), "alpha = ") for value in (0, -1.0, math.nan, math.inf, "1", True)),
    ],
)
def test_what_cannot_be_carried_out_is_refused(make, says):
    with pytest.raises(ConfigurationError, match=says):
        make()


def test_a_class_needs_a_row_for_every_worker_that_shares_it_and_no_more():
    for seed in range(20):  # 5 workers with 2 of 4 classes: each class is on 2 or 3
        labels = shuffled([9, 9, 3, 9])
        counts = plain_counts(assign(cs.ByLabel(2), labels, 5, seed), labels)
        assert ((counts > 0).sum(axis=1) == 2).all()


# Dirichlet


@settings(max_examples=75, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 15), min_size=1, max_size=7),
    workers=st.integers(1, 9),
    alpha=st.one_of(st.floats(1e-3, 1e3), st.sampled_from([5e-324, 1e-300, 1e-12, 1e12, 1e300, 1.7e308])),
    seed=st.integers(0, 10**6),
)
def test_dirichlet_places_every_row_once_in_even_shares(sizes, workers, alpha, seed):
    labels = shuffled(sizes, seed)
    workers = min(workers, len(labels))
    assignment = assign(cs.Dirichlet(alpha), labels, workers, seed)
    counts = plain_counts(assignment, labels)
    np.testing.assert_array_equal(counts.sum(axis=0), sizes)
    np.testing.assert_array_equal(counts.sum(axis=1), assign(pl.EvenPartition(), labels, workers).sizes)


PRIOR = np.array([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("alpha", [0.1, 1.0, 10.0, 1000.0])
def test_mixes_from_a_large_population_have_the_moments_of_the_distribution(alpha):
    generator, share, left = np.random.default_rng(7), 10**9, np.full(4, 10**12)
    mixes = np.array([draw_classes(alpha * PRIOR, share, left, generator) for _ in range(4000)]) / share
    for j, p in enumerate(PRIOR):
        assert within(mixes[:, j], p, tests=12)
        assert within((mixes[:, j] - p) ** 2, p * (1 - p) / (alpha + 1), tests=12)
        if alpha >= 10.0:  # with smaller ones many mixes are less than a row of the billion
            assert stats.kstest(mixes[:, j], stats.beta(alpha * p, alpha * (1 - p)).cdf).pvalue > ALARM
    covariance = -PRIOR[0] * PRIOR[3] / (alpha + 1)
    assert within((mixes[:, 0] - PRIOR[0]) * (mixes[:, 3] - PRIOR[3]), covariance, tests=12)


def test_a_small_alpha_is_one_class_drawn_by_the_prior():
    generator, left = np.random.default_rng(1), np.full(4, 100)
    for alpha in (1e-300, 1e-9):
        drawn = np.array([draw_classes(alpha * PRIOR, 50, left, generator) for _ in range(4000)])
        assert set(drawn.ravel().tolist()) == {0, 50}
        assert stats.chisquare((drawn == 50).sum(axis=0), 4000 * PRIOR).statistic < stats.chi2.isf(ALARM, 3)


def test_when_its_class_has_run_out_a_small_alpha_takes_the_next_by_the_prior():
    generator, left = np.random.default_rng(2), np.array([4, 100, 100, 100])
    drawn = np.array([draw_classes(1e-9 * PRIOR, 50, left, generator) for _ in range(8000)])
    first = drawn[drawn[:, 0] > 0]
    assert set(map(tuple, first.tolist())) == {(4, 46, 0, 0), (4, 0, 46, 0), (4, 0, 0, 46)}
    expected = len(first) * PRIOR[1:] / PRIOR[1:].sum()
    assert stats.chisquare((first[:, 1:] == 46).sum(axis=0), expected).statistic < stats.chi2.isf(ALARM, 2)


def exact(mix, share, left):
    """Probability of each outcome of draws one by one, with the classes that have run out left out."""
    states = {(0,) * len(left): 1.0}
    for _ in range(share):
        after = {}
        for drawn, chance in states.items():
            total = sum(q for q, d, most in zip(mix, drawn, left, strict=True) if d < most)
            for j, q in enumerate(mix):
                if drawn[j] < left[j]:
                    name = (*drawn[:j], drawn[j] + 1, *drawn[j + 1 :])
                    after[name] = after.get(name, 0.0) + chance * q / total
        states = after
    return states


@pytest.mark.parametrize(
    ("mix", "share", "left"),
    [((0.5, 0.5), 2, (1, 3)), ((0.2, 0.3, 0.5), 4, (2, 1, 2)), ((0.6, 0.3, 0.1), 5, (2, 2, 4))],
)
def test_classes_that_run_out_are_left_out_of_draws_one_by_one(mix, share, left):
    if len(mix) == 2:
        assert exact(mix, share, left) == {(1, 1): 0.75, (0, 2): 0.25}  # by hand
    generator, outcomes = np.random.default_rng(3), exact(mix, share, left)
    concentrations = 1e12 * np.array(mix)  # so large that the mix is the prior
    drawn = [tuple(draw_classes(concentrations, share, np.array(left), generator).tolist()) for _ in range(3000)]
    seen = [drawn.count(name) for name in outcomes]
    assert sum(seen) == len(drawn)
    expected = [len(drawn) * chance for chance in outcomes.values()]
    assert stats.chisquare(seen, expected).statistic < stats.chi2.isf(ALARM, len(seen) - 1)


def test_every_worker_expects_the_mix_of_all_rows():
    labels = shuffled([12, 24, 4], 5)
    counts = np.array(
        [pl.label_counts(assign(cs.Dirichlet(0.7), labels, 5, seed), labels) for seed in range(1200)]
    )  # shape (draws, workers, classes)
    for worker, (j, size) in itertools.product(range(5), enumerate([12, 24, 4])):
        assert within(counts[:, worker, j], size / 5, tests=15)


@pytest.mark.parametrize("alpha", [200.0, 1e12])
def test_the_spread_of_large_shares_and_of_what_is_left(alpha):
    labels, n, s, p = shuffled([1200, 2800], 6), 4, 1000, 0.3
    squares = np.array(
        [
            (pl.label_counts(assign(cs.Dirichlet(alpha), labels, n, seed), labels)[:, 0] - s * p) ** 2
            for seed in range(600)
        ]
    )
    variance = s * p * (1 - p) * (s + alpha) / (1 + alpha)
    assert within(squares.mean(axis=1), ((n - 1) + (n - 1)) / n * variance, tests=5)  # the last has n - 1 times as much
    assert all(within(squares[:, worker], 2 * (n - 1) / n * variance, tests=5) for worker in range(n))


def test_the_limits_of_alpha():
    labels = shuffled([50] * 8, 2)
    one = pl.label_counts(assign(cs.Dirichlet(1e-9), labels, 8), labels)
    np.testing.assert_array_equal(np.sort(one.ravel()), [0] * 56 + [50] * 8)
    owners = [
        int(pl.label_counts(assign(cs.Dirichlet(1e-9), labels, 8, seed), labels)[0].argmax()) for seed in range(1000)
    ]
    assert stats.chisquare(np.bincount(owners, minlength=8)).statistic < stats.chi2.isf(ALARM, 7)


def test_the_rows_of_a_dirichlet_class_are_drawn_at_random():
    labels = np.array([0] * 6 + [1] * 6)
    owners = np.empty((1200, 12), dtype=int)
    for seed in range(1200):
        assignment = assign(cs.Dirichlet(5.0), labels, 3, seed)
        owners[seed, assignment.rows] = np.repeat(range(3), 4)
    assert all(within(owners[:, row] == worker, 1 / 3, tests=36) for row in range(12) for worker in range(3))
    near, far = owners[:, 0] == owners[:, 1], owners[:, 0] == owners[:, 5]
    assert within(near.astype(float) - far, 0.0)


# both


@pytest.mark.parametrize("placement", [cs.ByLabel(2), cs.Dirichlet(0.5)])
def test_the_generator_alone_decides(placement):
    labels = shuffled([20] * 5)
    first = assign(placement, labels, 6, 1)
    np.random.seed(99)  # noqa: NPY002 - the very thing that must not matter
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    again, other = (assign(placement, labels, 6, seed) for seed in (1, 2))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.starts, again.starts)
    assert (first.rows.tolist(), first.starts.tolist()) != (other.rows.tolist(), other.starts.tolist())


@pytest.mark.parametrize("placement", [cs.ByLabel(1), cs.ByLabel(3), cs.Dirichlet(0.3)])
def test_runs_on_skewed_data_take_the_gradient_of_all_rows(placement):
    draw = np.random.default_rng(0)
    problem = cs.SoftmaxRegression(draw.normal(size=(90, 4)), np.repeat([0, 1, 2], 30), ridge=0.01)
    cluster = cs.Cluster(workers=9, compute=cs.Constant(1.0))
    until, step = cs.Until(updates=20), cs.SGD(0.1)
    skewed = cs.simulate(problem, cluster, cs.FullSync(placement=placement), optimizer=step, until=until, seed=4)
    even = cs.simulate(problem, cluster, cs.FullSync(), optimizer=step, until=until, seed=4)
    np.testing.assert_allclose(skewed.w, even.w, rtol=1e-10, atol=1e-14)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), workers=st.integers(1, 6), rows=st.integers(6, 30))
def test_label_counts_against_counting(seed, workers, rows):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 4, size=rows)
    assignment = assign(pl.EvenPartition(), labels, workers)
    np.testing.assert_array_equal(pl.label_counts(assignment, labels.tolist()), plain_counts(assignment, labels))
    twice = pl.label_counts(assign(pl.Everything(), labels, workers), labels)
    np.testing.assert_array_equal(twice, [[(labels == j).sum() for j in range(labels.max() + 1)]] * workers)


@pytest.mark.parametrize("labels", [None, [0, 1], [0.0, 1.0, 2.0], ["a", "b", "c"], [0, 1, -1], [[0], [1], [2]]])
def test_labels_that_are_none_are_refused(labels):
    assignment = assign(pl.EvenPartition(), np.array([0, 1, 2]), 2)
    with pytest.raises(ConfigurationError, match=r"labels: expected a class number .* each of the 3 rows"):
        pl.label_counts(assignment, labels)
