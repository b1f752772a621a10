"""The types a user of both clients sees. Checked by mypy, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from decimal import Decimal
from typing import Any, assert_type

from dojang.bootpay import (
    AsyncBootpay,
    Billing,
    Bootpay,
    CashReceipt,
    Certificate,
    Receipt,
    ReceiptStatus,
    Token,
    UserToken,
    Wallet,
    v1,
)
from dojang.bootpay.endpoints.payments import confirm


def blocking(client: Bootpay) -> None:
    """A blocking endpoint gives its result."""
    assert_type(client.receipt("r", lookup_user_data=True), Receipt)
    assert_type(client.lookup_order("o"), list[Receipt])
    assert_type(client.confirm("r"), Receipt)
    assert_type(client.cancel("r", cancel_price=Decimal(1)), Receipt)
    assert_type(client.certificate("r"), Certificate)
    assert_type(client.billing_key("k"), Billing)
    assert_type(client.cancel_cash_receipt("r"), CashReceipt)
    assert_type(client.request_user_token("u"), UserToken)
    assert_type(client.wallets("u"), list[Wallet])
    assert_type(client.request_token(), Token)
    assert_type(client.within(1.0), Bootpay)
    assert_type(client.within(1.0).confirm("r"), Receipt)
    assert_type(client.send(confirm("r")), Receipt)
    assert_type(client.receipt("r").price, Decimal)
    assert_type(client.receipt("r").known_status, ReceiptStatus | None)
    assert_type(client.v1.verify("r"), v1.Receipt)


async def asynchronous(client: AsyncBootpay) -> None:
    """An asyncio endpoint takes the same parameters and gives an awaitable of the same result."""
    pending = client.receipt("r", lookup_user_data=True)
    _ = assert_type(pending, Coroutine[Any, Any, Receipt])
    assert_type(await pending, Receipt)
    assert_type(await client.lookup_order("o"), list[Receipt])
    assert_type(await client.within(1.0).confirm("r"), Receipt)
    assert_type(await client.send(confirm("r")), Receipt)
    assert_type(await client.request_token(), Token)
    assert_type(await client.v1.verify("r"), v1.Receipt)
    waiting: Awaitable[Receipt] = client.cancel("r", cancel_price="1")
    assert_type(await waiting, Receipt)


def mistakes(client: Bootpay, other: AsyncBootpay) -> None:
    """Wrong arguments are found before anything runs."""
    client.receipt(7)  # type: ignore[arg-type]
    client.receipt()  # type: ignore[call-arg]
    client.receipt("r", lookup=True)  # type: ignore[call-arg]
    client.cancel("r", 500)  # type: ignore[call-arg]
    _ = other.confirm("r", "s")  # type: ignore[call-arg]
    client.nonsense("r")  # type: ignore[attr-defined]
