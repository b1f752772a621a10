"""What the shop's own people may ask, with a key: decide what a machine may not, and compare with Bootpay now."""

from __future__ import annotations

import msgspec

from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Record
from dojang.errors import InvalidValue
from dojang.usecases.verify import OrderUnknown, ReceiptUnknown
from dojang.web.desk import Desk, Route, answer
from dojang.web.http import Request, Response
from dojang.web.problems import Code, problem, told_twice
from dojang.web.reading import check_cursor, order_id, read_body
from dojang.web.shapes import (
    ReconcileOrders,
    ResolveOrder,
    ShownOrderInFull,
    ShownReport,
)
from dojang.web.showing import shown_order_in_full, shown_report

__all__ = ["ROUTES"]


async def _resolve(desk: Desk, request: Request, segment: str) -> Response:
    # Here rather than on top, as below: a cold function that verifies waits for every import, and repairs nothing.
    from dojang.usecases.resolve import NothingToResolve, Resolution, Resolved, resolve

    order = order_id(segment)
    asked = read_body(request.body, ResolveOrder)
    receipt = None if asked.receipt_id is None else ReceiptId(asked.receipt_id)
    if asked.decision == "look_again":
        return await _look_again(desk, order, receipt, asked.who, request)
    outcome = await resolve(
        desk.world, order, Resolution(asked.decision), who=asked.who, reason=asked.reason, receipt_id=receipt
    )
    match outcome:
        case Resolved(record):
            return await _shown(desk, record)
        case NothingToResolve(_, why):
            return _nothing(order, why)
        case OrderUnknown():
            return problem(Code.ORDER_NOT_FOUND, order_id=order)


def _nothing(order: OrderId, why: str) -> Response:
    english, korean = told_twice(why)
    return problem(Code.NOTHING_TO_RESOLVE, english, korean, order_id=order)


async def _look_again(
    desk: Desk, order: OrderId, receipt: ReceiptId | None, who: str, request: Request
) -> Response:
    from dojang.usecases.resolve import NothingToResolve, look_again

    within_s = request.time(desk.options.verify_within_s)
    outcome = await look_again(desk.world, order, receipt, who=who, within_s=within_s)
    match outcome:
        case OrderUnknown():
            return problem(Code.ORDER_NOT_FOUND, order_id=order)
        case ReceiptUnknown():
            return problem(Code.RECEIPT_NOT_FOUND, order_id=order, receipt_id=receipt)
        case NothingToResolve(_, why):
            return _nothing(order, why)
        case (record, None) if record.payment.lease is not None:
            return problem(
                Code.NOTHING_TO_RESOLVE,
                "Somebody is at work on this order right now; ask again.",
                "지금 처리 중인 주문입니다. 잠시 후 다시 요청해 주세요.",
                retryable=True,
                headers={"retry-after": "2"},
                order_id=order,
            )
        case (_, None):
            return problem(
                Code.NOTHING_TO_RESOLVE,
                "The order has no receipt to look at: name one.",
                "확인할 영수증이 없는 주문입니다. receipt_id를 지정해 주세요.",
                order_id=order,
            )
        case (record, _):
            return await _shown(desk, record)


async def _shown(desk: Desk, record: Record) -> Response:
    return answer(200, shown_order_in_full(record, await desk.world.store.deliveries(record.order.id)))


async def _reconcile(desk: Desk, request: Request, _: str) -> Response:
    from dojang.usecases.reconcile import reconcile

    # Nothing sent means the defaults: there is nothing that a reconciliation must be told.
    asked = read_body(request.body, ReconcileOrders) if request.body else ReconcileOrders()
    everything = _everything(asked)
    if asked.cursor is not None and not everything:
        raise InvalidValue("cursor needs all (cursor는 all과 함께만 쓸 수 있습니다)")
    report = await reconcile(
        desk.world,
        limit=asked.limit,
        everything=everything,
        within_s=request.time(desk.options.reconcile_within_s),
        cursor=check_cursor(asked.cursor),
    )
    shown = shown_report(report)
    if report.idle and not everything:
        shown = msgspec.structs.replace(shown, detail=_NOTHING_DUE, detail_ko=_NOTHING_DUE_KO)
    return answer(200, shown)


# Right after a webhook was lost, a report of zeros would pass for "all is well".
_NOTHING_DUE = (
    "Nothing was due. Orders that wait for a buyer are looked at later; "
    '{"all": true} looks at every order now.'
)
_NOTHING_DUE_KO = (
    "확인할 때가 된 주문이 없습니다. 결제를 기다리는 주문은 나중에 확인하며, "
    '{"all": true}는 모든 주문을 지금 확인합니다.'
)


def _everything(asked: ReconcileOrders) -> bool:
    said = {each for each in (asked.all, asked.everything) if each is not msgspec.UNSET}
    if len(said) > 1:
        raise InvalidValue(
            "all and everything are two words for the same, and differ here: keep all "
            "(all과 everything은 같은 뜻인데 값이 다릅니다. all만 보내 주세요)"
        )
    return True in said


ROUTES = (
    Route(
        method="POST",
        path="/v1/orders/{order_id}/resolve",
        handle=_resolve,
        name="resolve",
        words="Decide on what a person is asked, or on held money; who and why stay in the history for ever.",
        body=ResolveOrder,
        answers={200: ShownOrderInFull},
        problems=(
            Code.INVALID_REQUEST,
            Code.ORDER_NOT_FOUND,
            Code.RECEIPT_NOT_FOUND,
            Code.NOTHING_TO_RESOLVE,
            Code.TOO_LARGE,
            Code.UPSTREAM_REFUSED,
            Code.UPSTREAM_UNAVAILABLE,
            Code.STORE_UNAVAILABLE,
        ),
        keyed=True,
        example={"decision": "return", "who": "mina", "reason": "늦은 입금, 고객과 통화함"},
    ),
    Route(
        method="POST",
        path="/v1/reconcile",
        handle=_reconcile,
        name="reconcile",
        words="Compare orders with Bootpay now: those that are due, or every order. No body means the defaults.",
        body=ReconcileOrders,
        body_needed=False,
        answers={200: ShownReport},
        problems=(Code.INVALID_REQUEST, Code.TOO_LARGE, Code.STORE_UNAVAILABLE),
        keyed=True,
        example={"all": False, "limit": 100},
    ),
)
"""The rows of the table that mend what did not go its usual way."""
