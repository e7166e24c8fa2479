"""The differences between two descriptions, in words.

Descriptions come in from `clustersim.studies.configuration`; the error messages of `clustersim.studies.manifest` show
the differences.
"""

import json
from itertools import zip_longest

from clustersim.studies.plain_json import CODE, Json, canonical, digest

__all__ = ["differences"]


def differences(stored: Json, now: Json, path: str = "") -> list[str]:
    """List the differences between two descriptions in words, one entry per place.

    Examples
    --------
    >>> differences({"workers": 50, "mean": 1.0}, {"workers": 40, "mean": 1.0}, "cluster")
    ['cluster.workers is 50 in the folder, 40 now']
    >>> differences({"text": ["return 1 + t"]}, {"text": ["return 5 + t"]}, "function f:")
    ["function f: text differs, first in 'return 1 + t' in the folder, 'return 5 + t' now"]
    """
    if canonical(stored) == canonical(now):
        return []
    if isinstance(stored, dict) and isinstance(now, dict):
        common = [key for key in stored if key in now]
        found = [difference for key in common for difference in _part(key, stored[key], now[key], path)]
        for table, when in ((stored, "in the folder"), (now, "there now")):
            alone = [key for key in table if key not in common]
            found += [f"{_joined(path, key)} is only {when}{_beginning(table[key])}" for key in alone]
        return found
    if isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now) and _has_parts(stored):
        pairs = enumerate(zip(stored, now, strict=True))
        return [difference for place, pair in pairs for difference in differences(*pair, f"{path}[{place}]")]
    return [f"{path} is {_short(stored)} in the folder, {_short(now)} now"]


def _part(key: str, stored: Json, now: Json, path: str) -> list[str]:
    """List the differences of one entry; the user's functions and what they refer to are shown by their own names."""
    if canonical(stored) == canonical(now):
        return []
    if key == "text" and isinstance(stored, list) and isinstance(now, list):
        old, new = next(pair for pair in zip_longest(stored, now) if pair[0] != pair[1])
        return [f"{_joined(path, 'text')} differs, first in {_line(old)} in the folder, {_line(new)} now"]
    if key == "compiled":
        return [f"{_joined(path, 'its compiled code')} differs (there is no text of it)"]
    if key == CODE and isinstance(stored, dict) and isinstance(now, dict):
        start = path if not path or path.endswith(":") else f"{path}:"
        old, new = ({f"{label}:" if label in stored and label in now else label: entry for label, entry in
        table.items()}
                    for table in (stored, now))  # fmt: skip
        return differences(old, new, start)
    return differences(stored, now, path if key == "refers to" else _joined(path, key))


def _joined(path: str, key: str) -> str:
    return f"{path}{' ' if path.endswith(':') else '.' if path else ''}{key}"


def _has_parts(values: list[Json]) -> bool:
    return any(isinstance(value, dict | list) for value in values)


def _beginning(entry: Json) -> str:
    """Return the first line of a function, to identify it."""
    text = entry.get("text") if isinstance(entry, dict) else None
    return f": {_line(text[0])}" if isinstance(text, list) and text else ""


def _line(line: Json) -> str:
    """Return a line of code, shortened, or words that say that there is none."""
    if not isinstance(line, str):
        return "no further line"
    line = line.strip()
    return repr(line if len(line) <= 70 else f"{line[:67]}...")


def _short(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:50]} ... ({digest(value)[:8]})"
