"""K-async with a bound on staleness is Ringmaster ASGD: what becomes of answers that are too old, by hand."""

import numpy as np

import clustersim as cs

PROBLEM = cs.LeastSquares.synthetic(rows=20, features=2, seed=1)


def by_hand(R, fast, slow, updates):
    """The algorithm for two workers: (time, worker, version computed at, used) of each answer."""
    takes, due, at, version, answers = (fast, slow), [fast, slow], [0, 0], 0, []
    while version < updates:
        worker = int(due[1] < due[0])
        now, delay = due[worker], version - at[worker]
        answers.append((now, worker, at[worker], delay < R))
        version += delay < R
        at[worker], due[worker] = version, now + takes[worker]
    return answers


def test_answers_that_are_too_old_are_ignored_and_their_workers_begin_anew_at_once():
    fast, slow, updates = 1.0, 3.5, 30
    for R in (1, 2, 3, 4, 10):
        compute = cs.PerWorker([cs.Constant(fast), cs.Constant(slow)])
        run = cs.simulate(
            PROBLEM, cs.Cluster(2, compute), cs.KAsync(1, max_staleness=R - 1), optimizer=cs.SGD(1e-3),
            until=cs.Until(updates=updates), messages=True,
        )  # fmt: skip
        answers = by_hand(R, fast, slow, updates)
        table = run.messages.dropna(subset="arrived").sort_values(["arrived", "worker"])
        table = table[table["arrived"] <= answers[-1][0]]
        told = [(t, i, v, status.startswith("used")) for t, i, v, status in
                table[["arrived", "worker", "version", "status"]].itertuples(index=False)]  # fmt: skip
        assert told == answers, R
        assert run.totals["discarded"] == sum(not used for *_, used in answers)
        assert run.totals["max_staleness"] <= R - 1
        again = run.messages[(run.messages["worker"] == 1) & (run.messages["task"] > 0)]
        assert np.array_equal(again["dispatched"], [time for time, worker, *_ in answers if worker == 1])
    assert any(not used for *_, used in by_hand(2, fast, slow, updates))
