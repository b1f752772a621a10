"""Money goes back once per key, never more than was paid, whatever is lost on the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dojang.adapters.sqlite import SqliteBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.cancellation import CancelTerms, WantedCancel, WhyNot, key_of
from dojang.core.cancelling import cancel_refused, intend_cancel
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import State
from dojang.core.receipt import ReceiptStatus
from dojang.drive import inline, run
from dojang.emulator.ledger import LedgerRefusal
from dojang.errors import NotSent, OutOfTime
from dojang.ports import World
from dojang.testing import Fault, PretendBootpay, PretendClock
from dojang.usecases.cancel import CancelDone, CancelNotDone, CancelPending, cancel
from dojang.usecases.register_order import register_order
from dojang.usecases.resolve import Resolution, resolve
from dojang.usecases.verify import OrderUnknown, verify

if TYPE_CHECKING:
    from conftest import Shop

ACCOUNT = {"bank_code": "004", "bank_account": "98765432101", "bank_username": "홍길동"}


def back(shop: Shop, amount: int | None = None, key: str = "k1", order_id: str = "o1", **more: Any) -> Any:
    """Ask for money back."""
    within_s = more.pop("within_s", 20.0)
    wanted = WantedCancel(amount=amount, tax_free=more.pop("tax_free", None), reason="환불", **more)
    return shop.run(cancel(shop.world, OrderId(order_id), key, wanted, within_s=within_s))


def paid(shop: Shop, price: int = 1000, **terms: Any) -> ReceiptId:
    """An order that is paid by card."""
    shop.order(price=price, **terms)
    receipt_id = shop.bootpay.pay("o1", price, **terms)
    shop.verify(receipt_id)
    return receipt_id


def gone_back(shop: Shop, receipt_id: ReceiptId) -> int:
    """What Bootpay says went back."""
    return int(shop.bootpay.ledger.find(receipt_id).cancelled_price)


def in_short(outcome: Any) -> object:
    """An outcome in one word, or the numbers of what was done."""
    match outcome:
        case CancelDone(request=request, replayed=replayed):
            return request.amount, request.cancelled, replayed
        case CancelNotDone(refusal=refusal, replayed=replayed):
            return (refusal.why, "again") if replayed else refusal.why
        case _:
            return type(outcome).__name__


def test_the_whole_goes_back_and_the_shop_is_told(shop: Shop) -> None:
    """One call that names no amount, one notice."""
    receipt_id = paid(shop)
    done = back(shop)
    shop.deliver()

    assert ((1000, 1000, False), State.CANCELLED, 1000) == (
        in_short(done),
        shop.state(),
        gone_back(shop, receipt_id),
    )
    assert ["order.paid", "order.cancelled"] == shop.receiver.told


def test_parts_go_back_until_nothing_is_left(shop: Shop) -> None:
    """300, 300, the rest; then there is nothing to cancel."""
    receipt_id = paid(shop)
    told = [in_short(back(shop, amount, f"k{n}")) for n, amount in enumerate((300, 300, None, 1))]

    assert [
        (300, 300, False),
        (300, 600, False),
        (400, 1000, False),
        WhyNot.ALREADY_CANCELLED,
    ] == told
    assert (1000, State.CANCELLED) == (gone_back(shop, receipt_id), shop.state())


def test_tax_free_parts_add_up(shop: Shop) -> None:
    """What Bootpay has booked is what we have booked."""
    receipt_id = paid(shop, tax_free=300)
    booked = []
    told = []
    for key, amount, tax_free in (("k0", 400, None), ("k1", 400, 100), ("k2", None, None)):
        told.append(in_short(back(shop, amount, key, tax_free=tax_free)))
        there = shop.bootpay.ledger.find(receipt_id).cancelled_tax_free
        booked.append((shop.payment().cancelled_tax_free, there))

    assert [WhyNot.TAX_FREE_REQUIRED, (400, 400, False), (600, 1000, False)] == told
    assert [(0, 0), (100, 100), (300, 300)] == booked


def test_a_deposit_goes_back_to_the_named_account_which_is_kept_nowhere(shop: Shop) -> None:
    """Without one it is refused before Bootpay is asked."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.hear(receipt_id)
    without = in_short(back(shop))
    asked = shop.bootpay.calls["cancel"]
    given = in_short(back(shop, refund_account=ACCOUNT))
    kept = repr(shop.backend.history(OrderId("o1"))) + repr(shop.payment()) + repr(shop.owed())

    assert (WhyNot.REFUND_ACCOUNT_REQUIRED, 0, (1000, 1000, False)) == (without, asked, given)
    assert [] == [secret for secret in ("98765432101", "홍길동") if secret in kept]


