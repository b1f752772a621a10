"""What follows from looking at a receipt, situation by situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dojang.core.approval import approval_refused, intend_approval, refused_by_shop
from dojang.core.attention import give_up_delivery, needs_attention, resolve_attention
from dojang.core.cancellation import CancelTerms, WantedCancel
from dojang.core.cancelling import intend_cancel
from dojang.core.decision import Accepted, Approve, Decision, Pending, Refusal
from dojang.core.delivery import Lane
from dojang.core.expiry import expire
from dojang.core.observation import observe, recall
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Fate, Payment, Question, Record, State, What
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.core.rules import LatePayment, Mode, OnMismatch, Rules
from dojang.core.surplus import money_returned
from dojang.core.verification import Reason

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
EXPIRES = NOW + timedelta(minutes=30)
R1, R2 = ReceiptId("a" * 24), ReceiptId("b" * 24)
RULES = Rules()
HOLD = Rules(on_mismatch=OnMismatch.HOLD)
FRESH = Record(
    order=Order(id=OrderId("o1"), price=Money(1000), name="양말", expires_at=EXPIRES, metadata={"k": "값"}),
    payment=Payment(),
    version=1,
    created_at=NOW,
)


def seen(status: ReceiptStatus = ReceiptStatus.PAID, receipt_id: ReceiptId = R1, **more: object) -> Receipt:
    """A receipt that fits, but for what is said."""
    wanted: dict[str, object] = {"price": 1000, "method": "card", "purchased_at": NOW, "sandbox": False}
    return Receipt(id=receipt_id, order_id="o1", status=status, **(wanted | more))  # type: ignore[arg-type]


def look(record: Record, receipt: Receipt, rules: Rules = RULES, now: datetime = NOW) -> Decision:
    """A look by Bootpay's webhook."""
    return observe(record, receipt, rules, now, "bootpay")


def after(record: Record, *decisions: Decision) -> Record:
    """The order as the store has it after the last of these."""
    last = decisions[-1]
    return replace(record, payment=last.payment, version=last.version, due_at=last.due_at)


def whats(decision: Decision) -> list[str]:
    """The kinds of event a decision writes."""
    return [event.what.value for event in decision.events]


def owes(decision: Decision) -> list[str]:
    """The types of what a decision owes."""
    return [delivery.type for delivery in decision.owes]


PAID = after(FRESH, look(FRESH, seen()))
CONFIRMING = after(FRESH, intend_approval(FRESH, seen(ReceiptStatus.AWAITING_APPROVAL), RULES, NOW, "buyer"))
ACCOUNT = Account(bank_name="기업", number="123", holder="상점", expires_at=EXPIRES)
ISSUED = seen(ReceiptStatus.AWAITING_DEPOSIT, method="vbank", account=ACCOUNT, purchased_at=None)
AWAITING = after(FRESH, look(FRESH, ISSUED))
EXPIRED = after(FRESH, expire(FRESH, EXPIRES + timedelta(minutes=1)))
CANCEL = intend_cancel(
    PAID,
    CancelTerms(300, 0, whole=False),
    WantedCancel(amount=300, tax_free=0, reason="환불"),
    "c" * 32,
    RULES,
    NOW,
)
CANCELLING = after(PAID, CANCEL)
CANCELLED = after(PAID, look(PAID, seen(ReceiptStatus.CANCELLED, cancelled=1000)))
ATTENTION = after(FRESH, needs_attention(FRESH, NOW, "x"))


# First money


def test_a_receipt_that_fits_pays_and_owes_the_goods() -> None:
    """State, claim and notice are one decision."""
    decision = look(FRESH, seen())

    assert Accepted(state="paid", receipt_id=R1) == decision.answer
    assert (["paid"], ["order.paid"], (R1,)) == (whats(decision), owes(decision), decision.claims)
    assert (State.PAID, R1, NOW) == (
        decision.payment.state,
        decision.payment.receipt_id,
        decision.payment.paid_at,
    )


def test_a_notice_tells_what_the_contract_promises() -> None:
    """The shop reads everything it needs out of the notice, under an id that is the same at every repeat."""
    notice = look(FRESH, seen()).owes[0]
    data = {
        "order_id": "o1",
        "state": "paid",
        "version": 2,
        "price": 1000,
        "cancelled": 0,
        "currency": "KRW",
        "receipt_id": R1,
        "metadata": {"k": "값"},
        "origin": "bootpay",
    }

    assert ("o1:2:order_paid", 2, Lane.NOTICE) == (notice.id, notice.seq, notice.lane)
    assert data == notice.data


def test_the_same_look_decides_the_same_ids() -> None:
    """Two machines that decide at once owe the same delivery, not two."""
    assert look(FRESH, seen()).owes == look(FRESH, seen()).owes
    wrong = seen(price=900)
    assert [owed.id for owed in look(FRESH, wrong).owes] == [
        owed.id for owed in look(FRESH, wrong, now=NOW + timedelta(hours=1)).owes
    ]


@pytest.mark.parametrize("status", [ReceiptStatus.WAITING, ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN])
def test_nothing_is_decided_before_bootpay_has_decided(status: ReceiptStatus) -> None:
    """An open window changes nothing."""
    decision = look(FRESH, seen(status))

    assert (Pending(), ()) == (decision.answer, decision.events)


def test_a_receipt_that_waits_for_approval_changes_nothing_by_being_seen() -> None:
    """Whoever may move money goes on; everybody else leaves it."""
    receipt = seen(ReceiptStatus.AWAITING_APPROVAL, purchased_at=None)
    decision = look(FRESH, receipt)

    assert (Approve(receipt), ()) == (decision.answer, decision.events)


def test_an_intent_is_leased_and_claims_its_receipt() -> None:
    """Before money moves it is on file that it may."""
    assert State.CONFIRMING is CONFIRMING.payment.state
    assert CONFIRMING.payment.leased(NOW + timedelta(seconds=44))
    assert NOW + timedelta(seconds=45) == CONFIRMING.due_at


def test_a_failed_payment_leaves_the_order_open() -> None:
    """The buyer may try again with another card."""
    decision = look(FRESH, seen(ReceiptStatus.FAILED))

    assert (Refusal(Reason.PAYMENT_FAILED), ()) == (decision.answer, decision.events)


