"""Our state for an order: the states, the one transition table, and the fold of a history.

Rule 1: a state changes only by an event, and only as TRANSITIONS says.
Rule 2: folding an order's events gives its payment; there is no other way to make one.
Rule 3: an intent to move money is an event of its own, and it carries a lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import cast

from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.receipt import Account

__all__ = [
    "TRANSITIONS",
    "CancelIntent",
    "CancelRequest",
    "Event",
    "Fate",
    "Lease",
    "OtherReceipt",
    "Payment",
    "Record",
    "State",
    "What",
    "apply",
    "fold",
    "shown_state",
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
"""What may follow what. `REGISTERED` begins a history; `RESOLVED` leaves `attention` for the state it names."""


class Fate(StrEnum):
    """What became of a receipt that does not pay for its order."""

    REFUSED = "refused"
    """Turned away before any money moved, or not ours to send back."""
    SET_ASIDE = "set_aside"
    """A virtual account the buyer replaced by another; money may still come."""
    OWED_BACK = "owed_back"
    """Its money must go back and has been put to the outbox."""
    HELD = "held"
    """Its money waits for a person's decision."""
    RETURNED = "returned"
    """Its money has gone back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherReceipt:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Until when an intent is nobody else's business."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelIntent:
    """The cancel that is under way.

    Attributes:
        cancel_id: The same for every repeat of the same intent.
        amount: Minor units to give back now.
        tax_free: The non-taxable part of `amount`.
        base: What had been cancelled before, to compare a doubtful outcome with.
        reason: Why, in the shop's words.
    """

    cancel_id: str
    amount: int
    tax_free: int
    base: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """A cancel the shop asked for, remembered for ever under its idempotency key.

    Attributes:
        key: Hash of the order's id and the caller's key; also the `cancel_id`.
        fingerprint: Hash of what was asked, to tell another request under the same key.
        outcome: `in_flight`, `done`, `refused`, or `undone` (certainly not carried out: may be tried again).
        amount: Minor units that were to go back.
        tax_free: The non-taxable part of them.
        cancelled: Running total after it was done.
        code: Bootpay's code where it refused.
        words: Bootpay's words where it refused.
    """

    key: str
    fingerprint: str
    outcome: str
    amount: int = 0
    tax_free: int = 0
    cancelled: int = 0
    code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Where an order stands, folded from its history.

    Attributes:
        state: One of the eight states.
        receipt_id: The receipt that pays, is being approved, or whose account awaits the deposit.
        cancelled: Minor units that went back, running total.
        cancelled_tax_free: The non-taxable part of that.
        lease: Set while an intent to move money is under way.
        intended_at: When the first intent of a row of repeats was committed.
        cancel: The cancel under way.
        account: Where a deposit is awaited.
        paid_at: When Bootpay took the money.
        method: Bootpay's alias of how it was paid.
        reason: Why a person must decide (`attention` only).
        before: The state that `attention` interrupted.
        others: Receipts of this order that do not pay for it.
        requests: Cancels the shop asked for, one per idempotency key.
        dismissed: Reasons for `attention` that a person has dismissed: the same fact calls nobody again.
    """

    state: State = State.OPEN
    receipt_id: ReceiptId | None = None
    cancelled: int = 0
    cancelled_tax_free: int = 0
    lease: Lease | None = None
    intended_at: datetime | None = None
    cancel: CancelIntent | None = None
    account: Account | None = None
    paid_at: datetime | None = None
    method: str = ""
    reason: str | None = None
    before: State | None = None
    others: tuple[OtherReceipt, ...] = ()
    requests: tuple[CancelRequest, ...] = ()
    dismissed: tuple[str, ...] = ()

    def other(self, receipt_id: ReceiptId) -> OtherReceipt | None:
        """The note on a receipt that does not pay for this order, if there is one."""
        for known in self.others:
            if known.receipt_id == receipt_id:
                return known
        return None

    def leased(self, now: datetime) -> bool:
        """Whether somebody's intent to move money is still nobody else's business."""
        return self.lease is not None and now < self.lease.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
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


