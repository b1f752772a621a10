"""Bootpay's account of a checkout in its first generation, and what its calls answer about it."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from dojang.bootpay.wire import Time, Wire, mended

__all__ = [
    "NO_CURRENCY",
    "Approved",
    "CancelResult",
    "Certificate",
    "PaymentData",
    "Receipt",
    "ReceiptStatus",
]

NO_CURRENCY = "XXX"
"""ISO 4217's code where no currency is named: such an amount may have two decimals."""


class ReceiptStatus(IntEnum):
    """The status numbers Bootpay documents for generation 1; a receipt may carry others."""

    WAITING = 0
    PAID = 1
    AWAITING_CONFIRM = 2
    """Also a virtual account that awaits its deposit: `method` tells the two apart."""
    APPROVING = 3
    BILLING_KEY_ISSUED = 11
    CANCELLED = 20
    FAILED = -1
    CONFIRM_FAILED = -2
    ACCOUNT_ISSUE_CANCELLED = -3
    BILLING_KEY_CANCELLED = -11
    CANCEL_FAILED = -20
    """The payment still stands."""
    CANCELLING = -30


class PaymentData(Wire, frozen=True, kw_only=True):
    """The payment gateway's own account of a payment, under its short names. For display and disputes.

    Attributes:
        n: Product name.
        p: Price.
        tid: The PG's transaction id.
        pm: Method, as shown.
        pg_a: PG, as an alias.
        pm_a: Method, as an alias.
        o_id: Order id.
        p_at: When it was paid.
        s: 1 where the payment is complete.
        g: 2 in every body seen; nobody says what it means.
    """

    receipt_id: str | None = None
    n: str | None = None
    p: Decimal | None = None
    tid: str | None = None
    pg: str | None = None
    pm: str | None = None
    pg_a: str | None = None
    pm_a: str | None = None
    o_id: str | None = None
    p_at: Time | None = None
    s: int | None = None
    g: int | None = None
    card_name: str | None = None
    card_no: str | None = None
    card_quota: str | None = None
    card_code: str | None = None
    card_auth_no: str | None = None
    bankname: str | None = None
    accountholder: str | None = None
    account: str | None = None
    expiredate: Time | None = None
    username: str | None = None
    phone: str | None = None
    birth: str | None = None
    gender: str | None = None
    unique: str | None = None
    di: str | None = None
    cash_result: str | None = None

    amounts = ("p",)
    shown = ("receipt_id", "p", "pg", "pm", "s")
    currency: ClassVar[str] = NO_CURRENCY


class Receipt(Wire, frozen=True, kw_only=True):
    """Bootpay's account of a checkout. Bodies of 2018 name neither remainder nor tax-free part: those are None.

    Attributes:
        status: Any number Bootpay sends; `known_status` is its documented meaning.
        cancelled_price: What went back so far, all cancels together; None where the body does not say.
        params: The shop's own data, echoed.
        payment_data: The PG's words as they came; `payment` reads them.
    """

    receipt_id: str
    order_id: str
    price: Decimal
    status: int
    unit: str | None = None
    name: str | None = None
    item_name: str | None = None
    tax_free: Decimal | None = None
    remain_price: Decimal | None = None
    remain_tax_free: Decimal | None = None
    cancelled_price: Decimal | None = None
    cancelled_tax_free: Decimal | None = None
    receipt_url: str | None = None
    pg: str | None = None
    pg_name: str | None = None
    method: str | None = None
    method_name: str | None = None
    params: Any = None
    payment_data: dict[str, Any] = msgspec.field(default_factory=dict)
    requested_at: Time | None = None
    purchased_at: Time | None = None
    revoked_at: Time | None = None
    escrow_status: int | None = None
    escrow_status_en: str | None = None
    escrow_status_ko: str | None = None
    status_en: str | None = None
    status_ko: str | None = None

    amounts = (
        "price",
        "tax_free",
        "remain_price",
        "remain_tax_free",
        "cancelled_price",
        "cancelled_tax_free",
    )
    shown = ("receipt_id", "order_id", "status", "price", "remain_price", "cancelled_price", "unit", "method")

    @property
    def known_status(self) -> ReceiptStatus | None:
        """The documented meaning of `status`, None for a number nobody documented."""
        try:
            return ReceiptStatus(self.status)
        except ValueError:
            return None

    @property
    def currency(self) -> str | None:
        """The currency as the second generation writes it: `KRW`, `USD`."""
        return None if self.unit is None else self.unit.upper()

    @property
    def payment(self) -> PaymentData:
        """The PG's account, typed. Read only when asked for: an oddity in there must not hide a payment."""
        return msgspec.convert(mended(self.payment_data, PaymentData), PaymentData)


class CancelResult(Wire, frozen=True, kw_only=True):
    """What one cancel did.

    Attributes:
        request_cancel_price: What this cancel asked for.
        cancelled_price: What went back so far, all cancels together.
        tid: The PG's transaction id of this cancel.
    """

    receipt_id: str
    request_cancel_price: Decimal | None = None
    remain_price: Decimal | None = None
    remain_tax_free: Decimal | None = None
    cancelled_price: Decimal | None = None
    cancelled_tax_free: Decimal | None = None
    revoked_at: Time | None = None
    tid: str | None = None

    amounts = (
        "request_cancel_price",
        "remain_price",
        "remain_tax_free",
        "cancelled_price",
        "cancelled_tax_free",
    )
    shown = ("receipt_id", "request_cancel_price", "remain_price", "cancelled_price", "revoked_at")
    currency: ClassVar[str] = NO_CURRENCY


class Approved(Wire, frozen=True, kw_only=True):
    """A payment that has just been approved, in the words of the browser's `done` callback."""

    receipt_id: str
    order_id: str | None = None
    price: Decimal | None = None
    tax_free: Decimal | None = None
    status: int | None = None
    item_name: str | None = None
    pg: str | None = None
    pg_name: str | None = None
    method: str | None = None
    method_name: str | None = None
    payment_name: str | None = None
    payment_group: str | None = None
    payment_group_name: str | None = None
    card_code: str | None = None
    card_name: str | None = None
    card_no: str | None = None
    card_quota: str | None = None
    params: Any = None
    receipt_url: str | None = None
    url: str | None = None
    requested_at: Time | None = None
    purchased_at: Time | None = None

    amounts = ("price", "tax_free")
    shown = ("receipt_id", "order_id", "status", "price", "method", "purchased_at")
    currency: ClassVar[str] = NO_CURRENCY


class Certificate(Wire, frozen=True, kw_only=True):
    """The result of an identity check. All of it is personal.

    Attributes:
        certificate: The person, under the PG's names: username, phone, birth, gender, unique, di.
    """

    receipt_id: str
    order_id: str | None = None
    pg: str | None = None
    pg_name: str | None = None
    method: str | None = None
    method_name: str | None = None
    certificate: dict[str, Any] = msgspec.field(default_factory=dict)
    payment_data: dict[str, Any] = msgspec.field(default_factory=dict)

    shown = ("receipt_id", "order_id", "pg", "method")

    @property
    def person(self) -> PaymentData:
        """Who was identified, typed; where the body has no certificate, from the PG's account."""
        return msgspec.convert(mended(self.certificate or self.payment_data, PaymentData), PaymentData)
