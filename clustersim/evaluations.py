"""When the model is evaluated during a run: `Every`.

Each evaluation is a row of the history. `clustersim.engine.evaluations` follows the rule during a run.
"""

from dataclasses import dataclass

from clustersim.checks import integer, seconds, store
from clustersim.errors import ConfigurationError

__all__ = ["Every", "evaluation_rule"]


@dataclass(frozen=True)
class Every:
    """Evaluate the model at even distances: of updates, or of simulated time.

    Parameters
    ----------
    updates : int, optional
        The number of updates from one evaluation to the next.
    seconds : float, optional
        The simulated time from one evaluation to the next. The first update at or after each multiple of it is
        evaluated.

    Raises
    ------
    ConfigurationError
        If not exactly one of them is given, or it is out of range.

    Examples
    --------
    >>> import clustersim as cs
    >>> run = cs.simulate(
    ...     cs.LeastSquares.synthetic(rows=40, features=2, seed=7),
    ...     cs.Cluster(workers=4, compute=cs.Constant(0.4)),
    ...     cs.FullSync(),
    ...     optimizer=cs.SGD(1e-5),
    ...     until=cs.Until(updates=6),
    ...     evaluate_every=cs.Every(seconds=1.0),
    ... )
    >>> run.history["time"].tolist()
    [0.0, 1.2, 2.0, 2.4]
    """

    updates: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if (self.updates is None) == (self.seconds is None):
            raise ConfigurationError(
                f"{self!r}: expected either updates or seconds; give one of them, such as Every(updates=10)"
            )
        if self.updates is not None:
            store(self, updates=integer("updates", self.updates, low=1))
        if self.seconds is not None:
            store(self, seconds=seconds("seconds", self.seconds, above=0.0))


def evaluation_rule(name: str, value: object) -> Every | None:
    """Return the rule that an argument stands for: a number of updates, an `Every`, or None for the automatic rule."""
    return value if value is None or isinstance(value, Every) else Every(updates=integer(name, value, low=1))
