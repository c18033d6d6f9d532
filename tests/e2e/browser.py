"""Debian's Chromium without a screen, cut off from every host but this one."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as until
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Iterator

_BROWSER: Final = Path("/usr/bin/chromium")
_DRIVER: Final = Path("/usr/bin/chromedriver")
_SECONDS: Final = 40
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--window-size=1280,1600",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser that has never been used; it keeps its console and what it asks for.

    Skips the test where no browser is installed, or fails it where servers are required.
    """
    if not (_BROWSER.exists() and _DRIVER.exists()):
        missing = "Debian's chromium and chromium-driver are not installed"
        if os.environ.get("TEST_REQUIRE_SERVERS") == "1":
            pytest.fail(f"{missing}, and TEST_REQUIRE_SERVERS=1")
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = str(_BROWSER)
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(_DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


def shown(driver: webdriver.Chrome, selector: str) -> Any:
    """An element, as soon as it is to be seen."""
    found = until.visibility_of_element_located((By.CSS_SELECTOR, selector))
    return WebDriverWait(driver, _SECONDS).until(found)


def keep(driver: webdriver.Chrome, name: str) -> None:
    """Save what is to be seen to TEST_SCREENSHOT_DIR, if there is such a variable."""
    folder = os.environ.get("TEST_SCREENSHOT_DIR")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        assert driver.save_screenshot(str(Path(folder) / f"{name}.png"))
