"""How much may go back, and on what terms: every refusal, every tax-free part, and what a key means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dojang.core.cancellation import CancelRefusal, CancelTerms, WantedCancel, WhyNot, key_of, terms_of
from dojang.core.order import Money, Order, OrderId
from dojang.core.payment import Payment, State
from dojang.errors import InvalidValue

ORDER = Order(id=OrderId("o1"), price=Money(1000), name="양말")
MIXED = replace(ORDER, tax_free=300)
PAID = Payment(state=State.PAID)
ACCOUNT = {"bank_code": "004", "bank_account": "110-1234-5678", "bank_username": "홍길동"}


def asked(amount: int | None = None, **more: Any) -> WantedCancel:
    """A cancel somebody wants."""
    return WantedCancel(amount=amount, tax_free=more.pop("tax_free", None), reason="환불", **more)


def terms(
    wanted: WantedCancel, payment: Payment = PAID, order: Order = ORDER, method: str = "card"
) -> CancelTerms | WhyNot:
    """What is allowed, or why not."""
    judged = terms_of(order, payment, wanted, method)
    return judged.why if isinstance(judged, CancelRefusal) else judged


def test_all_that_remains_of_an_untouched_payment_is_the_whole() -> None:
    """Then no amount is named to Bootpay: every payment gateway can undo a whole payment."""
    assert CancelTerms(1000, 0, whole=True) == terms(asked()) == terms(asked(1000))


def test_all_that_remains_after_a_part_is_named() -> None:
    """The rest is 700, in so many words."""
    assert CancelTerms(700, 0, whole=False) == terms(asked(), replace(PAID, cancelled=300))


def test_one_more_than_remains_is_too_much() -> None:
    """To the won."""
    touched = replace(PAID, cancelled=300)

    assert CancelTerms(700, 0, whole=False) == terms(asked(700), touched)
    assert WhyNot.AMOUNT_TOO_LARGE == terms(asked(701), touched)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (State.OPEN, WhyNot.NOT_PAID),
        (State.AWAITING_DEPOSIT, WhyNot.NOT_PAID),
        (State.CONFIRMING, WhyNot.NOT_PAID),
        (State.EXPIRED, WhyNot.NOT_PAID),
        (State.CANCELLING, WhyNot.CANCEL_IN_PROGRESS),
        (State.CANCELLED, WhyNot.ALREADY_CANCELLED),
        (State.ATTENTION, WhyNot.NEEDS_A_PERSON),
    ],
)
def test_only_a_paid_order_can_be_cancelled(state: State, why: WhyNot) -> None:
    """Each other state has its own answer."""
    assert why == terms(asked(), Payment(state=state))


def test_an_expectation_that_does_not_hold_stops_the_cancel() -> None:
    """Two clerks who both see 1000 left give back one of the two refunds, not both."""
    touched = replace(PAID, cancelled=300)

    assert WhyNot.REMAINING_MISMATCH == terms(asked(300, expected_remaining=1000), touched)
    assert CancelTerms(300, 0, whole=False) == terms(asked(300, expected_remaining=700), touched)
    assert WhyNot.REMAINING_MISMATCH == terms(asked(expected_remaining=0))


def test_a_part_of_a_mixed_order_must_say_its_tax_free_part() -> None:
    """Nobody but the shop knows which goods come back."""
    assert WhyNot.TAX_FREE_REQUIRED == terms(asked(400), order=MIXED)
    assert CancelTerms(400, 100, whole=False) == terms(asked(400, tax_free=100), order=MIXED)


def test_the_rest_of_a_mixed_order_takes_the_rest_of_its_tax_free_part() -> None:
    """That is unambiguous."""
    touched = replace(PAID, cancelled=400, cancelled_tax_free=100)

    assert CancelTerms(600, 200, whole=False) == terms(asked(), touched, MIXED)
    assert CancelTerms(1000, 300, whole=True) == terms(asked(), order=MIXED)


def test_nothing_tax_free_left_need_not_be_said() -> None:
    """After all of it went back, the rest is taxable."""
    touched = replace(PAID, cancelled=300, cancelled_tax_free=300)

    assert CancelTerms(100, 0, whole=False) == terms(asked(100), touched, MIXED)


@pytest.mark.parametrize(("amount", "tax_free"), [(100, 101), (400, 301), (1000, 299), (701, 0), (900, 100)])
def test_the_tax_free_part_must_fit_on_both_sides(amount: int, tax_free: int) -> None:
    """Not more than the amount, not more than is left, and the taxable rest must be there as well."""
    assert WhyNot.TAX_FREE_TOO_LARGE == terms(asked(amount, tax_free=tax_free), order=MIXED)


def test_an_order_without_a_tax_free_part_gives_none_back() -> None:
    """Not even one won of it."""
    assert WhyNot.TAX_FREE_TOO_LARGE == terms(asked(400, tax_free=1))


def test_what_an_outside_cancel_left_can_always_go_back() -> None:
    """A console that names no tax-free part of its 900 must not lock up the last 100."""
    touched = replace(PAID, cancelled=900, cancelled_tax_free=0)

    assert CancelTerms(100, 100, whole=False) == terms(asked(), touched, MIXED)


@given(
    tax_free=st.integers(0, 1000),
    cancelled=st.integers(0, 1000),
    cancelled_tax_free=st.integers(0, 1000),
    amount=st.none() | st.integers(1, 1200),
    wanted_tax_free=st.none() | st.integers(0, 1200),
)
def test_no_terms_ever_exceed_what_was_paid(
    tax_free: int, cancelled: int, cancelled_tax_free: int, amount: int | None, wanted_tax_free: int | None
) -> None:
    """Whatever was asked for and whatever the books say."""
    order = replace(ORDER, tax_free=tax_free)
    payment = replace(PAID, cancelled=cancelled, cancelled_tax_free=min(cancelled_tax_free, tax_free))
    judged = terms_of(order, payment, asked(amount, tax_free=wanted_tax_free), "card")
    if isinstance(judged, CancelRefusal):
        return

    assert 0 <= judged.tax_free <= judged.amount <= 1000 - cancelled
    assert payment.cancelled_tax_free + judged.tax_free <= tax_free
    assert judged.whole == (judged.amount == 1000)


def test_a_deposit_goes_back_to_an_account_only() -> None:
    """A card knows the way by itself."""
    assert WhyNot.REFUND_ACCOUNT_REQUIRED == terms(asked(), method="vbank")
    assert CancelTerms(1000, 0, whole=True) == terms(asked(refund_account=ACCOUNT), method="vbank")


@pytest.mark.parametrize(
    "bad",
    [
        {"amount": 0},
        {"amount": -1},
        {"tax_free": -1},
        {"expected_remaining": -1},
        {"reason": " "},
        {"reason": "a\nb"},
        {"reason": "a" * 301},
        {"refund_account": {}},
        {"refund_account": ACCOUNT | {"phone": "1"}},
        {"refund_account": ACCOUNT | {"bank_code": "４３２"}},
        {"refund_account": ACCOUNT | {"bank_code": "4"}},
        {"refund_account": ACCOUNT | {"bank_account": "-"}},
        {"refund_account": ACCOUNT | {"bank_account": "1" * 31}},
        {"refund_account": ACCOUNT | {"bank_username": " "}},
        {"refund_account": ACCOUNT | {"bank_username": "홍\n"}},
    ],
    ids=str,
)
def test_what_cannot_be_wanted_is_refused_without_repeating_it(bad: dict[str, Any]) -> None:
    """For every caller alike: HTTP, the command line, a Python program."""
    with pytest.raises(InvalidValue) as refused:
        WantedCancel(**({"amount": 100, "tax_free": None, "reason": "환불"} | bad))

    assert "110-1234" not in str(refused.value)


def test_a_request_never_shows_the_account_or_the_key() -> None:
    """Neither in a traceback nor in a log that prints it."""
    shown = repr(asked(refund_account=ACCOUNT, key="refund-77"))

    assert [] == [secret for secret in (*ACCOUNT.values(), "refund-77") if secret in shown]


def test_bootpays_words_are_kept_without_the_account() -> None:
    """Whether it repeats the number with dashes or without, or the name."""
    wanted = asked(refund_account=ACCOUNT)

    assert "예금주 ***, 계좌 *** (***) 불일치" == wanted.without_account(
        "예금주 홍길동, 계좌 110-1234-5678 (11012345678) 불일치"
    )
    assert "한도" == asked().without_account("한도")


def test_a_fingerprint_tells_any_two_requests_apart() -> None:
    """Every part of the request counts."""
    variants = [
        asked(),
        asked(100),
        asked(100, tax_free=0),
        asked(100, expected_remaining=1000),
        asked(100, refund_account=ACCOUNT),
        asked(100, refund_account=ACCOUNT | {"bank_account": "1101234567"}),
        replace(asked(100), reason="변심"),
        asked(100, key="a"),
    ]

    assert len(variants) == len({wanted.fingerprint for wanted in variants})
    assert asked(100).fingerprint == asked(100).fingerprint


def test_a_key_belongs_to_its_order() -> None:
    """The same key on another order is another cancel."""
    assert key_of(OrderId("o1"), "k") == key_of(OrderId("o1"), "k")
    assert key_of(OrderId("o1"), "k") != key_of(OrderId("o2"), "k")
    assert key_of(OrderId("o1"), "k") != key_of(OrderId("o1"), "K")


@pytest.mark.parametrize("why", list(WhyNot))
def test_every_refusal_is_told_in_both_languages(why: WhyNot) -> None:
    """A sentence each."""
    assert why.sentence_en.endswith((".", ")."))
    assert any("가" <= letter <= "힣" for letter in why.sentence_ko)
