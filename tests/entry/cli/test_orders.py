"""`dojang orders`: what is registered, and what is not."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dojang.adapters.sqlite import SqliteBackend
from dojang.core.order import ReceiptId
from dojang.ports import Notice

if TYPE_CHECKING:
    from conftest import Buyer, Shell
    from dojang.emulator.server import EmulatorServer

ADD = ("orders", "add", "A-1", "--price", "3000", "--name", "테스트음식")


def test_an_order_is_registered_once(dojang: Shell) -> None:
    """The same terms again change nothing, and talk goes to stderr while data goes to stdout."""
    first, again = dojang(*ADD, "--format", "json"), dojang(*ADD, "--format", "json")

    assert (0, 0) == (first.code, again.code)
    assert first.data == again.data
    assert "A-1" == first.data["order_id"]
    assert 3000 == first.data["price"]
    assert "Registered" in first.err
    assert "The same as before" in again.err
    assert 1 == dojang.rows("events")


def test_other_terms_under_the_same_id_are_refused(dojang: Shell) -> None:
    """What is on file stays; the answer names what differs, and the exit code is 3."""
    dojang(*ADD)
    ended = dojang("orders", "add", "A-1", "--price", "4000", "--name", "테스트음식")

    assert 3 == ended.code
    assert "price differs (" in ended.err
    assert "다른 항목: price)" in ended.err
    assert "price, name differ (" in dojang("orders", "add", "A-1", "--price", "1", "--name", "x").err
    assert 3000 == dojang.json("orders", "show", "A-1")["price"]


@pytest.mark.parametrize(
    ("expires_at", "told"), [("2020-01-31T00:00:00Z", True), ("2999-01-31T00:00:00Z", False)]
)
def test_a_deadline_that_has_passed_is_taken_with_a_warning(
    dojang: Shell, expires_at: str, told: bool
) -> None:
    """Exit code 0: a paid late receipt is late money. But mostly it is a mistake."""
    ended = dojang("orders", "add", "A-1", "--price", "3000", "--name", "x", "--expires-at", expires_at)

    assert 0 == ended.code
    assert told == ("expires_at has passed already" in ended.err)
    assert told == ("이미 지났습니다" in ended.err)


def test_every_term_can_be_given(dojang: Shell) -> None:
    """Currency, tax-free part, end and metadata arrive as they were typed."""
    shown = dojang.json(
        "orders", "add", "A-2", "--price", "19.99", "--currency", "USD", "--name", "Seal", "--tax-free", "5",
        "--expires-at", "2027-01-31T12:00:00+09:00", "--metadata", "table=7", "--metadata", "note=a=b",
    )  # fmt: skip

    assert (19.99, "USD", 5.0) == (shown["price"], shown["currency"], shown["tax_free"])
    assert "2027-01-31T03:00:00Z" == shown["expires_at"]
    assert {"table": "7", "note": "a=b"} == shown["metadata"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("A/1", "--price", "1", "--name", "x"), "order_id"),
        (("A-1", "--price", "abc", "--name", "x"), "price must be a number"),
        (("A-1", "--price", "-1", "--name", "x"), "price must not be negative"),
        (("A-1", "--price", "0", "--name", "x"), "price must be more than zero"),
        (("A-1", "--price", "1.5", "--name", "x"), "decimals"),
        (("A-1", "--price", "NaN", "--name", "x"), "price"),
        (("A-1", "--price", "9" * 30, "--name", "x"), "too large"),
        (("A-1", "--price", "1", "--name", ""), "name must be"),
        (("A-1", "--price", "1", "--name", "a\x1b[31m"), "name must be"),
        (("A-1", "--price", "1", "--name", "x", "--currency", "JPY"), "currency must be"),
        (("A-1", "--price", "1", "--name", "x", "--tax-free", "2"), "tax_free must be"),
        (("A-1", "--price", "1", "--name", "x", "--expires-at", "tomorrow"), "expires_at"),
        (("A-1", "--price", "1", "--name", "x", "--expires-at", "2027-01-31T12:00:00"), "time zone"),
        (("A-1", "--price", "1", "--name", "x", "--metadata", "table"), "KEY=VALUE"),
        (("A-1", "--price", "1"), "--name"),
        (("--price", "1", "--name", "x"), "ORDER_ID"),
        (("A-1", "--price", "1", "--name", "x", "--colour", "red"), "--colour"),
    ],
)
def test_a_wrong_term_is_one_sentence_and_nothing_is_stored(
    dojang: Shell, words: tuple[str, ...], said: str
) -> None:
    """Usage is exit code 2, says what to mend, and leaves no trace."""
    dojang("migrate")
    ended = dojang("orders", "add", *words)

    assert 2 == ended.code
    assert said.lower() in ended.err.lower()
    assert 1 == len(ended.err.splitlines())
    assert "" == ended.out
    assert 0 == dojang.rows("orders")


def test_orders_are_listed_newest_first_and_by_page(dojang: Shell) -> None:
    """A page names where the next one begins; following it gives every order once."""
    for number in range(5):
        dojang("orders", "add", f"A-{number}", "--price", "1000", "--name", "x")
    seen, cursor = [], None
    while True:
        page = dojang.json("orders", "list", "--limit", "2", *(("--cursor", cursor) if cursor else ()))
        seen += [order["order_id"] for order in page["orders"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert ["A-4", "A-3", "A-2", "A-1", "A-0"] == seen


@pytest.mark.parametrize("cursor", ["zz", "", "5-o1\n"])
def test_a_cursor_that_no_page_has_given_is_refused(dojang: Shell, cursor: str) -> None:
    """Exit code 2 as over HTTP 400: a page out of nowhere would look like all there is."""
    dojang("orders", "add", "A-1", "--price", "1000", "--name", "x")
    ended = dojang("orders", "list", "--cursor", cursor)

    assert (2, "") == (ended.code, ended.out)
    assert "cursor must be next_cursor" in ended.err


def test_orders_are_listed_by_state(dojang: Shell, buyer: Buyer) -> None:
    """`--state` takes the words users see, and no others."""
    dojang(*ADD)
    dojang("orders", "add", "A-2", "--price", "1000", "--name", "x")
    dojang("verify", "A-1", buyer.pays("A-1"))
    paid = dojang.json("orders", "list", "--state", "paid")
    wrong = dojang("orders", "list", "--state", "payed")

    assert ["A-1"] == [order["order_id"] for order in paid["orders"]]
    assert 2 == wrong.code
    assert "state must be one of" in wrong.err


def test_a_table_is_for_people(dojang: Shell) -> None:
    """Without `--format` a list is a table, and each order is one whole line even where nobody watches."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "가" * 200)
    lines = dojang("orders", "list").out.splitlines()

    assert 2 == len(lines)
    assert lines[0].startswith("order_id")
    assert "3,000" in lines[1]
    assert lines[1].endswith("가" * 200)


