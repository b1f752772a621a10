"""Asks Bootpay through the client. Here and in `gateway_v1` alone wire types become core types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

import msgspec

from dojang.bootpay.call import Call
from dojang.bootpay.endpoints import payments
from dojang.bootpay.endpoints.receipts import BankData, read_receipt
from dojang.bootpay.endpoints.receipts import Receipt as ReceiptV2
from dojang.core.order import YEARS, Money, OrderId, ReceiptId, major_units
from dojang.core.receipt import Account, Receipt, ReceiptStatus
from dojang.errors import InvalidValue, OutcomeUnknown, Refused

__all__ = ["GatewayV2", "Sender", "decimal_of", "judged_by", "knows_no_such", "receipt_from_v2", "same"]

T = TypeVar("T")

_UNKNOWN_RECEIPT = frozenset({"RC_NOT_FOUND", "RC_PAYMENT_NOT_FOUND"})
# A 404 whose body names no code is a proxy's, or a wrong BOOTPAY_URL's: not Bootpay's word about a receipt.
_NAMELESS_404 = "HTTP_404"


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


def receipt_from_v2(wire: ReceiptV2) -> Receipt:
    """What we judge by, out of a v2 receipt.

    Raises:
        OutcomeUnknown: If Bootpay's own amounts or ids make no sense.
    """
    # Empty is alike to missing, and missing means won.
    currency = (wire.currency or "KRW").upper()
    return judged_by(
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
        expires_at=_kept_moment(bank.expired_at),
    )


def _kept_moment(at: datetime | None) -> datetime | None:
    """A moment of Bootpay's; None where it says never, as the year 9999 does, or what no store can hold."""
    return at if at is not None and at.year in YEARS else None


def judged_by(
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
    """A receipt of either generation, as the core knows it.

    Raises:
        OutcomeUnknown: If Bootpay's own amounts or ids make no sense.
    """
    try:
        price, tax_free, cancelled, cancelled_tax_free = (
            # Nothing is nothing in every currency; three of the four usually are.
            Money.parse(amount, currency).minor if amount else 0
            for amount in amounts
        )
        if status is ReceiptStatus.CANCELLED and 0 < cancelled < price:
            # Bootpay's pages contradict each other: after a partial cancel the number is 1 or 20. The amounts decide.
            status = ReceiptStatus.PAID
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
            purchased_at=_kept_moment(purchased_at),
        )
    except InvalidValue as error:
        raise OutcomeUnknown(f"Bootpay's receipt makes no sense: {error}") from None


_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Named(msgspec.Struct):
    receipt_id: str


def _listed(element: msgspec.Raw, order_id: OrderId) -> Receipt:
    """One receipt of a list. One that makes no sense hides no other: it is told as unknown, which never pays.

    Raises:
        OutcomeUnknown: If not even its id can be read.
    """
    body = bytes(element)
    try:
        return receipt_from_v2(read_receipt(body))
    except (msgspec.MsgspecError, InvalidValue, OutcomeUnknown):
        try:
            named = ReceiptId(msgspec.json.decode(body, type=_Named).receipt_id)
        except (msgspec.MsgspecError, InvalidValue):
            raise OutcomeUnknown("Bootpay's list of receipts has one without an id") from None
        return Receipt(id=named, order_id=str(order_id), status=ReceiptStatus.UNKNOWN, price=0)


class GatewayV2:
    """`dojang.ports.Gateway` over the current API."""

    def __init__(self, send: Sender) -> None:
        self._send = send

    async def look_up(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt | None:
        """See `Gateway.look_up`."""
        try:
            wire = await self._send(payments.receipt(str(receipt_id)), within_s)
        except Refused as no:
            if knows_no_such(no):
                return None
            raise
        return same(receipt_id, receipt_from_v2(wire))

    async def look_up_order(self, order_id: OrderId, within_s: float, /) -> Sequence[Receipt]:
        """See `Gateway.look_up_order`."""
        asked = payments.lookup_order(str(order_id))
        listing = Call(method=asked.method, path=asked.path, template=asked.template, read=_elements)
        try:
            found = await self._send(listing, within_s)
        except Refused as no:
            if knows_no_such(no):
                return ()
            raise
        return [_listed(element, order_id) for element in found]

    async def confirm(self, receipt_id: ReceiptId, within_s: float, /) -> Receipt:
        """See `Gateway.confirm`."""
        return same(
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
            cancel_price=None if amount is None else decimal_of(amount, currency),
            cancel_tax_free=decimal_of(tax_free, currency) if amount is not None and tax_free else None,
            cancel_id=cancel_id,
            cancel_username="dojang",
            cancel_message=reason or None,
            refund=refund_account,
            currency=currency,
        )
        return same(receipt_id, receipt_from_v2(await self._send(call, within_s)))


def knows_no_such(no: Refused) -> bool:
    """Whether a refusal says that Bootpay has no such receipt, not that something in between found nothing."""
    return no.code in _UNKNOWN_RECEIPT or (no.http_status == 404 and no.code != _NAMELESS_404)


def same(receipt_id: ReceiptId, receipt: Receipt) -> Receipt:
    """An answer about another receipt is no answer."""
    if receipt.id != receipt_id:
        raise OutcomeUnknown("Bootpay answered about another receipt than the one asked for")
    return receipt


def decimal_of(minor: int, currency: str) -> Decimal:
    """An amount as Bootpay writes it."""
    return Decimal(str(major_units(minor, currency)))
