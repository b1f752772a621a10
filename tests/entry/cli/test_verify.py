"""`dojang verify` and `dojang receipt`: the verdicts and their exit codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Buyer, Shell
    from dojang.emulator.server import EmulatorServer

NOBODYS = "0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _order(dojang: Shell) -> None:
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "테스트음식")


def test_a_good_payment_is_approved_and_paid(dojang: Shell, buyer: Buyer) -> None:
    """Status 2 is judged, approved, paid; asking again repeats the answer."""
    receipt_id = buyer.pays("A-1")
    first, again = dojang.json("verify", "A-1", receipt_id), dojang.json("verify", "A-1", receipt_id.upper())

    assert ("paid", False) == (first["state"], first["replayed"])
    assert ("paid", True) == (again["state"], again["replayed"])


def test_a_lower_price_is_refused_before_approval(
    dojang: Shell, bootpay: EmulatorServer, buyer: Buyer
) -> None:
    """Exit code 3, the reason in both languages on stderr, the code on stdout; nothing was approved."""
    receipt_id = buyer.pays("A-1", 100)
    ended = dojang("verify", "A-1", receipt_id, "--format", "json")
    with bootpay.changing() as ledger:
        status = ledger.receipt(receipt_id)["status"]

    assert 3 == ended.code
    assert ("refused", "amount_mismatch") == (ended.data["state"], ended.data["code"])
    assert "결제된 금액이 주문 금액과 다릅니다." in ended.err
    assert 2 == status


def test_an_open_window_is_not_decided(dojang: Shell, buyer: Buyer) -> None:
    """The buyer has not agreed yet: exit code 4, ask again."""
    ended = dojang("verify", "A-1", buyer.opens("A-1"), "--format", "json")

    assert (4, "pending") == (ended.code, ended.data["state"])


def test_an_issued_account_is_shown(dojang: Shell, bootpay: EmulatorServer, buyer: Buyer) -> None:
    """A virtual account: fine, and where to pay."""
    receipt_id = buyer.opens("A-1", method="vbank")
    with bootpay.changing() as ledger:
        ledger.issue(receipt_id)
    answer = dojang.json("verify", "A-1", receipt_id)

    assert "awaiting_deposit" == answer["state"]
    assert answer["account"]["number"]


def test_what_is_unknown_is_refused(dojang: Shell) -> None:
    """No such order, no such receipt: exit code 3 each, one sentence that names it."""
    no_order, no_receipt = dojang("verify", "A-404", NOBODYS), dojang("verify", "A-1", NOBODYS)

    assert (3, 3) == (no_order.code, no_receipt.code)
    assert "A-404" in no_order.err
    assert NOBODYS in no_receipt.err


@pytest.mark.parametrize("receipt_id", ["", "../billing_key/x", "z" * 24, "a" * 23, "a" * 25])
def test_what_is_no_receipt_id_never_leaves(dojang: Shell, bootpay: EmulatorServer, receipt_id: str) -> None:
    """The grammar is checked before anything is asked."""
    with bootpay.faulty(on="*", do="refuse"):
        ended = dojang("verify", "A-1", receipt_id)

    assert 2 == ended.code
    assert "24 hexadecimal characters" in ended.err


def test_a_bootpay_that_cannot_be_reached_decides_nothing(dojang: Shell, unreachable: str) -> None:
    """Exit code 6, in both languages, and the history has not moved."""
    ended = dojang("verify", "A-1", NOBODYS, BOOTPAY_URL=unreachable)

    assert (6, "") == (ended.code, ended.out)
    assert "Bootpay cannot be reached (부트페이에 연결할 수 없습니다)" in ended.err
    assert 1 == len(ended.err.splitlines())
    assert 1 == dojang.rows("events")


@pytest.mark.parametrize(
    "words", [("verify", "A-1", NOBODYS), ("receipt", NOBODYS), ("doctor",), ("reconcile", "--all")]
)
def test_a_pretend_bootpay_that_is_not_there_is_to_be_started(
    dojang: Shell, unreachable: str, words: tuple[str, ...]
) -> None:
    """In mode emulator the sentence says how; against Bootpay itself there is nothing to start."""
    ended = dojang(*words, BOOTPAY_URL=unreachable)
    real = dojang(
        *words,
        BOOTPAY_URL=unreachable,
        DOJANG_MODE="sandbox",
        BOOTPAY_CLIENT_KEY="a",
        BOOTPAY_SECRET_KEY="b",
    )

    assert (6, 6) == (ended.code, real.code)
    assert "start `dojang emulator`" in ended.err + ended.out
    assert "dojang emulator" not in real.err + real.out


def test_wrong_keys_are_no_verdict_about_a_payment(
    dojang: Shell, bootpay: EmulatorServer, buyer: Buyer
) -> None:
    """Bootpay turns us away: exit code 1, never 3, and the sentence says what to do."""
    receipt_id = buyer.pays("A-1")
    with bootpay.faulty(on="*", do="unauthorized"):
        ended = dojang("verify", "A-1", receipt_id)

    assert (1, "") == (ended.code, ended.out)
    assert "Bootpay refused" in ended.err
    assert 1 == dojang.rows("events")


def test_a_receipt_is_shown_as_bootpay_has_it(dojang: Shell, buyer: Buyer) -> None:
    """Number and meaning of the status, money, currency; nothing of the card or the buyer."""
    receipt_id = buyer.pays(
        "A-1", separately_confirmed=False, user={"username": "홍길동", "phone": "01012345678"}
    )
    shown = dojang.json("receipt", receipt_id)
    text = dojang("receipt", receipt_id).out

    assert (receipt_id, "A-1", "paid", 1, 3000) == (
        shown["receipt_id"],
        shown["order_id"],
        shown["status"],
        shown["number"],
        shown["price"],
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", shown["purchased_at"])
    assert not {"card_no", "user", "username", "phone"} & set(shown)
    assert "홍길동" not in text
    assert "01012345678" not in text


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_a_receipt_can_be_read_by_either_generation(dojang: Shell, buyer: Buyer, generation: str) -> None:
    """BOOTPAY_API chooses, the meaning is the same; no store is needed."""
    receipt_id = buyer.pays("A-1", separately_confirmed=False)
    ended = dojang(
        "receipt", receipt_id, "--format", "json", BOOTPAY_API=generation, DOJANG_STORE="sqlite:///no/no"
    )

    assert 0 == ended.code, ended.err
    assert ("paid", 3000) == (ended.data["status"], ended.data["price"])


def test_an_unknown_receipt_is_refused(dojang: Shell, unreachable: str) -> None:
    """Exit code 3 if Bootpay does not know it, 2 if it cannot be one, 6 if nobody can be asked."""
    codes = [
        dojang("receipt", NOBODYS).code,
        dojang("receipt", "nonsense").code,
        dojang("receipt", NOBODYS, BOOTPAY_URL=unreachable).code,
    ]

    assert [3, 2, 6] == codes
