"""What follows from looking at a receipt: the new state, what is owed, and what the caller is told.

Rule 1: whoever looks (a buyer's return, a webhook, a reconciliation) decides by the same function.
Rule 2: a decision carries everything that one transaction must write; nothing is owed outside of it.
Rule 3: money that must not be kept is owed back, or held for a person; never silently kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dojang.core.cancellation import CancelTerms, WantedCancel
from dojang.core.delivery import Delivery, Lane
from dojang.core.order import Order, OrderId, ReceiptId, major_units
from dojang.core.payment import (
    Event,
    Fate,
    OtherReceipt,
    Payment,
    Record,
    State,
    What,
    account_data,
    apply,
    shown_state,
)
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.core.rules import LatePayment, OnMismatch, Rules
from dojang.core.schedule import next_check
from dojang.core.verification import (
    AwaitsApproval,
    AwaitsDeposit,
    NotYet,
    Reason,
    Rejected,
    Verdict,
    Verified,
    judge,
)

__all__ = [
    "Accepted",
    "Answer",
    "Approve",
    "Decision",
    "Pending",
    "Refusal",
    "approval_refused",
    "cancel_refused",
    "expire",
    "give_up_delivery",
    "held_money",
    "intend_approval",
    "intend_cancel",
    "money_returned",
    "needs_attention",
    "observe",
    "recall",
    "refused_by_shop",
    "resolve_attention",
    "was_paid",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
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


@dataclass(frozen=True, slots=True)
class Pending:
    """Nothing is decided yet: ask again."""

    retry_after_s: int = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """The receipt does not count.

    Attributes:
        reason: Why.
        detail: More of it for the shop; may be empty.
    """

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Approve:
    """Everything fits and the buyer has agreed: money moves only if the caller now confirms."""

    receipt: Receipt


Answer = Accepted | Pending | Refusal | Approve
"""What whoever asked is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
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


class _Draft:
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
        event = Event(version=self.version + 1, at=self.now, what=what, who=self.who, data=data)
        self.payment = apply(self.payment, event)
        self.version = event.version
        self.events.append(event)

    def claim(self, receipt_id: ReceiptId) -> None:
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
                id=f"{self.order.id}:{self.version}:{kind}",
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
                id=f"{self.order.id}:{receipt_id}:money_back",
                order_id=self.order.id,
                seq=self.version,
                lane=Lane.MONEY_BACK,
                type="money_back",
                data={
                    "receipt_id": str(receipt_id),
                    "cancel_id": cancel_id(self.order.id, receipt_id, "money_back"),
                    "reason": reason,
                },
                created_at=self.now,
                due_at=self.now,
            )
        )

    def attention(self, reason: str, **more: object) -> None:
        self.step(What.ATTENTION, reason=reason, **more)
        self.tell("order.attention", reason=reason)

    def done(self, answer: Answer) -> Decision:
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


def cancel_id(order_id: OrderId, receipt_id: ReceiptId, purpose: str) -> str:
    """The same cancel always gets the same id, so that Bootpay refuses a repeat instead of paying twice."""
    return hashlib.sha256(f"{order_id}\n{receipt_id}\n{purpose}".encode()).hexdigest()[:32]


def recall(record: Record, receipt_id: ReceiptId) -> Answer | None:
    """The answer that is already on file, so that asking again costs no call to Bootpay."""
    if record.claimed_by is not None and record.claimed_by != record.order.id:
        return Refusal(Reason.RECEIPT_ALREADY_USED)
    payment = record.payment
    known = payment.other(receipt_id)
    if known is not None and known.fate is not Fate.SET_ASIDE and known.reason in _FINAL:
        return Refusal(Reason(known.reason))
    if payment.receipt_id == receipt_id:
        if payment.state is State.PAID:
            return Accepted(state="paid", receipt_id=receipt_id, replayed=True)
        if payment.state is State.CANCELLED:
            return Refusal(Reason.ALREADY_CANCELLED)
        if (
            payment.state is State.ATTENTION
            and payment.before is State.PAID
            and payment.reason not in _DOUBTED
        ):
            # A person is called for something else; that this receipt paid is not in doubt.
            return Accepted(state="paid", receipt_id=receipt_id, replayed=True)
    return None


_DOUBTED = frozenset({"payment_reverted", Reason.ORDER_MISMATCH.value})
"""Reasons for which a person is called about the very receipt that pays."""


