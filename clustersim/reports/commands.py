"""How to reproduce a report: the commands."""

import shlex
from typing import Any

from clustersim.reports.facts import Facts
from clustersim.reports.markup import code_block, note, paragraph
from clustersim.studies.files import slug
from clustersim.studies.tuning_file import StoredTuning

__all__ = ["reproduction"]


def reproduction(facts: Facts) -> str:
    """Return the commands that make the results and this report again."""
    script = facts.script or "my_script.py"
    folder = f"results/{slug(facts.results.name)}"
    intro = "The same seed and the same versions give the same numbers, byte for byte."
    if not facts.script:
        intro += " Put the name of the study's script in place of my_script.py."
    return "\n".join([paragraph(intro), code_block(_lines(facts, script, folder)), note(_remarks(facts))])


def _lines(facts: Facts, script: str, folder: str) -> list[str]:
    """Return the commands."""
    version = facts.versions.get("clustersim")
    lines = [f"pip install 'clustersim[report]{f'=={version}' if version else ''}'"]
    run = ["clustersim", "run", script, "--out", folder]
    if facts.tuned and facts.tuning_used:
        lines.append(shlex.join(_tune(facts.tuned, script, f"{folder}-tuning")))
        run += ["--tuned", f"{folder}-tuning"]
    run += ["--quick"] if facts.quick else []
    if facts.manifest:
        run += ["--seed", str(facts.manifest.configuration["seed"]), "--replications", str(facts.manifest.replications)]
    options = [part for name, value in facts.options.items() for part in (f"--{name}", value)]
    lines += [shlex.join(run), shlex.join(["clustersim", "compare", folder, *options])]
    report = ["clustersim", "report", folder, *options, *(["--script", script] if facts.script else [])]
    return [*lines, shlex.join(report)]


def _tune(tuned: StoredTuning, script: str, folder: str) -> list[str]:
    """Return the command that picks the step sizes again."""
    sizes = ",".join(repr(size) for size in dict.fromkeys(row["step_size"] for row in tuned.rows))
    options: dict[str, Any] = {
        "step-size": sizes,
        "target": tuned.target,
        "replications": max(int(row["replications"] or 1) for row in tuned.rows),
        "seed": tuned.seed,
        "out": folder,
    }
    given = [part for name, value in options.items() if value is not None for part in (f"--{name}", str(value))]
    return ["clustersim", "tune", script, *given]


def _remarks(facts: Facts) -> list[str]:
    """Say what stands in the way of reproducing the results."""
    remarks = []
    if facts.changes:
        more = f" (and {len(facts.changes) - 3} more differences)" if len(facts.changes) > 3 else ""
        remarks.append(f"The script differs from what was run: {'; '.join(facts.changes[:3])}{more}.")
    if facts.tuned and facts.tuning_used and facts.tuned.seed is None:
        remarks.append("The seed of the tuning is not stored; the command above takes seed 0.")
    return remarks
