"""Escrow: tell Bootpay that the goods are on their way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.receipts import Receipt, read_receipt
from dojang.bootpay.endpoints.values import User, as_mapping
from dojang.bootpay.ids import bootpay_id, required_text
from dojang.bootpay.wire import WireInput

__all__ = ["Company", "start_shipping"]


class Company(WireInput, frozen=True, kw_only=True, omit_defaults=True):
    """The sender of the goods."""

    shown = ("name",)

    name: str | None = None
    phone: str | None = None
    zipcode: str | None = None
    addr1: str | None = None
    addr2: str | None = None


def start_shipping(
    receipt_id: str,
    *,
    tracking_number: str,
    delivery_corp: str,
    shipping_prepayment: bool | None = None,
    shipping_day: int | None = None,
    user: User | Mapping[str, Any] | None = None,
    company: Company | Mapping[str, Any] | None = None,
    redirect_url: str | None = None,
    receipt_url: str | None = None,
) -> Call[Receipt]:
    """Register the delivery of an escrow payment.

    Args:
        receipt_id: The payment.
        tracking_number: The parcel's number.
        delivery_corp: The carrier by its Korean name, such as `CJ대한통운`.
        shipping_prepayment: Whether the sender pays the carrier.
        shipping_day: Days the delivery takes.
        user: The receiver.
        company: The sender.
        redirect_url: Told when the buyer confirms or refuses (inicis only).
        receipt_url: A page about the delivery.
    """
    return Call(
        method="PUT",
        path="escrow/shipping/start/" + bootpay_id(receipt_id, "receipt_id"),
        template="escrow/shipping/start/{receipt_id}",
        read=read_receipt,
        body=given(
            tracking_number=required_text(tracking_number, "tracking_number"),
            delivery_corp=required_text(delivery_corp, "delivery_corp"),
            shipping_prepayment=shipping_prepayment,
            shipping_day=shipping_day,
            user=as_mapping(user, "user"),
            company=as_mapping(company, "company"),
            redirect_url=redirect_url,
            receipt_url=receipt_url,
        ),
    )