def test_an_account_that_bootpay_repeats_in_its_refusal_is_kept_nowhere(shop: Shop) -> None:
    """Its words go into the history for ever."""
    paid(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR", "홍길동 98765432101 불일치"))
    refused = back(shop, refund_account=ACCOUNT)

    assert "*** *** 불일치" == refused.refusal.words
    assert "98765432101" not in repr(shop.backend.history(OrderId("o1")))


def test_the_history_tells_what_was_asked_and_what_bootpay_said(shop: Shop) -> None:
    """Which receipt, how much, why, and the words of a refusal."""
    receipt_id = paid(shop, tax_free=300)
    back(shop, 400, "k1", tax_free=100)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR", "점검 중"))
    back(shop, 200, "k2", tax_free=0)
    told = [
        (event.what.value, event.who, {name: event.data[name] for name in names if name in event.data})
        for event in shop.backend.history(OrderId("o1"))
        for names in [("receipt_id", "amount", "tax_free", "reason", "cancelled", "code", "words")]
        if "cancel" in event.what.value
    ]

    about = {"receipt_id": receipt_id}
    assert [
        ("cancel_intended", "shop", about | {"amount": 400, "tax_free": 100, "reason": "환불"}),
        ("partially_cancelled", "shop", about | {"amount": 400, "cancelled": 400}),
        ("cancel_intended", "shop", about | {"amount": 200, "tax_free": 0, "reason": "환불"}),
        ("cancel_refused", "shop", about | {"code": "RC_CANCEL_SERVER_ERROR", "words": "점검 중"}),
    ] == told


def test_a_refused_cancel_tells_the_shop_of_no_money(shop: Shop) -> None:
    """Nothing went back: there is nothing to hear of."""
    paid(shop)
    shop.deliver()
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    back(shop, 300)
    shop.deliver()

    assert ["order.paid"] == shop.receiver.told


def test_a_refusal_whose_receipt_cannot_be_read_as_paid_ends_nothing(shop: Shop) -> None:
    """Whatever the receipt shows that no cancel explains: the intent stands, and is looked at again."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    shop.bootpay.meanwhile("cancel", lambda: shop.bootpay.ledger.tamper(receipt_id, {"status": 4}))
    told = back(shop, 300)

    assert (CancelPending, State.CANCELLING) == (type(told), shop.state())


def test_a_refusal_whose_receipt_shows_less_than_before_ends_nothing(shop: Shop) -> None:
    """200 had gone back, and now none have: such a receipt tells nothing."""
    receipt_id = paid(shop)
    back(shop, 200, "k0")
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    shop.bootpay.meanwhile("cancel", lambda: shop.bootpay.ledger.tamper(receipt_id, {"cancelled_price": 0}))
    told = back(shop, 300)

    assert (CancelPending, State.CANCELLING) == (type(told), shop.state())


def test_an_answer_is_never_written_onto_somebody_elses_intent(shop: Shop) -> None:
    """Ours was written off while we hung, and another 300 are under way: our 300 do not end those."""
    paid(shop)
    other = WantedCancel(amount=300, tax_free=None, reason="다른 환불")
    terms, key = CancelTerms(300, 0, whole=False), key_of(OrderId("o1"), "k2")

    def overtake() -> None:
        record = shop.backend.load(OrderId("o1"))
        assert record is not None
        now = shop.clock.now()
        given_up = {"undone": True, "code": "not_carried_out"}
        record = shop.backend.commit(record, cancel_refused(record, now, "dojang", given_up))
        shop.backend.commit(record, intend_cancel(record, terms, other, key, shop.world.rules, now))

    shop.bootpay.meanwhile("cancel", overtake)
    told = in_short(back(shop, 300))

    assert WhyNot.CANCEL_IN_PROGRESS == told
    assert ["undone", "in_flight"] == [request.outcome for request in shop.payment().requests]


def test_an_answer_that_is_no_paid_receipt_ends_nothing(shop: Shop) -> None:
    """Bootpay said yes and shows a receipt still at work: what has gone back is looked up later."""
    paid(shop)
    usual = shop.bootpay.cancel

    async def odd(*about: Any, **how: Any) -> Any:
        seen = await usual(*about, **how)
        return replace(seen, status=ReceiptStatus.APPROVING)

    shop.bootpay.cancel = odd  # type: ignore[method-assign]  # once, here
    told = back(shop, 300)
    shop.clock.advance(60)
    shop.reconcile()

    assert CancelPending is type(told)
    assert (State.PAID, 300) == (shop.state(), shop.payment().cancelled)


def test_a_cancel_waits_for_another_one_that_is_under_way(shop: Shop) -> None:
    """Its lease is respected, and once it has ended the other goes on within its own time."""
    receipt_id = paid(shop)
    begun = shop.backend.load(OrderId("o1"))
    assert begun is not None
    other = WantedCancel(amount=200, tax_free=None, reason="다른 환불")
    intent = intend_cancel(
        begun,
        CancelTerms(200, 0, whole=False),
        other,
        key_of(OrderId("o1"), "k2"),
        shop.world.rules,
        shop.clock.now(),
    )
    under_way = shop.backend.commit(begun, intent)
    never_left = {"undone": True, "code": "not_sent"}
    shop.clock.after(
        2,
        lambda: shop.backend.commit(
            under_way, cancel_refused(under_way, shop.clock.now(), "shop", never_left)
        ),
    )
    told = in_short(back(shop, 300))

    assert ((300, 300, False), 300) == (told, gone_back(shop, receipt_id))


def test_the_same_request_under_another_key_has_another_fingerprint() -> None:
    """A stolen store cannot be searched for account numbers: what came as the key is mixed in."""
    alike = [
        WantedCancel(amount=1, tax_free=None, reason="r", refund_account=ACCOUNT, key=key) for key in "ab"
    ]

    assert alike[0].fingerprint != alike[1].fingerprint


def test_the_callers_own_key_is_in_the_stored_fingerprint(shop: Shop) -> None:
    """What is stored is not what anybody without the key can compute."""
    paid(shop)
    back(shop, 300)
    without = WantedCancel(amount=300, tax_free=None, reason="환불")

    assert without.fingerprint != shop.payment().requests[0].fingerprint


# The same key


def test_the_same_key_gives_the_first_answer_whatever_came_later(shop: Shop) -> None:
    """Amount and running total as they were then; Bootpay is not asked."""
    paid(shop)
    first = back(shop, 300, "k1")
    back(shop, 500, "k2")
    asked = shop.bootpay.calls.total()
    again = back(shop, 300, "k1")

    assert ((300, 300, False), (300, 300, True)) == (in_short(first), in_short(again))
    assert (first.request, asked) == (again.request, shop.bootpay.calls.total())


@pytest.mark.parametrize(
    "other", [{"amount": 301}, {"amount": None}, {"expected_remaining": 1000}, {"refund_account": ACCOUNT}]
)
def test_another_request_under_the_same_key_is_refused(shop: Shop, other: dict[str, Any]) -> None:
    """Nothing is guessed about which of the two was meant."""
    receipt_id = paid(shop)
    back(shop, 300, "k1")
    told = in_short(back(shop, **({"amount": 300} | other)))

    assert (WhyNot.KEY_REUSED, 300) == (told, gone_back(shop, receipt_id))


def test_a_refusal_by_bootpay_is_the_same_refusal_when_asked_again(shop: Shop) -> None:
    """Its code and words are kept; another key may try again."""
    paid(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR", "부분취소 불가"))
    first, again = back(shop, 300, "k1"), back(shop, 300, "k1")
    asked = shop.bootpay.calls["cancel"]
    other = back(shop, 300, "k2")

    assert (WhyNot.CANCEL_REFUSED, (WhyNot.CANCEL_REFUSED, "again")) == (in_short(first), in_short(again))
    assert ("RC_CANCEL_SERVER_ERROR", "부분취소 불가") == (again.refusal.code, again.refusal.words)
    assert (first.refusal, 1, (300, 300, False)) == (again.refusal, asked, in_short(other))


@pytest.mark.parametrize(
    ("terms", "wanted", "why"),
    [
        ({}, {"amount": 1001}, WhyNot.AMOUNT_TOO_LARGE),
        ({}, {"amount": 300, "expected_remaining": 999}, WhyNot.REMAINING_MISMATCH),
        ({}, {"amount": 300, "tax_free": 1}, WhyNot.TAX_FREE_TOO_LARGE),
        ({"tax_free": 400}, {"amount": 300}, WhyNot.TAX_FREE_REQUIRED),
    ],
)
def test_a_refusal_that_began_nothing_leaves_its_key_free(
    shop: Shop, terms: dict[str, Any], wanted: dict[str, Any], why: WhyNot
) -> None:
    """Judged afresh each time and written nowhere; the mended request under the same key is the first of it."""
    receipt_id = paid(shop, **terms)
    before = (shop.whats(), shop.bootpay.calls.total())
    refused = [in_short(back(shop, **dict(wanted))) for _ in range(2)]
    after = (shop.whats(), shop.bootpay.calls.total())
    mended = in_short(back(shop))
    other = in_short(back(shop, **dict(wanted)))

    assert ([why, why], before) == (refused, after)
    # From here on the key is this cancel's: the request that was refused is another one.
    assert ((1000, 1000, False), WhyNot.KEY_REUSED, 1000) == (mended, other, gone_back(shop, receipt_id))


def test_what_was_refused_may_rightly_be_done_later_under_the_same_key(shop: Shop) -> None:
    """Not paid is about the moment: once it is paid, the same request is carried out, and once."""
    shop.order()
    early = in_short(back(shop, 300))
    shop.verify(shop.bootpay.pay("o1", 1000))
    told = [in_short(back(shop, 300)), in_short(back(shop, 300))]

    assert (WhyNot.NOT_PAID, [(300, 300, False), (300, 300, True)]) == (early, told)


def test_a_key_of_another_order_is_another_cancel(shop: Shop) -> None:
    """Shops number their refunds per order."""
    paid(shop)
    shop.order("o2")
    shop.verify(shop.bootpay.pay("o2", 1000), "o2")
    told = [in_short(back(shop, 300)), in_short(back(shop, 400, order_id="o2"))]

    assert [(300, 300, False), (400, 400, False)] == told


def test_the_first_answer_survives_a_restart(tmp_path: Path) -> None:
    """It is in the file, not in the process."""
    clock = PretendClock()
    bootpay = PretendBootpay(clock)
    answers = []
    for _ in range(2):
        backend = SqliteBackend(tmp_path / "dojang.db")
        world = World(store=AwaitedStore(backend, inline), gateway=bootpay, clock=clock)
        order = Order(id=OrderId("o1"), price=Money(1000), name="양말")
        if run(register_order(world, order)).created:
            run(verify(world, order.id, bootpay.pay("o1", 1000)))
        wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
        answers.append(run(cancel(world, order.id, "k1", wanted)))
        backend.close()

    assert [(300, 300, False), (300, 300, True)] == [in_short(told) for told in answers]
    assert 1 == bootpay.calls["cancel"]


# Doubt


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, LedgerRefusal("RC_CANCEL_CRITICAL_ERROR")])
def test_a_lost_answer_is_looked_up_never_repeated(shop: Shop, fault: Any) -> None:
    """After the effect the running total has grown; after a critical error it may or may not have."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", fault)
    told = in_short(back(shop, 300))
    moved = fault is Fault.LOST_AFTER

    assert ((300, 300, False) if moved else "CancelPending", 1) == (told, shop.bootpay.calls["cancel"])
    assert (300 if moved else 0) == gone_back(shop, receipt_id)


