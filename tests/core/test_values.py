"""A value does what a frozen, slotted dataclass does, for us and for whoever uses Python's own tools on it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any

import pytest

from dojang.core.cancellation import WantedCancel
from dojang.core.decision import Pending
from dojang.core.order import Money, Order, OrderId
from dojang.core.payment import Event, Payment, State
from dojang.core.values import Value, field, fields_of, replace
from dojang.core.verification import AwaitsApproval, Verified
from dojang.errors import InvalidValue
from dojang.ports import Approved

ORDER = Order(id=OrderId("o-1"), price=Money(3000), name="커피")
ACCOUNT = {"bank_code": "020", "bank_account": "110-1", "bank_username": "홍길동"}


class Pair(Value, kw_only=False):
    """Two numbers, the second of which may be left out."""

    first: int
    second: int = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Twin:
    """The same as a dataclass."""

    first: int
    second: int = 2


@pytest.mark.parametrize("name", ["price", "anything"])
def test_a_value_never_changes(name: str) -> None:
    """Neither a field nor anything else can be set or deleted, and there is no room for more."""
    with pytest.raises(AttributeError):
        setattr(ORDER, name, Money(1))
    with pytest.raises(AttributeError):
        delattr(ORDER, name)

    assert Money(3000) == ORDER.price
    assert not hasattr(ORDER, "__dict__")


def test_values_are_equal_by_their_fields_and_their_class() -> None:
    """What two verdicts say of the same receipt is never the same verdict."""
    receipt: Any = object()

    assert Money(1) == Money(1, "KRW")
    assert Money(1) != Money(2)
    assert Verified(receipt) != AwaitsApproval(receipt)
    assert Pair(1) != Twin(1)
    assert 1 == len({Money(1), Money(1)})
    assert 3 == len({Verified(receipt), AwaitsApproval(receipt), Approved()})
    assert Approved() == Approved()


def test_a_value_that_holds_what_has_no_hash_has_none() -> None:
    """As a dataclass: a mapping may change."""
    with pytest.raises(TypeError):
        hash(ORDER)


def test_a_value_is_shown_by_its_fields_and_not_by_what_must_not_be_shown() -> None:
    """Account numbers stay out of logs and errors."""
    wanted = WantedCancel(amount=1, tax_free=None, reason="r", refund_account=ACCOUNT, key="k")

    assert "Money(minor=1, currency='KRW')" == repr(Money(1))
    assert "WantedCancel(amount=1, tax_free=None, reason='r', expected_remaining=None)" == repr(wanted)


def test_fields_are_given_by_name_unless_the_class_says_otherwise() -> None:
    """A name too few, too many, or none at all is refused as any function would."""
    make: Any = Order
    for wrong in (
        lambda: make(OrderId("o-1"), Money(1), "x"),
        lambda: make(id=OrderId("o-1"), price=Money(1)),
        lambda: make(id=OrderId("o-1"), price=Money(1), name="x", nmae="y"),
    ):
        with pytest.raises(TypeError):
            wrong()

    assert Pair(1) == Pair(1, 2) == Pair(second=2, first=1)
    assert ("first", "second") == Pair.__match_args__
    assert () == Order.__match_args__


def test_what_can_change_is_made_anew_for_each_value() -> None:
    """Two events never share their data."""
    one, other = (Event(version=1, at=Any, what=Any, who="shop") for _ in range(2))  # type: ignore[arg-type]  # unused

    assert {} == one.data
    assert one.data is not other.data


def test_a_value_may_refuse_what_it_is_given_however_it_is_made() -> None:
    """Made, changed, copied or read from a pickle: an order without a price there is not."""
    for make in (lambda: replace(ORDER, price=Money(0)), lambda: dataclasses.replace(ORDER, price=Money(0))):
        with pytest.raises(InvalidValue):
            make()


@pytest.mark.parametrize("value", [ORDER, Money(1), Pending(), Payment(state=State.PAID)])
def test_copies_are_equal(value: Value) -> None:
    """By `copy`, by `pickle`, and with nothing replaced."""
    for same in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value)), replace(value)):
        assert value == same


def test_pythons_tools_for_dataclasses_know_values() -> None:
    """`is_dataclass`, `fields`, `asdict`, `replace` and `signature` say what they say of the same dataclass."""

    def told(kind: type, value: Any) -> object:
        fields = [
            (each.name, each.type, each.default, each.repr, each.kw_only) for each in dataclasses.fields(kind)
        ]
        parameters = [
            (each.name, each.kind, each.default) for each in inspect.signature(kind).parameters.values()
        ]
        return (
            fields, parameters, dataclasses.is_dataclass(value), dataclasses.asdict(value),
            dataclasses.astuple(dataclasses.replace(value, second=3)), kind.__match_args__,
        )  # fmt: skip

    assert told(Twin, Twin(1)) == told(Pair, Pair(1))
    assert {"minor": 3000, "currency": "KRW"} == dataclasses.asdict(ORDER)["price"]
    assert all(each.kw_only for each in dataclasses.fields(ORDER))


def test_fields_of_gives_values_as_they_are() -> None:
    """By name, in order, nothing copied."""
    assert ["minor", "currency"] == list(fields_of(Money(1)))
    assert ORDER.price is fields_of(ORDER)["price"]


def test_a_field_may_have_every_name() -> None:
    """Also those that the constructor's own words begin with."""

    class Odd(Value):
        unset: int
        make: list[int] = field(default_factory=list)
        default: str = "d"

    assert {"unset": 1, "make": [], "default": "d"} == fields_of(Odd(unset=1))
