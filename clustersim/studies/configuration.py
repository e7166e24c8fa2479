"""What a study is made of, as plain JSON values, so that two configurations can be compared and hashed.

Data flows in as problems, clusters, policies, optimisers and the functions in them, and out to the manifest of a
results folder (`clustersim.studies.store`). The description of equal objects is equal, in every process and on every
day: it holds no addresses, no times and no module names of scripts.
"""

from typing import Any

from clustersim.studies.differences import differences
from clustersim.studies.plain_json import CODE, Json, canonical, digest
from clustersim.studies.reachable_code import Reached

__all__ = ["Json", "canonical", "describe", "differences", "digest"]


def describe(thing: Any) -> Json:
    """Describe an object by plain JSON values, recursively, and all of the user's code that it can reach.

    Dataclasses are told by class name and fields, objects with a method ``describe`` by what it returns, arrays and
    long containers by size and sha256. The user's functions and classes are told in a table of their own, under
    "user's code", by their text and by what they refer to (see `clustersim.studies.reachable_code`); a library's by
    their name.

    Parameters
    ----------
    thing : object
        Anything that a study may be made of.

    Returns
    -------
    None, bool, int, float, str, list or dict

    Raises
    ------
    ConfigurationError
        If there is no description of it that would be the same tomorrow.

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
    told = reached.tell(thing)
    if reached.found:  # what the code itself changes is told otherwise, and that is known only now
        reached = Reached(reached.found)
        told = reached.tell(thing)
    if not reached.table:
        return told
    table: Json = {label: reached.table[label] for label in sorted(reached.table)}
    return {**told, CODE: table} if isinstance(told, dict) and CODE not in told else {"value": told, CODE: table}
