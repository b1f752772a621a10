"""Our state for an order: the states, the one transition table, and the values they are about.

Rule 1: a state changes only by an event, and only as TRANSITIONS says.
Rule 2: an intent to move money is an event of its own, and it carries a lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.receipt import Account
from dojang.core.values import Value, field

__all__ = [
    "NOT_SENT",
    "TRANSITIONS",
    "CancelIntent",
    "CancelRequest",
    "Event",
    "Fate",
    "Lease",
    "OtherReceipt",
    "Payment",
    "Question",
    "Record",
    "State",
    "What",
    "shown_state",
    "was_paid",
]


class State(StrEnum):
    """Where a payment stands."""

    OPEN = "open"
    AWAITING_DEPOSIT = "awaiting_deposit"
    CONFIRMING = "confirming"
    PAID = "paid"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ATTENTION = "attention"


class What(StrEnum):
    """The kinds of event an order's history is made of."""

    REGISTERED = "registered"
    ACCOUNT_ISSUED = "account_issued"
    ACCOUNT_WITHDRAWN = "account_withdrawn"
    APPROVAL_INTENDED = "approval_intended"
    APPROVAL_REFUSED = "approval_refused"
    PAID = "paid"
    RECEIPT_REFUSED = "receipt_refused"
    SURPLUS_FOUND = "surplus_found"
    MONEY_RETURNED = "money_returned"
    CANCEL_INTENDED = "cancel_intended"
    CANCEL_REFUSED = "cancel_refused"
    PARTIALLY_CANCELLED = "partially_cancelled"
    CANCELLED = "cancelled"
    STANDS_AGAIN = "stands_again"
    EXPIRED = "expired"
    ATTENTION = "attention"
    RESOLVED = "resolved"


def _rows() -> dict[State, dict[What, State]]:
    """Build the table: what is allowed from one state alone, then what is allowed from all of them."""
    rows: dict[State, dict[What, State]] = {
        State.OPEN: {
            What.ACCOUNT_ISSUED: State.AWAITING_DEPOSIT,
            What.APPROVAL_INTENDED: State.CONFIRMING,
            What.PAID: State.PAID,
            What.EXPIRED: State.EXPIRED,
        },
        State.AWAITING_DEPOSIT: {
            What.PAID: State.PAID,
            What.ACCOUNT_WITHDRAWN: State.OPEN,
            What.EXPIRED: State.EXPIRED,
        },
        State.CONFIRMING: {
            # After the lease is over and a look at the receipt, an unfinished approval is taken up again.
            What.APPROVAL_INTENDED: State.CONFIRMING,
            What.APPROVAL_REFUSED: State.OPEN,
            What.PAID: State.PAID,
        },
        State.PAID: {
            What.CANCEL_INTENDED: State.CANCELLING,
            What.PARTIALLY_CANCELLED: State.PAID,
            What.CANCELLED: State.CANCELLED,
            # A doubt that a person dismissed is over: should it come again, a person is called again.
            What.STANDS_AGAIN: State.PAID,
        },
        State.CANCELLING: {
            What.CANCEL_INTENDED: State.CANCELLING,
            What.CANCEL_REFUSED: State.PAID,
            What.PARTIALLY_CANCELLED: State.PAID,
            What.CANCELLED: State.CANCELLED,
        },
        State.CANCELLED: {},
        State.EXPIRED: {What.PAID: State.PAID},
        State.ATTENTION: {},
    }
    for state, row in rows.items():
        # Money that is not this order's price comes and goes beside the payment, whatever its state.
        row |= {What.RECEIPT_REFUSED: state, What.SURPLUS_FOUND: state, What.MONEY_RETURNED: state}
        row[What.ATTENTION] = State.ATTENTION
    return rows


TRANSITIONS: Mapping[State, Mapping[What, State]] = _rows()
"""What may follow what. `REGISTERED` begins a history. `RESOLVED` is a person's word: it leaves `attention` for the
state it names, or decides on held money wherever the payment stands."""


class Fate(StrEnum):
    """What became of a receipt that does not pay for its order."""

    REFUSED = "refused"
    """Turned away before any money moved, or not ours to send back."""
    SET_ASIDE = "set_aside"
    """A virtual account the buyer replaced by another, or an approval not carried out; money may still come."""
    OWED_BACK = "owed_back"
    """Its money must go back and has been put to the outbox."""
    HELD = "held"
    """Its money waits for a person's decision."""
    RETURNED = "returned"
    """Its money has gone back."""


class OtherReceipt(Value):
    """A receipt of this order that is not the one that pays for it.

    Attributes:
        receipt_id: Which.
        fate: What became of it.
        price: Minor units of `currency`.
        reason: Why it does not pay.
        currency: Empty where it is the order's.
    """

    receipt_id: ReceiptId
    fate: Fate
    price: int
    reason: str
    currency: str = ""


class Question(Value):
    """Something that a person must decide.

    Attributes:
        reason: Why.
        receipt_id: The receipt it is about; None where it is about the order as a whole.
    """

    reason: str
    receipt_id: ReceiptId | None = None


class Lease(Value):
    """Until when an intent is nobody else's business."""

    until: datetime


