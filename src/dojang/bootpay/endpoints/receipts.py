"""Bootpay's account of a checkout: the receipt and its parts."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Any

import msgspec

from dojang.bootpay.wire import Time, Wire, list_reader, reader

__all__ = [
    "BankData",
    "CardData",
    "CashReceiptData",
    "EscrowData",
    "PhoneData",
    "PointData",
    "Receipt",
    "ReceiptStatus",
    "WalletData",
    "read_receipt",
    "read_receipts",
]


class ReceiptStatus(IntEnum):
    """The status numbers Bootpay documents for generation 2; a receipt may carry others."""

    WAITING = 0
    PAID = 1
    AWAITING_CONFIRM = 2
    APPROVING = 4
    AWAITING_DEPOSIT = 5
    BILLING_KEY_ISSUED = 11
    AUTHENTICATED = 12
    CANCELLED = 20
    BILLING_KEY_PREPARING = 40
    BILLING_KEY_PENDING = 41
    BILLING_KEY_SUCCEEDED = 42
    AUTHENTICATION_READY = 50
    CASH_RECEIPT_ISSUED = 60
    CASH_RECEIPT_CANCELLED = 61
    CONFIRM_FAILED = -2
    ACCOUNT_ISSUE_CANCELLED = -3
    REQUEST_FAILED = -4
    BILLING_KEY_CANCELLED = -11
    BILLING_KEY_FAILED = -40
    CASH_RECEIPT_FAILED = -60
    CASH_RECEIPT_CANCEL_FAILED = -61


_KNOWN = {status.value: status for status in ReceiptStatus}


def known_status(number: int | None) -> ReceiptStatus | None:
    """The documented meaning of a status number, None for a number nobody documented."""
    return _KNOWN.get(number) if number is not None else None


class CardData(Wire, frozen=True, kw_only=True):
    """How a card paid. `card_no` is masked by Bootpay, and still hidden from `repr`."""

    tid: str | None = None
    card_approve_no: str | None = None
    card_no: str | None = None
    card_quota: str | None = None
    card_company_code: str | None = None
    card_company: str | None = None
    card_interest: str | None = None
    card_type: str | None = None
    card_owner_type: str | None = None
    point: Decimal | None = None
    coupon: Decimal | None = None
    receipt_url: str | None = None
    cancel_tid: str | None = None
    cancelled_point: Decimal | None = None
    cancelled_coupon: Decimal | None = None


class PhoneData(Wire, frozen=True, kw_only=True):
    """How a phone bill paid."""

    tid: str | None = None
    auth_no: str | None = None
    phone: str | None = None
    receipt_url: str | None = None


class BankData(Wire, frozen=True, kw_only=True):
    """A bank transfer, or the virtual account a deposit is awaited on."""

    tid: str | None = None
    bank_code: str | None = None
    bank_name: str | None = None
    bank_username: str | None = None
    bank_account: str | None = None
    sender_name: str | None = None
    expired_at: Time | None = None
    cash_receipt_tid: str | None = None
    cash_receipt_type: str | int | None = None
    cash_receipt_no: str | None = None
    receipt_url: str | None = None
    cash_receipt_url: str | None = None


class EscrowData(Wire, frozen=True, kw_only=True):
    """Where an escrow delivery stands; Bootpay documents no table of its status numbers."""

    shown = ("status",)

    status: int | None = None
    status_locale: str | None = None
    shipping_started_at: Time | None = None
    receipt_confirmed_at: Time | None = None


class CashReceiptData(Wire, frozen=True, kw_only=True):
    """The cash receipt of a payment."""

    tid: str | None = None
    cash_receipt_type: str | int | None = None
    cash_receipt_no: str | None = None
    receipt_url: str | None = None


class PointData(Wire, frozen=True, kw_only=True):
    """An easy-pay balance or points that paid."""

    tid: str | None = None
    cancel_tid: str | None = None


class WalletData(Wire, frozen=True, kw_only=True):
    """Which wallet of the buyer paid, and which ones failed before it."""

    success: dict[str, Any] | None = None
    failure: list[Any] | None = None


class Receipt(Wire, frozen=True, kw_only=True):
    """One checkout as Bootpay tells it.

    `cancelled_price` is a running total: status stays 1 after a partial cancel. `status` is any number Bootpay
    sends; `known_status` is its documented meaning. Amounts are exact `Decimal`s, times are aware, `raw` has
    everything.
    """

    amounts = ("price", "tax_free", "cancelled_price", "cancelled_tax_free")
    shown = (
        "receipt_id",
        "order_id",
        "status",
        "price",
        "cancelled_price",
        "currency",
        "sandbox",
        "method_symbol",
    )

    receipt_id: str
    order_id: str
    price: Decimal
    # Required on purpose: a receipt that does not say what was cancelled must not look uncancelled.
    cancelled_price: Decimal
    status: int
    tax_free: Decimal = Decimal(0)
    cancelled_tax_free: Decimal = Decimal(0)
    currency: str = "KRW"
    sandbox: bool = False
    order_name: str | None = None
    company_name: str | None = None
    gateway_url: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    pg: str | None = None
    method: str | None = None
    method_symbol: str | None = None
    method_origin: str | None = None
    method_origin_symbol: str | None = None
    requested_at: Time | None = None
    purchased_at: Time | None = None
    cancelled_at: Time | None = None
    status_locale: str | None = None
    receipt_url: str | None = None
    card_data: CardData | None = None
    phone_data: PhoneData | None = None
    bank_data: BankData | None = None
    vbank_data: BankData | None = None
    escrow_data: EscrowData | None = None
    cash_receipt_data: CashReceiptData | None = None
    naver_point_data: PointData | None = None
    kakao_money_data: PointData | None = None
    payco_point_data: PointData | None = None
    toss_point_data: PointData | None = None
    wallet_data: WalletData | None = None
    user: dict[str, Any] | None = None

    @property
    def known_status(self) -> ReceiptStatus | None:
        """The documented meaning of `status`, None for a number nobody documented."""
        return known_status(self.status)

    @property
    def remaining(self) -> Decimal:
        """What is left of the price after all cancels."""
        return self.price - self.cancelled_price


read_receipt = reader(Receipt)
"""Reads one receipt from a body."""
read_receipts = list_reader(Receipt)
"""Reads an array of receipts from a body."""
