"""Descriptions of studies as plain JSON values, so that configurations can be compared and hashed.

Problems, clusters, policies, optimisers and the functions in them come in; their descriptions go into the manifest of a
results folder (`clustersim.studies.store`). Equal objects have equal descriptions, in every process and on every day:
a description contains no addresses, no times and no module names of scripts.
"""

from typing import Any

from clustersim.studies.differences import differences
from clustersim.studies.plain_json import CODE, Json, canonical, digest
from clustersim.studies.reachable_code import Reached

__all__ = ["Json", "canonical", "describe", "differences", "digest"]


def describe(thing: Any) -> Json:
    """Describe an object by plain JSON values, recursively, together with all of the user's code that it reaches.

    A dataclass is described by its class name and its fields, an object with a method ``describe`` by what that
    returns, arrays and long containers by size and sha256. The user's functions and classes are described in a table
    of their own, under "user's code", by their text and by what they refer to (see
    `clustersim.studies.reachable_code`). Functions and classes of libraries are described by name.

    Parameters
    ----------
    thing : object
        Any part of a study.

    Returns
    -------
    None, bool, int, float, str, list or dict
        The description.

    Raises
    ------
    ConfigurationError
        If the object cannot be described so that the description stays the same from run to run.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> describe({"step": 0.5, "shards": (1, 2), "never": math.inf})
    {'step': 0.5, 'shards': [1, 2], 'never': 'inf'}
    >>> describe(np.zeros((2, 3)))["shape"]
    [2, 3]
    """
    reached = Reached()
    description = reached.describe(thing)
    if reached.found:  # describe again: only now it is known which variables the code changes
        reached = Reached(reached.found)
        description = reached.describe(thing)
    if not reached.table:
        return description
    table: Json = {label: reached.table[label] for label in sorted(reached.table)}
    if isinstance(description, dict) and CODE not in description:
        return {**description, CODE: table}
    return {"value": description, CODE: table}
