"""What was run, in readable form: the descriptions of a manifest as short texts and tables."""

import itertools
from collections.abc import Mapping
from typing import Any

from clustersim.comparison_tables import MOST_VARIANTS
from clustersim.reports.facts import Facts
from clustersim.reports.markup import definitions, note, paragraph, table
from clustersim.studies.manifest import Manifest

__all__ = ["settings", "varied", "worded"]

_PARTS = {"problem": "Problem", "cluster": "Cluster", "optimizer": "Optimiser", "until": "A run ends at"}
_BY_VARIANT = "by variant"
_MOST_ITEMS, _MOST_COLUMNS = 8, 8


def worded(description: Any) -> str:
    """Return a description (see `clustersim.studies.configuration`) as it would be typed, without hashes.

    Examples
    --------
    >>> worded({"class": "Cluster", "workers": 20, "compute": {"class": "Exponential", "mean": 50}, "uplink": None})
    'Cluster(workers = 20, compute = Exponential(mean = 50))'
    >>> worded([1, 1, 2]), worded({"function": "<lambda>"}), worded(True)
    ('[2 times 1, 2]', 'a function', 'yes')
    """
    if isinstance(description, bool):
        return "yes" if description else "no"
    if isinstance(description, float):
        return f"{description:g}"
    if isinstance(description, list):
        return f"[{_items(description)}]"
    if isinstance(description, dict):
        return _object(description)
    return "none" if description is None else str(description)


def varied(settings_: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, str]]:
    """Return the fields in which variants differ: by part and field, the texts of each variant."""
    fields: dict[tuple[str, str], dict[str, str]] = {}
    for variant, setting in settings_.items():
        for part in _PARTS:
            for name, value in _fields(setting[part]).items():
                fields.setdefault((part, name), {})[variant] = worded(value)
    return {key: texts for key, texts in fields.items() if len(set(texts.values())) > 1 or len(texts) < len(settings_)}


def settings(facts: Facts) -> str:
    """Return what was run, as HTML."""
    if facts.manifest is None:
        return paragraph("The settings are not known, because the report was made from results without their folder.")
    manifest = facts.manifest
    variants: dict[str, dict[str, Any]] = manifest.configuration["variants"]
    differing = varied(variants)
    first = next(iter(variants.values()))
    pairs = [(name, _common(first[part], part, differing)) for part, name in _PARTS.items()]
    pairs += [
        (
            "Replications",
            f"{manifest.replications} of each policy in each variant"
            if len(variants) > 1
            else f"{manifest.replications} of each policy",
        ),
        ("Seed", str(manifest.configuration["seed"])),
        ("Evaluated", _evaluations(manifest.configuration["evaluate_every"])),
        ("Versions", ", ".join(f"{name} {version}" for name, version in facts.versions.items())),
    ]
    return "\n".join([_policies(manifest), definitions(pairs), _variants(manifest, differing)])


def _items(items: list[Any]) -> str:
    """Return the items of a list, equal neighbours counted, in short."""
    groups = [(text, len([*group])) for text, group in itertools.groupby(map(worded, items))]
    texts = [text if count == 1 else f"{count} times {text}" for text, count in groups]
    if len(texts) > _MOST_ITEMS:
        texts = [*texts[:3], "…", texts[-1]]
    return ", ".join(texts)


def _object(description: dict[str, Any]) -> str:
    """Return the description of an object, an array or a function."""
    if "function" in description and "class" not in description:
        name = str(description["function"])
        return "a function" if "<lambda>" in name else f"function {name}"
    if "shape" in description and "class" not in description:
        return f"array of shape {tuple(description['shape'])}"
    name, fields = str(description.get("class", "")), _fields(description)
    if name == "Link" and not fields:
        return "no delay"
    inner = ", ".join(f"{field} = {worded(value)}" for field, value in fields.items())
    return f"{name}({inner})" if name else inner


def _fields(description: Any) -> dict[str, Any]:
    """Return the fields of an object that a reader wants to see."""
    if not isinstance(description, dict):
        return {"value": description}
    inner = description.get("describes itself as", description)
    if not isinstance(inner, dict):
        return {"value": inner}
    code = ("class", "user's code", "and has", "value sha256")
    return {
        name: value
        for name, value in inner.items()
        if name not in code and value is not None and not name.endswith("sha256")
    }


def _common(description: Any, part: str, differing: Mapping[tuple[str, str], Any]) -> str:
    """Return a part of the setting, with the fields that differ between variants marked."""
    fields = {
        name: _BY_VARIANT if (part, name) in differing else worded(value)
        for name, value in _fields(description).items()
    }
    fields |= {name: _BY_VARIANT for place, name in differing if place == part and name not in fields}
    name = "" if part in ("cluster", "until") or not isinstance(description, dict) else description.get("class", "")
    return f"{name}: ".lstrip(": ") + ", ".join(f"{field.replace('_', ' ')} = {text}" for field, text in fields.items())


def _evaluations(rule: Any) -> str:
    """Return in words when the models were evaluated."""
    if rule is None:
        return "automatically: often at first, then after every 2 % of the updates or 0.5 % of the time"
    return f"after every {rule} updates" if isinstance(rule, int) else f"as {worded(rule)} says"


def _policies(manifest: Manifest) -> str:
    """Return the table of the policies."""
    rows, own = [], False
    for label, description in manifest.configuration["policies"].items():
        policy, optimizer = _parts(description)
        own = own or bool(optimizer)
        rows.append([label, worded(policy), _exceptions(manifest, label), optimizer or "that of the study"])
    headings = ["label", "policy", "differs between variants in", "optimiser"]
    kept = [0, 1, *([2] if any(row[2] for row in rows) else []), *([3] if own else [])]
    chosen = [[row[place] for place in kept] for row in rows]
    return table("Policies", [headings[place] for place in kept], chosen, words=len(kept))


def _parts(description: Any) -> tuple[Any, str]:
    """Return a policy and the text of the optimiser of its own."""
    if isinstance(description, dict) and description.get("class") == "With":
        return description.get("policy"), worded(description.get("optimizer"))
    return description, ""


def _exceptions(manifest: Manifest, label: str) -> str:
    """Return the fields of a policy that differ between variants, with their values."""
    values: dict[str, dict[str, None]] = {}
    for variant in manifest.variants:
        for name, value in _fields(_parts(manifest.policy(variant, label))[0]).items():
            values.setdefault(name, {})[worded(value)] = None
    several = {name: [*texts] for name, texts in values.items() if len(texts) > 1}
    return "; ".join(f"{name} ({_items(texts)})" for name, texts in several.items())


def _variants(manifest: Manifest, differing: Mapping[tuple[str, str], Mapping[str, str]]) -> str:
    """Return the table of the variants: in what they differ."""
    labels = manifest.variants
    if len(labels) < 2:
        return ""
    shown = [*differing][:_MOST_COLUMNS]
    headings = ["variant", *(f"{_PARTS[part].lower()}: {name.replace('_', ' ')}" for part, name in shown)]
    rows = [[label, *(differing[key].get(label, "none") for key in shown)] for label in labels[:MOST_VARIANTS]]
    more = len(labels) - MOST_VARIANTS
    remarks = [f"The first {MOST_VARIANTS} of {len(labels)} variants are listed."] if more > 0 else []
    remarks += (
        [f"They differ in {len(differing)} settings, of which {_MOST_COLUMNS} are listed."]
        if len(differing) > len(shown)
        else []
    )
    remarks += [] if differing else ["They differ in their policies, or in their data."]
    return table("Variants, and in what they differ", headings, rows, words=len(headings)) + note(remarks)
