"""The window over plain HTTP: what a buyer without a script sees and does, and what nobody may do with it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from dojang.emulator.options import EmulatorOptions
from dojang.emulator.rules import Keys
from dojang.emulator.server import EmulatorServer

SAMPLES = Path(__file__).parents[2] / "samples" / "bootpay"
SHOP = "http://127.0.0.1:8402"
OPTIONS: Mapping[str, object] = {
    "client_key": "key",
    "order_id": "order-1",
    "order_name": "원두 <200g>",
    "price": 12000,
}


class Window:
    """A payment window, and the shop's page that opened it."""

    def __init__(self, emulator: EmulatorServer, http: urllib3.PoolManager) -> None:
        self.emulator = emulator
        self.http = http
        self.receipt_id = ""

    def open(self, extra: Mapping[str, object] | None = None, **options: object) -> urllib3.BaseHTTPResponse:
        """Ask for a window as the script does."""
        asked = {**OPTIONS, **options, "extra": extra or {}}
        answer = self.http.request(
            "POST", self.emulator.url + "/v2/request/payment", json=asked, headers={"Origin": SHOP}
        )
        self.receipt_id = answer.json().get("receipt_id", "")
        return answer

    @property
    def url(self) -> str:
        """The window's address."""
        return f"{self.emulator.url}/checkout/{self.receipt_id}"

    def look(self, query: str = "") -> urllib3.BaseHTTPResponse:
        """See the page."""
        return self.http.request("GET", self.url + query)

    def press(self, step: str, **fields: str) -> urllib3.BaseHTTPResponse:
        """Press a button of the page."""
        return self.http.request("POST", self.url, fields={"step": step, **fields}, encode_multipart=False)

    def outcome(self, query: str = "") -> dict[str, Any] | None:
        """What the page tells the shop's page, if it does."""
        found = re.search(r'data-event="([^"]*)"', self.look(query).data.decode())
        return json.loads(found[1].replace("&#34;", '"')) if found else None

    def status(self) -> int:
        """The receipt's status in the books."""
        status = self.emulator.emulator.ledger.receipt(self.receipt_id)["status"]
        assert isinstance(status, int)
        return status


@pytest.fixture
def window(emulator: EmulatorServer, http: urllib3.PoolManager) -> Window:
    """No window yet; `open()` one."""
    return Window(emulator, http)


def shape(event: Mapping[str, Any]) -> dict[str, object]:
    """An event's keys, those of its receipt too."""
    return {key: sorted(value) if key == "data" else None for key, value in event.items()}


def test_the_page_shows_what_is_paid_and_that_nothing_is_real(window: Window) -> None:
    """Shop, order, price and methods; the warning; and text that looks like markup stays text."""
    window.open()
    page = window.look().data.decode()

    assert ["card", "vbank", "kakao", "phone"] == re.findall(r'name="method" value="(\w+)"', page)
    for words in ("테스트상점", "원두 &lt;200g&gt;", "order-1", "12,000원", "실제 돈은 오가지 않습니다"):
        assert words in page


def test_the_page_speaks_english_when_asked(window: Window) -> None:
    """By link, or by the shop's `locale`."""
    window.open()
    by_link = window.look("?lang=en").data.decode()
    window.open(locale="en")
    by_shop = window.look().data.decode()

    for page in (by_link, by_shop):
        assert '<html lang="en">' in page
        assert "No real money moves" in page


def test_nothing_is_fetched_from_elsewhere(window: Window) -> None:
    """Style and script are the emulator's own, and only the shop's page may frame the window."""
    window.open()
    answer = window.look()
    policy = answer.headers["content-security-policy"]

    assert [] == re.findall(r'(?:src|href)="(?:https?:)?//', answer.data.decode())
    assert "default-src 'none'" in policy
    assert policy.endswith(f"frame-ancestors 'self' {SHOP}")


@pytest.mark.parametrize(
    ("extra", "method", "status", "sample"),
    [
        ({}, "card", 1, "done"),
        ({"separately_confirmed": True}, "card", 2, "confirm"),
        ({}, "vbank", 5, "issued"),
    ],
)
def test_events_have_the_documented_shape(
    window: Window, extra: Mapping[str, object], method: str, status: int, sample: str
) -> None:
    """What the page tells has the keys of the recorded events."""
    window.open(extra)
    window.press("pay", method=method)
    event = window.outcome("?leave=1")
    recorded = json.loads((SAMPLES / "v2_js_events.json").read_text())[sample]

    assert event is not None
    assert (status, sample) == (window.status(), event["event"])
    assert shape(recorded) == shape(event)


def test_error_and_cancel_have_the_documented_shape(window: Window) -> None:
    """Declined and closed windows reject with the recorded keys."""
    recorded = json.loads((SAMPLES / "v2_js_events.json").read_text())
    window.open()
    window.press("decline")
    declined = window.outcome()
    window.open()
    window.press("close")
    closed = window.outcome()

    assert declined is not None
    assert sorted(recorded["error"]) == sorted(declined)
    assert recorded["cancel"] == closed


