"""Bootpay hints: the hint is kept first, never believed, never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dojang.core.attention import needs_attention
from dojang.core.decision import Accepted
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Fate, State
from dojang.emulator.ledger import LedgerRefusal
from dojang.errors import Conflict, StoreUnavailable
from dojang.testing import Fault
from dojang.usecases.resolve import Resolution, resolve

if TYPE_CHECKING:
    from conftest import Shop


def test_a_lost_browser_is_rescued_by_the_webhook(shop: Shop) -> None:
    """Nobody came back from checkout: the order is paid all the same, with one look, and nobody is waited for."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    began = shop.clock.now()

    assert ("settled", began) == (shop.hear(receipt_id), shop.clock.now())
    assert (State.PAID, {"receipt": 1}) == (shop.state(), shop.bootpay.calls)


def test_the_notice_is_durable_before_bootpay_is_asked(shop: Shop) -> None:
    """At the moment of the look-up it is in the inbox already."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    kept: list[int] = []
    shop.bootpay.meanwhile("receipt", lambda: kept.append(len(shop.backend.notices(10))))
    shop.hear(receipt_id)

    assert [1] == kept


def test_a_notice_that_cannot_be_kept_is_not_acknowledged(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is down: an error, so that Bootpay sends it again."""

    def down(*_: object) -> None:
        raise StoreUnavailable("down")

    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    monkeypatch.setattr(shop.backend, "receive", down)

    with pytest.raises(StoreUnavailable):
        shop.hear(receipt_id)
    assert {} == shop.bootpay.calls


@pytest.mark.parametrize(
    "fault", [Fault.NOT_SENT, Fault.LOST_BEFORE, Fault.LOST_AFTER, LedgerRefusal("TOKEN_KEY_INVALID")]
)
def test_a_look_that_fails_leaves_the_notice_in_the_inbox(shop: Shop, fault: Fault | LedgerRefusal) -> None:
    """It may be acknowledged: reconcile looks into it later and the order is paid."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("receipt", fault)
    outcome = shop.hear(receipt_id)
    kept = shop.backend.notices(10)[0]
    shop.clock.advance(31)
    shop.reconcile()

    assert ("", True) == (outcome, kept.due_at is not None)
    assert (State.PAID, "settled") == (shop.state(), shop.backend.notices(10)[0].outcome)


def test_a_notice_in_hand_is_not_looked_into_by_reconcile_too(shop: Shop) -> None:
    """It is due only when whoever heard it must have ended: Bootpay is asked once about one notice."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    beside: list[int] = []
    shop.bootpay.meanwhile("receipt", lambda: beside.append(shop.reconcile().notices))
    shop.hear(receipt_id)

    assert ([0], {"receipt": 1}) == (beside, shop.bootpay.calls)


