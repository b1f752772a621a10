"""The shop says what an order should cost, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dojang.core.order import Money
from dojang.usecases.register_order import OrderExists, Registered, register_order

if TYPE_CHECKING:
    from conftest import Shop


def test_registering_again_with_the_same_terms_changes_nothing(shop: Shop) -> None:
    """A shop that lost the answer may simply ask again."""
    order = shop.order(metadata={"말": "값"})
    shop.clock.advance(60)
    again = shop.run(register_order(shop.world, order))

    assert isinstance(again, Registered)
    assert not again.created
    assert ["registered"] == shop.whats()


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"price": Money(1001)}, "price"),
        ({"price": Money(1000, "USD")}, "currency"),
        ({"tax_free": 1}, "tax_free"),
        ({"name": "장갑"}, "name"),
        ({"metadata": {"k": 1}}, "metadata"),
    ],
)
def test_other_terms_are_refused_and_named(shop: Shop, change: dict[str, object], differs: str) -> None:
    """An order's terms never change after it was registered."""
    order = shop.order()
    told = shop.run(register_order(shop.world, replace(order, **change)))  # type: ignore[arg-type]

    assert isinstance(told, OrderExists)
    assert (differs,) == told.differs
    assert order == told.record.order


def test_a_deadline_that_has_passed_is_told_while_no_money_is_there(shop: Shop) -> None:
    """Not before it has passed, again to who asks again, and no more once late money has come."""
    order = shop.order(expires_in_s=60)
    shop.clock.advance(59)
    before = shop.run(register_order(shop.world, order))
    shop.clock.advance(1)
    after = shop.run(register_order(shop.world, order))
    shop.verify(shop.bootpay.pay("o1", 1000))
    held = shop.run(register_order(shop.world, order))

    assert [False, True, False] == [
        isinstance(told, Registered) and told.over for told in (before, after, held)
    ]


def test_another_deadline_is_another_term(shop: Shop) -> None:
    """Nobody prolongs an order by registering it again."""
    order = shop.order(expires_in_s=60)
    later = replace(order, expires_at=shop.clock.now() + timedelta(days=1))

    assert isinstance(shop.run(register_order(shop.world, later)), OrderExists)


@pytest.mark.parametrize(("first", "second"), [(True, 1), (1, 1.0), (0, False), (0.0, False), (1, "1")])
def test_values_that_only_look_equal_are_other_terms(shop: Shop, first: object, second: object) -> None:
    """The shop reads its metadata back as JSON, where `true`, `1` and `1.0` are three things."""
    order = shop.order(metadata={"a": first})
    same = shop.run(register_order(shop.world, order))
    other = shop.run(register_order(shop.world, replace(order, metadata={"a": second})))

    assert isinstance(same, Registered)
    assert isinstance(other, OrderExists)
    assert ("metadata",) == other.differs
