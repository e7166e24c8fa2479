"""Claims: sentences about the results of a study that a number decides.

`Results` come in; verdicts go out to the command line and to tests.
"""

import math
import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from clustersim.checks import number
from clustersim.errors import ConfigurationError
from clustersim.studies.results import Results
from clustersim.studies.signals import Stopped
from clustersim.studies.user_code import describe_error

__all__ = ["Claim", "Verdict", "judged"]


@dataclass(frozen=True)
class Verdict:
    """The outcome of checking a claim.

    Attributes
    ----------
    claim : Claim
        The claim.
    value : float
        The measured value; NaN if it could not be measured.
    holds : bool
        Whether the value lies between the bounds of the claim; NaN never does.
    failure : str
        Why the value could not be measured; empty if it could.

    Examples
    --------
    >>> claim = Claim("half of the messages are used", lambda results: 0.45, low=0.4, high=0.6)
    >>> print(Verdict(claim, value=0.45, holds=True))
    holds: half of the messages are used (measured 0.45, expected 0.4 to 0.6)
    """

    claim: "Claim"
    value: float
    holds: bool
    failure: str = ""

    def __str__(self) -> str:
        """Return the verdict in one line."""
        if self.failure:
            return f"failed: {self.claim.statement} ({self.failure})"
        word = "holds" if self.holds else "does not hold"
        return f"{word}: {self.claim.statement} (measured {self.value:.5g}, expected {self.claim.expected})"


@dataclass(frozen=True)
class Claim:
    """A statement that holds if a number measured on the results lies between two bounds, both included.

    Parameters
    ----------
    statement : str
        The claim in words, such as "adaptive-k reaches the target first".
    measure : callable
        A function that takes the `Results` and returns a number.
    low, high : float
        The bounds; at least one should be finite.

    Raises
    ------
    ConfigurationError
        If the statement is empty, the measure is not callable, a bound is NaN, or high is less than low.

    Examples
    --------
    >>> claim = Claim("two and two is about four", lambda results: 4.1, low=3.5, high=4.5)
    >>> str(claim.check(None))
    'holds: two and two is about four (measured 4.1, expected 3.5 to 4.5)'
    """

    statement: str
    measure: Callable[[Results], float]
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        statement: Any = self.statement
        if not isinstance(statement, str) or not statement.strip():
            raise ConfigurationError(f"statement = {statement!r}: expected the claim in words")
        if not callable(self.measure):
            raise ConfigurationError(
                f"measure = {self.measure!r}: expected a function of the results that returns a number"
            )
        low = number("low", self.low, finite=False)
        number("high", self.high, low=low, finite=False, remedy="it must not be less than low")

    @property
    def expected(self) -> str:
        """The expected range in words."""
        if self.low == self.high:
            return f"{self.low:g}"
        if math.isinf(self.low):
            return "any number" if math.isinf(self.high) else f"at most {self.high:g}"
        return f"at least {self.low:g}" if math.isinf(self.high) else f"{self.low:g} to {self.high:g}"

    def check(self, results: Results | Any) -> Verdict:
        """Measure the value and compare it with the bounds.

        Raises
        ------
        ConfigurationError
            If the measure fails or does not return a number; the message gives the reason.
        """
        verdict = self._measured(results)
        if verdict.failure:
            raise ConfigurationError(f"claim {self.statement!r} failed: {verdict.failure}")
        return verdict

    def _measured(self, results: Results | Any) -> Verdict:
        """Return the verdict, also if the measure fails."""
        try:
            measured: Any = self.measure(results)
        except Stopped:
            raise
        except (Exception, SystemExit) as error:
            return Verdict(self, math.nan, holds=False, failure=describe_error(error))
        try:
            if isinstance(measured, str | bytes):
                raise TypeError
            value = float(measured)
        except (TypeError, ValueError, OverflowError):
            reason = f"its measure returned {reprlib.repr(measured)}; expected a number"
            return Verdict(self, math.nan, holds=False, failure=reason)
        return Verdict(self, value, self.low <= value <= self.high)


def judged(claims: Iterable[Claim], results: Results) -> list[Verdict]:
    """Check all claims; if one cannot be measured, the others are still checked.

    Examples
    --------
    >>> [str(verdict) for verdict in judged([Claim("odd", lambda results: None)], None)]
    ['failed: odd (its measure returned None; expected a number)']
    """
    return [claim._measured(results) for claim in claims]
