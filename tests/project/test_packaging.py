"""What pyproject.toml promises: lower bounds that CI can turn into exact versions, and scenarios in the package."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED = (
    PROJECT["dependencies"]
    + PROJECT["optional-dependencies"]["test"]
    + PROJECT["optional-dependencies"]["notebook"]
    + PROJECT["optional-dependencies"]["report"]
)


@pytest.mark.parametrize("requirement", [text for text in NEEDED if not text.startswith("clustersim")])
def test_every_dependency_has_a_lower_bound_that_is_one_version(requirement):
    """`.ci/run` makes NAME==VERSION of NAME>=VERSION, and tests with just that."""
    assert re.fullmatch(r"[a-z-]+>=\d+(\.\d+)+", requirement)


def test_what_ci_reads_is_all_of_it():
    command = next(line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("grep -oE"))
    pattern = command.split("'")[1]
    found = re.findall(pattern, (ROOT / "pyproject.toml").read_text())
    assert {f'"{text}"' for text in NEEDED if not text.startswith("clustersim")} <= set(found)


def test_pyarrow_does_not_run_code_from_a_file():
    """PyArrow before 14.0.1 does when it reads an extension type."""
    assert tuple(map(int, version("pyarrow").split(".")[:3])) >= (14, 0, 1)
    bound = next(text for text in NEEDED if text.startswith("pyarrow")).split(">=")[1]
    assert tuple(map(int, bound.split("."))) >= (14, 0, 1)


def test_a_wheel_holds_the_package_and_nothing_else():
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert targets["wheel"]["only-include"] == ["clustersim", "scenarios"]
    assert targets["wheel"]["sources"] == {"scenarios": "clustersim/scenarios"}


def test_the_scenarios_come_with_the_package(tmp_path):
    """As it is installed here, whether from the sources in place, a wheel or an archive."""
    code = "from clustersim.scripts import load_study, shipped; all = shipped()"
    code += "; print(load_study(all['lgc_scale']).name, len(all))"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == f"lgc-scale {len(list((ROOT / 'scenarios').glob('[!_]*.py')))}\n"