def test_a_receipt_of_another_order_leaves_no_trace() -> None:
    """A stranger's receipt is neither noted nor claimed: its own order must still be able to use it."""
    decision = look(FRESH, replace(seen(), order_id="o2"))

    assert (Refusal(Reason.ORDER_MISMATCH), (), ()) == (decision.answer, decision.events, decision.claims)


def test_a_receipt_that_another_order_has_claimed_is_refused_without_a_trace() -> None:
    """Even if Bootpay says now that it belongs here: a receipt pays at most one order."""
    decision = look(replace(FRESH, claimed_by=OrderId("o2")), seen())

    assert (Refusal(Reason.RECEIPT_ALREADY_USED), ()) == (decision.answer, decision.events)


# Money that must not be kept


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": 999}, Reason.AMOUNT_MISMATCH),
        ({"price": 1001}, Reason.AMOUNT_MISMATCH),
        ({"tax_free": 1}, Reason.TAX_FREE_MISMATCH),
        ({"currency": "USD"}, Reason.CURRENCY_MISMATCH),
        ({"cancelled": 1}, Reason.ALREADY_CANCELLED),
    ],
)
@pytest.mark.parametrize("rules", [RULES, HOLD])
def test_wrong_price_paid_is_owed_back_or_held(
    change: dict[str, object], reason: Reason, rules: Rules
) -> None:
    """Money with wrong terms goes back by itself, or waits for a person; the order is not paid by it."""
    decision = look(FRESH, seen(**change), rules)
    fate = decision.payment.others[0].fate

    assert Refusal(reason) == decision.answer
    if rules is HOLD:
        assert (Fate.HELD, State.ATTENTION, ["order.attention"]) == (
            fate,
            decision.payment.state,
            owes(decision),
        )
    else:
        assert (Fate.OWED_BACK, State.OPEN, ["money_back"]) == (fate, decision.payment.state, owes(decision))


def test_wrong_price_waiting_for_approval_is_refused_before_money_moves() -> None:
    """Refusing costs nothing before the approval; nothing is owed."""
    decision = look(FRESH, seen(ReceiptStatus.AWAITING_APPROVAL, price=1, purchased_at=None))

    assert (Refusal(Reason.AMOUNT_MISMATCH), [], ["receipt_refused"]) == (
        decision.answer,
        owes(decision),
        whats(decision),
    )


def test_a_refused_receipt_that_is_paid_after_all_is_owed_back() -> None:
    """A browser may approve behind our back: its money is still not ours to keep."""
    refused = after(FRESH, look(FRESH, seen(ReceiptStatus.AWAITING_APPROVAL, price=1, purchased_at=None)))
    decision = look(refused, seen(price=1))

    assert ["money_back"] == owes(decision)


def test_nothing_is_owed_back_where_nothing_is_left() -> None:
    """Bootpay may show a receipt as paid of which every won has gone back already."""
    decision = look(FRESH, seen(cancelled=1000))

    assert (Refusal(Reason.ALREADY_CANCELLED), []) == (decision.answer, owes(decision))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": 999}, Reason.AMOUNT_MISMATCH),
        ({"tax_free": 1}, Reason.TAX_FREE_MISMATCH),
        ({"currency": "USD"}, Reason.CURRENCY_MISMATCH),
        ({"sandbox": True}, Reason.SANDBOX_RECEIPT),
        ({"status": ReceiptStatus.CANCELLED}, Reason.ALREADY_CANCELLED),
    ],
)
def test_a_refusal_that_stands_is_noted_once_and_keeps_its_receipt_from_other_orders(
    change: dict[str, Any], reason: Reason
) -> None:
    """It is in the history, and whoever asks again is answered from there."""
    receipt = seen(**{"status": ReceiptStatus.AWAITING_APPROVAL, **change})
    decision = look(FRESH, receipt)
    noted = after(FRESH, decision)

    assert (["receipt_refused"], [], (R1,)) == (whats(decision), owes(decision), decision.claims)
    assert (Refusal(reason), ()) == (recall(noted, R1), look(noted, receipt).events)


def test_a_live_receipt_is_noted_where_only_test_payments_count() -> None:
    """And left alone: it may pay at another service."""
    decision = look(FRESH, seen(), Rules(mode=Mode.SANDBOX))

    assert (Refusal(Reason.LIVE_RECEIPT), ["receipt_refused"], []) == (
        decision.answer,
        whats(decision),
        owes(decision),
    )


def test_second_paid_receipt_is_owed_back_once() -> None:
    """A double payment goes back; seeing it again owes nothing more."""
    first = look(PAID, seen(receipt_id=R2))
    second = look(after(PAID, first), seen(receipt_id=R2))

    assert (Refusal(Reason.ORDER_ALREADY_PAID), ["money_back"]) == (first.answer, owes(first))
    assert (Refusal(Reason.ORDER_ALREADY_PAID), ()) == (second.answer, second.events)
    assert (State.PAID, R1) == (first.payment.state, first.payment.receipt_id)


@pytest.mark.parametrize("record", [PAID, CANCELLED])
def test_second_money_on_a_finished_order_is_held_where_the_shop_wants_it(record: Record) -> None:
    """`hold` calls a person instead of sending money back."""
    decision = look(record, seen(receipt_id=R2), HOLD)

    assert (State.ATTENTION, record.payment.state) == (decision.payment.state, decision.payment.before)
    assert ["order.attention"] == owes(decision)


def test_a_second_receipt_is_never_approved() -> None:
    """An order that is paid approves nothing more: the buyer keeps the money."""
    decision = look(PAID, seen(ReceiptStatus.AWAITING_APPROVAL, R2, purchased_at=None))

    assert (Refusal(Reason.ORDER_ALREADY_PAID), ()) == (decision.answer, decision.events)


@pytest.mark.parametrize("record", [CONFIRMING, CANCELLING])
@pytest.mark.parametrize("rules", [RULES, HOLD])
def test_what_was_begun_is_finished_before_another_receipt_is_judged(record: Record, rules: Rules) -> None:
    """Calling a person in the middle would forget an intent whose money may be moving."""
    decision = look(record, seen(receipt_id=R2), rules)

    assert (Pending(), ()) == (decision.answer, decision.events)


