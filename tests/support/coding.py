"""What tests of placements and decoders share: small assignments, and the row coefficients of an estimate."""

import itertools

import numpy as np

import clustersim as cs


def problem(rows, features=2, seed=3):
    return cs.LeastSquares.synthetic(rows=rows, features=features, design="gaussian", seed=seed)


def place(placement, rows, workers, seed=0):
    return placement.assign(problem(rows), workers, np.random.default_rng(seed))


def subsets(workers, size=None):
    """All sets of workers (of that size), as arrays."""
    sizes = range(workers + 1) if size is None else [size]
    for count in sizes:
        for chosen in itertools.combinations(range(workers), count):
            yield np.array(chosen, dtype=np.int64)


def entries(assignment, worker):
    """Where the rows of a worker are listed."""
    run = worker if assignment.shared is None else assignment.shared[worker]
    return range(assignment.starts[run], assignment.starts[run + 1])


def encoding(assignment):
    """B as a dense matrix, entry by entry."""
    matrix = np.zeros((assignment.workers, assignment.total_rows))
    for worker in range(assignment.workers):
        for entry in entries(assignment, worker):
            coefficient = 1.0 if assignment.coefficients is None else assignment.coefficients[entry]
            matrix[worker, assignment.rows[entry]] = coefficient
    return matrix


def row_coefficients(assignment, workers, weights):
    """alpha: m times the coefficient of each row in ``sum_j weights_j message_j``, added up one vector at a time."""
    alpha = np.zeros(assignment.total_rows)
    per_vector = iter(np.broadcast_to(weights, int(assignment.vectors[workers].sum())).tolist())
    for worker in workers:
        weight = next(per_vector) if assignment.combined else None
        for entry in entries(assignment, worker):
            coefficient = 1.0 if assignment.coefficients is None else assignment.coefficients[entry]
            alpha[assignment.rows[entry]] += (next(per_vector) if weight is None else weight) * coefficient
    assert next(per_vector, None) is None, "a weight is left over"
    return assignment.total_rows * alpha


def moments(decoder, assignment, p):
    """E[alpha] and E[mean (alpha - 1)^2] over all sets of stragglers."""
    mean, error = np.zeros(assignment.total_rows), 0.0
    for workers in subsets(assignment.workers):
        chance = (1.0 - p) ** len(workers) * p ** (assignment.workers - len(workers))
        alpha = row_coefficients(assignment, workers, decoder.weights(assignment, workers))
        mean += chance * alpha
        error += chance * np.mean((alpha - 1.0) ** 2)
    return mean, error
