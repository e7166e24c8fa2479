"""Text that comes from a user or from a folder, made fit to be shown.

Labels, notes and reasons may hold anything, such as the escape sequences that move a terminal's cursor or change its
title. Data flows in from results folders and scripts, and out to `clustersim.tables`, `clustersim.plots` and the
command line.
"""

import unicodedata
from collections.abc import Sequence

__all__ = ["enumerated", "named", "printable"]


def printable(text: object) -> str:
    r"""The text with every character spelled out that is not to be seen; line ends stay, other blanks become spaces.

    Parameters
    ----------
    text : object
        A text, or what `str` makes of it.

    Returns
    -------
    str

    Examples
    --------
    >>> print(printable("k = 1 \x1b[31mred\x07"))
    k = 1 \x1b[31mred\x07
    """
    return "".join(map(_shown, str(text).replace("\r\n", "\n")))


def enumerated(parts: Sequence[str]) -> str:
    """Several things as a sentence lists them.

    Examples
    --------
    >>> enumerated(["time", "error", "loss"])
    'time, error and loss'
    """
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def named(*labels: str) -> str:
    """Labels as a sentence names them.

    Examples
    --------
    >>> named("k = 1", "k = 2", "k = 3")
    "'k = 1', 'k = 2' and 'k = 3'"
    """
    return enumerated([f"'{printable(label)}'" for label in labels])


def _shown(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    if character == "\t" or unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")
