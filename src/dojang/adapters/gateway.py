"""Asks Bootpay through the client; the only place where wire types become core types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from dojang.bootpay.call import Call
from dojang.bootpay.endpoints import payments
from dojang.bootpay.endpoints.receipts import BankData
from dojang.bootpay.endpoints.receipts import Receipt as ReceiptV2
from dojang.bootpay.v1 import Receipt as ReceiptV1
from dojang.bootpay.v1 import payments as payments_v1
from dojang.core.order import Money, OrderId, ReceiptId, major_units
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.errors import InvalidValue, NotSent, OutcomeUnknown, Refused

__all__ = ["GatewayV1", "GatewayV2", "Sender", "receipt_from_v1", "receipt_from_v2"]

T = TypeVar("T")

_UNKNOWN_RECEIPT = frozenset({"RC_NOT_FOUND", "RC_PAYMENT_NOT_FOUND"})


class Sender(Protocol):
    """Sends one call, in whatever way the process allows. No time left is `NotSent`."""

    async def __call__(self, call: Call[T], within_s: float, /) -> T:
        """Send it and give its typed result."""
        ...


_STATUS_V2: Mapping[int, ReceiptStatus] = {
    0: ReceiptStatus.WAITING,
    1: ReceiptStatus.PAID,
    2: ReceiptStatus.AWAITING_APPROVAL,
    4: ReceiptStatus.APPROVING,
    5: ReceiptStatus.AWAITING_DEPOSIT,
    11: ReceiptStatus.NOT_A_PAYMENT,
    12: ReceiptStatus.NOT_A_PAYMENT,
    20: ReceiptStatus.CANCELLED,
    40: ReceiptStatus.WAITING,
    41: ReceiptStatus.WAITING,
    42: ReceiptStatus.NOT_A_PAYMENT,
    50: ReceiptStatus.WAITING,
    60: ReceiptStatus.NOT_A_PAYMENT,
    61: ReceiptStatus.NOT_A_PAYMENT,
    -2: ReceiptStatus.FAILED,
    -3: ReceiptStatus.ACCOUNT_CANCELLED,
    -4: ReceiptStatus.FAILED,
    -11: ReceiptStatus.FAILED,
    -40: ReceiptStatus.FAILED,
    -60: ReceiptStatus.FAILED,
    -61: ReceiptStatus.FAILED,
}

_STATUS_V1: Mapping[int, ReceiptStatus] = {
    0: ReceiptStatus.WAITING,
    1: ReceiptStatus.PAID,
    2: ReceiptStatus.AWAITING_APPROVAL,
    3: ReceiptStatus.APPROVING,
    11: ReceiptStatus.NOT_A_PAYMENT,
    20: ReceiptStatus.CANCELLED,
    -1: ReceiptStatus.FAILED,
    -2: ReceiptStatus.FAILED,
    -3: ReceiptStatus.ACCOUNT_CANCELLED,
    -11: ReceiptStatus.FAILED,
    # A cancel that failed leaves the money where it was; one in progress has not decided anything yet.
    -20: ReceiptStatus.PAID,
    -30: ReceiptStatus.APPROVING,
}


def receipt_from_v2(wire: ReceiptV2) -> Receipt:
    """What we judge by, out of a v2 receipt.

    Raises:
        OutcomeUnknown: If Bootpay's own amounts or ids make no sense.
    """
    currency = wire.currency.upper()
    return _receipt(
        receipt_id=wire.receipt_id,
        order_id=wire.order_id,
        status=_STATUS_V2.get(wire.status, ReceiptStatus.UNKNOWN),
        number=wire.status,
        amounts=(wire.price, wire.tax_free, wire.cancelled_price, wire.cancelled_tax_free),
        currency=currency,
        sandbox=wire.sandbox,
        method=wire.method_symbol or "",
        account=_account_v2(wire.vbank_data),
        purchased_at=wire.purchased_at,
    )


def _account_v2(bank: BankData | None) -> Account | None:
    if bank is None:
        return None
    # `sender_name` is the buyer: it is left where it is.
    return Account(
        bank_name=bank.bank_name or "",
        bank_code=bank.bank_code or "",
        number=bank.bank_account or "",
        holder=bank.bank_username or "",
        expires_at=bank.expired_at,
    )


def receipt_from_v1(wire: ReceiptV1) -> Receipt:
    """What we judge by, out of a v1 receipt; bodies of 2018 name no tax-free part and no cancelled amount.

    Raises:
        OutcomeUnknown: If Bootpay's own amounts or ids make no sense.
    """
    status = _STATUS_V1.get(wire.status, ReceiptStatus.UNKNOWN)
    account = None
    if wire.method == "vbank":
        account = _account_v1(wire.payment_data)
        if wire.status == 2:
            # The first generation has one number for "approve me" and "pay into this account".
            status = ReceiptStatus.AWAITING_DEPOSIT
    none = Decimal(0)
    return _receipt(
        receipt_id=wire.receipt_id,
        order_id=wire.order_id,
        status=status,
        number=wire.status,
        amounts=(
            wire.price,
            wire.tax_free or none,
            wire.cancelled_price or none,
            wire.cancelled_tax_free or none,
        ),
        currency=(wire.unit or "KRW").upper(),
        sandbox=None,
        method=wire.method or "",
        account=account,
        purchased_at=wire.purchased_at,
    )


def _account_v1(data: Mapping[str, object]) -> Account | None:
    number = data.get("account")
    if not number:
        return None
    return Account(
        bank_name=str(data.get("bankname") or ""),
        number=str(number),
        holder=str(data.get("accountholder") or ""),
    )


def _receipt(
    *,
    receipt_id: str,
    order_id: str,
    status: ReceiptStatus,
    number: int,
    amounts: tuple[Decimal, Decimal, Decimal, Decimal],
    currency: str,
    sandbox: bool | None,
    method: str,
    account: Account | None,
    purchased_at: datetime | None,
) -> Receipt:
    try:
        price, tax_free, cancelled, cancelled_tax_free = (
            # Nothing is nothing in every currency; three of the four usually are.
            Money.parse(amount, currency).minor if amount else 0
            for amount in amounts
        )
        return Receipt(
            id=ReceiptId(receipt_id),
            order_id=order_id,
            status=status,
            number=number,
            price=price,
            tax_free=tax_free,
            cancelled=cancelled,
            cancelled_tax_free=cancelled_tax_free,
            currency=currency,
            sandbox=sandbox,
            method=method,
            account=account,
            purchased_at=purchased_at,
        )
    except InvalidValue as error:
        raise OutcomeUnknown(f"Bootpay's receipt makes no sense: {error}") from None


class GatewayV2:
    """`dojang.ports.Gateway` over the current API."""

    def __init__(self, send: Sender) -> None:
        self._send = send

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        try:
            wire = await self._send(payments.receipt(str(receipt_id)), within_s)
        except Refused as no:
            if no.code in _UNKNOWN_RECEIPT or no.http_status == 404:
                return None
            raise
        return _same(receipt_id, receipt_from_v2(wire))

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """See `Gateway.look_up_order`."""
        try:
            found = await self._send(payments.lookup_order(str(order_id)), within_s)
        except Refused as no:
            if no.code in _UNKNOWN_RECEIPT or no.http_status == 404:
                return ()
            raise
        return [receipt_from_v2(wire) for wire in found]

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        return _same(
            receipt_id, receipt_from_v2(await self._send(payments.confirm(str(receipt_id)), within_s))
        )

    async def cancel(
        self,
        receipt_id: ReceiptId,
        within_s: float,
        /,
        *,
        cancel_id: str,
        amount: int | None = None,
        tax_free: int = 0,
        currency: str = "KRW",
        reason: str = "",
        refund_account: Mapping[str, str] | None = None,
    ) -> Receipt:
        """See `Gateway.cancel`."""
        call = payments.cancel(
            str(receipt_id),
            cancel_price=None if amount is None else _decimal(amount, currency),
            cancel_tax_free=_decimal(tax_free, currency) if amount is not None and tax_free else None,
            cancel_id=cancel_id,
            cancel_username="dojang",
            cancel_message=reason or None,
            refund=refund_account,
            currency=currency,
        )
        return _same(receipt_id, receipt_from_v2(await self._send(call, within_s)))


class GatewayV1:
    """`dojang.ports.Gateway` over the first generation, which cannot look up by order id."""

    def __init__(self, send: Sender) -> None:
        self._send = send

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        try:
            wire = await self._send(payments_v1.verify(str(receipt_id)), within_s)
        except Refused as no:
            if no.http_status == 404:
                return None
            raise
        return _same(receipt_id, receipt_from_v1(wire))

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:  # noqa: ARG002 - the port's
        """See `Gateway.look_up_order`: always empty."""
        return ()

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        await self._send(payments_v1.submit(str(receipt_id)), within_s)
        # The answer lacks what was cancelled and the currency: judge by the receipt itself.
        return await self._read_back(receipt_id, within_s)

    async def cancel(
        self,
        receipt_id: ReceiptId,
        within_s: float,
        /,
        *,
        cancel_id: str,
        amount: int | None = None,
        tax_free: int = 0,
        currency: str = "KRW",
        reason: str = "",
        refund_account: Mapping[str, str] | None = None,
    ) -> Receipt:
        """See `Gateway.cancel`."""
        refund = None
        if refund_account is not None:
            refund = {
                "account": refund_account.get("bank_account", ""),
                "accountholder": refund_account.get("bank_username", ""),
                "bankcode": refund_account.get("bank_code", ""),
            }
        call = payments_v1.cancel(
            str(receipt_id),
            None if amount is None else _decimal(amount, currency),
            tax_free=_decimal(tax_free, currency) if amount is not None and tax_free else None,
            cancel_id=cancel_id,
            name="dojang",
            reason=reason or None,
            refund=refund,
            currency=currency,
        )
        await self._send(call, within_s)
        return await self._read_back(receipt_id, within_s)

    async def _read_back(self, receipt_id: ReceiptId, within_s: float) -> Receipt:
        try:
            receipt = await self.look_up(receipt_id, within_s)
        except (NotSent, Refused) as error:
            raise OutcomeUnknown(
                f"it was done, but the receipt could not be read back: {type(error).__name__}"
            ) from None
        if receipt is None:
            raise OutcomeUnknown("it was done, but Bootpay no longer knows the receipt")
        return receipt


def _same(receipt_id: ReceiptId, receipt: Receipt) -> Receipt:
    """An answer about another receipt is no answer."""
    if receipt.id != receipt_id:
        raise OutcomeUnknown("Bootpay answered about another receipt than the one asked for")
    return receipt


def _decimal(minor: int, currency: str) -> Decimal:
    return Decimal(str(major_units(minor, currency)))
