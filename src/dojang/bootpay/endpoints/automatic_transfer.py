"""Billing keys of bank accounts (계좌 자동이체): ask, and publish once the buyer has consented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dojang.bootpay.amount import AmountLike
from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.billing_keys import IssuedBilling, billing_amounts, read_issued
from dojang.bootpay.endpoints.receipts import Receipt, read_receipt
from dojang.bootpay.endpoints.values import User, as_mapping
from dojang.bootpay.ids import bootpay_id, merchant_id, required_text

__all__ = ["publish_automatic_transfer", "request_automatic_transfer"]


def request_automatic_transfer(
    *,
    pg: str,
    order_name: str,
    subscription_id: str,
    username: str,
    bank_name: str,
    bank_account: str,
    identity_no: str,
    phone: str,
    auth_type: str = "ARS",
    method: str | None = None,
    price: AmountLike | None = None,
    tax_free: AmountLike | None = None,
    cash_receipt_type: str | None = None,
    cash_receipt_identity_no: str | None = None,
    extra: Mapping[str, Any] | None = None,
    user: User | Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[Receipt]:
    """Ask the buyer to consent to automatic transfers; the answer waits in status 41.

    Args:
        pg: Payment gateway; only `nicepay` is documented.
        order_name: What the buyer reads.
        subscription_id: The shop's id of this issuance.
        username: The account holder.
        bank_name: Korean short name, such as `국민`.
        bank_account: The account number, digits.
        identity_no: Birth date (6 digits) or business number (10).
        phone: Where the buyer is called for consent.
        auth_type: `ARS` or `간편인증`.
        method: Payment method, where the gateway needs one.
        price: Charged on publishing when above 0.
        tax_free: The non-taxable part of `price`.
        cash_receipt_type: `소득공제` or `지출증빙`.
        cash_receipt_identity_no: Whose cash receipt it is.
        extra: Further options.
        user: The buyer.
        metadata: The shop's own data.
    """
    return Call(
        method="POST",
        path="request/subscribe/automatic-transfer",
        read=read_receipt,
        body=given(
            pg=required_text(pg, "pg"),
            order_name=required_text(order_name, "order_name"),
            subscription_id=merchant_id(subscription_id, "subscription_id"),
            auth_type=required_text(auth_type, "auth_type"),
            username=required_text(username, "username"),
            bank_name=required_text(bank_name, "bank_name"),
            bank_account=required_text(bank_account, "bank_account"),
            identity_no=required_text(identity_no, "identity_no"),
            phone=required_text(phone, "phone"),
            method=method,
            cash_receipt_type=cash_receipt_type,
            cash_receipt_identity_no=cash_receipt_identity_no,
            extra=as_mapping(extra, "extra"),
            user=as_mapping(user, "user"),
            metadata=as_mapping(metadata, "metadata"),
            **billing_amounts(price, tax_free),
        ),
        moves_money=True,
    )


def publish_automatic_transfer(receipt_id: str) -> Call[IssuedBilling]:
    """Issue the billing key after the buyer's consent; the price asked for is charged now."""
    return Call(
        method="POST",
        path="request/subscribe/automatic-transfer/publish",
        read=read_issued,
        body={"receipt_id": bootpay_id(receipt_id, "receipt_id")},
        moves_money=True,
    )
