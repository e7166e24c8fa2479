"""Parcels: a problem is packed once, carried once, and the same wherever it is opened."""

import gc
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from clustersim.studies import parcels
from clustersim.studies.parcels import Parcels, opened


def elsewhere(function, *args):
    """Call a function in a new thread, which has not opened any parcel."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function(*args)))
    thread.start()
    thread.join()
    return found[0]


ARRAYS = st.lists(
    npst.arrays(st.sampled_from(["f8", "f4", "i8", "u1", "?"]), npst.array_shapes(min_side=0)), max_size=4
)


@given(ARRAYS, st.booleans(), st.booleans())
def test_arrays_arrive_as_they_left_whether_mapped_or_carried(arrays, carried, fortran):
    things = [np.asfortranarray(array) if fortran else array for array in arrays]
    with Parcels(shared=True) as box:
        parcel = box.make(things)
        content = box.content(parcel) if carried else None
        arrived = elsewhere(opened, parcel._replace(path="") if carried else parcel, content)
        for left, right in zip(things, arrived, strict=True):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
            assert not np.shares_memory(left, right)


@pytest.mark.parametrize("carried", [False, True])
def test_what_a_run_writes_into_its_data_reaches_nobody_else(carried):
    data = np.arange(5.0)
    with Parcels(shared=True) as box:
        parcel = box.make({"rows": data})
        content = box.content(parcel) if carried else None

        def spoil():
            opened(parcel, content)["rows"][:] = -1.0

        elsewhere(spoil)
        assert data.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert elsewhere(opened, parcel, content)["rows"].tolist() == data.tolist()


def test_arrays_begin_at_the_same_alignment_everywhere():
    things = [np.ones(3), np.ones(1), np.ones(7)]
    with Parcels(shared=True) as box:
        parcel = box.make(things)
        for content in (None, box.content(parcel)):
            starts = [array.ctypes.data % 64 for array in elsewhere(opened, parcel, content)]
            assert starts == [0, 0, 0]


def test_who_sees_no_file_asks_for_the_content():
    with Parcels(shared=True) as box:
        parcel = box.make({"rows": np.arange(5.0)})
        assert elsewhere(opened, parcel._replace(path="/no/such/file")) is None
        assert elsewhere(opened, parcel, box.content(parcel))["rows"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
        with open(parcel.path, "ab") as file:
            file.write(b"more")
        assert elsewhere(opened, parcel) is None, "a file of another size is another file"


def test_a_large_part_that_is_no_array_is_not_sent_with_every_chunk(monkeypatch):
    monkeypatch.setattr(parcels, "_SMALL", 10)
    with Parcels(shared=True) as box:
        parcel = box.make({"text": "x" * 1000})
        assert parcel.head is None
        assert elsewhere(opened, parcel) is None
        assert elsewhere(opened, parcel, box.content(parcel)) == {"text": "x" * 1000}


def test_a_file_that_may_be_mapped_is_never_written_again():
    rows, other = np.arange(5.0), np.arange(6.0)
    with Parcels(shared=True) as box:
        parcels_ = [box.make({"rows": data}) for data in (rows, other, rows, rows.copy())]
        first = parcels_[0]
        assert parcels_[2] == parcels_[3] == first != parcels_[1]
        Path(first.path).write_bytes(b"mark")  # so that a second writing would be seen
        assert box.make({"rows": rows}) == first
        assert Path(first.path).read_bytes() == b"mark"


def test_a_problem_that_comes_again_is_not_packed_again(monkeypatch):
    packed, pack = [], parcels.pack
    monkeypatch.setattr(parcels, "pack", lambda thing, apart: packed.append(thing) or pack(thing, apart))
    things = [{"rows": np.arange(5.0)}, {"rows": np.arange(6.0)}]
    with Parcels(shared=False) as box:
        digests = [box.make(thing).digest for thing in things * 3]
    assert len(packed) == 2
    assert digests == digests[:2] * 3


def test_this_thread_does_not_keep_a_copy_of_the_data_afterwards():
    with Parcels(shared=False) as box:
        parcel = box.make({"rows": np.arange(5.0)})
        arrived = weakref.ref(opened(parcel, box.content(parcel))["rows"])
        assert arrived() is not None
    gc.collect()
    assert arrived() is None


def test_files_are_gone_afterwards():
    with Parcels(shared=True) as box:
        parcel = box.make(np.arange(3.0))
    assert elsewhere(opened, parcel) is None
    with Parcels(shared=False) as box:
        assert box.make(np.arange(3.0)).path == ""