def test_what_was_lost_before_its_effect_may_be_tried_again_after_a_while(shop: Shop) -> None:
    """Pending, then certainly not carried out, then the same key does it: once."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    told = [in_short(back(shop, 300))]
    told.append(in_short(back(shop, 300)))
    shop.clock.advance(60)
    told.append(in_short(back(shop, 300)))
    shop.clock.advance(600)
    shop.reconcile()
    told.append(in_short(back(shop, 300)))

    assert ["CancelPending", WhyNot.CANCEL_IN_PROGRESS, "CancelPending", (300, 300, False)] == told
    assert (300, 2) == (gone_back(shop, receipt_id), shop.bootpay.calls["cancel"])


def test_a_doubtful_cancel_that_cannot_be_looked_up_is_settled_by_whoever_comes_next(shop: Shop) -> None:
    """Asked again under its key after the lease, the total tells."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_AFTER)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    told = [in_short(back(shop, 300))]
    shop.clock.advance(60)
    told.append(in_short(back(shop, 300)))

    assert (["CancelPending", (300, 300, True)], 300) == (told, gone_back(shop, receipt_id))


def test_another_cancel_does_not_start_while_one_is_in_doubt(shop: Shop) -> None:
    """It is told to wait; it is not said to be under way itself."""
    paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    back(shop, 300, "k1")
    during = in_short(back(shop, 400, "k2", within_s=1.0))
    shop.clock.advance(60)
    after_lease = in_short(back(shop, 400, "k2"))

    assert [WhyNot.CANCEL_IN_PROGRESS] * 2 == [during, after_lease]
    assert 1 == shop.bootpay.calls["cancel"]


def test_a_refusal_is_not_believed_before_the_receipt_was_seen(shop: Shop) -> None:
    """Bootpay may say no to what it has just done; unseen, the outcome stays open and is found out."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    told = in_short(back(shop, 300))
    shop.clock.advance(700)
    shop.reconcile()

    assert ("CancelPending", State.PAID, 0) == (told, shop.state(), gone_back(shop, receipt_id))


def test_what_never_left_is_undone_at_once(shop: Shop) -> None:
    """The order is free again and the same key works."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.NOT_SENT)
    with pytest.raises(NotSent):
        back(shop, 300)
    state = shop.state()
    told = in_short(back(shop, 300))

    assert (State.PAID, (300, 300, False), 300) == (state, told, gone_back(shop, receipt_id))


