"""What a crash left is finished or undone, what Bootpay never told is found; paced, and from any number of machines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from dojang.core.approval import intend_approval
from dojang.core.attention import needs_attention
from dojang.core.cancellation import CancelTerms, WantedCancel
from dojang.core.cancelling import intend_cancel
from dojang.core.order import OrderId, ReceiptId
from dojang.core.pace import Pace
from dojang.core.payment import Fate, Record, State
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.rules import LatePayment, OnMismatch, Rules
from dojang.emulator.ledger import Ledger
from dojang.errors import NotSent, OutcomeUnknown, Refused, StoreUnavailable
from dojang.ports import Notice
from dojang.testing import Fault
from dojang.usecases.cancel import CancelDone, CancelPending, cancel
from dojang.usecases.reconcile import ReconcileReport, reconcile
from dojang.usecases.verify import verify

if TYPE_CHECKING:
    from conftest import Shop

T = TypeVar("T")


def told(report: ReconcileReport) -> list[tuple[str, str, str, bool]]:
    """The changes of a report."""
    return [(str(c.order_id), c.before, c.after, c.drift) for c in report.changes]


def record_of(shop: Shop, order_id: str = "o1") -> Record:
    """An order as it is stored."""
    record = shop.backend.load(OrderId(order_id))
    assert record is not None
    return record


def crash_before_confirm(shop: Shop, order_id: str = "o1") -> ReceiptId:
    """A process wrote down that it would approve, and died."""
    shop.order(order_id)
    receipt_id = shop.bootpay.agree(order_id, 1000)
    receipt = shop.run(shop.bootpay.look_up(receipt_id, 5))
    assert receipt is not None
    record = record_of(shop, order_id)
    shop.backend.commit(record, intend_approval(record, receipt, shop.rules, shop.clock.now(), "buyer"))
    return receipt_id


def paid(shop: Shop, order_id: str = "o1", **terms: Any) -> ReceiptId:
    """A paid order whose notice is delivered."""
    shop.order(order_id, **terms)
    receipt_id = shop.bootpay.pay(order_id, 1000)
    shop.verify(receipt_id, order_id)
    shop.deliver()
    return receipt_id


def doubtful_cancel(shop: Shop, fault: Fault) -> ReceiptId:
    """300 are to go back; the answer and the look after it are lost."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", fault)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
    outcome = shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))
    assert isinstance(outcome, CancelPending)
    return receipt_id


def forget_receipts(shop: Shop) -> None:
    """Bootpay answers from empty books."""
    shop.bootpay.ledger = Ledger(clock=lambda: shop.clock.now().timestamp())


# Intents whose lease ran out


def test_nobody_touches_an_intent_before_its_lease_is_over(shop: Shop) -> None:
    """Its owner may be about to answer."""
    crash_before_confirm(shop)
    shop.clock.advance(44)
    report = shop.run(reconcile(shop.world, everything=True))

    assert (0, [], State.CONFIRMING) == (report.calls, report.changes, shop.state())


def test_an_approval_that_died_young_is_finished(shop: Shop) -> None:
    """Shop and buyer had agreed; that is no drift, the machine itself finishes it."""
    receipt_id = crash_before_confirm(shop)
    shop.clock.advance(46)
    report = shop.reconcile()

    assert ([("o1", "pending", "paid", False)], State.PAID, 1) == (
        told(report),
        shop.state(),
        shop.bootpay.status(receipt_id),
    )


def test_an_approval_that_died_after_its_effect_is_not_repeated(shop: Shop) -> None:
    """The receipt is paid already: looking is enough."""
    receipt_id = crash_before_confirm(shop)
    shop.bootpay.ledger.confirm(receipt_id)
    shop.clock.advance(46)
    report = shop.reconcile()

    assert ([("o1", "pending", "paid", False)], 0) == (told(report), shop.bootpay.calls["confirm"])


def test_an_approval_that_was_forgotten_for_long_is_undone(shop: Shop) -> None:
    """After ten minutes the buyer has gone: the order is open again and no money moves."""
    receipt_id = crash_before_confirm(shop)
    shop.clock.advance(601)
    report = shop.reconcile()

    assert [("o1", "pending", "open", False)] == told(report)
    assert (2, 0) == (shop.bootpay.status(receipt_id), shop.bootpay.calls["confirm"])


def test_that_the_second_approval_never_left_says_nothing_of_the_first(shop: Shop) -> None:
    """The intent stays, for the confirm before it may be on its way; the next look takes it up again."""
    crash_before_confirm(shop)
    shop.clock.advance(46)
    shop.bootpay.on("confirm", Fault.NOT_SENT)
    report = shop.reconcile()
    during = shop.state()
    shop.clock.advance(120)
    shop.reconcile()

    assert ([], [("o1", "NotSent")], State.CONFIRMING) == (told(report), report.errors, during)
    assert State.PAID is shop.state()


def test_an_approval_whose_receipt_is_gone_calls_a_person(shop: Shop) -> None:
    """No look will ever tell whether its money moved; after 45 minutes somebody must."""
    crash_before_confirm(shop)
    forget_receipts(shop)
    shop.clock.advance(46)
    early = shop.reconcile()
    shop.clock.advance(45 * 60)
    late = shop.reconcile()

    assert ([], [("o1", "pending", "attention", False)]) == (told(early), told(late))
    assert "approval_unresolved" == shop.payment().reason


@pytest.mark.parametrize("number", [4, 77])
def test_an_approval_whose_receipt_stays_at_work_calls_a_person(shop: Shop, number: int) -> None:
    """It may be carried out yet, so it is never written off; after 45 minutes somebody must know of it."""
    receipt_id = crash_before_confirm(shop)
    shop.bootpay.ledger.tamper(receipt_id, {"status": number})
    shop.clock.advance(44 * 60)
    early = shop.reconcile()
    shop.clock.advance(2 * 60)
    late = shop.reconcile()

    assert ([], [("o1", "pending", "attention", False)]) == (told(early), told(late))
    assert ("approval_unresolved", receipt_id) == (shop.payment().reason, shop.payment().receipt_id)


def test_a_cancel_of_unknown_outcome_is_settled_by_the_total(shop: Shop) -> None:
    """It had happened: the shop is told so, and it is no drift."""
    doubtful_cancel(shop, Fault.LOST_AFTER)
    shop.clock.advance(46)
    report = shop.reconcile()
    shop.deliver()

    assert [("o1", "pending", "partially_cancelled", False)] == told(report)
    assert ("done", 300, "order.partially_cancelled") == (
        shop.payment().requests[0].outcome,
        shop.payment().cancelled,
        shop.receiver.told[-1],
    )