# A shop's "no" may turn into a "yes" and a failed payment may be looked at again; these never change.
_FINAL = frozenset(
    {
        Reason.AMOUNT_MISMATCH,
        Reason.CURRENCY_MISMATCH,
        Reason.TAX_FREE_MISMATCH,
        Reason.SANDBOX_RECEIPT,
        Reason.LIVE_RECEIPT,
        Reason.ALREADY_CANCELLED,
        Reason.ORDER_ALREADY_PAID,
        Reason.ORDER_EXPIRED,
    }
)


def observe(
    record: Record, receipt: Receipt, rules: Rules, now: datetime, who: str, spread: float = 0.0
) -> Decision:
    """Decide what a look at one receipt of this order changes.

    The caller has made sure that no live lease is in the way. An `Approve` answer changes nothing: whoever may
    move money goes on with `intend_approval`; everybody else leaves it.
    """
    draft = _Draft(record, now, who, spread)
    if record.claimed_by is not None and record.claimed_by != record.order.id:
        return draft.done(Refusal(Reason.RECEIPT_ALREADY_USED))
    verdict = judge(record.order, receipt, rules.mode)
    if isinstance(verdict, Rejected) and verdict.reason is Reason.ORDER_MISMATCH:
        hangs = record.payment.receipt_id == receipt.id and record.payment.state in _HANGS_ON_ITS_RECEIPT
        if hangs and Reason.ORDER_MISMATCH.value not in record.payment.dismissed:
            # What the order's money hangs on now names another order: nothing a machine may sort out.
            draft.attention(Reason.ORDER_MISMATCH.value, receipt_id=str(receipt.id))
        return draft.done(Refusal(Reason.ORDER_MISMATCH))
    if record.payment.receipt_id == receipt.id:
        match record.payment.state:
            case State.PAID | State.CANCELLED:
                return _compare_paid(draft, receipt)
            case State.CANCELLING:
                return _end_cancel(draft, receipt)
            case State.CONFIRMING:
                return _end_approval(draft, verdict, rules)
            case _:
                pass
    match record.payment.state:
        case State.OPEN | State.AWAITING_DEPOSIT | State.EXPIRED:
            return _first_money(draft, verdict, rules)
        case _:
            return _second_money(draft, verdict, rules)


_HANGS_ON_ITS_RECEIPT = frozenset({State.AWAITING_DEPOSIT, State.CONFIRMING, State.PAID, State.CANCELLING})


def _first_money(draft: _Draft, verdict: Verdict, rules: Rules) -> Decision:
    """No receipt pays for the order yet: does this one?"""
    receipt = verdict.receipt
    bound = draft.payment.receipt_id == receipt.id
    decided = _decided(draft.payment, receipt.id)
    if decided is not None:
        return draft.done(Refusal(decided))
    match verdict:
        case Verified():
            if _late(draft, receipt):
                return _late_money(draft, receipt, rules)
            return _paid(draft, receipt)
        case AwaitsApproval():
            if _late(draft, receipt) and (
                draft.payment.state is State.EXPIRED or rules.late_payment is not LatePayment.ACCEPT
            ):
                return draft.done(Refusal(Reason.ORDER_EXPIRED))
            return draft.done(Approve(receipt))
        case AwaitsDeposit(account=account):
            if draft.payment.state is State.EXPIRED:
                return draft.done(Refusal(Reason.ORDER_EXPIRED))
            return _account_issued(draft, receipt, account)
        case NotYet():
            return draft.done(Pending())
        case Rejected(reason=reason):
            if bound and draft.payment.state is State.AWAITING_DEPOSIT:
                draft.step(What.ACCOUNT_WITHDRAWN, receipt_id=str(receipt.id), status=receipt.number)
            return _rejected(draft, receipt, reason, rules)


def _undecided(payment: Payment, receipt_id: ReceiptId) -> bool:
    """Whether it is still open what becomes of this receipt's money, should it hold any."""
    known = payment.other(receipt_id)
    if known is None or known.fate in (Fate.SET_ASIDE, Fate.REFUSED):
        return True
    # Held only because a person was to decide on the order first; now that they have, it is judged like any other.
    waited = known.fate is Fate.HELD and known.reason == _AWAITING_DECISION
    return waited and payment.state is not State.ATTENTION