@pytest.mark.parametrize("error", [Conflict(OrderId("o1")), StoreUnavailable("down")])
def test_a_decision_that_cannot_be_written_leaves_the_notice_in_the_inbox(
    shop: Shop, error: Conflict | StoreUnavailable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody was quicker, or the store went away: it is kept, so it is acknowledged, and decided later."""

    def commit(*_: object) -> None:
        raise error

    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    with monkeypatch.context() as patched:
        patched.setattr(shop.backend, "commit", commit)
        outcome = shop.hear(receipt_id)
    shop.clock.advance(31)
    shop.reconcile()

    assert ("", State.PAID) == (outcome, shop.state())


def test_a_duplicate_costs_no_look(shop: Shop) -> None:
    """The same notice again is counted and answered from the inbox."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    outcomes = [shop.hear(receipt_id) for _ in range(3)]

    assert ["settled"] * 3 == outcomes
    assert ({"receipt": 1}, 3) == (shop.bootpay.calls, shop.backend.notices(10)[0].times)
    assert ["registered", "paid"] == shop.whats()


@pytest.mark.parametrize(
    "other", [{"kind": "PAYMENT_CANCELLED"}, {"kind": "1", "generation": 1}, {"cancelled": "300"}]
)
def test_another_kind_or_amount_is_another_notice(shop: Shop, other: dict[str, object]) -> None:
    """A cancel is no duplicate of the payment; both generations' words are told apart."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.hear(receipt_id)
    shop.hear(receipt_id, **other)  # type: ignore[arg-type]

    assert 2 == len(shop.backend.notices(10)) == shop.bootpay.calls["receipt"]


def test_an_unknown_order_is_recorded_and_left_alone(shop: Shop) -> None:
    """Another shop's, or an old one's: acknowledged, and nothing is cancelled."""
    receipt_id = shop.bootpay.pay("stranger", 1000)

    assert "order_unknown" == shop.hear(receipt_id, order_id="stranger")
    assert (1, 1) == (shop.bootpay.status(receipt_id), len(shop.backend.notices(10)))


def test_an_order_id_outside_the_grammar_is_unknown(shop: Shop) -> None:
    """Whatever Bootpay has under a strange id, it is no order of ours."""
    receipt_id = shop.bootpay.pay("주문 1", 1000)

    assert "order_unknown" == shop.hear(receipt_id, order_id="주문 1")


def test_a_forged_notice_proves_nothing(shop: Shop) -> None:
    """Made-up receipts are unknown; an open window is not paid because somebody says so."""
    shop.order()
    opened = shop.bootpay.open("o1", 1000)

    assert "receipt_unknown" == shop.hear(ReceiptId("f" * 24))
    assert "" == shop.hear(opened)
    assert State.OPEN is shop.state()


def test_the_claimed_order_is_only_a_guess(shop: Shop) -> None:
    """A notice that names the wrong order is settled for the right one."""
    shop.order("o1")
    shop.order("o2")
    receipt_id = shop.bootpay.pay("o2", 1000)

    assert "settled" == shop.hear(receipt_id, order_id="o1")
    assert (State.OPEN, State.PAID) == (shop.state("o1"), shop.state("o2"))


@pytest.mark.parametrize("order_id", ["", "주문/../", "nobody"])
def test_a_notice_without_a_usable_order_is_settled_all_the_same(shop: Shop, order_id: str) -> None:
    """What counts is the order Bootpay names when asked."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)

    assert "settled" == shop.hear(receipt_id, order_id=order_id)
    assert State.PAID is shop.state()


def test_a_forged_notice_before_the_payment_does_not_silence_the_real_one(shop: Shop) -> None:
    """Somebody who knows the receipt sends its webhook too early; the real one still counts at once."""
    shop.order()
    receipt_id = shop.bootpay.open("o1", 1000)
    forged = shop.hear(receipt_id)
    shop.bootpay.ledger.approve(receipt_id)
    real = shop.hear(receipt_id)

    assert ("", "settled", State.PAID) == (forged, real, shop.state())


def test_a_forged_notice_before_the_deposit_does_not_silence_the_real_one(shop: Shop) -> None:
    """Nor does one while a virtual account waits, days before the money comes."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    forged = shop.hear(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)
    real = shop.hear(receipt_id)

    assert ("not_yet", "settled_so_far", State.PAID) == (forged, real, shop.state())


@pytest.mark.parametrize("looked_into_by", ["the webhook itself", "reconcile"])
def test_an_old_look_never_erases_an_acknowledged_webhook(shop: Shop, looked_into_by: str) -> None:
    """A look finds no deposit; it comes, its webhook cannot be looked into and is acknowledged; then the look ends."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    if looked_into_by == "reconcile":
        shop.bootpay.on("receipt", Fault.NOT_SENT)
        shop.hear(receipt_id)
        shop.clock.advance(31)
    told: list[str] = []

    def deposited() -> None:
        shop.bootpay.ledger.deposit(receipt_id)
        shop.bootpay.on("receipt", Fault.NOT_SENT)
        told.append(shop.hear(receipt_id))

    shop.bootpay.meanwhile("receipt", deposited)
    if looked_into_by == "reconcile":
        shop.reconcile()
    else:
        shop.hear(receipt_id)
    kept = shop.backend.notices(1)[0]
    shop.clock.advance(121)
    shop.reconcile()

    assert ([""], "", True) == (told, kept.outcome, kept.due_at is not None)
    assert (State.PAID, "settled_so_far") == (shop.state(), shop.backend.notices(1)[0].outcome)


def test_a_deposit_that_comes_once_more_is_looked_at_although_its_webhook_is_the_first_ones_twin(
    shop: Shop,
) -> None:
    """The bank took it back, a person let that be, and the buyer paid again: the money is not kept in silence."""
    shop.order()
    shop.verify(shop.bootpay.pay("o1", 1000))
    second = shop.bootpay.issue("o1", 1000)
    shop.bootpay.ledger.deposit(second)
    shop.hear(second)
    shop.bootpay.ledger.revert(second)
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="gone"))
    shop.clock.advance(40 * 86_400)
    shop.reconcile()
    shop.bootpay.ledger.find(second).status = 5
    shop.bootpay.ledger.deposit(second)
    shop.hear(second)

    assert (State.ATTENTION, ["order_already_paid"]) == (
        shop.state(),
        [question.reason for question in shop.payment().questions],
    )


