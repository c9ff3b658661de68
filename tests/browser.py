"""Headless Chromium for the tests that look at a served page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from tests.server import free_port

# Generous: the machine may be busy, and a wait ends as soon as what it waits for is there.
PATIENCE = 180
# A browser that has not come up within the driver's minute, on a busy machine, is started again.
_STARTS = 3
CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
)


def is_installed() -> bool:
    """Whether Chromium and its driver are there."""
    return os.access(CHROMIUM, os.X_OK) and os.access(DRIVER, os.X_OK)


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Run a browser with a fresh profile; ended with the block."""
    driver = _started(profile)
    try:
        driver.set_page_load_timeout(PATIENCE)
        driver.set_script_timeout(PATIENCE)
        yield driver
    finally:
        driver.quit()


def _started(profile: Path) -> webdriver.Chrome:
    for number in range(1, _STARTS + 1):
        options = webdriver.ChromeOptions()
        # Both named, or else Selenium Manager would look for them on the net.
        options.binary_location = str(CHROMIUM)
        # The one before may still hold its profile.
        for flag in (*FLAGS, f"--user-data-dir={profile / str(number)}"):
            options.add_argument(flag)
        # Selenium would look for a free port, let it go, and hope that it is free still when the driver has come up.
        service = webdriver.ChromeService(str(DRIVER), port=free_port())
        try:
            return webdriver.Chrome(options=options, service=service)
        except WebDriverException:
            if number == _STARTS:
                raise
    raise AssertionError
