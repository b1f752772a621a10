"""Amounts are exact, and nothing that cannot be an amount passes as one."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies

from dojang.bootpay.amount import exact_amount, json_amount, payable
from dojang.bootpay.conversation import _encoded
from dojang.bootpay.endpoints import cash_receipts, payments, subscriptions
from dojang.bootpay.endpoints.values import Item, User
from dojang.errors import InvalidValue

ID = "645c58be755e270022e1e8db"


@pytest.mark.parametrize(
    "value", [1000, 1000.0, "1000", "1000.0", Decimal(1000), Decimal("1000.00"), Decimal("1E+3")]
)
def test_one_amount_in_many_writings(value: Any) -> None:
    """They are equal, and travel as the same JSON integer."""
    amount = exact_amount(value)

    assert (Decimal(1000), "1000", 1000) == (amount, str(amount), json_amount(amount))
    assert type(json_amount(amount)) is int


@pytest.mark.parametrize(
    "value",
    [
        1000.5,
        "1000.5",
        Decimal("0.1"),
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        -1,
        "-1",
        -0.5,
        True,
        False,
        "",
        " 1000",
        "1,000",
        "1_000",
        "1e3",
        "１０００",
        "0x10",
        None,
        [],
        b"1000",
        10**15,
        "9" * 40,
        1e300,
        Decimal("1E+999999999"),
        Decimal("1E-999999999"),
    ],
    ids=repr,
)
def test_what_is_no_amount_of_won(value: Any) -> None:
    """Fractions of a won, no numbers, no money: refused with a sentence that names the argument."""
    with pytest.raises(InvalidValue, match="price"):
        exact_amount(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("12.10", "12.10"), (12.1, "12.10"), (12, "12"), ("0.01", "0.01"), (0.1, "0.10")]
)
def test_dollars_have_two_decimals(value: Any, expected: str) -> None:
    """A float counts by its shortest text, so ten cents are ten cents."""
    assert expected == str(exact_amount(value, currency="USD"))


@pytest.mark.parametrize("value", ["12.101", 0.1 + 0.2, Decimal("0.001")])
def test_no_fractions_of_a_cent(value: Any) -> None:
    """Finer than the currency: refused, never rounded."""
    with pytest.raises(InvalidValue, match="two decimals"):
        exact_amount(value, currency="USD")


@given(strategies.integers(min_value=0, max_value=10**15 - 1))
def test_every_whole_amount_survives(number: int) -> None:
    """Whole amounts go through text, Decimal and JSON unchanged."""
    amount = exact_amount(str(number))

    assert (number, number, number) == (
        amount,
        exact_amount(Decimal(number)),
        json.loads(json.dumps(json_amount(amount))),
    )


@given(
    strategies.one_of(strategies.text(), strategies.floats(), strategies.decimals(), strategies.booleans())
)
def test_anything_is_an_amount_or_refused(value: Any) -> None:
    """No other exception ever comes out."""
    try:
        amount = exact_amount(value)
    except InvalidValue:
        return
    assert amount >= 0
    assert amount == amount.to_integral_value()


def test_nothing_is_not_payable() -> None:
    """0 could mean nothing or everything: refused where money moves."""
    with pytest.raises(InvalidValue, match="more than 0"):
        payable(0)
    with pytest.raises(InvalidValue, match="cancel_price must be more than 0"):
        payments.cancel(ID, cancel_price=0)


def test_the_tax_free_part_is_a_part() -> None:
    """It never exceeds the amount it belongs to."""
    with pytest.raises(InvalidValue, match="tax_free 11 must not be more than price 10"):
        subscriptions.pay_with_billing_key(ID, order_id="o", order_name="n", price=10, tax_free=11)
    with pytest.raises(InvalidValue, match="cancel_tax_free 11 must not be more than cancel_price 10"):
        payments.cancel(ID, cancel_price=10, cancel_tax_free=11)


def test_dollars_travel_as_numbers() -> None:
    """Decimals go out as JSON numbers, exactly as they are."""
    from dojang.bootpay import Bootpay

    call = payments.cancel(ID, cancel_price="12.10", currency="USD")
    with Bootpay(client_key="a", secret_key="b") as client:
        _, _, body = _encoded(client._line, call)

    assert body is not None
    assert b'"cancel_price":12.10' in body


@pytest.mark.parametrize(
    "moment",
    ["2026-06-01T00:00:00", "tomorrow", "", datetime(2026, 6, 1), 1780000000, None],  # noqa: DTZ001
)
def test_a_time_needs_an_offset(moment: Any) -> None:
    """Two readings of a time without offset are nine hours apart: refused."""
    with pytest.raises(InvalidValue, match="reserve_execute_at"):
        subscriptions.reserve_payment(ID, order_id="o", order_name="n", price=1, reserve_execute_at=moment)


def test_structs_and_mappings_are_alike() -> None:
    """The buyer and the goods may be typed or plain; unset fields do not travel."""
    typed = cash_receipts.request_cash_receipt(
        order_id="o",
        order_name="n",
        identity_no="01000000000",
        price=1,
        user=User(username="u"),
        metadata={"a": 1},
    )
    plain = cash_receipts.request_cash_receipt(
        order_id="o",
        order_name="n",
        identity_no="01000000000",
        price="1.0",
        user={"username": "u"},
        metadata={"a": 1},
    )

    assert typed.body == plain.body
    assert {"username": "u"} == (typed.body or {})["user"]


@pytest.mark.parametrize("items", ["text", {"id": 1}, [1], b"x"])
def test_items_are_a_list_of_items(items: Any) -> None:
    """Anything else is refused before it travels."""
    with pytest.raises(InvalidValue, match="items"):
        payments.cancel(ID, items=items)


def test_items_travel_as_objects() -> None:
    """A typed item becomes the object Bootpay knows."""
    call = payments.cancel(ID, items=[Item(id="i", name="n", qty=1, price=100), {"id": "j"}])

    assert [{"id": "i", "name": "n", "qty": 1, "price": 100}, {"id": "j"}] == (call.body or {})["items"]


def test_what_cannot_be_json_is_refused() -> None:
    """An argument that no JSON can hold is one sentence, not a foreign traceback."""
    from dojang.bootpay import Bootpay

    with Bootpay(client_key="a", secret_key="b") as client, pytest.raises(InvalidValue, match="POST cancel"):
        client.send(payments.cancel(ID, metadata={"x": object()}))
