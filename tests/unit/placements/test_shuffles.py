"""Drawing without replacement: both ways of shuffling are Fisher and Yates's, step by step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.placements import shuffles
from clustersim.placements.shuffles import first_places


def shuffled(draws, height):
    places = list(range(height))
    for j, u in enumerate(draws):
        other = j + int(u * (height - j))
        places[j], places[other] = places[other], places[j]
    return places[: len(draws)]


@settings(max_examples=80, deadline=None)
@given(
    heights=st.lists(st.integers(6, 60), max_size=7),
    wanted=st.integers(1, 6),
    seed=st.integers(0, 999),
    cells=st.sampled_from([1, 90, 1 << 20]),
)
def test_the_first_places_of_a_shuffle(heights, wanted, seed, cells):
    """With few of many, of which only swaps are remembered, and with many of few, in portions of any size."""
    draws = np.random.default_rng(seed).random((len(heights), wanted))
    draws[:1] = np.nextafter(1.0, 0.0)  # the highest draw there is
    draws[1:2] = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffles, "_CELLS", cells)
        found = first_places(draws, np.array(heights, dtype=np.int64))
    assert found.tolist() == [shuffled(line, h) for line, h in zip(draws.tolist(), heights, strict=True)]


@pytest.mark.parametrize(("height", "wanted"), [(40, 3), (40, 30), (7, 7), (1, 1)])
def test_both_ways_give_the_same(height, wanted):
    swapped = np.arange(wanted) + (
        np.random.default_rng(1).random((500, wanted)) * (height - np.arange(wanted))
    ).astype(int)
    np.testing.assert_array_equal(shuffles._looked_up(swapped), shuffles._written_out(swapped, height))