def test_a_surplus_virtual_account_payment_needs_a_person() -> None:
    """There is no card to send it back to."""
    decision = look(PAID, seen(receipt_id=R2, method="vbank"))

    assert (Fate.HELD, State.ATTENTION) == (decision.payment.others[0].fate, decision.payment.state)


@pytest.mark.parametrize("record", [FRESH, AWAITING, PAID, CANCELLED, EXPIRED, ATTENTION])
def test_sandbox_receipt_is_never_cancelled(record: Record) -> None:
    """It may be another service's payment: refused and noted, never owed back, in any state."""
    decision = look(record, seen(receipt_id=R2, sandbox=True))

    assert ([], Refusal(Reason.SANDBOX_RECEIPT)) == (owes(decision), decision.answer)


def test_money_owed_back_never_pays_even_if_the_rules_change() -> None:
    """Late money was to go back; the shop now accepts late money: what is in the outbox stays decided."""
    late = EXPIRES + timedelta(minutes=5)
    receipt = seen(purchased_at=late)
    back = look(FRESH, receipt, Rules(late_payment=LatePayment.CANCEL), late)
    then = look(after(FRESH, back), receipt, Rules(late_payment=LatePayment.ACCEPT), late)

    assert ["money_back"] == owes(back)
    assert (Refusal(Reason.ORDER_EXPIRED), ()) == (then.answer, then.events)


def test_money_that_went_back_is_told_once() -> None:
    """A crash between sending and settling tells the shop once."""
    owed = after(PAID, look(PAID, seen(receipt_id=R2)))
    first = money_returned(owed, R2, 1000, NOW)
    second = money_returned(after(owed, first), R2, 1000, NOW)

    assert (["order.money_returned"], 1000, R2, "order_already_paid") == (
        owes(first),
        *(first.owes[0].data[name] for name in ("returned", "receipt_id", "reason")),
    )
    assert ((), Fate.RETURNED) == (second.events, second.payment.others[0].fate)
    assert (R2, 1000, "KRW") == tuple(
        first.events[0].data[name] for name in ("receipt_id", "amount", "currency")
    )


def test_money_that_went_back_is_told_in_its_own_currency() -> None:
    """Ten dollars that came for an order in won are ten dollars, not a thousand won."""
    owed = after(FRESH, look(FRESH, seen(currency="USD")))
    told = money_returned(owed, R1, 1000, NOW).owes[0].data

    assert (10, "USD", "KRW") == (told["returned"], told["returned_currency"], told["currency"])


def test_held_money_that_went_back_without_us_is_told_as_an_outside_cancel() -> None:
    """How much, and that no decision of ours sent it."""
    held = after(PAID, look(PAID, seen(receipt_id=R2), HOLD))
    decision = look(held, seen(ReceiptStatus.CANCELLED, R2, cancelled=1000))

    assert ({"amount": 1000, "currency": "KRW", "origin": "outside", "receipt_id": R2}, Fate.RETURNED) == (
        decision.events[0].data,
        decision.payment.others[0].fate,
    )
    assert ["order.money_returned"] == owes(decision)


# Late


@pytest.mark.parametrize("record", [FRESH, EXPIRED])
@pytest.mark.parametrize(
    ("policy", "what", "state"),
    [
        (LatePayment.ACCEPT, ["paid"], State.PAID),
        (LatePayment.HOLD, ["surplus_found", "attention"], State.ATTENTION),
        (LatePayment.CANCEL, ["surplus_found"], None),
    ],
)
def test_late_money_follows_the_shops_policy(
    record: Record, policy: LatePayment, what: list[str], state: State | None
) -> None:
    """Accepted, held for a person, or owed back; whether or not the expiry had been noticed."""
    late = EXPIRES + timedelta(minutes=5)
    decision = look(record, seen(purchased_at=late), Rules(late_payment=policy), late)

    assert (what, state or record.payment.state) == (whats(decision), decision.payment.state)
    assert (["money_back"] == owes(decision)) == (policy is LatePayment.CANCEL)


@pytest.mark.parametrize("policy", list(LatePayment))
def test_late_money_seen_again_is_decided_once(policy: LatePayment) -> None:
    """Ten webhooks about the same late payment are one surplus."""
    late = EXPIRES + timedelta(minutes=5)
    receipt, rules = seen(purchased_at=late), Rules(late_payment=policy)
    first = after(FRESH, look(FRESH, receipt, rules, late))

    assert () == look(first, receipt, rules, late).events


def test_money_in_time_seen_late_is_not_late() -> None:
    """What counts is when Bootpay took it, to the very last moment."""
    decision = look(FRESH, seen(purchased_at=EXPIRES), now=EXPIRES + timedelta(days=1))

    assert Accepted(state="paid", receipt_id=R1) == decision.answer
    assert EXPIRES == decision.payment.paid_at


def test_where_bootpay_does_not_say_when_it_took_the_money_the_look_counts() -> None:
    """The order is paid all the same, and late only if the look is."""
    in_time = look(FRESH, seen(purchased_at=None))
    late = look(FRESH, seen(purchased_at=None), now=EXPIRES + timedelta(seconds=1))

    assert (Accepted(state="paid", receipt_id=R1), NOW) == (in_time.answer, in_time.payment.paid_at)
    assert Refusal(Reason.ORDER_EXPIRED) == late.answer


def test_nothing_is_approved_after_the_terms_ran_out() -> None:
    """Refusing before approval costs nothing; only a shop that accepts late money approves late."""
    waiting = seen(ReceiptStatus.AWAITING_APPROVAL, purchased_at=None)
    late = EXPIRES + timedelta(seconds=1)

    assert Refusal(Reason.ORDER_EXPIRED) == look(FRESH, waiting, now=late).answer
    assert Approve(waiting) == look(FRESH, waiting, Rules(late_payment=LatePayment.ACCEPT), late).answer
    assert Refusal(Reason.ORDER_EXPIRED) == look(EXPIRED, waiting, now=late).answer
    # The shop has been told that this one ran out: nothing is approved for it, whatever the policy.
    accepting = Rules(late_payment=LatePayment.ACCEPT)
    assert Refusal(Reason.ORDER_EXPIRED) == look(EXPIRED, waiting, accepting, late).answer


