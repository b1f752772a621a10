"""The table "What happens when" of the README, row by row, against the real service and the emulator."""

from __future__ import annotations

import base64
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import urllib3
from standardwebhooks.webhooks import Webhook

from dojang import Dojang
from dojang.emulator.options import EmulatorOptions
from dojang.emulator.server import EmulatorServer

API_KEY = "shop-key-for-tests"
SECRET = "whsec_" + base64.b64encode(b"only for these tests....").decode()
_numbers = count(1)


class Shop:
    """A shop's server: checks each delivery's signature and notes what it was told."""

    def __init__(self) -> None:
        told: list[tuple[str, dict[str, object]]] = []
        self.told = told

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                Webhook(SECRET).verify(body, dict(self.headers.items()))
                told.append((self.headers["webhook-id"], json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def deliveries(self, order_id: str) -> list[str]:
        """The types of what was told about an order, each delivery id once, in order."""
        seen: dict[str, str] = {}
        for message_id, message in list(self.told):
            data = message["data"]
            assert isinstance(data, dict)
            if data["order_id"] == order_id:
                seen.setdefault(message_id, str(message["type"]))
        return list(seen.values())

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Place:
    """The service, the emulator and the shop, with what a test says to them."""

    def __init__(self, url: str, emulator: EmulatorServer, shop: Shop) -> None:
        self.url = url
        self.emulator = emulator
        self.shop = shop
        self._http = urllib3.PoolManager(retries=False)

    def order(self, price: int = 3000) -> str:
        """Register a new order."""
        order_id = f"order-{next(_numbers)}"
        status, _ = self._send(
            "POST",
            f"{self.url}/v1/orders",
            {"order_id": order_id, "price": price, "name": "테스트음식"},
            key=True,
        )
        assert status == 201
        return order_id

    def checkout(self, order_id: str, price: int = 3000, *steps: str, **more: object) -> str:
        """Open a payment window and play the buyer; the receipt's id."""
        wanted = {"order_id": order_id, "price": price, "order_name": "테스트음식", **more}
        _, opened = self._send("POST", f"{self.emulator.url}/emulator/checkouts", wanted)
        for step in steps:
            self.step(str(opened["receipt_id"]), step)
        return str(opened["receipt_id"])

    def step(self, receipt_id: str, step: str, **body: object) -> dict[str, object]:
        """One control of the emulator."""
        status, receipt = self._send(
            "POST", f"{self.emulator.url}/emulator/receipts/{receipt_id}/{step}", body
        )
        assert status == 200, receipt
        return receipt

    def verify(self, order_id: str, receipt_id: str) -> tuple[int, dict[str, object]]:
        """What the buyer's page does."""
        return self._send("POST", f"{self.url}/v1/orders/{order_id}/verify", {"receipt_id": receipt_id})

    def webhook(self, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        """What Bootpay, or anybody else, may send."""
        return self._send("POST", f"{self.url}/webhooks/bootpay", body)

    def state(self, order_id: str) -> str:
        """The state anyone may see."""
        return str(self._send("GET", f"{self.url}/v1/orders/{order_id}/state")[1]["state"])

    def receipt(self, receipt_id: str) -> dict[str, object]:
        """Bootpay's account of a checkout."""
        answer = self._http.request("GET", f"{self.emulator.url}/emulator/receipts")
        return next(receipt for receipt in answer.json() if receipt["receipt_id"] == receipt_id)

    def calls_for(self, receipt_id: str) -> int:
        """How often the service has asked the emulator about a receipt."""
        return sum(receipt_id in path for path in self.emulator.asked())

    def eventually(self, expected: object, look: object) -> object:
        """Look until it is as expected; what it was at last."""
        assert callable(look)
        until = time.monotonic() + 15
        while (seen := look()) != expected and time.monotonic() < until:
            time.sleep(0.05)
        return seen

    def _send(
        self, method: str, url: str, body: dict[str, object] | None = None, *, key: bool = False
    ) -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {API_KEY}"} if key else {}
        answer = self._http.request(method, url, json=body, headers=headers)
        return answer.status, answer.json()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """All three, on free ports, for all tests of this file."""
    port = _free_port()
    shop = Shop()
    options = EmulatorOptions(webhook_url=f"http://127.0.0.1:{port}/webhooks/bootpay")
    with EmulatorServer(options) as emulator:
        environment = {
            **os.environ,
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": emulator.url,
            "DOJANG_STORE": f"sqlite:///{tmp_path_factory.mktemp('store')}/dojang.sqlite3",
            "DOJANG_API_KEYS": API_KEY,
            "DOJANG_DELIVER_TO": shop.url,
            "DOJANG_DELIVER_SECRET": SECRET,
        }
        log = (tmp_path_factory.mktemp("log") / "serve.log").open("wb")
        with (
            log,
            subprocess.Popen(
                [sys.executable, "-m", "dojang", "serve", "--port", str(port)],
                env=environment,
                stderr=log,
                stdout=log,
            ) as service,
        ):
            try:
                _wait_for(port, service)
                yield Place(f"http://127.0.0.1:{port}", emulator, shop)
            finally:
                service.send_signal(signal.SIGTERM)
                service.wait(20)
                shop.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, service: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and service.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the service did not start")


def test_lowered_price_is_refused_before_approval(place: Place) -> None:
    """Row 1, server approval: the wrong price is refused and no money moves."""
    order_id = place.order(3000)
    receipt_id = place.checkout(order_id, 100, "approve", separately_confirmed=True)

    status, answer = place.verify(order_id, receipt_id)

    assert (422, "amount_mismatch", "open", 2) == (
        status,
        answer["code"],
        place.state(order_id),
        place.receipt(receipt_id)["status"],
    )


def test_lowered_price_that_was_paid_is_sent_back(place: Place) -> None:
    """Row 1, without server approval: refused, and what was paid goes back to the buyer."""
    order_id = place.order(3000)
    receipt_id = place.checkout(order_id, 1500, "approve", webhook_url="")

    status, answer = place.verify(order_id, receipt_id)
    returned = place.eventually(1500, lambda: place.receipt(receipt_id)["cancelled_price"])

    assert (422, "amount_mismatch", 1500) == (status, answer["code"], returned)
    assert place.eventually(["order.money_returned"], lambda: place.shop.deliveries(order_id)) == [
        "order.money_returned"
    ]


def test_receipt_of_another_order_is_refused(place: Place) -> None:
    """Row 2: a receipt that is paid, but for something else."""
    mine, other = place.order(), place.order()
    receipt_id = place.checkout(other, 3000, "approve", webhook_url="")

    status, answer = place.verify(mine, receipt_id)

    assert (422, "order_mismatch", "open") == (status, answer["code"], place.state(mine))


def test_replayed_receipt_is_refused_without_asking_bootpay(place: Place) -> None:
    """Row 3: what has paid for one order pays for no other."""
    first, second = place.order(), place.order()
    receipt_id = place.checkout(first, 3000, "approve", webhook_url="")
    assert place.verify(first, receipt_id)[0] == 200
    asked = place.calls_for(receipt_id)

    status, answer = place.verify(second, receipt_id)

    assert (409, "receipt_already_used", "open", asked) == (
        status,
        answer["code"],
        place.state(second),
        place.calls_for(receipt_id),
    )


def test_sandbox_receipt_is_refused(place: Place) -> None:
    """Row 4: a test payment does not pay for a real order, and nothing is cancelled in somebody else's tests."""
    order_id = place.order()
    receipt_id = place.checkout(order_id, 3000, "approve", sandbox=True, webhook_url="")

    status, answer = place.verify(order_id, receipt_id)

    assert (422, "sandbox_receipt", "open", 0) == (
        status,
        answer["code"],
        place.state(order_id),
        place.receipt(receipt_id)["cancelled_price"],
    )


def test_cancelled_receipt_is_refused(place: Place) -> None:
    """Row 5: money that has gone back pays for nothing."""
    order_id = place.order()
    receipt_id = place.checkout(order_id, 3000, "approve", "cancel", webhook_url="")

    status, answer = place.verify(order_id, receipt_id)

    assert (422, "already_cancelled", "open") == (status, answer["code"], place.state(order_id))


def test_second_payment_is_sent_back(place: Place) -> None:
    """Row 6: one payment counts, the other one's money goes back, once."""
    order_id = place.order()
    first = place.checkout(order_id, 3000, "approve", webhook_url="")
    second = place.checkout(order_id, 3000, "approve", webhook_url="")
    assert place.verify(order_id, first)[0] == 200

    status, answer = place.verify(order_id, second)
    returned = place.eventually(3000, lambda: place.receipt(second)["cancelled_price"])

    assert (409, "order_already_paid", 3000, 0) == (
        status,
        answer["code"],
        returned,
        place.receipt(first)["cancelled_price"],
    )


def test_closed_browser_is_rescued_by_the_webhook(place: Place) -> None:
    """Row 7: nobody calls verify, and the goods are handed over all the same."""
    order_id = place.order()
    place.checkout(order_id, 3000, "approve")

    assert place.eventually("paid", lambda: place.state(order_id)) == "paid"
    assert place.eventually(["order.paid"], lambda: place.shop.deliveries(order_id)) == ["order.paid"]


def test_duplicate_webhook_is_acknowledged_and_delivered_once(place: Place) -> None:
    """Row 8: both get the one answer that Bootpay counts, the shop is told once."""
    order_id = place.order()
    receipt_id = place.checkout(order_id, 3000, "approve", webhook_url="")
    body: dict[str, object] = {"receipt_id": receipt_id, "status": 1, "webhook_type": "PAYMENT_COMPLETED"}

    answers = [place.webhook(body), place.webhook(body)]
    place.eventually(["order.paid"], lambda: place.shop.deliveries(order_id))

    assert [(200, {"success": True})] * 2 == answers
    assert place.shop.deliveries(order_id) == ["order.paid"]


def test_forged_webhook_changes_nothing(place: Place) -> None:
    """Row 9: the body says paid, Bootpay says waiting; Bootpay is believed."""
    order_id = place.order()
    receipt_id = place.checkout(order_id, 3000)
    forged: dict[str, object] = {
        "receipt_id": receipt_id,
        "order_id": order_id,
        "price": 3000,
        "status": 1,
        "webhook_type": "PAYMENT_COMPLETED",
    }

    assert place.webhook(forged) == (200, {"success": True})
    assert (place.state(order_id), place.shop.deliveries(order_id)) == ("open", [])


@pytest.mark.parametrize("fault", ["timeout_after", "timeout_before", "critical"])
def test_timeout_in_approval_is_looked_up_and_never_repeated(fault: str, tmp_path: Path) -> None:
    """Row 10: after doubt the receipt is looked up; one confirm is all that is ever sent in one breath."""
    with EmulatorServer() as emulator:
        http_client = urllib3.PoolManager()
        wanted = {"order_id": "o-1", "price": 3000, "order_name": "테스트음식", "separately_confirmed": True}
        opened = http_client.request("POST", f"{emulator.url}/emulator/checkouts", json=wanted).json()
        receipt_id = opened["receipt_id"]
        http_client.request("POST", f"{emulator.url}/emulator/receipts/{receipt_id}/approve", json={})
        fault_body = {"on": "POST /v2/confirm", "do": fault, "times": 1}
        assert http_client.request("POST", f"{emulator.url}/emulator/faults", json=fault_body).status < 300
        with Dojang(mode="emulator", url=emulator.url, store=f"sqlite:///{tmp_path}/d.sqlite3") as dojang:
            dojang.register("o-1", price=3000, name="테스트음식")

            outcome = dojang.verify("o-1", receipt_id, within_s=5.5)

        confirms = [path for path in emulator.asked() if path.endswith("/confirm")]

    # Whether the money moved is Bootpay's to say: timeout_before left it where it was.
    expected = "pending" if fault == "timeout_before" else "paid"
    assert (expected, 1) == (outcome.state, len(confirms))


def test_the_readme_has_a_test_for_every_row() -> None:
    """Ten rows, ten tests: a row without a test would be a promise without a proof."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## What happens when")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!attack|---)(.+?) \|", table, re.MULTILINE)
    tests = re.findall(r'"""Row (\d+)', Path(__file__).read_text(encoding="utf-8"))

    assert {str(number) for number in range(1, len(rows) + 1)} == set(tests)
