"""Whatever Bootpay says and in whatever order things happen: nothing raises, nothing is paid or owed back twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dojang.core.approval import approval_refused, intend_approval, refused_by_shop
from dojang.core.attention import give_up_delivery, needs_attention, resolve_attention
from dojang.core.cancellation import CancelTerms, WantedCancel
from dojang.core.cancelling import cancel_refused, intend_cancel
from dojang.core.decision import Accepted, Approve, Decision
from dojang.core.delivery import Delivery, Lane
from dojang.core.expiry import expire
from dojang.core.history import fold
from dojang.core.observation import observe
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Event, Fate, Payment, Record, State, What
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.core.rules import LatePayment, Mode, OnMismatch, Rules
from dojang.core.surplus import money_returned

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
ORDER = Order(
    id=OrderId("o1"), price=Money(1000), tax_free=300, name="양말", expires_at=NOW + timedelta(minutes=30)
)
RECEIPT_IDS = [ReceiptId(letter * 24) for letter in "abc"]

receipts = st.builds(
    Receipt,
    id=st.sampled_from(RECEIPT_IDS),
    order_id=st.sampled_from(["o1"] * 9 + ["other"]),
    status=st.sampled_from(
        [*ReceiptStatus, *[ReceiptStatus.PAID] * 4, *[ReceiptStatus.AWAITING_APPROVAL] * 2]
    ),
    price=st.sampled_from([1000] * 4 + [999]),
    tax_free=st.sampled_from([300] * 6 + [0]),
    cancelled=st.sampled_from([0] * 4 + [1, 400, 1000]),
    cancelled_tax_free=st.sampled_from([0] * 6 + [300]),
    currency=st.sampled_from(["KRW"] * 8 + ["USD"]),
    sandbox=st.sampled_from([False] * 6 + [True, None]),
    method=st.sampled_from(["card", "vbank"]),
    account=st.sampled_from([None, Account(bank_name="기업", number="123", expires_at=NOW)]),
    purchased_at=st.none() | st.integers(0, 120).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)
rules = st.builds(
    Rules,
    mode=st.sampled_from([Mode.LIVE] * 4 + [Mode.SANDBOX]),
    on_mismatch=st.sampled_from(OnMismatch),
    late_payment=st.sampled_from(LatePayment),
)


@dataclass(frozen=True)
class Step:
    """What somebody does next, some minutes later."""

    what: str
    receipt: Receipt
    rules: Rules
    minutes: int
    resolution: str

    def take(self, record: Record, now: datetime) -> Decision | str | None:
        """What a use case would decide; None where it would not come to that."""
        payment, state = record.payment, record.payment.state
        unfinished = state in (State.CONFIRMING, State.CANCELLING)
        looked = observe(record, self.receipt, self.rules, now, "bootpay")
        waits = isinstance(looked.answer, Approve)
        known = payment.other(self.receipt.id)
        match self.what:
            case "approve":
                return intend_approval(record, self.receipt, self.rules, now, "buyer") if waits else looked
            case "shop refuses" if waits and state is not State.CONFIRMING:
                return refused_by_shop(record, self.receipt, now, "buyer", "sold out")
            case "bootpay refuses" if state is State.CONFIRMING and payment.receipt_id is not None:
                return approval_refused(record, payment.receipt_id, now, "buyer", {"reason": "x"})
            case "expire" if state in (State.OPEN, State.AWAITING_DEPOSIT):
                return expire(record, now)
            case "cancel" if state is State.PAID:
                terms = CancelTerms(min(300, 1000 - payment.cancelled), 0, whole=False)
                wanted = WantedCancel(amount=300, tax_free=0, reason="환불")
                return intend_cancel(record, terms, wanted, "c" * 32, self.rules, now)
            case "cancel refused" if state is State.CANCELLING:
                return cancel_refused(record, now, "shop", {"code": "x"})
            case "give up" if not unfinished:
                return give_up_delivery(record, GIVEN_UP, now, "503")
            case "unresolved":
                return needs_attention(record, now, "x")
            case "returned" if known is not None and known.fate is Fate.OWED_BACK:
                return money_returned(record, self.receipt.id, self.receipt.price, now)
            case "resolve":
                return resolve_attention(record, self.resolution, now, "person:a", "because", self.receipt.id)
            case _:
                return looked


GIVEN_UP = Delivery(
    id="x", order_id=ORDER.id, seq=1, lane=Lane.NOTICE, type="x", created_at=NOW, due_at=NOW, attempts=10
)
steps = st.builds(
    Step,
    what=st.sampled_from(
        [
            *["look"] * 6,
            *["approve"] * 3,
            "shop refuses",
            "bootpay refuses",
            "expire",
            *["cancel"] * 2,
            "cancel refused",
            "give up",
            "unresolved",
            *["returned"] * 2,
            *["resolve"] * 3,
        ]
    ),
    receipt=receipts,
    rules=rules,
    minutes=st.integers(0, 40),
    resolution=st.sampled_from(["accept", "return", "dismiss"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=20))
def test_any_walk_keeps_every_promise(walk: list[Step]) -> None:
    """Random receipts, people, cancels and time: after every step each invariant holds."""
    now = NOW
    history = [Event(version=1, at=now, what=What.REGISTERED, who="shop")]
    record = Record(order=ORDER, payment=Payment(), version=1, created_at=now)
    owed: list[str] = []
    for step in walk:
        now += timedelta(minutes=step.minutes)
        decision = step.take(record, now)
        if decision is None or isinstance(decision, str):
            continue
        history += decision.events
        owed += [delivery.id for delivery in decision.owes]
        _check(record, decision, now)
        record = Record(
            order=ORDER,
            payment=decision.payment,
            version=decision.version,
            created_at=NOW,
            due_at=decision.due_at,
        )

        assert fold(history) == record.payment
        assert list(range(1, record.version + 1)) == [event.version for event in history]
        assert len(owed) == len(set(owed)), "the same id is never owed twice"
    _check_whole(history)


def _check(record: Record, decision: Decision, now: datetime) -> None:
    payment = decision.payment
    assert decision.due_at is None or decision.due_at > now, "a check is always later"
    assert len(decision.claims) == len(set(decision.claims)), "a store may refuse to claim twice in one go"
    assert 0 <= payment.cancelled <= 1000, "never more goes back than was paid"
    assert bool(decision.events) or decision.payment == record.payment, "no change without an event"
    unfinished = payment.state in (State.CONFIRMING, State.CANCELLING)
    assert unfinished == (payment.lease is not None), "an intent, and only an intent, is leased"
    assert (payment.state is State.CANCELLING) == (payment.cancel is not None)
    assert (payment.state is State.ATTENTION) == (payment.reason is not None)
    if payment.state in (State.PAID, State.CANCELLING, State.CANCELLED):
        assert payment.receipt_id is not None
        pays = payment.other(payment.receipt_id)
        assert pays is None or pays.fate is Fate.REFUSED, "what is owed back does not pay as well"
    if isinstance(decision.answer, Accepted) and decision.answer.state == "paid":
        cancelled_since = payment.state is State.CANCELLED
        # A person's "accept" may leave other money held, which calls them again at once.
        called_again = payment.state is State.ATTENTION and payment.before is State.PAID
        assert payment.state in (State.PAID, State.CANCELLING) or cancelled_since or called_again
        assert payment.receipt_id == decision.answer.receipt_id, "paid means: by this very receipt"
    for delivery in decision.owes:
        assert 1 < delivery.seq <= decision.version
        if delivery.lane is Lane.MONEY_BACK:
            receipt_id = ReceiptId(delivery.data["receipt_id"])
            assert receipt_id in decision.claims or record.payment.other(receipt_id) is not None
            assert receipt_id != payment.receipt_id or payment.state not in (State.PAID, State.CANCELLING)


def _check_whole(history: list[Event]) -> None:
    """Over a whole life: an order is paid by one receipt, except that a person may accept another."""
    paid_by = {str(event.data["receipt_id"]) for event in history if event.what is What.PAID}
    assert len(paid_by) <= 1, "paid at most once"


states = st.builds(
    Payment,
    state=st.sampled_from(State),
    receipt_id=st.none() | st.sampled_from(RECEIPT_IDS),
    cancelled=st.sampled_from([0, 300, 1000]),
    before=st.none() | st.sampled_from(State),
)


@settings(max_examples=300, deadline=None)
@given(
    states, receipts, rules, st.integers(0, 120), st.none() | st.sampled_from([ORDER.id, OrderId("other")])
)
def test_a_look_at_any_receipt_in_any_state_never_raises(
    payment: Payment, receipt: Receipt, rule: Rules, minutes: int, claimed_by: OrderId | None
) -> None:
    """Even where our own state is odd, Bootpay's answer is judged and not stumbled over."""
    needs_receipt = payment.state in (State.AWAITING_DEPOSIT, State.CONFIRMING, State.CANCELLING)
    if payment.state is State.CANCELLING or (needs_receipt and payment.receipt_id is None):
        return
    record = Record(order=ORDER, payment=payment, version=3, created_at=NOW, claimed_by=claimed_by)
    now = NOW + timedelta(minutes=minutes)
    decision = observe(record, receipt, rule, now, "bootpay")

    assert decision.version == 3 + len(decision.events)
