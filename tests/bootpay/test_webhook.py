"""Notifications are read leniently and believed in nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from dojang.bootpay import parse_webhook
from dojang.errors import InvalidValue

SAMPLES = Path(__file__).parent.parent / "samples" / "bootpay"
ID = "645c58be755e270022e1e8db"
NOTIFICATIONS = sorted(
    path for path in SAMPLES.glob("*_webhook_*.json") if path.name != "v2_webhook_ack.json"
)


def flat(body: Any, prefix: str = "") -> list[tuple[str, str]]:
    """A body as the Rails way of forms writes it."""
    pairs = []
    for name, value in body.items():
        key = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, dict):
            pairs += flat(value, key)
        else:
            pairs.append((key, str(value)))
    return pairs


@pytest.mark.parametrize("path", NOTIFICATIONS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", None, "text/plain"]
)
def test_every_recorded_notification(path: Path, content_type: str | None) -> None:
    """JSON of both generations, whatever its content type claims."""
    body = json.loads(path.read_bytes())
    webhook = parse_webhook(path.read_bytes(), content_type, 2)

    assert (
        body["receipt_id"],
        body["order_id"],
        body["status"],
        body.get("webhook_type"),
        body["price"],
        body.get("cancelled_price"),
        body.get("private_key"),
        body.get("retry_count"),
    ) == (
        webhook.receipt_id,
        webhook.order_id,
        webhook.status,
        webhook.webhook_type,
        webhook.price,
        webhook.cancelled_price,
        webhook.private_key,
        webhook.retry_count,
    )


@pytest.mark.parametrize("path", NOTIFICATIONS, ids=lambda path: path.name)
def test_every_recorded_notification_as_a_form(path: Path) -> None:
    """The same bodies as forms give the same notification."""
    from urllib.parse import urlencode

    body = json.loads(path.read_bytes())
    form = urlencode(flat(body)).encode()

    assert parse_webhook(path.read_bytes(), None, 1) == parse_webhook(
        form, "application/x-www-form-urlencoded", 1
    )


def test_the_recorded_form() -> None:
    """The raw form body, brackets opened, gives the same fields as its parsed twin."""
    webhook = parse_webhook((SAMPLES / "v1_webhook_form.urlencoded.txt").read_bytes(), None, 1)
    twin = json.loads((SAMPLES / "v1_webhook_form_parsed.json").read_bytes())

    assert webhook.raw.keys() == twin.keys()
    assert "삼성카드" == webhook.raw["payment_data"]["card_name"]
    assert (1, 0, 99000) == (webhook.status, webhook.retry_count, webhook.price)


def test_the_key_is_compared() -> None:
    """Generation 1 sends the project's key in forms; JSON has none."""
    form = parse_webhook((SAMPLES / "v1_webhook_form.urlencoded.txt").read_bytes(), None, 1)
    plain = parse_webhook((SAMPLES / "v1_webhook_json.json").read_bytes(), None, 1)

    assert (True, False, None) == (
        form.carries_key("<PRIVATE_KEY>"),
        form.carries_key("other 키"),
        plain.carries_key("x"),
    )


@pytest.mark.parametrize(
    ("fields", "status", "cancelled"),
    [
        ({"status": "20", "cancelled_price": "500.0"}, 20, Decimal(500)),
        ({"status": 1.0, "cancelled_price": 500.0}, 1, Decimal(500)),
        ({"status": -11, "cancelled_price": None}, -11, None),
        ({"status": "paid", "cancelled_price": "much"}, None, None),
        ({"status": None, "cancelled_price": "NaN"}, None, None),
        ({"status": True, "cancelled_price": -1}, None, None),
        ({"status": [], "cancelled_price": {}}, None, None),
        ({"status": "1e9999999", "cancelled_price": "1e9999999"}, None, None),
        ({}, None, None),
    ],
)
def test_odd_fields_are_no_reason_to_lose_a_notification(
    fields: dict[str, Any], status: int | None, cancelled: Decimal | None
) -> None:
    """Only the receipt id is needed; what else is odd counts as absent."""
    webhook = parse_webhook(json.dumps({"receipt_id": ID, **fields}).encode(), "application/json", 2)

    assert (ID, status, cancelled) == (webhook.receipt_id, webhook.status, webhook.cancelled_price)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"7",
        b"hello",
        b"\xff\xfe\x00",
        b"receipt_id=\xff",
        b'{"receipt_id": null}',
        b'{"receipt_id": 7}',
        b'{"receipt_id": {"x": 1}}',
        b'{"receipt_id": "../confirm"}',
        b"receipt_id=../confirm",
        b"receipt_id[x]=1",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"a=1&" * 2000,
        b"x" * 1_100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_garbage_is_one_sentence(body: bytes, content_type: str | None) -> None:
    """Anything that names no receipt is refused by our one exception."""
    with pytest.raises(InvalidValue):
        parse_webhook(body, content_type, 2)


@given(strategies.binary(max_size=300), strategies.sampled_from([None, "application/json", "x"]))
def test_no_body_breaks_the_reader(body: bytes, content_type: str | None) -> None:
    """Random bytes: a notification or our exception."""
    try:
        parse_webhook(body, content_type, 2)
    except InvalidValue:
        return


@given(
    strategies.lists(
        strategies.tuples(strategies.text("ab[]", max_size=8), strategies.text("x1", max_size=2))
    )
)
def test_no_brackets_break_the_reader(pairs: list[tuple[str, str]]) -> None:
    """Brackets in any disorder: the receipt id is still found."""
    from urllib.parse import urlencode

    form = urlencode([*pairs, ("receipt_id", ID)]).encode()

    assert ID == parse_webhook(form, None, 1).receipt_id
