"""Webhooks go out for real: what is said, what counts as heard, how often it is said again."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from dojang.emulator.webhook_log import form_encoded, heard


@pytest.mark.parametrize(
    ("generation", "status", "answer", "counts"),
    [
        (2, 200, b'{"success": true}', True),
        (2, 200, b'{"success": true, "more": 1}', True),
        (2, 200, b'{"status": 200}', False),
        (2, 200, b'{"success": "true"}', False),
        (2, 200, b"OK", False),
        (2, 200, b"\xff", False),
        (2, 201, b'{"success": true}', False),
        (2, 302, b'{"success": true}', False),
        (2, None, b"", False),
        (1, 200, b"OK", True),
        (1, 200, b"ok", False),
        (1, 200, b'{"success": true}', False),
        (1, 500, b"OK", False),
    ],
)
def test_only_the_documented_answer_counts(
    generation: int, status: int | None, answer: bytes, counts: bool
) -> None:
    """v2: 200 and success true. v1: OK. Anything else is no answer."""
    assert counts is heard(generation, status, answer)


def test_form_nests_in_brackets() -> None:
    """Old feedback arrives as Rails reads it; null is empty."""
    body: dict[str, object] = {"a": {"b": 1, "c": None}, "d": True, "e": [1, 2]}

    assert "a%5Bb%5D=1&a%5Bc%5D=&d=true&e%5B%5D=1&e%5B%5D=2" == form_encoded(body)


def test_each_event_is_told_once_in_order(hands: Any, shop: Any) -> None:
    """Issued, deposited, cancelled in part and in full: four webhooks, each heard at once."""
    receipt_id = hands.open(method="vbank")
    hands.step(receipt_id, "issue")
    hands.step(receipt_id, "deposit")
    account = {"bank_account": "1", "bank_username": "홍길동", "bank_code": "004"}
    for price in (1000, None):
        cancel = {"receipt_id": receipt_id, "cancel_price": price, "refund": account}
        assert 200 == hands.v2("POST", "cancel", cancel).status_code
    verdicts = [hook["verdict"] for hook in hands.webhooks()]

    assert ["acknowledged"] * 4 == verdicts
    assert [
        ("PAYMENT_VIRTUAL_ACCOUNT_ISSUED", 5),
        ("PAYMENT_COMPLETED", 1),
        ("PAYMENT_PARTIAL_CANCELLED", 1),
        ("PAYMENT_CANCELLED", 20),
    ] == [(body["webhook_type"], body["status"]) for body in shop.bodies()]


def test_unheard_webhook_is_repeated_ten_times_with_growing_waits(hands: Any, shop: Any) -> None:
    """After 1, 2, 4… minutes of the emulator's time, then never again."""
    shop.usual = (500, b"no")
    hands.control("POST", "clock", {"now": "2026-01-01T00:00:00+09:00"})
    hands.paid()
    counts = []
    for minutes in (0, 1, 2, 4, 8):
        hands.control("POST", "clock", {"advance_s": minutes * 60})
        counts.append(len(hands.webhooks()[0]["attempts"]))
    hands.control("POST", "clock", {"advance_s": 10**6})
    webhook = hands.webhooks()[0]

    assert [1, 2, 3, 4, 5] == counts
    assert ("failed", 11) == (webhook["verdict"], len(webhook["attempts"]))
    assert 11 == len(shop.received)
    assert {"status": 500, "answer": "no", "error": ""}.items() <= webhook["attempts"][0].items()


def test_slow_and_redirecting_shops_were_not_told(hands: Any, shop: Any) -> None:
    """Silence beyond the limit is no answer; a redirect is not followed."""
    shop.slow_s = 0.8
    hands.paid()
    slow = hands.webhooks()[0]
    shop.slow_s = 0
    shop.answers = [(302, b"")]
    hands.paid(order_id="o2")
    redirected = hands.webhooks()[1]

    assert ("pending", "no answer in time") == (slow["verdict"], slow["attempts"][0]["error"])
    assert ("pending", 302) == (redirected["verdict"], redirected["attempts"][0]["status"])
    assert 2 == len(shop.received)


def test_webhook_goes_where_the_checkout_says(hands: Any, shop: Any) -> None:
    """Its own address, nowhere, or the project's."""
    hands.paid(webhook_url="")
    hands.paid(webhook_url=shop.url + "/own")
    hands.paid()

    assert [shop.url + "/own", shop.url] == [hook["url"] for hook in hands.webhooks()]


