"""The wording of errors about arguments, and the short, one-line form of the values in them.

Values come in from `clustersim.checks` and other code that checks arguments; exceptions go out.
"""

import re
import reprlib
from typing import Any

from clustersim.errors import ConfigurationError

__all__ = ["complaint", "shown"]


def complaint(name: str, value: Any, expected: str, remedy: str = "") -> ConfigurationError:
    """Make the error about an argument: its name and value, what was expected, and what to do."""
    advice = f"; {remedy}" if remedy else ""
    return ConfigurationError(f"{name} = {shown(value)}: expected {expected}{advice}")


def shown(value: Any) -> str:
    """Return a value as text for a message: shortened and on one line, even if its own repr fails or is long.

    Examples
    --------
    >>> shown(10**400), shown(list(range(100)))
    ('1000000000...(401 digits)', '[0, 1, 2, 3, 4, 5, 6, 7, ...]')
    """
    return re.sub(r"(\d{10})\d{20,}", r"\1...", " ".join(_SHORT.repr(value).split()))


class _Short(reprlib.Repr):
    """Shortened representations of long values."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 8
        self.maxstring, self.maxother = 80, 200

    def repr_int(self, x: int, level: int) -> str:
        """Return the first digits of a long number and their count; Python refuses to print very long numbers."""
        del level
        if abs(x) < 10**20:
            return repr(x)
        if x.bit_length() > 10_000:
            return f"a whole number of {x.bit_length()} bits"
        sign, digits = "-" * (x < 0), str(abs(x))
        return f"{sign}{digits[:10]}...({len(digits)} digits)"


_SHORT = _Short()
