"""The manifest of a results folder: a description of the study, so that no other runs are mixed into the folder.

It is made by `clustersim.studies.study` from descriptions (`clustersim.studies.configuration`) or read from
``manifest.json``; `clustersim.studies.store` uses it.
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
from clustersim.studies.sweeps import Scalar

__all__ = ["Manifest", "in_short", "numerics", "overridden", "versions"]

FORMAT = 4
_LABELLED = ("variants", "policies")
_PARTS = (*_LABELLED, "exceptions", "swept")
_DEPENDENCIES = ("numpy", "scipy", "simpy", "pandas", "pyarrow")


@functools.cache
def numerics() -> dict[str, str]:
    """Return the versions of the packages that determine the last bits of numbers; all runs of a folder share them."""
    return {name: version(name) for name in ("numpy", "scipy", "simpy")}


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in _DEPENDENCIES}


def overridden(variant: str, policy: str) -> str:
    """Return the label of a policy that a variant overrides; it is unambiguous, because labels are single lines."""
    return f"{variant}\n{policy}"


_COMMON = ("clustersim", "numerics", "seed", "evaluate_every")  # the parts that all runs of a folder share


@dataclass(frozen=True)
class Manifest:
    """A description of the study whose runs are in a results folder.

    Attributes
    ----------
    name, metric, notes : str
        Those of the study.
    replications : int
        Number of replications of each variant and policy.
    configuration : dict
        The version of clustersim, the seed, evaluate_every, the descriptions of variants and policies by label, and the
        descriptions of policies that differ in a variant (exceptions), and the values of a sweep by variant (swept).
    """

    name: str
    metric: str
    notes: str
    replications: int
    configuration: dict[str, Any]

    def agrees(self, other: "Manifest") -> bool:
        """Return whether both describe the same study, labels in the same order; library versions may differ."""
        return self == other and (self.variants, self.policies) == (other.variants, other.policies)

    @property
    def variants(self) -> tuple[str, ...]:
        """The labels, in the order of plots and tables."""
        return tuple(self.configuration["variants"])

    @property
    def policies(self) -> tuple[str, ...]:
        """The labels, in the order of plots and tables."""
        return tuple(self.configuration["policies"])

    @property
    def swept(self) -> dict[str, dict[str, Scalar]]:
        """The values of a sweep by variant."""
        values: dict[str, dict[str, Scalar]] = self.configuration["swept"]
        return values

    def runs(self) -> Iterator[RunKey]:
        """Yield all runs, replication by replication, so that the results of an interrupted study are comparable."""
        for variant in self.variants:
            for replication in range(self.replications):
                yield from (RunKey(variant, policy, replication) for policy in self.policies)

    def run_hash(self, key: RunKey) -> str:
        """Return the hash of everything that the numbers of a run depend on."""
        parts = {name: self.configuration[name] for name in _COMMON}
        setting = self.configuration["variants"][key.variant]
        policy = self.policy(key.variant, key.policy)
        return digest(parts | {"setting": setting, "policy": policy, "replication": key.replication})

    def policy(self, variant: str, label: str) -> Json:
        """Return the description of a policy in a variant."""
        exceptions: dict[str, Json] = self.configuration["exceptions"]
        usual: Json = self.configuration["policies"][label]
        return exceptions.get(overridden(variant, label), usual)

    def text(self) -> str:
        """Return the manifest as JSON; labels are in the order of plots and tables."""
        content: dict[str, Json] = {
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
        return json.dumps(content | {"hash": digest(content)}, indent=2, allow_nan=False) + "\n"

    @classmethod
    def parse(cls, text: str, where: Path) -> "Manifest":
        """Read a manifest; raise `ResultsError` with the file name if it is damaged, changed or not a manifest."""
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ResultsError(
                    f"{where} has format {reprlib.repr(content['format'])}; this version reads format {FORMAT}: run "
                    "the study again in another folder"
                )
            if content.pop("hash") != digest(content):
                raise ValueError("its content has changed since it was written")
            return cls._checked(content)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ResultsError(
                f"{where} is damaged or was not written by clustersim ({_short(error)}); restore it, or choose another "
                "folder with --out"
            ) from error

    @classmethod
    def _checked(cls, content: dict[str, Any]) -> "Manifest":
        """Make a manifest from a JSON object, with the same checks as for the arguments of a study."""
        configuration: dict[str, Any] = dict(content["configuration"])
        for part in _LABELLED:
            labels = labelled(part, dict.fromkeys(content[part]), blank=part == "variants")
            if len(labels) != len(content[part]):
                raise ValueError(f"a label among the {part} occurs twice")
            configuration[part] = {label: configuration[part][label] for label in labels}
        for name in ("name", "metric", "notes"):
            expect(name, content[name], str)
        if not (content["name"] + content["metric"]).isprintable():
            raise ValueError("name or metric is not printable")
        integer("seed", configuration["seed"], low=0)
        dict(configuration["exceptions"])
        configuration["swept"] = {str(label): dict(values) for label, values in configuration["swept"].items()}
        replications = integer("replications", content["replications"], low=1, high=MOST_REPLICATIONS)
        return cls(content["name"], content["metric"], content["notes"], replications, configuration)

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
            raise ResultsError(f"{folder} is a file; expected the results folder of a study")
        if not os.path.lexists(path):  # a broken link counts as damage
            raise ResultsError(
                f"{folder} contains no manifest.json, so there are no results in it; expected a results folder"
            )
        return cls.parse(read_text(path), path)

    def only(self, runs: Iterable[RunKey]) -> "Manifest | None":
        """Return the part of the manifest that these runs need, so that labels without finished runs are free again."""
        keys = list(runs)
        if not keys:
            return None
        used = {"variants": {key.variant for key in keys}, "policies": {key.policy for key in keys}}
        parts = {
            part: {label: value for label, value in self.configuration[part].items() if label in labels}
            for part, labels in used.items()
        }
        exceptions = {overridden(*pair) for pair in product(used["variants"], used["policies"])}
        stored = self.configuration["exceptions"]
        parts["exceptions"] = {label: stored[label] for label in stored if label in exceptions}
        parts["swept"] = {label: values for label, values in self.swept.items() if label in used["variants"]}
        return replace(self, configuration={**self.configuration, **parts})

    def contradictions(self, stored: "Manifest") -> list[str]:
        """List what differs from the stored manifest of a folder, in words: settings under the same label, the seed."""
        mine, theirs = self.configuration, stored.configuration
        found: list[str] = []
        for name in _COMMON:
            found += differences(theirs[name], mine[name], name)
        for part, noun in zip(_LABELLED, ("variant", "policy"), strict=True):
            for label in (label for label in mine[part] if label in theirs[part]):
                path = f"{noun} {label!r}:" if label else "study:"
                found += differences(theirs[part][label], mine[part][label], path)
        for label in (label for label in mine["swept"] if label in theirs["variants"]):
            found += differences(theirs["swept"].get(label, {}), mine["swept"][label], f"variant {label!r}, swept:")
        variants, policies = ([label for label in mine[part] if label in theirs[part]] for part in _LABELLED)
        for variant, policy in product(variants, policies):
            if not found:
                path = f"variant {variant!r}, policy {policy!r}:"
                found += differences(stored.policy(variant, policy), self.policy(variant, policy), path)
        return found

    def merged(self, stored: "Manifest | None", folder: Path) -> "Manifest":
        """Combine this manifest with the stored one of a folder; raise `ResultsError` if they contradict each other."""
        if stored is None:
            return self
        if found := self.contradictions(stored):
            raise ResultsError(
                f"{folder} contains runs of another configuration: {in_short(found)}. Nothing was changed; "
                "choose another folder with --out, delete this one, or delete the files in its runs/ of the policies "
                "or variants that have changed: then only those runs are repeated"
            )
        mine, theirs = self.configuration, stored.configuration
        parts = {part: mine[part] | {k: v for k, v in theirs[part].items() if k not in mine[part]} for part in _PARTS}
        return replace(self, replications=max(self.replications, stored.replications), configuration={**mine, **parts})


def in_short(found: list[str]) -> str:
    """Return the first five differences, and the number of further ones."""
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
    return f"{'; '.join(found[:5])}{more}"


def _short(error: Exception) -> str:
    """Return an error message in one line, because damaged files can contain anything."""
    lines = str(error).splitlines()
    return reprlib.repr(lines[0]).strip("'\"") if lines else type(error).__name__
