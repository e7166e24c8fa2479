"""What all tests share."""

import agreement
import pytest
from hypothesis import settings

settings.register_profile("clustersim", deadline=None)  # on a busy machine an example may take any time
settings.load_profile("clustersim")


@pytest.fixture(scope="module")
def short_patience():
    """A run that goes round in circles is given up after hundreds of events instead of ten thousand."""
    with agreement.short_patience():
        yield
