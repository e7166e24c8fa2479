"""Claims: sentences about a study's results that a number decides.

Data flows in as `Results`, and out as verdicts to the command line and to tests.
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
from clustersim.studies.user_code import tell

__all__ = ["Claim", "Verdict", "judged"]


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes
    ----------
    claim : Claim
        The claim.
    value : float
        What was measured.
    holds : bool
        Whether the value lies between the claim's bounds; a NaN never does.
    failure : str
        Why nothing could be measured; empty if it could.
    """

    claim: "Claim"
    value: float
    holds: bool
    failure: str = ""

    def __str__(self) -> str:
        """In one line."""
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
        The claim in words, such as "adaptive-k gets there first".
    measure : callable
        Takes the `Results` and returns a number.
    low, high : float
        The bounds; at least one should be finite.

    Raises
    ------
    ConfigurationError
        If the statement is empty, the measure is no function, or the bounds are NaN or the wrong way round.

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
        number("high", self.high, low=low, finite=False, remedy="it must not lie below low")

    @property
    def expected(self) -> str:
        """The bounds in words."""
        if self.low == self.high:
            return f"{self.low:g}"
        if math.isinf(self.low):
            return "any number" if math.isinf(self.high) else f"at most {self.high:g}"
        return f"at least {self.low:g}" if math.isinf(self.high) else f"{self.low:g} to {self.high:g}"

    def check(self, results: Results | Any) -> Verdict:
        """Measure, and hold the value against the bounds.

        Raises
        ------
        ConfigurationError
            If the measure fails or returns something that is not a number; the message says why.
        """
        verdict = self._measured(results)
        if verdict.failure:
            raise ConfigurationError(f"claim {self.statement!r} failed: {verdict.failure}")
        return verdict

    def _measured(self, results: Results | Any) -> Verdict:
        """The verdict, even if there is nothing to judge."""
        try:
            measured: Any = self.measure(results)
        except Stopped:
            raise
        except (Exception, SystemExit) as error:
            return Verdict(self, math.nan, holds=False, failure=tell(error))
        try:
            if isinstance(measured, str | bytes):
                raise TypeError
            value = float(measured)
        except (TypeError, ValueError, OverflowError):
            told = reprlib.repr(measured)
            return Verdict(self, math.nan, holds=False, failure=f"its measure returned {told}; expected a number")
        return Verdict(self, value, self.low <= value <= self.high)


def judged(claims: Iterable[Claim], results: Results) -> list[Verdict]:
    """Check all claims; one that cannot be measured does not keep the others from being judged.

    Examples
    --------
    >>> [str(verdict) for verdict in judged([Claim("odd", lambda results: None)], None)]
    ['failed: odd (its measure returned None; expected a number)']
    """
    return [claim._measured(results) for claim in claims]