# Virtual accounts


def test_an_issued_account_is_told_and_kept() -> None:
    """The buyer is shown where to pay; seeing it again is a replay."""
    decision = look(FRESH, ISSUED)
    again = look(AWAITING, ISSUED)

    assert Accepted(state="awaiting_deposit", receipt_id=R1, account=ACCOUNT) == decision.answer
    assert (["order.awaiting_deposit"], ACCOUNT, (R1,)) == (
        owes(decision),
        decision.payment.account,
        decision.claims,
    )
    assert (Accepted(state="awaiting_deposit", receipt_id=R1, account=ACCOUNT, replayed=True), ()) == (
        again.answer,
        again.events,
    )


def test_no_account_is_waited_for_after_the_order_ran_out() -> None:
    """The shop may have sold the goods to others."""
    decision = look(EXPIRED, ISSUED)

    assert (Refusal(Reason.ORDER_EXPIRED), ()) == (decision.answer, decision.events)


def test_a_deposit_pays() -> None:
    """Money on the account is the payment."""
    decision = look(AWAITING, seen(method="vbank"))

    assert (["paid"], ["order.paid"], ()) == (whats(decision), owes(decision), decision.payment.others)
    assert ("vbank", None) == (decision.payment.method, decision.payment.account)


def test_wrong_money_by_another_way_leaves_the_account_awaited() -> None:
    """The card paid too little and its money goes back; the account is as good as before."""
    decision = look(AWAITING, seen(receipt_id=R2, price=900))

    assert (["surplus_found"], State.AWAITING_DEPOSIT, R1) == (
        whats(decision),
        decision.payment.state,
        decision.payment.receipt_id,
    )


@pytest.mark.parametrize(
    ("policy", "what", "state"),
    [
        (LatePayment.ACCEPT, ["paid"], State.PAID),
        (LatePayment.HOLD, ["account_withdrawn", "surplus_found", "attention"], State.ATTENTION),
    ],
)
def test_a_late_deposit_ends_the_wait_for_it(policy: LatePayment, what: list[str], state: State) -> None:
    """Counted or not, the money has come: the order waits for no other on that account."""
    late = EXPIRES + timedelta(minutes=5)
    decision = look(AWAITING, seen(method="vbank", purchased_at=late), Rules(late_payment=policy), late)

    assert (what, state) == (whats(decision), decision.payment.state)
    assert State.AWAITING_DEPOSIT is not decision.payment.before


def test_a_withdrawn_account_opens_the_order_again() -> None:
    """The buyer may choose another way."""
    decision = look(AWAITING, seen(ReceiptStatus.ACCOUNT_CANCELLED, method="vbank"))

    assert (State.OPEN, None, Refusal(Reason.PAYMENT_FAILED)) == (
        decision.payment.state,
        decision.payment.receipt_id,
        decision.answer,
    )


def test_account_replaced_is_kept_in_mind() -> None:
    """The old account is still open at the bank: whichever is paid first counts, the other is surplus."""
    second = replace(ISSUED, id=R2)
    replaced = after(AWAITING, look(AWAITING, second))
    old_pays = look(replaced, seen(method="vbank"))
    new_pays_too = look(after(replaced, old_pays), seen(receipt_id=R2, method="vbank"))

    assert (R2, Fate.SET_ASIDE) == (replaced.payment.receipt_id, replaced.payment.others[0].fate)
    assert (Accepted(state="paid", receipt_id=R1), R1) == (old_pays.answer, old_pays.payment.receipt_id)
    assert Fate.HELD is new_pays_too.payment.others[0].fate


def test_a_replaced_account_does_not_take_its_place_back() -> None:
    """Looking at the old account again does not make the two swap for ever."""
    replaced = after(AWAITING, look(AWAITING, replace(ISSUED, id=R2)))

    assert () == look(replaced, ISSUED).events


def test_an_account_issued_by_an_approval_is_no_failed_payment() -> None:
    """Approving a virtual account issues it: the buyer is shown where to pay."""
    decision = look(CONFIRMING, ISSUED)

    assert Accepted(state="awaiting_deposit", receipt_id=R1, account=ACCOUNT) == decision.answer
    assert (State.AWAITING_DEPOSIT, None) == (decision.payment.state, decision.payment.lease)


def test_an_approval_after_an_account_keeps_the_account_in_mind() -> None:
    """The buyer changed their mind: the card is approved, the account may still be paid into."""
    waiting = seen(ReceiptStatus.AWAITING_APPROVAL, R2, purchased_at=None)
    decision = intend_approval(AWAITING, waiting, RULES, NOW, "buyer")

    assert (State.CONFIRMING, Fate.SET_ASIDE) == (decision.payment.state, decision.payment.others[0].fate)


# Approval


def test_a_confirmed_payment_counts_even_if_it_took_until_after_the_deadline() -> None:
    """The approval began in time; how long Bootpay took is not the buyer's fault."""
    late = EXPIRES + timedelta(minutes=5)

    assert Accepted(state="paid", receipt_id=R1) == look(CONFIRMING, seen(purchased_at=late), now=late).answer


def test_a_price_that_changed_during_approval_is_owed_back() -> None:
    """Judged before and judged again after."""
    decision = look(CONFIRMING, seen(price=900))

    assert (["approval_refused", "surplus_found"], ["money_back"], State.OPEN) == (
        whats(decision),
        owes(decision),
        decision.payment.state,
    )


def test_a_declined_approval_opens_the_order_again() -> None:
    """No money moved."""
    decision = look(CONFIRMING, seen(ReceiptStatus.FAILED))

    assert (State.OPEN, None, Refusal(Reason.PAYMENT_FAILED)) == (
        decision.payment.state,
        decision.payment.lease,
        decision.answer,
    )


def test_a_shops_no_is_told_as_the_shops_no() -> None:
    """In its own words, and the order is open for another try."""
    decision = refused_by_shop(FRESH, seen(ReceiptStatus.AWAITING_APPROVAL), NOW, "buyer", "품절")

    assert (Refusal(Reason.REFUSED_BY_SHOP, "품절"), State.OPEN) == (decision.answer, decision.payment.state)


