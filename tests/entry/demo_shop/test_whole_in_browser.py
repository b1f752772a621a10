"""The whole, for real: a browser, the shop, dojang's own server with its store, the emulator with its webhooks."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest
import urllib3

from dojang.emulator.options import EmulatorOptions
from dojang.emulator.server import EmulatorServer
from dojang.entry.demo_shop import ShopOptions, ShopServer

if TYPE_CHECKING:
    from dojang.entry.demo_shop.shop import Placed

SECRET = "whsec_ZGVtby1zaG9wLWRlbGl2ZXJ5LXNlY3JldA=="
KEY = "a-key-of-the-shops-own-server"


@dataclass(frozen=True)
class Town:
    """Everything there is: the shop, dojang, the pretend Bootpay."""

    shop: ShopServer
    emulator: EmulatorServer
    dojang_url: str

    def receipts(self) -> list[dict[str, Any]]:
        """What Bootpay's books hold."""
        return self.emulator.emulator.ledger.receipts()

    def state(self, order_id: str) -> str:
        """Where dojang says that an order stands."""
        answer = urllib3.request("GET", f"{self.dojang_url}/v1/orders/{order_id}/state")
        return str(answer.json()["state"])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The three servers, each knowing the others by address alone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dojang_url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    emulator = EmulatorServer(EmulatorOptions(webhook_url=f"{dojang_url}/webhooks/bootpay"))
    with emulator:
        shop = ShopServer(
            ShopOptions(
                dojang_url=dojang_url, emulator_url=emulator.url, api_key=KEY, deliver_secret=SECRET, port=0
            )
        )
        with shop, serving_dojang(dojang_url, emulator.url, shop.url, tmp_path_factory.mktemp("dojang")):
            yield Town(shop, emulator, dojang_url)