def _decided(payment: Payment, receipt_id: ReceiptId) -> Reason | None:
    """Why this receipt's money does not count, if that is decided: held, on its way back, or back already.

    It stays so even if the shop's rules change meanwhile: what is owed back must not pay as well.
    """
    known = payment.other(receipt_id)
    if known is None or _undecided(payment, receipt_id):
        return None
    return Reason(known.reason) if known.reason in _REASONS else Reason.ALREADY_CANCELLED


_AWAITING_DECISION = "awaiting_decision"
_REASONS = frozenset(reason.value for reason in Reason)


def _paid(draft: _Draft, receipt: Receipt) -> Decision:
    if draft.payment.state is State.AWAITING_DEPOSIT and draft.payment.receipt_id != receipt.id:
        _set_account_aside(draft, "replaced")
    draft.step(
        What.PAID,
        receipt_id=str(receipt.id),
        price=receipt.price,
        paid_at=(receipt.purchased_at or draft.now).isoformat(),
        method=receipt.method,
    )
    draft.claim(receipt.id)
    draft.tell("order.paid")
    return draft.done(Accepted(state="paid", receipt_id=receipt.id))


def _late(draft: _Draft, receipt: Receipt) -> bool:
    if draft.payment.state is State.EXPIRED:
        # The shop has been told that the order ran out, so even a deposit made in time comes too late for it.
        return True
    expires_at = draft.order.expires_at
    return expires_at is not None and (receipt.purchased_at or draft.now) > expires_at


def _late_money(draft: _Draft, receipt: Receipt, rules: Rules) -> Decision:
    match rules.late_payment:
        case LatePayment.ACCEPT:
            return _paid(draft, receipt)
        case LatePayment.CANCEL:
            _surplus(draft, receipt, Reason.ORDER_EXPIRED, OnMismatch.CANCEL)
        case LatePayment.HOLD:
            _surplus(draft, receipt, Reason.ORDER_EXPIRED, OnMismatch.HOLD)
    return draft.done(Refusal(Reason.ORDER_EXPIRED))


def _account_issued(draft: _Draft, receipt: Receipt, account: Account | None) -> Decision:
    accepted = Accepted(state="awaiting_deposit", receipt_id=receipt.id, account=account)
    if draft.payment.receipt_id == receipt.id:
        return draft.done(replace(accepted, replayed=True))
    known = draft.payment.other(receipt.id)
    taken_up_again = known is not None and known.fate is Fate.SET_ASIDE and draft.payment.state is State.OPEN
    if known is not None and not taken_up_again:
        # The buyer has replaced this account by a newer one; whichever is paid into first will count.
        return draft.done(Pending())
    if draft.payment.state is State.AWAITING_DEPOSIT:
        _set_account_aside(draft, "replaced")
    draft.step(What.ACCOUNT_ISSUED, receipt_id=str(receipt.id), account=account_data(account))
    draft.claim(receipt.id)
    draft.tell("order.awaiting_deposit")
    return draft.done(accepted)


def _set_account_aside(draft: _Draft, reason: str) -> None:
    """The account is no longer what the order waits for, but it stays open at the bank: keep it in mind."""
    draft.step(
        What.ACCOUNT_WITHDRAWN,
        receipt_id=str(draft.payment.receipt_id),
        set_aside=True,
        price=draft.order.price.minor,
        reason=reason,
    )


def _rejected(draft: _Draft, receipt: Receipt, reason: Reason, rules: Rules) -> Decision:
    """The receipt does not pay. If its money is with the shop, that money must not be kept."""
    known = draft.payment.other(receipt.id)
    unknown = _undecided(draft.payment, receipt.id)
    if receipt.status is ReceiptStatus.PAID and reason in _OWED_BACK:
        if unknown and receipt.remaining > 0:
            _surplus(draft, receipt, reason, rules.on_mismatch)
    elif unknown and reason in _NOTED and (known is None or known.fate is Fate.SET_ASIDE):
        draft.step(
            What.RECEIPT_REFUSED,
            receipt_id=str(receipt.id),
            price=receipt.price,
            currency=receipt.currency,
            reason=reason.value,
            status=receipt.number,
        )
        draft.claim(receipt.id)
    return draft.done(Refusal(reason))


_OWED_BACK = frozenset(
    {
        Reason.AMOUNT_MISMATCH,
        Reason.CURRENCY_MISMATCH,
        Reason.TAX_FREE_MISMATCH,
        Reason.ALREADY_CANCELLED,
        Reason.ORDER_ALREADY_PAID,
    }
)
"""With these the shop holds money that is not the price of the order.

A sandbox receipt is not among them: one service must never cancel what may be another service's payment.
"""