def test_a_cancel_id_that_bootpay_has_seen_does_not_pay_twice(shop: Shop) -> None:
    """Carried out before the store was restored to an earlier day: it is neither repeated nor denied."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.cancel(receipt_id, 300, cancel_id=key_of(OrderId("o1"), "k1"))
    told = in_short(back(shop, 300))

    assert ("CancelPending", 300, State.ATTENTION) == (told, gone_back(shop, receipt_id), shop.state())


def test_a_refused_cancel_is_not_told_as_done_where_a_console_gave_back_as_much(shop: Shop) -> None:
    """The buyer has 300, not 600: no sum tells whose they are, so a person is asked and nothing leaves again."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 300)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    first = in_short(back(shop, 300))
    asked = [question.reason for question in shop.payment().questions]
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="the console's"))
    again = in_short(back(shop, 300))

    assert ("CancelPending", ["cancel_ambiguous"]) == (first, asked)
    assert WhyNot.OUTCOME_UNKNOWN == again
    assert (1, 300) == (shop.bootpay.calls["cancel"], gone_back(shop, receipt_id))


def test_a_refused_cancel_of_the_rest_is_done_where_nothing_is_left(shop: Shop) -> None:
    """Whoever sent it, the buyer has everything back."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    told = in_short(back(shop))

    assert ((1000, 1000, False), State.CANCELLED, 1000) == (told, shop.state(), gone_back(shop, receipt_id))


def test_no_time_left_begins_nothing(shop: Shop) -> None:
    """An answer that would come too late to be written is not asked for."""
    paid(shop)
    with pytest.raises(OutOfTime):
        back(shop, 300, within_s=2.0)

    assert (0, State.PAID) == (shop.bootpay.calls["cancel"], shop.state())


def written_off(shop: Shop, amount: int | None = 300, key: str = "k1") -> ReceiptId:
    """A part of 1000, or all of it, left for Bootpay, was lost for all one could see, and was given up."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    assert isinstance(back(shop, amount, key), CancelPending)
    for _ in range(20):
        shop.clock.advance(60)
        shop.reconcile()
    assert (State.PAID, "undone") == (shop.state(), shop.payment().requests[0].outcome)
    return receipt_id


def test_what_was_written_off_is_looked_for_before_it_is_sent_again(shop: Shop) -> None:
    """It had its effect after all: asked again under its key, it is told, and nothing leaves twice."""
    receipt_id = written_off(shop)
    shop.bootpay.ledger.cancel(receipt_id, 300)
    told = back(shop, 300)

    assert isinstance(told, CancelDone)
    assert (1, 300, 300) == (
        shop.bootpay.calls["cancel"],
        told.request.cancelled,
        shop.bootpay.ledger.find(receipt_id).cancelled_price,
    )


def test_what_was_written_off_is_not_sent_again_unseen(shop: Shop) -> None:
    """While Bootpay cannot be asked nothing leaves; afterwards it goes once."""
    receipt_id = written_off(shop)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    blind = back(shop, 300)
    seen = back(shop, 300)

    assert (CancelPending, CancelDone) == (type(blind), type(seen))
    assert (2, 300) == (shop.bootpay.calls["cancel"], shop.bootpay.ledger.find(receipt_id).cancelled_price)


def test_that_the_repeat_never_left_says_nothing_of_the_first(shop: Shop) -> None:
    """Late money of the first attempt still counts as the shop's own cancel."""
    receipt_id = written_off(shop)
    shop.bootpay.on("cancel", Fault.NOT_SENT)
    with pytest.raises(NotSent):
        back(shop, 300)
    shop.bootpay.ledger.cancel(receipt_id, 300)
    told = back(shop, 300)

    assert isinstance(told, CancelDone)
    assert 300 == shop.bootpay.ledger.find(receipt_id).cancelled_price


def test_a_refused_repeat_hides_nothing_where_a_console_was_there_too(shop: Shop) -> None:
    """500 are gone, the first 300 may be among them: the answer is that it is not known, and a person is asked."""
    receipt_id = written_off(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    shop.bootpay.meanwhile("cancel", lambda: shop.bootpay.ledger.outside_cancel(receipt_id, 500))
    told = back(shop, 300)
    again = back(shop, 300)

    assert (CancelPending, CancelPending) == (type(told), type(again))
    assert (State.ATTENTION, "cancel_ambiguous", 500, "unknown") == (
        shop.state(),
        shop.payment().reason,
        shop.payment().cancelled,
        shop.payment().requests[0].outcome,
    )


def test_a_cancel_that_no_sum_explains_never_leaves_again(shop: Shop) -> None:
    """A person has looked: under its key nothing is sent any more, and another key says what is still wanted."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_AFTER)
    shop.bootpay.meanwhile("cancel", lambda: shop.bootpay.ledger.outside_cancel(receipt_id, 100))
    told = back(shop, 300)
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="seen"))
    repeated = back(shop, 300)

    assert (CancelPending, State.PAID) == (type(told), shop.state())
    assert WhyNot.OUTCOME_UNKNOWN == in_short(repeated)
    assert (1, 400, 400) == (
        shop.bootpay.calls["cancel"],
        shop.payment().cancelled,
        gone_back(shop, receipt_id),
    )


def test_what_a_larger_outside_cancel_may_hide_is_not_sent_again(shop: Shop) -> None:
    """300 were written off, 400 were found gone: the 300 may be among them, so their key sends nothing more."""
    receipt_id = written_off(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 400)
    told = in_short(back(shop, 300))

    assert (WhyNot.OUTCOME_UNKNOWN, State.PAID) == (told, shop.state())
    assert (1, 400) == (shop.bootpay.calls["cancel"], gone_back(shop, receipt_id))


def test_what_a_smaller_outside_cancel_cannot_hide_is_sent_again(shop: Shop) -> None:
    """300 were written off and only 200 are gone: the 300 are not among them, and go now."""
    receipt_id = written_off(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 200)
    told = back(shop, 300)

    assert isinstance(told, CancelDone)
    assert (2, 500) == (shop.bootpay.calls["cancel"], gone_back(shop, receipt_id))


def test_an_effect_that_comes_late_ends_no_other_cancel_as_done(shop: Shop) -> None:
    """500 of a written-off cancel come while 300 of another are in doubt: the 500 are told, the 300 are not."""
    receipt_id = written_off(shop, 500, key="first")
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    told = back(shop, 300, key="second")
    shop.bootpay.ledger.cancel(receipt_id, 500)
    shop.clock.advance(60)
    shop.reconcile()
    outcomes = {request.amount: request.outcome for request in shop.payment().requests}

    assert (CancelPending, {500: "done", 300: "unknown"}) == (type(told), outcomes)
    assert (State.ATTENTION, 500) == (shop.state(), gone_back(shop, receipt_id))


def test_a_cancel_in_doubt_whose_money_comes_after_all_is_told_as_the_shops(shop: Shop) -> None:
    """A person has looked, then exactly its 300 go back: done under its key, not another one's."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    back(shop, 300)
    shop.bootpay.ledger.outside_cancel(receipt_id, 500)
    shop.clock.advance(60)
    shop.reconcile()
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="seen"))
    in_doubt = in_short(back(shop, 300))
    shop.bootpay.ledger.cancel(receipt_id, 300)
    shop.clock.advance(3 * 86_400)
    shop.reconcile()

    assert (WhyNot.OUTCOME_UNKNOWN, (300, 800, True)) == (in_doubt, in_short(back(shop, 300)))
    assert ["outside", "shop"] == [owed.data["origin"] for owed in shop.owed() if "cancelled" in owed.type]
    assert 1 == shop.bootpay.calls["cancel"]