class serving_dojang:  # noqa: N801 - reads as what it does: with serving_dojang(...)
    """`dojang serve` as its users start it."""

    def __init__(self, url: str, bootpay_url: str, shop_url: str, folder: Path) -> None:
        self.log = folder / "log"
        self.command = [sys.executable, "-m", "dojang", "serve", "--port", url.rpartition(":")[2]]
        self.environment = {name: value for name, value in os.environ.items() if "DOJANG" not in name} | {
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": bootpay_url,
            "DOJANG_STORE": f"sqlite:///{folder / 'orders.sqlite3'}",
            "DOJANG_API_KEYS": KEY,
            "DOJANG_DELIVER_TO": f"{shop_url}/deliveries",
            "DOJANG_DELIVER_SECRET": SECRET,
            "DOJANG_ALLOW_PRIVATE_DESTINATIONS": "true",
        }
        self.url = url
        self.folder = folder

    def __enter__(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        said = ""
        for line in self.process.stderr:
            said += line
            if "listens on" in line:
                return
        pytest.fail(f"dojang did not start: {said}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


class Buyer:
    """Somebody at the shop's page, with a phone."""

    def __init__(self, browser: Any, town: Town) -> None:
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        self.browser = browser
        self.town = town
        # Pages change while they are looked at; what was just replaced is looked for again.
        self.wait = WebDriverWait(
            browser, 20, poll_frequency=0.1, ignored_exceptions=[StaleElementReferenceException]
        )

    def _shown(self, selector: str) -> Any:
        found = self.browser.find_elements("css selector", selector)
        return found[0] if found and found[0].is_displayed() and found[0].is_enabled() else False

    def press(self, selector: str) -> None:
        """Press something once it can be pressed."""

        def pressed(_: Any) -> bool:
            found = self._shown(selector)
            if found:
                found.click()
            return bool(found)

        self.wait.until(pressed)

    def visit(self, path: str = "/") -> None:
        """Open a page of the shop."""
        self.browser.get(self.town.shop.url + path)

    def buy(self, good: str, *cheats: str) -> Placed:
        """Choose, perhaps cheat, and press the button; the order that comes of it."""
        before = len(self.town.shop.shop.orders())
        self.press(f".good:has([value={good}])")
        if cheats and not self._shown("[name=lower]"):
            self.press(".cheats summary")
        for cheat in cheats:
            self.press(f"[name={cheat}]")
        self.press("button[type=submit]")
        self.wait.until(lambda b: len(self.town.shop.shop.orders()) > before)
        return self.town.shop.shop.orders()[0]

    def pay(self, method: str = "card") -> None:
        """Choose a method in the window and agree."""
        self.browser.switch_to.frame(self.wait.until(lambda b: self._shown("dialog iframe")))
        self.press(f"label:has([value={method}])")
        self.press("button[value=pay]")
        self.browser.switch_to.default_content()

    def verdict(self, kind: str, saying: str = "") -> str:
        """Wait for a verdict of that kind with those words in it; what it says."""

        def said(_: Any) -> str | None:
            found = self._shown(f"#verdict .verdict.{kind}")
            words = str(found.text) if found else ""
            return words if words and saying in words else None

        return str(self.wait.until(said))

    def handed_over(self, placed: Placed) -> int:
        """Wait until the goods of an order left; how often they did."""
        self.wait.until(lambda b: placed.handed_over)
        return placed.handed_over


@pytest.fixture
def buyer(chromium: Any, town: Town) -> Buyer:
    """A buyer in front of the shop's door."""
    town.emulator.reset()
    somebody = Buyer(chromium, town)
    somebody.visit()
    chromium.execute_script("sessionStorage.clear()")
    return somebody


Shoot = Callable[[str], None]


@pytest.fixture
def shoot(buyer: Buyer, tmp_path: Path) -> Shoot:
    """Keep a picture of what the buyer sees."""

    def keep(name: str) -> None:
        buyer.browser.save_screenshot(str(tmp_path / f"{name}.png"))

    return keep


def test_a_good_purchase(buyer: Buyer, town: Town, shoot: Shoot) -> None:
    """Agree in the window; dojang approves, the verdict is paid, and the signed delivery hands the goods over."""
    shoot("shop")
    placed = buyer.buy("ink")
    buyer.pay("kakao")
    said = buyer.verdict("paid")
    handed_over = buyer.handed_over(placed)
    shoot("paid")
    buyer.visit("/orders")
    shoot("orders")
    (receipt,) = town.receipts()
    log = [line for line in buyer.browser.get_log("browser") if line["level"] == "SEVERE"]

    assert ("paid", 1, 1) == (town.state(placed.order_id), handed_over, receipt["status"])
    assert (12_000, "kakao") == (receipt["price"], receipt["method_origin_symbol"])
    assert "결제가 확인되었습니다" in said
    assert "Your payment is verified" in said
    assert [] == log


def test_a_lower_price_is_refused_before_money_moves(buyer: Buyer, town: Town, shoot: Shoot) -> None:
    """The browser pays 100 won for an ink pad: refused by name, nothing captured, nothing handed over."""
    placed = buyer.buy("ink", "lower")
    buyer.pay()
    said = buyer.verdict("refused")
    shoot("refused")
    (receipt,) = town.receipts()

    assert "amount_mismatch" in said
    assert (100, 2) == (receipt["price"], receipt["status"])
    assert ("open", 0) == (town.state(placed.order_id), placed.handed_over)


def test_another_orders_receipt_is_refused(buyer: Buyer, town: Town) -> None:
    """A receipt that paid for one order pays for no other, though the price is the same."""
    first = buyer.buy("paper")
    buyer.pay()
    buyer.verdict("paid")
    buyer.handed_over(first)
    second = buyer.buy("paper", "foreign")
    said = buyer.verdict("refused")

    assert "order_mismatch" in said or "receipt_already_used" in said
    assert ("open", 0, 1) == (town.state(second.order_id), second.handed_over, len(town.receipts()))


def test_a_closed_browser_is_rescued_by_the_webhook(buyer: Buyer, town: Town) -> None:
    """The page tells nobody that it paid; Bootpay's webhook does, and the goods leave."""
    placed = buyer.buy("seal", "leave")
    buyer.pay()
    handed_over = buyer.handed_over(placed)
    buyer.verdict("paid")

    assert (1, "paid") == (handed_over, town.state(placed.order_id))


def test_a_deposit_ends_the_wait(buyer: Buyer, town: Town, shoot: Shoot) -> None:
    """A virtual account: the page shows where to pay and turns to paid by itself once the deposit is there."""
    placed = buyer.buy("seal")
    buyer.pay("vbank")
    said = buyer.verdict("account")
    shoot("account")
    (receipt,) = town.receipts()
    with town.emulator.changing() as ledger:
        ledger.deposit(receipt["receipt_id"])
    buyer.verdict("paid")

    assert receipt["vbank_data"]["bank_account"] in said
    assert 1 == buyer.handed_over(placed)


def test_a_buyer_who_leaves_owes_nothing(buyer: Buyer, town: Town) -> None:
    """Closing the window is told as such; the order stays open."""
    placed = buyer.buy("ink")
    buyer.press("dialog button[aria-label]")
    buyer.verdict("note", "No money has moved")

    assert ("open", 0) == (town.state(placed.order_id), placed.handed_over)


def test_without_a_script_the_purchase_goes_the_long_way(town: Town) -> None:
    """Forms and redirects alone, as a browser without scripts follows them, lead to the same verdict."""
    with urllib3.PoolManager(timeout=20.0) as pool:

        def submit(url: str, **fields: str) -> tuple[str, str]:
            answer = pool.request("POST", url, fields=fields, encode_multipart=False)
            return urljoin(url, answer.geturl() or ""), answer.data.decode()

        _, page = submit(f"{town.shop.url}/buy", good="paper", lang="en")
        order_form = page[page.index("<form") : page.index("</form>")]
        (action,) = re.findall(r'action="([^"]+)"', order_form)
        window, page = submit(action, **dict(re.findall(r'name="([^"]+)" value="([^"]*)"', order_form)))
        landed, page = submit(window, step="pay", method="card", lang="en")
    placed = town.shop.shop.orders()[0]

    assert window.startswith(f"{town.emulator.url}/checkout/")
    assert landed.startswith(f"{town.shop.url}/return?")
    assert 'class="verdict paid"' in page
    assert "paid" == town.state(placed.order_id)


@pytest.mark.parametrize("path", ["/", "/orders"])
def test_pages_fit_a_narrow_phone(buyer: Buyer, path: str) -> None:
    """At 360 pixels nothing has to be scrolled sideways."""
    buyer.visit(path)
    width, needed = buyer.browser.execute_script(
        "return [window.innerWidth, document.documentElement.scrollWidth]"
    )

    assert (360, True) == (width, needed <= width)
