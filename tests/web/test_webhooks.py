"""POST /webhooks/bootpay and …/v1: kept first, acknowledged in exactly Bootpay's words, believed in nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from dojang.core.order import ReceiptId
from dojang.drive import run
from dojang.errors import NotSent, OutcomeUnknown, StoreUnavailable
from dojang.ports import Notice
from dojang.web.http import Request
from dojang.web.routes import WebOptions

if TYPE_CHECKING:
    from conftest import Shop

OpenShop = Callable[..., "Shop"]
V2, V1 = "/webhooks/bootpay", "/webhooks/bootpay/v1"
BOOTPAY = "223.130.82.7"
SAMPLES = Path(__file__).parents[1] / "samples" / "bootpay"
FORM = {"content-type": "application/x-www-form-urlencoded"}
RECORDED = [path for path in sorted(SAMPLES.glob("v2_webhook_*.json")) if path.stem != "v2_webhook_ack"]
ACKNOWLEDGED = {
    V2: (200, b'{"success": true}', "application/json"),
    V1: (200, b"OK", "text/plain; charset=utf-8"),
}


def _hook(receipt: str, **more: Any) -> dict[str, Any]:
    return {"receipt_id": receipt, "order_id": "o1", "status": 1, "price": 3000} | more


@pytest.mark.parametrize("path", [V2, V1])
@pytest.mark.parametrize("form", [False, True])
def test_a_webhook_pays_the_order_and_is_acknowledged_to_the_byte(shop: Shop, path: str, form: bool) -> None:
    """JSON or form, either generation: 200 and exactly the words Bootpay waits for."""
    shop.register()
    hook = _hook(shop.receipt())
    body = urlencode(hook).encode() if form else json.dumps(hook).encode()
    answer = shop.ask("POST", path, body, key=None, headers=FORM if form else {})

    assert ACKNOWLEDGED[path] == (answer.status, answer.body, answer.headers["content-type"])
    assert "paid" == shop.ask("GET", "/v1/orders/o1/state").json["state"]


@pytest.mark.parametrize("sample", RECORDED, ids=lambda path: path.stem)
def test_every_recorded_webhook_is_kept_and_acknowledged(shop: Shop, sample: Path) -> None:
    """Even for receipts nobody knows: refusing them would only make Bootpay repeat them."""
    answer = shop.ask("POST", V2, sample.read_bytes(), key=None)

    assert ACKNOWLEDGED[V2][:2] == (answer.status, answer.body)
    assert (0, 0, 1) == shop.memory.stored


@pytest.mark.parametrize("sample", ["v1_webhook_form.urlencoded.txt", "v1_webhook_json.json"])
def test_every_recorded_feedback_is_kept_and_acknowledged(shop: Shop, sample: str) -> None:
    """Generation 1, form and JSON."""
    answer = shop.ask("POST", V1, (SAMPLES / sample).read_bytes().strip(), key=None)

    assert ACKNOWLEDGED[V1][:2] == (answer.status, answer.body)


def test_nothing_in_the_body_is_believed(shop: Shop) -> None:
    """A webhook that claims `paid` for a receipt Bootpay does not know pays nothing."""
    shop.register()
    answer = shop.ask("POST", V2, _hook("f" * 24, webhook_type="PAYMENT_COMPLETED"), key=None)

    assert (200, "open") == (answer.status, shop.ask("GET", "/v1/orders/o1/state").json["state"])


def test_duplicates_are_one_notice_and_differences_are_not(shop: Shop) -> None:
    """The same by receipt, kind and cancelled amount; 500 and 500.0 are one amount."""
    receipt = shop.receipt(order_id="elsewhere")
    hooks = [
        _hook(receipt, webhook_type="PAYMENT_COMPLETED"),
        _hook(receipt, webhook_type="PAYMENT_COMPLETED"),
        _hook(receipt),
        _hook(receipt, webhook_type="PAYMENT_PARTIAL_CANCELLED", cancelled_price=500),
        _hook(receipt, webhook_type="PAYMENT_PARTIAL_CANCELLED", cancelled_price=500.0),
        _hook(receipt, webhook_type="PAYMENT_PARTIAL_CANCELLED", cancelled_price="1000"),
    ]
    answers = [shop.ask("POST", V2, hook, key=None).status for hook in hooks]
    kept = {(stored.notice.kind, stored.notice.cancelled): stored.times for stored in shop.memory.notices(10)}

    assert [200] * 6 == answers
    assert {
        ("PAYMENT_COMPLETED", ""): 2,
        ("1", ""): 1,
        ("PAYMENT_PARTIAL_CANCELLED", "500"): 2,
        ("PAYMENT_PARTIAL_CANCELLED", "1000"): 1,
    } == kept


def test_when_bootpay_cannot_be_asked_the_notice_is_kept_and_acknowledged(shop: Shop) -> None:
    """It is due again; nothing is lost."""
    shop.register()
    receipt = shop.receipt()
    shop.bootpay.error = NotSent("away")
    answer = shop.ask("POST", V2, _hook(receipt), key=None)
    (stored,) = shop.memory.notices(10)

    assert (200, True) == (answer.status, stored.due_at is not None)
    assert 'dojang_webhooks_total{generation="2",outcome="later"} 1' in shop.api.metrics.text()


@pytest.mark.parametrize("path", [V2, V1])
def test_a_webhook_is_acknowledged_in_time_however_silent_bootpay_is(shop: Shop, path: str) -> None:
    """Bootpay waits five seconds for its answer and takes silence for a failure: after four at most it has one."""
    shop.register()

    async def silent(_: object, within_s: float, /) -> None:
        await shop.clock.sleep(within_s)
        raise OutcomeUnknown("no answer in time")

    shop.bootpay.look_up = silent  # type: ignore[method-assign]
    answer = shop.ask("POST", path, _hook("a" * 24), key=None)
    (stored,) = shop.memory.notices(10)

    assert ACKNOWLEDGED[path][:2] == (answer.status, answer.body)
    assert 0 < shop.clock.monotonic() <= 4
    assert (0, True) == (stored.attempts, stored.due_at is not None)


@pytest.mark.parametrize("path", [V2, V1])
def test_what_could_not_be_kept_is_not_acknowledged(shop: Shop, path: str) -> None:
    """503: Bootpay sends it again."""
    shop.memory.error = StoreUnavailable("disk full")
    answer = shop.ask("POST", path, _hook("a" * 24), key=None)

    assert (503, "store_unavailable", (0, 0, 0)) == (answer.status, answer.code, shop.memory.stored)


@pytest.mark.parametrize("path", [V2, V1])
@pytest.mark.parametrize(
    "body",
    [
        b'{"order_id": "o1"}',
        b'{"receipt_id": null}',
        b'{"receipt_id": "short"}',
        b'{"receipt_id": 5}',
        b'{"receipt_id": ["a"]}',
        b"order_id=o1",
        b"receipt_id=../../etc/passwd",
        b"receipt_id=%FF%FE",
        b"\x00\x01\x02",
        b"",
        b"{",
        b"[1]",
        b"&&",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_without_a_receipt_to_look_up_it_is_400(shop: Shop, path: str, body: bytes) -> None:
    """There is nothing to keep; what is wrong is said in both languages."""
    answer = shop.ask("POST", path, body, key=None)

    assert (400, "invalid_request", (0, 0, 0)) == (answer.status, answer.code, shop.memory.stored)
    assert "webhook" in answer.json["detail"]
    assert "웹훅" in answer.json["detail_ko"]


def test_a_wrong_private_key_is_401_and_not_kept(open_shop: OpenShop) -> None:
    """Generation 1 sends the project's key; where it is present it must be right, form or JSON."""
    shop = open_shop(WebOptions(webhook_private_key="project-key"))
    receipt = shop.receipt()

    def sent(**more: str) -> int:
        return shop.ask("POST", V1, urlencode(_hook(receipt) | more).encode(), key=None, headers=FORM).status

    wrong = [
        sent(private_key="other"),
        shop.ask("POST", V1, _hook(receipt, private_key="x"), key=None).status,
    ]
    kept_then = shop.memory.stored
    right = [sent(private_key="project-key"), sent()]

    assert ([401, 401], (0, 0, 0), [200, 200]) == (wrong, kept_then, right)