_NOTED = frozenset(
    {
        Reason.AMOUNT_MISMATCH,
        Reason.CURRENCY_MISMATCH,
        Reason.TAX_FREE_MISMATCH,
        Reason.SANDBOX_RECEIPT,
        Reason.LIVE_RECEIPT,
        Reason.ALREADY_CANCELLED,
    }
)
"""These are worth a line in the history; a window that was merely closed is not."""


def _surplus(draft: _Draft, receipt: Receipt, reason: Reason, policy: OnMismatch) -> None:
    """Money is with the shop that must not be kept: owe it back, or hold it for a person."""
    # A virtual account has no card to send the money back to; only a person knows where it should go.
    held = policy is OnMismatch.HOLD or receipt.method == "vbank"
    draft.step(
        What.SURPLUS_FOUND,
        receipt_id=str(receipt.id),
        price=receipt.price,
        currency=receipt.currency,
        reason=reason.value,
        fate=(Fate.HELD if held else Fate.OWED_BACK).value,
        paid_at=receipt.purchased_at.isoformat() if receipt.purchased_at else None,
    )
    draft.claim(receipt.id)
    if held:
        draft.attention(reason.value, receipt_id=str(receipt.id))
    else:
        draft.owe_back(receipt.id, reason.value)


def _second_money(draft: _Draft, verdict: Verdict, rules: Rules) -> Decision:
    """The order is paid for, was paid and cancelled, or a person must decide first: this receipt is too many."""
    receipt = verdict.receipt
    if draft.payment.state in (State.CONFIRMING, State.CANCELLING):
        # What was begun is finished first: calling a person now would forget the intent.
        return draft.done(Pending())
    if was_paid(draft.payment) and draft.payment.receipt_id == receipt.id:
        # The receipt that paid, while a person decides: it is compared again afterwards.
        return draft.done(Pending(retry_after_s=30))
    if isinstance(verdict, Rejected) and (
        receipt.status is not ReceiptStatus.PAID or verdict.reason not in _OWED_BACK
    ):
        return _rejected(draft, receipt, verdict.reason, rules)
    unknown = _undecided(draft.payment, receipt.id)
    holds_money = receipt.status is ReceiptStatus.PAID and receipt.remaining > 0
    if was_paid(draft.payment):
        if holds_money and unknown:
            _surplus(draft, receipt, Reason.ORDER_ALREADY_PAID, rules.on_mismatch)
        return draft.done(Refusal(Reason.ORDER_ALREADY_PAID))
    if holds_money and unknown:
        # A person is about to decide on this order: neither count the money nor send it back before that.
        draft.step(
            What.SURPLUS_FOUND,
            receipt_id=str(receipt.id),
            price=receipt.price,
            currency=receipt.currency,
            reason=_AWAITING_DECISION,
            fate=Fate.HELD.value,
            paid_at=receipt.purchased_at.isoformat() if receipt.purchased_at else None,
        )
        draft.claim(receipt.id)
    return draft.done(Pending(retry_after_s=30))


def was_paid(payment: Payment) -> bool:
    """Whether a receipt counts as the order's payment, be it cancelled since or before a person's decision."""
    paid = (State.PAID, State.CANCELLING, State.CANCELLED)
    return payment.state in paid or (payment.state is State.ATTENTION and payment.before in paid)


def _compare_paid(draft: _Draft, receipt: Receipt) -> Decision:
    """The receipt that pays, seen again: was money returned from outside, or the deposit taken back?"""
    payment = draft.payment
    replay: Answer = (
        Refusal(Reason.ALREADY_CANCELLED)
        if payment.state is State.CANCELLED
        else Accepted(state="paid", receipt_id=receipt.id, replayed=True)
    )
    if payment.state is State.CANCELLED:
        return draft.done(replay)
    if receipt.status in (ReceiptStatus.PAID, ReceiptStatus.CANCELLED):
        total = receipt.price if receipt.status is ReceiptStatus.CANCELLED else receipt.cancelled
        if total > payment.cancelled:
            _cancelled(draft, receipt, total, origin="outside")
            if draft.payment.state is State.CANCELLED:
                replay = Refusal(Reason.ALREADY_CANCELLED)
        return draft.done(replay)
    if receipt.status in (ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN):
        return draft.done(replay)
    if "payment_reverted" in payment.dismissed:
        return draft.done(replay)
    # Paid money does not turn back into a waiting account or a failure unless somebody reversed it.
    draft.attention("payment_reverted", receipt_id=str(receipt.id), status=receipt.number)
    return draft.done(Pending())


