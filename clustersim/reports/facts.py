"""`Facts`: everything that a report tells about, gathered from a results folder, a study and a tuning."""

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from clustersim.errors import ConfigurationError
from clustersim.studies import Comparison, Results, Study
from clustersim.studies.claims import Verdict, judged
from clustersim.studies.files import read_text, slug
from clustersim.studies.manifest import Manifest
from clustersim.studies.tuning import tuned_study
from clustersim.studies.tuning_file import StoredTuning, read_tuning

__all__ = ["Facts", "find_tuning", "matching_study", "stored_versions"]


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
    tuned : StoredTuning or None
        What was tuned.
    tuning_used : bool or None
        Whether the results were made with the picked step sizes; None if that is not known.
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
    tuned: StoredTuning | None = None
    tuning_used: bool | None = None
    options: dict[str, str] = field(default_factory=dict)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The verdicts on the claims of the study; each claim is measured once."""
        return judged(self.study.claims, self.results) if self.study else []

    @property
    def quick(self) -> bool:
        """Whether the results are those of a quick look."""
        return self.results.name.endswith("-quick")


def stored_versions(folder: Path) -> dict[str, str]:
    """Return the versions in the manifest of a folder, which has been checked before."""
    content = json.loads(read_text(folder / "manifest.json"))["versions"]
    return {str(name): str(version) for name, version in content.items()}


def find_tuning(folder: Path | None, results_folder: Path | None, results: Results) -> StoredTuning | None:
    """Find what was tuned: in the given folder, else from the results folder or from its neighbour NAME-tuning.

    Raises
    ------
    ConfigurationError
        If the given folder holds no tuning of these policies.
    """
    if folder is not None:
        tuning = read_tuning(folder)
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
    found = [read_tuning(place) for place in places]
    return next((tuning for tuning in found if tuning and tuning.step_sizes.keys() == {*results.policies}), None)


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
    used = versions[best][1] if facts.tuned else None
    return replace(facts, study=versions[best][0], changes=differences[best], tuning_used=used)
