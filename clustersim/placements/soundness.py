"""Checks of an `Assignment`, so that a placement with a mistake is refused when a run is set up, not trained on.

A placement's assignment flows in from the engine's set-up; nothing flows out, or an error that names the worker and the
row.
"""

import reprlib

import numpy as np
from numpy.typing import NDArray

from clustersim.errors import ConfigurationError
from clustersim.placements.assignment import Assignment
from clustersim.placements.base import Placement

__all__ = ["check_assignment"]


def check_assignment(placement: Placement, assignment: object, rows: int, workers: int) -> None:
    """Refuse an assignment that does not fit the problem and the cluster, or contradicts itself.

    Parameters
    ----------
    placement : Placement
        The placement that made it, for the message.
    assignment : object
        What it returned: expected an `Assignment`.
    rows : int
        m, the number of rows of the problem.
    workers : int
        n, the number of workers of the cluster.

    Raises
    ------
    ConfigurationError
        If it is no assignment, its totals are wrong, a row is out of range or twice on one worker, or a coefficient is
        not a finite number.

    Examples
    --------
    >>> from clustersim.placements import EvenPartition
    >>> halves = Assignment(total_rows=4, starts=np.array([0, 2, 4]), rows=np.array([0, 1, 2, 9]))
    >>> check_assignment(EvenPartition(), halves, rows=4, workers=2)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: EvenPartition(): worker 1 holds row 9: expected rows 0 .. 3
    """
    if not isinstance(assignment, Assignment):
        found = reprlib.repr(assignment)
        raise ConfigurationError(f"{placement!r}: assign() returns {found}: expected an Assignment")
    if (
        wrong := _arrays(assignment)
        or _totals(assignment, rows, workers)
        or _starts(assignment)
        or _entries(assignment)
    ):
        raise ConfigurationError(f"{placement!r}: {wrong}")


def _arrays(assignment: Assignment) -> str:
    """What is no array, in words."""
    for name in ("starts", "rows", "coefficients", "shared"):
        value: object = getattr(assignment, name)
        if not (isinstance(value, np.ndarray) or (value is None and name in ("coefficients", "shared"))):
            return f"its assignment has {name} = {reprlib.repr(value)}: expected a NumPy array"
    return ""


def _totals(assignment: Assignment, rows: int, workers: int) -> str:
    """What is wrong with the sizes, in words."""
    if assignment.total_rows != rows:
        return f"its assignment has total_rows = {assignment.total_rows}: the problem has {rows}"
    if assignment.workers != workers:
        return f"its assignment is for {assignment.workers} workers: the cluster has {workers}"
    if assignment.blocks < 1:
        return f"its assignment has blocks = {assignment.blocks}: expected at least 1"
    if assignment.recovery is not None and not 1 <= assignment.recovery <= workers:
        return f"its assignment has recovery = {assignment.recovery}: expected 1 .. {workers} workers, or None"
    return ""


def _starts(assignment: Assignment) -> str:
    """What is wrong with how rows are cut into one range for each worker, in words."""
    starts, shared, count = assignment.starts, assignment.shared, len(assignment.rows)
    for name in ("starts", "rows"):
        kind = getattr(assignment, name).dtype
        if kind.kind not in "iu":
            return f"its assignment has {name} of dtype {kind}: expected whole numbers"
    if starts[0] != 0 or starts[-1] != count or bool((np.diff(starts) < 0).any()):
        return f"its assignment has starts = {starts}: expected numbers that rise from 0 to len(rows) = {count}"
    if shared is not None:
        ranges = np.arange(len(starts) - 1)
        if not np.array_equal(np.unique(shared), ranges):
            return f"its assignment has shared = {shared}: expected each of 0 .. {len(ranges) - 1} at least once"
    return ""


def _entries(assignment: Assignment) -> str:
    """What is wrong with single rows and coefficients, in words."""
    rows, total = assignment.rows, assignment.total_rows
    outside = np.flatnonzero((rows < 0) | (rows >= total))
    if len(outside):
        return f"{_holder(assignment, outside[0])} holds row {rows[outside[0]]}: expected rows 0 .. {total - 1}"
    if (twice := _repeated(assignment)) is not None:
        return f"{_holder(assignment, twice)} holds row {rows[twice]} twice: expected each row at most once"
    if (coefficients := assignment.coefficients) is None:
        return ""
    if coefficients.shape != rows.shape:
        return f"its assignment has coefficients of shape {coefficients.shape}: expected {rows.shape}, like its rows"
    odd = np.flatnonzero(~np.isfinite(coefficients))
    if len(odd):
        place = odd[0]
        return (
            f"{_holder(assignment, place)} holds row {rows[place]} with coefficient {coefficients[place]}: expected a "
            "finite number"
        )
    return ""


def _holder(assignment: Assignment, place: int) -> str:
    """The first worker that holds an entry."""
    number = int(np.searchsorted(assignment.starts, place, side="right")) - 1
    if assignment.shared is not None:
        number = int(np.flatnonzero(assignment.shared == number)[0])
    return f"worker {number}"


def _repeated(assignment: Assignment) -> int | None:
    """The place of a row that its worker holds a second time; None if there is none."""
    starts, rows = assignment.starts, assignment.rows
    rising = np.diff(rows) > 0
    inner = starts[1:-1]
    rising[inner[(inner > 0) & (inner < len(rows))] - 1] = True  # from one worker to the next
    if rising.all():
        return None  # the usual case: every worker's rows are in ascending order
    owners: NDArray[np.int64] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = np.lexsort((rows, owners))
    same = (np.diff(owners[order]) == 0) & (np.diff(rows[order]) == 0)
    return int(order[np.flatnonzero(same)[0] + 1]) if same.any() else None
