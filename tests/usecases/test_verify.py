"""The customer is back: the answer is Bootpay's, at most one approval is made, and nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dojang.adapters.store import AwaitedStore
from dojang.core.decision import Accepted, Decision, Pending, Refusal
from dojang.core.order import Order, OrderId, ReceiptId
from dojang.core.payment import Fate, Record, State
from dojang.core.receipt import Receipt
from dojang.core.rules import OnMismatch, Rules
from dojang.core.verification import Reason
from dojang.drive import inline
from dojang.emulator.ledger import LedgerRefusal
from dojang.errors import BootpayError, Conflict, NotSent, OutcomeUnknown
from dojang.ports import Approved, Declined
from dojang.testing import Fault, PretendShop
from dojang.usecases.resolve import Resolution, resolve
from dojang.usecases.verify import OrderUnknown, ReceiptUnknown, Throttled, Verification, verify

if TYPE_CHECKING:
    from conftest import Shop


def paid(receipt_id: ReceiptId, *, replayed: bool = False) -> Accepted:
    """The answer to a receipt that pays."""
    return Accepted(state="paid", receipt_id=receipt_id, replayed=replayed)


# Where the receipt stands


def test_a_paid_receipt_pays_with_one_look(shop: Shop) -> None:
    """Status 1: paid, and the shop is owed one notice."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)

    assert paid(receipt_id) == shop.verify(receipt_id)
    assert {"receipt": 1} == shop.bootpay.calls
    assert ["order.paid"] == [owed.type for owed in shop.owed()]


@pytest.mark.parametrize("status", [0, 4, 40, 99, 7])
def test_a_receipt_that_is_not_decided_is_pending(shop: Shop, status: int) -> None:
    """Status 0, 4 and numbers nobody documented: not paid, ask again."""
    shop.order()
    receipt_id = shop.bootpay.open("o1", 1000)
    shop.bootpay.ledger.tamper(receipt_id, {"status": status})

    assert Pending() == shop.verify(receipt_id)
    assert State.OPEN is shop.state()


@pytest.mark.parametrize("status", [-1, -2, -4, -3, 11, 12])
def test_a_receipt_that_ended_without_money_is_refused(shop: Shop, status: int) -> None:
    """Negative numbers and receipts that are no payments; the order stays open for another try."""
    shop.order()
    receipt_id = shop.bootpay.open("o1", 1000)
    shop.bootpay.ledger.tamper(receipt_id, {"status": status})
    answer = shop.verify(receipt_id)

    assert (Pending() if status == -1 else Refusal(Reason.PAYMENT_FAILED)) == answer
    assert State.OPEN is shop.state()


def test_a_cancelled_receipt_is_refused(shop: Shop) -> None:
    """Status 20: the money is gone again."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.ledger.cancel(receipt_id)

    assert Refusal(Reason.ALREADY_CANCELLED) == shop.verify(receipt_id)


def test_a_partly_cancelled_receipt_is_refused_and_its_rest_goes_back(shop: Shop) -> None:
    """Status 1 with a cancelled amount is not the price of the order."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.ledger.cancel(receipt_id, 1)

    assert Refusal(Reason.ALREADY_CANCELLED) == shop.verify(receipt_id)
    assert ["money_back"] == [owed.type for owed in shop.owed()]


def test_an_issued_account_is_shown_and_its_deposit_pays(shop: Shop) -> None:
    """Status 5, then 1."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    answer = shop.verify(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)

    assert isinstance(answer, Accepted)
    assert answer.account is not None
    assert ("awaiting_deposit", "기업") == (answer.state, answer.account.bank_name)
    assert paid(receipt_id) == shop.verify(receipt_id)


def test_an_unknown_order_costs_no_call(shop: Shop) -> None:
    """Strangers cannot make us ask about what was never registered."""
    assert OrderUnknown() == shop.verify(ReceiptId("a" * 24))
    assert {} == shop.bootpay.calls


def test_a_receipt_that_bootpay_does_not_know_is_unknown(shop: Shop) -> None:
    """Made up, or of another project."""
    shop.order()

    assert ReceiptUnknown() == shop.verify(ReceiptId("a" * 24))
    assert ["registered"] == shop.whats()


def test_a_look_that_fails_decides_nothing(shop: Shop) -> None:
    """Bootpay cannot be asked: an error, and the order is as it was."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    for fault in (Fault.NOT_SENT, Fault.LOST_AFTER, LedgerRefusal("TOKEN_KEY_INVALID")):
        shop.bootpay.on("receipt", fault)
        with pytest.raises(BootpayError):
            shop.verify(receipt_id)

    assert ["registered"] == shop.whats()


