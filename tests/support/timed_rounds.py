"""Rounds of a wait rule on given task times, in both engines."""

import numpy as np

import clustersim as cs
from clustersim.conformance import check_run

PROBLEM = cs.LeastSquares.synthetic(rows=60, features=2, seed=1)


def rounds(rule, times, updates=None, silence="count", *, workers=None, uplink=0.0, tick=1e-9):
    """Seconds and messages used of each round, the same in both engines; worker i's q-th task takes times[q][i]."""
    found = []
    for engine in ("cohort", "process"):
        link = cs.Link(latency=uplink)
        cluster = cs.Cluster(workers or len(times[0]), cs.Replay(times), scaling="none", uplink=link, tick=tick)
        run = cs.simulate(
            PROBLEM, cluster, cs.Synchronous(rule, silence=silence), optimizer=cs.SGD(1e-5), engine=engine,
            until=cs.Until(updates=updates or len(times)), evaluate_every=1, messages=True,
        )  # fmt: skip
        check_run(run, cluster)
        ticks = np.rint(run.history["time"].to_numpy() / 1e-9).astype(int)
        used = run.messages.query("status == 'used'")["version"].value_counts()
        found.append(((np.diff(ticks) / 1e9).tolist(), [int(used.get(v, 0)) for v in range(len(ticks) - 1)]))
    assert found[0] == found[1]
    return found[0]