def test_an_effect_that_comes_late_and_takes_everything_leaves_no_cancel_under_way(shop: Shop) -> None:
    """The whole was written off and comes while 300 are in doubt: nothing is left, and nothing is in flight."""
    receipt_id = written_off(shop, 1000, key="first")
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    back(shop, 300, key="second")
    shop.bootpay.ledger.cancel(receipt_id)
    shop.clock.advance(60)
    shop.reconcile()
    outcomes = {request.amount: request.outcome for request in shop.payment().requests}

    assert (State.CANCELLED, {1000: "done", 300: "unknown"}) == (shop.state(), outcomes)
    assert [(1000, 1000, True), WhyNot.ALREADY_CANCELLED] == [
        in_short(back(shop, 1000, "first")),
        in_short(back(shop, 300, "second")),
    ]


def test_a_whole_cancel_that_comes_late_takes_what_a_console_left(shop: Shop) -> None:
    """All of 1000 were written off, a console took 200: the late 800 are told as the shop's, and are done."""
    receipt_id = written_off(shop, None)
    shop.bootpay.ledger.outside_cancel(receipt_id, 200)
    compared(shop)
    shop.bootpay.ledger.cancel(receipt_id)
    compared(shop)

    assert (State.CANCELLED, (800, 1000, True)) == (shop.state(), in_short(back(shop)))
    assert [("outside", 200), ("shop", 800)] == whose(shop)
    assert 1 == shop.bootpay.calls["cancel"]


def test_a_whole_cancel_that_comes_late_gives_back_the_tax_free_part_that_was_left(shop: Shop) -> None:
    """A console took 100 of the 300 free of tax: the late rest is told with its 200."""
    receipt_id = paid(shop, tax_free=300)
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    assert isinstance(back(shop), CancelPending)
    shop.clock.advance(660)
    shop.reconcile()
    shop.bootpay.ledger.outside_cancel(receipt_id, 800)
    compared(shop)
    shop.bootpay.ledger.cancel(receipt_id)
    compared(shop)
    request = shop.payment().requests[0]

    assert ("done", 200, 200) == (request.outcome, request.amount, request.tax_free)


def test_a_whole_cancel_stays_whole_though_its_repeat_named_what_was_left(shop: Shop) -> None:
    """Its repeat asked for 800 and was refused, a console took 100 more: the first one's 700 are the shop's."""
    receipt_id = written_off(shop, None)
    shop.bootpay.ledger.outside_cancel(receipt_id, 200)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    refused = in_short(back(shop))
    shop.bootpay.ledger.outside_cancel(receipt_id, 100)
    compared(shop)
    shop.bootpay.ledger.cancel(receipt_id)
    compared(shop)

    assert (WhyNot.CANCEL_REFUSED, (700, 1000, True)) == (refused, in_short(back(shop)))
    assert [("outside", 200), ("outside", 100), ("shop", 700)] == whose(shop)


def test_what_is_left_of_a_whole_cancel_that_never_left_is_a_consoles(shop: Shop) -> None:
    """Nothing of it can come: a console that takes all of 1000 in two parts is told twice."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.NOT_SENT)
    with pytest.raises(NotSent):
        back(shop)
    for amount in (200, 800):
        shop.bootpay.ledger.outside_cancel(receipt_id, amount)
        compared(shop)

    assert [("outside", 200), ("outside", 800)] == whose(shop)


def test_a_part_of_what_is_left_is_never_taken_for_a_whole_cancel(shop: Shop) -> None:
    """A whole cancel leaves nothing: 200 and then 500 of 1000 are a console's, and the whole is still awaited."""
    receipt_id = written_off(shop, None)
    for amount in (200, 500):
        shop.bootpay.ledger.outside_cancel(receipt_id, amount)
        compared(shop)

    assert [("outside", 200), ("outside", 500)] == whose(shop)
    assert (State.PAID, "undone") == (shop.state(), shop.payment().requests[0].outcome)


def test_a_part_that_a_late_whole_cancel_may_hide_is_not_told_as_refused(shop: Shop) -> None:
    """300 were refused on repeat, then all is gone: the 300 came before the rest, or not; nobody can tell."""
    receipt_id = written_off(shop, None, key="whole")
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    back(shop, 300, "part")
    shop.clock.advance(660)
    shop.reconcile()
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    refused = in_short(back(shop, 300, "part"))
    shop.bootpay.ledger.cancel(receipt_id, 300)
    shop.bootpay.ledger.cancel(receipt_id)
    compared(shop)
    answers = (in_short(back(shop, None, "whole")), in_short(back(shop, 300, "part")))

    assert WhyNot.CANCEL_REFUSED == refused
    assert ((1000, 1000, True), WhyNot.ALREADY_CANCELLED) == answers