def test_a_cancel_that_had_no_effect_is_undone_after_ten_minutes(shop: Shop) -> None:
    """Before that it may still be on its way."""
    doubtful_cancel(shop, Fault.LOST_BEFORE)
    shop.clock.advance(46)
    early = shop.reconcile()
    shop.clock.advance(600)
    late = shop.reconcile()

    assert ([], [("o1", "pending", "paid", False)]) == (told(early), told(late))
    assert "undone" == shop.payment().requests[0].outcome


def test_an_outside_cancel_while_ours_was_in_doubt_is_drift(shop: Shop) -> None:
    """100 from the console are not our 300."""
    receipt_id = doubtful_cancel(shop, Fault.LOST_BEFORE)
    shop.bootpay.ledger.outside_cancel(receipt_id, 100)
    shop.clock.advance(46)
    early = shop.reconcile()
    shop.clock.advance(600)
    report = shop.reconcile()

    # Ours may be carried out yet, so nothing is concluded from somebody else's smaller cancel before long.
    assert [] == told(early)
    assert [("o1", "pending", "partially_cancelled", True)] == told(report)
    assert ("undone", 100) == (shop.payment().requests[0].outcome, shop.payment().cancelled)


def test_a_cancel_is_never_called_undone_without_seeing_the_receipt(shop: Shop) -> None:
    """Bootpay no longer knows it: nobody can say, so a person is called instead."""
    doubtful_cancel(shop, Fault.LOST_AFTER)
    forget_receipts(shop)
    shop.clock.advance(700)
    early = shop.reconcile()
    shop.clock.advance(45 * 60)
    late = shop.reconcile()

    assert ([], [("o1", "pending", "attention", False)]) == (told(early), told(late))
    assert ("cancel_unresolved", "in_flight") == (
        shop.payment().reason,
        shop.payment().requests[0].outcome,
    )


def test_a_cancel_is_not_called_undone_on_the_word_of_another_receipt(shop: Shop) -> None:
    """Its own cannot be read; that nothing of a second payment went back says nothing about it."""
    doubtful_cancel(shop, Fault.LOST_AFTER)
    shop.bootpay.pay("o1", 1000)
    shop.clock.advance(700)
    report = blind(shop, "look_up")

    assert ([], State.CANCELLING, "in_flight") == (
        told(report),
        shop.state(),
        shop.payment().requests[0].outcome,
    )


def test_a_stuck_intent_is_not_asked_about_every_second(shop: Shop) -> None:
    """Ten minutes of doubt cost some twenty looks, not six hundred."""
    doubtful_cancel(shop, Fault.LOST_BEFORE)
    shop.bootpay.calls.clear()
    for _ in range(550):
        shop.clock.advance(1)
        shop.reconcile()

    assert State.CANCELLING is shop.state()
    assert 2 <= shop.bootpay.calls["receipt"] <= 40


# What Bootpay never told


def test_a_buyer_and_a_webhook_that_both_got_lost_are_found_by_the_orders_id(shop: Shop) -> None:
    """Two minutes later the order is paid, and it is drift."""
    shop.order()
    shop.bootpay.pay("o1", 1000)
    early = shop.reconcile()
    shop.clock.advance(121)
    late = shop.reconcile()
    shop.deliver()

    assert ([], [("o1", "open", "paid", True)], ["order.paid"]) == (
        told(early),
        told(late),
        shop.receiver.told,
    )


def test_a_buyer_who_only_agreed_is_not_charged_by_a_reconciliation(shop: Shop) -> None:
    """Approving is for whoever stands before the buyer; the order stays open."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.clock.advance(121)
    report = shop.reconcile()

    assert ([], State.OPEN, 2) == (told(report), shop.state(), shop.bootpay.status(receipt_id))


def test_a_lost_deposit_is_found(shop: Shop) -> None:
    """The account was paid into and nobody said so."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.clock.advance(601)
    report = shop.reconcile()

    assert [("o1", "awaiting_deposit", "paid", True)] == told(report)


def test_a_double_payment_is_found_and_goes_back(shop: Shop) -> None:
    """The second receipt's money, once; the first one pays."""
    first = paid(shop)
    second = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(3_601)
    report = shop.reconcile()
    shop.deliver()

    assert [("o1", "paid", "paid", True)] == told(report)
    assert (0, 1000) == tuple(
        shop.bootpay.ledger.find(receipt_id).cancelled_price for receipt_id in (first, second)
    )


def test_two_lost_payments_are_one_payment_and_one_surplus(shop: Shop) -> None:
    """The older one pays, whatever order Bootpay lists them in."""
    shop.order()
    first = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(60)
    second = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(61)
    report = shop.reconcile()
    shop.deliver()

    assert [("o1", "open", "paid", True)] == told(report)
    assert (first, 0, 1000) == (
        shop.payment().receipt_id,
        shop.bootpay.ledger.find(first).cancelled_price,
        shop.bootpay.ledger.find(second).cancelled_price,
    )


def test_of_two_lost_payments_the_first_paid_counts_not_the_first_opened(shop: Shop) -> None:
    """Two windows stood open; the buyer paid in the newer one first."""
    shop.order()
    older, newer = sorted(shop.bootpay.open("o1", 1000) for _ in range(2))
    for receipt_id in (newer, older):
        shop.bootpay.ledger.approve(receipt_id)
        shop.clock.advance(61)
    shop.reconcile()
    shop.deliver()

    assert (newer, 0, 1000) == (
        shop.payment().receipt_id,
        shop.bootpay.ledger.find(newer).cancelled_price,
        shop.bootpay.ledger.find(older).cancelled_price,
    )


def test_a_lost_payment_counts_before_an_account_is_waited_for(shop: Shop) -> None:
    """The buyer took an account and then paid by card: the shop is never told to wait for a deposit."""
    shop.order()
    shop.bootpay.issue("o1", 1000)
    card = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(121)
    shop.reconcile()
    shop.deliver()

    assert (card, ["order.paid"]) == (shop.payment().receipt_id, shop.receiver.told)


