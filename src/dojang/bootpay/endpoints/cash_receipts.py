"""Cash receipts (현금영수증): on an existing payment, or standing alone.

They are documents, not money, yet a second one is a second tax record: none of these calls is ever repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from dojang.bootpay.amount import AmountLike
from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.receipts import CashReceiptData, ReceiptStatus, known_status
from dojang.bootpay.endpoints.subscriptions import charge_amounts, moment_text
from dojang.bootpay.endpoints.values import User, as_mapping
from dojang.bootpay.ids import bootpay_id, merchant_id, required_text
from dojang.bootpay.wire import Time, Wire, reader

__all__ = [
    "CashReceipt",
    "cancel_cash_receipt",
    "cancel_published_cash_receipt",
    "publish_cash_receipt",
    "request_cash_receipt",
]


class CashReceipt(Wire, frozen=True, kw_only=True):
    """A cash receipt as Bootpay tells it: 60 issued, 61 cancelled. A cancel answers with little more than its id."""

    amounts = ("price", "tax_free", "cancelled_price", "cancelled_tax_free")
    shown = ("receipt_id", "order_id", "status", "price")

    receipt_id: str
    order_id: str | None = None
    price: Decimal | None = None
    tax_free: Decimal | None = None
    cancelled_price: Decimal | None = None
    cancelled_tax_free: Decimal | None = None
    currency: str | None = None
    order_name: str | None = None
    company_name: str | None = None
    gateway_url: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    sandbox: bool | None = None
    pg: str | None = None
    method: str | None = None
    method_symbol: str | None = None
    method_origin: str | None = None
    method_origin_symbol: str | None = None
    purchased_at: Time | None = None
    requested_at: Time | None = None
    cancelled_at: Time | None = None
    status: int | None = None
    status_locale: str | None = None
    receipt_url: str | None = None
    cash_receipt_data: CashReceiptData | None = None

    @property
    def known_status(self) -> ReceiptStatus | None:
        """The documented meaning of `status`, None for a number nobody documented."""
        return known_status(self.status)


_read = reader(CashReceipt)


def publish_cash_receipt(
    receipt_id: str,
    *,
    identity_no: str,
    cash_receipt_type: str = "소득공제",
    username: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    currency: str | None = None,
) -> Call[CashReceipt]:
    """Issue the cash receipt of a bank or virtual-account payment that has none.

    Args:
        receipt_id: The payment.
        identity_no: Phone, resident or business number.
        cash_receipt_type: `소득공제` (personal) or `지출증빙` (business).
        username: Whose it is.
        email: Where it is sent.
        phone: Where it is sent.
        currency: Unset means won.
    """
    return Call(
        method="POST",
        path="request/receipt/cash/publish",
        read=_read,
        body=given(
            receipt_id=bootpay_id(receipt_id, "receipt_id"),
            identity_no=required_text(identity_no, "identity_no"),
            cash_receipt_type=required_text(cash_receipt_type, "cash_receipt_type"),
            username=username,
            email=email,
            phone=phone,
            currency=currency,
        ),
    )


def cancel_published_cash_receipt(
    receipt_id: str, *, cancel_username: str = "시스템", cancel_message: str = "현금영수증 취소"
) -> Call[CashReceipt]:
    """Take back the cash receipt of a payment."""
    return Call(
        method="DELETE",
        path="request/receipt/cash/cancel/" + bootpay_id(receipt_id, "receipt_id"),
        template="request/receipt/cash/cancel/{receipt_id}",
        read=_read,
        query={"cancel_username": cancel_username, "cancel_message": cancel_message},
    )


def request_cash_receipt(
    *,
    order_id: str,
    order_name: str,
    identity_no: str,
    price: AmountLike,
    cash_receipt_type: str = "소득공제",
    tax_free: AmountLike | None = None,
    purchased_at: datetime | str | None = None,
    pg: str | None = None,
    user: User | Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[CashReceipt]:
    """Issue a cash receipt for money that was not taken through Bootpay.

    Args:
        order_id: The shop's id.
        order_name: What was bought.
        identity_no: Phone, resident or business number.
        price: How much was paid, in won.
        cash_receipt_type: `소득공제` (personal) or `지출증빙` (business).
        tax_free: The non-taxable part of `price`.
        purchased_at: When, aware.
        pg: Payment gateway; unset means the project's default.
        user: The buyer.
        extra: Further options.
        metadata: The shop's own data.
    """
    return Call(
        method="POST",
        path="request/cash/receipt",
        read=_read,
        body=given(
            pg=pg,
            order_id=merchant_id(order_id, "order_id"),
            order_name=required_text(order_name, "order_name"),
            identity_no=required_text(identity_no, "identity_no"),
            purchased_at=None if purchased_at is None else moment_text(purchased_at, "purchased_at"),
            cash_receipt_type=required_text(cash_receipt_type, "cash_receipt_type"),
            user=as_mapping(user, "user"),
            extra=as_mapping(extra, "extra"),
            metadata=as_mapping(metadata, "metadata"),
            **charge_amounts(price, tax_free),
        ),
    )


def cancel_cash_receipt(
    receipt_id: str, *, cancel_username: str = "", cancel_message: str = ""
) -> Call[CashReceipt]:
    """Take back a cash receipt that stands alone."""
    return Call(
        method="DELETE",
        path="request/cash/receipt/" + bootpay_id(receipt_id, "receipt_id"),
        template="request/cash/receipt/{receipt_id}",
        read=_read,
        query={"cancel_username": cancel_username, "cancel_message": cancel_message},
    )
