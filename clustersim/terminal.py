"""Output for any terminal: characters that its encoding lacks are spelled out in ASCII.

The text of tables and messages comes in and goes out to the standard streams of the process.
"""

import codecs
import io
import os
import sys
import unicodedata
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

__all__ = ["PlainConsole", "Words", "console_for_tables", "prepare_streams", "spelled_out"]

_SPELLED = {
    "±": "+/-", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "×": "x", "·": "*", "÷": "/", "…": "...", "•": "*",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "→": "->", "←": "<-", "∞": "inf", "√": "sqrt", "‖": "||", "′": "'",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "│": "|", "─": "-", "°": " deg", "ß": "ss", "ø": "o", "Ø": "O",
}  # fmt: skip
_ERRORS = "clustersim.spelled-out"
_ASCII = "clustersim_ascii"


def spelled_out(text: str, encoding: str = "ascii") -> str:
    """Replace every character that an encoding lacks by ASCII text.

    Parameters
    ----------
    text : str
        Any text.
    encoding : str, default "ascii"
        The encoding of the terminal.

    Returns
    -------
    str
        The text with signs replaced by similar ones, letters without accents, Greek letters by name, and any other
        character by its number.

    Examples
    --------
    >>> spelled_out("1.5 ± 0.2, κ ≤ 3, naïve")
    '1.5 +/- 0.2, kappa <= 3, naive'
    >>> spelled_out("1.5 ± 0.2", "latin-1")
    '1.5 ± 0.2'
    """
    return text.encode(encoding, _ERRORS).decode(encoding)


def _spell(sign: str) -> str:
    """Return one character in ASCII."""
    if sign in _SPELLED:
        return _SPELLED[sign]
    if plain := unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode():
        return plain
    if unicodedata.combining(sign):
        return ""
    kind, _, letter = unicodedata.name(sign, "").partition(" LETTER ")
    if kind in ("GREEK SMALL", "GREEK CAPITAL"):
        name = letter.split()[0]
        return name.lower() if kind == "GREEK SMALL" else name.capitalize()
    return sign.encode("ascii", "backslashreplace").decode()


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Return what to write instead of the characters that cannot be encoded; an error handler for `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spell, error.object[error.start : error.end])), error.end


def _plain(name: str) -> codecs.CodecInfo | None:
    """Provide ASCII under another name, because click takes ASCII for a misconfiguration and writes UTF-8 to it."""
    if name != _ASCII:
        return None
    ascii_codec = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_codec.encode,
        ascii_codec.decode,
        incrementalencoder=ascii_codec.incrementalencoder,
        incrementaldecoder=ascii_codec.incrementaldecoder,
        name=name,
    )


codecs.register_error(_ERRORS, _replace)
codecs.register(_plain)


class PlainConsole(Console):
    """A console that spells out what its encoding lacks before it measures text, so that tables stay aligned."""

    def render_str(self, text: str, *args: Any, **kwargs: Any) -> Text:
        """Turn a string into rich text; everything that is printed passes through here."""
        return super().render_str(spelled_out(text, self.encoding), *args, **kwargs)


class Words:
    """Text from a user or a folder, printed literally: not interpreted as markup or as names of emoji.

    Parameters
    ----------
    text : str
        Any text.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def _shown(self, console: Console) -> Text:
        """Return the text as the console can show it."""
        return Text(spelled_out(self._text, console.encoding))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich's console protocol."""
        yield self._shown(console)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """See rich's console protocol."""
        return Measurement.get(console, options, self._shown(console))


def console_for_tables() -> Console:
    """Return the console for tables; in a pipe it is wide, so that no table is cut."""
    console = PlainConsole()
    return console if console.is_terminal else PlainConsole(width=160)


def prepare_streams() -> None:
    """Make standard output and standard error spell out what they cannot encode; discard output to a closed one."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if ascii_only else stream.encoding, errors=_ERRORS)
