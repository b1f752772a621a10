"""A person's word: it leaves attention, it is audited, and it makes nothing paid that Bootpay does not show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dojang.core.attention import needs_attention, resolve_attention
from dojang.core.decision import Pending
from dojang.core.delivery import ATTEMPTS_MAX, DeliveryState
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Fate, State
from dojang.core.rules import OnMismatch, Rules
from dojang.errors import InvalidValue, OutcomeUnknown
from dojang.ports import HandedOver
from dojang.testing import Fault
from dojang.usecases.cancel import WantedCancel, cancel
from dojang.usecases.reconcile import reconcile
from dojang.usecases.resolve import NothingToResolve, Resolution, Resolved, look_again, resolve
from dojang.usecases.verify import OrderUnknown, ReceiptUnknown

if TYPE_CHECKING:
    from conftest import Shop

DISMISS, ACCEPT, RETURN = Resolution.DISMISS, Resolution.ACCEPT, Resolution.RETURN
FAILED = HandedOver(settled=False, words="HTTP 503")


def decide(shop: Shop, resolution: Resolution, **more: Any) -> Any:
    """Mina decides."""
    words = {"who": "mina", "reason": "고객과 통화함"} | more
    return shop.run(resolve(shop.world, OrderId("o1"), resolution, **words))


def late_money(shop: Shop) -> ReceiptId:
    """An order that ran out, and then was paid for: held."""
    shop.order(expires_in_s=60)
    shop.clock.advance(120)
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    assert State.ATTENTION is shop.state()
    return receipt_id


def held_surplus(shop: Shop) -> ReceiptId:
    """A paid order and a second payment that waits for a person."""
    shop.rules = Rules(on_mismatch=OnMismatch.HOLD)
    shop.order()
    shop.verify(shop.bootpay.pay("o1", 1000))
    second = shop.bootpay.pay("o1", 1000)
    shop.verify(second)
    assert State.ATTENTION is shop.state()
    return second


def held_deposit(shop: Shop) -> ReceiptId:
    """A paid order, and a deposit on an account that was open beside it: held."""
    shop.order()
    shop.verify(shop.bootpay.pay("o1", 1000))
    account = shop.bootpay.issue("o1", 1000)
    shop.bootpay.ledger.deposit(account)
    shop.verify(account)
    assert State.ATTENTION is shop.state()
    return account


def reverted_deposit(shop: Shop) -> ReceiptId:
    """The bank has taken a deposit back."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.hear(receipt_id)
    shop.bootpay.ledger.revert(receipt_id)
    shop.run(reconcile(shop.world, everything=True))
    assert State.ATTENTION is shop.state()
    return receipt_id


def given_up_delivery(shop: Shop) -> None:
    """The shop's receiver was away for days."""
    shop.order()
    shop.verify(shop.bootpay.pay("o1", 1000))
    shop.receiver.answers = [FAILED] * ATTEMPTS_MAX
    for _ in range(ATTEMPTS_MAX):
        shop.clock.advance(90_000)
        shop.deliver()
    assert State.ATTENTION is shop.state()


def test_accepted_late_money_pays_and_the_shop_is_told(shop: Shop) -> None:
    """With the moment and the method Bootpay names."""
    receipt_id = late_money(shop)
    told = decide(shop, ACCEPT)
    shop.deliver()

    assert isinstance(told, Resolved)
    assert (State.PAID, receipt_id, shop.clock.now(), "card") == (
        shop.state(),
        shop.payment().receipt_id,
        shop.payment().paid_at,
        shop.payment().method,
    )
    assert "order.paid" == shop.receiver.told[-1]


def test_returned_late_money_goes_back_once(shop: Shop) -> None:
    """The order is over as it was before."""
    receipt_id = late_money(shop)
    decide(shop, RETURN)
    shop.deliver()
    shop.deliver()
    shop.run(reconcile(shop.world, everything=True))

    assert (State.EXPIRED, 1000, Fate.RETURNED) == (
        shop.state(),
        shop.bootpay.ledger.find(receipt_id).cancelled_price,
        shop.payment().others[0].fate,
    )
    assert 1 == shop.bootpay.calls["cancel"]


