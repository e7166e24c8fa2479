"""Exceptions of clustersim: one class for each kind of cause.

Every error that clustersim raises on purpose derives from `ClusterSimError`. The command line prints its message and
exits with a non-zero code. A program can catch this one class.

==========================  =====================================================================
error                       cause
==========================  =====================================================================
`ConfigurationError`        an argument, an option, a script or a data set is unusable
`ProtocolError`             a policy asked the engine for something that makes no sense
`StalledError`              nothing can happen any more, but the run has not reached its horizon
`DivergenceError`           the model diverges because the step size is too large
`ResultsError`              a results folder is unreadable or belongs to another study
`FailedRunsError`           all runs of a study failed
==========================  =====================================================================

If only some runs of a study fail, the study continues and warns with a `FailedRunsWarning`.
"""

__all__ = [
    "ClusterSimError",
    "ConfigurationError",
    "DivergenceError",
    "FailedRunsError",
    "FailedRunsWarning",
    "ProtocolError",
    "ResultsError",
    "StalledError",
]


class ClusterSimError(Exception):
    """Base class of all errors that clustersim raises on purpose.

    Examples
    --------
    Every mistake that clustersim recognises is caught by this one class:

    >>> import clustersim as cs
    >>> try:
    ...     cs.FastestK(0)
    ... except cs.ClusterSimError as error:
    ...     print(type(error).__name__)
    ConfigurationError
    """


class ConfigurationError(ClusterSimError, ValueError):
    """An argument is unusable; the message names the value, what was expected and what to do.

    Examples
    --------
    >>> import clustersim as cs
    >>> cs.Exponential(mean=-1.0)
    Traceback (most recent call last):
        ...
    clustersim.errors.ConfigurationError: mean = -1.0: expected a finite number greater than 0
    """


class ProtocolError(ClusterSimError, RuntimeError):
    """A policy's command makes no sense; the message shows the latest events.

    Examples
    --------
    A policy that updates with a message that has not arrived:

    >>> import numpy as np
    >>> import clustersim as cs
    >>> from clustersim.protocol import Decision, Policy, PolicyState, Update, Wants
    >>> class Hasty(Policy, PolicyState):
    ...     k = 1
    ...     def begin(self, setting):
    ...         return self
    ...     def react(self, event):
    ...         return Decision((Update(np.array([0]), 1.0),), Wants())
    >>> problem = cs.LeastSquares.synthetic(rows=4, features=2, seed=1)
    >>> cluster = cs.Cluster(workers=2, compute=cs.Constant(1.0))
    >>> try:
    ...     cs.simulate(problem, cluster, Hasty(), optimizer=cs.SGD(0.1), until=cs.Until(updates=1))
    ... except cs.ProtocolError as error:
    ...     print(str(error).split(";")[0])
    Hasty() returned an invalid decision: it updates with messages [0]
    """


class StalledError(ClusterSimError, RuntimeError):
    """Nothing can happen any more, but the run has not reached its horizon.

    Examples
    --------
    A policy that waits for all workers, though every worker is lost:

    >>> import clustersim as cs
    >>> problem = cs.LeastSquares.synthetic(rows=4, features=2, seed=1)
    >>> cluster = cs.Cluster(workers=2, compute=cs.BernoulliStraggler(1.0))
    >>> try:
    ...     cs.simulate(problem, cluster, cs.FullSync(), optimizer=cs.SGD(0.1), until=cs.Until(updates=1))
    ... except cs.StalledError as error:
    ...     print(str(error).split(": ")[1].split(";")[0])
    2 of 2 workers will never answer (workers 0, 1)
    """


class DivergenceError(ClusterSimError, ArithmeticError):
    """The model diverges; the message names the update and, where it is known, the largest stable step size.

    Examples
    --------
    >>> import clustersim as cs
    >>> problem = cs.LeastSquares.synthetic(rows=40, features=2, seed=1)
    >>> cluster = cs.Cluster(workers=2, compute=cs.Constant(1.0))
    >>> step_size = 10 / problem.smoothness()  # five times too large
    >>> try:
    ...     cs.simulate(problem, cluster, cs.FullSync(), optimizer=cs.SGD(step_size), until=cs.Until(updates=100))
    ... except cs.DivergenceError as error:
    ...     print(str(error).split(" at ")[0])
    the model diverged
    """


class ResultsError(ClusterSimError, RuntimeError):
    """A results folder cannot be read, or belongs to another configuration."""


class FailedRunsError(ClusterSimError, RuntimeError):
    """All runs of a study failed, so there are no results; the message gives the reason of the first failure."""


class FailedRunsWarning(UserWarning):
    """Some runs of a study failed; `Results.failures` lists them with the reasons."""