# What must not pay


def test_the_receipt_of_another_order_pays_for_its_own(shop: Shop) -> None:
    """A cheap order's receipt does not pay for a dear one, and is not used up by the attempt."""
    shop.order("cheap", 1000)
    shop.order("dear", 90_000)
    receipt_id = shop.bootpay.pay("cheap", 1000)

    assert Refusal(Reason.ORDER_MISMATCH) == shop.verify(receipt_id, "dear")
    assert paid(receipt_id) == shop.verify(receipt_id, "cheap")


def test_a_receipt_that_paid_another_order_is_used_up_for_ever(shop: Shop) -> None:
    """Even if Bootpay came to say that it belongs to this order, a year later."""
    shop.order("o1")
    shop.order("o2")
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.tamper(receipt_id, {"order_id": "o2"})
    shop.clock.advance(366 * 86_400)

    assert Refusal(Reason.RECEIPT_ALREADY_USED) == shop.verify(receipt_id, "o2")
    assert State.OPEN is shop.state("o2")


def test_a_wrong_price_is_refused_and_sent_back_once(shop: Shop) -> None:
    """The tampered checkout: refused, and the buyer has the money back."""
    shop.order(price=90_000)
    receipt_id = shop.bootpay.pay("o1", 100)
    answers = {shop.verify(receipt_id) for _ in range(3)}
    shop.deliver()

    assert {Refusal(Reason.AMOUNT_MISMATCH)} == answers
    assert (20, 1) == (shop.bootpay.status(receipt_id), shop.bootpay.calls["cancel"])
    assert Fate.RETURNED is shop.payment().others[0].fate


def test_a_sandbox_receipt_is_refused_and_left_alone(shop: Shop) -> None:
    """Test money pays for nothing and is not ours to cancel."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000, sandbox=True)

    assert Refusal(Reason.SANDBOX_RECEIPT) == shop.verify(receipt_id)
    assert [] == shop.owed()


def test_a_double_payment_goes_back_and_the_first_one_stands(shop: Shop) -> None:
    """Two receipts, both paid: one counts, the other is owed back."""
    shop.order()
    first, second = shop.bootpay.pay("o1", 1000), shop.bootpay.pay("o1", 1000)
    answers = [shop.verify(first), shop.verify(second), shop.verify(first)]
    shop.deliver()

    assert [paid(first), Refusal(Reason.ORDER_ALREADY_PAID), paid(first, replayed=True)] == answers
    assert (1, 20) == (shop.bootpay.status(first), shop.bootpay.status(second))


# Replays


def test_a_replay_costs_no_call_to_bootpay(shop: Shop) -> None:
    """The answer is on file."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.calls.clear()

    assert [paid(receipt_id, replayed=True)] * 3 == [shop.verify(receipt_id) for _ in range(3)]
    assert {} == shop.bootpay.calls
    assert ["registered", "paid"] == shop.whats()


@pytest.mark.parametrize(("wait_s", "told_s"), [(7.4, 7), (0.3, 1)])
def test_strangers_are_throttled_before_bootpay_is_asked(shop: Shop, wait_s: float, told_s: int) -> None:
    """Nobody burns the shop's quota, not even a moment too early; a replay is never throttled."""

    class Full:
        def take(self, order_id: str, /) -> float:
            return wait_s

    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    world = replace(shop.world, throttle=Full())
    told = shop.run(verify(world, OrderId("o1"), receipt_id))

    assert Throttled(told_s) == told
    assert {} == shop.bootpay.calls


# Server approval