def test_bootpays_words_are_for_the_history_and_not_for_the_buyer() -> None:
    """The card company's words may hold anything."""
    words = {"reason": "payment_failed", "code": "RC_CONFIRM_FAILED", "words": "카드 한도초과 홍길동"}
    decision = approval_refused(CONFIRMING, R1, NOW, "buyer", words)

    assert Refusal(Reason.PAYMENT_FAILED) == decision.answer
    assert "카드 한도초과 홍길동" == decision.events[0].data["words"]


@pytest.mark.parametrize("record", [AWAITING, CONFIRMING, PAID, CANCELLING])
def test_a_receipt_whose_order_changed_calls_a_person(record: Record) -> None:
    """What the order's money hangs on names another order now: no state waits for ever."""
    decision = look(record, replace(seen(), order_id="o2"))

    assert (State.ATTENTION, "order_mismatch") == (decision.payment.state, decision.payment.reason)


def test_a_receipt_that_names_another_order_is_asked_about_once() -> None:
    """The person's word about it stands; the same fact does not call again."""
    renamed = replace(seen(), order_id="o2")
    called = after(PAID, look(PAID, renamed))
    resolved = resolve_attention(called, "dismiss", NOW, "person:a", "y", R1)
    assert isinstance(resolved, Decision)

    assert (State.PAID, ()) == (resolved.payment.state, look(after(called, resolved), renamed).events)


@pytest.mark.parametrize("record", [FRESH, AWAITING, CONFIRMING, PAID, CANCELLING, CANCELLED, EXPIRED])
def test_a_strangers_receipt_calls_nobody_in_any_state(record: Record) -> None:
    """Anybody may name any receipt; only the one that an order's money hangs on is worth a question."""
    assert () == look(record, replace(seen(receipt_id=R2), order_id="o2")).events


# The receipt that pays, seen again


def test_a_replay_changes_nothing() -> None:
    """The same answer, marked as repeated."""
    decision = look(PAID, seen())

    assert (Accepted(state="paid", receipt_id=R1, replayed=True), ()) == (decision.answer, decision.events)


@pytest.mark.parametrize(
    ("receipt", "what", "cancelled"),
    [
        (seen(cancelled=300), "partially_cancelled", 300),
        (seen(ReceiptStatus.CANCELLED, cancelled=1000), "cancelled", 1000),
        (seen(ReceiptStatus.CANCELLED), "cancelled", 1000),
        (seen(cancelled=1000), "cancelled", 1000),
    ],
)
def test_outside_cancel_is_found(receipt: Receipt, what: str, cancelled: int) -> None:
    """What was cancelled in a console becomes an event like any other, and the shop is told."""
    decision = look(PAID, receipt)

    assert ([what], [f"order.{what}"], cancelled) == (
        whats(decision),
        owes(decision),
        decision.payment.cancelled,
    )
    assert "outside" == decision.events[0].data["origin"]


def test_a_notice_of_a_cancel_tells_what_has_gone_back_in_all() -> None:
    """300 and then 400 of 1000 went back: the shop hears 300, then 700, each time beside the price."""
    first = look(PAID, seen(cancelled=300))
    second = look(after(PAID, first), seen(cancelled=700))

    assert [("partially_cancelled", 1000, 300), ("partially_cancelled", 1000, 700)] == [
        tuple(decision.owes[0].data[name] for name in ("state", "price", "cancelled"))
        for decision in (first, second)
    ]


def test_an_old_account_of_cancels_takes_nothing_back() -> None:
    """A total that is lower than the one on file is an old look."""
    part = after(PAID, look(PAID, seen(cancelled=300)))

    assert () == look(part, seen(cancelled=200)).events


@pytest.mark.parametrize(
    "status",
    [
        ReceiptStatus.AWAITING_DEPOSIT,
        ReceiptStatus.WAITING,
        ReceiptStatus.FAILED,
        ReceiptStatus.ACCOUNT_CANCELLED,
    ],
)
def test_deposit_reversal_needs_a_person(status: ReceiptStatus) -> None:
    """Paid money that is gone without a cancel: the goods may be on their way."""
    decision = look(PAID, seen(status, method="vbank"))
    again = look(after(PAID, decision), seen(status, method="vbank"))

    assert (State.ATTENTION, "payment_reverted", ["order.attention"]) == (
        decision.payment.state,
        decision.payment.reason,
        owes(decision),
    )
    assert (Pending(retry_after_s=30), ()) == (again.answer, again.events)


@pytest.mark.parametrize("status", [ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN])
def test_a_cancel_in_progress_or_an_unknown_number_is_no_reversal(status: ReceiptStatus) -> None:
    """Nothing is certain yet."""
    assert () == look(PAID, seen(status)).events


def test_a_cancelled_order_answers_cancelled() -> None:
    """It was paid and is not any more."""
    decision = look(CANCELLED, seen(ReceiptStatus.CANCELLED, cancelled=1000))

    assert (Refusal(Reason.ALREADY_CANCELLED), ()) == (decision.answer, decision.events)


def test_a_paying_receipt_cancelled_during_attention_is_not_noted_as_a_stranger() -> None:
    """Afterwards it is compared again, and the cancel is found."""
    waiting = after(PAID, needs_attention(PAID, NOW, "x"))
    gone = seen(ReceiptStatus.CANCELLED, cancelled=1000)
    during = look(waiting, gone)
    resolved = resolve_attention(waiting, "dismiss", NOW, "person:a", "y")
    assert isinstance(resolved, Decision)

    assert () == during.events
    assert ["cancelled"] == whats(look(after(waiting, resolved), gone))


# Cancels under way


def test_a_doubtful_cancel_is_told_by_the_running_total() -> None:
    """The total has grown by what we asked: it was done."""
    decision = look(CANCELLING, seen(cancelled=300))

    assert (["partially_cancelled"], "shop") == (whats(decision), decision.events[0].data["origin"])
    assert ("done", 300) == (decision.payment.requests[0].outcome, decision.payment.cancelled)


def test_a_total_that_has_not_moved_decides_nothing() -> None:
    """It may still be on its way."""
    assert (Pending(), ()) == (look(CANCELLING, seen()).answer, look(CANCELLING, seen()).events)


