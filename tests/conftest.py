"""A real browser for whoever needs one: Debian's Chromium, headless, the size of a phone."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
UPDATE = ["apt-get", "update"]
INSTALL = [
    "apt-get", "install", "-y", "--no-install-recommends", "chromium", "chromium-driver", "fonts-noto-cjk",
]  # fmt: skip
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-default-apps",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip


def unavailable(reason: str) -> NoReturn:
    """Skip with a reason; where the machine promised to have everything, fail instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, but there is no browser: {reason}")
    pytest.skip(reason)


def installed() -> bool:
    """Whether browser and driver are where Debian puts them."""
    return CHROMIUM.exists() and DRIVER.exists()


@pytest.fixture(scope="session")
def chromium_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's Chromium and its driver, installed now if that needs no question."""
    if installed():
        return CHROMIUM
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        unavailable(
            "chromium and chromium-driver are not installed, and only root with apt-get can install them"
        )
    log = tmp_path_factory.mktemp("apt") / "log"
    with Path(tempfile.gettempdir(), "dojang-tests-apt.lock").open("w") as lock, log.open("w") as sink:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of the same run may be at it
        try:
            for command in [] if installed() else [UPDATE, INSTALL]:
                environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
                subprocess.run(command, env=environment, stdout=sink, stderr=sink, timeout=240, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            unavailable(f"chromium could not be installed: {error}; {log.read_text()[-300:]}")
    if not installed():
        unavailable("apt-get installed chromium, but not into /usr/bin")
    return CHROMIUM


@pytest.fixture(scope="session")
def running_chromium(chromium_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless browser the size of a phone, with an empty profile; it reaches nothing but this machine."""
    if importlib.util.find_spec("selenium") is None:
        unavailable("selenium is not installed; it belongs to the development dependencies")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium_binary)
    profile = tmp_path_factory.mktemp("profile")
    for flag in [*FLAGS, f"--user-data-dir={profile}", "--window-size=500,900"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    phone = {"deviceMetrics": {"width": 360, "height": 740, "pixelRatio": 2.0, "touch": True, "mobile": True}}
    options.add_experimental_option("mobileEmulation", phone)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    browser.set_script_timeout(15)
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def chromium(running_chromium: Any) -> Any:
    """The browser as new: one empty window, nothing stored, nothing logged."""
    first, *others = running_chromium.window_handles
    for other in others:
        running_chromium.switch_to.window(other)
        running_chromium.close()
    running_chromium.switch_to.window(first)
    running_chromium.get("about:blank")
    running_chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    running_chromium.get_log("browser")
    return running_chromium