def apply(payment: Payment, event: Event) -> Payment:
    """The payment after one more event.

    Raises:
        ValueError: If the table does not allow it: a mistake of ours, never a caller's.
    """
    data = event.data
    if event.what is What.REGISTERED:
        return Payment()
    if event.what is What.RESOLVED:
        return _resolved(payment, data)
    target = TRANSITIONS[payment.state].get(event.what)
    if target is None:
        raise ValueError(f"{event.what} cannot follow {payment.state}")
    changed = replace(payment, state=target)
    match event.what:
        case What.ACCOUNT_ISSUED:
            return replace(
                changed,
                receipt_id=_receipt_id(data),
                account=account_from(data),
                # An account that was set aside may be taken up again.
                others=tuple(known for known in changed.others if known.receipt_id != data["receipt_id"]),
            )
        case What.ACCOUNT_WITHDRAWN:
            others = changed.others
            if data.get("set_aside"):
                others = _noted(changed, data, Fate.SET_ASIDE)
            return replace(changed, receipt_id=None, account=None, others=others)
        case What.APPROVAL_INTENDED:
            first = payment.intended_at if payment.state is State.CONFIRMING else None
            return replace(
                changed,
                receipt_id=_receipt_id(data),
                lease=Lease(until=_time(data["lease_until"])),
                intended_at=first or event.at,
            )
        case What.APPROVAL_REFUSED:
            return replace(changed, receipt_id=None, lease=None, intended_at=None)
        case What.PAID:
            return replace(
                changed,
                receipt_id=_receipt_id(data),
                lease=None,
                intended_at=None,
                account=None,
                paid_at=_time(data["paid_at"]),
                method=str(data.get("method", "")),
                # A virtual account that was set aside may turn out to be the one that pays.
                others=tuple(known for known in changed.others if known.receipt_id != data["receipt_id"]),
            )
        case What.RECEIPT_REFUSED:
            return replace(changed, others=_noted(changed, data, Fate.REFUSED))
        case What.SURPLUS_FOUND:
            return replace(changed, others=_noted(changed, data, Fate(str(data["fate"]))))
        case What.MONEY_RETURNED:
            return replace(changed, others=_noted(changed, data, Fate.RETURNED))
        case What.CANCEL_INTENDED:
            first = payment.intended_at if payment.state is State.CANCELLING else None
            return replace(
                changed,
                lease=Lease(until=_time(data["lease_until"])),
                intended_at=first or event.at,
                cancel=CancelIntent(
                    cancel_id=str(data["cancel_id"]),
                    amount=_int(data["amount"]),
                    tax_free=_int(data["tax_free"]),
                    base=payment.cancelled,
                    reason=str(data.get("reason", "")),
                ),
                requests=_asked(payment, data),
            )
        case What.CANCEL_REFUSED:
            outcome = "undone" if data.get("undone") else "refused"
            requests = _answered(payment, data, outcome)
            return replace(changed, lease=None, intended_at=None, cancel=None, requests=requests)
        case What.PARTIALLY_CANCELLED | What.CANCELLED:
            return replace(
                changed,
                requests=_answered(payment, data, "done"),
                lease=None,
                intended_at=None,
                cancel=None,
                cancelled=_int(data["cancelled"]),
                cancelled_tax_free=_int(data["cancelled_tax_free"]),
            )
        case What.EXPIRED:
            return replace(changed, account=None)
        case What.ATTENTION:
            before = payment.before if payment.state is State.ATTENTION else payment.state
            return replace(
                changed, before=before, reason=str(data["reason"]), lease=None, intended_at=None, cancel=None
            )
        case _:
            raise ValueError(f"{event.what} has no meaning here")


