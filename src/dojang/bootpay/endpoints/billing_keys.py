"""Billing keys (빌링키): issue from card data, look up, destroy."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from dojang.bootpay.amount import AmountLike, exact_amount, json_amount
from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.receipts import Receipt, ReceiptStatus, known_status
from dojang.bootpay.endpoints.values import User, as_mapping
from dojang.bootpay.ids import bootpay_id, merchant_id, required_text
from dojang.bootpay.wire import Time, Wire, reader
from dojang.errors import InvalidValue

__all__ = [
    "Billing",
    "BillingData",
    "DestroyedBillingKey",
    "billing_key",
    "billing_key_of_receipt",
    "destroy_billing_key",
    "request_billing_key",
    "sequential_billing_key",
]


class BillingData(Wire, frozen=True, kw_only=True):
    """The card or account behind a billing key, masked by Bootpay and hidden from `repr`."""

    card_no: str | None = None
    card_company: str | None = None
    card_company_code: str | None = None
    card_type: int | str | None = None
    card_hash: str | None = None
    rtn_key_info: str | None = None
    bank_name: str | None = None
    bank_code: str | None = None
    bank_account: str | None = None
    username: str | None = None


class Billing(Wire, frozen=True, kw_only=True):
    """One billing key and how it came to be. The key itself is hidden from `repr`.

    Everything is optional because a key that is still being issued, and the priority wallet
    (`sequential_billing_key`), lack parts of it.
    """

    shown = ("receipt_id", "subscription_id", "status", "method_symbol", "billing_expire_at")

    billing_key: str | None = None
    billing_data: BillingData | None = None
    receipt_id: str | None = None
    subscription_id: str | None = None
    gateway_url: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    pg: str | None = None
    method: str | None = None
    method_symbol: str | None = None
    method_origin: str | None = None
    method_origin_symbol: str | None = None
    published_at: Time | None = None
    requested_at: Time | None = None
    receipt_data: Receipt | None = None
    billing_expire_at: Time | None = None
    status: int | None = None
    status_locale: str | None = None

    @property
    def known_status(self) -> ReceiptStatus | None:
        """The documented meaning of `status`, None for a number nobody documented."""
        return known_status(self.status)


class IssuedBilling(Billing, frozen=True, kw_only=True):
    """A billing key that has been issued, or is being issued."""

    receipt_id: str
    status: int


class DestroyedBillingKey(Wire, frozen=True, kw_only=True):
    """The billing key that was destroyed, hidden from `repr`."""

    billing_key: str


read_billing = reader(Billing)
read_issued = reader(IssuedBilling)
_read_destroyed = reader(DestroyedBillingKey)


def billing_amounts(price: AmountLike | None, tax_free: AmountLike | None) -> dict[str, int | Decimal | None]:
    """What an issuance charges at once, where it charges anything: `tax_free` never more than `price`."""
    exact = None if price is None else exact_amount(price)
    free = None if tax_free is None else exact_amount(tax_free, name="tax_free")
    if exact is not None and free is not None and free > exact:
        raise InvalidValue(f"tax_free {free} must not be more than price {exact}")
    return {
        "price": None if exact is None else json_amount(exact),
        "tax_free": None if free is None else json_amount(free),
    }


def request_billing_key(
    *,
    pg: str,
    order_name: str,
    subscription_id: str,
    card_no: str,
    card_pw: str,
    card_identity_no: str,
    card_expire_year: str,
    card_expire_month: str,
    method: str | None = None,
    price: AmountLike | None = None,
    tax_free: AmountLike | None = None,
    extra: Mapping[str, Any] | None = None,
    user: User | Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[IssuedBilling]:
    """Issue a billing key from card data; a `price` above 0 is charged at once.

    Args:
        pg: Payment gateway, such as `nicepay`.
        order_name: What the buyer reads.
        subscription_id: The shop's id of this issuance.
        card_no: Card number, digits.
        card_pw: First two digits of the card's password.
        card_identity_no: Birth date (6 digits) or business number (10).
        card_expire_year: Two digits.
        card_expire_month: Two digits.
        method: Payment method, where the gateway needs one.
        price: Charged at once when above 0.
        tax_free: The non-taxable part of `price`.
        extra: Further options, such as `subscribe_test_payment`.
        user: The buyer.
        metadata: The shop's own data.
    """
    return Call(
        method="POST",
        path="request/subscribe",
        read=read_issued,
        body=given(
            pg=required_text(pg, "pg"),
            order_name=required_text(order_name, "order_name"),
            subscription_id=merchant_id(subscription_id, "subscription_id"),
            card_no=required_text(card_no, "card_no"),
            card_pw=required_text(card_pw, "card_pw"),
            card_identity_no=required_text(card_identity_no, "card_identity_no"),
            card_expire_year=required_text(card_expire_year, "card_expire_year"),
            card_expire_month=required_text(card_expire_month, "card_expire_month"),
            method=method,
            extra=as_mapping(extra, "extra"),
            user=as_mapping(user, "user"),
            metadata=as_mapping(metadata, "metadata"),
            **billing_amounts(price, tax_free),
        ),
        moves_money=True,
    )


def billing_key_of_receipt(receipt_id: str) -> Call[IssuedBilling]:
    """The billing key that a checkout in the browser issued."""
    return Call(
        method="GET",
        path="subscribe/billing_key/" + bootpay_id(receipt_id, "receipt_id"),
        template="subscribe/billing_key/{receipt_id}",
        read=read_issued,
    )


def billing_key(billing_key: str) -> Call[Billing]:
    """What Bootpay knows about a billing key."""
    return Call(
        method="GET",
        path="billing_key/" + bootpay_id(billing_key, "billing_key"),
        template="billing_key/{billing_key}",
        read=read_billing,
    )


def sequential_billing_key(billing_key: str, *, widget_key: str = "", user_id: str = "") -> Call[Billing]:
    """A billing key of the buyer's priority wallet; Bootpay checks that `user_id` owns it."""
    return Call(
        method="GET",
        path="subscribe/sequential_billing_key/" + bootpay_id(billing_key, "billing_key"),
        template="subscribe/sequential_billing_key/{billing_key}",
        read=read_billing,
        query={"widget_key": widget_key, "user_id": user_id},
    )


def destroy_billing_key(billing_key: str) -> Call[DestroyedBillingKey]:
    """Destroy a billing key. Its reservations live on: cancel those first."""
    return Call(
        method="DELETE",
        path="subscribe/billing_key/" + bootpay_id(billing_key, "billing_key"),
        template="subscribe/billing_key/{billing_key}",
        read=_read_destroyed,
    )
