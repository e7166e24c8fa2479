"""The page: the sections in their order, the style, the scripts, and the policy that forbids all others."""

import base64
import hashlib
from importlib.resources import files
from string import Template

from clustersim.reports.commands import reproduction
from clustersim.reports.comparison import claims, comparison, failures
from clustersim.reports.curves import OPEN_CURVES, charted_variants, curves
from clustersim.reports.facts import Facts
from clustersim.reports.maps import heat_maps
from clustersim.reports.markup import note, paragraph, section, text
from clustersim.reports.sentences import summary
from clustersim.reports.settings import settings
from clustersim.reports.timelines import timelines
from clustersim.reports.tunings import tunings

__all__ = ["page"]

_PAGE = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="clustersim">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header>
<p class="kind">Report of a simulation study</p>
<h1>$name</h1>
$summary
<nav aria-label="Sections"><ul>$links</ul></nav>
</header>
<main>
<noscript><p>The charts need JavaScript. The tables do not.</p></noscript>
$sections
</main>
<footer><p>Made by clustersim. The page is complete: it needs no network, and loads nothing.</p></footer>
<script>$library</script>
<script>$script</script>
</body>
</html>
"""
)


def page(facts: Facts, library: str) -> str:
    """Return the report as HTML; `library` is plotly's JavaScript."""
    contents = _contents(facts)
    script, name = _file("page.js"), text(facts.results.name)
    return _PAGE.substitute(
        policy=_policy(library, script),
        title=f"{name}: report",
        style=_file("page.css"),
        name=name,
        summary=paragraph(summary(facts), "summary"),
        links="".join(f'<li><a href="#{anchor}">{text(title)}</a></li>' for anchor, (title, _) in contents.items()),
        sections="\n".join(section(anchor, title, body) for anchor, (title, body) in contents.items()),
        library=library,
        script=script,
    )


def _contents(facts: Facts) -> dict[str, tuple[str, str]]:
    """Return the sections that have contents: by anchor, the title and the HTML."""
    heat = heat_maps(facts)
    remarks = [
        "Framed: the best for each value on the horizontal axis, which may be so by chance.",
        "A dash: no run is finished or, for a time, more than half of the runs end before the target.",
    ]
    sections = {
        "curves": ("Curves", _curves(facts)),
        "map": ("Sweep", heat.html() + note(remarks) if heat else ""),
        "comparison": ("Comparison", comparison(facts)),
        "claims": ("Claims", claims(facts)),
        "failures": ("Failed runs", failures(facts)),
        "tuning-picks": ("Step sizes", tunings(facts)),
        "timelines": ("Timelines", timelines(facts)),
        "settings": ("What was run", settings(facts) + note([facts.results.notes] if facts.results.notes else [])),
        "reproduce": ("How to reproduce it", reproduction(facts)),
    }
    return {f"section-{anchor}": found for anchor, found in sections.items() if found[1]}


def _curves(facts: Facts) -> str:
    """Return the curves, and how to read them."""
    results = facts.results
    if results.frame.empty:
        return paragraph("There are no finished runs, so there are no curves.")
    remarks = [
        "Lines are averages over the replications, bands are 95 % intervals.",
        "Click in the legend to hide a policy, twice to see it alone.",
        "Drag in a chart to enlarge a part of it, and click twice to go back.",
    ]
    variants, policies = len(results.variants), len(results.policies)
    if variants > len(charted_variants(results)):
        remarks.append(f"The curves of {len(charted_variants(results))} of {variants} variants are here.")
    if policies > OPEN_CURVES:
        remarks.append(
            f"At first {OPEN_CURVES} of {policies} policies are shown; click in the legend to see another one."
        )
    return curves(results).html() + note(remarks)


def _policy(*scripts: str) -> str:
    """Return a Content-Security-Policy under which nothing is loaded, and only these scripts run."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    nothing = "default-src 'none'; base-uri 'none'; form-action 'none'"
    return f"{nothing}; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _file(name: str) -> str:
    """Return the text of a file of this package."""
    return (files("clustersim.reports") / name).read_text(encoding="utf-8")
