"""A payment is read back from its JSON as it was, whatever it holds."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest

from dojang.adapters.payment_json import payment_from, payment_json
from dojang.core.order import ReceiptId
from dojang.core.payment import (
    CancelIntent,
    CancelRequest,
    Fate,
    Lease,
    OtherReceipt,
    Payment,
    Question,
    State,
)
from dojang.core.receipt import Account

AT = datetime(2026, 11, 25, 5, 0, 0, 123456, tzinfo=UTC)
RECEIPT = ReceiptId("5afd6be8e13f33616f2876ac")
EVERYTHING = Payment(
    state=State.ATTENTION,
    receipt_id=RECEIPT,
    cancelled=100,
    cancelled_tax_free=10,
    lease=Lease(until=AT),
    intended_at=AT,
    since=AT,
    cancel=CancelIntent(cancel_id="c", amount=1, tax_free=0, base=0, reason="변심"),
    account=Account(bank_code="020", bank_name="우리은행", number="1", holder="h", expires_at=AT),
    paid_at=AT,
    method="vbank",
    questions=(Question(reason="late_payment", receipt_id=RECEIPT), Question(reason="other")),
    before=State.PAID,
    others=(OtherReceipt(receipt_id=RECEIPT, fate=Fate.HELD, price=1, reason="r", currency="USD"),),
    requests=(CancelRequest(key="k", fingerprint="f", outcome="done", amount=1),),
    dismissed=(Question(reason="drift"),),
)


@pytest.mark.parametrize("payment", [Payment(), EVERYTHING])
def test_a_payment_is_read_back_as_it_was(payment: Payment) -> None:
    """Every field, with its own type."""
    read = payment_from(payment_json(payment))

    assert payment == read
    assert type(payment.receipt_id) is type(read.receipt_id)


def test_no_field_is_left_out_of_this_test() -> None:
    """A field that a payment comes to have must be stored too."""
    plain = Payment()
    left_out = [
        each.name
        for each in dataclasses.fields(Payment)
        if getattr(EVERYTHING, each.name) == getattr(plain, each.name)
    ]

    assert [] == left_out


@pytest.mark.parametrize("payment", [Payment(), EVERYTHING])
def test_it_is_the_json_that_stores_already_hold(payment: Payment) -> None:
    """Written as msgspec writes a dataclass, byte by byte."""
    assert msgspec.json.encode(payment, enc_hook=str).decode() == payment_json(payment)


def test_what_an_older_version_wrote_is_read() -> None:
    """Fields that are not there have their defaults; fields that nobody knows any more are passed over."""
    assert Payment(state=State.PAID) == payment_from('{"state": "paid", "long_ago": 1}')


@pytest.mark.parametrize("text", ['{"state": "lost"}', '{"receipt_id": "x"}', '{"lease": 1}', "[]", "{"])
def test_what_is_no_payment_is_refused(text: str) -> None:
    """A damaged row is never read as something else."""
    with pytest.raises(msgspec.MsgspecError):
        payment_from(text)


def test_nobody_waits_for_pythons_dataclasses() -> None:
    """To write and to read a payment takes nothing of what a cold function would have to read first."""
    code = (
        "import sys\n"
        "from dojang.adapters.payment_json import payment_from, payment_json\n"
        "from dojang.core.payment import Lease, Payment\n"
        "payment_from(payment_json(Payment()))\n"
        "print('dataclasses' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False\n" == ran.stdout