def test_a_smaller_outside_cancel_is_not_taken_for_ours() -> None:
    """Somebody else's 100 is not our 300: ours may still be on its way, and after long enough it was not."""
    early = look(CANCELLING, seen(cancelled=100))
    decision = look(CANCELLING, seen(cancelled=100), now=NOW + timedelta(seconds=RULES.approve_again_s))

    assert (Pending(), []) == (early.answer, whats(early))
    assert ["cancel_refused", "partially_cancelled"] == whats(decision)
    assert ("undone", 100, "outside") == (
        decision.payment.requests[0].outcome,
        decision.payment.cancelled,
        decision.events[1].data["origin"],
    )


# Attention


def test_a_person_is_asked_about_the_receipt_that_the_order_hangs_on() -> None:
    """Where there is one; a decision closes the questions about one receipt and no other."""
    about = [needs_attention(record, NOW, "x").payment.questions for record in (PAID, FRESH)]

    assert [(Question(reason="x", receipt_id=R1),), (Question(reason="x"),)] == about


def test_money_that_comes_while_a_person_decides_is_kept_in_sight() -> None:
    """Neither counted nor sent back before the decision, and judged like any other after it."""
    during = look(ATTENTION, seen())
    waiting = after(ATTENTION, during)
    resolved = resolve_attention(waiting, "dismiss", NOW, "person:a", "y")
    assert isinstance(resolved, Decision)
    then = look(after(waiting, resolved), seen())

    assert (Fate.HELD, [], Pending(retry_after_s=30)) == (
        during.payment.others[0].fate,
        owes(during),
        during.answer,
    )
    assert (State.OPEN, State.PAID) == (resolved.payment.state, then.payment.state)


def test_money_that_comes_while_a_person_decides_is_noted_once_and_pays_no_other_order() -> None:
    """Its receipt is claimed as any receipt that holds money; the next look adds nothing."""
    first = look(ATTENTION, seen(receipt_id=R2))
    second = look(after(ATTENTION, first), seen(receipt_id=R2))

    assert ((R2,), ()) == (first.claims, second.events)


def test_money_that_a_person_sends_back_does_not_pay_before_it_has_gone() -> None:
    """It came while they decided; a look between the decision and the cancel must not count it."""
    waiting = after(ATTENTION, look(ATTENTION, seen()))
    returned = resolve_attention(waiting, "return", NOW, "person:a", "y", R1)
    assert isinstance(returned, Decision)
    dismissed = resolve_attention(after(waiting, returned), "dismiss", NOW, "person:a", "y")
    assert isinstance(dismissed, Decision)
    owed_back = after(waiting, dismissed)
    decision = look(owed_back, seen())
    gone = after(owed_back, money_returned(owed_back, R1, 1000, NOW))
    afterwards = look(gone, seen(cancelled=1000, status=ReceiptStatus.CANCELLED))

    assert (State.OPEN, "money_back") == (dismissed.payment.state, owes(returned)[0])
    assert (Pending(retry_after_s=30), ()) == (decision.answer, decision.events)
    assert (Refusal(Reason.ALREADY_CANCELLED), ()) == (afterwards.answer, afterwards.events)


@pytest.mark.parametrize("status", [ReceiptStatus.APPROVING, ReceiptStatus.UNKNOWN])
def test_held_money_that_the_gateway_is_at_work_on_is_held_still(status: ReceiptStatus) -> None:
    """Nobody can say yet that it has gone."""
    held = after(PAID, look(PAID, seen(receipt_id=R2), HOLD))

    assert () == look(held, seen(status, R2)).events


@pytest.mark.parametrize("record", [PAID, CANCELLED, ATTENTION])
@pytest.mark.parametrize(
    "receipt",
    [
        *(seen(status, R2) for status in ReceiptStatus if status is not ReceiptStatus.PAID),
        seen(receipt_id=R2, cancelled=1000),
    ],
    ids=lambda receipt: f"{receipt.status.value}-{receipt.cancelled}",
)
def test_a_second_receipt_without_money_is_neither_owed_back_nor_held(
    record: Record, receipt: Receipt
) -> None:
    """An open window, a card that waits for approval, an account, or money that has gone: nothing to send back."""
    decision = look(record, receipt)

    # An account is set aside, because it may be paid into yet.
    noted = Fate.SET_ASIDE if receipt.status is ReceiptStatus.AWAITING_DEPOSIT else Fate.REFUSED
    assert {noted} >= {other.fate for other in decision.payment.others}
    assert [] == owes(decision)


def test_the_money_of_an_approval_in_doubt_is_held_for_the_person_who_decides_on_it() -> None:
    """It is not the order's yet, and whoever is called for it can see it and accept it."""
    doubted = after(CONFIRMING, needs_attention(CONFIRMING, NOW, "approval_unresolved"))
    decision = look(doubted, seen())

    assert ([(R1, Fate.HELD)], []) == (
        [(other.receipt_id, other.fate) for other in decision.payment.others],
        owes(decision),
    )


def test_wrong_money_that_came_while_a_person_decided_is_not_silently_kept() -> None:
    """After the decision its price is judged, and it goes back."""
    waiting = after(ATTENTION, look(ATTENTION, seen(price=900)))
    resolved = resolve_attention(waiting, "dismiss", NOW, "person:a", "y")
    assert isinstance(resolved, Decision)

    assert ["money_back"] == owes(look(after(waiting, resolved), seen(price=900)))


def test_a_person_may_send_held_money_back() -> None:
    """On a paid order the payment stands and only the surplus goes back."""
    held = after(PAID, look(PAID, seen(receipt_id=R2), HOLD))
    decision = resolve_attention(held, "return", NOW, "person:a", "y", R2)
    assert isinstance(decision, Decision)

    assert (State.PAID, R1, Fate.OWED_BACK) == (
        decision.payment.state,
        decision.payment.receipt_id,
        decision.payment.others[0].fate,
    )
    assert ["money_back"] == owes(decision)


def test_a_decision_about_one_receipt_leaves_the_questions_about_others_as_they_are() -> None:
    """Each is asked about its own receipt still, and the order is looked at a second later."""
    one = after(PAID, look(PAID, seen(receipt_id=R2), HOLD))
    both = after(one, needs_attention(one, NOW, "x"))
    decision = resolve_attention(both, "dismiss", NOW, "person:a", "y", R2)
    assert isinstance(decision, Decision)

    assert (State.ATTENTION, (Question(reason="x", receipt_id=R1),)) == (
        decision.payment.state,
        decision.payment.questions,
    )
    assert NOW + timedelta(seconds=1) == decision.due_at


