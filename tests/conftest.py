"""What all tests share."""

import agreement
import pytest
from hypothesis import settings

# on a busy machine an example may take any time
settings.register_profile("clustersim", deadline=None, max_examples=50)
settings.load_profile("clustersim")


@pytest.fixture
def coarse(monkeypatch):
    """Pictures have few dots, because drawing takes long and nobody looks at them."""
    monkeypatch.setattr("clustersim.plots.files.MOST_DOTS", 300)


@pytest.fixture(scope="module")
def short_patience():
    """A run that goes round in circles is given up after hundreds of events instead of ten thousand."""
    with agreement.short_patience():
        yield
