"""What is owed is handed over at least once, in order, under the same id; money goes back exactly once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dojang import Dojang
from dojang.adapters.fulfilment import FunctionFulfilment
from dojang.core.delivery import ATTEMPTS_MAX, DeliveryState
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import Fate, State
from dojang.drive import inline
from dojang.emulator.ledger import Ledger, LedgerRefusal
from dojang.ports import HandedOver
from dojang.testing import Fault
from dojang.usecases.deliver_owed import deliver_owed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Shop

FAILED = HandedOver(settled=False, words="HTTP 503")
GONE = HandedOver(settled=False, gone=True, words="HTTP 410")


def _paid(shop: Shop, order_id: str = "o1") -> ReceiptId:
    shop.order(order_id)
    receipt_id = shop.bootpay.pay(order_id, 1000)
    shop.verify(receipt_id, order_id)
    return receipt_id


def _doubly_paid(shop: Shop) -> ReceiptId:
    """A paid order with a second receipt whose money is owed back."""
    _paid(shop)
    second = shop.bootpay.pay("o1", 1000)
    shop.verify(second)
    return second


def test_a_notice_is_handed_over_once_and_settled(shop: Shop) -> None:
    """2xx settles; the next run has nothing to do."""
    _paid(shop)
    first, second = shop.deliver(), shop.deliver()

    assert ({"order.paid": 1}, 0) == (first.settled, second.tried)
    assert ["order.paid"] == shop.receiver.told
    assert [DeliveryState.SETTLED] == [owed.state for owed in shop.owed()]


def test_a_shop_that_asks_for_time_is_left_alone_for_so_long(shop: Shop) -> None:
    """Its `Retry-After` of ten minutes puts off the attempt that would come after five seconds."""
    _paid(shop)
    shop.receiver.answers = [replace(FAILED, wait_s=600.0)]
    tried = []
    for wait_s in (0, 6, 593, 2):
        shop.clock.advance(wait_s)
        tried.append(shop.deliver().tried)

    assert [1, 0, 0, 1] == tried


def test_a_failed_notice_is_repeated_under_the_same_id_on_schedule(shop: Shop) -> None:
    """The receiver recognises a repeat; between attempts there is peace."""
    _paid(shop)
    shop.receiver.answers = [FAILED, FAILED]
    tried = []
    for wait_s in (0, 4, 2, 299, 2):
        shop.clock.advance(wait_s)
        tried.append(shop.deliver().tried)

    assert [1, 0, 1, 0, 1] == tried
    assert {"o1:2:order_paid"} == {delivery.id for delivery in shop.receiver.received}
    assert DeliveryState.SETTLED is shop.owed()[0].state


def test_money_back_is_told_as_gone_to_bootpay(shop: Shop) -> None:
    """Whoever reads the log sees whose door it was, done or not."""
    _doubly_paid(shop)
    shop.delivers = False
    shop.bootpay.on("receipt", Fault.LOST_BEFORE)
    (failed,) = shop.deliver().attempts
    shop.clock.advance(6)
    (settled,) = shop.deliver().attempts
    told = f"delivery {settled.delivery.id} of order o1 to Bootpay"

    assert f"{told}: settled" == settled.sentence
    assert failed.sentence.startswith(f"{told} failed: ")


def test_a_failed_attempt_is_told_in_a_sentence(shop: Shop) -> None:
    """Whose it is, where it went, why it failed and when it goes again; given up, there is no next try."""
    _paid(shop)
    shop.receiver.answers = [replace(FAILED, to="shop.example"), replace(GONE, to="shop.example")]
    (failed,) = shop.deliver().attempts
    due_at = shop.owed()[0].due_at
    shop.clock.advance(6)
    (dead,) = shop.deliver().attempts

    told = "delivery o1:2:order_paid of order o1 to shop.example failed"
    assert f"{told}: HTTP 503; next try {due_at:%Y-%m-%dT%H:%M:%SZ}" == failed.sentence
    assert f"{told}: HTTP 410; given up" == dead.sentence


def test_an_orders_notices_arrive_in_order(shop: Shop) -> None:
    """The cancel is not told before the payment, however often the payment's notice fails."""
    receipt_id = _paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    shop.hear(receipt_id, "PAYMENT_CANCELLED", cancelled="1000")
    shop.receiver.answers = [FAILED]
    shop.deliver()
    shop.clock.advance(6)
    shop.deliver()

    assert ["order.paid", "order.paid", "order.cancelled"] == shop.receiver.told