@pytest.mark.parametrize("price", [999, 1001])
def test_a_person_may_not_accept_money_that_is_not_the_price(price: int) -> None:
    """Whether or not Bootpay could be asked about it once more."""
    held = after(FRESH, look(FRESH, seen(price=price), HOLD))
    decisions = [
        resolve_attention(held, "accept", NOW, "person:a", "y", seen=receipt)
        for receipt in (None, seen(price=price))
    ]

    assert [True, True] == ["not the price" in str(decision) for decision in decisions]


def test_money_that_a_person_accepts_pays_like_any_other() -> None:
    """State, claim and notice are one decision, and the order is paid since Bootpay took the money."""
    late = EXPIRES + timedelta(minutes=5)
    receipt = seen(purchased_at=late)
    held = after(FRESH, look(FRESH, receipt, now=late))
    decision = resolve_attention(held, "accept", late + timedelta(hours=1), "person:a", "y", seen=receipt)
    assert isinstance(decision, Decision)

    assert (State.PAID, R1, late, "card") == (
        decision.payment.state,
        decision.payment.receipt_id,
        decision.payment.paid_at,
        decision.payment.method,
    )
    assert (["order.paid"], (R1,)) == (owes(decision), decision.claims)


def test_money_that_is_accepted_without_another_look_pays_from_then_on() -> None:
    """What was noted when it was held is enough where it is the price."""
    late = EXPIRES + timedelta(minutes=5)
    held = after(FRESH, look(FRESH, seen(purchased_at=late), now=late))
    decision = resolve_attention(held, "accept", late, "person:a", "y")
    assert isinstance(decision, Decision)

    assert (State.PAID, late, "") == (
        decision.payment.state,
        decision.payment.paid_at,
        decision.payment.method,
    )


def test_a_decision_about_no_receipt_names_none() -> None:
    """The history holds only what there was."""
    decision = resolve_attention(ATTENTION, "dismiss", NOW, "person:a", "y")
    assert isinstance(decision, Decision)

    assert {"to": "open", "resolution": "dismiss", "reason": "y"} == decision.events[0].data


def test_a_person_may_not_accept_money_in_another_currency() -> None:
    """1000 won are not 10.00 dollars, although both are a thousand."""
    held = after(FRESH, look(FRESH, seen(currency="USD"), HOLD))

    assert isinstance(resolve_attention(held, "accept", NOW, "person:a", "y"), str)


def test_giving_up_a_delivery_calls_a_person_once() -> None:
    """Without another notice: the shop does not answer notices."""
    notice = look(FRESH, seen()).owes[0]
    first = give_up_delivery(PAID, notice, NOW, "503" * 500)
    second = give_up_delivery(after(PAID, first), notice, NOW, "503")

    assert (["attention"], [], "delivery_failed") == (whats(first), owes(first), first.payment.reason)
    assert () == second.events


def test_money_that_could_not_be_sent_back_is_asked_about_by_its_receipt() -> None:
    """Whoever decides must know which one, and why it failed."""
    surplus = look(PAID, seen(receipt_id=R2))
    decision = give_up_delivery(after(PAID, surplus), surplus.owes[0], NOW, "RC_CANCEL_SERVER_ERROR")

    assert (Question(reason="money_back_failed", receipt_id=R2),) == decision.payment.questions
    assert (surplus.owes[0].id, "RC_CANCEL_SERVER_ERROR") == tuple(
        decision.events[0].data[name] for name in ("delivery_id", "words")
    )


# What is on file already


@pytest.mark.parametrize(
    ("record", "receipt_id", "answer"),
    [
        (FRESH, R1, None),
        (PAID, R1, Accepted(state="paid", receipt_id=R1, replayed=True)),
        (PAID, R2, None),
        (CANCELLED, R1, Refusal(Reason.ALREADY_CANCELLED)),
        (CONFIRMING, R1, None),
        (AWAITING, R1, None),
        (replace(PAID, claimed_by=OrderId("o2")), R2, Refusal(Reason.RECEIPT_ALREADY_USED)),
        (replace(FRESH, claimed_by=OrderId("o1")), R1, None),
        (after(FRESH, look(FRESH, seen(price=9))), R1, Refusal(Reason.AMOUNT_MISMATCH)),
        (after(PAID, look(PAID, seen(receipt_id=R2))), R2, Refusal(Reason.ORDER_ALREADY_PAID)),
        (after(FRESH, look(EXPIRED, seen())), R1, Refusal(Reason.ORDER_EXPIRED)),
        (
            after(PAID, needs_attention(PAID, NOW, "x")),
            R1,
            Accepted(state="paid", receipt_id=R1, replayed=True),
        ),
        (after(AWAITING, needs_attention(AWAITING, NOW, "x")), R1, None),
        (after(CANCELLED, needs_attention(CANCELLED, NOW, "x")), R1, None),
    ],
)
def test_an_answer_on_file_costs_no_look(record: Record, receipt_id: ReceiptId, answer: object) -> None:
    """What will never change is answered from the store; everything else is looked at."""
    assert answer == recall(record, receipt_id)


def test_expiry_is_told() -> None:
    """The shop may sell the goods to others."""
    decision = expire(FRESH, EXPIRES + timedelta(minutes=1))

    assert (State.EXPIRED, ["order.expired"]) == (decision.payment.state, owes(decision))
    assert What.EXPIRED is decision.events[0].what


# What a review found


def test_an_account_paid_past_by_a_card_is_kept_in_mind() -> None:
    """A card that needs no approval pays: the account the order had waited for stays open at the bank."""
    decision = look(AWAITING, seen(receipt_id=R2))

    assert (["account_withdrawn", "paid"], R2) == (whats(decision), decision.payment.receipt_id)
    assert [(R1, Fate.SET_ASIDE)] == [(other.receipt_id, other.fate) for other in decision.payment.others]


