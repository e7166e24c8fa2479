"""Every example in a docstring runs."""

import doctest
import importlib
import pkgutil

import pytest

import clustersim

MODULES = ["clustersim", *(info.name for info in pkgutil.walk_packages(clustersim.__path__, "clustersim."))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


def test_there_are_examples():
    tried = sum(doctest.testmod(importlib.import_module(name)).attempted for name in MODULES)
    assert tried > 100
