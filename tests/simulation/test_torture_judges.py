"""The judges of the kill proof must see what is wrong, or their silence proves nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torture.ledgers import Ledgers
from torture.notes import CancelNote
from torture.shop import Arrival, Asked
from torture_books import (
    GOOD,
    OTHER,
    PRICE,
    TAX_FREE,
    accepted,
    approved,
    arrival,
    cancelled_in_part,
    cancelled_whole,
    decided,
    delivery,
    dismissed,
    emptied_in_a_console,
    event,
    held,
    ledgers,
    order_of,
    receipt,
    said,
    second_returned,
    sent_back,
    step,
    told,
    unpaid,
)


@pytest.mark.parametrize(
    "story",
    [
        *(ledgers, unpaid, cancelled_in_part, cancelled_whole, second_returned, emptied_in_a_console),
        *(held, dismissed, sent_back, accepted, approved),
    ],
)
def test_the_judges_are_silent_where_all_is_well(story: Callable[[], Ledgers]) -> None:
    """Paid, cancelled, returned, held and decided as it must be: nothing is found."""
    assert [] == story().deviations()


# What is planted: the story it is planted in, what goes wrong, and a word of what must be said about it.


def lost_delivery(books: Ledgers) -> None:
    """The store says it was told, the shop never heard."""
    books.arrivals["o-1"].clear()


def second_id(books: Ledgers) -> None:
    """The same payment under another id."""
    books.arrivals["o-1"].append(arrival(id_="o-1:2:order_paid_again"))


def second_money(books: Ledgers) -> None:
    """A second receipt holds money and nobody sends it back."""
    books.receipts["o-1"].append(receipt(OTHER))


def money_gone(books: Ledgers) -> None:
    """Goods were owed, and Bootpay has no money."""
    books.receipts["o-1"][0]["status"] = 2


def wrong_price(books: Ledgers) -> None:
    """The receipt that pays is a won short."""
    books.receipts["o-1"][0]["price"] = PRICE - 1


def wrong_tax_free_part(books: Ledgers) -> None:
    """The receipt that pays has another part free of tax."""
    books.receipts["o-1"][0]["tax_free"] = TAX_FREE + 1


def not_paid(books: Ledgers) -> None:
    """Good money is there and the order open."""
    books.receipts["o-1"].append(receipt())


def pending(books: Ledgers) -> None:
    """An intent was left behind."""
    order_of(books)["state"] = "pending"


def still_owed(books: Ledgers) -> None:
    """A delivery was left behind."""
    order_of(books)["deliveries"][0]["state"] = "due"


def unseen_cancel(books: Ledgers) -> None:
    """Money went back and the store does not know."""
    books.receipts["o-1"][0]["cancelled_price"] = 400


def double_cancel(books: Ledgers) -> None:
    """One key moved its money twice."""
    books.notes["o-1"].cancels[0].amount = 200


def cancelled_by_nobody(books: Ledgers) -> None:
    """All of it went back, and the one who might have wanted that was told no."""
    books.notes["o-1"].cancels[1].outcome = books.notes["o-1"].cancels[2].outcome = "no"


def answered_too_little(books: Ledgers) -> None:
    """The shop was told that all of it is cancelled, and a part was."""
    books.notes["o-1"].cancels.append(CancelNote("l", None, "done"))


def too_much_back(books: Ledgers) -> None:
    """More went back than was paid."""
    books.receipts["o-1"][0]["cancelled_price"] = PRICE + 1


def still_paid(books: Ledgers) -> None:
    """All of it went back, and the order counts as paid."""
    order_of(books)["state"] = "paid"


def held_and_gone(books: Ledgers) -> None:
    """A person is asked about money that has gone back."""
    books.receipts["o-1"][1].update(status=20, cancelled_price=PRICE)


def never_returned(books: Ledgers) -> None:
    """What must go back has not gone yet."""
    order_of(books)["receipts"][1]["fate"] = "owed_back"


def never_taken(books: Ledgers) -> None:
    """The order is paid by a receipt that Bootpay does not have."""
    books.receipts["o-1"].clear()


def paid_by_another(books: Ledgers) -> None:
    """The order is paid by one receipt, its history by another."""
    books.histories["o-1"][1]["receipt_id"] = OTHER


def two_versions_of_it(books: Ledgers) -> None:
    """The second time it was told, the words were others."""
    books.arrivals["o-1"].append(arrival(metadata={"seat": 7}))


def fulfilled_without_a_receipt(books: Ledgers) -> None:
    """The shop was told that it is paid, and nothing pays for it."""
    order_of(books)["receipts"].clear()


def told_by_nobody(books: Ledgers) -> None:
    """The shop was told, and the store knows nothing of it."""
    order_of(books)["deliveries"].clear()


def forged(books: Ledgers) -> None:
    """Somebody else signed it."""
    first = books.arrivals["o-1"][0]
    books.arrivals["o-1"][0] = Arrival(first.delivery_id, first.type, first.data, 200, genuine=False)


def taken_back(books: Ledgers) -> None:
    """A buyer was told that another receipt pays."""
    books.notes["o-1"].told_paid.add(OTHER)


def changed_mind(books: Ledgers) -> None:
    """A buyer was told that the amount is wrong, and it pays."""
    books.notes["o-1"].told_refused[GOOD] = "amount_mismatch"


def late_after_all(books: Ledgers) -> None:
    """A buyer was told that the money came too late, nobody decided otherwise, and it pays."""
    books.notes["o-1"].told_refused[GOOD] = "order_expired"


def given_up(books: Ledgers) -> None:
    """A person is called for what the machine should have finished."""
    order_of(books).update(state="attention", reason="delivery_failed")
    step(books, "attention", reason="delivery_failed")


def asked_about_nothing(books: Ledgers) -> None:
    """A person is still asked although the money has gone back."""
    order_of(books).update(state="attention", reason="order_already_paid")


def hole(books: Ledgers) -> None:
    """A step of the history is missing."""
    books.histories["o-1"].pop(0)


def out_of_order(books: Ledgers) -> None:
    """The cancel was told before the payment."""
    books.arrivals["o-1"].reverse()


def unknown_order(books: Ledgers) -> None:
    """Bootpay has a payment of an order that was lost."""
    books.receipts["o-2"] = [receipt(OTHER, order_id="o-2")]  # type: ignore[index]


def cancel_untold(books: Ledgers) -> None:
    """Part of it went back, and the shop never heard."""
    books.arrivals["o-1"].pop()
    order_of(books)["deliveries"].pop()


def cancel_that_never_was(books: Ledgers) -> None:
    """The shop is told of a cancel that the history does not have."""
    told(books, 2, "order.cancelled", state="cancelled", cancelled=PRICE)


def cancel_told_too_big(books: Ledgers) -> None:
    """The shop is told that more went back than did."""
    books.arrivals["o-1"][1].data["cancelled"] = 401


def told_another_price(books: Ledgers) -> None:
    """The shop is told that a won was paid."""
    books.arrivals["o-1"][0].data["price"] = 1


def told_another_state(books: Ledgers) -> None:
    """The shop is told that it is paid, and open."""
    books.arrivals["o-1"][0].data["state"] = "open"


def told_another_receipt(books: Ledgers) -> None:
    """The shop is told that another receipt pays."""
    books.arrivals["o-1"][0].data["receipt_id"] = OTHER


def told_against_the_books(books: Ledgers) -> None:
    """Notice, history and store agree that a part went back; by Bootpay's books none did."""
    books.receipts["o-1"][0].update(cancelled_price=0, cancelled_tax_free=0)


