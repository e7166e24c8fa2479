"""Random arguments of every public callable: one or two right ones are replaced by nonsense.

The outcome must be an object of plain types, numbers that are numbers, or an error of clustersim that names what is
wrong in a message of a sensible length. What is equal in plain types must come to the same.
"""

import dataclasses
import math
import re
import time
import traceback
from collections import Counter
from numbers import Real

import numpy as np
import pandas as pd
from scipy import sparse

import clustersim as cs
from fuzz.callables import CALLABLES, SLOW
from fuzz.nonsense import NONSENSE, TWINS
from fuzz.patience import Hang, limited

PLAIN = (int, float, bool, str, bytes, type(None))


def main(seconds, seed):
    """Try arguments for so long; returns 1 if there are faults."""
    begun, calls, faults = time.monotonic(), 0, Counter()
    while time.monotonic() - begun < seconds:
        if fault := attempt(seed + calls):
            kind = fault.partition("(")[0] + fault.partition("): ")[2][:60]
            faults[kind] += 1
            if faults[kind] == 1:
                print(f"\nrepeat with fuzz.arguments.attempt({seed + calls}):\n  {fault}", flush=True)
        calls += 1
    print(f"{calls:,} calls of {len(CALLABLES)} callables, {sum(faults.values())} faults of {len(faults)} kinds")
    return int(bool(faults))


def attempt(seed):
    """One call, by its number; returns what is wrong with its outcome, or nothing."""
    random = np.random.default_rng(seed)
    names = [name for name in CALLABLES if name not in SLOW or random.random() < 0.05]
    name = names[random.integers(len(names))]
    call, right = CALLABLES[name]
    changed = random.permutation(list(right))[: 1 + (random.random() < 0.3)].tolist()
    dressed, plain, words = dict(right), dict(right), []
    for argument in changed:
        if random.random() < 0.3:
            kind = list(TWINS)[random.integers(len(TWINS))]
            dressed[argument], plain[argument] = TWINS[kind][0](), TWINS[kind][1]
        else:
            kind = list(NONSENSE)[random.integers(len(NONSENSE))]
            dressed[argument] = plain[argument] = NONSENSE[kind]()
        words.append(f"{argument}: {kind}")
    what = f"{name}({', '.join(words)})"
    outcome = called(call, dressed)
    culprit = "" if len(changed) > 1 or plausible(dressed[changed[0]]) else changed[0]
    fault = judged(outcome, culprit)
    if not fault and any(word.split(": ")[1] in TWINS for word in words):
        fault = compared(outcome, called(call, plain))
    return f"{what}: {fault}" if fault else ""


def called(call, arguments):
    """What comes of a call: an answer or an error."""
    try:
        with limited():
            return call(**arguments)
    except Exception as error:
        return error
    except Hang as hang:
        return TimeoutError(str(hang))


def plausible(value):
    """Whether it may make sense to the callable, but not together with its other arguments."""
    if isinstance(value, np.ndarray | list | tuple | pd.DataFrame | pd.Series | sparse.csr_array):
        return True
    if isinstance(value, int):
        return abs(value) < 10**300
    return type(value).__module__.split(".")[0] == "clustersim" or (isinstance(value, Real) and value == value)  # noqa: PLR0124


def judged(outcome, culprit=""):
    """What is wrong with an outcome, if all is right but the culprit."""
    if isinstance(outcome, cs.ClusterSimError):
        return complained(outcome, culprit)
    if "lambda" in str(outcome) and "positional argument" in str(outcome):
        return ""  # the function is the user's
    if isinstance(outcome, Exception):
        story = "".join(traceback.format_exception(outcome)[-3:])
        return f"{type(outcome).__name__}: {str(outcome)[:200]}\n{story[-1500:]}"
    return strange(outcome)


ALIASES = {"seconds": "deadline", "delta": "fraction", "start": "k", "gradients": "k", "rule": "rules",
           "other": "rules", "folder": "path", "y": "labels"}  # fmt: skip


def complained(error, culprit):
    """What is wrong with a complaint: it does not name the culprit, or says too much."""
    message = str(error)
    if len(message) > 3000 or re.search(r"\d{60}", message):
        return f"a message of {len(message)} characters: {message[:300]}"
    words = (culprit, ALIASES.get(culprit, culprit))
    named = any(re.search(rf"(?<![A-Za-z]){re.escape(word)}", message) for word in words)
    return "" if named or type(error) is not cs.ConfigurationError else f"a message that does not name it: {message}"


def strange(answer):
    """What is not plain, or no number, in an answer; nothing if all is well."""
    if isinstance(answer, cs.Run):
        frame, totals = answer.history, answer.totals
        bad = [name for name in ("time", "error", "loss") if not np.isfinite(frame[name]).all()]
        bad = [name for name in bad if name != "error" or frame["error"].notna().any()]
        bad += [name for name, value in totals.items() if isinstance(value, float) and math.isnan(value)
                and "staleness" not in name]  # fmt: skip
        return f"no numbers in {bad}" if bad else ""
    if isinstance(answer, float | np.ndarray) or (isinstance(answer, tuple) and hasattr(answer, "_fields")):
        return "a NaN" if np.isnan(np.asarray(answer, dtype=float)).any() else ""
    if dataclasses.is_dataclass(answer):
        for field in dataclasses.fields(answer):
            if word := unplain(getattr(answer, field.name)):
                return f"{field.name} is kept as {word}"
        repr(answer)
        return "" if isinstance(answer, cs.datasets.Dataset) or answer == answer else "not equal to itself"  # noqa: PLR0124
    return ""


def unplain(value):
    """The type of what should have been kept as a plain one."""
    if isinstance(value, tuple):
        return next(filter(None, map(unplain, value)), "")
    known = dataclasses.is_dataclass(value) or callable(value) or isinstance(value, np.ndarray) or type(value) in PLAIN
    outside = type(value).__module__.split(".")[0] in ("clustersim", "scipy")
    return "" if known or outside else type(value).__name__


def compared(one, two):
    """Where the outcomes of equal arguments differ."""
    if isinstance(one, Exception) or isinstance(two, Exception):
        return "" if type(one) is type(two) else f"{shortly(one)} or, in plain types, {shortly(two)}"
    if isinstance(one, cs.Run):
        same = one.history.equals(two.history)
    elif isinstance(one, np.ndarray | float | tuple):
        same = np.array_equal(np.asarray(one), np.asarray(two))
    elif dataclasses.is_dataclass(one) and not isinstance(one, cs.datasets.Dataset):
        same = one == two and repr(one) == repr(two)
    else:
        same = True
    return "" if same else f"{shortly(one)} or, in plain types, {shortly(two)}"


def shortly(value):
    """A value in a few words."""
    return repr(value)[:300]