def test_an_approval_is_one_look_and_one_confirm(shop: Shop) -> None:
    """Status 2: judged, intended, approved, judged again."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)

    assert paid(receipt_id) == shop.verify(receipt_id)
    assert {"receipt": 1, "confirm": 1} == shop.bootpay.calls
    assert ["registered", "approval_intended", "paid"] == shop.whats()


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"price": 999}, Reason.AMOUNT_MISMATCH),
        ({"price": 1001}, Reason.AMOUNT_MISMATCH),
        ({"price": 1000, "tax_free": 1}, Reason.TAX_FREE_MISMATCH),
        ({"price": 1000, "currency": "USD"}, Reason.CURRENCY_MISMATCH),
        ({"price": 1000, "sandbox": True}, Reason.SANDBOX_RECEIPT),
    ],
)
def test_what_does_not_fit_is_never_confirmed(shop: Shop, terms: dict[str, object], reason: Reason) -> None:
    """Before approval a refusal costs nothing: no money moves, nothing is owed."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", **terms)  # type: ignore[arg-type]

    assert Refusal(reason) == shop.verify(receipt_id)
    assert (0, 2, []) == (shop.bootpay.calls["confirm"], shop.bootpay.status(receipt_id), shop.owed())


def test_another_orders_waiting_receipt_is_never_confirmed(shop: Shop) -> None:
    """A foreign order is refused before approval."""
    shop.order("o1")
    shop.order("o2")
    receipt_id = shop.bootpay.agree("o2", 1000)

    assert Refusal(Reason.ORDER_MISMATCH) == shop.verify(receipt_id, "o1")
    assert 2 == shop.bootpay.status(receipt_id)


def test_a_confirm_lost_after_its_effect_is_found_by_looking(shop: Shop) -> None:
    """A timeout is no failure: look, and the order is paid."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_AFTER)

    assert paid(receipt_id) == shop.verify(receipt_id)
    assert {"receipt": 2, "confirm": 1} == shop.bootpay.calls


def test_a_confirm_lost_before_its_effect_is_not_repeated_blindly(shop: Shop) -> None:
    """Within the lease nobody confirms again; after it somebody looks first and then finishes."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    first = shop.verify(receipt_id)
    in_doubt = shop.state()
    confirms = shop.bootpay.calls["confirm"]
    shop.clock.advance(46)
    shop.bootpay.calls.clear()
    second = shop.verify(receipt_id)

    assert (Pending(), State.CONFIRMING, 1) == (first, in_doubt, confirms)
    assert paid(receipt_id) == second
    assert {"receipt": 1, "confirm": 1} == shop.bootpay.calls


def test_a_critical_answer_is_looked_after_not_believed(shop: Shop) -> None:
    """`*_CRITICAL_*`: money may or may not have moved."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", LedgerRefusal("RC_CONFIRM_CRITICAL_FAILED"))

    assert Pending() == shop.verify(receipt_id)
    assert State.CONFIRMING is shop.state()


def test_not_being_able_to_look_leaves_the_intent(shop: Shop) -> None:
    """Doubt about the approval and no look either: nothing is guessed, the lease tells others to look."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_AFTER)
    shop.bootpay.meanwhile("confirm", lambda: shop.bootpay.on("receipt", Fault.NOT_SENT))
    first = shop.verify(receipt_id)
    shop.clock.advance(46)

    assert (Pending(), State.CONFIRMING) == (first, State.CONFIRMING)
    assert paid(receipt_id) == shop.verify(receipt_id)
    assert 1 == shop.bootpay.calls["confirm"]


def test_a_confirm_that_never_left_is_undone(shop: Shop) -> None:
    """Nothing reached Bootpay: the intent is taken back and the buyer may try at once."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.NOT_SENT)
    with pytest.raises(NotSent):
        shop.verify(receipt_id)

    assert State.OPEN is shop.state()
    assert paid(receipt_id) == shop.verify(receipt_id)


def test_not_confirm_ready_may_mean_already_approved(shop: Shop) -> None:
    """The browser was quicker: Bootpay refuses our confirm, and the receipt is paid."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.meanwhile("receipt", lambda: shop.bootpay.ledger.confirm(receipt_id))

    assert paid(receipt_id) == shop.verify(receipt_id)
    assert {"receipt": 2, "confirm": 1} == shop.bootpay.calls