def test_a_virtual_account_is_shown_and_paid_into(window: Window) -> None:
    """After the choice the page shows bank, account and holder; the simulated deposit pays."""
    window.open()
    window.press("pay", method="vbank")
    page = window.look().data.decode()
    told_before = window.outcome()
    receipt = window.emulator.emulator.ledger.receipt(window.receipt_id)
    window.press("deposit")

    assert str(receipt["vbank_data"]["bank_account"]) in page
    assert (None, 1) == (told_before, window.status())


def test_a_redirect_carries_the_documented_query(window: Window) -> None:
    """The shop's own query stays, ours is added, and never twice."""
    window.open(
        {"open_type": "redirect", "separately_confirmed": True},
        redirect_url=f"{SHOP}/return?lang=en&event=forged",
    )
    answer = window.press("pay", method="card")
    parts = urlsplit(answer.headers["location"])
    query = parse_qs(parts.query, keep_blank_values=True)
    recorded = json.loads((SAMPLES / "v2_redirect_query.json").read_text())

    assert (303, f"{parts.scheme}://{parts.netloc}{parts.path}") == (answer.status, f"{SHOP}/return")
    assert {*recorded, "lang"} == set(query)
    assert (["confirm"], ["2"], [window.receipt_id]) == (query["event"], query["status"], query["receipt_id"])


def test_a_form_opens_the_window_without_a_script(
    emulator: EmulatorServer, http: urllib3.PoolManager
) -> None:
    """Plain form fields, nested ones in brackets, lead straight to the page."""
    fields = {
        **{name: str(value) for name, value in OPTIONS.items()},
        "redirect_url": f"{SHOP}/return",
        "extra[open_type]": "redirect",
        "extra[separately_confirmed]": "true",
    }
    answer = http.request("POST", emulator.url + "/v2/request/payment", fields=fields, encode_multipart=False)
    page = http.request("GET", emulator.url + answer.headers["location"])
    receipt_id = answer.headers["location"].rpartition("/")[2]

    assert (303, 200) == (answer.status, page.status)
    assert emulator.emulator.ledger.find(receipt_id).separately_confirmed


def test_a_browser_cannot_say_what_only_bootpay_may(window: Window) -> None:
    """Status, receipt id, sandbox flag, webhook address and the like are not read from a page's options."""
    window.open(
        {"status": 1},
        status=1,
        receipt_id="0" * 24,
        sandbox=True,
        webhook_url="http://127.0.0.1:1/",
        requested_at=0,
        generation=1,
        purchased_at="2026-01-01",
    )
    receipt = window.emulator.emulator.ledger.find(window.receipt_id)

    assert "0" * 24 != receipt.receipt_id
    assert (0, False, None, 2) == (receipt.status, receipt.sandbox, receipt.webhook_url, receipt.generation)


@pytest.mark.parametrize("step", ["confirm", "approve", "set", "cancel", "", "issue", "revert"])
def test_only_the_buyers_steps_exist(window: Window, step: str) -> None:
    """The window cannot confirm, tamper or cancel."""
    window.open({"separately_confirmed": True})
    answer = window.press(step, method="card")

    assert (400, 0) == (answer.status, window.status())


def test_only_offered_methods_can_be_chosen(window: Window) -> None:
    """A shop that offers cards only gets cards only."""
    window.open(method="카드")
    offered = re.findall(r'name="method" value="(\w+)"', window.look().data.decode())
    refused = window.press("pay", method="vbank")

    assert (["card"], 400, 0) == (offered, refused.status, window.status())


def test_a_finished_window_stays_finished(window: Window) -> None:
    """Paying twice, declining after paying, paying after closing: refused in one sentence, nothing changes."""
    window.open()
    window.press("pay", method="card")
    statuses = [window.press("pay", method="card").status, window.press("decline").status]
    paid = window.status()
    window.open()
    window.press("close")
    late = window.press("pay", method="card")

    assert ([400, 400], 1) == (statuses, paid)
    assert (400, 0) == (late.status, window.status())


@pytest.mark.parametrize(
    ("extra", "key", "expected"),
    [
        ({"separately_confirmed": True}, "key", (200, 1)),
        ({"separately_confirmed": True}, "another", (400, 2)),
        ({"separately_confirmed": True, "confirm_only_rest_api": True}, "key", (400, 2)),
        ({}, "key", (400, 1)),
    ],
    ids=["allowed", "with another key", "reserved to the server", "nothing waits"],
)
def test_confirming_from_the_browser(
    window: Window, extra: Mapping[str, object], key: str, expected: tuple[int, int]
) -> None:
    """Only a payment that waits, by the page's own key, where the shop left it to the page."""
    window.open(extra)
    window.press("pay", method="card")
    answer = window.http.request("POST", window.url + "/confirm", json={"client_key": key})

    assert expected == (answer.status, window.status())
    if answer.status == 400:
        assert "RC_NOT_CONFIRM_READY" == answer.json()["error_code"]