class CancelIntent(Value):
    """The cancel that is under way.

    Attributes:
        cancel_id: The same for every repeat of the same intent.
        amount: Minor units to give back now.
        tax_free: The non-taxable part of `amount`.
        base: What had been cancelled before, to compare a doubtful outcome with.
        reason: Why, in the shop's words.
        left_before: Whether it is a repeat: an attempt before it had left and was given up.
    """

    cancel_id: str
    amount: int
    tax_free: int
    base: int
    reason: str
    left_before: bool = False


NOT_SENT = "not_sent"
"""The code of a cancel that certainly never left us."""


class CancelRequest(Value):
    """A cancel the shop asked for, remembered for ever under its idempotency key.

    Attributes:
        key: Hash of the order's id and the caller's key; also the `cancel_id`.
        fingerprint: Hash of what was asked, to tell another request under the same key.
        outcome: `in_flight`, `done`, `refused`, `refused_repeat` (an attempt before it had left, and may yet come),
            `undone` (given up as not carried out: may be tried again, after a look), or `unknown` (somebody else's
            cancel hides whether it was carried out: it never leaves again).
        amount: Minor units that were to go back.
        tax_free: The non-taxable part of them.
        cancelled: Running total after it was done.
        code: Bootpay's code where it refused.
        words: Bootpay's words where it refused.
        most: The largest amount that an earlier attempt under it left with, where that is more than `amount`; else 0.
    """

    key: str
    fingerprint: str
    outcome: str
    amount: int = 0
    tax_free: int = 0
    cancelled: int = 0
    code: str = ""
    words: str = ""
    most: int = 0

    @property
    def left(self) -> bool:
        """Whether it may have reached Bootpay, for all that is known."""
        return self.code != NOT_SENT


class Payment(Value):
    """Where an order stands, folded from its history.

    Attributes:
        state: One of the eight states.
        receipt_id: The receipt that pays, is being approved, or whose account awaits the deposit.
        cancelled: Minor units that went back, running total.
        cancelled_tax_free: The non-taxable part of that.
        lease: Set while an intent to move money is under way.
        intended_at: When the first intent of a row of repeats was committed.
        since: When the order last came to wait for the buyer's money; None while it has done so since it was made.
        cancel: The cancel under way.
        account: Where a deposit is awaited.
        paid_at: When Bootpay took the money.
        method: Bootpay's alias of how it was paid.
        questions: What a person must decide, the oldest first (`attention` only).
        before: The state that `attention` interrupted.
        others: Receipts of this order that do not pay for it.
        requests: Cancels the shop asked for, one per idempotency key.
        dismissed: Questions about a receipt that a person has dismissed: the same fact calls nobody again, until
            the payment has been seen to stand again.
    """

    state: State = State.OPEN
    receipt_id: ReceiptId | None = None
    cancelled: int = 0
    cancelled_tax_free: int = 0
    lease: Lease | None = None
    intended_at: datetime | None = None
    since: datetime | None = None
    cancel: CancelIntent | None = None
    account: Account | None = None
    paid_at: datetime | None = None
    method: str = ""
    questions: tuple[Question, ...] = ()
    before: State | None = None
    others: tuple[OtherReceipt, ...] = ()
    requests: tuple[CancelRequest, ...] = ()
    dismissed: tuple[Question, ...] = ()

    @property
    def reason(self) -> str | None:
        """Why a person was first called, while one is."""
        return self.questions[0].reason if self.questions else None

    def other(self, receipt_id: ReceiptId) -> OtherReceipt | None:
        """The note on a receipt that does not pay for this order, if there is one."""
        for known in self.others:
            if known.receipt_id == receipt_id:
                return known
        return None

    def leased(self, now: datetime) -> bool:
        """Whether somebody's intent to move money is still nobody else's business."""
        return self.lease is not None and now < self.lease.until


class Event(Value):
    """One step in an order's history.

    Attributes:
        version: The order's version after this step; consecutive from 1.
        at: When, aware.
        what: Which kind of step.
        who: Who caused it: `buyer`, `shop`, `bootpay`, `dojang`, or `person:<name>`.
        data: What the step needs to be folded and read, in JSON types; never card or buyer data.
    """

    version: int
    at: datetime
    what: What
    who: str
    data: Mapping[str, object] = field(default_factory=dict)


class Record(Value):
    """An order as the store has it.

    Attributes:
        order: The terms.
        payment: Where it stands.
        version: How many events its history has.
        created_at: When it was registered, aware.
        due_at: When it is next looked at without anybody asking.
        claimed_by: The order that the receipt asked about belongs to, if it is on file (`Store.load`).
    """

    order: Order
    payment: Payment
    version: int
    created_at: datetime
    due_at: datetime | None = None
    claimed_by: OrderId | None = None


def shown_state(order: Order, payment: Payment) -> str:
    """The word users see for a payment's state."""
    match payment.state:
        case State.CONFIRMING | State.CANCELLING:
            return "pending"
        case State.PAID if 0 < payment.cancelled < order.price.minor:
            return "partially_cancelled"
        case _:
            return payment.state.value


def was_paid(payment: Payment) -> bool:
    """Whether a receipt counts as the order's payment, be it cancelled since or before a person's decision."""
    paid = (State.PAID, State.CANCELLING, State.CANCELLED)
    return payment.state in paid or (payment.state is State.ATTENTION and payment.before in paid)