def test_not_confirm_ready_on_a_receipt_that_still_waits_is_doubt(shop: Shop) -> None:
    """An answer that contradicts the receipt decides nothing."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", LedgerRefusal("RC_NOT_CONFIRM_READY"))

    assert Pending() == shop.verify(receipt_id)
    assert State.CONFIRMING is shop.state()


def test_a_declined_card_opens_the_order_again(shop: Shop) -> None:
    """Bootpay said no in so many words: no money moved, and its words are in the history only."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", LedgerRefusal("RC_CONFIRM_FAILED", "카드 한도초과"))
    answer = shop.verify(receipt_id)
    refused = shop.backend.history(OrderId("o1"))[-1]

    assert Refusal(Reason.PAYMENT_FAILED) == answer
    assert (State.OPEN, "카드 한도초과") == (shop.state(), refused.data["words"])


def test_a_price_that_changes_during_approval_is_sent_back(shop: Shop) -> None:
    """Judged again on what the approval returned."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.meanwhile("receipt", lambda: shop.bootpay.ledger.tamper(receipt_id, {"price": 900}))
    answer = shop.verify(receipt_id)
    shop.deliver()

    assert Refusal(Reason.AMOUNT_MISMATCH) == answer
    assert (State.OPEN, 20) == (shop.state(), shop.bootpay.status(receipt_id))


def test_with_too_little_time_no_money_is_moved(shop: Shop) -> None:
    """An answer that would come too late to be written is not asked for."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)

    assert Pending() == shop.verify(receipt_id, within_s=3.9)
    assert (0, ["registered"]) == (shop.bootpay.calls["confirm"], shop.whats())


# The shop's word


def test_the_shop_is_asked_before_money_moves(shop: Shop) -> None:
    """Its yes is followed by one approval."""
    shop.order()
    shop.asks_before_approval = True
    receipt_id = shop.bootpay.agree("o1", 1000)
    confirms_when_asked: list[int] = []
    shop.receiver.meanwhile = lambda: confirms_when_asked.append(shop.bootpay.calls["confirm"])

    assert paid(receipt_id) == shop.verify(receipt_id)
    assert ([0], [receipt_id]) == (confirms_when_asked, [receipt.id for receipt in shop.receiver.asked])


def test_the_shops_no_moves_no_money(shop: Shop) -> None:
    """Sold out: refused, nothing charged, and another try asks again."""
    shop.order()
    shop.asks_before_approval = True
    shop.receiver.word = Declined("품절")
    receipt_id = shop.bootpay.agree("o1", 1000)
    answers = [shop.verify(receipt_id), shop.verify(receipt_id)]

    assert [Refusal(Reason.REFUSED_BY_SHOP, "품절")] * 2 == answers
    assert (2, 0, State.OPEN) == (
        shop.bootpay.status(receipt_id),
        shop.bootpay.calls["confirm"],
        shop.state(),
    )
    assert 2 == len(shop.receiver.asked)


def test_the_shop_is_not_asked_again_about_money_that_may_have_moved(shop: Shop) -> None:
    """Its yes stands: a no after a crash would decline what has been taken already."""
    shop.order()
    shop.asks_before_approval = True
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    shop.verify(receipt_id)
    shop.receiver.word = Declined("품절")
    shop.clock.advance(46)

    assert paid(receipt_id) == shop.verify(receipt_id)
    assert 1 == len(shop.receiver.asked)


def test_a_shop_that_does_not_answer_has_said_no(shop: Shop) -> None:
    """The adapter reports silence as a refusal; the words reach the history."""
    shop.order()
    shop.asks_before_approval = True
    shop.receiver.word = Declined("no answer within 8 s")
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.verify(receipt_id)

    assert "no answer within 8 s" == shop.backend.history(OrderId("o1"))[-1].data["words"]


def test_a_shop_that_thinks_too_long_moves_no_money(shop: Shop) -> None:
    """After its answer there must be time left to write ours."""
    shop.order()
    shop.asks_before_approval = True
    shop.receiver.meanwhile = lambda: shop.clock.advance(17)
    receipt_id = shop.bootpay.agree("o1", 1000)

    assert Pending() == shop.verify(receipt_id)
    assert 0 == shop.bootpay.calls["confirm"]