def test_one_orders_failure_delays_no_other_order(shop: Shop) -> None:
    """Each order has its own queue."""
    _paid(shop, "o1")
    _paid(shop, "o2")
    shop.receiver.answers = [FAILED]
    shop.deliver()

    assert {"o1", "o2"} == {str(delivery.order_id) for delivery in shop.receiver.received}


def test_410_stops_at_once_and_calls_a_person(shop: Shop) -> None:
    """The receiver wants no more of these."""
    _paid(shop)
    shop.receiver.answers = [GONE]
    report = shop.deliver()

    assert (1, DeliveryState.DEAD, "HTTP 410") == (
        report.dead,
        shop.owed()[0].state,
        shop.owed()[0].last_error,
    )
    assert (State.ATTENTION, "delivery_failed", State.PAID) == (
        shop.state(),
        shop.payment().reason,
        shop.payment().before,
    )


def _until_given_up(shop: Shop) -> None:
    for _ in range(ATTEMPTS_MAX + 2):
        shop.deliver()
        shop.clock.advance(90_000)


def test_after_the_last_attempt_a_person_is_called(shop: Shop) -> None:
    """Ten attempts, then `attention`; and a retry by a person still goes out under the same id."""
    _paid(shop)
    shop.receiver.answers = [FAILED] * ATTEMPTS_MAX
    _until_given_up(shop)
    given_up = (len(shop.receiver.received), shop.state(), shop.owed()[0].state)
    shop.backend.retry_delivery("o1:2:order_paid", shop.clock.now())
    shop.deliver()

    assert (ATTEMPTS_MAX, State.ATTENTION, DeliveryState.DEAD) == given_up
    assert DeliveryState.SETTLED is shop.owed()[0].state
    assert {"o1:2:order_paid"} == {delivery.id for delivery in shop.receiver.received}