def test_first_generation_gets_a_form_with_the_private_key(hands: Any, shop: Any) -> None:
    """The key last used, the count of repetitions, and `OK` as the only good answer."""
    hands.http.post(f"{hands.url}/request/token", data={"application_id": "a", "private_key": "mine"})
    shop.answers = [(200, b'{"success": true}')]
    shop.usual = (200, b"OK")
    hands.paid(generation=1)
    hands.webhooks()
    hands.control("POST", "clock", {"advance_s": 60})
    verdict = hands.webhooks()[0]["verdict"]
    kinds, forms = zip(*((kind, parse_qs(body.decode())) for kind, body in shop.received), strict=True)

    assert ("acknowledged", {"application/x-www-form-urlencoded"}) == (verdict, set(kinds))
    assert [["0"], ["1"]] == [form["retry_count"] for form in forms]
    assert (["mine"], ["비씨"]) == (forms[0]["private_key"], forms[0]["payment_data[card_name]"])


def test_content_type_may_be_a_form(hands: Any, shop: Any) -> None:
    """A v2 checkout that asks for a form gets one, type and all."""
    hands.paid(content_type="application/x-www-form-urlencoded")
    hands.webhooks()
    form = parse_qs(shop.received[0][1].decode())

    assert (["PAYMENT_COMPLETED"], ["1"]) == (form["webhook_type"], form["status"])


def test_delay_asked_for_is_kept(hands: Any, shop: Any) -> None:
    """`extra.webhook_delay_duration` holds the first send back."""
    hands.control("POST", "clock", {"now": "2026-01-01T00:00:00+09:00"})
    hands.paid(extra={"webhook_delay_duration": 30})
    before = [hook["attempts"] for hook in hands.webhooks()]
    hands.control("POST", "clock", {"advance_s": 30})

    assert [[]] == before
    assert "acknowledged" == hands.webhooks()[0]["verdict"]


def test_resend_says_it_once_more(hands: Any, shop: Any) -> None:
    """By control, and by the shop's own request; an unknown id is a 404."""
    receipt_id = hands.paid()
    webhook = hands.webhooks()[0]
    hands.control("POST", f"webhooks/{webhook['id']}/resend")
    hands.webhooks()
    hands.v2("POST", "request/webhook", {"receipt_id": receipt_id, "webhook_url": ""})

    assert [2, 1] == [len(hook["attempts"]) for hook in hands.webhooks()]
    assert 3 == len(shop.received)
    assert 404 == hands.control("POST", "webhooks/none/resend").status_code


@pytest.mark.parametrize(("fault", "sent"), [("drop_webhook", 0), ("duplicate_webhook", 2)])
def test_webhooks_get_lost_and_doubled(fault: str, sent: int, hands: Any, shop: Any) -> None:
    """Lost on the way, or said twice, by type; others are untouched."""
    hands.control("POST", "faults", {"on": "PAYMENT_COMPLETED", "do": fault, "times": 1})
    hands.paid()
    first = hands.webhooks()[0]
    hands.paid(order_id="o2")
    hands.webhooks()

    assert ("dropped" if sent == 0 else "acknowledged", sent) == (first["verdict"], len(first["attempts"]))
    assert sent + 1 == len(shop.received)


def test_webhooks_overtake_each_other(hands: Any, shop: Any) -> None:
    """The first is held back until another has gone out."""
    hands.control("POST", "clock", {"now": "2026-01-01T00:00:00+09:00"})
    hands.control("POST", "faults", {"on": "*", "do": "reorder_webhooks", "times": 1})
    receipt_id = hands.paid()
    hands.webhooks()
    hands.v2("POST", "cancel", {"receipt_id": receipt_id})
    hands.webhooks()

    assert ["PAYMENT_CANCELLED", "PAYMENT_COMPLETED"] == [body["webhook_type"] for body in shop.bodies()]


def test_webhooks_come_late(hands: Any, shop: Any) -> None:
    """Held for as long as the fault says."""
    hands.control("POST", "clock", {"now": "2026-01-01T00:00:00+09:00"})
    hands.control("POST", "faults", {"on": "*", "do": "delay_webhook", "delay_s": 90, "times": 1})
    hands.paid()
    waiting = hands.webhooks()[0]["verdict"]
    hands.control("POST", "clock", {"advance_s": 90})

    assert ("pending", "acknowledged") == (waiting, hands.webhooks()[0]["verdict"])
    assert 1 == json.loads(shop.received[0][1])["status"]