def test_dismissed_late_money_stays_held_and_calls_nobody_again(shop: Shop) -> None:
    """The same receipt seen again is the same known fact."""
    receipt_id = late_money(shop)
    decide(shop, DISMISS)
    shop.verify(receipt_id)
    shop.run(reconcile(shop.world, everything=True))

    assert (State.EXPIRED, Fate.HELD, 0) == (
        shop.state(),
        shop.payment().others[0].fate,
        shop.bootpay.calls["cancel"],
    )


def test_money_that_has_gone_meanwhile_cannot_be_accepted(shop: Shop) -> None:
    """Somebody sent it back in the console: not even a person's word makes the order paid."""
    receipt_id = late_money(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    told = decide(shop, ACCEPT)

    assert isinstance(told, NothingToResolve)
    assert ("Bootpay", State.ATTENTION) == (told.why.split()[0], shop.state())


def test_money_that_has_gone_in_part_cannot_be_accepted(shop: Shop) -> None:
    """What is left is not the price."""
    receipt_id = late_money(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 1)

    assert isinstance(decide(shop, ACCEPT), NothingToResolve)


def test_money_of_a_receipt_that_bootpay_forgot_cannot_be_accepted(shop: Shop) -> None:
    """Nothing is accepted unseen."""
    receipt_id = late_money(shop)
    del shop.bootpay.ledger.state.receipts[receipt_id]

    assert isinstance(decide(shop, ACCEPT), NothingToResolve)
    assert State.ATTENTION is shop.state()


def test_nothing_is_accepted_while_bootpay_cannot_be_asked(shop: Shop) -> None:
    """The decision can be made again later."""
    late_money(shop)
    shop.bootpay.on("receipt", Fault.LOST_BEFORE)
    with pytest.raises(OutcomeUnknown):
        decide(shop, ACCEPT)

    assert State.ATTENTION is shop.state()


def test_a_surplus_is_returned_and_the_payment_stands(shop: Shop) -> None:
    """Back to paid, and only the second money goes."""
    second = held_surplus(shop)
    decide(shop, RETURN)
    shop.deliver()
    first = shop.payment().receipt_id or ""

    assert (State.PAID, 0, 1000) == (
        shop.state(),
        shop.bootpay.ledger.find(first).cancelled_price,
        shop.bootpay.ledger.find(second).cancelled_price,
    )


def test_a_surplus_cannot_pay_an_order_that_is_paid(shop: Shop) -> None:
    """One payment per order."""
    held_surplus(shop)
    told = decide(shop, ACCEPT)

    assert isinstance(told, NothingToResolve)
    assert State.ATTENTION is shop.state()


def test_two_held_receipts_must_be_told_apart(shop: Shop) -> None:
    """The first decision names one; then only one is left."""
    second = held_surplus(shop)
    decide(shop, DISMISS)
    third = shop.bootpay.pay("o1", 1000)
    shop.verify(third)
    unclear = decide(shop, RETURN)
    named = decide(shop, RETURN, receipt_id=third)
    shop.deliver()

    assert isinstance(unclear, NothingToResolve)
    assert isinstance(named, Resolved)
    assert {second: Fate.HELD, third: Fate.RETURNED} == {
        other.receipt_id: other.fate for other in shop.payment().others
    }


def two_held(shop: Shop) -> tuple[ReceiptId, ReceiptId]:
    """A paid order and two more payments, both held for one reason."""
    second = held_surplus(shop)
    third = shop.bootpay.pay("o1", 1000)
    shop.verify(third)
    assert [second, third] == [question.receipt_id for question in shop.payment().questions]
    return second, third


def fates(shop: Shop) -> dict[ReceiptId, Fate]:
    """What became of the receipts that do not pay."""
    return {other.receipt_id: other.fate for other in shop.payment().others}


def test_a_dismissal_never_buries_a_second_question(shop: Shop) -> None:
    """Two receipts are held for one reason: dismissing the one leaves the order waiting for the other."""
    second, third = two_held(shop)
    unclear = decide(shop, DISMISS)
    named = decide(shop, DISMISS, receipt_id=second)
    between = shop.state(), shop.payment().questions[0].receipt_id
    last = decide(shop, DISMISS)

    assert isinstance(unclear, NothingToResolve)
    assert "More than one receipt waits for a decision" in unclear.why
    assert (Resolved, Resolved) == (type(named), type(last))
    assert (State.ATTENTION, third) == between
    assert (State.PAID, {second: Fate.HELD, third: Fate.HELD}) == (shop.state(), fates(shop))


def test_a_dismissal_about_a_strange_receipt_changes_nothing(shop: Shop) -> None:
    """A sentence says so, and the question stays."""
    held_surplus(shop)
    told = decide(shop, DISMISS, receipt_id=ReceiptId("f" * 24))

    assert isinstance(told, NothingToResolve)
    assert State.ATTENTION is shop.state()


def test_a_dismissed_delivery_failure_leaves_the_question_about_money_open(shop: Shop) -> None:
    """What is about no receipt is closed by naming none; the held money still waits."""
    given_up_delivery(shop)
    shop.rules = Rules(on_mismatch=OnMismatch.HOLD)
    second = shop.bootpay.pay("o1", 1000)
    shop.verify(second)
    decide(shop, DISMISS)

    assert State.ATTENTION is shop.state()
    assert [second] == [question.receipt_id for question in shop.payment().questions]


def test_dismissed_money_can_be_returned_later_and_the_history_says_who_did(shop: Shop) -> None:
    """A person thinks again when nothing waits any more: the payment stands, the held money goes."""
    second = held_surplus(shop)
    decide(shop, DISMISS)
    told = decide(shop, RETURN, receipt_id=second)
    shop.deliver()
    event = [e for e in shop.backend.history(OrderId("o1")) if e.what.value == "resolved"][-1]

    assert isinstance(told, Resolved)
    assert (State.PAID, Fate.RETURNED, 1000) == (
        shop.state(),
        fates(shop)[second],
        shop.bootpay.ledger.find(second).cancelled_price,
    )
    assert ("person:mina", "return", "paid") == (event.who, event.data["resolution"], event.data["to"])


def test_dismissed_late_money_can_be_accepted_later(shop: Shop) -> None:
    """The goods are there after all."""
    receipt_id = late_money(shop)
    decide(shop, DISMISS)
    told = decide(shop, ACCEPT)
    shop.deliver()

    assert isinstance(told, Resolved)
    assert (State.PAID, receipt_id) == (shop.state(), shop.payment().receipt_id)
    assert "order.paid" == shop.receiver.told[-1]


def test_nothing_is_accepted_while_another_receipt_is_being_approved(shop: Shop) -> None:
    """Otherwise an order could be paid twice."""
    late_money(shop)
    decide(shop, DISMISS)
    record = shop.backend.load(OrderId("o1"))
    assert record is not None
    opened = replace(record, payment=replace(record.payment, state=State.CONFIRMING))
    told = resolve_attention(opened, "accept", shop.clock.now(), "person:mina", "x")

    assert isinstance(told, str)
    assert "being approved" in told


def test_accepting_money_keeps_the_replaced_account_in_mind(shop: Shop) -> None:
    """The buyer may still pay into it; with the first generation nobody else would tell."""
    shop.rules = Rules(on_mismatch=OnMismatch.HOLD)
    shop.order()
    account = shop.bootpay.issue("o1", 1000)
    shop.verify(account)
    record = shop.backend.load(OrderId("o1"))
    assert record is not None
    shop.backend.commit(record, needs_attention(record, shop.clock.now(), "x"))
    second = shop.bootpay.pay("o1", 1000)
    shop.verify(second)
    decide(shop, ACCEPT, receipt_id=second)

    assert {account: Fate.SET_ASIDE} == fates(shop)


def test_a_later_question_does_not_silence_a_doubt(shop: Shop) -> None:
    """The deposit was taken back, then another payment was held: nobody is told that the order is paid."""
    reverted = reverted_deposit(shop)
    shop.rules = Rules(on_mismatch=OnMismatch.HOLD)
    shop.verify(shop.bootpay.pay("o1", 1000))
    told = shop.verify(reverted)

    assert ["payment_reverted", "order_already_paid"] == [
        question.reason for question in shop.payment().questions
    ]
    assert isinstance(told, Pending)


def test_held_money_that_goes_back_in_a_console_is_known_and_told(shop: Shop) -> None:
    """The shop's person used Bootpay's own pages instead: nothing is sent back a second time."""
    second = held_surplus(shop)
    shop.bootpay.ledger.outside_cancel(second)
    shop.clock.advance(4_000)
    shop.reconcile()
    shop.deliver()

    assert (Fate.RETURNED, State.ATTENTION) == (fates(shop)[second], shop.state())
    assert "order.money_returned" == shop.receiver.told[-1]
    assert isinstance(decide(shop, RETURN), NothingToResolve)
    assert isinstance(decide(shop, DISMISS), Resolved)
    assert (State.PAID, 0) == (shop.state(), shop.bootpay.calls["cancel"])


def test_a_held_deposit_that_the_bank_takes_back_is_held_again_when_it_returns(shop: Shop) -> None:
    """An account may be paid into twice; each time a person hears of it."""
    account = held_deposit(shop)
    shop.bootpay.ledger.revert(account)
    shop.clock.advance(4_000)
    shop.reconcile()
    reverted = fates(shop)[account]
    decide(shop, DISMISS)
    shop.bootpay.ledger.deposit(account)
    shop.hear(account)

    assert (Fate.SET_ASIDE, Fate.HELD, State.ATTENTION) == (reverted, fates(shop)[account], shop.state())


def test_a_late_deposit_that_comes_a_second_time_is_found_without_a_list(shop: Shop) -> None:
    """Held, taken back by the bank, paid again, and no webhook: a person is asked what becomes of it."""
    shop.order(expires_in_s=3_600)
    account = shop.bootpay.issue("o1", 1000)
    shop.verify(account)
    shop.clock.advance(4_000)
    shop.reconcile()
    shop.bootpay.ledger.deposit(account)
    shop.hear(account)
    shop.bootpay.ledger.revert(account)
    unlisted = shop.unlisted
    shop.run(reconcile(unlisted, everything=True))
    taken_back = fates(shop)[account]
    decide(shop, DISMISS)
    shop.bootpay.ledger.deposit(account)
    shop.run(reconcile(unlisted, everything=True))

    assert (Fate.SET_ASIDE, Fate.HELD) == (taken_back, fates(shop)[account])
    assert [("order_expired", account)] == [(q.reason, q.receipt_id) for q in shop.payment().questions]


def test_a_second_reversal_of_a_deposit_calls_a_person_again(shop: Shop) -> None:
    """The first was dismissed, then the payment was seen to stand again: that doubt is over, not every later one."""
    receipt_id = reverted_deposit(shop)
    decide(shop, DISMISS)
    shop.run(reconcile(shop.world, everything=True))
    let_be = shop.state()
    shop.bootpay.ledger.deposit(receipt_id)
    shop.run(reconcile(shop.world, everything=True))
    shop.deliver()
    told = list(shop.receiver.told)
    shop.bootpay.ledger.revert(receipt_id)
    shop.run(reconcile(shop.world, everything=True))

    assert (State.PAID, State.ATTENTION) == (let_be, shop.state())
    assert ["payment_reverted"] == [question.reason for question in shop.payment().questions]
    assert 1 == told.count("order.paid")


def test_a_deposit_that_is_back_leaves_let_be_what_is_still_so(shop: Shop) -> None:
    """Its receipt names another order, which a person knows: that it was taken back and paid again changes nothing."""
    receipt_id = reverted_deposit(shop)
    decide(shop, DISMISS)
    shop.bootpay.ledger.tamper(receipt_id, {"order_id": "another"})
    shop.bootpay.ledger.deposit(receipt_id)
    shop.run(reconcile(shop.world, everything=True))
    named_another = shop.payment().reason
    decide(shop, DISMISS)
    shop.run(reconcile(shop.world, everything=True))
    shop.bootpay.ledger.revert(receipt_id)
    shop.run(reconcile(shop.world, everything=True))
    taken_back = shop.payment().reason
    decide(shop, DISMISS)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.run(reconcile(shop.world, everything=True))
    shop.run(reconcile(shop.world, everything=True))

    assert ("order_mismatch", "payment_reverted") == (named_another, taken_back)
    assert State.PAID == shop.state()


@pytest.mark.parametrize("resolution", [DISMISS, ACCEPT])
def test_an_approval_in_doubt_is_kept_in_mind_when_another_receipt_pays(
    shop: Shop, resolution: Resolution
) -> None:
    """It took the money after all, and Bootpay has no list: what is paid twice goes back once."""
    shop.order()
    doubted = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    shop.bootpay.meanwhile("receipt", lambda: shop.bootpay.on("receipt", Fault.LOST_BEFORE))
    shop.verify(doubted)
    record = shop.backend.load(OrderId("o1"))
    assert record is not None
    assert State.CONFIRMING is record.payment.state
    shop.backend.commit(record, needs_attention(record, shop.clock.now(), "approval_unresolved"))
    if resolution is DISMISS:
        decide(shop, DISMISS)
    pays = shop.bootpay.pay("o1", 1000)
    shop.verify(pays)
    if resolution is ACCEPT:
        decide(shop, ACCEPT, receipt_id=pays)
        decide(shop, DISMISS)
    kept = fates(shop)
    shop.bootpay.ledger.confirm(doubted)
    shop.run(reconcile(shop.unlisted, everything=True))
    shop.deliver()

    assert ({doubted: Fate.SET_ASIDE}, {doubted: Fate.RETURNED}) == (kept, fates(shop))
    assert (State.PAID, pays) == (shop.state(), shop.payment().receipt_id)


def test_a_held_deposit_is_not_returned_without_the_buyers_account(shop: Shop) -> None:
    """There is no card to send it back to: the person hears so at once, and nothing is tried in vain for days."""
    account = held_deposit(shop)
    refused = decide(shop, RETURN)
    shop.deliver()

    assert isinstance(refused, NothingToResolve)
    assert "virtual account" in refused.why
    assert ({account: Fate.HELD}, 0) == (fates(shop), shop.bootpay.calls["cancel"])


def test_what_came_while_a_person_decided_is_judged_right_after(shop: Shop) -> None:
    """A second late payment arrives while the first waits for a word: once that is said, it waits for its own."""
    first = late_money(shop)
    second = shop.bootpay.pay("o1", 1000)
    shop.verify(second)
    waiting = shop.payment().other(second)
    decide(shop, RETURN, receipt_id=first)
    shop.clock.advance(2)
    shop.reconcile()

    assert (Fate.HELD, "awaiting_decision") == (waiting and waiting.fate, waiting and waiting.reason)
    assert State.ATTENTION is shop.state()
    assert [(second, "order_expired")] == [
        (question.receipt_id, question.reason) for question in shop.payment().questions
    ]


def test_a_decision_about_a_receipt_that_is_not_held_changes_nothing(shop: Shop) -> None:
    """A sentence says so."""
    held_surplus(shop)
    told = decide(shop, RETURN, receipt_id=ReceiptId("f" * 24))

    assert isinstance(told, NothingToResolve)
    assert "No such money is held. (보류된 돈이 없습니다.)" == told.why


def test_a_dismissed_reversal_does_not_call_again_for_the_same_fact(shop: Shop) -> None:
    """The shop lets the buyer keep the goods; every later look sees the same and stays silent."""
    receipt_id = reverted_deposit(shop)
    decide(shop, DISMISS)
    for _ in range(3):
        shop.clock.advance(90_000)
        shop.run(reconcile(shop.world, everything=True))
        shop.verify(receipt_id)

    assert (State.PAID, 1) == (shop.state(), shop.whats().count("attention"))


def test_a_dismissed_reversal_does_not_hide_a_cancel(shop: Shop) -> None:
    """The deposit came again and went back through the console: that is another fact."""
    receipt_id = reverted_deposit(shop)
    decide(shop, DISMISS)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    shop.run(reconcile(shop.world, everything=True))

    assert State.CANCELLED is shop.state()


def test_a_dismissed_delivery_failure_leads_back_to_paid_and_can_be_retried(shop: Shop) -> None:
    """The receiver lives again: the same delivery under the same id, and money can be cancelled again."""
    given_up_delivery(shop)
    dead = next(owed for owed in shop.owed() if owed.state is DeliveryState.DEAD)
    decide(shop, DISMISS)
    state = shop.state()
    shop.backend.retry_delivery(dead.id, shop.clock.now())
    shop.deliver()
    wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
    shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))

    assert (State.PAID, dead.id, 300) == (state, shop.receiver.received[-1].id, shop.payment().cancelled)
    assert DeliveryState.SETTLED is next(owed for owed in shop.owed() if owed.id == dead.id).state


