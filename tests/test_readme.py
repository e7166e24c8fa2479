"""The README's Python runs as it stands there, and its links lead somewhere."""

import re
import sys
import types
from pathlib import Path

import pytest

import clustersim as cs

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_python_blocks_run_one_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 3
    module = types.ModuleType("readme")  # a module of its own, so that its classes can be pickled
    monkeypatch.setitem(sys.modules, "readme", module)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), module.__dict__)  # noqa: S102 - our own file, and a test of just that
    assert "adaptive" in capsys.readouterr().out
    assert (tmp_path / "results" / "first" / "manifest.json").exists()


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("script", re.findall(r"scenarios/\w+\.py", README))
def test_scenarios_exist(script):
    assert (ROOT / script).exists()


def test_every_public_name_of_the_tables_exists():
    section = README.split("## What there is")[1].split("**The clock.**")[0]
    for name in re.findall(r"`([A-Z]\w+)", section):
        assert any(hasattr(place, name) for place in (cs, cs.waits, cs.decoders, cs.placements, cs.schedules)), name
