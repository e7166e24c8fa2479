"""Mini-batches drawn by hand: what `MiniBatches` promises, step by step in plain Python."""

import numpy as np

from clustersim.streams import Streams


def draw_batch(streams: Streams, task: int, worker: int, held: int, batch: int) -> list[int]:
    """Which of its `held` rows a worker computes in a task: the first places of a shuffle by Fisher and Yates.

    The draws are those of a Philox generator whose counter begins at (worker's stretch of four-word steps, task).
    """
    key = streams._sequence("batch").generate_state(2, np.uint64)
    counter = np.array([worker * -(-batch // 4), task, 0, 0], dtype=np.uint64)
    rows = list(range(held))
    for j, u in enumerate(np.random.Generator(np.random.Philox(key=key, counter=counter)).random(batch).tolist()):
        other = j + int(u * (held - j))
        rows[j], rows[other] = rows[other], rows[j]
    return rows[:batch]
