"""The buyer's easy-pay token and wallets, and the methods a seller has activated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dojang.bootpay.amount import AmountLike
from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.receipts import Receipt, read_receipt
from dojang.bootpay.endpoints.subscriptions import charge_amounts
from dojang.bootpay.endpoints.values import Items, User, as_items, as_mapping
from dojang.bootpay.ids import merchant_id, required_text
from dojang.bootpay.wire import Time, Wire, list_reader, reader

__all__ = [
    "BatchData",
    "PaymentMethod",
    "ServiceWallet",
    "UserToken",
    "Wallet",
    "pay_with_wallet",
    "payment_methods",
    "request_user_token",
    "service_wallet",
    "wallets",
]


class UserToken(Wire, frozen=True, kw_only=True):
    """A token for the easy-pay window, good for an hour and hidden from `repr`."""

    shown = ("expired_at",)

    user_token: str
    expired_at: Time | None = None


class BatchData(Wire, frozen=True, kw_only=True):
    """The card behind a wallet, masked by Bootpay and hidden from `repr`."""

    card_no: str | None = None
    card_company: str | None = None
    card_company_code: str | None = None
    card_type: int | str | None = None
    card_hash: str | None = None


class Wallet(Wire, frozen=True, kw_only=True):
    """One way to pay that a buyer has stored (deprecated by Bootpay)."""

    shown = ("wallet_id", "type", "payment_status")

    wallet_id: str | None = None
    type: int | None = None
    sandbox: int | bool | None = None
    order: int | None = None
    payment_status: int | None = None
    batch_data: BatchData | None = None
    card_code: str | None = None
    expired_at: Time | None = None
    latest_purchased_at: Time | None = None


class PaymentMethod(Wire, frozen=True, kw_only=True):
    """A method the seller has activated. Bootpay documents no fields: what is not here is in `raw`."""

    shown = ("pg", "method")

    pg: str | None = None
    method: str | None = None


class ServiceWallet(Wire, frozen=True, kw_only=True):
    """The seller's service wallet. Bootpay documents no shape, so there is only `raw`, an object or a list."""


_read_user_token = reader(UserToken)
_read_wallets = list_reader(Wallet)
_read_methods = list_reader(PaymentMethod)
_any = msgspec.json.Decoder()


def _read_service_wallet(body: bytes) -> ServiceWallet:
    _any.decode(body)  # it must be JSON, that is all we know
    wallet = ServiceWallet()
    wallet.__dict__["_body"] = body
    return wallet


def request_user_token(
    user_id: str,
    *,
    email: str | None = None,
    username: str | None = None,
    gender: int | None = None,
    birth: str | None = None,
    phone: str | None = None,
) -> Call[UserToken]:
    """A token that opens the easy-pay window for one buyer (Basic keys were refused here in 2026-05).

    Args:
        user_id: The shop's id of the buyer.
        email: The buyer's.
        username: The buyer's name.
        gender: 0 female, 1 male, -1 unknown.
        birth: `YYMMDD`.
        phone: Digits.
    """
    return Call(
        method="POST",
        path="request/user/token",
        read=_read_user_token,
        body=given(
            user_id=required_text(user_id, "user_id"),
            email=email,
            username=username,
            gender=gender,
            birth=birth,
            phone=phone,
        ),
    )


def wallets(user_id: str, *, sandbox: bool = False, widget_key: str | None = None) -> Call[list[Wallet]]:
    """The wallets of a buyer (deprecated by Bootpay)."""
    query = {"user_id": required_text(user_id, "user_id"), "sandbox": "true" if sandbox else "false"}
    if widget_key is not None:
        query["widget_key"] = widget_key
    return Call(method="GET", path="wallet", read=_read_wallets, query=query)


def pay_with_wallet(
    user_id: str,
    *,
    order_id: str,
    order_name: str,
    price: AmountLike,
    tax_free: AmountLike | None = None,
    sandbox: bool = False,
    webhook_url: str | None = None,
    content_type: str | None = None,
    items: Items | None = None,
    user: User | Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[Receipt]:
    """Charge the buyer's wallets in their order (deprecated by Bootpay); arguments as in `pay_with_billing_key`."""
    return Call(
        method="POST",
        path="wallet/payment",
        read=read_receipt,
        body=given(
            user_id=required_text(user_id, "user_id"),
            order_name=required_text(order_name, "order_name"),
            order_id=merchant_id(order_id, "order_id"),
            sandbox=sandbox,
            webhook_url=webhook_url,
            content_type=content_type,
            items=as_items(items),
            user=as_mapping(user, "user"),
            extra=as_mapping(extra, "extra"),
            metadata=as_mapping(metadata, "metadata"),
            **charge_amounts(price, tax_free),
        ),
        moves_money=True,
    )


def payment_methods() -> Call[list[PaymentMethod]]:
    """The gateways and methods this seller has activated."""
    return Call(method="GET", path="seller/payment/method", read=_read_methods)


def service_wallet() -> Call[ServiceWallet]:
    """The seller's service wallet."""
    return Call(method="GET", path="seller/service/wallet", read=_read_service_wallet)