def test_one_of_two_whole_cancels_that_come_late_is_not_told_as_refused(shop: Shop) -> None:
    """Both left and either may have taken what a console left: one is done, and nobody hears that nothing went back."""
    receipt_id = written_off(shop, None, key="one")
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    back(shop, None, "other")
    shop.clock.advance(660)
    shop.reconcile()
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    refused = in_short(back(shop, None, "other"))
    shop.bootpay.ledger.outside_cancel(receipt_id, 200)
    compared(shop)
    shop.bootpay.ledger.cancel(receipt_id)
    compared(shop)
    answers = (in_short(back(shop, None, "one")), in_short(back(shop, None, "other")))

    assert WhyNot.CANCEL_REFUSED == refused
    assert ((800, 1000, True), WhyNot.ALREADY_CANCELLED) == answers


def test_a_part_that_a_console_may_hide_in_the_rest_is_not_told_as_refused(shop: Shop) -> None:
    """300 were refused on repeat, then all of 1000 is gone: whether the 300 are among it, no sum can tell."""
    receipt_id = written_off(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    refused = in_short(back(shop, 300))
    shop.bootpay.ledger.outside_cancel(receipt_id)
    compared(shop)

    assert (WhyNot.CANCEL_REFUSED, WhyNot.ALREADY_CANCELLED) == (refused, in_short(back(shop, 300)))


def test_a_cancel_in_doubt_is_done_where_nothing_is_left(shop: Shop) -> None:
    """Its 300 went back unheard and a console took the other 700: ours is among it, for there is nothing else."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.LOST_AFTER)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    back(shop, 300)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    compared(shop)

    assert ((300, 1000, True), State.CANCELLED) == (in_short(back(shop, 300)), shop.state())
    assert [("outside", 1000)] == whose(shop)


def test_a_part_that_comes_late_casts_no_doubt_on_a_smaller_one(shop: Shop) -> None:
    """300 and 200 were written off, and 300 come: they are the 300 and nothing else, so the 200 may leave again."""
    receipt_id = written_off(shop, 300, key="larger")
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    back(shop, 200, "smaller")
    shop.clock.advance(660)
    shop.reconcile()
    shop.bootpay.ledger.cancel(receipt_id, 300)
    compared(shop)
    answers = (in_short(back(shop, 300, "larger")), in_short(back(shop, 200, "smaller")))

    assert ((300, 300, True), (200, 500, False)) == answers
    assert 500 == gone_back(shop, receipt_id)


def test_a_whole_cancel_that_never_left_makes_no_whole_of_its_repeat(shop: Shop) -> None:
    """Only the repeat left, for 800: a console that takes them in two parts is told twice, the second as its own."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.NOT_SENT)
    with pytest.raises(NotSent):
        back(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 200)
    compared(shop)
    shop.bootpay.on("cancel", Fault.LOST_BEFORE)
    back(shop)
    shop.clock.advance(660)
    shop.reconcile()
    for amount in (300, 500):
        shop.bootpay.ledger.outside_cancel(receipt_id, amount)
        compared(shop)

    assert [("outside", 200), ("outside", 300), ("outside", 500)] == whose(shop)
    assert (State.CANCELLED, "undone") == (shop.state(), shop.payment().requests[0].outcome)


def test_a_whole_cancel_stays_whole_though_two_repeats_named_what_was_left(shop: Shop) -> None:
    """It left for 1000, for 800 and for 700, and a console took 100 more: the first one's 600 are the shop's."""
    receipt_id = written_off(shop, None)
    for amount in (200, 100):
        shop.bootpay.ledger.outside_cancel(receipt_id, amount)
        compared(shop)
        shop.bootpay.on("cancel", Fault.LOST_BEFORE)
        back(shop)
        shop.clock.advance(660)
        shop.reconcile()
    shop.bootpay.ledger.outside_cancel(receipt_id, 100)
    compared(shop)
    shop.bootpay.ledger.cancel(receipt_id)
    compared(shop)

    assert (600, 1000, True) == in_short(back(shop))
    assert [("outside", 200), ("outside", 100), ("outside", 100), ("shop", 600)] == whose(shop)
    assert 3 == shop.bootpay.calls["cancel"]


def compared(shop: Shop) -> None:
    """Bootpay has been asked about the order once more, however rarely that comes."""
    shop.clock.advance(30 * 86_400)
    shop.reconcile()


def whose(shop: Shop) -> list[tuple[object, object]]:
    """Whose cancels the history tells of, and how much each gave back."""
    steps = shop.backend.history(OrderId("o1"))
    return [(step.data["origin"], step.data["amount"]) for step in steps if "origin" in step.data]


@pytest.mark.parametrize("before", [True, False])
def test_a_look_that_another_cancel_overtook_is_made_again(shop: Shop, before: bool) -> None:
    """The written-off 300 come before or after the look, beside which another cancel begins: nothing leaves twice."""
    receipt_id = written_off(shop)
    if before:
        shop.bootpay.ledger.cancel(receipt_id, 300)
    now, rules = shop.clock.now(), shop.world.rules
    other = WantedCancel(amount=200, tax_free=None, reason="다른 환불")
    terms, key = CancelTerms(200, 0, whole=False), key_of(OrderId("o1"), "k2")

    def begin() -> None:
        record = shop.backend.load(OrderId("o1"))
        assert record is not None
        shop.backend.commit(record, intend_cancel(record, terms, other, key, rules, now))

    def end() -> None:
        record = shop.backend.load(OrderId("o1"))
        assert record is not None
        never_left = {"undone": True, "code": "not_sent"}
        shop.backend.commit(record, cancel_refused(record, shop.clock.now(), "shop", never_left))
        if not before:
            shop.bootpay.ledger.cancel(receipt_id, 300)

    shop.bootpay.meanwhile("receipt", begin)
    shop.clock.after(0.05, end)
    told = in_short(back(shop, 300))

    assert ((300, 300, True), 1, 300) == (
        told,
        shop.bootpay.calls["cancel"],
        gone_back(shop, receipt_id),
    )


def test_a_new_cancel_of_the_same_amount_is_not_taken_for_the_written_off_one(shop: Shop) -> None:
    """Each key has its own end."""
    written_off(shop)
    told = in_short(back(shop, 300, "k2"))

    assert (300, 300, False) == told
    assert ["undone", "done"] == [request.outcome for request in shop.payment().requests]


def test_an_effect_that_comes_late_is_told_as_the_shops_own(shop: Shop) -> None:
    """Found by a comparison days later: the notice names the shop, and the key is done."""
    receipt_id = written_off(shop)
    shop.bootpay.ledger.cancel(receipt_id, 300)
    shop.clock.advance(3 * 86_400)
    shop.reconcile()

    assert ("shop", "done") == (shop.owed()[-1].data["origin"], shop.payment().requests[0].outcome)


def test_an_effect_that_comes_after_its_repeat_was_refused_is_told_as_the_shops_own(shop: Shop) -> None:
    """Bootpay refused the repeat and did the first one all the same: the key is done, and nothing else is told."""
    receipt_id = written_off(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    refused = in_short(back(shop, 300))
    shop.bootpay.ledger.cancel(receipt_id, 300)
    shop.clock.advance(3 * 86_400)
    shop.reconcile()

    assert (WhyNot.CANCEL_REFUSED, (300, 300, True)) == (refused, in_short(back(shop, 300)))
    assert "shop" == shop.owed()[-1].data["origin"]


def test_a_first_attempt_that_was_refused_is_not_waited_for(shop: Shop) -> None:
    """Nothing of it had left before: as much that goes back later is somebody else's."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    back(shop, 300)
    shop.bootpay.ledger.outside_cancel(receipt_id, 300)
    shop.clock.advance(3 * 86_400)
    shop.reconcile()

    assert ("outside", "refused") == (shop.owed()[-1].data["origin"], shop.payment().requests[0].outcome)


def never_left(shop: Shop) -> ReceiptId:
    """300 of 1000 that did not even reach the network."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", Fault.NOT_SENT)
    with pytest.raises(NotSent):
        back(shop, 300)
    return receipt_id


def test_what_never_left_is_sent_again_without_a_look(shop: Shop) -> None:
    """There is nothing to look for."""
    never_left(shop)
    looks = shop.bootpay.calls["receipt"]
    told = in_short(back(shop, 300))

    assert ((300, 300, False), looks) == (told, shop.bootpay.calls["receipt"])


def test_what_never_left_is_not_waited_for(shop: Shop) -> None:
    """As much that goes back later is somebody else's."""
    receipt_id = never_left(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 300)
    shop.clock.advance(3 * 86_400)
    shop.reconcile()

    assert ("outside", "undone") == (shop.owed()[-1].data["origin"], shop.payment().requests[0].outcome)


def test_a_refused_repeat_of_what_never_left_is_refused_whatever_a_console_gave_back(shop: Shop) -> None:
    """None of the 500 can be ours: nobody is asked."""
    receipt_id = never_left(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    shop.bootpay.meanwhile("cancel", lambda: shop.bootpay.ledger.outside_cancel(receipt_id, 500))

    assert (WhyNot.CANCEL_REFUSED, State.PAID) == (in_short(back(shop, 300)), shop.state())


def test_a_cancel_that_a_person_is_called_about_is_still_pending(shop: Shop) -> None:
    """Its receipt cannot be read for an hour: the repeat hears what the first heard, and sends nothing."""
    receipt_id = paid(shop)
    kept = shop.bootpay.ledger.state.receipts[receipt_id]
    shop.bootpay.on("cancel", Fault.LOST_AFTER)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    first = back(shop, 300)
    del shop.bootpay.ledger.state.receipts[receipt_id]
    shop.bootpay.ledger.state.by_order.clear()
    shop.clock.advance(46 * 60)
    shop.reconcile()
    shop.bootpay.ledger.state.receipts[receipt_id] = kept
    again = back(shop, 300)

    assert "cancel_unresolved" == shop.payment().reason
    assert (CancelPending, CancelPending) == (type(first), type(again))
    assert (1, 300) == (shop.bootpay.calls["cancel"], kept.cancelled_price)


def test_a_cancel_of_a_receipt_that_a_person_let_be_is_followed(shop: Shop) -> None:
    """Its receipt names another order, and a person has dismissed that: what goes back is seen, and nobody called."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.tamper(receipt_id, {"order_id": "another"})
    compared(shop)
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="known"))
    done = in_short(back(shop, 300))
    shop.bootpay.ledger.outside_cancel(receipt_id, 200)
    compared(shop)
    compared(shop)

    assert ((300, 300, False), State.PAID) == (done, shop.state())
    assert [("shop", 300), ("outside", 200)] == whose(shop)


def test_a_lost_cancel_of_a_receipt_that_a_person_let_be_is_looked_for(shop: Shop) -> None:
    """Its 300 have gone back unseen: under its key nothing leaves a second time, whatever order the receipt names."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.tamper(receipt_id, {"order_id": "another"})
    compared(shop)
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="known"))
    shop.bootpay.on("cancel", Fault.LOST_AFTER)
    shop.bootpay.on("receipt", Fault.NOT_SENT)
    assert isinstance(back(shop, 300), CancelPending)
    compared(shop)

    assert ((300, 300, True), State.PAID) == (in_short(back(shop, 300)), shop.state())
    assert (1, 300) == (shop.bootpay.calls["cancel"], gone_back(shop, receipt_id))


