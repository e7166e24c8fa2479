"""A headless Chromium: playwright's own one, or one that is installed on the machine."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium():
    """Start it; without one, skip the test or, where CLUSTERSIM_NEEDS_BROWSER is set as by .ci/run, fail."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it loads slowly

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)
        if path is None:
            reason = "there is no Chromium: python -m playwright install chromium"
            (pytest.fail if os.environ.get("CLUSTERSIM_NEEDS_BROWSER") else pytest.skip)(reason)
        browser = playwright.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()