def _resolved(payment: Payment, data: Mapping[str, object]) -> Payment:
    """A person's decision leaves `attention` for the state it names."""
    if payment.state is not State.ATTENTION:
        raise ValueError(f"resolved cannot follow {payment.state}")
    target = State(str(data["to"]))
    changed = replace(payment, state=target, reason=None, before=None)
    if data.get("resolution") == "dismiss" and payment.reason and payment.reason not in payment.dismissed:
        changed = replace(changed, dismissed=(*payment.dismissed, payment.reason))
    if target is State.PAID and "paid_at" in data:
        # Only money that is accepted says when; a receipt named without it is one whose money goes back.
        receipt_id = _receipt_id(data)
        changed = replace(
            changed,
            receipt_id=receipt_id,
            paid_at=_time(data["paid_at"]),
            method=str(data.get("method", "")),
            account=None,
            others=tuple(known for known in changed.others if known.receipt_id != receipt_id),
        )
    if "cancelled" in data:
        changed = replace(
            changed,
            cancelled=_int(data["cancelled"]),
            cancelled_tax_free=_int(data["cancelled_tax_free"]),
        )
    return changed


def fold(events: Iterable[Event]) -> Payment:
    """The payment that a whole history gives."""
    payment = Payment()
    for event in events:
        payment = apply(payment, event)
    return payment


def shown_state(order: Order, payment: Payment) -> str:
    """The word users see for a payment's state."""
    match payment.state:
        case State.CONFIRMING | State.CANCELLING:
            return "pending"
        case State.PAID if 0 < payment.cancelled < order.price.minor:
            return "partially_cancelled"
        case _:
            return payment.state.value


def _noted(payment: Payment, data: Mapping[str, object], fate: Fate) -> tuple[OtherReceipt, ...]:
    receipt_id = _receipt_id(data)
    known = payment.other(receipt_id)
    note = OtherReceipt(
        receipt_id=receipt_id,
        fate=fate,
        price=_int(data["price"]) if "price" in data else (known.price if known else 0),
        reason=str(data["reason"]) if "reason" in data else (known.reason if known else ""),
        currency=str(data["currency"]) if "currency" in data else (known.currency if known else ""),
    )
    return (*(other for other in payment.others if other.receipt_id != receipt_id), note)


def _asked(payment: Payment, data: Mapping[str, object]) -> tuple[CancelRequest, ...]:
    """The requests with one more under way; a key that came before (and certainly had no effect) begins anew."""
    request = CancelRequest(
        key=str(data["cancel_id"]),
        fingerprint=str(data.get("fingerprint", "")),
        outcome="in_flight",
        amount=_int(data["amount"]),
        tax_free=_int(data["tax_free"]),
    )
    return (*(other for other in payment.requests if other.key != request.key), request)


def _answered(payment: Payment, data: Mapping[str, object], outcome: str) -> tuple[CancelRequest, ...]:
    """The requests with the answer to the one under way; unchanged where none is."""
    if payment.cancel is None:
        return payment.requests
    return tuple(
        replace(
            request,
            outcome=outcome,
            cancelled=_int(data["cancelled"]) if "cancelled" in data else 0,
            code=str(data.get("code", "")),
            words=str(data.get("words", "")),
        )
        if request.key == payment.cancel.cancel_id
        else request
        for request in payment.requests
    )


def account_from(data: Mapping[str, object]) -> Account | None:
    """Read the account out of an event's data."""
    account = data.get("account")
    if not isinstance(account, Mapping):
        return None
    fields = cast("Mapping[str, object]", account)
    expires_at = fields.get("expires_at")
    return Account(
        bank_name=str(fields.get("bank_name", "")),
        bank_code=str(fields.get("bank_code", "")),
        number=str(fields.get("number", "")),
        holder=str(fields.get("holder", "")),
        expires_at=_time(expires_at) if expires_at else None,
    )


def account_data(account: Account | None) -> dict[str, object] | None:
    """An account as an event's data holds it."""
    if account is None:
        return None
    return {
        "bank_name": account.bank_name,
        "bank_code": account.bank_code,
        "number": account.number,
        "holder": account.holder,
        "expires_at": account.expires_at.isoformat() if account.expires_at else None,
    }


def _receipt_id(data: Mapping[str, object]) -> ReceiptId:
    return ReceiptId(str(data["receipt_id"]))


def _time(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a whole number was expected, not {type(value).__name__}")  # noqa: TRY004 - see apply
    return value
