"""One run: its outcome, and all of it but the clock and the fleet.

`Training` puts policy, model, ledger and history together, and makes the master that a clock and a fleet drive: the
SimPy processes, the cohort, a list of events played by hand, or real machines. What has come of it is a `Run`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.engine.accounting import Ledger, message_table
from clustersim.engine.fleet import Clock, Fleet
from clustersim.engine.history import HistoryRecorder, Progress
from clustersim.engine.master import Master
from clustersim.engine.model import Model
from clustersim.engine.stopping import StoppingRule
from clustersim.optimizers import Optimizer
from clustersim.problems import Problem
from clustersim.protocol import Policy, Setting
from clustersim.ticks import Ticks
from clustersim.until import Until

__all__ = ["Run", "Training"]


@dataclass(frozen=True, eq=False)
class Run:
    """What came of one run.

    Attributes
    ----------
    history : DataFrame
        One row an evaluation: time (s), update, error, loss, k; messages, vectors of R^d and bytes both ways
        (uplink_messages, uplink_vectors, uplink_bytes, ...); compute_wasted (s); mean_staleness of the answers used so
        far (updates); and the problem's own metrics. The first row is the first model, the last one the end of the run.
    totals : dict
        ``time``, ``updates``, ``reason`` (why the run ended), and the ledger by name: the counts of history; the fates
        of messages (used, used_late, discarded, cancelled, lost, in_flight); partial and used_partial, the answers that
        were sent, and used, with fewer than all blocks; mean_staleness and max_staleness; worker seconds compute_used,
        compute_wasted, compute_pending and idle. What waits at the master when the run ends is discarded.
    messages : DataFrame or None
        One row a message, if asked for: worker, task (of the worker, from 0), version; dispatched, received, started,
        finished, arrived (times; NaN where it never came to that); compute, worked and dropped (seconds that the task
        takes, that were spent on it, and of these on a block cut short); blocks (that the answer brings), bytes,
        staleness (NaN if not used) and status.
    w : ndarray of float, shape (d,)
        The last model.
    """

    history: pd.DataFrame
    totals: dict[str, int | float | str]
    messages: pd.DataFrame | None
    w: NDArray[np.float64]


class Training:
    """A run without its clock and its fleet.

    Parameters
    ----------
    problem : Problem
    policy : Policy
    setting : Setting
        What the policy is told of the cluster, see `clustersim.engine.make_setting`.
    optimizer : Optimizer
    until : Until
    ticks : Ticks
        Of the clock.
    bytes_per_entry : int
        Size of one entry of a vector on the wire.
    evaluate_every : int
        Updates between two rows of history.
    progress : callable, optional
        Called with the fraction done at every evaluation.

    Attributes
    ----------
    state : PolicyState
        The policy's state for this run.
    until : Until
        The horizon, its epochs counted in updates.
    vector_bytes : int
        Size of a vector of R^d on the wire.
    ledger : Ledger
        Where the fleet books what becomes of messages.
    """

    def __init__(
        self,
        problem: Problem,
        policy: Policy,
        setting: Setting,
        optimizer: Optimizer,
        until: Until,
        *,
        ticks: Ticks,
        bytes_per_entry: int = 8,
        evaluate_every: int = 10,
        progress: Progress | None = None,
    ) -> None:
        assignment = setting.assignment
        self.state = policy.begin(setting)
        self.until = until.in_updates(assignment.updates_per_epoch(policy.work.messages or setting.workers))
        self.vector_bytes = problem.dimension * bytes_per_entry
        self.ledger = Ledger()
        self._policy, self._assignment, self._ticks = policy, assignment, ticks
        self._model = Model(problem, optimizer, assignment)
        self._recorder = HistoryRecorder(
            problem,
            self._model,
            self.ledger,
            vector_bytes=self.vector_bytes,
            every=evaluate_every,
            until=self.until,
            ticks=ticks,
            progress=progress,
        )

    def master(self, clock: Clock, fleet: Fleet) -> Master:
        """The master of this run, for a clock and a fleet."""
        stopping = StoppingRule(self.until, self._recorder, self.state, self._ticks)
        return Master(clock, self._ticks, self._policy, self.state, fleet, self._model, self.ledger, stopping)

    def outcome(self, master: Master, clock: Clock, fleet: Fleet) -> Run:
        """What has come of the run, now that the master has ended it."""
        master.close()
        fleet.close()
        ticks, now, vectors = self._ticks, clock.now, self._assignment.vectors
        time = ticks.seconds(now)
        self._recorder.evaluate(time, self.state.k)
        totals = self.ledger.totals(self.vector_bytes, fleet.expecting, len(vectors) * int(now), ticks)
        return Run(
            history=self._recorder.history(),
            totals={"time": time, "updates": self._model.version, "reason": master.reason, **totals},
            messages=message_table(fleet.records(), vectors * self.vector_bytes, now, ticks) if fleet.traced else None,
            w=self._model.w,
        )
