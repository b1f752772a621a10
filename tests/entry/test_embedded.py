"""dojang inside another program: what its own functions do wrong is told, and so is a wrong argument."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import urllib3

from dojang import Dojang, InvalidValue
from dojang.emulator.server import EmulatorServer

_RECEIPT = "5afd6be8e13f33616f2876ac"
_BUYER = "buyer-of-the-message"


@pytest.fixture
def paying() -> Iterator[EmulatorServer]:
    """A pretend Bootpay where the buyer of order o-1 has done what a buyer does."""
    with EmulatorServer() as emulator:
        pool = urllib3.PoolManager()
        wanted = {"receipt_id": _RECEIPT, "order_id": "o-1", "price": 3000, "order_name": "테스트음식"}
        pool.request(
            "POST", f"{emulator.url}/emulator/checkouts", json=wanted | {"separately_confirmed": True}
        )
        pool.request("POST", f"{emulator.url}/emulator/receipts/{_RECEIPT}/approve", json={})
        yield emulator


def test_a_mistake_in_the_shops_function_is_logged_with_its_place(
    paying: EmulatorServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """File and line as an error, which Python shows without any set-up; never what the message held."""

    def hand_over(delivery_id: str, message: Mapping[str, object]) -> None:
        raise KeyError(message["data"])

    line = inspect.getsourcelines(hand_over)[1] + 1
    store = f"sqlite:///{tmp_path}/d.sqlite3"
    with Dojang(mode="emulator", url=paying.url, store=store, fulfil=hand_over) as dojang:
        dojang.register("o-1", price=3000, name="테스트음식", metadata={"buyer": _BUYER})
        assert "paid" == dojang.verify("o-1", _RECEIPT).state
        report = dojang.deliver()
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]

    assert (1, "KeyError") == (report.failed, report.attempts[0].delivery.last_error)
    assert ("dojang.entry", logging.ERROR) == (record.name, record.levelno)
    assert record.getMessage().startswith("fulfil failed: KeyError at ")
    assert record.getMessage().endswith(f"test_embedded.py:{line}")
    assert _BUYER not in caplog.text


def test_a_mistake_in_the_shops_last_word_is_logged_and_approves_nothing(
    paying: EmulatorServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The order is refused as before; its programmer sees where."""

    def in_stock(order_id: str, price: int | float, metadata: Mapping[str, object]) -> bool:
        raise ZeroDivisionError(metadata["buyer"])

    store = f"sqlite:///{tmp_path}/d.sqlite3"
    with Dojang(mode="emulator", url=paying.url, store=store, approve=in_stock) as dojang:
        dojang.register("o-1", price=3000, name="테스트음식", metadata={"buyer": _BUYER})
        outcome = dojang.verify("o-1", _RECEIPT)
    told = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]

    assert "refused" == outcome.state
    assert 1 == len(told)
    assert told[0].startswith("approve failed: ZeroDivisionError at ")
    assert _BUYER not in caplog.text


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("fulfill", "fulfil"),
        ("fulfilment", "fulfil"),
        ("aprove", "approve"),
        ("clientkey", "client_key"),
        ("delivers_to", "deliver_to"),
    ],
)
def test_a_mistyped_argument_is_told_with_the_one_that_was_meant(mistyped: str, meant: str) -> None:
    """Arguments that are functions count as well as settings, and all there are follow."""
    more = {mistyped: "x"}
    with pytest.raises(
        InvalidValue, match=rf"^unknown setting {mistyped}: did you mean {meant}\?"
    ) as refused:
        Dojang(**more)

    assert "known are fulfil, approve, store, mode, " in str(refused.value)


def test_an_argument_like_no_other_is_told_with_all_there_are() -> None:
    """No guess is better than a wrong one."""
    more = {"colour": "red"}
    with pytest.raises(InvalidValue, match=r"^unknown setting colour; known are fulfil, approve, store, "):
        Dojang(**more)
