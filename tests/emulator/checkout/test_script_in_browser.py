"""The window and the script in a real browser: what a buyer does, and what the shop's page hears."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import ShopPage
    from dojang.emulator.server import EmulatorServer

PAGE = """<!doctype html><html lang="ko"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>shop</title>
<script src="%s/js/bootpay.js"></script></head><body><button id="buy">buy</button><output id="said"></output>
<script>
window.heard = null;
const options = %s;
function hear(event) { window.heard = event; document.getElementById("said").textContent = event.event; }
document.getElementById("buy").addEventListener("click", function () {
  Bootpay.requestPayment(options).then(hear, hear);
});
</script></body></html>"""

OPTIONS: dict[str, object] = {
    "client_key": "key",
    "order_id": "order-1",
    "order_name": "원두 200g",
    "price": 12000,
    "items": [{"id": "bean", "name": "원두 200g", "qty": 1, "price": 12000}],
}


class Buyer:
    """Somebody at a browser."""

    def __init__(self, browser: Any) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        self.browser = browser
        self.wait = WebDriverWait(browser, 15)

    def press(self, selector: str) -> None:
        """Press a button once it can be pressed."""
        self.wait.until(lambda b: self._shown(selector)).click()

    def _shown(self, selector: str) -> Any:
        found = self.browser.find_elements("css selector", selector)
        return found[0] if found and found[0].is_displayed() and found[0].is_enabled() else False

    def enter_window(self) -> None:
        """Look into the window that opened on the page."""
        frame = self.wait.until(lambda b: self._shown("dialog.bootpay-window iframe"))
        self.browser.switch_to.frame(frame)

    def leave_window(self) -> None:
        """Look at the shop's page again."""
        self.browser.switch_to.default_content()

    def heard(self) -> dict[str, Any]:
        """What the page's promise came to."""
        self.leave_window()
        event = self.wait.until(lambda b: b.execute_script("return window.heard"))
        assert isinstance(event, dict)
        return event


@pytest.fixture
def buyer(chromium: Any) -> Buyer:
    """A buyer with a phone."""
    return Buyer(chromium)


@pytest.fixture
def buying(
    buyer: Buyer, emulator: EmulatorServer, shop_page: Callable[[str], ShopPage]
) -> Callable[..., Buyer]:
    """A buyer who pressed "buy" in a shop."""

    def press_buy(extra: dict[str, object] | None = None, **options: object) -> Buyer:
        asked = OPTIONS | options | {"extra": extra or {}}
        buyer.browser.get(shop_page(PAGE % (emulator.url, json.dumps(asked))).url)
        buyer.press("#buy")
        return buyer

    return press_buy


def test_a_purchase_confirmed_by_the_page(
    buying: Callable[..., Buyer], emulator: EmulatorServer, tmp_path: Path
) -> None:
    """Choose, agree, hear `confirm`, confirm: only then is there money, and the page holds the paid receipt."""
    buyer = buying({"separately_confirmed": True})
    buyer.enter_window()
    buyer.press("label:has(input[value=kakao])")
    buyer.browser.save_screenshot(str(tmp_path / "window.png"))
    buyer.press("button[value=pay]")
    agreed = buyer.heard()
    unpaid = emulator.emulator.ledger.receipt(agreed["receipt_id"])["status"]
    done = buyer.browser.execute_async_script("const say = arguments[0]; Bootpay.confirm().then(say, say)")
    windows = buyer.browser.find_elements("css selector", "dialog.bootpay-window")
    receipt = emulator.emulator.ledger.receipt(agreed["receipt_id"])

    assert ("confirm", "order-1", 2) == (agreed["event"], agreed["order_id"], unpaid)
    assert ("done", 1, 12000) == (done["event"], done["data"]["status"], done["data"]["price"])
    assert receipt == done["data"]
    assert "kakao_money" == receipt["method_symbol"]
    assert [] == windows
    assert [] == [line for line in buyer.browser.get_log("browser") if line["level"] == "SEVERE"]


def test_a_virtual_account_by_keyboard(buying: Callable[..., Buyer], emulator: EmulatorServer) -> None:
    """Without touching the screen: choose by arrow, press by Enter, see the account, go back with `issued`."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    buyer = buying()
    buyer.enter_window()
    buyer.wait.until(lambda b: b.find_elements("css selector", "button[value=pay]"))

    def keys(*pressed: str) -> None:
        ActionChains(buyer.browser).send_keys(*pressed).perform()

    def focused() -> str:
        return str(buyer.browser.execute_script("return document.activeElement.value || ''"))

    for _ in range(6):
        keys(Keys.TAB)
        if focused() == "card":
            break
    keys(Keys.ARROW_RIGHT)
    chosen = focused()
    keys(Keys.TAB, Keys.ENTER)
    account = buyer.wait.until(lambda b: b.find_elements("css selector", ".account .code"))[0].text
    buyer.press("button[value=close]")
    issued = buyer.heard()

    assert "vbank" == chosen
    assert ("issued", 5) == (issued["event"], issued["data"]["status"])
    assert account == issued["data"]["vbank_data"]["bank_account"]


@pytest.mark.parametrize(
    ("pressed", "expected"),
    [("decline", ("error", "RC_CONFIRM_FAILED", -2)), ("close", ("cancel", "RC_CLOSE_WINDOW", 0))],
)
def test_a_buyer_who_does_not_pay(
    buying: Callable[..., Buyer], emulator: EmulatorServer, pressed: str, expected: tuple[str, str, int]
) -> None:
    """The promise is rejected with the documented event, the window is gone, and no money moved."""
    buyer = buying()
    buyer.enter_window()
    buyer.press(f"button[value={pressed}]")
    event = buyer.heard()
    (receipt,) = emulator.emulator.ledger.receipts()

    assert expected == (event["event"], event["error_code"], receipt["status"])


def test_escape_closes_the_window(buying: Callable[..., Buyer]) -> None:
    """Escape inside the window is the same as its close button."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    buyer = buying()
    buyer.enter_window()
    buyer.wait.until(lambda b: b.find_elements("css selector", "button[value=pay]"))
    ActionChains(buyer.browser).send_keys(Keys.ESCAPE).perform()

    assert "RC_CLOSE_WINDOW" == buyer.heard()["error_code"]