def test_a_crash_while_giving_up_still_calls_a_person(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies at the last write: the delivery comes due again and nothing is forgotten."""
    _paid(shop)
    shop.receiver.answers = [GONE, GONE]

    def dies(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(shop.backend, "settle_delivery", dies)
        with pytest.raises(KeyboardInterrupt):
            shop.deliver()
    before = shop.state()
    shop.clock.advance(91)
    shop.deliver()

    assert (State.ATTENTION, State.ATTENTION) == (before, shop.state())
    assert DeliveryState.DEAD is shop.owed()[0].state


def test_a_crash_after_handing_over_repeats_recognisably(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least once: the second time it carries the same id."""
    _paid(shop)

    def dies(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(shop.backend, "settle_delivery", dies)
        with pytest.raises(KeyboardInterrupt):
            shop.deliver()
    shop.clock.advance(91)
    shop.deliver()

    assert ["o1:2:order_paid"] * 2 == [delivery.id for delivery in shop.receiver.received]


def test_giving_up_waits_for_an_approval_under_way(shop: Shop) -> None:
    """Calling a person in the middle would forget whose money is moving."""
    shop.order()
    account = shop.bootpay.issue("o1", 1000)
    shop.verify(account)
    card = shop.bootpay.agree("o1", 1000)
    shop.receiver.answers = [GONE, GONE]
    # Give-up after 410, while the card's approval is between its two commits.
    shop.bootpay.meanwhile("confirm", shop.deliver)
    shop.verify(card)
    during = shop.payment()
    shop.clock.advance(91)
    shop.deliver()

    assert (State.PAID, card) == (during.state, during.receipt_id)
    assert State.ATTENTION is shop.state()


def test_without_a_receiver_nothing_is_given_up(shop: Shop) -> None:
    """A shop that only polls is never called to every order; what is owed waits until there is a receiver."""
    _paid(shop)
    shop.delivers = False
    _until_given_up(shop)
    waiting = (shop.state(), shop.owed()[0].state)
    shop.delivers = True
    shop.clock.advance(86_400)
    shop.deliver()

    assert (State.PAID, DeliveryState.DUE) == waiting
    assert ["order.paid"] == shop.receiver.told


def test_a_slow_receiver_uses_up_nobody_elses_attempts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long each hand-over takes, every delivery of the run is tried once."""
    for number in range(8):
        _paid(shop, f"o{number}")
    hand_over = shop.receiver.hand_over

    async def slowly(delivery: Any, within_s: float, /) -> HandedOver:
        shop.clock.advance(within_s)
        return await hand_over(delivery, within_s)

    monkeypatch.setattr(shop.receiver, "hand_over", slowly)
    shop.deliver()

    assert 8 == len(shop.receiver.received)
    assert {1} == {owed.attempts for number in range(8) for owed in shop.owed(f"o{number}")}


def test_a_run_ends_at_its_limit_and_where_it_is_stopped(shop: Shop) -> None:
    """Either is enough; the rest goes out with the next run."""
    for number in range(3):
        _paid(shop, f"o{number}")
    limited = shop.run(deliver_owed(shop.world, limit=2))
    stopped = shop.run(deliver_owed(shop.world, stopped=lambda: True))

    assert (2, 0, 1) == (limited.tried, stopped.tried, shop.deliver().tried)


@pytest.mark.parametrize(("takes_s", "calls"), [(89, 1), (91, 2)])
def test_a_function_is_called_beside_itself_only_after_the_ninety_seconds_users_are_told_of(
    shop: Shop, takes_s: float, calls: int
) -> None:
    """A running function cannot be stopped: longer than its claim, it is called again, under the same id."""
    _paid(shop)
    called: list[str] = []

    def fulfil(delivery_id: str, _: Mapping[str, object]) -> None:
        called.append(delivery_id)
        if len(called) == 1:
            shop.clock.advance(takes_s)
            # Another process delivers as well.
            shop.run(deliver_owed(world))

    world = replace(shop.world, fulfilment=FunctionFulfilment(fulfil, inline))
    shop.run(deliver_owed(world))

    assert ["o1:2:order_paid"] * calls == called
    assert [DeliveryState.SETTLED] == [owed.state for owed in shop.owed()]
    assert "90 seconds" in str(Dojang.__doc__)


# Money back


def test_money_goes_back_and_the_shop_is_told(shop: Shop) -> None:
    """Looked up, cancelled, looked up again; then `order.money_returned`."""
    second = _doubly_paid(shop)
    shop.bootpay.calls.clear()
    shop.deliver()
    shop.deliver()

    assert {"receipt": 2, "cancel": 1} == shop.bootpay.calls
    assert (20, Fate.RETURNED) == (shop.bootpay.status(second), shop.payment().others[0].fate)
    assert ["order.paid", "order.money_returned"] == shop.receiver.told


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, LedgerRefusal("RC_CANCEL_CRITICAL_ERROR")])
def test_a_doubtful_cancel_is_looked_after_and_not_repeated(shop: Shop, fault: Fault | LedgerRefusal) -> None:
    """Carried out or not, the receipt tells; money goes back exactly once."""
    second = _doubly_paid(shop)
    shop.bootpay.on("cancel", fault)
    shop.deliver()
    shop.clock.advance(6)
    shop.deliver()

    cancels = shop.bootpay.ledger.find(second).cancel_ids
    assert (20, 1) == (shop.bootpay.status(second), len(cancels))
    assert 1 == shop.receiver.told.count("order.money_returned")


def test_a_cancel_lost_after_its_effect_is_sent_once(shop: Shop) -> None:
    """A timeout is no failure: the look that follows finds the money gone."""
    _doubly_paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_AFTER)
    shop.deliver()
    shop.clock.advance(100_000)
    shop.deliver()

    assert 1 == shop.bootpay.calls["cancel"]


def test_a_cancel_lost_after_its_effect_is_settled_in_the_same_run(shop: Shop) -> None:
    """The look comes at once, not with the next attempt: the shop hears of it as soon as of any other."""
    _doubly_paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_AFTER)
    report = shop.deliver()

    assert (0, 1, Fate.RETURNED) == (
        report.failed,
        report.settled["money_back"],
        shop.payment().others[0].fate,
    )


def test_money_that_somebody_else_returns_meanwhile_is_settled_in_the_same_run(shop: Shop) -> None:
    """Bootpay refuses to cancel what the console has just cancelled; the look that follows tells why."""
    second = _doubly_paid(shop)
    shop.bootpay.meanwhile("receipt", lambda: shop.bootpay.ledger.outside_cancel(second))
    report = shop.deliver()

    assert (1, 0, 1) == (shop.bootpay.calls["cancel"], report.failed, report.settled["money_back"])


def test_a_look_before_sending_back_that_fails_is_made_again(shop: Shop) -> None:
    """Bootpay was away for a moment: nothing is sent unseen, and the run goes on with what others are owed."""
    second = _doubly_paid(shop)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    report = shop.deliver()
    meanwhile = shop.bootpay.calls["cancel"]
    shop.clock.advance(6)
    shop.deliver()

    assert (1, 1, 0) == (report.failed, report.settled["order.paid"], meanwhile)
    assert 20 == shop.bootpay.status(second)


def test_a_receipt_that_bootpay_no_longer_knows_is_looked_for_again(shop: Shop) -> None:
    """Nothing is told as returned, and the run goes on with what others are owed."""
    _doubly_paid(shop)
    shop.bootpay.ledger = Ledger(clock=lambda: shop.clock.now().timestamp())
    report = shop.deliver()

    assert (1, 1, Fate.OWED_BACK) == (
        report.failed,
        report.settled["order.paid"],
        shop.payment().others[0].fate,
    )


@pytest.mark.parametrize(("paused_s", "status"), [(79, 20), (81, 1)])
def test_whoever_was_paused_until_its_claim_is_almost_over_sends_nothing(
    shop: Shop, paused_s: float, status: int
) -> None:
    """Somebody else may send the same money when the claim ends; ten seconds before that nobody begins to."""
    second = _doubly_paid(shop)
    shop.bootpay.meanwhile("receipt", lambda: shop.clock.advance(paused_s))
    shop.deliver()

    assert status == shop.bootpay.status(second)


@pytest.mark.parametrize("number", [4, 77])
def test_money_that_the_gateway_is_at_work_on_is_not_told_as_returned(shop: Shop, number: int) -> None:
    """Nobody can say yet where it is; it goes back once it is there."""
    second = _doubly_paid(shop)
    shop.bootpay.ledger.tamper(second, {"status": number})
    report = shop.deliver()
    meanwhile = shop.payment().others[0].fate
    shop.bootpay.ledger.tamper(second, {"status": 1})
    shop.clock.advance(6)
    shop.deliver()
    shop.deliver()

    assert (1, Fate.OWED_BACK) == (report.failed, meanwhile)
    assert (20, 1) == (shop.bootpay.status(second), shop.receiver.told.count("order.money_returned"))


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.NOT_SENT])
def test_a_cancel_lost_on_its_way_is_repeated_under_the_same_id(
    shop: Shop, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look finds the money still there; the repeat carries the same `cancel_id`."""
    second = _doubly_paid(shop)
    shop.bootpay.on("cancel", fault)
    sent: list[str] = []
    cancel = shop.bootpay.cancel

    async def noted(*args: Any, **terms: Any) -> Any:
        sent.append(terms["cancel_id"])
        return await cancel(*args, **terms)

    monkeypatch.setattr(shop.bootpay, "cancel", noted)
    first = shop.deliver()
    shop.clock.advance(6)
    shop.deliver()

    assert 1 == first.failed
    assert (2, 1) == (len(sent), len(set(sent)))
    assert (20, 2) == (shop.bootpay.status(second), shop.bootpay.calls["cancel"])


def test_money_that_somebody_else_returned_is_not_returned_again(shop: Shop) -> None:
    """Cancelled in the console meanwhile: nothing is sent, and the shop is told."""
    second = _doubly_paid(shop)
    shop.bootpay.ledger.outside_cancel(second)
    shop.deliver()
    shop.deliver()

    assert 0 == shop.bootpay.calls["cancel"]
    assert "order.money_returned" in shop.receiver.told


def test_a_crash_between_sending_and_settling_returns_money_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run looks first and finds it done."""
    second = _doubly_paid(shop)
    settle = shop.backend.settle_delivery

    def dies(delivery: Any, /) -> bool:
        if delivery.type == "money_back":
            raise KeyboardInterrupt
        return settle(delivery)

    with monkeypatch.context() as dying:
        dying.setattr(shop.backend, "settle_delivery", dies)
        with pytest.raises(KeyboardInterrupt):
            shop.deliver()
    shop.clock.advance(91)
    shop.deliver()
    shop.deliver()

    assert (20, 1) == (shop.bootpay.status(second), shop.bootpay.calls["cancel"])
    assert 1 == shop.receiver.told.count("order.money_returned") == shop.whats().count("money_returned")


def test_money_that_cannot_go_back_calls_a_person(shop: Shop) -> None:
    """Bootpay refuses for days: `attention`, and the money is where it was."""
    second = _doubly_paid(shop)
    shop.bootpay.on("cancel", *[LedgerRefusal("RC_CANCEL_SERVER_ERROR")] * 20)
    _until_given_up(shop)

    assert (State.ATTENTION, "money_back_failed") == (shop.state(), shop.payment().reason)
    assert (1, ATTEMPTS_MAX) == (shop.bootpay.status(second), shop.bootpay.calls["cancel"])


def test_one_receipts_refund_that_keeps_failing_delays_no_other(shop: Shop) -> None:
    """Bootpay refuses to cancel the second payment; the third one's money is back in the same run."""
    second = _doubly_paid(shop)
    shop.clock.advance(1)
    third = shop.bootpay.pay("o1", 1000)
    shop.verify(third)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    report = shop.deliver()

    assert (1, 1) == (report.failed, report.settled["money_back"])
    assert (1, 20) == (shop.bootpay.status(second), shop.bootpay.status(third))


def test_a_receiver_that_does_not_answer_delays_no_money(shop: Shop) -> None:
    """Notices and money have queues of their own."""
    second = _doubly_paid(shop)
    shop.receiver.answers = [FAILED] * 5
    shop.deliver()

    assert 20 == shop.bootpay.status(second)


def test_without_a_receiver_money_goes_back_all_the_same(shop: Shop) -> None:
    """It is the buyer who is owed, not the shop."""
    second = _doubly_paid(shop)
    shop.delivers = False
    shop.deliver()

    assert 20 == shop.bootpay.status(second)


def test_only_what_is_left_goes_back(shop: Shop) -> None:
    """A surplus receipt that was partly returned already is returned to the last won and no further."""
    second = _doubly_paid(shop)
    shop.bootpay.ledger.outside_cancel(second, 400)
    shop.deliver()
    receipt = shop.bootpay.ledger.find(second)

    assert (1000, 20) == (receipt.cancelled_price, receipt.status)


def test_the_receipt_that_pays_is_never_sent_back(shop: Shop) -> None:
    """Even if a money-back delivery for it were still in the outbox, the payment stands."""
    second = _doubly_paid(shop)
    owed = next(delivery for delivery in shop.owed() if delivery.type == "money_back")
    first = shop.payment().receipt_id
    forged = {**owed.data, "receipt_id": str(first)}
    claim = shop.backend.claim_deliveries

    def misdirected(*args: Any, **more: Any) -> list[Any]:
        return [replace(d, data=forged) if d.type == "money_back" else d for d in claim(*args, **more)]

    shop.backend.claim_deliveries = misdirected  # type: ignore[method-assign]
    shop.deliver()
    shop.backend.claim_deliveries = claim  # type: ignore[method-assign]

    assert first is not None
    assert (1, 1) == (shop.bootpay.status(first), shop.bootpay.status(second))
    assert State.ATTENTION is shop.state()
    assert OrderId("o1") == owed.order_id