def test_a_cancel_whose_receipt_names_another_order_all_at_once_is_not_sent_twice(shop: Shop) -> None:
    """A person lets it be while 300 are in doubt, which have gone back: under its key nothing leaves again."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.tamper(receipt_id, {"order_id": "another"})
    pending = back(shop, 300)
    shop.run(resolve(shop.world, OrderId("o1"), Resolution.DISMISS, who="mina", reason="known"))
    told = in_short(back(shop, 300))

    assert (CancelPending, (300, 300, True)) == (type(pending), told)
    assert (1, 300) == (shop.bootpay.calls["cancel"], gone_back(shop, receipt_id))


# Others at the same time


def test_a_smaller_outside_cancel_meanwhile_is_not_taken_for_ours(shop: Shop) -> None:
    """The console gave back 100, our 300 was refused: nothing of ours went back, and the shop learns of the 100."""
    receipt_id = paid(shop)
    shop.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR"))
    shop.bootpay.meanwhile("cancel", lambda: shop.bootpay.ledger.outside_cancel(receipt_id, 100))
    told = in_short(back(shop, 300))
    shop.deliver()

    assert (WhyNot.CANCEL_REFUSED, "order.partially_cancelled") == (told, shop.receiver.told[-1])
    assert ((State.PAID, 100), 100) == (
        (shop.state(), shop.payment().cancelled),
        gone_back(shop, receipt_id),
    )


def test_a_refused_cancel_is_never_told_as_done_whatever_the_console_gave_back(shop: Shop) -> None:
    """The console gave back 900 unseen, our 300 was refused: the shop hears the refusal, and of the 900."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 900)
    told = in_short(back(shop, 300))

    assert WhyNot.CANCEL_REFUSED == told
    assert ("refused", 900, 900) == (
        shop.payment().requests[0].outcome,
        shop.payment().cancelled,
        gone_back(shop, receipt_id),
    )


