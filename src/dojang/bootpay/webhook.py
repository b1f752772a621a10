"""The shape of an incoming notification. Nothing in it is believed: it only says which receipt to look up.

Bootpay signs nothing, so anybody can send one. JSON and forms are read for both generations (forms nest the Rails way,
`payment_data[card_name]=`); what is oddly typed is read leniently, and only a missing `receipt_id` makes it useless.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from dojang.bootpay.amount import exact_amount
from dojang.bootpay.ids import bootpay_id
from dojang.errors import InvalidValue

__all__ = ["Webhook", "parse_webhook"]

_BYTES_MAX = 1 << 20
_FIELDS_MAX = 1000
_TEXT_MAX = 1000
_json = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One notification, as far as it matters.

    Attributes:
        receipt_id: Which receipt to look up, checked.
        generation: 1 or 2, by the address it was sent to.
        order_id: The shop's id as claimed.
        status: The status number as claimed; present where `webhook_type` may not be.
        webhook_type: `PAYMENT_COMPLETED` and the like; absent for payments opened with an old browser library.
        cancelled_price: Running total as claimed; tells one partial cancel from the next.
        price: As claimed.
        retry_count: Which repetition this is, where generation 1 says so.
        private_key: The project's key as generation 1 sends it in forms; never shown. Compare it by `carries_key`.
        raw: Every field as it came; never shown, it holds card and buyer data.
    """

    receipt_id: str
    generation: int
    order_id: str | None = None
    status: int | None = None
    webhook_type: str | None = None
    cancelled_price: Decimal | None = None
    price: Decimal | None = None
    retry_count: int | None = None
    private_key: str | None = field(default=None, repr=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def carries_key(self, private_key: str) -> bool | None:
        """Whether the notification carries the project's key, compared in constant time; None where it has none."""
        if self.private_key is None:
            return None
        return hmac.compare_digest(self.private_key.encode(), private_key.encode())


def parse_webhook(body: bytes, content_type: str | None, generation: int) -> Webhook:
    """Read a notification.

    Args:
        body: As it came.
        content_type: Advice only: Bootpay's two formats are told apart by their first character.
        generation: 1 or 2, by the address it was sent to.

    Raises:
        InvalidValue: It is no notification of Bootpay; one sentence says why.
    """
    if len(body) > _BYTES_MAX:
        raise InvalidValue(
            f"the webhook body is longer than {_BYTES_MAX} bytes (웹훅 본문이 {_BYTES_MAX}바이트보다 깁니다)"
        )
    fields = _fields(body, content_type or "")
    status = _whole(fields.get("status"))
    return Webhook(
        receipt_id=_receipt_id(fields.get("receipt_id")),
        generation=generation,
        order_id=_text(fields.get("order_id")),
        status=status,
        webhook_type=_text(fields.get("webhook_type")),
        cancelled_price=_amount(fields.get("cancelled_price")),
        price=_amount(fields.get("price")),
        retry_count=_whole(fields.get("retry_count")),
        private_key=_text(fields.get("private_key")),
        raw=fields,
    )


def _fields(body: bytes, content_type: str) -> dict[str, Any]:
    start = body.lstrip()[:1]
    if not start:
        raise InvalidValue("the webhook body is empty (웹훅 본문이 비어 있습니다)")
    if start in b"{[" or ("json" in content_type.lower() and b"=" not in body):
        try:
            fields = _json.decode(body)
        except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
            raise InvalidValue("the webhook body is not JSON (웹훅 본문이 JSON이 아닙니다)") from None
        if not isinstance(fields, dict):
            raise InvalidValue("the webhook body must be a JSON object (웹훅 본문은 JSON 객체여야 합니다)")
        return fields
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict"
        )
    except ValueError:
        raise InvalidValue(
            "the webhook body is neither JSON nor a form in UTF-8 (웹훅 본문이 JSON도 UTF-8 폼도 아닙니다)"
        ) from None
    if not pairs:
        raise InvalidValue("the webhook body is neither JSON nor a form (웹훅 본문이 JSON도 폼도 아닙니다)")
    return _nested(pairs)


def _receipt_id(value: object) -> str:
    try:
        return bootpay_id(value, "receipt_id of the webhook")
    except InvalidValue as error:
        raise InvalidValue(f"{error} (웹훅의 receipt_id는 16진수 24자여야 합니다)") from None


def _nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """A form with its brackets opened; a name that contradicts an earlier one replaces it."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        *outer, last = _parts(name)
        place = fields
        for part in outer:
            inner = place.get(part)
            if not isinstance(inner, dict):
                inner = place[part] = {}
            place = inner
        place[last] = value
    return fields


def _parts(name: str) -> Iterator[str]:
    """`payment_data[card_name]` is `payment_data`, `card_name`; anything stranger is one plain name."""
    head, bracket, rest = name.partition("[")
    if not bracket or not head or not rest.endswith("]"):
        return iter((name,))
    inner = rest[:-1].split("][")
    if len(inner) > 4 or any("[" in part or "]" in part for part in inner):
        return iter((name,))
    return iter((head, *inner))


def _text(value: object) -> str | None:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > _TEXT_MAX:
        return None
    return value


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 9 or number != number.to_integral_value():
        return None
    return int(number)


def _amount(value: object) -> Decimal | None:
    if not isinstance(value, int | str | Decimal):
        return None
    try:
        # Two decimals whatever the currency: a claim is only compared, never paid out.
        return exact_amount(value, currency="USD", name="amount")
    except InvalidValue:
        return None
