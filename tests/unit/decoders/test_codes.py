"""Exact codes: the full gradient from every set of answers that they promise, and never a claim that cannot be kept."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from coding import encoding, place, problem, subsets
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim import placements as pl
from clustersim.decoders import Exact, Optimal
from clustersim.errors import ConfigurationError
from clustersim.placements import cyclic

DIGITS = 1e-10


def assert_full_gradient(data, assignment, workers):
    """The decoded gradient is the full one, to ten digits."""
    w = np.random.default_rng(5).normal(size=data.dimension)
    rows, weights = assignment.gather(workers, Exact().weights(assignment, workers))
    full = data.gradient(w, None, 1.0 / data.rows)
    decoded = data.gradient(w, rows, weights)
    assert np.linalg.norm(decoded - full) <= DIGITS * np.linalg.norm(full)


@pytest.mark.parametrize("workers", range(1, 8))
def test_cyclic_codes_survive_every_set_of_stragglers(workers):
    data = problem(3 * workers + 1, features=3)
    for load in range(1, workers + 1):
        assignment = pl.CyclicRepetition(load).assign(data, workers, np.random.default_rng(load))
        for answers in subsets(workers, workers - load + 1):
            assert_full_gradient(data, assignment, answers)


@pytest.mark.parametrize("load", range(2, 12))
def test_cyclic_codes_of_twelve_workers_survive_every_set(load):
    assignment = place(pl.CyclicRepetition(load), 12, 12, seed=load)
    matrix = encoding(assignment)
    worst = 0.0
    for answers in subsets(12, 13 - load):
        worst = max(worst, np.abs(assignment.decode(answers)[0] @ matrix[answers] - 1.0).max())
    assert worst < DIGITS


@pytest.mark.parametrize("load", [2, 6, 20, 50, 99])
def test_cyclic_codes_of_a_hundred_workers(load):
    data = problem(200, features=3)
    assignment = pl.CyclicRepetition(load).assign(data, 100, np.random.default_rng(load))
    draw = np.random.default_rng(11)
    for _ in range(5):
        assert_full_gradient(data, assignment, draw.permutation(100)[: 101 - load])
    for first in range(0, 100, 33):  # neighbours that straggle together
        assert_full_gradient(data, assignment, np.roll(np.arange(100), first)[: 101 - load])


@pytest.mark.parametrize("workers", [1, 2, 4, 6])
def test_fractional_repetition_survives_every_set_of_stragglers(workers):
    data = problem(4 * workers, features=3)
    for load in [c for c in range(1, workers + 1) if workers % c == 0]:
        assignment = pl.FractionalRepetition(load).assign(data, workers, np.random.default_rng(0))
        for answers in subsets(workers, workers - load + 1):
            assert_full_gradient(data, assignment, np.random.default_rng(1).permutation(answers))


def test_fractional_repetition_claims_only_what_all_groups_have_answered():
    assignment = place(pl.FractionalRepetition(2), 12, 6)
    for answers in subsets(6):
        heard = len({worker // 2 for worker in answers.tolist()}) == 3
        assert assignment.decodes(answers) == heard
        if len(answers) and not heard:
            with pytest.raises(ConfigurationError, match="do not determine the full gradient"):
                Exact().weights(assignment, answers)


def test_a_code_that_would_lose_digits_is_refused(monkeypatch):
    monkeypatch.setattr(cyclic, "_MAX_LENGTH", 3.0)
    with pytest.raises(ConfigurationError, match=r"load = 4: with 12 workers no cyclic code .* 3 stragglers"):
        place(pl.CyclicRepetition(4), 12, 12)
    place(pl.CyclicRepetition(1), 12, 12)
    place(pl.CyclicRepetition(12), 12, 12)


@pytest.mark.parametrize(("workers", "load"), [(7, 3), (8, 4), (9, 2), (10, 7)])
def test_longest_weights_against_least_squares(workers, load):
    code = cyclic.cyclic_code(workers, load, np.random.default_rng(2))
    sets = np.array(list(itertools.combinations(range(workers), load - 1)))
    lengths = []
    for stragglers in sets.tolist():
        answers = np.setdiff1d(np.arange(workers), stragglers)
        lengths.append(np.linalg.norm(np.linalg.lstsq(code[answers].T, np.ones(workers), rcond=1e-12)[0]))
    assert cyclic._longest_weights(code, sets) == pytest.approx(max(lengths), rel=1e-6)


# what can be decoded


def rank(lines):
    """Rank by elimination in whole fractions."""
    lines, found = [list(map(Fraction, line)) for line in lines], 0
    for column in range(len(lines[0]) if lines else 0):
        pivot = next((i for i in range(found, len(lines)) if lines[i][column]), None)
        if pivot is None:
            continue
        lines[found], lines[pivot] = lines[pivot], lines[found]
        for i in range(found + 1, len(lines)):
            factor = lines[i][column] / lines[found][column]
            lines[i] = [a - factor * b for a, b in zip(lines[i], lines[found], strict=True)]
        found += 1
    return found


def determines(matrix, workers):
    """Whether the vector of ones is a combination of these rows of B."""
    chosen = [[int(entry) for entry in matrix[i]] for i in workers]
    return rank([*chosen, [1] * matrix.shape[1]]) == rank(chosen)


def from_matrix(matrix, **more):
    """The assignment of a matrix of whole numbers."""
    workers, rows = np.nonzero(matrix)
    starts = np.searchsorted(workers, np.arange(matrix.shape[0] + 1))
    values = matrix[workers, rows].astype(float)
    coefficients = None if (values == 1.0).all() else values
    return pl.Assignment(matrix.shape[1], starts, rows, coefficients, **more)


@st.composite
def matrices(draw):
    workers, rows = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    entries = draw(st.sampled_from([(0, 1), (0, 1, 1, 1), (0, 1, 2), (0, 1, -1)]))
    lines = st.lists(st.sampled_from(entries), min_size=rows, max_size=rows)
    return np.array(draw(st.lists(lines, min_size=workers, max_size=workers)))


def brute_missing(decodable, order, everyone):
    """The least number of further answers, or minus the number of last ones that are not needed."""
    if decodable(order):
        return next(count for count in range(len(order) + 1) if decodable(order[:count])) - len(order)
    others = [worker for worker in everyone if worker not in order]
    for count in range(1, len(others) + 1):
        if any(decodable([*order, *more]) for more in itertools.combinations(others, count)):
            return count
    return None


@settings(max_examples=75, deadline=None)
@given(matrix=matrices(), order=st.permutations(range(5)))
def test_what_is_claimed_is_what_the_rank_says(matrix, order):
    assignment = from_matrix(matrix)
    arrived = [worker for worker in order if worker < len(matrix)]
    for count in range(len(arrived) + 1):
        workers = np.array(arrived[:count], dtype=np.int64)
        possible = determines(matrix, arrived[:count])
        assert assignment.decodes(workers) == possible
        assert (assignment.missing(workers) <= 0) == possible
        if possible:
            weights = Exact().weights(assignment, workers) * assignment.total_rows
            np.testing.assert_allclose(weights @ matrix[workers], 1.0, atol=DIGITS)
        elif count:
            with pytest.raises(ConfigurationError, match=f"the messages of {count} of {len(matrix)} workers"):
                Exact().weights(assignment, workers)


@settings(max_examples=100, deadline=None)
@given(matrix=matrices(), order=st.permutations(range(5)), count=st.integers(0, 5))
def test_missing_never_promises_too_much(matrix, order, count):
    assignment = from_matrix(matrix)
    arrived = [worker for worker in order if worker < len(matrix)][:count]
    truth = brute_missing(lambda workers: determines(matrix, workers), arrived, range(len(matrix)))
    said = assignment.missing(np.array(arrived, dtype=np.int64))
    if truth is not None and truth <= 0:
        assert said == truth
    else:
        assert said >= 1
        assert truth is None or said <= truth
        if assignment.groups is not None:
            assert said == truth


@pytest.mark.parametrize(
    "placement", [pl.FractionalRepetition(2), pl.CyclicRepetition(3), pl.CyclicRepetition(6)], ids=repr
)
def test_missing_of_codes_is_exact(placement):
    assignment = place(placement, 12, 6)
    matrix = encoding(assignment)

    def decodable(workers):
        chosen = matrix[list(workers)]
        return np.linalg.matrix_rank(np.vstack((chosen, np.ones(12)))) == (
            np.linalg.matrix_rank(chosen) if len(chosen) else 0
        )

    for order in itertools.islice(itertools.permutations(range(6)), 0, 720, 7):
        for count in range(7):
            truth = brute_missing(decodable, list(order[:count]), range(6))
            assert assignment.missing(np.array(order[:count], dtype=np.int64)) == truth


def test_missing_where_rows_are_sent_by_themselves():
    rows = np.array([0, 1, 1, 2, 0, 2, 3])
    assignment = pl.Assignment(4, np.array([0, 2, 4, 6, 7]), rows, combined=False)
    assert [assignment.missing(np.array(seen, dtype=np.int64)) <= 0 for seen in ([0, 1], [0, 3, 2], [3, 1, 2])] == [
        False, True, True,
    ]  # fmt: skip
    assert assignment.missing(np.array([0, 1, 3, 2])) == -1


def test_a_promise_is_not_believed_but_checked():
    nearly = np.array([1.0, 1.0, 1.0, 1.0 + 1e-13])  # any two answers decode, says who made it
    assignment = pl.Assignment(2, np.array([0, 2, 4]), np.array([0, 1, 0, 1]), nearly, recovery=1)
    both = np.array([1, 0])
    assert assignment.missing(both) == -1  # (1, 1 + 1e-13) is full to ten digits
    far = pl.Assignment(2, np.array([0, 1, 3]), np.array([0, 0, 1]), np.array([1.0, 1.0, 1e-14]), recovery=2)
    assert far.missing(both) == 1
    with pytest.raises(ConfigurationError, match="do not determine the full gradient"):
        Exact().weights(far, both)


def test_weights_do_not_depend_on_what_was_asked_before():
    assignment = place(pl.UniformReplication(2), 30, 6, seed=4)
    answers = np.array([4, 0, 2, 5])
    first = assignment.decode(answers)[0]
    for order in itertools.permutations(range(4)):
        shuffled = answers[list(order)]
        np.testing.assert_array_equal(assignment.decode(shuffled)[0], first[list(order)])
    fresh = place(pl.UniformReplication(2), 30, 6, seed=4)
    np.testing.assert_array_equal(fresh.decode(answers)[0], first)


def test_optimal_decoding_of_many_rows_is_least_squares():
    assignment = place(pl.NormReplication(2.5), 9000, 7, seed=2)  # more rows than are dense at a time
    matrix = encoding(assignment)
    for answers in [np.array([0, 1, 2, 3, 4, 5, 6]), np.array([5, 1, 2]), np.array([6])]:
        expected = np.linalg.pinv(matrix[answers].T) @ np.ones(9000)
        np.testing.assert_allclose(9000 * Optimal().weights(assignment, answers), expected, rtol=1e-9)
        residual = np.sqrt(np.mean((expected @ matrix[answers] - 1.0) ** 2))
        assert assignment.decode(answers)[1] == pytest.approx(residual, rel=1e-9)
