"""Plain JSON values: what descriptions are made of, their one text and their hash.

Data flows in from `clustersim.studies.descriptions` and `clustersim.studies.reachable_code`, and out to the
manifest of a results folder.
"""

import hashlib
import json

__all__ = ["CODE", "Json", "canonical", "digest"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

CODE = "user's code"
"""The part of a description that tells all functions and classes of the user's which the thing can reach."""


def canonical(value: Json) -> str:
    """The one JSON text of a description: keys sorted, no spaces.

    Examples
    --------
    >>> canonical({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Json) -> str:
    """The sha256 of the canonical text.

    Examples
    --------
    >>> digest({"a": 1})[:16]
    '015abd7f5cc57a2d'
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()
