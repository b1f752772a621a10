"""`dojang orders`: register orders and look at them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from dojang.core.order import CURRENCIES, Money, Order, OrderId
from dojang.core.payment import What
from dojang.drive import run
from dojang.entry.cli.answers import NO_ORDER, as_json, order_shown, questions_shown
from dojang.entry.cli.codes import Code
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.entry.cli.terminal import timed
from dojang.errors import InvalidValue
from dojang.ports import OrderFilter
from dojang.web.reading import check_cursor
from dojang.web.showing import OVER, OVER_KO, shown_event, shown_order, shown_order_in_full

__all__ = ["add", "history", "list_", "show"]

_STATES = (
    "open",
    "awaiting_deposit",
    "pending",
    "paid",
    "partially_cancelled",
    "cancelled",
    "expired",
    "attention",
)
_NOT_DETAILS = ("version", "at", "what", "who")

OrderIdArgument = Annotated[str, typer.Argument(help="The shop's own id of the order.")]


@with_settings
def add(
    invocation: Invocation,
    order_id: OrderIdArgument,
    price: Annotated[str, typer.Option(help="What must be paid in all, such as 3000 or 19.99.")],
    name: Annotated[str, typer.Option(help="What the buyer sees.")],
    currency: Annotated[str, typer.Option(help=f"One of {', '.join(CURRENCIES)}.")] = "KRW",
    tax_free: Annotated[str, typer.Option(help="The non-taxable part of the price.")] = "0",
    expires_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Money after this is late: 2026-12-31T23:59:59+09:00.")
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Handed back with every delivery; repeatable."),
    ] = None,
) -> Code:
    """Register an order before checkout. Doing it again with the same terms changes nothing.

    Example:
      dojang orders add A-1024 --price 3000 --name 테스트음식 --metadata table=7
    """
    from dojang.usecases.register_order import OrderExists, register_order

    order = Order(
        id=OrderId(order_id),
        price=Money.parse(price, currency),
        name=name,
        tax_free=Money.parse(tax_free, currency, what="tax_free").minor,
        expires_at=_moment(expires_at),
        metadata=dict(_pair(text) for text in metadata or []),
    )
    with invocation.world(create=True) as world:
        registered = run(register_order(world, order))
    if isinstance(registered, OrderExists):
        invocation.terminal.say(
            f"Another order is registered under {order_id}; {registered.difference} "
            f"(같은 order_id로 다른 조건의 주문이 있습니다. 다른 항목: {', '.join(registered.differs)}).",
            "red",
        )
        return Code.REFUSED
    order_shown(invocation.terminal, registered.record)
    invocation.terminal.say(
        "Registered (등록되었습니다)." if registered.created else "The same as before (이미 등록됨)."
    )
    if registered.over:
        invocation.terminal.warn(f"{OVER} ({OVER_KO})")
    return Code.FINE


@with_settings
def list_(
    invocation: Invocation,
    state: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(_STATES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the previous page ended.")] = None,
) -> Code:
    """List orders, newest first.

    Example:
      dojang orders list --state attention --format json
    """
    if state is not None and state not in _STATES:
        known = ", ".join(_STATES)
        raise InvalidValue(
            f"state must be one of {known}, not {state!r} (state는 {known} 중 하나여야 합니다)"
        )
    wanted = OrderFilter(state=state, limit=limit, cursor=check_cursor(cursor))
    with invocation.backend() as backend:
        page = backend.orders(wanted)
    shown = [as_json(shown_order(record)) for record in page.records]
    columns = ("order_id", "state", "price", "currency", "cancelled", "receipt_id", "created_at", "name")
    invocation.terminal.rows(
        {"orders": shown, "next_cursor": page.next_cursor},
        columns,
        [[order[column] for column in columns] for order in shown],
    )
    if page.next_cursor:
        invocation.terminal.say(f"More: --cursor {page.next_cursor}")
    return Code.FINE


@with_settings
def show(invocation: Invocation, order_id: OrderIdArgument) -> Code:
    """Show one order: its terms, where its payment stands, its receipts and what it owes.

    Example:
      dojang orders show A-1024
    """
    wanted = OrderId(order_id)
    with invocation.backend() as backend:
        record = backend.load(wanted)
        deliveries = backend.deliveries(wanted)
    if record is None:
        invocation.terminal.say(NO_ORDER.format(order_id), "red")
        return Code.REFUSED
    data = as_json(shown_order_in_full(record, deliveries))
    terminal = invocation.terminal
    terminal.facts(data, hidden=("receipts", "deliveries", "questions"))
    if terminal.format == "table":
        receipts = [[row["receipt_id"], row["fate"], row["price"], row["reason"]] for row in data["receipts"]]
        owed = [
            [row["id"], row["state"], row["attempts"], row["due_at"], row["last_error"]]
            for row in data["deliveries"]
        ]
        questions_shown(terminal, data)
        if receipts:
            terminal.rows(None, ("receipt", "fate", "price", "reason"), receipts)
        if owed:
            terminal.rows(None, ("delivery", "state", "attempts", "due", "last error"), owed)
    return Code.FINE


@with_settings
def history(invocation: Invocation, order_id: OrderIdArgument) -> Code:
    """Show every step of an order, oldest first: when, what, who, and Bootpay's words.

    Example:
      dojang orders history A-1024
    """
    wanted = OrderId(order_id)
    with invocation.backend() as backend:
        events = backend.history(wanted)
    if not events:
        invocation.terminal.say(NO_ORDER.format(order_id), "red")
        return Code.REFUSED
    first = events[0]
    currency = str(first.data.get("currency", "KRW")) if first.what is What.REGISTERED else "KRW"
    shown = [as_json(shown_event(event, currency)) for event in events]
    rows = [
        [
            *(step[name] for name in _NOT_DETAILS),
            " ".join(
                f"{key}={_detail(key, value)}"
                for key, value in step.items()
                if key not in _NOT_DETAILS and value is not None
            ),
        ]
        for step in shown
    ]
    invocation.terminal.rows({"events": shown}, (*_NOT_DETAILS, "details"), rows)
    return Code.FINE


def _detail(name: str, value: object) -> object:
    told = timed(name, value)
    return json.dumps(told, ensure_ascii=False) if isinstance(told, dict | list) else told


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue(
            f"expires_at must be a time such as 2026-12-31T23:59:59+09:00, not {text!r} "
            "(expires_at은 2026-12-31T23:59:59+09:00 형식이어야 합니다)"
        ) from None


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InvalidValue(
            f"metadata must be KEY=VALUE, not {text!r} (metadata는 KEY=VALUE 형식이어야 합니다)"
        )
    return key, value
