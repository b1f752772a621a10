"""Money is exact, ids have a grammar, terms make sense: or there is no order."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.errors import InvalidValue

ID = OrderId("o1")


def _order(**terms: object) -> Order:
    wanted: dict[str, object] = {"id": ID, "price": Money(1000), "name": "양말"}
    return Order(**(wanted | terms))  # type: ignore[arg-type]


@given(st.integers(0, 10**15))
def test_one_amount_is_one_amount_however_it_is_written(won: int) -> None:
    """1000, 1000.0, "1000", "1000.00" and Decimal("1E+3") are the same amount."""
    ways = [won, float(won), str(won), f"{won}.00", Decimal(won), Decimal(won).normalize()]

    assert {Money(won)} == {Money.parse(way) for way in ways}


@given(st.integers(0, 10**15))
def test_cents_are_exact(cents: int) -> None:
    """An amount in dollars is read to the cent and shown as it was read."""
    text = f"{cents // 100}.{cents % 100:02d}"

    assert Money(cents, "USD") == Money.parse(text, "USD") == Money.parse(Decimal(text), "USD")


@given(st.integers(0, 10**11))
def test_a_float_means_its_shortest_text(cents: int) -> None:
    """10.1 dollars are 1010 cents, although no binary number is exactly 10.1."""
    assert Money(cents, "USD") == Money.parse(cents / 100, "USD")
    assert Money(cents, "USD") == Money.parse(Money(cents, "USD").major, "USD")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**15))
def test_an_amount_is_read_exactly_or_refused(value: Decimal) -> None:
    """Nothing is ever rounded: what does not fit into whole won is no amount."""
    exact = Fraction(value)
    if exact.denominator == 1:
        assert Money(int(exact)) == Money.parse(value)
    else:
        with pytest.raises(InvalidValue):
            Money.parse(value)


@pytest.mark.parametrize(
    "value",
    [
        1000.5,
        "1000.5",
        "1000.00000000000000000000000000000000001",
        Decimal("1E-999999"),
        1e-300,
        float("nan"),
        float("inf"),
        float("-inf"),
        Decimal("sNaN"),
        "NaN",
        "Infinity",
        -1,
        -0.5,
        "-1",
        True,
        False,
        10**15 + 1,
        1e16,
        Decimal("1E+9999999"),
        "9" * 10_000,
        "",
        " 1000",
        "1000\n",
        "1_000",
        "1,000",
        "1000원",
        "１０００",
        "0x10",
        "1e3",
        None,
        [],
        {},
        b"1000",
    ],
)
def test_what_is_no_exact_amount_of_won_is_refused(value: object) -> None:
    """Fractions of a won, NaN, infinities, negatives, booleans, huge numbers and odd writing are refused."""
    with pytest.raises(InvalidValue):
        Money.parse(value)


def test_a_third_decimal_of_a_dollar_is_refused() -> None:
    """Dollars have two decimals."""
    with pytest.raises(InvalidValue, match="more decimals than USD"):
        Money.parse("10.001", "USD")


def test_a_refusal_names_the_field_in_both_languages() -> None:
    """The sentence says which field is meant, in English and Korean."""
    with pytest.raises(InvalidValue, match=r"tax_free must be a number \(tax_free은\(는\) 숫자여야 합니다\)"):
        Money.parse("x", what="tax_free")


def test_money_is_shown_in_major_units() -> None:
    """Whole won, dollars with cents."""
    assert (1000, "1,000 KRW") == (Money(1000).major, str(Money(1000)))
    assert (19.99, "19.99 USD") == (Money(1999, "USD").major, str(Money(1999, "USD")))


@given(st.from_regex(r"[A-Za-z0-9._~:-]{1,64}", fullmatch=True).filter(lambda text: text not in {".", ".."}))
def test_an_order_id_is_kept_as_it_is(text: str) -> None:
    """Whatever fits the grammar is an order's id, letter for letter."""
    assert text == OrderId(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 65,
        "a/b",
        "../x",
        ".",
        "..",
        "a b",
        "a\n",
        "주문",
        "a%2F",
        "a?",
        "a#",
        "é",
        "１",
        None,
        7,
        b"a",
    ],
)
def test_what_is_no_order_id_is_refused(text: object) -> None:
    """Paths, spaces, other alphabets and other types never get past the door."""
    with pytest.raises(InvalidValue, match="order_id must be"):
        OrderId(text)


def test_a_receipt_id_is_kept_in_lower_case() -> None:
    """The same receipt in other letters is the same receipt, so it cannot be claimed twice."""
    assert ReceiptId("5E966D1C0627A800294A7C6E") == ReceiptId("5e966d1c0627a800294a7c6e")


@pytest.mark.parametrize(
    "text", ["", "a" * 23, "a" * 25, "g" * 24, "a" * 23 + "\n", "ａ" * 24, "../" + "a" * 21, None, 5]
)
def test_what_is_no_receipt_id_is_refused(text: object) -> None:
    """24 hexadecimal characters, nothing else."""
    with pytest.raises(InvalidValue, match="receipt_id must be"):
        ReceiptId(text)


@pytest.mark.parametrize(
    ("terms", "word"),
    [
        ({"price": Money(0)}, "price"),
        ({"price": Money(-1)}, "price"),
        ({"price": Money(1000, "JPY")}, "currency"),
        ({"tax_free": -1}, "tax_free"),
        ({"tax_free": 1001}, "tax_free"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"expires_at": datetime(2026, 1, 1)}, "expires_at"),  # noqa: DTZ001 - the point
        ({"expires_at": datetime.max.replace(tzinfo=UTC)}, "expires_at"),
        ({"expires_at": datetime.min.replace(tzinfo=UTC)}, "expires_at"),
        ({"expires_at": "2026-01-01T00:00:00Z"}, "expires_at"),
        ({"name": None}, "name"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {str(n): n for n in range(51)}}, "metadata"),
        ({"metadata": {"k": "x" * 501}}, "metadata"),
        ({"metadata": {"k" * 501: 1}}, "metadata"),
        ({"metadata": {"k": {"deep": 1}}}, "metadata"),
        ({"metadata": {"k": [1]}}, "metadata"),
        ({"metadata": {"k": float("nan")}}, "metadata"),
        ({"metadata": {"k": float("inf")}}, "metadata"),
        ({"metadata": {"k": 2**53 + 1}}, "metadata"),
        ({"metadata": {"k": "\ud800"}}, "metadata"),
        ({"metadata": {"\udfff": 1}}, "metadata"),
        ({"metadata": {1: "x"}}, "metadata"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms: dict[str, object], word: str) -> None:
    """The sentence begins with the term that is wrong."""
    with pytest.raises(InvalidValue, match=f"^{word} must"):
        _order(**terms)


def test_terms_at_their_limits_are_accepted() -> None:
    """The limits themselves are allowed."""
    order = _order(
        price=Money(1),
        tax_free=1,
        name="가" * 200,
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
        metadata={**{str(n): None for n in range(49)}, "k" * 500: "값" * 500},
    )

    assert 50 == len(order.metadata)