def test_a_repeat_after_many_looks_is_looked_into_as_often_as_a_new_one(shop: Shop) -> None:
    """Forged notices used up the looks; the true one comes while somebody is at work and must not be the last."""
    shop.order()
    second = shop.bootpay.open("o1", 1000)
    shop.hear(second)
    for _ in range(13):
        shop.clock.advance(4_500)
        shop.reconcile()
    due_at = shop.backend.notices(1)[0].due_at
    assert due_at is not None
    shop.clock.advance((due_at - shop.clock.now()).total_seconds() - 10)
    shop.bootpay.on("confirm", Fault.LOST_AFTER)
    shop.bootpay.meanwhile("confirm", lambda: shop.bootpay.on("receipt", Fault.NOT_SENT))
    shop.verify(shop.bootpay.agree("o1", 1000))
    shop.bootpay.ledger.approve(second)
    told = shop.hear(second)
    shop.clock.advance(11)
    shop.reconcile()
    kept = shop.backend.notices(1)[0]

    assert (State.CONFIRMING, "") == (shop.state(), told)
    assert ("at_work", 1, True) == (kept.outcome, kept.attempts, kept.due_at is not None)


def test_a_forged_cancel_does_not_silence_the_real_one(shop: Shop) -> None:
    """A notice about more than the receipt shows is not settled; the true one finds the cancel."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    forged = shop.hear(receipt_id, "PAYMENT_CANCELLED", cancelled="1000")
    shop.bootpay.ledger.cancel(receipt_id)
    real = shop.hear(receipt_id, "PAYMENT_CANCELLED", cancelled="1000")

    assert ("not_yet", "settled", State.CANCELLED) == (forged, real, shop.state())


def test_a_notice_that_came_before_the_order_counts_when_it_comes_again(shop: Shop) -> None:
    """A shop that registers late loses nothing."""
    receipt_id = shop.bootpay.pay("o1", 1000)
    early = shop.hear(receipt_id)
    shop.order()

    assert ("order_unknown", "settled") == (early, shop.hear(receipt_id))
    assert State.PAID is shop.state()


def test_an_old_look_never_looks_like_money_taken_back(shop: Shop) -> None:
    """The buyer's verify pays the order while the webhook's look-up is on its way: no person is called."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.meanwhile("receipt", lambda: shop.verify(receipt_id))
    outcome = shop.hear(receipt_id)

    assert (State.PAID, ["registered", "approval_intended", "paid"]) == (shop.state(), shop.whats())
    assert "settled" != outcome


def test_a_webhook_never_approves(shop: Shop) -> None:
    """Only a buyer's return or a reconciliation moves money."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.hear(receipt_id)

    assert (0, 2) == (shop.bootpay.calls["confirm"], shop.bootpay.status(receipt_id))


def test_a_webhook_that_overtakes_the_confirms_answer_waits_for_it(shop: Shop) -> None:
    """Bootpay may tell the webhook before it answers us: the lease is respected, Bootpay is not asked in a loop."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    outcomes: list[str] = []
    shop.bootpay.meanwhile("confirm", lambda: outcomes.append(shop.hear(receipt_id)))
    answer = shop.verify(receipt_id)

    assert (Accepted(state="paid", receipt_id=receipt_id), [""]) == (answer, outcomes)
    assert {"receipt": 1, "confirm": 1} == shop.bootpay.calls
    assert "settled" == shop.hear(receipt_id)


