"""How to reproduce a report: the commands."""

import shlex

from clustersim.reports.facts import Facts
from clustersim.reports.markup import code_block, note, paragraph
from clustersim.studies.files import slug

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
    manifest, tuned = facts.manifest, facts.tuned
    version = facts.versions.get("clustersim")
    lines = [f"pip install 'clustersim[report]{f'=={version}' if version else ''}'"]
    run = ["clustersim", "run", script, "--out", folder]
    tuning = f"{folder}-tuning"
    if tuned and facts.tuning_used:
        sizes = ",".join(f"{size!r}" for size in dict.fromkeys(row["step_size"] for row in tuned.rows))
        tune = ["clustersim", "tune", script, "--step-size", sizes, "--out", tuning]
        tune += [] if tuned.target is None else ["--target", repr(tuned.target)]
        lines.append(shlex.join(tune))
        run += ["--tuned", tuning]
    run += ["--quick"] if facts.quick else []
    if manifest:
        run += ["--seed", str(manifest.configuration["seed"]), "--replications", str(manifest.replications)]
    options = [part for name, value in facts.options.items() for part in (f"--{name}", value)]
    lines += [shlex.join(run), shlex.join(["clustersim", "compare", folder, *options])]
    report = ["clustersim", "report", folder, *options, *(["--script", script] if facts.script else [])]
    return [*lines, shlex.join(report)]


def _remarks(facts: Facts) -> list[str]:
    """Say what stands in the way of reproducing the results."""
    if not facts.changes:
        return []
    more = f" (and {len(facts.changes) - 3} more differences)" if len(facts.changes) > 3 else ""
    return [f"The script differs from what was run: {'; '.join(facts.changes[:3])}{more}."]