def _cancelled(draft: _Draft, receipt: Receipt, total: int, *, origin: str) -> None:
    price = draft.order.price.minor
    what = What.CANCELLED if total >= price else What.PARTIALLY_CANCELLED
    draft.step(
        what,
        receipt_id=str(receipt.id),
        cancelled=total,
        cancelled_tax_free=draft.order.tax_free if total >= price else receipt.cancelled_tax_free,
        amount=total - draft.payment.cancelled,
        origin=origin,
    )
    kind = "order.cancelled" if what is What.CANCELLED else "order.partially_cancelled"
    draft.tell(kind, origin=origin)


def _end_cancel(draft: _Draft, receipt: Receipt) -> Decision:
    """A cancel whose outcome was unknown: the running total tells."""
    intent = draft.payment.cancel
    assert intent is not None
    total = receipt.price if receipt.status is ReceiptStatus.CANCELLED else receipt.cancelled
    if receipt.status not in (ReceiptStatus.PAID, ReceiptStatus.CANCELLED) or total < intent.base:
        return draft.done(Pending())
    if total == intent.base:
        return draft.done(Pending())
    if total < intent.base + intent.amount:
        # Less than ours has gone back: that was somebody else's cancel, and ours was not carried out.
        draft.step(What.CANCEL_REFUSED, receipt_id=str(receipt.id), undone=True, code="cancelled_outside")
        _cancelled(draft, receipt, total, origin="outside")
        return draft.done(Accepted(state="paid", receipt_id=receipt.id))
    origin = "shop" if total == intent.base + intent.amount else "outside"
    _cancelled(draft, receipt, total, origin=origin)
    return draft.done(Accepted(state="paid", receipt_id=receipt.id))


def _end_approval(draft: _Draft, verdict: Verdict, rules: Rules) -> Decision:
    """The receipt whose approval is under way, looked at: paid, refused, or still open."""
    receipt = verdict.receipt
    match verdict:
        case Verified():
            # The shop agreed to the approval in time; how long Bootpay took for it is not the buyer's fault.
            return _paid(draft, receipt)
        case AwaitsApproval():
            return draft.done(Approve(receipt))
        case NotYet():
            return draft.done(Pending())
        case AwaitsDeposit(account=account):
            # Approving a virtual account issues it: no money moved, and none was refused either.
            draft.step(
                What.APPROVAL_REFUSED,
                receipt_id=str(receipt.id),
                reason="awaiting_deposit",
                status=receipt.number,
            )
            return _account_issued(draft, receipt, account)
        case Rejected(reason=reason):
            draft.step(
                What.APPROVAL_REFUSED, receipt_id=str(receipt.id), reason=reason.value, status=receipt.number
            )
            return _rejected(draft, receipt, reason, rules)


def intend_approval(
    record: Record, receipt: Receipt, rules: Rules, now: datetime, who: str, spread: float = 0.0
) -> Decision:
    """Write down, before money moves, that this receipt is about to be approved."""
    draft = _Draft(record, now, who, spread)
    if draft.payment.state is State.AWAITING_DEPOSIT:
        _set_account_aside(draft, "replaced")
    draft.step(
        What.APPROVAL_INTENDED,
        receipt_id=str(receipt.id),
        price=receipt.price,
        lease_until=(now + timedelta(seconds=rules.lease_s)).isoformat(),
    )
    draft.claim(receipt.id)
    return draft.done(Pending())


def approval_refused(
    record: Record, receipt_id: ReceiptId, now: datetime, who: str, words: Mapping[str, object]
) -> Decision:
    """Bootpay has said no for good, or the request never left: no money moved, the order is open again.

    Args:
        record: An order in `confirming`.
        receipt_id: The receipt whose approval ended.
        now: The moment.
        who: Who had asked for the approval.
        words: The `reason`, and Bootpay's `code` and `words`, for the history. Only a shop's own words are told.
    """
    draft = _Draft(record, now, who)
    draft.step(What.APPROVAL_REFUSED, receipt_id=str(receipt_id), **words)
    if words.get("reason") == Reason.REFUSED_BY_SHOP:
        return draft.done(Refusal(Reason.REFUSED_BY_SHOP, str(words.get("words", ""))[:200]))
    return draft.done(Refusal(Reason.PAYMENT_FAILED))


