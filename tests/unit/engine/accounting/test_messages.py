"""The table of messages, from records of what can become of one, worked out by hand."""

import math

import numpy as np
import pandas as pd

from clustersim.engine.accounting.messages import STATUSES, Records, message_table
from clustersim.ticks import Ticks

NAN, INF = math.nan, math.inf
NOW = 10.0
TICKS = Ticks(1e-9)
FATES = [  # blocks, staleness, received, started, finished, arrived, compute, ended, delivered, status
    (4, 0, 0.1, 0.1, 0.3, 3.5, 0.2, 0.3, 0.2, "used"),
    (2, 1, 1.0, 1.0, 4.5, 5.0, 6.0, 4.5, 3.0, "used late"),  # cut short after 2 of 4 blocks, half a second into the 3rd
    (4, -1, 1.0, 2.0, 3.0, 3.0, 1.0, 3.0, 1.0, "discarded"),
    (0, -1, 1.0, 2.0, 9.0, NAN, 7.0, 4.0, 0.0, "cancelled"),  # at work for 2 s
    (0, -1, 1.0, NAN, NAN, NAN, 7.0, NAN, NAN, "cancelled"),  # overtaken before it began
    (0, -1, 1.0, 2.0, INF, NAN, INF, 8.0, NAN, "lost"),  # by a straggler, who gave up at 8
    (4, -1, 1.0, 2.0, 3.0, NAN, 1.0, 3.0, 1.0, "lost"),  # by the uplink
    (0, -1, NAN, NAN, NAN, NAN, 1.0, NAN, NAN, "lost"),  # by the downlink
    (0, -1, 9.0, 9.0, 12.0, NAN, 3.0, 10.0, NAN, "in flight"),
    (1, -1, 9.0, 9.0, 9.5, NAN, 2.0, 9.5, 0.5, "in flight"),  # cut short at the end of a block, and on the uplink
]


def records():
    count = len(FATES)
    blocks, staleness, received, started, finished, arrived, compute, ended, delivered, status = zip(
        *FATES, strict=True
    )
    seconds = (np.full(count, 0.05), *map(np.array, (received, started, finished, arrived, compute, ended, delivered)))
    floats = map(TICKS.of_all, seconds)
    return Records(
        np.arange(count) % 3, np.arange(count) // 3, np.full(count, 7), np.array(blocks), np.array(staleness), *floats,
        status=np.array([STATUSES.index(each) for each in status]),
    )  # fmt: skip


def test_each_fate():
    table = message_table(records(), message_bytes=np.array([8, 16, 24]), now=TICKS.of(NOW), ticks=TICKS)
    expected = pd.DataFrame(
        {
            "worker": [0, 1, 2, 0, 1, 2, 0, 1, 2, 0],
            "task": [0, 0, 0, 1, 1, 1, 2, 2, 2, 3],
            "version": 7,
            "dispatched": 0.05,
            "received": [0.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, NAN, 9.0, 9.0],
            "started": [0.1, 1.0, 2.0, 2.0, NAN, 2.0, 2.0, NAN, 9.0, 9.0],
            "finished": [0.3, 4.5, 3.0, NAN, NAN, NAN, 3.0, NAN, NAN, 9.5],
            "arrived": [3.5, 5.0, 3.0, NAN, NAN, NAN, NAN, NAN, NAN, NAN],
            "compute": [0.2, 6.0, 1.0, 7.0, 7.0, INF, 1.0, 1.0, 3.0, 2.0],
            "worked": [0.2, 3.5, 1.0, 2.0, 0.0, 6.0, 1.0, 0.0, 1.0, 0.5],
            "dropped": [0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            "blocks": [4, 2, 4, 0, 0, 0, 4, 0, 0, 1],
            "bytes": [8, 16, 24, 8, 16, 24, 8, 16, 24, 8],
            "staleness": [0.0, 1.0, *[NAN] * 8],
            "status": pd.Series([fate[-1] for fate in FATES], dtype="str"),
        }
    )
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


def test_no_messages():
    nothing = {name: np.empty(0) for name in Records.__slots__}
    whole = {
        name: np.empty(0, dtype=np.int64) for name in ("worker", "task", "version", "blocks", "staleness", "status")
    }
    table = message_table(Records(**{**nothing, **whole}), np.array([8]), now=0.0, ticks=TICKS)
    assert len(table) == 0
    assert list(table) == list(message_table(records(), np.array([8, 16, 24]), NOW, TICKS))