def test_a_dead_delivery_can_be_retried_before_anybody_decides(shop: Shop) -> None:
    """It goes out; the order still waits for a word."""
    given_up_delivery(shop)
    dead = next(owed for owed in shop.owed() if owed.state is DeliveryState.DEAD)
    shop.backend.retry_delivery(dead.id, shop.clock.now())
    report = shop.deliver()

    assert ({"order.paid": 1}, State.ATTENTION) == (dict(report.settled), shop.state())


def test_an_unresolved_cancel_that_is_dismissed_can_be_tried_under_its_key(shop: Shop) -> None:
    """Bootpay knows the receipt again; the same key is the same cancel."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
    kept = shop.bootpay.ledger.state.receipts[receipt_id]
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))
    del shop.bootpay.ledger.state.receipts[receipt_id]
    shop.bootpay.ledger.state.by_order.clear()
    shop.clock.advance(46 * 60)
    shop.reconcile()
    reason = shop.payment().reason
    shop.bootpay.ledger.state.receipts[receipt_id] = kept
    decide(shop, DISMISS)
    assert ["undone"] == [request.outcome for request in shop.payment().requests]
    shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))

    assert ("cancel_unresolved", State.PAID, 300, 300) == (
        reason,
        shop.state(),
        shop.payment().cancelled,
        kept.cancelled_price,
    )


def test_who_decided_and_why_stay_in_the_history(shop: Shop) -> None:
    """For ever, with what was decided about which receipt."""
    receipt_id = late_money(shop)
    decide(shop, ACCEPT)
    event = next(e for e in shop.backend.history(OrderId("o1")) if e.what.value == "resolved")

    assert ("person:mina", "고객과 통화함", "accept", str(receipt_id)) == (
        event.who,
        event.data["reason"],
        event.data["resolution"],
        event.data["receipt_id"],
    )


@pytest.mark.parametrize("resolution", list(Resolution))
def test_there_is_nothing_to_decide_on_an_order_that_is_fine(shop: Shop, resolution: Resolution) -> None:
    """And no call to Bootpay is made for it."""
    shop.order()
    told = decide(shop, resolution)

    assert isinstance(told, NothingToResolve)
    assert ("open", 0, OrderUnknown()) == (
        told.record.payment.state,
        shop.bootpay.calls.total(),
        shop.run(resolve(shop.world, OrderId("o9"), resolution, who="mina", reason="x")),
    )


@pytest.mark.parametrize(
    "bad", [{"who": ""}, {"who": " "}, {"who": "a\nb"}, {"who": "a" * 101}, {"reason": ""}, {"reason": "\0"}]
)
def test_a_decision_without_a_name_or_a_reason_is_none(shop: Shop, bad: dict[str, str]) -> None:
    """Refused before anything is looked at."""
    late_money(shop)
    with pytest.raises(InvalidValue):
        decide(shop, DISMISS, **bad)

    assert State.ATTENTION is shop.state()


def test_a_decision_on_an_order_that_changed_meanwhile_is_made_again(shop: Shop) -> None:
    """Something else was written while Bootpay was asked: the word still counts, on the order as it is now."""
    second = held_surplus(shop)
    third = shop.bootpay.pay("o1", 1000)
    shop.bootpay.meanwhile("receipt", lambda: shop.verify(third))
    told = decide(shop, RETURN, receipt_id=second)

    assert isinstance(told, Resolved)
    assert {second: Fate.OWED_BACK, third: Fate.HELD} == fates(shop)


# Looking again


def test_a_second_look_finds_what_was_not_there_yet(shop: Shop) -> None:
    """The person is in the history as the one who looked."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.run(look_again(shop.world, OrderId("o1"), receipt_id, who="mina"))

    assert (State.PAID, "person:mina") == (shop.state(), shop.backend.history(OrderId("o1"))[-1].who)


