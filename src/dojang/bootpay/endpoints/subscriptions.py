"""Charging a billing key: now, or at a reserved time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from dojang.bootpay.amount import AmountLike, exact_amount, json_amount, payable
from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.receipts import Receipt, read_receipt
from dojang.bootpay.endpoints.values import Items, User, as_items, as_mapping
from dojang.bootpay.ids import bootpay_id, merchant_id, required_text
from dojang.bootpay.wire import Time, Wire, reader
from dojang.errors import InvalidValue

__all__ = [
    "CancelledReservation",
    "Reservation",
    "ReservedPayment",
    "cancel_reserved_payment",
    "pay_with_billing_key",
    "reserve_payment",
    "reserved_payment",
]


class Reservation(Wire, frozen=True, kw_only=True):
    """A charge that Bootpay will make by itself."""

    shown = ("reserve_id", "reserve_execute_at")

    reserve_id: str
    reserve_execute_at: Time | None = None


class ReservedPayment(Wire, frozen=True, kw_only=True):
    """Where a reserved charge stands; `receipt_id` appears once it has been made.

    Bootpay documents no status numbers here: judge by `receipt_id` and the times.
    """

    amounts = ("price", "tax_free")
    shown = ("reserve_id", "receipt_id", "order_id", "price", "status", "reserve_execute_at")

    reserve_id: str
    receipt_id: str | None = None
    billing_key: str | None = None
    order_id: str | None = None
    price: Decimal | None = None
    tax_free: Decimal | None = None
    order_name: str | None = None
    user: dict[str, Any] | None = None
    items: list[Any] | None = None
    feedback_url: str | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    content_type: str | None = None
    version: int | None = None
    extra: dict[str, Any] | None = None
    card_quota: str | None = None
    reserve_requested_at: Time | None = None
    reserve_execute_at: Time | None = None
    reserve_started_at: Time | None = None
    reserve_finished_at: Time | None = None
    reserve_revoked_at: Time | None = None
    status: int | None = None


class CancelledReservation(Wire, frozen=True, kw_only=True):
    """Whether a reservation is gone."""

    shown = ("reserve_id", "success")

    reserve_id: str
    success: bool


_read_reservation = reader(Reservation)
_read_reserved = reader(ReservedPayment)
_read_cancelled = reader(CancelledReservation)


def charge_amounts(price: AmountLike, tax_free: AmountLike | None) -> dict[str, int | Decimal | None]:
    """What a charge takes: more than nothing, and `tax_free` never more than `price`."""
    exact = payable(price)
    free = None if tax_free is None else exact_amount(tax_free, name="tax_free")
    if free is not None and free > exact:
        raise InvalidValue(f"tax_free {free} must not be more than price {exact}")
    return {"price": json_amount(exact), "tax_free": None if free is None else json_amount(free)}


def pay_with_billing_key(
    billing_key: str,
    *,
    order_id: str,
    order_name: str,
    price: AmountLike,
    tax_free: AmountLike | None = None,
    card_quota: str | None = None,
    card_interest: str | None = None,
    items: Items | None = None,
    user: User | Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    feedback_url: str | None = None,
    content_type: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[Receipt]:
    """Charge a billing key now: one call, one attempt. After `OutcomeUnknown` look the order up before charging again.

    Args:
        billing_key: The key to charge.
        order_id: The shop's id, a new one for every attempt.
        order_name: What the buyer reads.
        price: How much, in won.
        tax_free: The non-taxable part of `price`.
        card_quota: Months of instalment, `"00"` for a lump sum; only from 50,000 won.
        card_interest: Whether instalments are free of interest, where the gateway asks.
        items: What is bought.
        user: The buyer.
        extra: Further options.
        feedback_url: Where the webhook of this charge goes instead.
        content_type: How that webhook is written, `application/json` or `application/x-www-form-urlencoded`.
        metadata: The shop's own data, given back in the receipt.
    """
    return Call(
        method="POST",
        path="subscribe/payment",
        read=read_receipt,
        body=given(
            billing_key=bootpay_id(billing_key, "billing_key"),
            order_name=required_text(order_name, "order_name"),
            order_id=merchant_id(order_id, "order_id"),
            card_quota=card_quota,
            card_interest=card_interest,
            items=as_items(items),
            user=as_mapping(user, "user"),
            extra=as_mapping(extra, "extra"),
            feedback_url=feedback_url,
            content_type=content_type,
            metadata=as_mapping(metadata, "metadata"),
            **charge_amounts(price, tax_free),
        ),
        moves_money=True,
    )


def reserve_payment(
    billing_key: str,
    *,
    order_id: str,
    order_name: str,
    price: AmountLike,
    reserve_execute_at: datetime | str,
    tax_free: AmountLike | None = None,
    items: Items | None = None,
    user: User | Mapping[str, Any] | None = None,
    feedback_url: str | None = None,
    content_type: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[Reservation]:
    """Have Bootpay charge a billing key at a given time; at most ten open reservations per key.

    `reserve_execute_at` is an aware `datetime` or an ISO 8601 text with an offset. The other arguments are those
    of `pay_with_billing_key`.
    """
    return Call(
        method="POST",
        path="subscribe/payment/reserve",
        read=_read_reservation,
        body=given(
            billing_key=bootpay_id(billing_key, "billing_key"),
            order_name=required_text(order_name, "order_name"),
            order_id=merchant_id(order_id, "order_id"),
            reserve_execute_at=moment_text(reserve_execute_at, "reserve_execute_at"),
            items=as_items(items),
            user=as_mapping(user, "user"),
            feedback_url=feedback_url,
            content_type=content_type,
            metadata=as_mapping(metadata, "metadata"),
            **charge_amounts(price, tax_free),
        ),
        moves_money=True,
    )


def reserved_payment(reserve_id: str) -> Call[ReservedPayment]:
    """Look up a reserved charge."""
    return Call(
        method="GET",
        path="subscribe/payment/reserve/" + bootpay_id(reserve_id, "reserve_id"),
        template="subscribe/payment/reserve/{reserve_id}",
        read=_read_reserved,
    )


def cancel_reserved_payment(reserve_id: str) -> Call[CancelledReservation]:
    """Cancel a reserved charge that has not been made yet."""
    return Call(
        method="DELETE",
        path="subscribe/payment/reserve/" + bootpay_id(reserve_id, "reserve_id"),
        template="subscribe/payment/reserve/{reserve_id}",
        read=_read_cancelled,
    )


def moment_text(moment: datetime | str, name: str) -> str:
    """A moment as Bootpay takes it; a time of day without an offset is refused, because two readings differ by 9 h."""
    if isinstance(moment, str):
        try:
            parsed = datetime.fromisoformat(moment)
        except ValueError:
            raise InvalidValue(f"{name} must be an ISO 8601 time such as 2026-06-01T00:00:00+09:00") from None
        if parsed.tzinfo is None:
            raise InvalidValue(f"{name} must have an offset, such as +09:00")
        return moment
    if not isinstance(moment, datetime):
        raise InvalidValue(f"{name} must be a datetime or an ISO 8601 text")
    if moment.tzinfo is None:
        raise InvalidValue(f"{name} must be an aware datetime")
    return moment.isoformat(timespec="seconds")