def test_show_tells_receipts_and_what_is_owed(dojang: Shell, buyer: Buyer) -> None:
    """One order with everything that hangs on it."""
    dojang(*ADD)
    receipt_id = buyer.pays("A-1")
    dojang("verify", "A-1", receipt_id)
    shown = dojang.json("orders", "show", "A-1")
    table = dojang("orders", "show", "A-1").out

    assert ("paid", receipt_id) == (shown["state"], shown["receipts"][0]["receipt_id"])
    assert ["order.paid"] == [delivery["type"] for delivery in shown["deliveries"]]
    assert receipt_id in table
    assert "A-1:3:order_paid" in table


def test_history_tells_every_step(dojang: Shell, buyer: Buyer) -> None:
    """Registered, approval intended, paid: each with version, who and when."""
    dojang(*ADD)
    dojang("verify", "A-1", buyer.pays("A-1"))
    events = dojang.json("orders", "history", "A-1")["events"]

    assert ["registered", "approval_intended", "paid"] == [event["what"] for event in events]
    assert [1, 2, 3] == [event["version"] for event in events]
    assert "approval_intended" in dojang("orders", "history", "A-1").out


def test_every_table_tells_a_time_in_one_way(dojang: Shell, buyer: Buyer, bootpay: EmulatorServer) -> None:
    """UTC, seconds, `Z`: whoever compares two screens need not compute. JSON stays as the HTTP API has it."""
    # What reads like a time but is the shop's own word stays as it is.
    shops = "2026-01-31T09:00:00+09:00"
    dojang("orders", "add", "A-1", "--price", "3000", "--name", shops, "--metadata", f"served_at={shops}")
    receipt_id = buyer.pays("A-1")
    dojang("verify", "A-1", receipt_id)
    dojang("orders", "add", "A-2", "--price", "3000", "--name", "x")
    account = buyer.opens("A-2", method="vbank")
    with bootpay.changing() as ledger:
        ledger.issue(account)
    dojang("verify", "A-2", account)
    with closing(SqliteBackend(dojang.file)) as store:
        store.receive(Notice(receipt_id=ReceiptId(receipt_id)), now := datetime.now(UTC), now)
    tables = [
        dojang(*words).out
        for words in (
            ("orders", "list"),
            ("orders", "show", "A-1"),
            ("orders", "history", "A-1"),
            ("orders", "show", "A-2"),
            ("orders", "history", "A-2"),
            ("webhooks", "list"),
            ("receipt", receipt_id),
        )
    ]
    times = [re.findall(r"\d{4}-\d\d-\d\d[T ][\d:.]+[\w:+-]*", table.replace(shops, "")) for table in tables]
    events = dojang.json("orders", "history", "A-1")["events"]

    assert all(times)
    assert "account" in tables[3]
    assert 'account={"bank_name"' in tables[4].replace("\n", "")
    assert [] == [time for found in times for time in found if not re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", time)]
    assert shops in tables[0]
    assert f"served_at={shops}".replace("=", '": "') in tables[1]
    # The history is what was written, to the letter.
    assert events[-1]["paid_at"].endswith("+09:00")


@pytest.mark.parametrize("command", ["show", "history"])
def test_an_unknown_order_is_refused(dojang: Shell, command: str) -> None:
    """No such order: exit code 3, one sentence, nothing on stdout."""
    dojang("migrate")
    ended = dojang("orders", command, "A-404")

    assert (3, "") == (ended.code, ended.out)
    assert "A-404" in ended.err
    assert 1 == len(ended.err.splitlines())
