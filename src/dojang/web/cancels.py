"""What the shop's own servers may ask, with a key: give all or part of a payment back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import structs

from dojang.core.order import Money, OrderId, major_units
from dojang.core.payment import CancelRequest, Record
from dojang.usecases.verify import OrderUnknown
from dojang.web.desk import Desk, Route, answer
from dojang.web.http import Request, Response
from dojang.web.problems import Code, cancel_refusal, problem
from dojang.web.reading import idempotency_key, order_id, read_body
from dojang.web.shapes import CancelOrder, RefundAccount, ShownCancel, ShownPending

if TYPE_CHECKING:
    from dojang.core.cancellation import WantedCancel

__all__ = ["ROUTES"]

_REPLAYED = {"idempotency-replayed": "true"}
# An outcome that is not known yet is found out after the lease of the intent at the latest.
_ASK_AGAIN_S = "5"


async def _cancel(desk: Desk, request: Request, segment: str) -> Response:
    # Here rather than on top: a cold function that verifies waits for every import, and cancels nothing.
    from dojang.usecases.cancel import CancelDone, CancelNotDone, CancelPending, cancel

    order = order_id(segment)
    key = idempotency_key(request.headers)
    asked = read_body(request.body, CancelOrder)
    record = await desk.world.store.load(order)
    if record is None:
        return problem(Code.ORDER_NOT_FOUND, order_id=order)
    # What an amount means depends on the order's currency.
    wanted = _wanted(asked, record.order.price.currency)
    outcome = await cancel(
        desk.world, order, key, wanted, within_s=request.time(desk.options.verify_within_s)
    )
    match outcome:
        case CancelDone(record=record, request=done, replayed=replayed):
            return _about(record, answer(200, _shown(order, record, done), _REPLAYED if replayed else None))
        case CancelPending(record):
            return _about(record, answer(202, ShownPending(order_id=order), {"retry-after": _ASK_AGAIN_S}))
        case CancelNotDone(record=record, refusal=refusal, replayed=replayed):
            return _about(record, cancel_refusal(refusal, order, _REPLAYED if replayed else None))
        case OrderUnknown():
            return problem(Code.ORDER_NOT_FOUND, order_id=order)


def _about(record: Record, response: Response) -> Response:
    """The answer, with the receipt for a log."""
    paid_by = record.payment.receipt_id
    return structs.replace(response, told={"receipt_id": paid_by}) if paid_by else response


def _wanted(asked: CancelOrder, currency: str) -> WantedCancel:
    from dojang.core.cancellation import WantedCancel

    return WantedCancel(
        amount=_minor(asked.amount, currency, "amount"),
        tax_free=_minor(asked.tax_free, currency, "tax_free"),
        reason=asked.reason,
        refund_account=_account(asked.refund_account),
        expected_remaining=_minor(asked.expected_remaining, currency, "expected_remaining"),
    )


def _minor(amount: float | str | None, currency: str, what: str) -> int | None:
    return None if amount is None else Money.parse(amount, currency, what=what).minor


def _account(account: RefundAccount | None) -> Mapping[str, str] | None:
    if account is None:
        return None
    return {
        "bank_code": account.bank_code,
        "bank_account": account.bank_account,
        "bank_username": account.bank_username,
    }


def _shown(order: OrderId, record: Record, done: CancelRequest) -> ShownCancel:
    """The answer, made of nothing that can change later: so its replay is the same."""
    price = record.order.price
    remaining = price.minor - done.cancelled
    return ShownCancel(
        order_id=order,
        state="partially_cancelled" if remaining > 0 else "cancelled",
        amount=major_units(done.amount, price.currency),
        tax_free=major_units(done.tax_free, price.currency),
        cancelled=major_units(done.cancelled, price.currency),
        remaining=major_units(remaining, price.currency),
        currency=price.currency,
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/orders/{order_id}/cancel",
        handle=_cancel,
        name="cancel",
        words="Give all or part of a payment back, once per key and never more than remains.",
        body=CancelOrder,
        answers={200: ShownCancel, 202: ShownPending},
        problems=(
            Code.INVALID_REQUEST,
            Code.ORDER_NOT_FOUND,
            Code.TOO_LARGE,
            Code.UPSTREAM_UNAVAILABLE,
            Code.STORE_UNAVAILABLE,
        ),
        cancels=True,
        keyed=True,
        once=True,
        example={"amount": 1000, "reason": "한 개 품절", "expected_remaining": 3000},
    ),
)
"""The row of the table that gives money back."""