@pytest.mark.parametrize(("price", "after"), [(None, "cancelled"), (400, "partially_cancelled")])
def test_a_cancel_in_the_console_is_found_and_told(shop: Shop, price: int | None, after: str) -> None:
    """Its origin is outside."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, price)
    shop.clock.advance(3_601)
    report = shop.reconcile()
    shop.deliver()

    assert [("o1", "paid", after, True)] == told(report)
    assert (f"order.{after}", "outside") == (
        shop.receiver.told[-1],
        shop.receiver.received[-1].data["origin"],
    )


def test_a_deposit_that_was_taken_back_calls_a_person(shop: Shop) -> None:
    """Goods may be on their way."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.hear(receipt_id)
    shop.bootpay.ledger.revert(receipt_id)
    shop.clock.advance(3_701)
    report = shop.reconcile()

    assert [("o1", "paid", "attention", True)] == told(report)
    assert "payment_reverted" == shop.payment().reason


def test_a_set_aside_account_is_looked_at_even_where_nothing_is_listed(shop: Shop) -> None:
    """The buyer took an account, then another one, and paid into the first; the first generation lists nothing."""
    shop.order()
    first = shop.bootpay.issue("o1", 1000)
    shop.verify(first)
    second = shop.bootpay.issue("o1", 1000)
    shop.verify(second)
    shop.bootpay.ledger.deposit(first)
    world = shop.unlisted
    shop.clock.advance(601)
    report = shop.run(reconcile(world))

    assert ([("o1", "awaiting_deposit", "paid", True)], first) == (told(report), shop.payment().receipt_id)


def test_an_account_of_a_wrong_price_is_looked_at_even_where_nothing_is_listed(shop: Shop) -> None:
    """It is noted once, however often it is seen; what is paid into it later is found and held."""
    shop.order()
    wrong = shop.bootpay.issue("o1", 500)
    for _ in range(3):
        shop.run(verify(shop.unlisted, OrderId("o1"), wrong))
    before = shop.whats()
    shop.bootpay.ledger.deposit(wrong)
    shop.clock.advance(601)
    shop.run(reconcile(shop.unlisted, everything=True))

    assert (["registered", "receipt_refused"], State.ATTENTION) == (before, shop.state())
    assert [(Fate.HELD, "amount_mismatch")] == [(other.fate, other.reason) for other in shop.payment().others]


def test_an_account_for_a_paid_order_is_looked_at_even_where_nothing_is_listed(shop: Shop) -> None:
    """It is noted once; should it be paid into, the money is held, though no webhook tells of it."""
    paid(shop)
    second = shop.bootpay.issue("o1", 1000)
    for _ in range(3):
        shop.run(verify(shop.unlisted, OrderId("o1"), second))
    before = shop.whats()
    shop.bootpay.ledger.deposit(second)
    shop.clock.advance(3_601)
    shop.run(reconcile(shop.unlisted, everything=True))

    assert (["registered", "paid", "receipt_refused"], State.ATTENTION) == (before, shop.state())
    assert [(Fate.HELD, "order_already_paid")] == [
        (other.fate, other.reason) for other in shop.payment().others
    ]


def test_a_receipt_on_file_for_another_order_keeps_nobody_from_the_rest(shop: Shop) -> None:
    """Bootpay names it under both orders; the second one's own payment, which nobody told of, still counts."""
    paid(shop)
    first = shop.payment().receipt_id
    assert first is not None
    shop.order("o2")
    shop.bootpay.ledger.tamper(first, {"order_id": "o2"})
    shop.clock.advance(5)
    own = shop.bootpay.pay("o2", 1000)
    shop.clock.advance(121)
    shop.reconcile()

    assert (State.PAID, own) == (shop.state("o2"), shop.payment("o2").receipt_id)


def test_the_first_generation_finds_what_hangs_on_a_known_receipt(shop: Shop) -> None:
    """Outside cancels and doubtful approvals; a payment nobody named it cannot know."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    shop.order("o2")
    shop.bootpay.pay("o2", 1000)
    world = shop.unlisted
    shop.clock.advance(3_601)
    report = shop.run(reconcile(world))

    assert [("o1", "paid", "cancelled", True)] == told(report)
    assert State.OPEN is shop.state("o2")


def test_a_wrong_price_found_is_owed_back(shop: Shop) -> None:
    """The order stays open, the money goes back."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 900)
    shop.clock.advance(121)
    report = shop.reconcile()
    shop.deliver()

    assert ([("o1", "open", "open", True)], 900) == (
        told(report),
        shop.bootpay.ledger.find(receipt_id).cancelled_price,
    )


# Time


@pytest.mark.parametrize("everything", [False, True])
def test_an_order_that_ran_out_without_money_is_expired_and_that_is_no_drift(
    shop: Shop, everything: bool
) -> None:
    """Half a minute after its terms, not before; not even where every order is looked at, due or not."""
    shop.order(expires_in_s=60)
    shop.clock.advance(89)
    early = shop.run(reconcile(shop.world, everything=everything))
    shop.clock.advance(2)
    late = shop.run(reconcile(shop.world, everything=everything))
    shop.deliver()

    assert ([], [("o1", "open", "expired", False)], ["order.expired"]) == (
        told(early),
        told(late),
        shop.receiver.told,
    )


def test_money_in_time_that_is_found_at_the_end_still_pays(shop: Shop) -> None:
    """The order does not expire over a payment that was made."""
    shop.order(expires_in_s=60)
    shop.bootpay.pay("o1", 1000)
    shop.clock.advance(95)
    report = shop.reconcile()

    assert [("o1", "open", "paid", True)] == told(report)


@pytest.mark.parametrize(
    ("policy", "after"),
    [
        (LatePayment.HOLD, "attention"),
        (LatePayment.ACCEPT, "paid"),
        (LatePayment.CANCEL, "expired"),
    ],
)
def test_late_money_that_is_found_follows_the_policy(shop: Shop, policy: LatePayment, after: str) -> None:
    """Held, accepted, or sent back."""
    shop.rules = Rules(late_payment=policy)
    shop.order(expires_in_s=60)
    shop.clock.advance(95)
    shop.reconcile()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(3_700)
    report = shop.reconcile()
    shop.deliver()

    assert [("o1", "expired", after, True)] == told(report)
    assert (1000 if policy is LatePayment.CANCEL else 0) == shop.bootpay.ledger.find(
        receipt_id
    ).cancelled_price