def returned_under_two_ids(books: Ledgers) -> None:
    """The money that went back is told twice, under two ids."""
    last = order_of(books)["version"]
    id_ = f"o-1:{last}:order_money_returned_again"
    order_of(books)["deliveries"].append(delivery(id_))
    again = arrival(last, "order.money_returned", id_, receipt_id=OTHER, returned=PRICE)
    books.arrivals["o-1"].append(again)


def returned_too_little(books: Ledgers) -> None:
    """The shop is told that a won went back."""
    books.arrivals["o-1"][-1].data["returned"] = 1


def returned_twice(books: Ledgers) -> None:
    """The history has the same money going back twice."""
    version = step(books, "money_returned", receipt_id=OTHER, amount=PRICE)
    told(books, version, "order.money_returned", receipt_id=OTHER, returned=PRICE)


def returned_in_part(books: Ledgers) -> None:
    """It counts as returned, and a part of it is still there."""
    books.receipts["o-1"][1].update(cancelled_price=PRICE - 1)


def decided_twice(books: Ledgers) -> None:
    """What becomes of the money was decided once more, by other rules."""
    step(books, "surplus_found", receipt_id=OTHER, fate="held", reason="order_already_paid")


def gone_without_a_word(books: Ledgers) -> None:
    """A good payment went back whole, the order is open, and the history is silent."""
    gone = receipt(status=20, cancelled_price=PRICE, cancelled_tax_free=TAX_FREE)
    books.receipts["o-1"].append(gone)