def test_an_answered_cancel_is_done_though_a_console_was_there_before(shop: Shop) -> None:
    """Bootpay said yes to ours: it is told as the shop's, the other as somebody else's, and no person is asked."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id, 300)
    done = back(shop, 400)
    steps = [event for event in shop.backend.history(OrderId("o1")) if "origin" in event.data]

    assert isinstance(done, CancelDone)
    assert ("done", 400, 700) == (done.request.outcome, done.request.cancelled, shop.payment().cancelled)
    assert [("shop", 400), ("outside", 300)] == [(step.data["origin"], step.data["amount"]) for step in steps]
    assert (State.PAID, 700) == (shop.state(), gone_back(shop, receipt_id))


def test_an_outside_cancel_of_everything_leaves_nothing_for_ours(shop: Shop) -> None:
    """Found when Bootpay refuses; the order is cancelled."""
    receipt_id = paid(shop)
    shop.bootpay.ledger.outside_cancel(receipt_id)
    back(shop, 300)

    assert (State.CANCELLED, 1000, 1000) == (
        shop.state(),
        shop.payment().cancelled,
        gone_back(shop, receipt_id),
    )


def test_surplus_money_that_goes_back_meanwhile_does_not_make_us_forget_the_answer(shop: Shop) -> None:
    """Another step on the same order between our call and our commit: decided afresh, told at once."""
    paid(shop)
    second = shop.bootpay.pay("o1", 1000)
    shop.verify(second)
    shop.bootpay.meanwhile("cancel", lambda: shop.deliver())
    told = in_short(back(shop, 300))

    assert ((300, 300, False), 300, State.PAID) == (told, shop.payment().cancelled, shop.state())
    assert "money_returned" in shop.whats()


def test_unknown_and_unpaid_orders_have_nothing_to_give_back(shop: Shop) -> None:
    """Each told apart, and Bootpay is not asked."""
    unknown = back(shop)
    shop.order()

    assert (OrderUnknown(), WhyNot.NOT_PAID) == (unknown, in_short(back(shop)))
    assert 0 == shop.bootpay.calls.total()


def test_an_order_that_waits_for_a_person_is_left_to_them(shop: Shop) -> None:
    """The person may just be sending the money back by hand."""
    shop.order()
    receipt_id = shop.bootpay.issue("o1", 1000)
    shop.verify(receipt_id)
    shop.bootpay.ledger.deposit(receipt_id)
    shop.hear(receipt_id)
    shop.bootpay.ledger.revert(receipt_id)
    shop.clock.advance(3_700)
    shop.reconcile()

    assert (State.ATTENTION, WhyNot.NEEDS_A_PERSON) == (shop.state(), in_short(back(shop)))


def test_sixteen_threads_never_give_back_more_than_was_paid(tmp_path: Path) -> None:
    """300 of 1000 wanted sixteen times at once, over one file: three succeed, and the books agree."""
    clock = PretendClock()
    bootpay = PretendBootpay(clock)
    setup = SqliteBackend(tmp_path / "dojang.db")
    world = World(store=AwaitedStore(setup, inline), gateway=bootpay, clock=clock)
    order = Order(id=OrderId("o1"), price=Money(1000), name="양말")
    run(register_order(world, order))
    receipt_id = bootpay.pay("o1", 1000)
    run(verify(world, order.id, receipt_id))

    def contend(number: int) -> Any:
        backend = SqliteBackend(tmp_path / "dojang.db", busy_timeout_s=30)
        own = replace(world, store=AwaitedStore(backend, inline), clock=PretendClock())
        wanted = WantedCancel(amount=300, tax_free=None, reason="환불")
        while True:
            told = run(cancel(own, order.id, f"k{number}", wanted))
            if not (isinstance(told, CancelNotDone) and told.refusal.why is WhyNot.CANCEL_IN_PROGRESS):
                backend.close()
                return told

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(contend, range(16)))
    record = setup.load(order.id)
    assert record is not None

    assert not [told for told in outcomes if isinstance(told, CancelPending)]
    assert [300, 600, 900] == sorted(told.cancelled for told in outcomes if isinstance(told, CancelDone))
    assert (900, 900) == (record.payment.cancelled, bootpay.ledger.find(receipt_id).cancelled_price)
    setup.close()


def test_sixteen_threads_with_the_same_key_are_one_cancel(tmp_path: Path) -> None:
    """A client that panics and sends everything again: the money goes back once."""
    clock = PretendClock()
    bootpay = PretendBootpay(clock)
    setup = SqliteBackend(tmp_path / "dojang.db")
    world = World(store=AwaitedStore(setup, inline), gateway=bootpay, clock=clock)
    order = Order(id=OrderId("o1"), price=Money(1000), name="양말")
    run(register_order(world, order))
    receipt_id = bootpay.pay("o1", 1000)
    run(verify(world, order.id, receipt_id))
    wanted = WantedCancel(amount=300, tax_free=None, reason="환불")

    def contend(_: int) -> Any:
        backend = SqliteBackend(tmp_path / "dojang.db", busy_timeout_s=30)
        told = run(cancel(replace(world, store=AwaitedStore(backend, inline)), order.id, "k1", wanted))
        backend.close()
        return told

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(contend, range(16)))
    done = [told for told in outcomes if isinstance(told, CancelDone)]
    others = {told.refusal.why for told in outcomes if isinstance(told, CancelNotDone)}

    assert (1, 300) == (bootpay.calls["cancel"], bootpay.ledger.find(receipt_id).cancelled_price)
    assert [False] == [told.replayed for told in done if not told.replayed]
    assert others <= {WhyNot.CANCEL_IN_PROGRESS}
    setup.close()