def test_a_look_needs_something_to_look_at(shop: Shop) -> None:
    """No receipt, an unknown one, an unknown order: each told apart."""
    shop.order()
    nothing = shop.run(look_again(shop.world, OrderId("o1")))
    assert isinstance(nothing, tuple)
    unknown = shop.run(look_again(shop.world, OrderId("o1"), ReceiptId("f" * 24)))
    stranger = shop.run(look_again(shop.world, OrderId("o9")))

    assert (None, ReceiptUnknown(), OrderUnknown()) == (nothing[1], unknown, stranger)


def test_a_look_does_not_disturb_somebody_at_work(shop: Shop) -> None:
    """A lease is a lease for people, too."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    shop.verify(receipt_id)
    shop.bootpay.calls.clear()
    looked = shop.run(look_again(shop.world, OrderId("o1")))
    assert isinstance(looked, tuple)

    assert (None, 0, State.CONFIRMING) == (looked[1], shop.bootpay.calls.total(), shop.state())


def test_a_look_is_at_the_receipt_that_the_order_hangs_on(shop: Shop) -> None:
    """Unless another one is named; what went back in a console is found so."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.outside_cancel(receipt_id, 1000)
    looked = shop.run(look_again(shop.world, OrderId("o1")))

    assert isinstance(looked, tuple)
    assert State.CANCELLED is looked[0].payment.state is shop.state()


