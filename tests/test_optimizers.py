"""SGD: its step, its schedule and its refusals."""

import pickle
from typing import Any

import numpy as np
import pytest

from clustersim.errors import ConfigurationError
from clustersim.optimizers import SGD


def test_a_step_goes_down_the_gradient_and_changes_nothing_in_place() -> None:
    w, gradient = np.array([1.0, -2.0, 0.5]), np.array([4.0, 0.0, -8.0])
    stepped = SGD(0.25).start(w).step(w, gradient, 1)
    assert stepped.tolist() == [0.0, -2.0, 2.5]
    assert w.tolist() == [1.0, -2.0, 0.5]
    assert gradient.tolist() == [4.0, 0.0, -8.0]


def test_a_schedule_is_asked_for_the_number_of_the_update() -> None:
    asked: list[int] = []

    def schedule(t: int) -> float:
        asked.append(t)
        return 2.0**-t

    w = np.zeros(1)
    state = SGD(schedule).start(w)
    for t in (1, 2, 3):
        w = state.step(w, np.array([-1.0]), t)
    assert asked == [1, 2, 3]
    assert w.tolist() == [0.5 + 0.25 + 0.125]


def test_two_runs_of_one_optimizer_share_nothing() -> None:
    optimizer = SGD(lambda t: 1.0 / t)
    first, second = optimizer.start(np.zeros(1)), optimizer.start(np.zeros(1))
    first.step(np.zeros(1), np.ones(1), 1)
    assert second.step(np.zeros(1), np.ones(1), 2).tolist() == [-0.5]


@pytest.mark.parametrize("step_size", [0, -0.1, float("nan"), float("inf"), "0.1", None, True, [0.1]])
def test_a_step_size_that_is_no_positive_number_is_refused(step_size: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"step_size = .*greater than 0.*function of the update number"):
        SGD(step_size)


@pytest.mark.parametrize("nonsense", [0.0, -1.0, float("nan"), float("inf"), None, "fast", np.ones(3)])
def test_a_schedule_that_returns_nonsense_is_reported_with_the_update(nonsense: Any) -> None:
    state = SGD(lambda t: 0.1 if t < 17 else nonsense).start(np.zeros(1))
    state.step(np.zeros(1), np.zeros(1), 16)
    with pytest.raises(ConfigurationError, match=r"step_size\(17\)"):
        state.step(np.zeros(1), np.zeros(1), 17)


def test_a_schedule_that_divides_by_zero_is_reported_with_the_update() -> None:
    with pytest.raises(ConfigurationError, match=r"step_size\(1\).*ZeroDivisionError"):
        SGD(lambda t: 1.0 / (t - 1)).step_size_at(1)


def test_equal_optimizers_are_equal_print_and_pickle() -> None:
    assert SGD(1) == SGD(1.0)
    assert SGD(np.float64(0.5)) == SGD(0.5) != SGD(0.25)
    assert repr(SGD(np.float64(0.5))) == "SGD(step_size=0.5)"
    assert pickle.loads(pickle.dumps(SGD(0.5))) == SGD(0.5)  # noqa: S301 - our own bytes
