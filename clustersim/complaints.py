"""How errors about arguments are worded, and how values are shown in them: short, and on one line.

Values flow in from `clustersim.checks` and from whoever checks on his own, errors flow out.
"""

import re
import reprlib
from typing import Any

from clustersim.errors import ConfigurationError

__all__ = ["complaint", "shown"]


def complaint(name: str, value: Any, expected: str, remedy: str = "") -> ConfigurationError:
    """Word the error in the one form that all checks share."""
    advice = f"; {remedy}" if remedy else ""
    return ConfigurationError(f"{name} = {shown(value)}: expected {expected}{advice}")


def shown(value: Any) -> str:
    """Print a value in a message: shortened, on one line, and whatever its own way of printing does.

    Examples
    --------
    >>> shown(10**400), shown(list(range(100)))
    ('1000000000...(401 digits)', '[0, 1, 2, 3, 4, 5, 6, 7, ...]')
    """
    return re.sub(r"(\d{10})\d{20,}", r"\1...", " ".join(_SHORT.repr(value).split()))


class _Short(reprlib.Repr):
    """Short forms of long values."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 8
        self.maxstring, self.maxother = 80, 200

    def repr_int(self, x: int, level: int) -> str:
        """The first digits of a long number, and how many there are; Python refuses to print the longest."""
        del level
        if abs(x) < 10**20:
            return repr(x)
        if x.bit_length() > 10_000:
            return f"a whole number of {x.bit_length()} bits"
        sign, digits = "-" * (x < 0), str(abs(x))
        return f"{sign}{digits[:10]}...({len(digits)} digits)"


_SHORT = _Short()