def test_the_shop_may_think_for_half_of_the_time_that_is_left(shop: Shop) -> None:
    """The other half is for the approval itself."""
    asked_within: list[float] = []

    class Asked(PretendShop):
        async def ask(self, order: Order, receipt: Receipt, within_s: float, /) -> Approved | Declined:
            asked_within.append(within_s)
            return await super().ask(order, receipt, within_s)

    shop.order()
    shop.asks_before_approval = True
    shop.receiver = Asked()
    shop.verify(shop.bootpay.agree("o1", 1000), within_s=12.0)

    assert [6.0] == asked_within


def test_an_order_paid_while_the_shop_thinks_approves_nothing_more(shop: Shop) -> None:
    """Another receipt won meanwhile: the waiting one is refused without money moving."""
    shop.order()
    shop.asks_before_approval = True
    quick, slow = shop.bootpay.pay("o1", 1000), shop.bootpay.agree("o1", 1000)
    shop.receiver.meanwhile = lambda: shop.verify(quick)

    assert Refusal(Reason.ORDER_ALREADY_PAID) == shop.verify(slow)
    assert 2 == shop.bootpay.status(slow)


# Others at work


def test_who_meets_a_lease_waits_for_the_others_answer(shop: Shop) -> None:
    """Two tabs: the second one gets the first one's answer and confirms nothing."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    second: list[object] = []

    shop.bootpay.meanwhile("confirm", lambda: second.append(shop.verify(receipt_id, within_s=1.0)))
    first = shop.verify(receipt_id)

    assert (paid(receipt_id), [Pending()]) == (first, second)
    assert 1 == shop.bootpay.calls["confirm"]


def test_a_lease_that_ends_while_waiting_gives_the_answer(shop: Shop) -> None:
    """Waiting is worth it: as soon as the other has committed, the waiting one knows."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    shop.verify(receipt_id)
    shop.bootpay.calls.clear()
    shop.clock.advance(40)

    assert paid(receipt_id) == shop.verify(receipt_id)
    assert {"receipt": 1, "confirm": 1} == shop.bootpay.calls


def test_an_unfinished_approval_is_finished_before_another_receipt_is_judged(shop: Shop) -> None:
    """The first receipt's money had moved; the second is surplus, not a second payment."""
    shop.order()
    first, second = shop.bootpay.agree("o1", 1000), shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_AFTER)
    shop.bootpay.meanwhile("confirm", lambda: shop.bootpay.on("receipt", Fault.LOST_BEFORE))
    shop.verify(first)
    shop.clock.advance(46)
    answer = shop.verify(second)
    shop.deliver()

    assert (Refusal(Reason.ORDER_ALREADY_PAID), first) == (answer, shop.payment().receipt_id)
    assert (1, 20) == (shop.bootpay.status(first), shop.bootpay.status(second))


def test_a_second_receipt_during_a_lease_is_pending(shop: Shop) -> None:
    """It is judged once the first one is known."""
    shop.order()
    first, second = shop.bootpay.agree("o1", 1000), shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    shop.verify(first)

    assert Pending() == shop.verify(second, within_s=1.0)


def test_an_unfinished_receipt_that_bootpay_does_not_know_makes_no_other_one_unknown(shop: Shop) -> None:
    """The buyer's own receipt was not looked up yet: to call it unknown would send the buyer away for good."""
    shop.order()
    first, second = shop.bootpay.agree("o1", 1000), shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    shop.verify(first)
    shop.clock.advance(46)
    del shop.bootpay.ledger.state.receipts[first]

    assert Pending() == shop.verify(second)


def nobody_looks_twice(shop: Shop) -> None:
    """Whoever looks again in the same breath would look for ever: the second look fails instead."""
    shop.bootpay.meanwhile("receipt", lambda: shop.bootpay.on("receipt", Fault.NOT_SENT))


