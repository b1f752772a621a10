"""What the shop's own servers may ask, with a key: register orders, look at them, try a delivery again."""

from __future__ import annotations

from typing import get_args

from dojang.core.order import Money, Order, OrderId
from dojang.errors import InvalidValue
from dojang.ports import OrderFilter
from dojang.web.desk import Desk, Parameter, Route, answer, location
from dojang.web.http import Request, Response
from dojang.web.problems import Code, problem
from dojang.web.reading import (
    check_cursor,
    check_moment,
    delivery_id,
    moment,
    order_id,
    read_body,
    read_query,
    whole_number,
)
from dojang.web.shapes import (
    CURSOR_PATTERN,
    NewOrder,
    ShownDelivery,
    ShownHistory,
    ShownOrderInFull,
    ShownOrders,
    ShownRegistration,
    State,
)
from dojang.web.showing import (
    shown_delivery,
    shown_event,
    shown_order,
    shown_order_in_full,
    shown_registration,
)

__all__ = ["ROUTES"]

_STATES = get_args(State)
_LIMIT_MAX = 200

_QUERY = (
    Parameter(
        name="state", schema={"type": "string", "enum": list(_STATES)}, words="Only orders that stand so."
    ),
    Parameter(
        name="created_from", schema={"type": "string", "format": "date-time"}, words="Not older than this."
    ),
    Parameter(name="created_to", schema={"type": "string", "format": "date-time"}, words="Older than this."),
    Parameter(
        name="cursor",
        schema={"type": "string", "pattern": CURSOR_PATTERN},
        words="`next_cursor` of the page before.",
    ),
    Parameter(
        name="limit",
        schema={"type": "integer", "minimum": 1, "maximum": _LIMIT_MAX, "default": 50},
        words="At most so many.",
    ),
)


async def _register(desk: Desk, request: Request, _: str) -> Response:
    # Here rather than on top: a cold function that verifies waits for every import.
    from dojang.usecases.register_order import OrderExists, register_order

    wanted = read_body(request.body, NewOrder)
    if wanted.expires_at is not None:
        check_moment(wanted.expires_at, "expires_at")
    order = Order(
        id=OrderId(wanted.order_id),
        price=Money.parse(wanted.price, wanted.currency),
        name=wanted.name,
        tax_free=Money.parse(wanted.tax_free, wanted.currency, what="tax_free").minor,
        expires_at=wanted.expires_at,
        metadata=wanted.metadata,
    )
    outcome = await register_order(desk.world, order)
    if isinstance(outcome, OrderExists):
        terms = ", ".join(outcome.differs)
        return problem(
            Code.ORDER_EXISTS,
            f"An order with other terms is registered under this id: {outcome.difference}. Its terms stay as they are.",
            f"같은 order_id로 조건이 다른 주문이 있습니다. 다른 항목: {terms}. 기존 주문은 바뀌지 않습니다.",
            order_id=order.id,
            differs=outcome.differs,
        )
    shown = shown_registration(outcome.record, over=outcome.over)
    return answer(201 if outcome.created else 200, shown, {"location": location(order.id)})


async def _list(desk: Desk, request: Request, _: str) -> Response:
    query = read_query(request.query, [parameter.name for parameter in _QUERY])
    state = query.get("state")
    if state is not None and state not in _STATES:
        raise InvalidValue(
            f"state must be one of {', '.join(_STATES)} (state는 {', '.join(_STATES)} 중 하나여야 합니다)"
        )
    wanted = OrderFilter(
        state=state,
        created_from=moment(query["created_from"], "created_from") if "created_from" in query else None,
        created_to=moment(query["created_to"], "created_to") if "created_to" in query else None,
        cursor=check_cursor(query.get("cursor")),
        limit=whole_number(query.get("limit", "50"), "limit", 1, _LIMIT_MAX),
    )
    page = await desk.world.store.orders(wanted)
    shown = ShownOrders(orders=[shown_order(record) for record in page.records], next_cursor=page.next_cursor)
    return answer(200, shown)


async def _show(desk: Desk, _: Request, segment: str) -> Response:
    order = order_id(segment)
    record = await desk.world.store.load(order)
    if record is None:
        return problem(Code.ORDER_NOT_FOUND, order_id=order)
    return answer(200, shown_order_in_full(record, await desk.world.store.deliveries(order)))


async def _history(desk: Desk, _: Request, segment: str) -> Response:
    order = order_id(segment)
    record = await desk.world.store.load(order)
    if record is None:
        return problem(Code.ORDER_NOT_FOUND, order_id=order)
    events = await desk.world.store.history(order)
    currency = record.order.price.currency
    return answer(200, {"events": [shown_event(event, currency) for event in events]})


async def _retry(desk: Desk, _: Request, segment: str) -> Response:
    delivery = await desk.world.store.retry_delivery(delivery_id(segment), desk.world.clock.now())
    if delivery is None:
        return problem(Code.DELIVERY_NOT_FOUND)
    return answer(200, shown_delivery(delivery))


_LOOKING = (Code.INVALID_REQUEST, Code.ORDER_NOT_FOUND, Code.STORE_UNAVAILABLE)

ROUTES = (
    Route(
        method="POST",
        path="/v1/orders",
        handle=_register,
        name="registerOrder",
        words="Register an order before checkout. The same again changes nothing.",
        body=NewOrder,
        answers={200: ShownRegistration, 201: ShownRegistration},
        problems=(Code.INVALID_REQUEST, Code.ORDER_EXISTS, Code.TOO_LARGE, Code.STORE_UNAVAILABLE),
        keyed=True,
        example={"order_id": "order-1042", "price": 3000, "name": "커피 원두 200g", "metadata": {"cart": 7}},
    ),
    Route(
        method="GET",
        path="/v1/orders",
        handle=_list,
        name="listOrders",
        words="Orders, newest first, page by page.",
        answers={200: ShownOrders},
        problems=(Code.INVALID_REQUEST, Code.STORE_UNAVAILABLE),
        query=_QUERY,
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}",
        handle=_show,
        name="showOrder",
        words="An order, its payment, its receipts and everything owed for it.",
        answers={200: ShownOrderInFull},
        problems=_LOOKING,
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/orders/{order_id}/history",
        handle=_history,
        name="showHistory",
        words="Every step of an order: when, what, who.",
        answers={200: ShownHistory},
        problems=_LOOKING,
        keyed=True,
    ),
    Route(
        method="POST",
        path="/v1/deliveries/{delivery_id}/retry",
        handle=_retry,
        name="retryDelivery",
        words="Try something owed again now; what is settled stays settled.",
        answers={200: ShownDelivery},
        problems=(Code.INVALID_REQUEST, Code.DELIVERY_NOT_FOUND, Code.STORE_UNAVAILABLE),
        keyed=True,
    ),
)
"""The rows of the table that need one of the shop's keys."""
