"""What anybody may ask: is this order paid, and does this receipt pay for it?"""

from __future__ import annotations

import logging

from dojang.core.decision import Accepted, Refusal
from dojang.core.order import OrderId, ReceiptId
from dojang.core.verification import Reason
from dojang.errors import BootpayError, DojangError, Refused
from dojang.usecases.verify import OrderUnknown, ReceiptUnknown, Throttled, Verification, verify
from dojang.web.desk import Desk, Route, answer
from dojang.web.http import Request, Response
from dojang.web.problems import Code, problem, problem_of, refusal
from dojang.web.reading import order_id, read_body
from dojang.web.shapes import ShownPending, ShownState, ShownVerification, VerifyRequest
from dojang.web.showing import shown_account, state_of

__all__ = ["ROUTES", "count_error"]

log = logging.getLogger("dojang.web")


async def _verify(desk: Desk, request: Request, segment: str) -> Response:
    order = order_id(segment)
    receipt = ReceiptId(read_body(request.body, VerifyRequest).receipt_id)
    try:
        within_s = request.time(desk.options.verify_within_s)
        outcome = await verify(desk.world, order, receipt, within_s=within_s)
    except DojangError as error:
        response = problem_of(error, order, receipt)
        count_error(desk, error)
        desk.metrics.verifications.add("error")
        return response
    match outcome:
        case Verification():
            return _verified(desk, outcome, order, receipt)
        case OrderUnknown():
            desk.metrics.verifications.add(Code.ORDER_NOT_FOUND.value)
            return problem(Code.ORDER_NOT_FOUND, order_id=order)
        case ReceiptUnknown():
            desk.metrics.verifications.add(Code.RECEIPT_NOT_FOUND.value)
            return problem(Code.RECEIPT_NOT_FOUND, order_id=order, receipt_id=receipt)
        case Throttled(retry_after_s=wait_s):
            desk.metrics.verifications.add(Code.THROTTLED.value)
            return problem(Code.THROTTLED, headers={"retry-after": str(wait_s)}, order_id=order)


def _verified(desk: Desk, outcome: Verification, order: OrderId, receipt: ReceiptId) -> Response:
    price = outcome.record.order.price
    match outcome.answer:
        case Accepted() as accepted:
            desk.metrics.verifications.add("replayed" if accepted.replayed else accepted.state)
            shown = ShownVerification(
                order_id=order,
                state="paid" if accepted.state == "paid" else "awaiting_deposit",
                receipt_id=accepted.receipt_id,
                price=price.major,
                currency=price.currency,
                replayed=accepted.replayed,
                account=shown_account(accepted.account),
            )
            return answer(200, shown)
        case Refusal(reason=reason):
            # What the shop or the card company said more is in the history; strangers get the sentence alone.
            desk.metrics.verifications.add(reason.value)
            return refusal(reason, order, receipt)
        case waiting:
            desk.metrics.verifications.add("pending")
            wait_s = getattr(waiting, "retry_after_s", 2)
            return answer(202, ShownPending(order_id=order), {"retry-after": str(wait_s)})


async def _state(desk: Desk, _: Request, segment: str) -> Response:
    order = order_id(segment)
    record = await desk.world.store.load(order)
    if record is None:
        return problem(Code.ORDER_NOT_FOUND, order_id=order)
    return answer(200, ShownState(order_id=order, state=state_of(record)))


def count_error(desk: Desk, error: DojangError) -> None:
    """Count what Bootpay did to us, and log its code; its words may be a card company's about a buyer."""
    if isinstance(error, BootpayError):
        desk.metrics.upstream_errors.add(type(error).__name__)
    if isinstance(error, Refused):
        log.warning("Bootpay refused a look-up: %s (HTTP %s)", error.code, error.http_status)
    else:
        log.warning("%s", error)


ROUTES = (
    Route(
        method="POST",
        path="/v1/orders/{order_id}/verify",
        handle=_verify,
        name="verify",
        words="Tell whether this receipt pays for this order. Asking again costs Bootpay nothing.",
        body=VerifyRequest,
        answers={200: ShownVerification, 202: ShownPending},
        problems=(
            *Reason,
            Code.INVALID_REQUEST,
            Code.ORDER_NOT_FOUND,
            Code.RECEIPT_NOT_FOUND,
            Code.TOO_LARGE,
            Code.THROTTLED,
            Code.UPSTREAM_REFUSED,
            Code.UPSTREAM_UNAVAILABLE,
            Code.STORE_UNAVAILABLE,
        ),
        from_browsers=True,
        example={"receipt_id": "624e6fe8f2a0bc001a1e2a54"},
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}/state",
        handle=_state,
        name="showState",
        words="Where an order stands, and nothing else: for pages that wait.",
        answers={200: ShownState},
        problems=(Code.INVALID_REQUEST, Code.ORDER_NOT_FOUND, Code.STORE_UNAVAILABLE),
        from_browsers=True,
    ),
)
"""The rows of the table that need no key."""