@pytest.mark.parametrize("number", [4, 77])
def test_a_receipt_at_work_for_a_day_does_not_keep_its_order_open(shop: Shop, number: int) -> None:
    """Until then it may be the payment; money that comes of it even later is late money, held for a person."""
    shop.order(expires_in_s=60)
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.ledger.tamper(receipt_id, {"status": number})
    shop.clock.advance(23 * 3_600)
    shop.reconcile()
    within_a_day = shop.state()
    shop.clock.advance(2 * 3_600)
    shop.reconcile()
    after_a_day = shop.state()
    shop.bootpay.ledger.tamper(receipt_id, {"status": 1})
    shop.clock.advance(2 * 86_400)
    shop.reconcile()

    assert (State.OPEN, State.EXPIRED, State.ATTENTION) == (within_a_day, after_a_day, shop.state())
    assert "order_expired" == shop.payment().reason


# The inbox


def test_an_acknowledged_webhook_that_could_not_be_settled_is_settled_later(shop: Shop) -> None:
    """Bootpay was away for a moment; the notice was kept."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("receipt", Fault.LOST_BEFORE)
    heard = shop.hear(receipt_id)
    shop.clock.advance(31)
    report = shop.reconcile()

    assert ("", 1, State.PAID) == (heard, report.notices, shop.state())
    assert ["settled"] == [there.outcome for there in shop.backend.notices(9)]


def test_a_notice_that_cannot_be_looked_into_stays_due_and_is_told(shop: Shop) -> None:
    """Asked for ever less often, forgotten never."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("receipt", *[Fault.LOST_BEFORE] * 2)
    shop.hear(receipt_id)
    shop.clock.advance(31)
    failed = shop.reconcile()
    again = shop.reconcile()
    shop.clock.advance(100)
    late = shop.reconcile()

    assert ([(str(receipt_id), "OutcomeUnknown")], 0, 1) == (failed.errors, again.notices, late.notices)
    assert State.PAID is shop.state()


def test_a_forged_notice_about_an_open_window_ends_some_day(shop: Shop) -> None:
    """Not one look an hour for ever."""
    shop.order()
    shop.hear(shop.bootpay.open("o1", 1000))
    looks = 0
    for _ in range(40):
        shop.clock.advance(3_700)
        looks += shop.reconcile().notices

    assert (14, ["not_yet"]) == (looks, [there.outcome for there in shop.backend.notices(9)])


def test_looks_that_failed_do_not_use_up_a_notice(shop: Shop) -> None:
    """Bootpay was away for two days; then it is at work, and only then done: the webhook counts in the end."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.ledger.tamper(receipt_id, {"status": 4})
    shop.hear(receipt_id)
    for _ in range(48):
        shop.clock.advance(3_700)
        blind(shop, "look_up", "look_up_order")
    shop.clock.advance(4_500)
    shop.reconcile()
    at_work = [there.outcome for there in shop.backend.notices(9)]
    shop.bootpay.ledger.tamper(receipt_id, {"status": 1})
    shop.clock.advance(4_500)
    shop.reconcile()

    assert (["at_work"], ["settled"]) == (at_work, [there.outcome for there in shop.backend.notices(9)])


def test_webhooks_by_the_hundred_keep_no_order_from_its_check(shop: Shop) -> None:
    """Forged ones about one open window, in a run that has time for a few looks: the stuck approval has its turn."""
    crash_before_confirm(shop)
    window = shop.bootpay.open("o1", 1000)
    for number in range(300):
        shop.backend.receive(Notice(receipt_id=window, kind=f"X{number}"), shop.clock.now(), shop.clock.now())
    shop.clock.advance(700)
    report = shop.run(reconcile(shop.world, within_s=8.0))

    assert (State.OPEN, True) == (shop.state(), report.more)


# Everything, errors, limits


def test_everything_is_looked_at_due_or_not(shop: Shop) -> None:
    """A cancelled order as well: a second payment may have come to it."""
    shop.order("open")
    for name in ("paid", "gone", "ended"):
        paid(shop, name)
    shop.bootpay.ledger.outside_cancel(record_of(shop, "gone").payment.receipt_id or "")
    shop.bootpay.ledger.outside_cancel(record_of(shop, "ended").payment.receipt_id or "")
    shop.run(reconcile(shop.world, everything=True))
    second = shop.run(reconcile(shop.world, everything=True))

    assert (4, [], False) == (second.checked, second.changes, second.more)
    assert {State.CANCELLED} == {shop.state("gone"), shop.state("ended")}


def test_an_order_that_cannot_be_checked_stays_due_and_stops_nobody_else(shop: Shop) -> None:
    """The others are checked in the same run; this one is claimed for two minutes and then comes again."""
    for name in ("o1", "o2", "o3"):
        shop.order(name)
        shop.bootpay.pay(name, 1000)
    shop.clock.advance(121)
    shop.bootpay.on("lookup/order", Fault.LOST_BEFORE)
    report = shop.reconcile()
    open_then = [name for name in ("o1", "o2", "o3") if shop.state(name) is State.OPEN]
    shop.clock.advance(121)
    later = shop.reconcile()

    assert ([(open_then[0], "OutcomeUnknown")], 1, 2) == (
        report.errors,
        len(open_then),
        len(report.changes),
    )
    assert [(open_then[0], "open", "paid", True)] == told(later)


def test_a_change_before_an_error_is_told_all_the_same(shop: Shop) -> None:
    """The first receipt was found and written down; that the store failed over the second hides nothing."""
    shop.order()
    first = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(1)
    shop.bootpay.pay("o1", 1000)
    shop.clock.advance(121)
    world = replace(shop.world, store=FailingAfter(shop, 1))
    report = shop.run(reconcile(world))

    assert ([("o1", "open", "paid", True)], [("o1", "StoreUnavailable")]) == (told(report), report.errors)
    assert first == shop.payment().receipt_id


class FailingAfter:
    """A store whose disk is full after so many commits."""

    def __init__(self, shop: Shop, commits: int) -> None:
        self._store = shop.world.store
        self._left = commits

    async def commit(self, *arguments: Any) -> Record:
        """Commit or fail."""
        if self._left == 0:
            raise StoreUnavailable("disk full")
        self._left -= 1
        return await self._store.commit(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_each_look_is_told_of_as_it_ends_even_if_the_run_never_does(shop: Shop) -> None:
    """Nobody waits for hours to hear that Bootpay is silent, and a store that fails hides nothing that went before."""
    for name in ("o1", "o2"):
        shop.order(name)
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("receipt", Fault.LOST_BEFORE)
    shop.hear(receipt_id)
    shop.clock.advance(121)
    shop.bootpay.on("receipt", Fault.LOST_BEFORE)
    heard: list[object] = []

    def hear(look: ReconcileReport) -> None:
        heard.append((look.notices, look.checked, told(look), [why for _, why in look.errors]))

    class Away(FailingAfter):
        async def claim_checks(self, *arguments: Any, **more: Any) -> Any:
            if heard:
                raise StoreUnavailable("away")
            return (await self._store.claim_checks(*arguments, **more))[:1]

        async def reschedule(self, *arguments: Any) -> None:
            raise StoreUnavailable("away")

    world = replace(shop.world, store=Away(shop, 9))
    with pytest.raises(StoreUnavailable):
        shop.run(reconcile(world, told=hear))

    assert (0, 0, [], ["OutcomeUnknown"]) == heard[0]
    assert [(0, 1)] == [(notices, checked) for notices, checked, _, _ in heard[1:]]


def test_a_look_that_ends_the_run_is_told_of_all_the_same(shop: Shop) -> None:
    """Its webhook has paid the order; the store that fails to note that it is settled hides nothing of it."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("receipt", Fault.LOST_BEFORE)
    shop.hear(receipt_id)
    shop.clock.advance(31)
    heard: list[int] = []

    class Away(FailingAfter):
        async def settle_notice(self, *arguments: Any) -> None:
            raise StoreUnavailable("away")

    world = replace(shop.world, store=Away(shop, 9))
    with pytest.raises(StoreUnavailable):
        shop.run(reconcile(world, told=lambda look: heard.append(look.notices)))

    assert ([1], State.PAID) == (heard, shop.state())