def refused_by_shop(record: Record, receipt: Receipt, now: datetime, who: str, reason: str) -> Decision:
    """The shop's hook declined before any money moved."""
    draft = _Draft(record, now, who)
    draft.step(
        What.RECEIPT_REFUSED,
        receipt_id=str(receipt.id),
        price=receipt.price,
        reason=Reason.REFUSED_BY_SHOP.value,
        words=reason[:200],
    )
    draft.claim(receipt.id)
    return draft.done(Refusal(Reason.REFUSED_BY_SHOP, reason[:200]))


def intend_cancel(
    record: Record,
    terms: CancelTerms,
    wanted: WantedCancel,
    key: str,
    rules: Rules,
    now: datetime,
    spread: float = 0.0,
) -> Decision:
    """Write down, before money moves back, that this much is about to be cancelled.

    Args:
        record: An order in `paid`.
        terms: What `terms_of` allowed.
        wanted: What was asked for; its refund account is not written down.
        key: What `key_of` made of the caller's idempotency key.
        rules: Their `lease_s` says how long nobody else acts.
        now: The moment.
        spread: See `next_check`.
    """
    draft = _Draft(record, now, "shop", spread)
    draft.step(
        What.CANCEL_INTENDED,
        receipt_id=str(record.payment.receipt_id),
        cancel_id=key,
        fingerprint=wanted.fingerprint,
        amount=terms.amount,
        tax_free=terms.tax_free,
        reason=wanted.reason,
        lease_until=(now + timedelta(seconds=rules.lease_s)).isoformat(),
    )
    return draft.done(Pending())


def cancel_refused(record: Record, now: datetime, who: str, words: Mapping[str, object]) -> Decision:
    """The cancel was certainly not carried out: the payment stands as before.

    Args:
        record: An order in `cancelling`.
        now: The moment.
        who: Who found out.
        words: Bootpay's `code` and `words`; `undone: True` where the same key may be tried again.
    """
    draft = _Draft(record, now, who)
    draft.step(What.CANCEL_REFUSED, receipt_id=str(record.payment.receipt_id), **words)
    return draft.done(Pending())


def expire(record: Record, now: datetime, spread: float = 0.0) -> Decision:
    """The terms ran out and Bootpay knows of no money: the shop may sell the goods to others."""
    draft = _Draft(record, now, "dojang", spread)
    if draft.payment.state is State.AWAITING_DEPOSIT:
        _set_account_aside(draft, "expired")
    draft.step(What.EXPIRED)
    draft.tell("order.expired")
    return draft.done(Refusal(Reason.ORDER_EXPIRED))


def needs_attention(record: Record, now: datetime, reason: str) -> Decision:
    """Nothing the machine may do alone can finish this: call a person."""
    draft = _Draft(record, now, "dojang")
    draft.attention(reason)
    return draft.done(Pending())