def test_a_webhook_settles_once_the_other_is_done(shop: Shop) -> None:
    """The lease ends while it waits: one look, and it is settled in time."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_AFTER)
    shop.bootpay.meanwhile("confirm", lambda: shop.bootpay.on("receipt", Fault.LOST_BEFORE))
    shop.verify(receipt_id)
    shop.clock.advance(43)
    shop.bootpay.calls.clear()

    assert "settled" == shop.hear(receipt_id)
    assert ({"receipt": 1}, State.PAID) == (shop.bootpay.calls, shop.state())


def test_another_receipt_during_an_unfinished_approval_stays_in_the_inbox(shop: Shop) -> None:
    """It is judged after the first one is known, and then goes back."""
    shop.order()
    first, second = shop.bootpay.agree("o1", 1000), shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_AFTER)
    shop.bootpay.meanwhile("confirm", lambda: shop.bootpay.on("receipt", Fault.LOST_BEFORE))
    shop.verify(first)
    shop.clock.advance(46)
    early = shop.hear(second)
    shop.clock.advance(31)
    shop.reconcile()
    shop.clock.advance(121)
    shop.reconcile()
    shop.deliver()

    assert "" == early
    assert (first, 20) == (shop.payment().receipt_id, shop.bootpay.status(second))


def test_a_notice_about_a_window_that_stays_open_ends_after_hours(shop: Shop) -> None:
    """Forged notices do not cost a look every hour for ever, and a repeat would still count."""
    shop.order()
    receipt_id = shop.bootpay.open("o1", 1000)
    shop.hear(receipt_id)
    for _ in range(24):
        shop.clock.advance(4_500)
        shop.reconcile()
    shop.bootpay.calls.clear()
    shop.bootpay.ledger.approve(receipt_id)

    assert (None, "not_yet") == (shop.backend.notices(1)[0].due_at, shop.backend.notices(1)[0].outcome)
    assert "settled" == shop.hear(receipt_id)


def test_a_wrong_price_heard_of_is_sent_back(shop: Shop) -> None:
    """A webhook judges like the buyer's return."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 999)
    shop.hear(receipt_id)
    shop.deliver()

    assert (State.OPEN, 20) == (shop.state(), shop.bootpay.status(receipt_id))


def test_a_receipt_of_a_used_order_never_sticks_in_the_inbox(shop: Shop) -> None:
    """A receipt that paid one order and now names another is settled as refused."""
    shop.order("o1")
    shop.order("o2")
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.tamper(receipt_id, {"order_id": "o2"})

    assert "settled" == shop.hear(receipt_id, order_id="o2")
    assert State.OPEN is shop.state("o2")


def test_a_webhook_about_money_that_a_person_must_judge_first_is_not_settled(shop: Shop) -> None:
    """A part went back in the console while the order waited: after the decision a repeat, and a look, find it."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    record = shop.backend.load(OrderId("o1"))
    assert record is not None
    shop.backend.commit(record, needs_attention(record, shop.clock.now(), "x"))
    shop.bootpay.ledger.outside_cancel(receipt_id, 400)
    told = shop.hear(receipt_id, "PAYMENT_PARTIAL_CANCELLED", cancelled="400")
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="확인"))
    again = shop.hear(receipt_id, "PAYMENT_PARTIAL_CANCELLED", cancelled="400")

    assert ("not_yet", "settled", 400) == (told, again, shop.payment().cancelled)


def test_a_webhook_about_money_still_at_work_is_kept_while_a_person_decides(shop: Shop) -> None:
    """Nothing else names the receipt: once the payment gateway is done, the notice finds its money, without a list."""
    shop.order()
    record = shop.backend.load(OrderId("o1"))
    assert record is not None
    shop.backend.commit(record, needs_attention(record, shop.clock.now(), "x"))
    receipt_id = shop.bootpay.open("o1", 1000)
    shop.bootpay.ledger.tamper(receipt_id, {"status": 4})
    told = shop.hear(receipt_id, "1", generation=1)
    shop.bootpay.ledger.tamper(receipt_id, {"status": 1})
    shop.clock.advance(31)
    shop.bootpay.on("lookup/order", *[LedgerRefusal("RC_SERVER_ERROR")] * 9)
    shop.reconcile()
    known = shop.payment().other(receipt_id)

    assert ("", Fate.HELD) == (told, known and known.fate)


def test_what_happened_while_a_person_decided_is_found_without_a_webhook(shop: Shop) -> None:
    """The order is looked at right after the decision, however old it is."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    shop.clock.advance(400 * 86_400)
    record = shop.backend.load(OrderId("o1"))
    assert record is not None
    shop.backend.commit(record, needs_attention(record, shop.clock.now(), "x"))
    shop.bootpay.ledger.outside_cancel(receipt_id, 400)
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="확인"))
    shop.clock.advance(2)
    shop.reconcile()

    assert 400 == shop.payment().cancelled


def test_generation_1_repeats_count_because_they_do_not_say_how_much(shop: Shop) -> None:
    """A second partial cancel in the console sends the very words of the first: it is looked into all the same."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.cancel(receipt_id, 300)
    first = shop.hear(receipt_id, "20", generation=1)
    shop.bootpay.ledger.cancel(receipt_id, 200)
    second = shop.hear(receipt_id, "20", generation=1)

    assert ("settled_so_far", "settled_so_far") == (first, second)
    assert 500 == shop.payment().cancelled
