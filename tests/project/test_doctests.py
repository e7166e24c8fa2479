"""Every example in a docstring runs."""

import doctest
import importlib
import importlib.util
import pkgutil

import pytest

import clustersim

MODULES = ["clustersim", *(info.name for info in pkgutil.walk_packages(clustersim.__path__, "clustersim."))]
NEED_TORCH = ("clustersim.problems.pytorch.problem", "clustersim.problems.pytorch.vgg")


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    if name in NEED_TORCH and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


def test_there_are_examples():
    modules = [importlib.import_module(name) for name in MODULES if name not in NEED_TORCH]
    found = [test for module in modules for test in doctest.DocTestFinder().find(module)]
    assert sum(len(test.examples) for test in found) > 100