@pytest.mark.parametrize(("path", "generation"), [(V2, 2), (V1, 1)])
def test_a_notice_is_kept_with_all_that_it_claims(shop: Shop, path: str, generation: int) -> None:
    """The generation decides whether a repeat may be about more money; a person wants to see who said what."""
    hook = _hook("a" * 24, cancelled_price="500.0")
    shop.ask("POST", path, hook, key=None)
    (stored,) = shop.memory.notices(10)

    kept = Notice(
        receipt_id=ReceiptId("a" * 24),
        generation=generation,
        kind="1",
        cancelled="500",
        order_id="o1",
        source="203.0.113.9",
    )

    assert kept == stored.notice


def test_without_time_to_look_a_notice_is_kept_and_acknowledged(shop: Shop) -> None:
    """Whoever carries the answer ends before Bootpay could be asked: it is looked into later."""
    shop.register()
    hook = json.dumps(_hook(shop.receipt())).encode()
    answer = run(shop.api.handle(Request("POST", V2, body=hook, within_s=0.0)))
    (stored,) = shop.memory.notices(10)

    assert ACKNOWLEDGED[V2][:2] == (answer.status, answer.body)
    assert (0, True) == (shop.bootpay.asked, stored.due_at is not None)


def test_odd_kinds_are_kept_short_and_printable(shop: Shop) -> None:
    """What a database cannot hold never reaches it."""
    hook = _hook("a" * 24, webhook_type="X\x00Y\n" + "z" * 900, order_id="o\x00" + "1" * 500)
    answer = shop.ask("POST", V2, hook, key=None)
    (stored,) = shop.memory.notices(10)

    assert (200, True, True) == (
        answer.status,
        stored.notice.kind.startswith("XYz") and len(stored.notice.kind) <= 64,
        stored.notice.order_id.isprintable() and len(stored.notice.order_id) <= 100,
    )


