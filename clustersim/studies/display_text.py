"""Safe display of text from users and results folders.

Labels, notes and reasons may contain anything, such as escape sequences that move the cursor of a terminal or change
its title. `clustersim.tables`, `clustersim.plots` and the command line pass such text through these functions.
"""

import unicodedata
from collections.abc import Sequence

__all__ = ["enumerated", "in_variant", "named", "printable"]


def printable(text: object) -> str:
    r"""Return the text with non-printable characters as escapes; line ends stay, tabs and other blanks become spaces.

    Parameters
    ----------
    text : object
        A text, or any object, which `str` converts.

    Returns
    -------
    str
        Printable text.

    Examples
    --------
    >>> print(printable("k = 1 \x1b[31mred\x07"))
    k = 1 \x1b[31mred\x07
    """
    return "".join(map(_shown, str(text).replace("\r\n", "\n")))


def enumerated(parts: Sequence[str]) -> str:
    """Join several words as in a sentence.

    Examples
    --------
    >>> enumerated(["time", "error", "loss"])
    'time, error and loss'
    """
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def named(*labels: str) -> str:
    """Join several labels as in a sentence, in quotation marks.

    Examples
    --------
    >>> named("k = 1", "k = 2", "k = 3")
    "'k = 1', 'k = 2' and 'k = 3'"
    """
    return enumerated([f"'{printable(label)}'" for label in labels])


def in_variant(variant: str) -> str:
    """Say in a sentence which variant it is about; empty for a study without variants.

    Examples
    --------
    >>> in_variant("p = 0.1"), in_variant("")
    (" in variant 'p = 0.1'", '')
    """
    return f" in variant {named(variant)}" if variant else ""


def _shown(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    if character == "\t" or unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")
