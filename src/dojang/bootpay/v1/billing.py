"""Billing keys (빌링키) of the first generation, what is charged to them, and the easy-pay user token.

https://github.com/bootpay/gitbook (client/subscription/…, client/subscription_password.md)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from dojang.bootpay.amount import AmountLike
from dojang.bootpay.call import Call, given
from dojang.bootpay.ids import bootpay_id, merchant_id, required_text
from dojang.bootpay.v1.envelope import Done, read_data, read_done
from dojang.bootpay.v1.inputs import (
    Items,
    Mapped,
    as_items,
    as_mapping,
    charge_amounts,
    instalments,
    unix_seconds,
)
from dojang.bootpay.v1.receipts import NO_CURRENCY, Approved
from dojang.bootpay.wire import KOREAN_TIME, Time, Wire
from dojang.errors import InvalidValue

__all__ = [
    "BillingKey",
    "BillingPayment",
    "Reservation",
    "UserToken",
    "billing_payment",
    "cancel_reserved_payment",
    "destroy_billing_key",
    "pay_with_billing_key",
    "request_billing_key",
    "request_user_token",
    "reserve_payment",
]


class BillingKey(Wire, frozen=True, kw_only=True):
    """A key that stands for a card and can be charged. Whoever has it can charge it: it is never shown.

    Attributes:
        data: The card as the PG describes it: card_code, card_name, card_no (masked), card_cl.
        e_at: When the key ends.
        c_at: When it was made.
    """

    billing_key: str
    pg: str | None = None
    pg_name: str | None = None
    method: str | None = None
    method_name: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    e_at: Time | None = None
    c_at: Time | None = None

    shown = ("pg", "method", "e_at", "c_at")


class BillingPayment(Wire, frozen=True, kw_only=True):
    """A subscription payment looked up. Its shape is documented nowhere: every field may be missing, `raw` has all."""

    receipt_id: str | None = None
    order_id: str | None = None
    billing_key: str | None = None
    item_name: str | None = None
    price: Decimal | None = None
    status: int | None = None
    pg: str | None = None
    pg_name: str | None = None
    method: str | None = None
    method_name: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)
    requested_at: Time | None = None
    purchased_at: Time | None = None
    e_at: Time | None = None
    c_at: Time | None = None

    amounts = ("price",)
    shown = ("receipt_id", "order_id", "price", "status", "pg", "method")
    currency: ClassVar[str] = NO_CURRENCY


class Reservation(Wire, frozen=True, kw_only=True):
    """One scheduled charge.

    Attributes:
        execute_at: When it runs, in Unix seconds; `executes_at` is the same as a time.
        status: 0 waiting, 1 all done, 2 error while executing, 3 cancelled by the user, -1 not reserved.
    """

    reserve_id: str
    billing_key: str | None = None
    item_name: str | None = None
    price: Decimal | None = None
    purchase_count: int | None = None
    purchase_limit: int | None = None
    execute_at: int | None = None
    status: int | None = None

    amounts = ("price",)
    shown = ("reserve_id", "price", "execute_at", "status", "purchase_count", "purchase_limit")
    currency: ClassVar[str] = NO_CURRENCY

    @property
    def executes_at(self) -> datetime | None:
        """When it runs, in Korean time."""
        return None if self.execute_at is None else datetime.fromtimestamp(self.execute_at, KOREAN_TIME)


class UserToken(Wire, frozen=True, kw_only=True):
    """Opens the easy-pay window for one user, for an hour."""

    user_token: str
    expired_unixtime: int
    expired_localtime: str | None = None

    shown = ("expired_unixtime",)

    @property
    def expires_at(self) -> datetime:
        """When it ends, in Korean time."""
        return datetime.fromtimestamp(self.expired_unixtime, KOREAN_TIME)


_billing_key = read_data(BillingKey)
_billing_payment = read_data(BillingPayment)
_reservation = read_data(Reservation)
_user_token = read_data(UserToken)
_charge = read_data(Approved)


def request_billing_key(
    *,
    pg: str,
    order_id: str,
    item_name: str,
    card_no: str,
    card_pw: str,
    expire_year: str,
    expire_month: str,
    identify_number: str,
    user_info: Mapped | None = None,
    extra: Mapping[str, object] | None = None,
) -> Call[BillingKey]:
    """Turn a card's data into a billing key.

    Args:
        pg: nicepay, payapp or welcome.
        order_id: The shop's id of this issuance.
        item_name: What the subscription is called.
        card_no: The card's number.
        card_pw: The first two digits of its password.
        expire_year: Two digits.
        expire_month: Two digits.
        identify_number: Birth date (six digits) or business number, without dashes.
        user_info: The buyer, a `UserInfo`; payapp requires `username` and `phone`.
        extra: `{"subscribe_test_payment": 1}` charges a little to prove the card and gives it back ten minutes later.
    """
    body = given(
        pg=required_text(pg, "pg"),
        order_id=merchant_id(order_id, "order_id"),
        item_name=required_text(item_name, "item_name"),
        card_no=required_text(card_no, "card_no"),
        card_pw=required_text(card_pw, "card_pw"),
        expire_year=required_text(expire_year, "expire_year"),
        expire_month=required_text(expire_month, "expire_month"),
        identify_number=required_text(identify_number, "identify_number"),
        user_info=as_mapping(user_info, "user_info"),
        extra=as_mapping(extra, "extra"),
    )
    # With `subscribe_test_payment` this charges the card.
    return Call(
        method="POST",
        path="request/card_rebill.json",
        read=_billing_key,
        body=body,
        moves_money=True,
        generation=1,
    )


def pay_with_billing_key(
    *,
    billing_key: str,
    item_name: str,
    price: AmountLike,
    order_id: str,
    tax_free: AmountLike | None = None,
    quota: int | None = None,
    interest: int | str | None = None,
    items: Items | None = None,
    user_info: Mapped | None = None,
    extra: Mapping[str, object] | None = None,
    feedback_url: str | None = None,
    feedback_content_type: str | None = None,
    currency: str = "KRW",
) -> Call[Approved]:
    """Charge a billing key now, once.

    Args:
        billing_key: The key.
        item_name: What is charged for.
        price: How much.
        order_id: The shop's order; use a new one for every attempt.
        tax_free: The tax-free part of the price.
        quota: Months of instalments: 0 for a lump sum, otherwise 2 to 12 (from 50,000 won on).
        interest: For welcome only.
        items: What is bought, for statistics: `Item`s.
        user_info: The buyer, a `UserInfo`; payapp requires it.
        extra: Bootpay's further options.
        feedback_url: Where the webhook goes.
        feedback_content_type: `json` or `urlencoded`.
        currency: What the amounts are checked against; it does not travel.
    """
    body = given(
        billing_key=bootpay_id(billing_key, "billing_key"),
        item_name=required_text(item_name, "item_name"),
        order_id=merchant_id(order_id, "order_id"),
        quota=instalments(quota),
        interest=interest,
        items=as_items(items),
        user_info=as_mapping(user_info, "user_info"),
        extra=as_mapping(extra, "extra"),
        feedback_url=feedback_url,
        feedback_content_type=_content_type(feedback_content_type),
        **charge_amounts(price, tax_free, currency),
    )
    return Call(
        method="POST",
        path="subscribe/billing.json",
        read=_charge,
        body=body,
        moves_money=True,
        generation=1,
    )


def billing_payment(receipt_id: str) -> Call[BillingPayment]:
    """Look up a subscription payment by its receipt."""
    path = f"subscribe/billing/{bootpay_id(receipt_id, 'receipt_id')}"
    template = "subscribe/billing/{receipt_id}"
    return Call(method="GET", path=path, template=template, read=_billing_payment, generation=1)


def reserve_payment(
    *,
    billing_key: str,
    item_name: str,
    price: AmountLike,
    order_id: str,
    execute_at: datetime | int,
    tax_free: AmountLike | None = None,
    quota: int | None = None,
    interest: int | str | None = None,
    items: Items | None = None,
    user_info: Mapped | None = None,
    extra: Mapping[str, object] | None = None,
    feedback_url: str | None = None,
    feedback_content_type: str | None = None,
    currency: str = "KRW",
) -> Call[Reservation]:
    """Schedule one charge of a billing key; Bootpay executes it at `execute_at` and tells `feedback_url`.

    Args:
        billing_key: The key.
        item_name: What is charged for.
        price: How much.
        order_id: The shop's order.
        execute_at: When: an aware time, or Unix seconds.
        tax_free: The tax-free part of the price.
        quota: Months of instalments: 0 for a lump sum, otherwise 2 to 12 (from 50,000 won on).
        interest: For welcome only.
        items: What is bought, for statistics: `Item`s.
        user_info: The buyer, a `UserInfo`; payapp requires it.
        extra: Bootpay's further options.
        feedback_url: Where the webhook goes.
        feedback_content_type: `json` or `urlencoded`.
        currency: What the amounts are checked against; it does not travel.
    """
    body = given(
        billing_key=bootpay_id(billing_key, "billing_key"),
        item_name=required_text(item_name, "item_name"),
        order_id=merchant_id(order_id, "order_id"),
        quota=instalments(quota),
        interest=interest,
        items=as_items(items),
        user_info=as_mapping(user_info, "user_info"),
        extra=as_mapping(extra, "extra"),
        feedback_url=feedback_url,
        feedback_content_type=_content_type(feedback_content_type),
        scheduler_type="oneshot",
        execute_at=unix_seconds(execute_at, "execute_at"),
        **charge_amounts(price, tax_free, currency),
    )
    return Call(
        method="POST",
        path="subscribe/billing/reserve.json",
        read=_reservation,
        body=body,
        moves_money=True,
        generation=1,
    )


def cancel_reserved_payment(reserve_id: str) -> Call[Done]:
    """Drop a scheduled charge that has not run yet."""
    path = f"subscribe/billing/reserve/{bootpay_id(reserve_id, 'reserve_id')}"
    template = "subscribe/billing/reserve/{reserve_id}"
    return Call(method="DELETE", path=path, template=template, read=read_done, generation=1)


def destroy_billing_key(billing_key: str) -> Call[Done]:
    """Destroy a billing key. Its reservations stay alive: cancel those first."""
    path = f"subscribe/billing/{bootpay_id(billing_key, 'billing_key')}"
    template = "subscribe/billing/{billing_key}"
    return Call(method="DELETE", path=path, template=template, read=read_done, generation=1)


def request_user_token(
    user_id: str,
    *,
    email: str | None = None,
    name: str | None = None,
    gender: int | None = None,
    birth: str | None = None,
    phone: str | None = None,
) -> Call[UserToken]:
    """Fetch the token that opens the easy-pay window for one user.

    Args:
        user_id: The shop's id of the user.
        email: The user's address.
        name: The user's name.
        gender: 0 female, 1 male.
        birth: Six digits, such as 901004.
        phone: Digits only.
    """
    body = given(
        user_id=merchant_id(user_id, "user_id"),
        email=email,
        name=name,
        gender=gender,
        birth=birth,
        phone=phone,
    )
    return Call(method="POST", path="request/user/token.json", read=_user_token, body=body, generation=1)


def _content_type(value: str | None) -> str | None:
    if value not in {None, "json", "urlencoded"}:
        raise InvalidValue("feedback_content_type must be json or urlencoded")
    return value
