"""Output that any terminal can show: what its encoding lacks is spelled out in ASCII.

Data flows in as the text of tables and messages, and out to the streams of the process.
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

__all__ = ["PlainConsole", "Words", "prepare_streams", "spelled_out"]

_SPELLED = {
    "±": "+/-", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "×": "x", "·": "*", "÷": "/", "…": "...", "•": "*",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "→": "->", "←": "<-", "∞": "inf", "√": "sqrt", "‖": "||", "′": "'",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "│": "|", "─": "-", "°": " deg", "ß": "ss", "ø": "o", "Ø": "O",
}  # fmt: skip
_ERRORS = "clustersim.spelled-out"
_ASCII = "clustersim_ascii"


def spelled_out(text: str, encoding: str = "ascii") -> str:
    """Write every character that an encoding lacks in ASCII.

    Parameters
    ----------
    text : str
        Any text.
    encoding : str, default "ascii"
        What the reader can see.

    Returns
    -------
    str
        Signs by their look, letters without accents, Greek letters by name, all else by number.

    Examples
    --------
    >>> spelled_out("1.5 ± 0.2, κ ≤ 3, naïve")
    '1.5 +/- 0.2, kappa <= 3, naive'
    >>> spelled_out("1.5 ± 0.2", "latin-1")
    '1.5 ± 0.2'
    """
    return text.encode(encoding, _ERRORS).decode(encoding)


def _spell(sign: str) -> str:
    """One character in ASCII."""
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
    """Answer Python's question what to write instead of what cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spell, error.object[error.start : error.end])), error.end


def _plain(name: str) -> codecs.CodecInfo | None:
    """ASCII under another name, for click takes a stream called ASCII for a mistake and writes UTF-8 to it."""
    if name != _ASCII:
        return None
    ours = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ours.encode,
        ours.decode,
        incrementalencoder=ours.incrementalencoder,
        incrementaldecoder=ours.incrementaldecoder,
        name=name,
    )


codecs.register_error(_ERRORS, _replace)
codecs.register(_plain)


class PlainConsole(Console):
    """A console that spells out what its encoding lacks before it measures text, so that tables stay straight."""

    def render_str(self, text: str, *args: Any, **kwargs: Any) -> Text:
        """Make a text of a string, as all that is printed passes through here."""
        return super().render_str(spelled_out(text, self.encoding), *args, **kwargs)


class Words:
    """Text of a user or of a folder, printed letter by letter: nothing in it is markup or the name of an emoji.

    Parameters
    ----------
    text : str
        Any text.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def _shown(self, console: Console) -> Text:
        """What the console can show of it."""
        return Text(spelled_out(self._text, console.encoding))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich's console protocol."""
        yield self._shown(console)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """See rich's console protocol."""
        return Measurement.get(console, options, self._shown(console))


def prepare_streams() -> None:
    """Let standard output and errors spell out what they cannot encode; where one is closed, nothing is written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if ascii_only else stream.encoding, errors=_ERRORS)
