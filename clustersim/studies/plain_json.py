"""Plain JSON values, the elements of descriptions: their type, canonical text and hash.

`clustersim.studies.descriptions` and `clustersim.studies.reachable_code` make descriptions; the manifest of a results
folder stores them.
"""

import hashlib
import json

__all__ = ["CODE", "Json", "canonical", "digest"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

CODE = "user's code"
"""The key of a description under which all reachable functions and classes of the user are described."""


def canonical(value: Json) -> str:
    """Return the canonical JSON text of a description: keys sorted, no spaces.

    Examples
    --------
    >>> canonical({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Json) -> str:
    """Return the sha256 of the canonical text.

    Examples
    --------
    >>> digest({"a": 1})[:16]
    '015abd7f5cc57a2d'
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()
