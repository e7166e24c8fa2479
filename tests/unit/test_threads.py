"""The garbage collector is held back during a run, and as it was afterwards."""

import gc
from contextlib import ExitStack

import pytest

from clustersim.threads import seldom_collected


@pytest.fixture(autouse=True)
def thresholds():
    before = gc.get_threshold()
    gc.set_threshold(700, 9, 8)
    yield
    gc.set_threshold(*before)


def test_it_comes_seldom_and_then_as_often_as_before():
    with seldom_collected():
        assert gc.get_threshold() == (50_000, 9, 8)
    assert gc.get_threshold() == (700, 9, 8)


def test_a_run_that_fails_leaves_it_as_it_was():
    with pytest.raises(ZeroDivisionError), seldom_collected():
        1 / 0  # noqa: B018 - the failure
    assert gc.get_threshold() == (700, 9, 8)


@pytest.mark.parametrize("first", [0, 10**6])
def test_one_that_is_off_or_comes_more_seldom_is_left_alone(first):
    gc.set_threshold(first, 9, 8)
    with seldom_collected():
        assert gc.get_threshold() == (first, 9, 8)
    assert gc.get_threshold() == (first, 9, 8)


def test_runs_that_overlap():
    """As those in threads do: the second begins before the first ends, and ends after it."""
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(seldom_collected())
        second.enter_context(seldom_collected())
        first.close()
        assert gc.get_threshold() == (50_000, 9, 8)
        second.close()
        assert gc.get_threshold() == (700, 9, 8)
