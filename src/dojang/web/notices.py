"""Bootpay's webhooks: kept, looked into, and acknowledged in exactly the words Bootpay waits for.

Nothing in a webhook is believed. Anybody may send one; whoever is not Bootpay by address may not send many.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING

from msgspec import structs

from dojang.core.order import OrderId, ReceiptId
from dojang.errors import InvalidValue, StoreUnavailable
from dojang.ports import Notice
from dojang.web.desk import Desk, Route
from dojang.web.http import Request, Response
from dojang.web.problems import Code, problem
from dojang.web.shapes import Acknowledged, WebhookHint

if TYPE_CHECKING:
    from dojang.bootpay.webhook import Webhook

__all__ = ["ROUTES"]

log = logging.getLogger("dojang.web")

_KIND_MAX = 64
_ORDER_ID_MAX = 100
# Byte for byte: the second generation takes this JSON and 200, the first this text and nothing else.
_HEARD_V2 = Response(200, b'{"success": true}', {"content-type": "application/json"})
_HEARD_V1 = Response(200, b"OK", {"content-type": "text/plain; charset=utf-8"})


async def _second(desk: Desk, request: Request, _: str) -> Response:
    return await _receive(desk, request, 2, _HEARD_V2)


async def _first(desk: Desk, request: Request, _: str) -> Response:
    return await _receive(desk, request, 1, _HEARD_V1)


async def _receive(desk: Desk, request: Request, generation: int, heard: Response) -> Response:
    # Here rather than on top: a cold function that verifies waits for every import, and hears nothing.
    from dojang.bootpay.webhook import parse_webhook
    from dojang.usecases.receive_webhook import receive_webhook

    webhook = parse_webhook(request.body, request.headers.get("content-type"), generation)
    count = desk.metrics.webhooks
    expected = desk.options.webhook_private_key
    if generation == 1 and expected is not None and webhook.carries_key(expected) is False:
        count.add("1", Code.UNAUTHORIZED.value)
        log.warning("a webhook from %s carried a wrong private_key", request.source or "an unknown address")
        return problem(
            Code.UNAUTHORIZED,
            "The webhook carries a private_key that is not this project's.",
            "웹훅의 private_key가 이 프로젝트의 키와 다릅니다.",
            headers={"www-authenticate": 'private_key realm="dojang"'},
        )
    if request.source not in desk.bootpay:
        wait_s = desk.strangers.take(request.source or "")
        if wait_s > 0:
            count.add(str(generation), Code.THROTTLED.value)
            return problem(Code.THROTTLED, headers={"retry-after": str(ceil(wait_s))})
    notice = _notice(webhook, request.source)
    try:
        outcome = await receive_webhook(
            desk.world,
            notice,
            within_s=request.time(desk.options.webhook_within_s),
        )
    except StoreUnavailable:
        # Not kept, so not acknowledged: Bootpay sends it again.
        count.add(str(generation), Code.STORE_UNAVAILABLE.value)
        raise
    count.add(str(generation), outcome or "later")
    told: dict[str, str] = {"receipt_id": notice.receipt_id, "outcome": outcome or "later"}
    # The order it names, like its receipt; what came of it is ours.
    with suppress(InvalidValue):
        told["order_id"] = OrderId(notice.order_id)
    return structs.replace(heard, told=told)


def _notice(webhook: Webhook, source: str | None) -> Notice:
    """What makes this webhook different from another one, shortened to what a store must keep."""
    kind = webhook.webhook_type or ("" if webhook.status is None else str(webhook.status))
    return Notice(
        receipt_id=ReceiptId(webhook.receipt_id),
        generation=webhook.generation,
        kind=_plain(kind, _KIND_MAX),
        cancelled=_amount(webhook.cancelled_price),
        order_id=_plain(webhook.order_id or "", _ORDER_ID_MAX),
        source=source or "",
    )


def _plain(text: str, longest: int) -> str:
    return "".join(letter for letter in text[:longest] if letter.isprintable())


def _amount(value: Decimal | None) -> str:
    """500, 500.0 and "500" are one amount, so they are one text."""
    return "" if value is None else format(value.normalize(), "f")


_PROBLEMS = (
    Code.INVALID_REQUEST,
    Code.TOO_LARGE,
    Code.THROTTLED,
    Code.STORE_UNAVAILABLE,
)
_MEDIA = ("application/json", "application/x-www-form-urlencoded")

ROUTES = (
    Route(
        method="POST",
        path="/webhooks/bootpay",
        handle=_second,
        name="receiveWebhook",
        words="Bootpay's second generation tells that something happened to a receipt.",
        body=WebhookHint,
        media=_MEDIA,
        answers={200: Acknowledged},
        problems=_PROBLEMS,
        example={"receipt_id": "624e6fe8f2a0bc001a1e2a54", "status": 1, "webhook_type": "PAYMENT_COMPLETED"},
    ),
    Route(
        method="POST",
        path="/webhooks/bootpay/v1",
        handle=_first,
        name="receiveFeedback",
        words="Bootpay's first generation tells that something happened to a receipt.",
        body=WebhookHint,
        media=_MEDIA,
        answers={200: "text/plain"},
        problems=(*_PROBLEMS, Code.UNAUTHORIZED),
        example={"receipt_id": "624e6fe8f2a0bc001a1e2a54", "status": 1},
    ),
)
"""The rows of the table that Bootpay calls."""