def nobody_was_at_the_console(books: Ledgers) -> None:
    """It counts as cancelled by others, and nobody had cancelled it."""
    books.notes["o-1"].console = 0


def console_unmentioned(books: Ledgers) -> None:
    """A console took it, and the history has no word of it."""
    books.histories["o-1"][-1] = event(2, "account_withdrawn")


def tax_free_part_of_the_cancel(books: Ledgers) -> None:
    """Another part of what went back was free of tax."""
    books.histories["o-1"][-1]["cancelled_tax_free"] = 0


def never_agreed(books: Ledgers) -> None:
    """The shop had declined, and the money was taken."""
    books.asked["o-1"].pop()


def never_asked(books: Ledgers) -> None:
    """The money waited for the shop's word, and nobody asked for it."""
    books.asked["o-1"].clear()


def forged_question(books: Ledgers) -> None:
    """Somebody else asked the shop."""
    books.asked["o-1"][0] = Asked("o-1", GOOD, approved=False, genuine=False)


def nobody_asked(books: Ledgers) -> None:
    """Money is held, the order goes on, and no person is asked."""
    order_of(books).update(state="paid")


def word_lost(books: Ledgers) -> None:
    """A person was answered, and the history does not know."""
    said(books, "return")


def word_twice(books: Ledgers) -> None:
    """One word is in the history twice."""
    decided(books, "dismiss")


def word_after_a_no(books: Ledgers) -> None:
    """A person was refused, and the history has it."""
    books.words["o-1"][0].outcome = "no"


def word_twisted(books: Ledgers) -> None:
    """A person said one thing, and the history has another."""
    books.words["o-1"][0].decision = "accept"


def nobodys_word(books: Ledgers) -> None:
    """The history has a decision, and no person made one."""
    books.words["o-1"].clear()


def dismissed_and_sent_back(books: Ledgers) -> None:
    """The money was to stay, and went."""
    order_of(books)["receipts"][1]["fate"] = "returned"
    books.receipts["o-1"][1].update(status=20, cancelled_price=PRICE)


def asked_again(books: Ledgers) -> None:
    """A person had dismissed it, and is asked the same again."""
    version = step(books, "attention", receipt_id=OTHER, reason="order_already_paid")
    told(books, version, "order.attention", state="attention")
    order_of(books).update(state="attention")


def never_sent_back(books: Ledgers) -> None:
    """The money was to go back, and stays."""
    order_of(books)["receipts"][1]["fate"] = "held"
    books.receipts["o-1"][1].update(status=1, cancelled_price=0)


def accepted_in_vain(books: Ledgers) -> None:
    """A person let the money pay, and it is still held."""
    order_of(books)["receipts"][0]["fate"] = "held"