def test_an_account_of_an_expired_order_is_kept_in_mind() -> None:
    """Its deposit may come any day; another receipt that pays meanwhile must not hide it."""
    expired = after(AWAITING, expire(AWAITING, EXPIRES + timedelta(minutes=1)))
    paid = look(expired, seen(receipt_id=R2), Rules(late_payment=LatePayment.ACCEPT))

    assert (State.PAID, R2) == (paid.payment.state, paid.payment.receipt_id)
    assert [(R1, Fate.SET_ASIDE)] == [(other.receipt_id, other.fate) for other in paid.payment.others]


def test_a_deposit_on_an_account_paid_past_is_held_for_a_person() -> None:
    """The second money is found and, having no card to go back to, calls a person."""
    paid = after(AWAITING, look(AWAITING, seen(receipt_id=R2)))
    decision = look(paid, seen(ReceiptStatus.PAID, receipt_id=R1, method="vbank"))

    assert (Refusal(Reason.ORDER_ALREADY_PAID), ["order.attention"]) == (decision.answer, owes(decision))


def test_an_account_is_taken_up_again_after_a_refused_card() -> None:
    """The buyer goes back to the account: it is what the order waits for once more."""
    confirming = after(
        AWAITING,
        intend_approval(AWAITING, seen(ReceiptStatus.AWAITING_APPROVAL, receipt_id=R2), RULES, NOW, "buyer"),
    )
    reopened = after(confirming, approval_refused(confirming, R2, NOW, "buyer", {"reason": "payment_failed"}))
    decision = look(reopened, ISSUED)

    assert Accepted(state="awaiting_deposit", receipt_id=R1, account=ACCOUNT) == decision.answer
    assert (State.AWAITING_DEPOSIT, R1, [(R2, Fate.SET_ASIDE)]) == (
        decision.payment.state,
        decision.payment.receipt_id,
        [(other.receipt_id, other.fate) for other in decision.payment.others],
    )


def test_returned_money_is_told_in_its_own_currency() -> None:
    """30.50 dollars are 30.50 dollars, whatever the order's currency."""
    surplus = after(PAID, look(PAID, seen(receipt_id=R2, price=3050, currency="USD")))
    decision = money_returned(surplus, R2, 3050, NOW)
    (told,) = decision.owes

    assert (30.5, "USD", "KRW") == (
        told.data["returned"],
        told.data["returned_currency"],
        told.data["currency"],
    )
    assert "USD" == surplus.payment.others[0].currency


def test_money_that_cannot_go_back_calls_a_person_aloud() -> None:
    """The shop hears of it once, through the lane that works; a shop that cannot be told is not told in vain."""
    surplus = look(PAID, seen(receipt_id=R2))
    (money_back,) = surplus.owes
    record = after(PAID, surplus)
    given_up = give_up_delivery(record, money_back, NOW, "RC_CANCEL_SERVER_ERROR")
    again = give_up_delivery(after(record, given_up), money_back, NOW, "RC_CANCEL_SERVER_ERROR")
    (notice,) = look(FRESH, seen()).owes

    assert (["order.attention"], [], []) == (
        owes(given_up),
        owes(again),
        owes(give_up_delivery(PAID, notice, NOW, "HTTP 500")),
    )


@pytest.mark.parametrize("reason", ["delivery_failed", "order_already_paid", "money_back_failed"])
def test_a_payment_is_recalled_while_a_person_is_called_for_something_else(reason: str) -> None:
    """The buyer has paid: asking again costs no call to Bootpay and says so."""
    record = after(PAID, needs_attention(PAID, NOW, reason))

    assert Accepted(state="paid", receipt_id=R1, replayed=True) == recall(record, R1)


@pytest.mark.parametrize("reason", ["payment_reverted", "order_mismatch"])
def test_a_payment_in_doubt_is_not_recalled(reason: str) -> None:
    """Where the very receipt that paid is in doubt, a person speaks first."""
    record = after(PAID, needs_attention(PAID, NOW, reason))

    assert recall(record, R1) is None


def test_returning_one_held_receipt_calls_again_for_the_other() -> None:
    """Two receipts too many are held: an order does not leave attention over the head of the second."""
    r3 = ReceiptId("c" * 24)
    first = after(PAID, look(PAID, seen(receipt_id=R2), HOLD))
    held = after(
        first,
        look(first, seen(receipt_id=r3), HOLD),
    )
    decision = resolve_attention(held, "return", NOW, "person:a", "double", R2)

    assert isinstance(decision, Decision)
    assert (State.ATTENTION, ["money_back", "order.attention"]) == (decision.payment.state, owes(decision))
    assert [("b", Fate.OWED_BACK), ("c", Fate.HELD)] == sorted(
        (other.receipt_id[0], other.fate) for other in decision.payment.others
    )


def test_money_with_another_tax_free_part_is_not_accepted() -> None:
    """A person's word does not change the terms: P1 holds for held money too."""
    held = after(FRESH, look(FRESH, seen(tax_free=400), HOLD))
    decision = resolve_attention(held, "accept", NOW, "person:a", "fine", R1, seen=seen(tax_free=400))

    assert isinstance(decision, str)


@pytest.mark.parametrize("record", [FRESH, AWAITING])
def test_a_notice_that_nobody_takes_does_not_keep_money_from_counting(record: Record) -> None:
    """The shop answered 410 to `order.awaiting_deposit`: the deposit pays all the same, and is told by itself."""
    (notice,) = look(FRESH, ISSUED).owes
    decision = give_up_delivery(record, notice, NOW, "HTTP 410")

    assert ((), record.payment.state) == (decision.events, decision.payment.state)


def test_a_cancel_that_a_larger_foreign_one_may_hide_calls_a_person() -> None:
    """Ours of 300 had no answer, and 500 are gone: no sum tells whether ours is among them."""
    decision = look(CANCELLING, replace(seen(), cancelled=500))

    assert (State.ATTENTION, "cancel_ambiguous", 500, State.PAID) == (
        decision.payment.state,
        decision.payment.reason,
        decision.payment.cancelled,
        decision.payment.before,
    )


def test_a_cancel_of_which_nothing_is_left_is_not_ambiguous() -> None:
    """All of the price is back, ours included."""
    decision = look(CANCELLING, replace(seen(), cancelled=1000, status=ReceiptStatus.CANCELLED))

    assert State.CANCELLED is decision.payment.state
