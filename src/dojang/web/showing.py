"""Core values as the outside sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dojang.core.delivery import Delivery, DeliveryState
from dojang.core.order import Order, major_units
from dojang.core.payment import Event, Payment, Question, Record, State, shown_state
from dojang.core.receipt import Account
from dojang.web.shapes import (
    ShownAccount,
    ShownChange,
    ShownDelivery,
    ShownError,
    ShownOrder,
    ShownOrderInFull,
    ShownQuestion,
    ShownReceipt,
    ShownRegistration,
    ShownReport,
)
from dojang.web.shapes import State as ShownStateWord

if TYPE_CHECKING:
    from dojang.usecases.reconcile import Change, ReconcileReport

__all__ = [
    "OVER",
    "OVER_KO",
    "shown_account",
    "shown_delivery",
    "shown_event",
    "shown_order",
    "shown_order_in_full",
    "shown_registration",
    "shown_report",
    "state_of",
]

_AMOUNTS = frozenset({"price", "tax_free", "amount", "cancelled", "cancelled_tax_free"})
_RECEIPT_ROLES = {State.AWAITING_DEPOSIT: "awaiting_deposit", State.CONFIRMING: "confirming"}
_NO_MONEY = frozenset({State.OPEN, State.AWAITING_DEPOSIT, State.CONFIRMING, State.EXPIRED})


def state_of(record: Record) -> ShownStateWord:
    """The word users see."""
    return cast("ShownStateWord", shown_state(record.order, record.payment))


def shown_account(account: Account | None) -> ShownAccount | msgspec.UnsetType:
    """Where to pay, if a deposit is awaited."""
    if account is None:
        return msgspec.UNSET
    return ShownAccount(
        bank_name=account.bank_name,
        bank_code=account.bank_code,
        number=account.number,
        holder=account.holder,
        expires_at=_utc(account.expires_at),
    )


def shown_order(record: Record) -> ShownOrder:
    """An order's terms and where its payment stands."""
    return ShownOrder(**_fields(record))


def shown_registration(record: Record, *, over: bool) -> ShownRegistration:
    """An order as it is on file; with a word about its deadline where the time to pay is over already."""
    shown = ShownRegistration(**_fields(record))
    return msgspec.structs.replace(shown, detail=OVER, detail_ko=OVER_KO) if over else shown


OVER = (
    "expires_at has passed already: whatever is paid for this order is late money, see DOJANG_LATE_PAYMENT."
)
"""What a shop is told that registers an order whose time to pay is over."""
OVER_KO = (
    "expires_at이 이미 지났습니다. 이 주문의 결제는 모두 기한이 지난 돈으로 처리됩니다(DOJANG_LATE_PAYMENT)."
)
"""The same in Korean."""


def shown_order_in_full(record: Record, deliveries: Sequence[Delivery]) -> ShownOrderInFull:
    """An order with its receipts and everything owed for it."""
    return ShownOrderInFull(
        **_fields(record),
        receipts=_receipts(record.order, record.payment),
        deliveries=[shown_delivery(delivery) for delivery in deliveries],
    )


def shown_delivery(delivery: Delivery) -> ShownDelivery:
    """Something owed."""
    return ShownDelivery(
        id=delivery.id,
        order_id=delivery.order_id,
        type=delivery.type,
        lane=delivery.lane.value,
        state=delivery.state.value,
        attempts=delivery.attempts,
        due_at=_utc(delivery.due_at) if delivery.state is DeliveryState.DUE else None,
        settled_at=_utc(delivery.settled_at),
        last_error=delivery.last_error,
    )


def shown_event(event: Event, currency: str) -> Mapping[str, object]:
    """One step of a history, its data beside the four fields every step has."""
    data = {
        name: major_units(value, str(event.data.get("currency", currency)))
        if name in _AMOUNTS and isinstance(value, int)
        else value
        for name, value in event.data.items()
    }
    return {"version": event.version, "at": _utc(event.at), "what": event.what.value, "who": event.who} | {
        name: value for name, value in data.items() if name not in ("version", "at", "what", "who")
    }


def shown_report(report: ReconcileReport) -> ShownReport:
    """What a reconciliation did."""
    return ShownReport(
        checked=report.checked,
        notices=report.notices,
        calls=report.calls,
        changes=[_change(change) for change in report.changes],
        drift=[_change(change) for change in report.drift],
        errors=[ShownError(id=id_, why=why) for id_, why in report.errors],
        more=report.more,
        next_cursor=report.next_cursor,
    )


def _fields(record: Record) -> dict[str, Any]:
    order, payment = record.order, record.payment
    currency = order.price.currency
    had_money = payment.state not in _NO_MONEY and payment.paid_at is not None
    return {
        "order_id": order.id,
        "state": state_of(record),
        "price": order.price.major,
        "currency": currency,
        "tax_free": major_units(order.tax_free, currency),
        "name": order.name,
        "cancelled": major_units(payment.cancelled, currency),
        "remaining": major_units(order.price.minor - payment.cancelled, currency) if had_money else 0,
        "expires_at": _utc(order.expires_at),
        "created_at": _utc(record.created_at),
        "metadata": dict(order.metadata),
        "version": record.version,
        "receipt_id": payment.receipt_id,
        "paid_at": _utc(payment.paid_at),
        "account": shown_account(payment.account),
        "reason": payment.reason or msgspec.UNSET,
        "questions": [_question(question) for question in payment.questions] or msgspec.UNSET,
    }


def _question(question: Question) -> ShownQuestion:
    # Here rather than on top: nobody who verifies a payment waits for sentences.
    from dojang.core.questions import sentences

    english, korean = sentences(question.reason)
    return ShownQuestion(
        reason=question.reason, receipt_id=question.receipt_id, detail=english, detail_ko=korean
    )


def _receipts(order: Order, payment: Payment) -> list[ShownReceipt]:
    currency = order.price.currency
    shown = [
        ShownReceipt(
            receipt_id=other.receipt_id,
            fate=other.fate.value,
            price=major_units(other.price, other.currency or currency),
            currency=other.currency or currency,
            reason=other.reason,
        )
        for other in payment.others
    ]
    if payment.receipt_id is not None:
        state = payment.before or payment.state
        role = "pays" if payment.paid_at is not None else _RECEIPT_ROLES.get(state, "refused")
        own = ShownReceipt(
            receipt_id=payment.receipt_id,
            fate=cast("Any", role),
            price=order.price.major,
            currency=currency,
            reason="",
        )
        shown.insert(0, own)
    return shown


def _change(change: Change) -> ShownChange:
    return ShownChange(
        order_id=change.order_id,
        before=cast("ShownStateWord", change.before),
        after=cast("ShownStateWord", change.after),
        drift=change.drift,
    )


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