def test_a_limit_is_kept_and_said(shop: Shop) -> None:
    """The rest is due still and comes in the next run."""
    for number in range(5):
        shop.order(f"o{number}")
    shop.clock.advance(121)
    reports = [shop.run(reconcile(shop.world, limit=2)) for _ in range(3)]

    assert [(2, True), (2, True), (1, False)] == [(report.checked, report.more) for report in reports]


def test_a_run_over_everything_goes_on_where_its_time_was_over(shop: Shop) -> None:
    """Page by page, none left out, none twice."""
    names = [f"o{number}" for number in range(30)]
    for name in names:
        shop.order(name)
        shop.bootpay.pay(name, 1000)
        shop.clock.advance(1)
    cursor, reports = None, []
    while True:
        # One look takes 0.05 s at twenty a second, so some ten orders fit into a second.
        report = shop.run(reconcile(shop.world, everything=True, within_s=5.5, cursor=cursor))
        reports.append(report)
        cursor = report.next_cursor
        if not report.more:
            break
    changed = [str(change.order_id) for report in reports for change in report.changes]

    assert names == changed[::-1]
    assert 3 <= len(reports) <= 5


@pytest.mark.parametrize("everything", [True, False])
def test_a_run_that_is_stopped_finishes_the_order_in_hand(shop: Shop, everything: bool) -> None:
    """Nothing new is begun, the report says that something may be left, and it is found once the claim is over."""
    for number in range(5):
        shop.order(f"o{number}")
        shop.bootpay.pay(f"o{number}", 1000)
    shop.clock.advance(121)
    stop: list[str] = []
    shop.bootpay.meanwhile("lookup/order", lambda: stop.append("Ctrl-C"))
    first = shop.run(reconcile(shop.world, everything=everything, stopped=lambda: bool(stop)))
    shop.clock.advance(0 if everything else 121)
    second = shop.run(reconcile(shop.world, everything=everything, cursor=first.next_cursor))

    assert (1, 1, True) == (first.checked, len(first.changes), first.more)
    assert (4, 4, False) == (second.checked, len(second.changes), second.more)


def test_a_run_within_a_time_ends_and_leaves_nothing_claimed(shop: Shop) -> None:
    """What it did not come to is due for the next run at once."""
    for number in range(40):
        shop.order(f"o{number}")
    shop.clock.advance(121)
    started = shop.clock.monotonic()
    first = shop.run(reconcile(shop.world, within_s=6.0))
    took_s = shop.clock.monotonic() - started
    second = shop.run(reconcile(shop.world))

    assert (True, 40, False) == (first.more, first.checked + second.checked, second.more)
    assert took_s < 6.0


@pytest.mark.parametrize("rate", [0.1, 2.0, 20.0, 1000.0])
def test_bootpay_is_never_asked_faster_than_allowed(shop: Shop, rate: float) -> None:
    """Between any two looks there is a pace, webhooks included; slow rates still get everything done."""
    for number in range(6):
        shop.order(f"o{number}")
        receipt_id = shop.bootpay.pay(f"o{number}", 1000)
        if number % 2:
            shop.bootpay.on("receipt", Fault.NOT_SENT)
            shop.hear(receipt_id, order_id=f"o{number}")
    shop.clock.advance(121)
    timed = Timed(shop)
    looks: list[ReconcileReport] = []
    report = shop.run(reconcile(replace(shop.world, gateway=timed, pace=Pace(rate)), told=looks.append))
    gaps = [later - earlier for earlier, later in zip(timed.at, timed.at[1:], strict=False)]

    assert report.calls == len(timed.at) == sum(look.calls for look in looks)
    assert min(gaps) >= 1 / rate - 1e-6
    assert {State.PAID} == {shop.state(f"o{number}") for number in range(6)}


def test_runs_in_one_process_share_the_pace(shop: Shop) -> None:
    """One asked for over HTTP in the middle of the one beside it: together they ask no faster than one alone."""
    for number in range(12):
        shop.order(f"o{number}")
        shop.bootpay.pay(f"o{number}", 1000)
    shop.clock.advance(121)
    timed = Timed(shop)
    world = replace(shop.world, gateway=timed, pace=Pace(20))
    seconds: list[ReconcileReport] = []
    shop.bootpay.meanwhile(
        "lookup/order", lambda: seconds.append(shop.run(reconcile(world, everything=True)))
    )
    first = shop.run(reconcile(world))
    gaps = [later - earlier for earlier, later in zip(timed.at, timed.at[1:], strict=False)]

    assert first.calls + seconds[0].calls == len(timed.at)
    assert min(first.calls, seconds[0].calls) > 0
    assert min(gaps) >= 0.05 - 1e-6


