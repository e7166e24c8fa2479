"""Nonsense in place of right arguments: a small sample; ``python -m tests.fuzz arguments`` tries more."""

import pytest
from fuzz.arguments import CALLABLES, attempt, judged

SAMPLE = 3000


@pytest.mark.parametrize("name", CALLABLES)
def test_right_arguments_are_right(name):
    call, arguments = CALLABLES[name]
    if "no such" not in str(arguments):
        assert judged(call(**arguments)) == ""


def test_nonsense_is_refused_or_made_plain():
    assert [fault for seed in range(SAMPLE) if (fault := attempt(seed))] == []
