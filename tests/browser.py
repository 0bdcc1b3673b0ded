"""A headless Chromium without network access, for tests of pages."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """Yields a browser that logs its console and its requests; skips the test if it is missing.

    Args:
        profile: A new folder for the profile.
    """
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if not all(programs):
        pytest.skip("chromium and chromedriver (Debian: chromium-driver) are not installed")
    options = ChromeOptions()
    options.binary_location = programs[0]
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chrome(options, Service(programs[1]))
    try:
        yield browser
    finally:
        browser.quit()


def look(browser: Chrome, page: Path, width: int, dark: bool = False, address: str = "") -> None:
    """Opens a page at a given screen width and clears the logs.

    Args:
        browser: The browser.
        page: The file.
        width: Width of the screen in pixels; below 500 a phone is emulated.
        dark: Whether to prefer a dark color scheme.
        address: Text after the file in the URL, such as a fragment.
    """
    browser.get("about:blank")
    screen = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(page.resolve().as_uri() + address)
    settled(browser)


def settled(browser: Chrome) -> None:
    """Waits until resize observers have drawn."""
    browser.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));"
    )


def photograph(browser: Chrome, to: Path) -> None:
    """Writes the whole page as a PNG."""
    size = browser.execute_script("return [innerWidth, document.documentElement.scrollHeight];")
    clip: dict[str, Any] = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    to.write_bytes(base64.b64decode(shot["data"]))
