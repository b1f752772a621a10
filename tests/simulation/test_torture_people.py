"""Who interferes in the kill proof: people who decide, a shop that declines, choices that change."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from pathlib import Path

from torture.ledgers import read_ledgers
from torture.people import People
from torture.policies import choices_by
from torture.processes import Server
from torture.shop import Shop
from torture.wire import Wire

from dojang.emulator.server import EmulatorServer

KEY = "shop-key-0123456789abcdef"
ORDERS = 24
SECRET = b"s" * 24


def test_people_decide_and_the_real_server_obeys(tmp_path: Path) -> None:
    """Wrong money is held for every order: most are decided on, some are left, and every word is kept."""
    with EmulatorServer() as pretend:
        bootpay = Wire(pretend.url)
        settings = {
            "DOJANG_MODE": "emulator",
            "BOOTPAY_URL": pretend.url,
            "DOJANG_STORE": f"sqlite:///{tmp_path / 'orders.sqlite3'}",
            "DOJANG_API_KEYS": KEY,
            "DOJANG_ON_MISMATCH": "hold",
        }
        server = Server(tmp_path, settings)
        server.start()
        try:
            server.wait_ready()
            service = Wire(server.url, KEY)
            for number in range(ORDERS):
                _pay_too_little(service, bootpay, f"o-{number}")
            people = People([service], 1)
            people.decide()
            books = read_ledgers(service, bootpay, [], {}, words=people.words)
        finally:
            server.stop()
    found = Counter(order["state"] for order in books.orders.values())
    decisions = {word.decision: word.outcome for word in people.words}

    # Too little cannot be accepted; whoever tries hears so, and the order goes on waiting.
    assert {"accept": "no", "return": "done", "dismiss": "done"} == decisions
    assert found["open"] == sum(word.outcome == "done" for word in people.words)
    assert ORDERS > len(people.words) == len({word.who for word in people.words})
    assert [] == [words for _, words in books.deviations() if "person:" in words]


def _pay_too_little(service: Wire, bootpay: Wire, order_id: str) -> None:
    service.need("POST", "/v1/orders", {"order_id": order_id, "price": 5_000, "name": "원두"}, keyed=True)
    window = {"order_id": order_id, "price": 4_999, "webhook_url": ""}
    receipt_id = bootpay.need("POST", "/emulator/checkouts", window)["receipt_id"]
    bootpay.need("POST", f"/emulator/receipts/{receipt_id}/approve")
    service.ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": receipt_id})


def test_what_is_sold_out_is_declined_however_often_it_is_asked_for() -> None:
    """Some orders hear no for ever; every answer is noted, and only an exact yes counts as one."""
    shop = Shop(f"whsec_{base64.b64encode(SECRET).decode()}", 1)
    shop.calm = True
    try:
        said = [_may_be_approved(shop, f"o-{number}") for number in (*range(60), *range(60))]
    finally:
        shop.close()

    assert said[:60] == said[60:] == [asked.approved for asked in shop.asked[60:]]
    assert 0 < said.count(False) < said.count(True)
    assert all(asked.genuine for asked in shop.asked)


def _may_be_approved(shop: Shop, order_id: str) -> bool:
    data = {"order_id": order_id, "receipt_id": hashlib.md5(order_id.encode()).hexdigest()[:24]}
    body = json.dumps({"type": "payment.approve", "data": data}).encode()
    signature = hmac.new(SECRET, b"id.0." + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": "id",
        "webhook-timestamp": "0",
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    answer = Wire(shop.approve_at).ask("POST", "", json.loads(body), headers=headers)
    return bool(answer.body["approve"])


def test_each_start_finds_other_choices_and_the_same_again_by_its_seed() -> None:
    """All combinations come up, and a seed gives them in the same order."""
    found: Counter[str] = Counter()
    first, second = choices_by(1, "server-0", found), choices_by(1, "server-0", Counter())

    assert [first() for _ in range(60)] == [second() for _ in range(60)]
    assert 6 == len(found)
