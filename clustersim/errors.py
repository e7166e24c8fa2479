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
    """Base class of all errors that clustersim raises on purpose."""


class ConfigurationError(ClusterSimError, ValueError):
    """An argument is unusable; the message names the value, what was expected and what to do."""


class ProtocolError(ClusterSimError, RuntimeError):
    """A policy's command makes no sense; the message shows the latest events."""


class StalledError(ClusterSimError, RuntimeError):
    """Nothing can happen any more, but the run has not reached its horizon."""


class DivergenceError(ClusterSimError, ArithmeticError):
    """The model diverges; the message names the update and, where it is known, the largest stable step size."""


class ResultsError(ClusterSimError, RuntimeError):
    """A results folder cannot be read, or belongs to another configuration."""


class FailedRunsError(ClusterSimError, RuntimeError):
    """All runs of a study failed, so there are no results; the message gives the reason of the first failure."""


class FailedRunsWarning(UserWarning):
    """Some runs of a study failed; `Results.failures` lists them with the reasons."""
