"""The manifest of a results folder: what was run, so that nothing else is ever mixed into it.

Data flows in from `clustersim.studies.study` as descriptions (`clustersim.studies.configuration`), or from
``manifest.json``, and out to `clustersim.studies.store`.
"""

import functools
import json
import os
import platform
import reprlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from clustersim.checks import integer
from clustersim.errors import ResultsError
from clustersim.studies.arguments import MOST_REPLICATIONS, expect, labelled
from clustersim.studies.configuration import Json, differences, digest
from clustersim.studies.files import read_text
from clustersim.studies.results import RunKey

__all__ = ["Manifest", "numerics", "overridden", "versions"]

FORMAT = 3
_LABELLED = ("variants", "policies")
_PARTS = (*_LABELLED, "exceptions")
_DEPENDENCIES = ("numpy", "scipy", "simpy", "pandas", "pyarrow")


@functools.cache
def numerics() -> dict[str, str]:
    """The versions on which the last bits of a number depend: runs of one folder share them."""
    return {name: version(name) for name in ("numpy", "scipy", "simpy")}


@functools.cache
def versions() -> dict[str, str]:
    """The versions of Python and of what the numbers depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in _DEPENDENCIES}


def overridden(variant: str, policy: str) -> str:
    """The label of a policy that a variant overrides; labels are single lines, so it is unambiguous."""
    return f"{variant}\n{policy}"


_COMMON = ("clustersim", "numerics", "seed", "evaluate_every")  # what all runs of a folder share


@dataclass(frozen=True)
class Manifest:
    """What a results folder holds.

    Attributes
    ----------
    name, metric, notes : str
        As the study has them.
    replications : int
        Number of replications of each variant and policy.
    configuration : dict
        clustersim's version, seed, evaluate_every, the descriptions of variants and policies by label, and those of
        policies that differ in a variant (exceptions).
    """

    name: str
    metric: str
    notes: str
    replications: int
    configuration: dict[str, Any]

    def agrees(self, other: "Manifest") -> bool:
        """Whether both say the same, in the same order, whatever versions of libraries they were written with."""
        return self == other and (self.variants, self.policies) == (other.variants, other.policies)

    @property
    def variants(self) -> tuple[str, ...]:
        """Labels in the order of plots and tables."""
        return tuple(self.configuration["variants"])

    @property
    def policies(self) -> tuple[str, ...]:
        """Labels in the order of plots and tables."""
        return tuple(self.configuration["policies"])

    def runs(self) -> Iterator[RunKey]:
        """All runs; replication by replication, so that what an interrupted study has stored can be compared."""
        for variant in self.variants:
            for replication in range(self.replications):
                yield from (RunKey(variant, policy, replication) for policy in self.policies)

    def run_hash(self, key: RunKey) -> str:
        """The hash of everything that one run's numbers depend on."""
        parts = {name: self.configuration[name] for name in _COMMON}
        setting = self.configuration["variants"][key.variant]
        policy = self.policy(key.variant, key.policy)
        return digest(parts | {"setting": setting, "policy": policy, "replication": key.replication})

    def policy(self, variant: str, label: str) -> Json:
        """The description of a policy in a variant."""
        exceptions: dict[str, Json] = self.configuration["exceptions"]
        told: Json = self.configuration["policies"][label]
        return exceptions.get(overridden(variant, label), told)

    def text(self) -> str:
        """The manifest as JSON; the order of labels is that of plots and tables."""
        told: dict[str, Json] = {
            "format": FORMAT,
            "name": self.name,
            "metric": self.metric,
            "seed": self.configuration["seed"],
            "replications": self.replications,
            "variants": list(self.variants),
            "policies": list(self.policies),
            "notes": self.notes,
            "versions": {"clustersim": self.configuration["clustersim"], **versions()},
            "configuration": self.configuration,
        }
        return json.dumps(told | {"hash": digest(told)}, indent=2, allow_nan=False) + "\n"

    @classmethod
    def parse(cls, text: str, where: Path) -> "Manifest":
        """Read a manifest; raises `ResultsError` naming the file if it is none, or has been changed."""
        try:
            told = json.loads(text)
            if told["format"] != FORMAT:
                raise ResultsError(
                    f"{where} has format {reprlib.repr(told['format'])}; this version reads format {FORMAT}: run the "
                    "study again in another folder"
                )
            if told.pop("hash") != digest(told):
                raise ValueError("its content is not what was written")
            return cls._checked(told)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ResultsError(
                f"{where} is damaged or was not written by clustersim ({_short(error)}); restore it, or choose another "
                "folder with --out"
            ) from error

    @classmethod
    def _checked(cls, told: dict[str, Any]) -> "Manifest":
        """The manifest that a JSON object tells; whoever wrote it, it holds what a study would have allowed."""
        configuration: dict[str, Any] = dict(told["configuration"])
        for part in _LABELLED:
            labels = labelled(part, dict.fromkeys(told[part]), blank=part == "variants")
            if len(labels) != len(told[part]):
                raise ValueError(f"a label among the {part} comes twice")
            configuration[part] = {label: configuration[part][label] for label in labels}
        for name in ("name", "metric", "notes"):
            expect(name, told[name], str)
        if not (told["name"] + told["metric"]).isprintable():
            raise ValueError("name or metric is not printable")
        integer("seed", configuration["seed"], low=0)
        dict(configuration["exceptions"])
        replications = integer("replications", told["replications"], low=1, high=MOST_REPLICATIONS)
        return cls(told["name"], told["metric"], told["notes"], replications, configuration)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a results folder.

        Raises
        ------
        ResultsError
            If there is no such folder, no manifest in it, or the manifest is damaged; the message names the path.
        """
        path = folder / "manifest.json"
        if not folder.exists():
            raise ResultsError(f"{folder}: there is no such folder")
        if not folder.is_dir():
            raise ResultsError(f"{folder} is a file; expected the folder of a study")
        if not os.path.lexists(path):  # a link to nowhere is damage
            raise ResultsError(
                f"{folder} holds no manifest.json, so there are no results in it; expected a study's folder"
            )
        return cls.parse(read_text(path), path)

    def only(self, stored: Iterable[RunKey]) -> "Manifest | None":
        """What is left if only these runs count, so that a label under which nothing was finished can be used anew."""
        keys = list(stored)
        if not keys:
            return None
        kept = {"variants": {key.variant for key in keys}, "policies": {key.policy for key in keys}}
        parts = {
            part: {label: told for label, told in self.configuration[part].items() if label in labels}
            for part, labels in kept.items()
        }
        exceptions = {overridden(*pair) for pair in product(kept["variants"], kept["policies"])}
        told = self.configuration["exceptions"]
        parts["exceptions"] = {label: told[label] for label in told if label in exceptions}
        return replace(self, configuration={**self.configuration, **parts})

    def merged(self, stored: "Manifest | None", folder: Path) -> "Manifest":
        """Join this manifest with what a folder holds already; raises `ResultsError` if the two do not go together."""
        if stored is None:
            return self
        mine, theirs = self.configuration, stored.configuration
        found: list[str] = []
        for name in _COMMON:
            found += differences(theirs[name], mine[name], name)
        for part, noun in zip(_LABELLED, ("variant", "policy"), strict=True):
            for label in (label for label in mine[part] if label in theirs[part]):
                path = f"{noun} {label!r}:" if label else "study:"
                found += differences(theirs[part][label], mine[part][label], path)
        variants, policies = ([label for label in mine[part] if label in theirs[part]] for part in _LABELLED)
        for variant, policy in product(variants, policies):
            if not found:
                path = f"variant {variant!r}, policy {policy!r}:"
                found += differences(stored.policy(variant, policy), self.policy(variant, policy), path)
        if found:
            more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
            raise ResultsError(
                f"{folder} holds runs of another configuration: {'; '.join(found[:5])}{more}. Nothing was changed; "
                "choose another folder with --out, delete this one, or delete the files in its runs/ that belong to "
                "what has changed: then only those runs are done again"
            )
        parts = {part: mine[part] | {k: v for k, v in theirs[part].items() if k not in mine[part]} for part in _PARTS}
        return replace(self, replications=max(self.replications, stored.replications), configuration={**mine, **parts})


def _short(error: Exception) -> str:
    """An error in one line, for damaged files can hold anything."""
    lines = str(error).splitlines()
    return reprlib.repr(lines[0]).strip("'\"") if lines else type(error).__name__