def test_strangers_are_looked_up_but_not_many_at_once(open_shop: OpenShop) -> None:
    """429 with Retry-After after a burst; Bootpay's own network and other senders are not held up by it."""
    shop = open_shop(WebOptions(webhook_sources=("223.130.82.0/24",)))
    receipt = shop.receipt(order_id="elsewhere")

    def send(source: str | None) -> int:
        return shop.ask("POST", V2, _hook(receipt), key=None, source=source).status

    flood = [send("203.0.113.9") for _ in range(60)]
    others = [send("203.0.113.10"), send(None), send(BOOTPAY), send("::ffff:223.130.82.9")]
    refused = shop.ask("POST", V2, _hook(receipt), key=None)
    shop.clock.at += timedelta(seconds=10)
    later = send("203.0.113.9")

    assert [200] * 50 + [429] * 10 == flood
    assert [200] * 4 == others
    assert ("throttled", True) == (refused.code, refused.headers["retry-after"].isdigit())
    assert 200 == later


def test_bootpays_own_network_is_never_throttled(open_shop: OpenShop) -> None:
    """A busy evening is no attack."""
    shop = open_shop(WebOptions(webhook_sources=("223.130.82.0/24",)))
    receipt = shop.receipt(order_id="elsewhere")
    answers = {shop.ask("POST", V2, _hook(receipt), key=None, source=BOOTPAY).status for _ in range(400)}

    assert {200} == answers
