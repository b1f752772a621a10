"""`dojang cancel`: what goes back, and what does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Buyer, Shell
    from dojang.emulator.server import EmulatorServer


@pytest.fixture
def receipt_id(dojang: Shell, buyer: Buyer) -> str:
    """The receipt of a paid order A-1."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "테스트음식")
    receipt_id = buyer.pays("A-1")
    assert 0 == dojang("verify", "A-1", receipt_id).code
    return receipt_id


def _cancelled(bootpay: EmulatorServer, receipt_id: str) -> object:
    with bootpay.changing() as ledger:
        return ledger.receipt(receipt_id)["cancelled_price"]


def test_part_goes_back_once_per_key(dojang: Shell, bootpay: EmulatorServer, receipt_id: str) -> None:
    """The same key with the same request repeats the answer and moves no more money."""
    words = ("cancel", "A-1", "--amount", "1000", "--reason", "품절", "--key", "k-1")
    first, again = dojang.json(*words), dojang.json(*words)

    assert ("partially_cancelled", 1000, False) == (first["state"], first["cancelled"], first["replayed"])
    assert (1000, True) == (again["cancelled"], again["replayed"])
    assert 1000 == _cancelled(bootpay, receipt_id)


def test_without_an_amount_all_goes_back(dojang: Shell, bootpay: EmulatorServer, receipt_id: str) -> None:
    """Nothing is left; asking once more is refused with exit code 3."""
    whole = dojang.json("cancel", "A-1", "--reason", "변심")
    again = dojang("cancel", "A-1", "--reason", "변심", "--format", "json")

    assert ("cancelled", 3000) == (whole["state"], whole["cancelled"])
    assert (3, "already_cancelled") == (again.code, again.data["code"])
    assert 3000 == _cancelled(bootpay, receipt_id)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--amount", "3001"), "amount_too_large"),
        (("--amount", "1000", "--expected-remaining", "2999"), "remaining_mismatch"),
        (("--amount", "1000", "--tax-free", "1"), "tax_free_too_large"),
    ],
)
def test_what_does_not_fit_is_refused(
    dojang: Shell, bootpay: EmulatorServer, receipt_id: str, words: tuple[str, ...], code: str
) -> None:
    """Exit code 3, the reason in both languages, no money moved."""
    ended = dojang("cancel", "A-1", "--reason", "x", "--format", "json", *words)

    assert (3, code) == (ended.code, ended.data["code"])
    assert "(" in ended.err
    assert 0 == _cancelled(bootpay, receipt_id)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--reason", "x", "--amount", "0"), "amount must be more than zero"),
        (("--reason", "x", "--amount", "-5"), "amount"),
        (("--reason", "x", "--amount", "1.5"), "decimals"),
        (("--reason", " "), "reason"),
        (("--reason", "x", "--key", ""), "key must be"),
        (("--reason", "x", "--refund-account", "1234"), "belong together"),
        ((), "--reason"),
    ],
)
def test_bad_input_is_one_sentence(
    dojang: Shell, bootpay: EmulatorServer, receipt_id: str, words: tuple[str, ...], said: str
) -> None:
    """Exit code 2, nothing moved, nothing written down."""
    before = dojang.rows("events")
    ended = dojang("cancel", "A-1", *words)

    assert 2 == ended.code
    assert said in ended.err
    assert 1 == len(ended.err.splitlines())
    assert before == dojang.rows("events")
    assert 0 == _cancelled(bootpay, receipt_id)


def test_an_unknown_outcome_names_the_key_to_ask_again_with(
    dojang: Shell, bootpay: EmulatorServer, receipt_id: str
) -> None:
    """The connection broke before Bootpay acted: exit code 4, and nothing is repeated blindly."""
    with bootpay.faulty(on="POST /v2/cancel", do="reset", effect=False):
        ended = dojang("cancel", "A-1", "--amount", "1000", "--reason", "x", "--format", "json")

    assert 4 == ended.code
    assert f"--key {ended.data['key']}" in ended.err
    assert 0 == _cancelled(bootpay, receipt_id)


def test_a_cancel_that_happened_unseen_is_found(
    dojang: Shell, bootpay: EmulatorServer, receipt_id: str
) -> None:
    """The connection broke after Bootpay acted: a look shows it, and it is told as done."""
    with bootpay.faulty(on="POST /v2/cancel", do="reset", effect=True, times=1):
        ended = dojang("cancel", "A-1", "--amount", "1000", "--reason", "x", "--format", "json")

    assert (0, 1000) == (ended.code, ended.data["cancelled"])
    assert 1000 == _cancelled(bootpay, receipt_id)


def test_a_virtual_account_needs_somewhere_to_send_the_money(
    dojang: Shell, bootpay: EmulatorServer, buyer: Buyer
) -> None:
    """Without a refund account it is refused; with one it goes back, and the account is kept nowhere."""
    dojang("orders", "add", "V-1", "--price", "3000", "--name", "x")
    receipt_id = buyer.opens("V-1", method="vbank")
    with bootpay.changing() as ledger:
        ledger.issue(receipt_id)
        ledger.deposit(receipt_id)
    dojang("verify", "V-1", receipt_id)
    without = dojang("cancel", "V-1", "--reason", "x", "--format", "json")
    account = ("--refund-bank-code", "004", "--refund-account", "98765432101", "--refund-holder", "홍길동")
    given = dojang("cancel", "V-1", "--reason", "x", *account)

    assert (3, "refund_account_required") == (without.code, without.data["code"])
    assert 0 == given.code, given.err
    assert b"98765432101" not in dojang.file.read_bytes()
    assert "98765432101" not in given.out + given.err


def test_what_is_not_paid_or_not_there_is_refused(dojang: Shell) -> None:
    """Exit code 3 for an open order and for none."""
    dojang("orders", "add", "A-2", "--price", "3000", "--name", "x")
    unpaid, unknown = (dojang("cancel", order_id, "--reason", "x") for order_id in ("A-2", "A-404"))

    assert (3, 3) == (unpaid.code, unknown.code)
    assert "not paid" in unpaid.err
    assert "A-404" in unknown.err


def test_an_unreachable_bootpay_leaves_the_order_paid(
    dojang: Shell, receipt_id: str, unreachable: str
) -> None:
    """It never left: exit code 6, and the order stands as before."""
    ended = dojang("cancel", "A-1", "--reason", "x", BOOTPAY_URL=unreachable)

    assert 6 == ended.code
    assert "paid" == dojang.json("orders", "show", "A-1")["state"]