def test_a_popup_closed_after_paying_still_tells_the_truth(
    buying: Callable[..., Buyer], emulator: EmulatorServer
) -> None:
    """Money moved, then the popup was shut from outside: the page hears `done`, not `cancel`."""
    buyer = buying({"open_type": "popup"})
    buyer.wait.until(lambda b: len(b.window_handles) == 2)
    shop, window = buyer.browser.window_handles
    buyer.browser.switch_to.window(window)
    buyer.wait.until(lambda b: "/checkout/" in b.current_url)
    receipt_id = buyer.browser.current_url.rpartition("/")[2]
    with emulator.changing() as ledger:
        ledger.approve(receipt_id)
    buyer.browser.close()
    buyer.browser.switch_to.window(shop)
    event = buyer.heard()

    assert ("done", receipt_id) == (event["event"], event["data"]["receipt_id"])


def test_a_popup_tells_its_page(buying: Callable[..., Buyer]) -> None:
    """A popup pays like the frame, and closes itself."""
    buyer = buying({"open_type": "popup"})
    buyer.wait.until(lambda b: len(b.window_handles) == 2)
    shop, window = buyer.browser.window_handles
    buyer.browser.switch_to.window(window)
    buyer.press("button[value=pay]")
    buyer.browser.switch_to.window(shop)
    event = buyer.heard()

    assert ("done", 1) == (event["event"], event["data"]["status"])
    assert [shop] == buyer.wait.until(lambda b: b.window_handles if len(b.window_handles) == 1 else False)


def test_a_redirect_comes_back_with_the_outcome(buying: Callable[..., Buyer]) -> None:
    """In redirect mode the buyer leaves the page, pays, and lands where they left, with the query."""
    buyer = buying({"open_type": "redirect", "separately_confirmed": True})
    buyer.wait.until(lambda b: "/checkout/" in b.current_url)
    buyer.press("button[value=pay]")
    buyer.wait.until(lambda b: "event=" in b.current_url)
    query = buyer.browser.execute_script(
        "return Object.fromEntries(new URLSearchParams(location.search).entries())"
    )

    assert ("confirm", "order-1", "2") == (query["event"], query["order_id"], query["status"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_key": ""}, "NEED_CLIENT_KEY"),
        ({"order_name": ""}, "INVALID_REQUEST_PARAMS"),
        ({"price": None}, "INVALID_REQUEST_PARAMS"),
        ({"price": 11999}, "NEED_ITEM_TOTAL_PRICE_NOT_MATCH"),
        ({"items": [{"id": "bean", "name": "원두", "qty": 1}]}, "NEED_ITEM_PRICE"),
        ({"items": [{"name": "원두", "qty": 1, "price": 12000}]}, "NEED_ITEM_ID"),
    ],
)
def test_the_script_refuses_before_it_asks(
    buying: Callable[..., Buyer], emulator: EmulatorServer, change: dict[str, object], code: str
) -> None:
    """Options that Bootpay's script refuses by itself open no window and leave no receipt."""
    buyer = buying(**change)
    event = buyer.heard()

    assert ("error", code, []) == (event["event"], event["error_code"], emulator.emulator.ledger.receipts())


def test_nothing_to_confirm(buying: Callable[..., Buyer]) -> None:
    """`confirm()` without a payment that waits for it is refused as Bootpay's script does."""
    buyer = buying(client_key="")
    refused = buyer.browser.execute_async_script("const say = arguments[0]; Bootpay.confirm().then(say, say)")

    assert "RC_CONFIRM_READY_NOT_YET" == refused["error_code"]


def test_destroy_ends_the_wait(buying: Callable[..., Buyer], emulator: EmulatorServer) -> None:
    """A page that takes the window away hears `RC_CLOSE_WINDOW`; nobody can pay in the window any more."""
    buyer = buying()
    buyer.enter_window()
    buyer.wait.until(lambda b: b.find_elements("css selector", "button[value=pay]"))
    buyer.leave_window()
    buyer.browser.execute_script("Bootpay.destroy()")
    event = buyer.heard()

    assert "RC_CLOSE_WINDOW" == event["error_code"]
    assert [] == buyer.browser.find_elements("css selector", "dialog.bootpay-window")
