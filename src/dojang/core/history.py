"""The fold of an order's history into its payment, and how an event's data is read.

Rule 1: folding an order's events gives its payment; there is no other way to make one.
Rule 2: a step that the table does not allow is refused, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

from dojang.core.order import ReceiptId
from dojang.core.payment import (
    TRANSITIONS,
    CancelIntent,
    CancelRequest,
    Event,
    Fate,
    Lease,
    OtherReceipt,
    Payment,
    Question,
    State,
    What,
)
from dojang.core.receipt import Account
from dojang.core.values import replace

__all__ = ["account_data", "apply", "fold"]


def apply(payment: Payment, event: Event) -> Payment:
    """The payment after one more event.

    Raises:
        ValueError: If the table does not allow it: a mistake of ours, never a caller's.
    """
    data = event.data
    if event.what is What.REGISTERED:
        return Payment()
    if event.what is What.RESOLVED:
        return replace(_resolved(payment, data), since=event.at)
    target = TRANSITIONS[payment.state].get(event.what)
    if target is None:
        raise ValueError(f"{event.what} cannot follow {payment.state}")
    changed = replace(payment, state=target)
    match event.what:
        case What.ACCOUNT_ISSUED:
            return replace(
                changed,
                receipt_id=_receipt_id(data),
                account=_account_from(data),
                since=event.at,
                # An account that was set aside may be taken up again.
                others=_without(changed, data),
            )
        case What.ACCOUNT_WITHDRAWN:
            others = changed.others
            if data.get("set_aside"):
                others = _noted(changed, data, Fate.SET_ASIDE)
            return replace(changed, receipt_id=None, account=None, since=event.at, others=others)
        case What.APPROVAL_INTENDED:
            first = payment.intended_at if payment.state is State.CONFIRMING else None
            return replace(
                changed,
                receipt_id=_receipt_id(data),
                lease=Lease(until=_time(data["lease_until"])),
                intended_at=first or event.at,
                others=_without(changed, data),
            )
        case What.APPROVAL_REFUSED:
            return replace(
                changed,
                receipt_id=None,
                lease=None,
                intended_at=None,
                since=event.at,
                others=_noted(changed, data, Fate.SET_ASIDE) if data.get("set_aside") else changed.others,
            )
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
                others=_without(changed, data),
            )
        case What.RECEIPT_REFUSED:
            fate = Fate.SET_ASIDE if data.get("set_aside") else Fate.REFUSED
            return replace(changed, others=_noted(changed, data, fate))
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
                    left_before=bool(data.get("left_before")),
                ),
                requests=_asked(payment, data),
            )
        case What.CANCEL_REFUSED:
            repeat = payment.cancel is not None and payment.cancel.left_before
            outcome = "undone" if data.get("undone") else "refused_repeat" if repeat else "refused"
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
        case What.STANDS_AGAIN:
            about, ended = _receipt_id(data), cast("Sequence[str] | None", data.get("reasons"))
            return replace(
                changed,
                dismissed=tuple(
                    asked
                    for asked in changed.dismissed
                    # An event that names no reasons is an older one: it ended all.
                    if asked.receipt_id != about or (ended is not None and asked.reason not in ended)
                ),
            )
        case What.EXPIRED:
            return replace(changed, account=None)
        case What.ATTENTION:
            called = payment.state is State.ATTENTION
            question = Question(
                reason=str(data["reason"]), receipt_id=_receipt_id(data) if "receipt_id" in data else None
            )
            return replace(
                changed,
                before=payment.before if called else payment.state,
                # A later question takes no earlier one away.
                questions=tuple(dict.fromkeys((*payment.questions, question))),
                lease=None,
                intended_at=None,
                cancel=None,
            )
        case _:
            raise ValueError(f"{event.what} has no meaning here")


def fold(events: Iterable[Event]) -> Payment:
    """The payment that a whole history gives."""
    payment = Payment()
    for event in events:
        payment = apply(payment, event)
    return payment


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


def _resolved(payment: Payment, data: Mapping[str, object]) -> Payment:
    """A person's decision: it leaves `attention` for the state it names; held money may be decided on anywhere."""
    target = State(str(data["to"]))
    accepted = "paid_at" in data
    allowed = target is State.PAID if accepted else payment.state in (State.ATTENTION, target)
    if not allowed or (accepted and payment.state not in _PAYABLE):
        raise ValueError(f"resolved to {target} cannot follow {payment.state}")
    changed = replace(payment, state=target, questions=(), before=None)
    if data.get("resolution") == "dismiss" and "receipt_id" in data:
        closed = tuple(asked for asked in payment.questions if asked.receipt_id == data["receipt_id"])
        changed = replace(changed, dismissed=tuple(dict.fromkeys((*payment.dismissed, *closed))))
    if payment.before is State.CANCELLING:
        # The cancel that was interrupted is nobody's any more: under its key it may be taken up again.
        changed = replace(changed, requests=_given_up(payment.requests))
    doubted = payment.receipt_id
    if payment.before is State.CONFIRMING and doubted is not None:
        changed = replace(changed, receipt_id=None)
        if payment.other(doubted) is None:
            # Its approval may have taken the money after all: it is kept in mind, whatever else may pay.
            aside = {"receipt_id": doubted, "price": data.get("price", 0), "reason": "not_carried_out"}
            changed = replace(changed, others=_noted(changed, aside, Fate.SET_ASIDE))
    if accepted:
        # Only money that is accepted says when; a receipt named without it is one whose money goes back.
        receipt_id = _receipt_id(data)
        changed = replace(
            changed,
            receipt_id=receipt_id,
            paid_at=_time(data["paid_at"]),
            method=str(data.get("method", "")),
            account=None,
            others=tuple(
                known for known in _with_account_aside(changed, data) if known.receipt_id != receipt_id
            ),
        )
    if "cancelled" in data:
        changed = replace(
            changed,
            cancelled=_int(data["cancelled"]),
            cancelled_tax_free=_int(data["cancelled_tax_free"]),
        )
    return changed


