"""`Facts`: everything that a report tells about, gathered from a results folder, a study and a tuning."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clustersim.errors import ConfigurationError
from clustersim.studies import Comparison, Results, Study
from clustersim.studies.claims import Verdict, judged
from clustersim.studies.files import read_text, slug
from clustersim.studies.manifest import Manifest
from clustersim.studies.tuning import tuned_study

__all__ = ["Facts", "Tuned", "matching_study", "read_tuning", "stored_versions"]

_FILE = "tuning.json"


@dataclass(frozen=True)
class Tuned:
    """What `clustersim tune` has written.

    Attributes
    ----------
    step_sizes : dict of str to float
        The picked step size of each policy.
    target : float or None
        The target, if there was one.
    rows : list of dict
        The rows of `clustersim.studies.Tuning.table`; infinite numbers are None.
    used : bool or None
        Whether the results were made with these step sizes; None if that is not known.
    """

    step_sizes: dict[str, float]
    target: float | None
    rows: list[dict[str, Any]]
    used: bool | None = None


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything that a report tells about.

    Attributes
    ----------
    results : Results
        The results.
    comparison : Comparison
        What each policy needs to reach the target.
    manifest : Manifest or None
        The description of what was run; None if the results are not from a folder.
    versions : dict of str to str
        The versions of Python and of packages.
    study : Study or None
        The study that made the results, if it is known.
    changes : list of str
        In what the study differs from what was run.
    script : str
        The script of the study as it is typed in a command; empty if it is not known.
    tuned : Tuned or None
        What was tuned.
    options : dict of str to str
        The options of the command `report` that were given.
    """

    results: Results
    comparison: Comparison
    manifest: Manifest | None = None
    versions: dict[str, str] = field(default_factory=dict)
    study: Study | None = None
    changes: list[str] = field(default_factory=list)
    script: str = ""
    tuned: Tuned | None = None
    options: dict[str, str] = field(default_factory=dict)

    def verdicts(self) -> list[Verdict]:
        """Check the claims of the study."""
        return judged(self.study.claims, self.results) if self.study else []

    @property
    def quick(self) -> bool:
        """Whether the results are those of a quick look."""
        return self.results.name.endswith("-quick")


def stored_versions(folder: Path) -> dict[str, str]:
    """Return the versions in the manifest of a folder, which has been checked before."""
    content = json.loads(read_text(folder / "manifest.json"))["versions"]
    return {str(name): str(version) for name, version in content.items()}


def read_tuning(folder: Path | None, results_folder: Path | None, results: Results) -> Tuned | None:
    """Read what was tuned: from the given folder, else from the results folder or from its neighbour NAME-tuning.

    Raises
    ------
    ConfigurationError
        If the given folder holds no tuning of these policies.
    """
    if folder is not None:
        tuning = _read(folder / _FILE)
        if tuning is None or tuning.step_sizes.keys() != {*results.policies}:
            raise ConfigurationError(
                f"{folder}: expected a folder that `clustersim tune` has made for the same policies"
            )
        return tuning
    if results_folder is None:
        return None
    beside = results_folder.resolve()
    names = (f"{beside.name}-tuning", slug(f"{results.name.removesuffix('-quick')}-tuning"))
    places = [beside, *(beside.with_name(name) for name in names)]
    found = [_read(place / _FILE) for place in places]
    return next((tuning for tuning in found if tuning and tuning.step_sizes.keys() == {*results.policies}), None)


def _read(path: Path) -> Tuned | None:
    """Read a file of `clustersim tune`; None if there is none.

    Raises
    ------
    ConfigurationError
        If it is damaged.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(read_text(path))
        sizes = {str(label): float(size) for label, size in content["step_sizes"].items()}
        rows = [{**row, "policy": str(row["policy"]), "step_size": float(row["step_size"])} for row in content["table"]]
        target = None if content["target"] is None else float(content["target"])
        for row in rows:
            for name in ("time", "value", "reached", "failed", "replications"):
                row[name] = None if row[name] is None else float(row[name])
            row["picked"] = bool(row["picked"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} is damaged ({error}); run `clustersim tune` again") from error
    return Tuned(sizes, target, rows)


def matching_study(facts: Facts) -> Facts:
    """Compare the study with what was run: as it is, as a quick look, and with the tuned step sizes."""
    study, manifest = facts.study, facts.manifest
    if study is None or manifest is None:
        return facts
    if facts.quick and study.name != manifest.name:
        study = study.quick()
    versions = [(study, False)]
    if facts.tuned and facts.tuned.step_sizes.keys() == study.policies.keys():
        versions.append((tuned_study(study, facts.tuned.step_sizes), True))
    differences = [one.manifest(manifest.configuration["seed"]).contradictions(manifest) for one, _ in versions]
    best = min(range(len(versions)), key=lambda place: len(differences[place]))
    tuned = facts.tuned and replace(facts.tuned, used=versions[best][1])
    return replace(facts, study=versions[best][0], changes=differences[best], tuned=tuned)