def test_twenty_calls_a_second_is_all_unless_somebody_chooses(shop: Shop) -> None:
    """The world's own pace, which every run in it keeps."""
    for number in range(4):
        shop.order(f"o{number}")
    shop.clock.advance(121)
    timed = Timed(shop)
    world = replace(shop.world, gateway=timed)
    shop.run(reconcile(world))
    shop.run(reconcile(world, everything=True))
    gaps = [later - earlier for earlier, later in zip(timed.at, timed.at[1:], strict=False)]

    assert pytest.approx([0.05] * 7) == gaps


def test_a_call_that_moves_money_does_not_wait_but_counts(shop: Shop) -> None:
    """Its intent's lease runs; the next look waits for it as well."""
    crash_before_confirm(shop)
    shop.order("o2")
    shop.clock.advance(121)
    timed = Timed(shop)
    report = shop.run(reconcile(replace(shop.world, gateway=timed, pace=Pace(2))))
    looked, confirmed = timed.what.index("look_up"), timed.what.index("confirm")

    assert report.calls == len(timed.at)
    assert timed.at[looked] == timed.at[confirmed]
    assert timed.at[confirmed + 1] >= timed.at[confirmed] + 1.0


class Timed:
    """A gateway that writes down when it was asked."""

    def __init__(self, shop: Shop) -> None:
        self._bootpay = shop.bootpay
        self._clock = shop.clock
        self.at: list[float] = []
        self.what: list[str] = []

    def __getattr__(self, name: str) -> Any:
        async def ask(*arguments: Any, **more: Any) -> Any:
            self.what.append(name)
            self.at.append(self._clock.monotonic())
            return await getattr(self._bootpay, name)(*arguments, **more)

        return ask


# Several at once


def test_two_reconcilers_do_everything_once(shop: Shop) -> None:
    """The second one runs in the middle of the first one's look: one payment, one confirm, one notice."""
    receipt_id = crash_before_confirm(shop)
    shop.clock.advance(46)
    reports: list[ReconcileReport] = []
    shop.bootpay.meanwhile(
        "lookup/order", lambda: reports.append(shop.run(reconcile(shop.world, everything=True)))
    )
    reports.append(shop.reconcile())
    shop.deliver()

    assert (1, 1, ["order.paid"]) == (
        shop.bootpay.calls["confirm"],
        shop.bootpay.status(receipt_id),
        shop.receiver.told,
    )
    assert [("o1", "pending", "paid", False)] == [change for report in reports for change in told(report)]


class Claiming:
    """A store that knows until when the caller has what it took."""

    def __init__(self, shop: Shop) -> None:
        self._store = shop.world.store
        self.until: dict[str, datetime] = {}

    async def claim_checks(self, now: datetime, until: datetime, limit: int, /, **more: Any) -> Any:
        """See `Store.claim_checks`."""
        claimed = await self._store.claim_checks(now, until, limit, **more)
        self.until.update((str(order_id), until) for order_id in claimed)
        return claimed

    async def claim_notices(self, now: datetime, until: datetime, limit: int, /) -> Any:
        """See `Store.claim_notices`."""
        claimed = await self._store.claim_notices(now, until, limit)
        self.until.update((str(stored.notice.receipt_id), until) for stored in claimed)
        return claimed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_claim_holds_until_its_last_look_has_ended_however_slow_bootpay_is(shop: Shop) -> None:
    """Another machine would ask about the same order meanwhile; forty seconds are left, as docs/reliability.md says."""
    for number in range(9):
        shop.order(f"o{number}")
        notice = Notice(receipt_id=ReceiptId(f"{number:024x}"))
        shop.backend.receive(notice, shop.clock.now(), shop.clock.now())
    shop.clock.advance(3_600)
    store, left_s = Claiming(shop), list[tuple[str, float]]()

    class Silent:
        """A Bootpay that answers nothing, as late as it may."""

        async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> None:
            """Nothing."""
            self._wait(receipt_id, within_s)

        async def look_up_order(self, order_id: OrderId, within_s: float, /) -> None:
            """Nothing."""
            self._wait(order_id, within_s)

        def _wait(self, asked: str, within_s: float) -> None:
            shop.clock.advance(within_s)
            left_s.append((asked, (store.until[asked] - shop.clock.now()).total_seconds()))
            raise OutcomeUnknown("no answer")

    world = replace(shop.world, gateway=Silent(), store=store)  # type: ignore[arg-type]  # no money moves here
    report = shop.run(reconcile(world))

    assert (0, 18) == (report.checked, len({asked for asked, _ in left_s}))
    assert 39 <= min(left for _, left in left_s)


def test_what_is_claimed_by_one_is_not_taken_by_another(shop: Shop) -> None:
    """Until the claim is over."""
    shop.order()
    shop.clock.advance(121)
    now = shop.clock.now()
    taken = shop.backend.claim_checks(now, now + timedelta(seconds=120), 10)
    during = shop.reconcile()
    shop.clock.advance(121)

    assert (1, 0, 1) == (len(taken), during.checked, shop.reconcile().checked)


@pytest.mark.parametrize(("answers_in_s", "checks"), [(0.05, 119), (0.1, 79)])
def test_a_run_looks_after_as_many_abandoned_checkouts_as_the_page_says(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answers_in_s: float, checks: int
) -> None:
    """What docs/scale.md reckons for orders that nobody pays: one answer of Bootpay, and 50 ms besides."""
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    for number in range(150):
        shop.order(f"o{number}")
    shop.clock.advance(121)
    look_up_order = shop.bootpay.look_up_order

    async def slow(*words: Any) -> Sequence[Receipt]:
        shop.clock.advance(answers_in_s + 0.05)
        return await look_up_order(*words)

    monkeypatch.setattr(shop.bootpay, "look_up_order", slow)
    report = shop.run(reconcile(shop.world, within_s=(29 - 1) * 0.6))

    assert (checks, checks, True) == (report.checked, report.calls, report.more)
    assert f"{checks} of these where Bootpay answers within {answers_in_s * 1000:.0f} ms" in page