_PAYABLE = frozenset({State.OPEN, State.AWAITING_DEPOSIT, State.EXPIRED, State.ATTENTION})


def _with_account_aside(payment: Payment, data: Mapping[str, object]) -> tuple[OtherReceipt, ...]:
    """The other receipts, and the account that a deposit was awaited on: it stays open at the bank."""
    if payment.account is None or payment.receipt_id is None:
        return payment.others
    aside = {"receipt_id": payment.receipt_id, "price": data["price"], "reason": "replaced"}
    return _noted(payment, aside, Fate.SET_ASIDE)


def _without(payment: Payment, data: Mapping[str, object]) -> tuple[OtherReceipt, ...]:
    """The other receipts, without the one that this step makes the order's own."""
    return tuple(known for known in payment.others if known.receipt_id != data["receipt_id"])


def _given_up(requests: tuple[CancelRequest, ...]) -> tuple[CancelRequest, ...]:
    return tuple(
        replace(request, outcome="undone") if request.outcome == "in_flight" else request
        for request in requests
    )


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
    key, amount = str(data["cancel_id"]), _int(data["amount"])
    left = [
        max(before.amount, before.most) for before in payment.requests if before.key == key and before.left
    ]
    most = max(left, default=0)
    request = CancelRequest(
        key=key,
        fingerprint=str(data.get("fingerprint", "")),
        outcome="in_flight",
        amount=amount,
        tax_free=_int(data["tax_free"]),
        most=most if most > amount else 0,
    )
    return (*(other for other in payment.requests if other.key != request.key), request)


def _answered(payment: Payment, data: Mapping[str, object], outcome: str) -> tuple[CancelRequest, ...]:
    """The requests with the answer to the one under way, or to the one that was given up too early."""
    key = data.get("cancel_id") or (payment.cancel.cancel_id if payment.cancel else None)
    doubted = cast("Sequence[str]", data.get("in_doubt", ()))
    return tuple(
        replace(request, outcome="unknown")
        if request.key in doubted
        else replace(
            _as_carried_out(request, payment, data) if "cancel_id" in data else request,
            outcome=outcome,
            cancelled=_int(data["cancelled"]) if "cancelled" in data else 0,
            code=str(data.get("code", "")),
            words=str(data.get("words", "")),
        )
        if request.key == key
        else request
        for request in payment.requests
    )


def _as_carried_out(request: CancelRequest, payment: Payment, data: Mapping[str, object]) -> CancelRequest:
    """A cancel that came late, by what it gave back: a whole one takes only what others have left."""
    amount = _int(data["amount"])
    if amount == request.amount:
        return request
    return replace(
        request, amount=amount, tax_free=_int(data["cancelled_tax_free"]) - payment.cancelled_tax_free
    )


def _account_from(data: Mapping[str, object]) -> Account | None:
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


def _receipt_id(data: Mapping[str, object]) -> ReceiptId:
    return ReceiptId(str(data["receipt_id"]))


def _time(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a whole number was expected, not {type(value).__name__}")  # noqa: TRY004 - see apply
    return value
