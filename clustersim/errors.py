"""What can go wrong, by whose fault it is.

Every error that clustersim raises on purpose derives from `ClusterSimError`. The command line prints its message
and exits with a non-zero code; a program can catch one class instead of guessing.

==========================  =====================================================================
error                       whose fault
==========================  =====================================================================
`ConfigurationError`        the caller's: an argument, an option, a script or a data set is unusable
`ProtocolError`             the policy's: it asked the engine for something that makes no sense
`StalledError`              the combination's: nothing can happen any more, yet the run is not over
`DivergenceError`           the step size's: the model runs away
`ResultsError`              the results folder's: it is unreadable or belongs to another study
`FailedRunsError`           a study's: all of its runs failed, for the reason that it tells
==========================  =====================================================================

A study of which only some runs fail warns of that with a `FailedRunsWarning`, and goes on with the others.
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
    """A policy's command makes no sense; the message shows the last few events."""


class StalledError(ClusterSimError, RuntimeError):
    """Nothing can happen any more, but the horizon has not been reached."""


class DivergenceError(ClusterSimError, ArithmeticError):
    """The model runs away; the message says at which update and names the largest stable step."""


class ResultsError(ClusterSimError, RuntimeError):
    """A results folder cannot be read, or it belongs to another configuration."""


class FailedRunsError(ClusterSimError, RuntimeError):
    """All runs of a study failed, so there is nothing to show; the message tells why the first one did."""


class FailedRunsWarning(UserWarning):
    """Some runs of a study failed; `Results.failures` tells which, and why."""