def test_a_window_of_the_controls_cannot_be_confirmed_from_a_browser(window: Window) -> None:
    """Nobody's page opened it, so nobody's page confirms it; it shows and pays all the same."""
    with window.emulator.changing() as ledger:
        from dojang.emulator.ledger import Checkout

        receipt = ledger.open_checkout(Checkout(order_id="o", price=1000, separately_confirmed=True))
    window.receipt_id = receipt.receipt_id
    window.press("pay", method="card")
    answer = window.http.request("POST", window.url + "/confirm", json={"client_key": ""})

    assert (400, 2, None) == (answer.status, window.status(), window.outcome())


def test_closing_from_outside_tells_what_had_happened(window: Window) -> None:
    """A shut popup: `cancel` while nothing was paid, `done` when it was."""
    window.open()
    unpaid = window.http.request("POST", window.url + "/close", json={}).json()
    window.open()
    window.press("pay", method="card")
    paid = window.http.request("POST", window.url + "/close", json={}).json()

    assert ("RC_CLOSE_WINDOW", "done") == (unpaid["error_code"], paid["event"])


def test_only_the_projects_key_opens_a_window(http: urllib3.PoolManager) -> None:
    """An emulator told which keys are right refuses others, and answers with Bootpay's code."""
    with EmulatorServer(EmulatorOptions(keys=Keys(client_key="right"))) as strict:
        window = Window(strict, http)
        refused, opened = window.open(client_key="wrong"), window.open(client_key="right")

    assert (401, "APP_KEY_NOT_FOUND") == (refused.status, refused.json()["error_code"])
    assert 200 == opened.status


@pytest.mark.parametrize(
    "change",
    [
        {"client_key": ""},
        {"order_id": ""},
        {"order_name": None},
        {"price": "a lot"},
        {"price": -1},
        {"price": 0},
        {"price": 1000.5},
        {"price": True},
        {"price": 1e300},
        {"method": "seashells"},
        {"method": [{"a": 1}]},
        {"redirect_url": "javascript:alert(1)"},
        {"redirect_url": "https://[broken"},
        {"currency": "wons"},
        {"extra": {"open_type": "hologram"}},
        {"extra": {"open_type": "redirect"}},
        {"extra": {"deposit_expiration": "someday"}},
        {"order_id": "x" * 300},
    ],
    ids=str,
)
def test_bad_options_are_a_clear_no(window: Window, change: dict[str, Any]) -> None:
    """A code, a sentence, no receipt; never a fault of the emulator's."""
    extra = change.pop("extra", None)
    answer = window.open(extra, **change)

    assert 400 <= answer.status < 500
    assert {"error_code", "message"} == set(answer.json())
    assert [] == window.emulator.emulator.ledger.receipts()


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b"[" * 50_000, b'{"a":' * 50_000])
def test_a_body_that_is_nothing_is_a_clear_no(
    emulator: EmulatorServer, http: urllib3.PoolManager, body: bytes
) -> None:
    """Whatever is sent to the window's addresses, the answer is a 4xx."""
    statuses = [
        http.request(
            "POST", emulator.url + path, body=body, headers={"Content-Type": "application/json"}
        ).status
        for path in ("/v2/request/payment", "/checkout/x", "/checkout/x/close", "/checkout/x/confirm")
    ]

    assert [True] * 4 == [400 <= status < 500 for status in statuses]


@pytest.mark.parametrize("receipt_id", ["0" * 24, "x", "..", "%2e%2e", "a%2Fb", "<b>"])
def test_an_unknown_window_is_a_page_of_its_own(
    emulator: EmulatorServer, http: urllib3.PoolManager, receipt_id: str
) -> None:
    """404, in words, without an echo of the address."""
    answer = http.request("GET", f"{emulator.url}/checkout/{receipt_id}")

    assert 404 == answer.status
    assert b"<b>" not in answer.data


def test_the_script_is_served_and_any_page_may_ask(
    emulator: EmulatorServer, http: urllib3.PoolManager
) -> None:
    """The script's type lets a browser run it; the preflight lets a shop's page post JSON."""
    script = http.request("GET", emulator.url + "/js/bootpay.js")
    preflight = http.request("OPTIONS", emulator.url + "/v2/request/payment")

    assert "text/javascript; charset=utf-8" == script.headers["content-type"]
    assert b"window.Bootpay" in script.data
    assert ("*", "content-type") == (
        preflight.headers["access-control-allow-origin"],
        preflight.headers["access-control-allow-headers"],
    )