def test_a_look_is_at_the_only_money_that_is_held(shop: Shop) -> None:
    """The order hangs on none: what went back in a console is found without naming the receipt."""
    receipt_id = late_money(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    looked = shop.run(look_again(shop.world, OrderId("o1"), who="mina"))

    assert isinstance(looked, tuple)
    assert looked[1] is not None
    assert {receipt_id: Fate.RETURNED} == fates(shop)
    assert "person:mina" == shop.backend.history(OrderId("o1"))[-1].who


def test_a_look_is_at_the_held_money_whatever_came_before_and_after_it(shop: Shop) -> None:
    """Two more wrong prices went back by themselves: only the held one's money can have gone in a console."""
    shop.order()
    receipts = []
    for policy in (OnMismatch.CANCEL, OnMismatch.HOLD, OnMismatch.CANCEL):
        shop.rules = Rules(on_mismatch=policy)
        receipts.append(shop.bootpay.pay("o1", 900))
        shop.verify(receipts[-1])
        shop.deliver()
        decide(shop, DISMISS)
    assert [Fate.RETURNED, Fate.HELD, Fate.RETURNED] == list(fates(shop).values())
    shop.bootpay.ledger.outside_cancel(receipts[1])
    shop.run(look_again(shop.world, OrderId("o1"), who="mina"))

    assert dict.fromkeys(receipts, Fate.RETURNED) == fates(shop)


def test_a_look_where_several_are_held_names_them(shop: Shop) -> None:
    """Nothing is guessed, and nothing asked of Bootpay; neither for a decision."""
    first = late_money(shop)
    second = shop.bootpay.pay("o1", 1000)
    shop.verify(second)
    shop.bootpay.calls.clear()
    looked = shop.run(look_again(shop.world, OrderId("o1")))
    returned = decide(shop, RETURN)

    assert isinstance(looked, NothingToResolve)
    assert f"name the one that is meant of {first}, {second}." in looked.why
    assert (looked.why, 0) == (returned.why, shop.bootpay.calls.total())


def test_a_look_at_an_order_that_changed_meanwhile_is_repeated(shop: Shop) -> None:
    """The buyer was quicker: the person sees what has come of it."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.meanwhile("receipt", lambda: shop.verify(receipt_id))
    looked = shop.run(look_again(shop.world, OrderId("o1"), receipt_id, who="mina"))

    assert isinstance(looked, tuple)
    assert State.PAID is looked[0].payment.state
    assert ["registered", "paid"] == shop.whats()


def test_nobody_looks_under_a_name_that_the_history_cannot_hold(shop: Shop) -> None:
    """A line break in it could pass for another entry."""
    shop.order()
    with pytest.raises(InvalidValue):
        shop.run(look_again(shop.world, OrderId("o1"), ReceiptId("f" * 24), who="mina\nshop"))

    assert {} == shop.bootpay.calls
