"""Identity checks (본인인증): the result of a window, or a whole check from the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dojang.bootpay.call import Call, given
from dojang.bootpay.endpoints.receipts import ReceiptStatus, known_status
from dojang.bootpay.endpoints.values import User, as_mapping
from dojang.bootpay.ids import bootpay_id, merchant_id, required_text
from dojang.bootpay.wire import Time, Wire, reader

__all__ = [
    "AuthenticateData",
    "Certificate",
    "certificate",
    "confirm_authentication",
    "request_authentication",
    "resend_authentication",
]


class AuthenticateData(Wire, frozen=True, kw_only=True):
    """Who was identified; all of it is hidden from `repr`. `unique` is the same for the same person."""

    name: str | None = None
    phone: str | None = None
    unique: str | None = None
    birth: str | None = None
    gender: int | None = None
    foreigner: int | None = None
    carrier: str | None = None
    number_of_realarms: int | None = None
    tid: str | None = None


class Certificate(Wire, frozen=True, kw_only=True):
    """One identity check; status 12 means it is done."""

    shown = ("receipt_id", "status", "authenticated_at")

    receipt_id: str
    authenticate_id: str | None = None
    pg: str | None = None
    method: str | None = None
    method_origin: str | None = None
    method_origin_symbol: str | None = None
    authenticated_at: Time | None = None
    requested_at: Time | None = None
    status: int | None = None
    status_locale: str | None = None
    authenticate_data: AuthenticateData | None = None

    @property
    def known_status(self) -> ReceiptStatus | None:
        """The documented meaning of `status`, None for a number nobody documented."""
        return known_status(self.status)


_read = reader(Certificate)


def certificate(receipt_id: str) -> Call[Certificate]:
    """The result of an identity check."""
    return Call(
        method="GET",
        path="certificate/" + bootpay_id(receipt_id, "receipt_id"),
        template="certificate/{receipt_id}",
        read=_read,
    )


def request_authentication(
    *,
    pg: str,
    method: str,
    authentication_id: str,
    order_name: str,
    username: str,
    identity_no: str,
    carrier: str,
    phone: str,
    authenticate_type: str = "sms",
    client_ip: str | None = None,
    site_url: str | None = None,
    user: User | Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[Certificate]:
    """Begin an identity check from the server: a text message or PASS reaches the person.

    Args:
        pg: `danal`.
        method: `본인인증`.
        authentication_id: The shop's id of this check.
        order_name: What the person reads.
        username: The person's name.
        identity_no: Birth date, 6 digits.
        carrier: `SKT`, `KT`, `LGU+`, or one of them with `_MVNO`.
        phone: Digits.
        authenticate_type: `sms` or `pass`.
        client_ip: The person's address.
        site_url: The site the person sees.
        user: The buyer.
        extra: Further options.
        metadata: The shop's own data.
    """
    return Call(
        method="POST",
        path="request/authentication",
        read=_read,
        body=given(
            pg=required_text(pg, "pg"),
            method=required_text(method, "method"),
            authentication_id=merchant_id(authentication_id, "authentication_id"),
            authenticate_type=required_text(authenticate_type, "authenticate_type"),
            username=required_text(username, "username"),
            identity_no=required_text(identity_no, "identity_no"),
            carrier=required_text(carrier, "carrier"),
            phone=required_text(phone, "phone"),
            client_ip=client_ip,
            site_url=site_url,
            order_name=required_text(order_name, "order_name"),
            user=as_mapping(user, "user"),
            extra=as_mapping(extra, "extra"),
            metadata=as_mapping(metadata, "metadata"),
        ),
    )


def confirm_authentication(receipt_id: str, *, otp: str | None = None) -> Call[Certificate]:
    """Finish an identity check; `otp` is the number from the text message (PASS needs none)."""
    return Call(
        method="POST",
        path="authenticate/confirm",
        read=_read,
        body=given(receipt_id=bootpay_id(receipt_id, "receipt_id"), otp=otp),
    )


def resend_authentication(receipt_id: str) -> Call[Certificate]:
    """Send the text message of an identity check once more."""
    return Call(
        method="POST",
        path="authenticate/realarm",
        read=_read,
        body={"receipt_id": bootpay_id(receipt_id, "receipt_id")},
    )
