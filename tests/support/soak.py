"""How many cases the laws of the engines try, and in which ways.

For a soak run set CLUSTERSIM_EXAMPLES to some thousands.
"""

import os
from contextlib import nullcontext

import pytest
from agreement import ways_of_the_large
from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("CLUSTERSIM_EXAMPLES", "25"))
"""Cases that a property is tried on."""

TIMEOUT = max(300, EXAMPLES)
"""Seconds for all cases of a property."""

WAYS = [pytest.param(nullcontext, id="as they are"), pytest.param(ways_of_the_large, id="ways of the large")]

many = settings(max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
fewer = settings(many, max_examples=max(1, EXAMPLES // 2))