def resolve_attention(
    record: Record,
    resolution: str,
    now: datetime,
    who: str,
    reason: str,
    receipt_id: ReceiptId | None = None,
    spread: float = 0.0,
    *,
    seen: Receipt | None = None,
) -> Decision | str:
    """A person's way out of `attention`, or one sentence (in English and Korean) why it is none.

    Args:
        record: The order.
        resolution: `accept` (held money pays for the order), `return` (held money goes back) or `dismiss` (the order
            goes on where it was interrupted).
        now: The moment.
        who: `person:<name>`.
        reason: Why, in the person's words.
        receipt_id: Which held receipt; may be left out where only one is held.
        spread: See `next_check`.
        seen: The held receipt as Bootpay shows it now; what it no longer holds cannot be accepted.
    """
    payment = record.payment
    if payment.state is not State.ATTENTION:
        shown = shown_state(record.order, payment)
        return (
            f"The order does not wait for a decision; it is {shown}. "
            f"(결정을 기다리는 주문이 아닙니다. 현재 상태: {shown})"
        )
    before = payment.before or State.OPEN
    # An intent that was interrupted is not taken up again; what it was about is looked at like any receipt.
    back = {State.CONFIRMING: State.OPEN, State.CANCELLING: State.PAID}.get(before, before)
    draft = _Draft(record, now, who, spread)
    if resolution == "dismiss":
        draft.step(What.RESOLVED, to=back.value, resolution=resolution, reason=reason)
        return draft.done(Pending())
    other = held_money(payment, receipt_id)
    if isinstance(other, str):
        return other
    if resolution == "return":
        draft.step(
            What.RESOLVED,
            to=back.value,
            resolution=resolution,
            reason=reason,
            receipt_id=str(other.receipt_id),
        )
        draft.step(
            What.SURPLUS_FOUND,
            receipt_id=str(other.receipt_id),
            price=other.price,
            reason=other.reason,
            fate=Fate.OWED_BACK.value,
        )
        draft.owe_back(other.receipt_id, other.reason)
        return draft.done(Pending())
    if was_paid(payment):
        return (
            "The order is paid for by another receipt already: return this one. "
            "(이미 다른 영수증으로 결제된 주문입니다. 이 돈은 돌려주세요.)"
        )
    if other.price != record.order.price.minor or other.reason == Reason.CURRENCY_MISMATCH:
        return (
            "The held amount is not the price of the order: return it. "
            "(보류된 금액이 주문 금액과 다릅니다. 돌려주세요.)"
        )
    if seen is not None and not _still_holds(seen, record.order):
        return (
            "Bootpay no longer shows the price of the order on that receipt: look again. "
            "(부트페이의 해당 영수증에 주문 금액이 남아 있지 않습니다. 다시 확인해 주세요.)"
        )
    draft.step(
        What.RESOLVED,
        to=State.PAID.value,
        resolution=resolution,
        reason=reason,
        receipt_id=str(other.receipt_id),
        paid_at=((seen.purchased_at if seen else None) or now).isoformat(),
        method=seen.method if seen else "",
    )
    draft.claim(other.receipt_id)
    draft.tell("order.paid")
    return draft.done(Accepted(state="paid", receipt_id=other.receipt_id))


def held_money(payment: Payment, receipt_id: ReceiptId | None) -> OtherReceipt | str:
    """The receipt a person decides on, or one sentence why it is not clear which.

    Args:
        payment: Its receipts.
        receipt_id: Which one; None where only one is held.
    """
    held = [
        other
        for other in payment.others
        if other.fate is Fate.HELD and (receipt_id is None or other.receipt_id == receipt_id)
    ]
    match held:
        case [other]:
            return other
        case []:
            return "No such money is held. (보류된 돈이 없습니다.)"
        case _:
            return (
                "More than one receipt is held: name the one that is meant. "
                "(보류된 영수증이 여러 개입니다. receipt_id를 지정해 주세요.)"
            )


def _still_holds(seen: Receipt, order: Order) -> bool:
    price = order.price
    return (seen.order_id, seen.currency, seen.remaining) == (order.id, price.currency, price.minor)


def money_returned(record: Record, receipt_id: ReceiptId, amount: int, now: datetime) -> Decision:
    """A surplus receipt's money has gone back.

    Args:
        record: The order the receipt belongs to.
        receipt_id: The surplus receipt.
        amount: Minor units that went back in all.
        now: The moment.
    """
    draft = _Draft(record, now, "dojang")
    known = record.payment.other(receipt_id)
    if known is None or known.fate is not Fate.RETURNED:
        currency = (known.currency if known else "") or record.order.price.currency
        draft.step(What.MONEY_RETURNED, receipt_id=str(receipt_id), amount=amount, currency=currency)
        draft.tell(
            "order.money_returned",
            receipt_id=str(receipt_id),
            returned=major_units(amount, currency),
            returned_currency=currency,
            reason=known.reason if known else "",
        )
    return draft.done(Pending())


def give_up_delivery(record: Record, delivery: Delivery, now: datetime, words: str) -> Decision:
    """Something owed could not be handed over in all its attempts: a person must look."""
    draft = _Draft(record, now, "dojang")
    if delivery.lane is Lane.MONEY_BACK:
        if draft.payment.reason != _MONEY_BACK_FAILED:
            draft.attention(_MONEY_BACK_FAILED, delivery_id=delivery.id, words=words[:200])
    elif draft.payment.state is not State.ATTENTION:
        # Telling a shop that cannot be told would only be owed in vain.
        draft.step(What.ATTENTION, reason="delivery_failed", delivery_id=delivery.id, words=words[:200])
    return draft.done(Pending())


_MONEY_BACK_FAILED = "money_back_failed"
