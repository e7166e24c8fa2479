"""The README's Python runs as it stands there, and its links lead somewhere."""

import re
import sys
import types
from pathlib import Path

import pytest
from small import thinned

import clustersim as cs
from clustersim.scripts import shipped

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_python_blocks_run_one_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cs.datasets, "fashion_mnist", thinned(cs.datasets.fashion_mnist))
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 3
    module = types.ModuleType("readme")  # a module of its own, so that its classes can be pickled
    monkeypatch.setitem(sys.modules, "readme", module)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), module.__dict__)  # noqa: S102 - our own file, and a test of just that
    assert "k = 40" in capsys.readouterr().out
    assert (tmp_path / "results" / "first" / "manifest.json").exists()


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("script", re.findall(r"scenarios/\w+\.py", README))
def test_scripts_exist(script):
    assert (ROOT / script).exists()


def test_the_table_of_scenarios_is_that_of_the_package():
    table = README.split("| scenario | question |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == list(shipped())
    assert set(re.findall(r"clustersim run (\w+)[ `]", README)) <= set(shipped()) | {"my_script", "SCRIPT"}


def test_every_public_name_of_the_tables_exists():
    section = README.split("## Components")[1].split("**The clock.**")[0]
    for name in re.findall(r"`([A-Z]\w+)", section):
        assert any(hasattr(place, name) for place in (cs, cs.waits, cs.decoders, cs.placements, cs.schedules)), name
