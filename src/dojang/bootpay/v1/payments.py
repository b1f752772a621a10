"""A payment of the first generation: token, look-up, approval, cancel, link.

https://github.com/bootpay/gitbook (server/token.md, verify.md, cancel.md, advance/submit.md)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dojang.bootpay.amount import AmountLike
from dojang.bootpay.call import Call, Encoding, given
from dojang.bootpay.endpoints.tokens import TokenV1, request_token_v1
from dojang.bootpay.ids import bootpay_id, merchant_id, required_text
from dojang.bootpay.v1.envelope import read_data, read_text
from dojang.bootpay.v1.inputs import Items, Mapped, as_items, as_mapping, charge_amounts, encoding_of
from dojang.bootpay.v1.receipts import Approved, CancelResult, Certificate, Receipt

__all__ = [
    "cancel",
    "certificate",
    "request_payment_link",
    "request_token",
    "submit",
    "verify",
]

_receipt = read_data(Receipt)
_cancelled = read_data(CancelResult)
_approved = read_data(Approved)
_certificate = read_data(Certificate)


def request_token(application_id: str, private_key: str) -> Call[TokenV1]:
    """Fetch the token that every other call of this generation carries. A client does so by itself."""
    call = request_token_v1(
        application_id=required_text(application_id, "application_id"),
        private_key=required_text(private_key, "private_key"),
    )
    return msgspec.structs.replace(call, encoding=Encoding.FORM)


def verify(receipt_id: str) -> Call[Receipt]:
    """Look up a receipt (결제 검증)."""
    path = f"receipt/{bootpay_id(receipt_id, 'receipt_id')}"
    return Call(method="GET", path=path, template="receipt/{receipt_id}", read=_receipt, generation=1)


def submit(receipt_id: str) -> Call[Approved]:
    """Approve a payment that waits for the server (서버 승인); only while its status is 2."""
    return Call(
        method="POST",
        path="submit.json",
        read=_approved,
        body={"receipt_id": bootpay_id(receipt_id, "receipt_id")},
        encoding=Encoding.FORM,
        moves_money=True,
        generation=1,
    )


def cancel(
    receipt_id: str,
    price: AmountLike | None = None,
    *,
    tax_free: AmountLike | None = None,
    cancel_id: str | None = None,
    name: str | None = None,
    reason: str | None = None,
    refund: Mapped | None = None,
    currency: str = "KRW",
) -> Call[CancelResult]:
    """Send money back: `price` of it, or everything that is left.

    Args:
        receipt_id: The payment.
        price: How much; left out, everything. Bootpay refuses parts of 1,000 won or less.
        tax_free: The tax-free share of this cancel.
        cancel_id: The shop's id of this cancel; Bootpay does not execute the same id twice.
        name: Who cancels.
        reason: Why.
        refund: Where a virtual account's money goes: a `RefundAccount`.
        currency: What the amounts are checked against; it does not travel.
    """
    body = given(
        receipt_id=bootpay_id(receipt_id, "receipt_id"),
        cancel_id=None if cancel_id is None else merchant_id(cancel_id, "cancel_id"),
        name=name,
        reason=reason,
        refund=as_mapping(refund, "refund"),
        **charge_amounts(price, tax_free, currency),
    )
    return Call(
        method="POST",
        path="cancel.json",
        read=_cancelled,
        body=body,
        encoding=encoding_of(body),
        moves_money=True,
        generation=1,
    )


def certificate(receipt_id: str) -> Call[Certificate]:
    """Look up the result of an identity check (본인인증)."""
    path = f"certificate/{bootpay_id(receipt_id, 'receipt_id')}"
    return Call(method="GET", path=path, template="certificate/{receipt_id}", read=_certificate, generation=1)


def request_payment_link(
    *,
    order_id: str,
    price: AmountLike,
    name: str,
    pg: str | None = None,
    method: str | None = None,
    methods: Sequence[str] | None = None,
    tax_free: AmountLike | None = None,
    params: str | Mapping[str, object] | None = None,
    items: Items | None = None,
    user_info: Mapped | None = None,
    extra: Mapping[str, object] | None = None,
    return_url: str | None = None,
    currency: str = "KRW",
) -> Call[str]:
    """Ask for the address of a payment window (결제 링크).

    Args:
        order_id: The shop's order.
        price: What it costs.
        name: What is bought.
        pg: Alias of the payment gateway; left out, the buyer chooses.
        method: One method's alias.
        methods: The methods the buyer may choose from.
        tax_free: The tax-free part of the price.
        params: The shop's own data; receipts echo it.
        items: What is bought, for statistics: `Item`s.
        user_info: The buyer: a `UserInfo`.
        extra: Bootpay's further options, such as `{"expire": 30}`.
        return_url: Where the buyer comes back to.
        currency: What the amounts are checked against; it does not travel.
    """
    body = given(
        order_id=merchant_id(order_id, "order_id"),
        name=required_text(name, "name"),
        pg=pg,
        method=method,
        methods=None if methods is None else list(methods),
        params=params,
        items=as_items(items),
        user_info=as_mapping(user_info, "user_info"),
        extra=as_mapping(extra, "extra"),
        return_url=return_url,
        **charge_amounts(price, tax_free, currency),
    )
    return Call(
        method="POST",
        path="request/payment.json",
        read=read_text,
        body=body,
        encoding=encoding_of(body),
        generation=1,
    )
