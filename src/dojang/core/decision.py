"""What one transaction writes, and what whoever asked is told.

Rule 1: a decision carries everything that one transaction must write; nothing is owed outside of it.
Rule 2: a decision is written step by step, and each step is judged by where the one before has led.
Rule 3: the same decision made twice owes under the same ids.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from dojang.core.delivery import Delivery, Lane, delivery_id
from dojang.core.history import apply
from dojang.core.order import OrderId, ReceiptId, major_units
from dojang.core.payment import Event, Payment, Question, Record, What, shown_state
from dojang.core.receipt import Account, Receipt
from dojang.core.schedule import next_check
from dojang.core.values import Value
from dojang.core.verification import Reason

__all__ = ["Accepted", "Answer", "Approve", "Decision", "Draft", "Pending", "Refusal"]


class Accepted(Value):
    """The receipt counts: the order is paid, or its virtual account awaits the deposit.

    Attributes:
        state: `paid` or `awaiting_deposit`.
        receipt_id: The receipt that counts.
        replayed: True where an earlier answer is repeated and nothing new was decided.
        account: Where to pay, while a deposit is awaited.
    """

    state: str
    receipt_id: ReceiptId
    replayed: bool = False
    account: Account | None = None


class Pending(Value, kw_only=False):
    """Nothing is decided yet: ask again."""

    retry_after_s: int = 2


class Refusal(Value, kw_only=False):
    """The receipt does not count.

    Attributes:
        reason: Why.
        detail: More of it for the shop; may be empty.
    """

    reason: Reason
    detail: str = ""


class Approve(Value, kw_only=False):
    """Everything fits and the buyer has agreed: money moves only if the caller now confirms."""

    receipt: Receipt


Answer = Accepted | Pending | Refusal | Approve
"""What whoever asked is told."""


class Decision(Value):
    """All that one transaction writes, and what the caller is told.

    Attributes:
        payment: The order's payment afterwards.
        version: The order's version afterwards.
        events: The steps that lead there; empty where nothing changes.
        owes: What the shop is now owed.
        claims: Receipts that belong to this order from now on, for ever.
        due_at: When the order is next looked at without anybody asking.
        answer: What the caller is told.
    """

    payment: Payment
    version: int
    events: tuple[Event, ...]
    owes: tuple[Delivery, ...]
    claims: tuple[ReceiptId, ...]
    due_at: datetime | None
    answer: Answer


class Draft:
    """A decision being written: each step is folded at once, so the next one is judged by where it leads."""

    def __init__(self, record: Record, now: datetime, who: str, spread: float = 0.0) -> None:
        self.record = record
        self.order = record.order
        self.now = now
        self.who = who
        self.spread = spread
        self.payment = record.payment
        self.version = record.version
        self.events: list[Event] = []
        self.owes: list[Delivery] = []
        self.claims: list[ReceiptId] = []

    def step(self, what: What, **data: object) -> None:
        """Write one more step and go where it leads."""
        event = Event(version=self.version + 1, at=self.now, what=what, who=self.who, data=data)
        self.payment = apply(self.payment, event)
        self.version = event.version
        self.events.append(event)

    def claim(self, receipt_id: ReceiptId) -> None:
        """From now on this receipt belongs to this order."""
        self.claims.append(receipt_id)

    def tell(self, kind: str, **more: object) -> None:
        """Owe the shop a notice about the step just made."""
        price = self.order.price
        data: dict[str, object] = {
            "order_id": str(self.order.id),
            "state": shown_state(self.order, self.payment),
            "version": self.version,
            "price": price.major,
            "cancelled": major_units(self.payment.cancelled, price.currency),
            "currency": price.currency,
            "receipt_id": str(self.payment.receipt_id) if self.payment.receipt_id else None,
            "metadata": dict(self.order.metadata),
            "origin": self.who,
        }
        data |= more
        self.owes.append(
            Delivery(
                id=delivery_id(self.order.id, self.version, kind),
                order_id=self.order.id,
                seq=self.version,
                lane=Lane.NOTICE,
                type=kind,
                data=data,
                created_at=self.now,
                due_at=self.now,
            )
        )

    def owe_back(self, receipt_id: ReceiptId, reason: str) -> None:
        """Owe a receipt's money back. One delivery per receipt, ever: its id says so."""
        self.owes.append(
            Delivery(
                id=delivery_id(self.order.id, receipt_id, "money_back"),
                order_id=self.order.id,
                seq=self.version,
                lane=Lane.MONEY_BACK,
                type="money_back",
                data={
                    "receipt_id": str(receipt_id),
                    "cancel_id": _cancel_id(self.order.id, receipt_id, "money_back"),
                    "reason": reason,
                },
                created_at=self.now,
                due_at=self.now,
            )
        )

    def attention(self, reason: str, **more: object) -> None:
        """Call a person, and tell the shop that one is called; nobody is called twice about the same."""
        about = more.get("receipt_id")
        question = Question(reason=reason, receipt_id=None if about is None else ReceiptId(about))
        if question in self.payment.questions:
            return
        self.step(What.ATTENTION, reason=reason, **more)
        self.tell("order.attention", reason=reason)

    def done(self, answer: Answer) -> Decision:
        """All that was written, with when to look next and the answer to whoever asked."""
        due_at = self.record.due_at
        if self.events or due_at is None or due_at <= self.now:
            due_at = next_check(self.order, self.payment, self.record.created_at, self.now, self.spread)
        return Decision(
            payment=self.payment,
            version=self.version,
            events=tuple(self.events),
            owes=tuple(self.owes),
            claims=tuple(self.claims),
            due_at=due_at,
            answer=answer,
        )


def _cancel_id(order_id: OrderId, receipt_id: ReceiptId, purpose: str) -> str:
    """The same cancel always gets the same id, so that Bootpay refuses a repeat instead of paying twice."""
    return hashlib.sha256(f"{order_id}\n{receipt_id}\n{purpose}".encode()).hexdigest()[:32]
