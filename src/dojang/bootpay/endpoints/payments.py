"""Payments: look up, confirm (서버 승인), cancel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dojang.bootpay.amount import AmountLike, exact_amount, json_amount, payable
from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.receipts import Receipt, read_receipt, read_receipts
from dojang.bootpay.endpoints.values import Items, Refund, as_items, as_mapping
from dojang.bootpay.ids import bootpay_id, merchant_id, segment
from dojang.errors import InvalidValue

__all__ = ["cancel", "confirm", "lookup_order", "receipt"]


def receipt(receipt_id: str, *, lookup_user_data: bool = False) -> Call[Receipt]:
    """Look up one receipt.

    Args:
        receipt_id: Bootpay's id of the checkout.
        lookup_user_data: Also ask for the buyer's data (`Receipt.user`).
    """
    return Call(
        method="GET",
        path="receipt/" + bootpay_id(receipt_id, "receipt_id"),
        template="receipt/{receipt_id}",
        read=read_receipt,
        query={"lookup_user_data": "true" if lookup_user_data else "false"},
    )


def lookup_order(order_id: str) -> Call[list[Receipt]]:
    """Every receipt of an order, in no promised order: one order may have been tried, or paid, several times."""
    return Call(
        method="GET",
        path="lookup/order/" + segment(order_id, "order_id"),
        template="lookup/order/{order_id}",
        read=read_receipts,
    )


def confirm(receipt_id: str) -> Call[Receipt]:
    """Approve a payment that waits for the server (서버 승인): money moves, so this is sent at most once.

    After `OutcomeUnknown`, and after the refusal `RC_NOT_CONFIRM_READY`, look the receipt up: it may be paid.
    """
    return Call(
        method="POST",
        path="confirm",
        read=read_receipt,
        body={"receipt_id": bootpay_id(receipt_id, "receipt_id")},
        moves_money=True,
    )


def cancel(
    receipt_id: str,
    *,
    cancel_price: AmountLike | None = None,
    cancel_tax_free: AmountLike | None = None,
    cancel_id: str | None = None,
    cancel_username: str | None = None,
    cancel_message: str | None = None,
    cancel_requester: str | None = None,
    refund: Refund | Mapping[str, Any] | None = None,
    items: Items | None = None,
    metadata: Mapping[str, Any] | None = None,
    currency: str = "KRW",
) -> Call[Receipt]:
    """Cancel a payment, wholly or in part; the answer is the receipt with its new running total.

    Args:
        receipt_id: Bootpay's id of the checkout.
        cancel_price: How much goes back; unset means everything that is left.
        cancel_tax_free: The non-taxable part of `cancel_price`.
        cancel_id: The shop's id of this cancel. Always give one, made from what is cancelled and not by chance:
            Bootpay refuses a second cancel of the same id.
        cancel_username: Who cancels, shown in Bootpay's admin.
        cancel_message: Why.
        cancel_requester: On whose behalf.
        refund: The account a virtual account's deposit goes back to.
        items: The lines that are cancelled.
        metadata: The shop's own data.
        currency: The receipt's currency; it decides how fine the amounts may be and is not sent.
    """
    price = None if cancel_price is None else payable(cancel_price, currency=currency, name="cancel_price")
    tax_free = None
    if cancel_tax_free is not None:
        tax_free = exact_amount(cancel_tax_free, currency=currency, name="cancel_tax_free")
        if price is not None and tax_free > price:
            raise InvalidValue(f"cancel_tax_free {tax_free} must not be more than cancel_price {price}")
    return Call(
        method="POST",
        path="cancel",
        read=read_receipt,
        body=given(
            receipt_id=bootpay_id(receipt_id, "receipt_id"),
            cancel_id=None if cancel_id is None else merchant_id(cancel_id, "cancel_id"),
            cancel_price=None if price is None else json_amount(price),
            cancel_tax_free=None if tax_free is None else json_amount(tax_free),
            cancel_username=cancel_username,
            cancel_message=cancel_message,
            cancel_requester=cancel_requester,
            refund=as_mapping(refund, "refund"),
            items=as_items(items),
            metadata=as_mapping(metadata, "metadata"),
        ),
        moves_money=True,
    )
