"""An emulator with its window, shops' pages on another origin, and a real browser."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3

from dojang.emulator.server import EmulatorServer

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
INSTALL = ["apt-get", "install", "-y", "--no-install-recommends"]
PACKAGES = ["chromium", "chromium-driver", "fonts-noto-cjk"]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-default-apps",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]  # fmt: skip


@pytest.fixture
def emulator() -> Iterator[EmulatorServer]:
    """A pretend Bootpay, empty."""
    with EmulatorServer() as server:
        yield server


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    """A plain HTTP client; redirects are answers."""
    with urllib3.PoolManager(retries=False, timeout=10.0) as pool:
        yield pool


@dataclass(frozen=True)
class ShopPage:
    """A page of a shop, on its own origin."""

    url: str


@pytest.fixture
def shop_page() -> Iterator[Callable[[str], ShopPage]]:
    """Serve one HTML page at every path of a fresh origin."""
    servers: list[ThreadingHTTPServer] = []

    def serve(html: str) -> ShopPage:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = html.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return ShopPage(f"http://127.0.0.1:{server.server_address[1]}/")

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def unavailable(reason: str) -> None:
    """Skip with a reason; where the machine promised to have everything, fail instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, but there is no browser: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's Chromium and its driver, installed now if that needs no question."""
    if CHROMIUM.exists() and DRIVER.exists():
        return CHROMIUM
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        unavailable(
            "chromium and chromium-driver are not installed, and only root with apt-get can install them"
        )
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    log = tmp_path_factory.mktemp("apt") / "log"
    try:
        with log.open("w") as sink:
            for command in (["apt-get", "update"], [*INSTALL, *PACKAGES]):
                subprocess.run(command, env=environment, stdout=sink, stderr=sink, timeout=240, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        unavailable(f"chromium could not be installed: {error}; {log.read_text()[-300:]}")
    if not (CHROMIUM.exists() and DRIVER.exists()):
        unavailable("apt-get installed chromium, but it is not in /usr/bin")
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