def test_an_unfinished_receipt_that_is_still_undecided_is_looked_at_once(shop: Shop) -> None:
    """A buyer who waits does not burn the shop's quota: there is nothing more to know for now."""
    shop.order()
    first, second = shop.bootpay.agree("o1", 1000), shop.bootpay.pay("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_BEFORE)
    shop.verify(first)
    shop.clock.advance(46)
    shop.bootpay.ledger.tamper(first, {"status": 4})
    shop.bootpay.calls.clear()
    nobody_looks_twice(shop)

    assert Pending() == shop.verify(second)
    assert {"receipt": 1} == shop.bootpay.calls


def test_an_unfinished_receipt_that_a_person_let_be_is_looked_at_once(shop: Shop) -> None:
    """It names another order once more, which nobody is asked about again: the buyer of the second one waits."""
    shop.order()
    first, second = shop.bootpay.agree("o1", 1000), shop.bootpay.pay("o1", 1000)

    def doubtful_then_renamed() -> None:
        shop.bootpay.ledger.tamper(first, {"order_id": "o1"})
        shop.bootpay.on("confirm", Fault.LOST_BEFORE)
        shop.verify(first)
        shop.clock.advance(46)
        shop.bootpay.ledger.tamper(first, {"order_id": "another"})

    doubtful_then_renamed()
    shop.verify(first)
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="known"))
    doubtful_then_renamed()
    shop.bootpay.calls.clear()
    nobody_looks_twice(shop)

    assert Pending() == shop.verify(second)
    assert {"receipt": 1} == shop.bootpay.calls


def test_an_order_that_keeps_changing_is_pending_in_the_end(shop: Shop) -> None:
    """Nobody looks at Bootpay for ever because others are quicker."""

    class Contended(AwaitedStore):
        async def commit(self, record: Record, decision: Decision, /) -> Record:
            raise Conflict(record.order.id)

    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    world = replace(shop.world, store=Contended(shop.backend, inline))
    told = shop.run(verify(world, OrderId("o1"), receipt_id))

    assert isinstance(told, Verification)
    assert (Pending(), State.OPEN) == (told.answer, shop.state())
    assert {"receipt": 9} == shop.bootpay.calls


def test_a_commit_lost_to_another_is_decided_again(shop: Shop) -> None:
    """Two looks at once: one writes, the other reloads and repeats the answer."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.meanwhile("receipt", lambda: shop.verify(receipt_id))

    assert paid(receipt_id, replayed=True) == shop.verify(receipt_id)
    assert ["registered", "paid"] == shop.whats()


def test_a_hold_policy_calls_a_person(shop: Shop) -> None:
    """`hold` keeps the money where it is."""
    shop.rules = Rules(on_mismatch=OnMismatch.HOLD)
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 900)
    shop.verify(receipt_id)
    shop.deliver()

    assert (State.ATTENTION, 1) == (shop.state(), shop.bootpay.status(receipt_id))
    assert ["order.attention"] == shop.receiver.told


def test_an_abandoned_approval_is_finished_by_reconcile(shop: Shop) -> None:
    """The process died after the intent: without any buyer the order is paid in the end."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)

    def dies() -> None:
        raise KeyboardInterrupt

    shop.bootpay.meanwhile("confirm", dies)
    with pytest.raises(KeyboardInterrupt):
        shop.verify(receipt_id)
    too_early = shop.reconcile().checked
    shop.clock.advance(46)
    shop.reconcile()

    assert (0, State.PAID) == (too_early, shop.state())
    assert 1 == shop.bootpay.calls["confirm"]


def test_an_approval_whose_receipt_vanished_ends_with_a_person(shop: Shop) -> None:
    """No state lasts for ever: after long enough somebody must look."""
    shop.order()
    receipt_id = shop.bootpay.agree("o1", 1000)
    shop.bootpay.on("confirm", Fault.LOST_AFTER)
    shop.bootpay.meanwhile("confirm", lambda: shop.bootpay.on("receipt", Fault.LOST_BEFORE))
    shop.verify(receipt_id)
    del shop.bootpay.ledger.state.receipts[receipt_id]
    shop.bootpay.ledger.state.by_order.clear()
    for _ in range(70):
        shop.clock.advance(60)
        shop.reconcile()

    assert (State.ATTENTION, "approval_unresolved") == (shop.state(), shop.payment().reason)


def test_an_answer_that_makes_no_sense_is_doubt(shop: Shop) -> None:
    """Bootpay names a price that is no amount of won: an error, never a payment."""
    shop.order()
    receipt_id = shop.bootpay.pay("o1", 1000)
    shop.bootpay.ledger.tamper(receipt_id, {"price": 1000.5})

    with pytest.raises(OutcomeUnknown):
        shop.verify(receipt_id)