@pytest.mark.parametrize(
    ("story", "spoil", "words"),
    [
        (ledgers, lost_delivery, "never heard"),
        (ledgers, second_id, "under 2 ids"),
        (ledgers, second_money, "of somebody's money"),
        (ledgers, money_gone, "Bootpay has status 2"),
        (ledgers, wrong_price, "pays with [999, 300"),
        (ledgers, wrong_tax_free_part, "pays with [1000, 301"),
        (unpaid, not_paid, "good money is there"),
        (ledgers, pending, "still pending"),
        (ledgers, pending, "pays, but the order is pending"),
        (ledgers, pending, "the history leads to ('paid', 0)"),
        (ledgers, still_owed, "is due"),
        (ledgers, unseen_cancel, "0 cancelled in the store, 400 at Bootpay"),
        (cancelled_in_part, double_cancel, "400 went back; asked for"),
        (cancelled_whole, cancelled_by_nobody, "1000 went back; asked for"),
        (cancelled_in_part, answered_too_little, "400 went back; asked for"),
        (ledgers, too_much_back, "1001 of 1000 went back"),
        (cancelled_whole, still_paid, "is cancelled, but the order is paid"),
        (held, held_and_gone, "is held, but its money has gone back"),
        (second_returned, never_returned, "is still owed_back"),
        (ledgers, never_taken, "Bootpay took money for []"),
        (ledgers, paid_by_another, "the history is paid by"),
        (ledgers, two_versions_of_it, "told in two ways"),
        (ledgers, fulfilled_without_a_receipt, "paid for by 0 receipts, fulfilled under 1 ids"),
        (ledgers, told_by_nobody, "told of what the store does not know"),
        (ledgers, forged, "not signed"),
        (ledgers, taken_back, "buyers were told"),
        (ledgers, changed_mind, "refused (amount_mismatch)"),
        (ledgers, late_after_all, "refused (order_expired)"),
        (ledgers, given_up, "asked because of delivery_failed"),
        (second_returned, asked_about_nothing, "asked about no money"),
        (ledgers, hole, "the history has [2]"),
        (cancelled_in_part, out_of_order, "out of order"),
        (ledgers, unknown_order, "the store no order"),
        (cancelled_in_part, cancel_untold, "step 3 was never told (order.partially_cancelled)"),
        (cancelled_in_part, cancel_untold, "0 cancelled is what the shop heard last"),
        (ledgers, cancel_that_never_was, "order.cancelled was told of version 2"),
        (ledgers, cancel_that_never_was, "1000 cancelled is what the shop heard last"),
        (cancelled_in_part, cancel_told_too_big, "401 cancelled; the history has"),
        (ledgers, told_another_price, "tells of 1 KRW"),
        (ledgers, told_another_price, "heard of 1, Bootpay has [1000]"),
        (ledgers, told_another_state, "tells of open"),
        (ledgers, told_another_state, "heard last that the order is open"),
        (ledgers, told_another_receipt, f"tells of receipt {OTHER}"),
        (cancelled_in_part, told_against_the_books, "0 has Bootpay"),
        (second_returned, returned_under_two_ids, "under 2 ids"),
        (second_returned, returned_too_little, "tells that 1 were returned"),
        (second_returned, returned_twice, "was returned in 2 steps"),
        (second_returned, returned_in_part, "1 are still there"),
        (second_returned, decided_twice, "decided about 2 times"),
        (unpaid, gone_without_a_word, "lost 1000 and is None"),
        (emptied_in_a_console, nobody_was_at_the_console, "lost 1000 and is refused"),
        (emptied_in_a_console, console_unmentioned, "without a word"),
        (cancelled_in_part, tax_free_part_of_the_cancel, "100 of it free of tax"),
        (approved, never_agreed, "asked 1 times and never agreed"),
        (approved, never_asked, "asked 0 times and never agreed"),
        (approved, forged_question, "not signed"),
        (held, nobody_asked, "nobody is asked"),
        (held, word_lost, "answered done, and the history has []"),
        (dismissed, word_twice, "was answered done"),
        (dismissed, word_after_a_no, "was answered no"),
        (dismissed, word_twisted, "was answered done"),
        (dismissed, nobodys_word, "nobody did"),
        (dismissed, dismissed_and_sent_back, "the last word was dismiss"),
        (dismissed, asked_again, "asked about again"),
        (sent_back, never_sent_back, "the last word was return"),
        (accepted, accepted_in_vain, "the last word was accept"),
    ],
)
def test_the_judges_see_what_is_wrong(
    story: Callable[[], Ledgers], spoil: Callable[[Ledgers], None], words: str
) -> None:
    """Each single thing that must not be is found, by the judge whose business it is."""
    books = story()
    spoil(books)

    assert any(words in deviation for _, deviation in books.deviations()), books.deviations()
