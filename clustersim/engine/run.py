"""The outcome of a run, `Run`, and the parts of a run without its clock and its fleet, `Training`.

`Training` puts policy, model, ledger and history together, and makes the master. A clock and a fleet drive the master:
SimPy processes, the cohort, a list of events in a test, or real machines. `Training.outcome` then returns the `Run`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustersim.atomic_files import write_atomically
from clustersim.checks import instance
from clustersim.engine.accounting import Ledger, message_table
from clustersim.engine.decision_checks import checked_k
from clustersim.engine.evaluations import Evaluations
from clustersim.engine.fleet import Clock, Fleet
from clustersim.engine.history import HistoryRecorder, Progress
from clustersim.engine.master import Master
from clustersim.engine.model import Model
from clustersim.engine.stopping import StoppingRule
from clustersim.engine.timeline import trace_text, whole_timeline
from clustersim.evaluations import Every, evaluation_rule
from clustersim.optimizers import Optimizer
from clustersim.problems import Problem
from clustersim.protocol import Policy, Setting
from clustersim.ticks import Ticks
from clustersim.until import Until

__all__ = ["Run", "Training"]


@dataclass(frozen=True, eq=False)
class Run:
    """The outcome of one run.

    Attributes
    ----------
    history : DataFrame
        One row for each evaluation: time (s), update, error, loss, k; messages, vectors of R^d and bytes in both
        directions (uplink_messages, uplink_vectors, uplink_bytes, ...); compute_wasted (s); mean_staleness of the
        messages used so far (updates); and the problem's own metrics. The first row describes the first model, the last
        row the end of the run.
    totals : dict
        ``time``, ``updates``, ``reason`` (why the run ended), and the entries of the ledger by name: the counts of
        history; the numbers of messages of each fate (used, used_late, discarded, cancelled, lost, in_flight); partial
        and used_partial, the messages with fewer than all blocks that were sent, and that were used; mean_staleness and
        max_staleness (updates); the worker seconds compute_used, compute_wasted, compute_pending and idle; and unheard,
        the number of workers none of whose messages was used. Messages that are in the inbox of the master when the
        run ends are discarded.
    messages : DataFrame or None
        One row for each message, if requested: worker, task (its number, from 0), version; the times dispatched,
        received, started, finished and arrived (s; NaN if that never happened); compute (s that the task takes),
        worked (s that were spent on it) and dropped (s of these that were spent on an unfinished block); blocks (in the
        message), bytes, staleness (NaN if not used) and status.
    w : ndarray of float, shape (d,)
        The last model.
    updates : ndarray of float, shape (updates,), or None
        The time of each update in seconds, if messages were requested; None if not, or if the times are not known.
        History has the times of the evaluated updates only.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=1),
    ...     cs.Cluster(workers=3, compute=cs.Constant(2.0)),
    ...     cs.FullSync(),
    ...     optimizer=cs.SGD(1e-3),
    ...     until=cs.Until(updates=10),
    ...     evaluate_every=5,
    ... )
    >>> run.history[["time", "update", "uplink_messages"]].to_numpy().tolist()
    [[0.0, 0.0, 0.0], [10.0, 5.0, 15.0], [20.0, 10.0, 30.0]]
    >>> run.totals["reason"], run.w.shape
    ('10 updates done', (3,))
    """

    history: pd.DataFrame
    totals: dict[str, int | float | str]
    messages: pd.DataFrame | None
    w: NDArray[np.float64]
    updates: NDArray[np.float64] | None = None

    def save_timeline(
        self,
        path: str | Path,
        updates: int | None = None,
        start: float | None = None,
        stop: float | None = None,
        workers: Sequence[int] | None = None,
    ) -> Path:
        """Write what each worker did, and when, as a trace that Perfetto and chrome://tracing open.

        The file is a JSON object in the Trace Event Format. Each worker has a row for its work and, if its links take
        time, rows for its downlink and its uplink. Updates are lines across all rows. A click on a segment shows the
        task, the version of its model, the fate of its message and the update that used it. Times are rounded to the
        nanosecond.

        Parameters
        ----------
        path : str or Path
            The file, such as "run.json". It is complete or does not exist.
        updates : int, optional
            Write the time from the start to this update, instead of the whole run.
        start, stop : float, optional
            Write the time from `start` to `stop`, in seconds, instead of the whole run.
        workers : sequence of int, optional
            The workers, in the order in which they are shown; all by default.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ConfigurationError
            If the run has no message table, or an argument is unusable.
        ResultsError
            If the file cannot be written.

        Examples
        --------
        >>> import clustersim as cs
        >>> run = cs.simulate(
        ...     cs.LeastSquares.synthetic(rows=60, features=3, seed=7),
        ...     cs.Cluster(workers=3, compute=cs.Exponential(mean=1.0)),
        ...     cs.FastestK(2),
        ...     optimizer=cs.SGD(1e-3),
        ...     until=cs.Until(updates=5),
        ...     messages=True,
        ... )
        >>> run.save_timeline("run.json")  # doctest: +SKIP
        PosixPath('run.json')
        """
        instance("path", path, (str, Path), 'the path of a file, such as "run.json"')
        timeline = whole_timeline(self).part(updates, start, stop, workers)
        file = Path(path)
        write_atomically(file, trace_text(timeline, self.totals).encode())
        return file


class Training:
    """The parts of a run, without its clock and its fleet.

    Parameters
    ----------
    problem : Problem
        The objective to minimise, and its data.
    policy : Policy
        The policy of the run.
    setting : Setting
        What the policy knows of problem and cluster, see `clustersim.engine.make_setting`.
    optimizer : Optimizer
        The rule of a step of the model.
    until : Until
        The horizon.
    ticks : Ticks
        Converts between the ticks of the clock and seconds.
    bytes_per_entry : int
        Size of one entry of a vector on the wire.
    evaluate_every : int or Every, optional
        When the model is evaluated; None for the automatic rule, see `clustersim.engine.evaluations`.
    progress : callable, optional
        Called at every evaluation with the fraction of the run that is done.

    Attributes
    ----------
    state : PolicyState
        The policy's state for this run.
    k : callable
        ``k()`` returns the number of messages that the policy waits for at present, checked.
    until : Until
        The horizon, its epochs converted to updates.
    vector_bytes : int
        Size of a vector of R^d on the wire.
    ledger : Ledger
        The running totals, to which fleet and master add.
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
        evaluate_every: int | Every | None = None,
        progress: Progress | None = None,
    ) -> None:
        assignment = setting.assignment
        self.state = policy.begin(setting)
        most = max(setting.workers, policy.work.messages or 0)
        self.k = partial(checked_k, policy, self.state, most)
        self.k()  # a state without it is refused at once
        self.until = until.in_updates(assignment.updates_per_epoch(policy.work.messages or setting.workers))
        self.vector_bytes = problem.vector_entries * bytes_per_entry
        self.ledger = Ledger(heard=np.zeros(setting.workers, dtype=np.bool_))
        self._policy, self._assignment, self._ticks = policy, assignment, ticks
        self._rule = evaluation_rule("evaluate_every", evaluate_every)
        self._model = Model(problem, optimizer, assignment)
        self._recorder = HistoryRecorder(
            problem,
            self._model,
            self.ledger,
            self.k,
            vector_bytes=self.vector_bytes,
            until=self.until,
            ticks=ticks,
            progress=progress,
        )

    def master(self, clock: Clock, fleet: Fleet) -> Master:
        """Return the master of this run, for a clock and a fleet."""
        evaluations = Evaluations(self._rule, self._ticks, self._ticks.horizon(self.until.last_time))
        stopping = StoppingRule(self.until, self._recorder, evaluations, self._ticks)
        return Master(clock, self._ticks, self._policy, self.state, fleet, self._model, self.ledger, stopping)

    def outcome(self, master: Master, clock: Clock, fleet: Fleet) -> Run:
        """Close the master and the fleet, and return the outcome of the run that the master has ended."""
        master.close()
        fleet.close()
        ticks, now, vectors = self._ticks, clock.now, self._assignment.vectors
        time = ticks.seconds(now)
        self._recorder.evaluate(time)
        totals = self.ledger.totals(self.vector_bytes, fleet.expecting, len(vectors) * int(now), ticks)
        messages = None
        if fleet.recording:
            messages = message_table(fleet.records(), vectors * self.vector_bytes, now, ticks)
        return Run(
            history=self._recorder.history(),
            totals={"time": time, "updates": self._model.version, "reason": master.reason, **totals},
            messages=messages,
            w=self._model.w,
            updates=np.array(master.update_times, dtype=np.float64) if fleet.recording else None,
        )