@pytest.mark.parametrize(("spread", "found"), [(0.89, []), (0.9, [("o1", "paid", "cancelled", True)])])
def test_of_ten_claims_one_is_for_paid_orders_however_many_are_unfinished(
    shop: Shop, spread: float, found: list[object]
) -> None:
    """Unfinished ones are clearly preferred, but a cancel in the console is found some day all the same."""
    shop.bootpay.ledger.outside_cancel(paid(shop))
    for number in range(2, 5):
        shop.order(f"o{number}")
    shop.clock.advance(3_601)
    report = shop.run(reconcile(replace(shop.world, spread=lambda: spread), limit=1))

    assert (1, found) == (report.checked, told(report))


def test_nothing_due_costs_nothing(shop: Shop) -> None:
    """No call, no change, no wait."""
    paid(shop)
    shop.bootpay.calls.clear()
    report = shop.reconcile()

    assert ((0, 0, 0, [], []), 0) == (
        (report.checked, report.notices, report.calls, report.changes, report.errors),
        shop.bootpay.calls.total(),
    )


def test_a_look_that_changed_nothing_is_repeated_when_the_order_is_due_and_not_before(shop: Shop) -> None:
    """Five minutes after it was made, not as soon as the claim of the first look is over."""
    shop.order()
    checked = []
    for wait_s in (121, 121, 90):
        shop.clock.advance(wait_s)
        checked.append(shop.reconcile().checked)

    assert [1, 0, 1] == checked


def test_comparing_a_paid_order_takes_two_calls(shop: Shop) -> None:
    """Its receipt, and the order's list for a second one: what docs/scale.md reckons with."""
    paid(shop)
    shop.clock.advance(3_601)
    report = shop.reconcile()

    assert (1, 2, []) == (report.checked, report.calls, report.changes)


@pytest.mark.parametrize(("answers_in_s", "checks"), [(0.05, 79), (0.1, 48)])
def test_a_run_compares_as_many_orders_as_the_page_says(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answers_in_s: float, checks: int
) -> None:
    """What docs/scale.md reckons for one run of the schedule: two answers of Bootpay, and 50 ms besides."""
    page = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
    for number in range(100):
        paid(shop, f"o{number}")
    shop.clock.advance(3_601)

    def taking(look: Callable[..., Awaitable[T]], seconds: float) -> Callable[..., Awaitable[T]]:
        async def slow(*words: Any) -> T:
            shop.clock.advance(seconds)
            return await look(*words)

        return slow

    monkeypatch.setattr(shop.bootpay, "look_up", taking(shop.bootpay.look_up, answers_in_s + 0.05))
    monkeypatch.setattr(shop.bootpay, "look_up_order", taking(shop.bootpay.look_up_order, answers_in_s))
    report = shop.run(reconcile(shop.world, within_s=(29 - 1) * 0.6))

    assert (checks, 2 * checks, True) == (report.checked, report.calls, report.more)
    assert f"{checks} checks where it answers within {answers_in_s * 1000:.0f} ms" in page


def test_an_order_that_cannot_be_looked_at_is_tried_ever_less_often(shop: Shop) -> None:
    """A day of failures costs tens of tries, not hundreds, and the first look that succeeds counts."""
    shop.order()
    shop.bootpay.on("lookup/order", *[Fault.NOT_SENT] * 60)
    tries = 0
    for _ in range(24 * 60):
        shop.clock.advance(60)
        tries += len(shop.reconcile().errors)
    for _ in range(60 - tries):
        shop.clock.advance(3_700)
        shop.reconcile()
    shop.bootpay.pay("o1", 1000)
    shop.clock.advance(3_700)
    shop.reconcile()

    assert 20 <= tries < 60
    assert State.PAID is shop.state()


def test_held_policy_holds_what_a_reconciliation_finds(shop: Shop) -> None:
    """Nothing goes back without a person."""
    shop.rules = Rules(on_mismatch=OnMismatch.HOLD)
    paid(shop)
    second = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(3_601)
    report = shop.reconcile()
    shop.deliver()

    assert ([("o1", "paid", "attention", True)], 0) == (
        told(report),
        shop.bootpay.ledger.find(second).cancelled_price,
    )


def test_a_receipt_that_names_another_order_now_calls_a_person(shop: Shop) -> None:
    """What the order's money hangs on must be what it was."""
    receipt_id = paid(shop)
    shop.clock.advance(3_601)
    world = replace(shop.world, gateway=Renamed(shop, receipt_id))
    report = shop.run(reconcile(world))

    assert ([("o1", "paid", "attention", True)], "order_mismatch") == (
        told(report),
        shop.payment().reason,
    )


class Renamed:
    """Bootpay has changed its mind about whose a receipt is."""

    def __init__(self, shop: Shop, receipt_id: ReceiptId) -> None:
        self._receipt = Receipt(id=receipt_id, order_id="other", status=ReceiptStatus.PAID, price=1000)

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """The renamed one."""
        return self._receipt

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """Nothing under the old name."""
        return ()


def test_a_cancel_intent_is_finished_before_another_receipt_is_judged(shop: Shop) -> None:
    """A surplus found while the outcome is open is not decided on, and not forgotten either."""
    receipt_id = paid(shop)
    record = record_of(shop)
    wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
    terms = CancelTerms(300, 0, whole=False)
    intent = intend_cancel(record, terms, wanted, "c" * 32, shop.rules, shop.clock.now())
    shop.backend.commit(record, intent)
    second = shop.bootpay.pay("o1", 1000)
    shop.bootpay.ledger.cancel(receipt_id, 300, cancel_id="c" * 32)
    shop.clock.advance(46)
    report = shop.reconcile()
    shop.deliver()

    assert [("o1", "pending", "partially_cancelled", True)] == told(report)
    assert (300, 1000) == tuple(shop.bootpay.ledger.find(r).cancelled_price for r in (receipt_id, second))


def test_a_forged_notice_of_an_unknown_receipt_changes_nothing(shop: Shop) -> None:
    """It is looked into once and filed."""
    shop.order()
    notice = Notice(receipt_id=ReceiptId("f" * 24), kind="PAYMENT_COMPLETED", order_id="o1")
    shop.backend.receive(notice, shop.clock.now(), shop.clock.now())
    report = shop.reconcile()

    assert (1, [], ["receipt_unknown"]) == (
        report.notices,
        report.changes,
        [there.outcome for there in shop.backend.notices(9)],
    )


@pytest.mark.parametrize("on_mismatch", list(OnMismatch))
def test_a_second_payment_of_a_cancelled_order_is_found_though_nobody_tells(
    shop: Shop, on_mismatch: OnMismatch
) -> None:
    """Its webhook is lost and the buyer never comes back: within the hour its money is owed back, or held."""
    shop.rules = Rules(on_mismatch=on_mismatch)
    paid(shop)
    shop.run(cancel(shop.world, OrderId("o1"), "k1", WantedCancel(amount=None, tax_free=None, reason="환불")))
    second = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(3_700)
    shop.reconcile()
    shop.deliver()
    back = shop.bootpay.ledger.find(second).cancelled_price

    assert (1000 if on_mismatch is OnMismatch.CANCEL else 0) == back
    assert (State.CANCELLED if back else State.ATTENTION) is shop.state()


def test_a_second_payment_is_found_while_the_order_waits_for_a_person(shop: Shop) -> None:
    """Nobody tells of it: it is held beside what the person decides on."""
    paid(shop)
    record = record_of(shop)
    shop.backend.commit(record, needs_attention(record, shop.clock.now(), "x"))
    second = shop.bootpay.pay("o1", 1000)
    shop.clock.advance(3_700)
    report = shop.reconcile()
    known = shop.payment().other(second)

    assert (1, Fate.OWED_BACK) == (len(report.drift), known and known.fate)


def test_a_cancel_that_took_effect_after_it_was_given_up_is_not_made_twice(shop: Shop) -> None:
    """Bootpay carried it out an hour later; the shop's repeat under the same key finds it done."""
    receipt_id = paid(shop)
    wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))
    shop.clock.advance(700)
    shop.reconcile()
    given_up = shop.payment().requests[0].outcome
    shop.bootpay.ledger.outside_cancel(receipt_id, 300)
    shop.run(reconcile(shop.world, everything=True))
    again = shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))

    assert ("undone", True, 300) == (
        given_up,
        isinstance(again, CancelDone) and again.replayed,
        shop.payment().cancelled,
    )
    assert 300 == shop.bootpay.ledger.find(receipt_id).cancelled_price


def test_a_console_cancel_is_not_taken_for_one_that_never_left_us(shop: Shop) -> None:
    """Of a request that was certainly not sent, nothing can have had a late effect."""
    receipt_id = paid(shop)
    wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
    shop.bootpay.on("cancel", Fault.NOT_SENT)
    with pytest.raises(NotSent):
        shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))
    shop.bootpay.ledger.outside_cancel(receipt_id, 300)
    shop.run(reconcile(shop.world, everything=True))
    shop.run(cancel(shop.world, OrderId("o1"), "k1", wanted))

    assert 600 == shop.payment().cancelled


# What cannot be read


class Odd:
    """A gateway that fails for some questions and asks the pretend Bootpay the rest."""

    def __init__(self, inner: Any, *, fails: frozenset[str]) -> None:
        self._inner = inner
        self._fails = fails

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        if "look_up" in self._fails:
            raise Refused("IP_NOT_ALLOWED", "", http_status=403)
        found: Receipt | None = await self._inner.look_up(receipt_id, within_s)
        return found

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """See `Gateway.look_up_order`."""
        if "look_up_order" in self._fails:
            raise OutcomeUnknown("the list makes no sense")
        found: Sequence[Receipt] = await self._inner.look_up_order(order_id, within_s)
        return found


def blind(shop: Shop, *fails: str) -> ReconcileReport:
    """A run in which some questions fail."""
    return shop.run(reconcile(replace(shop.world, gateway=Odd(shop.bootpay, fails=frozenset(fails)))))


def test_a_list_that_cannot_be_read_keeps_no_approval_from_its_end(shop: Shop) -> None:
    """What the order hangs on is looked at by its own id first; the failure is told all the same."""
    receipt_id = crash_before_confirm(shop)
    shop.bootpay.ledger.confirm(receipt_id)
    shop.clock.advance(46)
    report = blind(shop, "look_up_order")

    assert ([("o1", "pending", "paid", False)], [("o1", "OutcomeUnknown")]) == (told(report), report.errors)


def test_a_list_that_cannot_be_read_keeps_no_cancel_from_its_end(shop: Shop) -> None:
    """Its own receipt has stood untouched for ten minutes: undone, and the failure is told all the same."""
    doubtful_cancel(shop, Fault.LOST_BEFORE)
    shop.clock.advance(700)
    report = blind(shop, "look_up_order")

    assert ([("o1", "pending", "paid", False)], [("o1", "OutcomeUnknown")]) == (told(report), report.errors)


def test_a_receipt_that_cannot_be_read_for_a_day_calls_a_person(shop: Shop) -> None:
    """An outage of some hours does not; what can never be known does."""
    doubtful_cancel(shop, Fault.LOST_AFTER)
    shop.clock.advance(23 * 3_600)
    early = blind(shop, "look_up")
    shop.clock.advance(2 * 3_600)
    late = blind(shop, "look_up")

    assert ([], [("o1", "pending", "attention", False)]) == (told(early), told(late))
    assert ("cancel_unresolved", [("o1", "Refused")]) == (shop.payment().reason, late.errors)


@pytest.mark.parametrize("fails", ["look_up", "look_up_order"])
def test_nothing_expires_while_something_cannot_be_read(shop: Shop, fails: str) -> None:
    """Its money may be there; as soon as Bootpay can be read again, the order ends."""
    shop.order(expires_in_s=60)
    shop.verify(shop.bootpay.issue("o1", 1000))
    shop.clock.advance(700)
    blind(shop, fails)
    meanwhile = shop.state()
    shop.clock.advance(200)
    shop.reconcile()

    assert (State.AWAITING_DEPOSIT, State.EXPIRED) == (meanwhile, shop.state())


def test_a_late_account_is_watched_until_after_it_closes(shop: Shop) -> None:
    """Taken two weeks after the order was made; its deposit's webhook is lost."""
    shop.order()
    shop.clock.advance(15 * 86_400)
    receipt_id = shop.bootpay.issue("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.clock.advance(700)
    shop.reconcile()

    assert State.PAID is shop.state()


def test_an_approval_that_was_given_up_stays_in_mind(shop: Shop) -> None:
    """The first generation has no list: the receipt is looked at by its id, should it be approved after all."""
    receipt_id = crash_before_confirm(shop)
    shop.clock.advance(700)
    shop.reconcile()
    shop.bootpay.ledger.confirm(receipt_id)
    shop.clock.advance(400)
    shop.run(reconcile(shop.unlisted))

    assert (State.PAID, receipt_id) == (shop.state(), shop.payment().receipt_id)
