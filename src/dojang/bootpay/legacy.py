"""The old library's `BootpayApi` (2021), by its method names, on this package's transport.

Code that says `from lib.BootpayApi import BootpayApi` runs unchanged when this class stands in for it: same
constructor, same methods and arguments, same dictionaries back, a refusal's envelope included. The keyword arguments
that the later package `bootpay` 1.0.7 added are taken too.

What differs, on purpose:

- Every call has timeouts, connections are reused, redirects are not followed, keys travel only over https (or stay on
  this machine). A transport failure, or an answer that is no JSON object, raises `NotSent` or `OutcomeUnknown` instead
  of a library's traceback: after `OutcomeUnknown`, look before repeating.
- Ids and amounts are checked before anything is sent (`InvalidValue`), so no id can climb to another address.
- `cancel_id` and `execute_at` are made anew for every call; 1.0.7 made them once, when it was imported, so that a
  second partial cancel was refused as a repeat of the first.
- Nested values travel as JSON. The old library put them into a form, where only their keys arrived: a virtual
  account's refund lost its account number, a text message its text.
- Nothing is shared between calls or changed in the caller's arguments, and what is None does not travel.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, cast
from urllib.parse import quote

import msgspec

from dojang.bootpay.amount import AmountLike, exact_amount, json_amount, payable
from dojang.bootpay.answers import result_of
from dojang.bootpay.call import Auth, Call, Encoding, given
from dojang.bootpay.client import Bootpay
from dojang.bootpay.ids import bootpay_id
from dojang.errors import ConfigError, InvalidValue, OutcomeUnknown

__all__ = ["BootpayApi"]

Raw = dict[str, Any]
Object = Mapping[str, object]

# An amount comes without its currency here: it may have cents.
_ANY_CURRENCY = "XXX"
_json = msgspec.json.Decoder()


class BootpayApi:
    """Stands in for `lib.BootpayApi.BootpayApi`. The token is fetched by `get_access_token()`, as it always was.

    Attributes:
        base_url: Where Bootpay is, by mode; may be replaced, in the class or in a subclass.
        application_id: The REST application id.
        pk: The private key.
        mode: A key of `base_url`.
        token: What `get_access_token()` fetched, None before.
    """

    base_url: ClassVar[dict[str, str]] = {
        "development": "https://dev-api.bootpay.co.kr",
        "production": "https://api.bootpay.co.kr",
    }

    def __init__(self, application_id: str, private_key: str, mode: str = "production") -> None:
        self.application_id = application_id
        self.pk = private_key
        self.mode = mode
        self.token: str | None = None
        self._clients: dict[str, Bootpay] = {}
        self._client()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mode={self.mode!r})"

    def close(self) -> None:
        """Close the connections."""
        while self._clients:
            self._clients.popitem()[1].close()

    def api_url(self, uri: Sequence[str] | None = None) -> str:
        """The address of a path, given in pieces."""
        return "/".join([self._base(), *(uri or [])])

    def get_access_token(self) -> Raw:
        """Fetch the token that the other calls carry, and keep it."""
        body = {"application_id": self.application_id, "private_key": self.pk}
        result = self._ask("POST", "request/token", _form(body), authorised=False, repeatable=True)
        data = result.get("data")
        if result.get("status") == 200 and isinstance(data, dict) and isinstance(data.get("token"), str):
            self.token = data["token"]
        return result

    def verify(self, receipt_id: str) -> Raw:
        """Look up a receipt (결제 검증)."""
        return self._ask("GET", "receipt/{}", receipt_id=receipt_id)

    def certificate(self, receipt_id: str) -> Raw:
        """Look up the result of an identity check (본인인증)."""
        return self._ask("GET", "certificate/{}", receipt_id=receipt_id)

    def lookup_billing_key(self, receipt_id: str) -> Raw:
        """Look up a subscription payment by its receipt (1.0.7)."""
        return self._ask("GET", "subscribe/billing/{}", receipt_id=receipt_id)

    def submit(self, receipt_id: str) -> Raw:
        """Approve a payment that waits for the server (서버 승인)."""
        body = given(receipt_id=bootpay_id(receipt_id, "receipt_id"))
        return self._ask("POST", "submit.json", _form(body), moves_money=True)

    def cancel(
        self,
        receipt_id: str,
        price: AmountLike | None = None,
        name: str | None = None,
        reason: str | None = None,
        cancel_id: str | None = None,
        tax_free: AmountLike | None = None,
        refund: Object | None = None,
    ) -> Raw:
        """Send money back: `price` of it, or everything that is left.

        Args:
            receipt_id: The payment.
            price: How much; left out, everything.
            name: Who cancels.
            reason: Why.
            cancel_id: The shop's id of this cancel; left out, a new one for every call. Give your own, and the same
                again, when you repeat a cancel whose outcome you do not know.
            tax_free: The tax-free share.
            refund: Where a virtual account's money goes: account, accountholder, bankcode.
        """
        body = given(
            receipt_id=bootpay_id(receipt_id, "receipt_id"),
            price=_moved(price),
            name=name,
            reason=reason,
            cancel_id=str(uuid.uuid4()) if cancel_id is None else cancel_id,
            tax_free=_part(tax_free),
            refund=refund,
        )
        return self._ask("POST", "cancel.json", _form(body), moves_money=True)

    def get_subscribe_billing_key(
        self,
        pg: str,
        order_id: str,
        item_name: str,
        card_no: str,
        card_pw: str,
        expire_year: str,
        expire_month: str,
        identify_number: str,
        user_info: Object | None = None,
        extra: Object | None = None,
    ) -> Raw:
        """Turn a card's data into a billing key (빌링키)."""
        body = given(
            order_id=order_id,
            pg=pg,
            item_name=item_name,
            card_no=card_no,
            card_pw=card_pw,
            expire_year=expire_year,
            expire_month=expire_month,
            identify_number=identify_number,
            user_info=user_info,
            extra=extra,
        )
        return self._ask("POST", "request/card_rebill.json", (body, Encoding.JSON), moves_money=True)

    def subscribe_billing(
        self,
        billing_key: str,
        item_name: str,
        price: AmountLike,
        order_id: str,
        tax_free: AmountLike | None = 0,
        items: Sequence[Object] | None = None,
        user_info: Object | None = None,
        extra: Object | None = None,
        *,
        quota: int | None = None,
        interest: int | str | None = None,
        feedback_url: str | None = None,
        feedback_content_type: str | None = None,
    ) -> Raw:
        """Charge a billing key now, once."""
        body = given(
            billing_key=bootpay_id(billing_key, "billing_key"),
            item_name=item_name,
            price=_moved(price),
            tax_free=_part(tax_free),
            order_id=order_id,
            items=items,
            user_info=user_info,
            extra=extra,
            quota=quota,
            interest=interest,
            feedback_url=feedback_url,
            feedback_content_type=feedback_content_type,
        )
        return self._ask("POST", "subscribe/billing.json", (body, Encoding.JSON), moves_money=True)

    def subscribe_billing_reserve(
        self,
        billing_key: str,
        item_name: str,
        price: AmountLike,
        order_id: str,
        execute_at: float | str | None = None,
        feedback_url: str | None = None,
        tax_free: AmountLike | None = 0,
        items: Sequence[Object] | None = None,
        *,
        user_info: Object | None = None,
        extra: Object | None = None,
        quota: int | None = None,
        interest: int | str | None = None,
        feedback_content_type: str | None = None,
    ) -> Raw:
        """Schedule one charge of a billing key, at `execute_at` (Unix seconds), ten seconds from now if left out."""
        body = given(
            billing_key=bootpay_id(billing_key, "billing_key"),
            item_name=item_name,
            price=_moved(price),
            tax_free=_part(tax_free),
            order_id=order_id,
            items=items,
            scheduler_type="oneshot",
            execute_at=int(time.time()) + 10 if execute_at is None else execute_at,
            feedback_url=feedback_url,
            user_info=user_info,
            extra=extra,
            quota=quota,
            interest=interest,
            feedback_content_type=feedback_content_type,
        )
        return self._ask("POST", "subscribe/billing/reserve.json", (body, Encoding.JSON), moves_money=True)

    def subscribe_billing_reserve_cancel(self, reserve_id: str) -> Raw:
        """Drop a scheduled charge that has not run yet."""
        return self._ask("DELETE", "subscribe/billing/reserve/{}", reserve_id=reserve_id)

    def destroy_subscribe_billing_key(self, billing_key: str) -> Raw:
        """Destroy a billing key. Its reservations stay alive: cancel those first."""
        return self._ask("DELETE", "subscribe/billing/{}", billing_key=billing_key)

    def get_user_token(
        self,
        data: Object | None = None,
        *,
        user_id: str | None = None,
        email: str | None = None,
        name: str | None = None,
        gender: int | None = None,
        birth: str | None = None,
        phone: str | None = None,
    ) -> Raw:
        """Fetch the token that opens the easy-pay window for one user: as one dictionary, or by keyword."""
        fields = given(user_id=user_id, email=email, name=name, gender=gender, birth=birth, phone=phone)
        body = _object(data, "data") | fields
        return self._ask("POST", "request/user/token.json", (body, Encoding.JSON))

    def request_payment(
        self,
        payload: Object | None = None,
        *,
        pg: str | None = None,
        method: str | None = None,
        methods: Sequence[str] | None = None,
        price: AmountLike | None = None,
        order_id: str | None = None,
        params: object = None,
        tax_free: AmountLike | None = None,
        name: str | None = None,
        user_info: Object | None = None,
        items: Sequence[Object] | None = None,
        extra: Object | None = None,
    ) -> Raw:
        """Ask for the address of a payment window (결제 링크): as one dictionary, or by keyword."""
        fields = given(
            pg=pg,
            method=method,
            methods=methods,
            price=price,
            order_id=order_id,
            params=params,
            tax_free=tax_free,
            name=name,
            user_info=user_info,
            items=items,
            extra=extra,
        )
        body = _object(payload, "payload") | fields
        for name, check in (("price", _moved), ("tax_free", _part)):
            if name in body:
                body[name] = check(cast("AmountLike", body[name]))
        return self._ask("POST", "request/payment.json", _form(body))

    def remote_link(self, payload: Object | None = None, sms_payload: Object | None = None) -> Raw:
        """Send a payment link as a text message. Deprecated by Bootpay; carries no token."""
        body = _object(payload, "payload") | {"sms_payload": sms_payload}
        return self._ask("POST", "app/rest/remote_link.json", _form(body), authorised=False)

    def remote_form(self, remoter_form: Object, sms_payload: Object | None = None) -> Raw:
        """Send a payment form as a text message. Deprecated by Bootpay."""
        body = given(application_id=self.application_id, remote_form=remoter_form, sms_payload=sms_payload)
        return self._ask("POST", "app/rest/remote_form.json", _form(body))

    def send_sms(
        self,
        receive_numbers: Sequence[str],
        message: str,
        send_number: str | None = None,
        extra: Object | None = None,
    ) -> Raw:
        """Send a short text message. Deprecated by Bootpay. `extra` may name `m_id` and `o_id`."""
        return self._send_text("push/sms.json", receive_numbers, message, None, send_number, extra)

    def send_lms(
        self,
        receive_numbers: Sequence[str],
        message: str,
        subject: str,
        send_number: str | None = None,
        extra: Object | None = None,
    ) -> Raw:
        """Send a long text message. Deprecated by Bootpay. `extra` may name `m_id` and `o_id`."""
        return self._send_text("push/lms.json", receive_numbers, message, subject, send_number, extra)

    def _send_text(
        self,
        path: str,
        receive_numbers: Sequence[str],
        message: str,
        subject: str | None,
        send_number: str | None,
        extra: Object | None,
    ) -> Raw:
        more = extra or {}
        data = given(
            sp=send_number,
            rps=receive_numbers,
            msg=message,
            sj=subject,
            m_id=more.get("m_id"),
            o_id=more.get("o_id"),
        )
        return self._ask("POST", path, ({"data": data}, Encoding.JSON))

    def _ask(
        self,
        method: str,
        path: str,
        body: tuple[dict[str, object], Encoding] | None = None,
        *,
        authorised: bool = True,
        moves_money: bool = False,
        repeatable: bool = False,
        **ids: str,
    ) -> Raw:
        template = path
        for name, value in ids.items():
            template = path.replace("{}", f"{{{name}}}")
            path = path.replace("{}", quote(bootpay_id(value, name), safe=""))
        fields, encoding = body if body is not None else (None, Encoding.JSON)
        call = Call(
            method=method,
            path=path,
            template=template,
            read=_json.decode,
            body=fields,
            encoding=encoding,
            auth=Auth.NONE,
            # Without a token the old library sent none and got Bootpay's own 401 back.
            headers={"Authorization": self.token} if authorised and self.token is not None else None,
            moves_money=moves_money,
            repeatable=repeatable,
            generation=1,
        )
        answer = self._client().exchange(call)
        if 300 <= answer.status < 400:
            result_of(call, answer)  # raises: a redirect may lead anywhere, with the token
        try:
            result = _json.decode(answer.body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            result = None
        if not isinstance(result, dict):
            advice = "ask again" if call.may_repeat else "look it up before repeating"
            raise OutcomeUnknown(f"{call.label}: HTTP {answer.status} without a JSON object: {advice}.")
        return result

    def _base(self) -> str:
        if self.mode not in self.base_url:
            raise ConfigError(f"mode must be one of {', '.join(sorted(self.base_url))}, not {self.mode!r}")
        return self.base_url[self.mode]

    def _client(self) -> Bootpay:
        """The client for the address in use now: `base_url` may have been replaced since the last call."""
        url = self._base()
        if url not in self._clients:
            self._clients[url] = Bootpay(application_id=self.application_id, private_key=self.pk, url=url)
        return self._clients[url]


def _form(body: Mapping[str, object]) -> tuple[dict[str, object], Encoding]:
    """A form, as the old library sent it, as long as a form can hold the body; otherwise JSON."""
    kept = {name: value for name, value in body.items() if value is not None and value not in ({}, [])}
    flat = all(isinstance(value, str | int | float | Decimal) for value in kept.values())
    return kept, Encoding.FORM if flat else Encoding.JSON


def _object(value: Object | None, name: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"{name} must be a dictionary, not {type(value).__name__}")
    return {key: field for key, field in value.items() if field is not None}


def _moved(price: AmountLike | None) -> int | Decimal | None:
    return None if price is None else json_amount(payable(price, currency=_ANY_CURRENCY))


def _part(tax_free: AmountLike | None) -> int | Decimal | None:
    if tax_free is None:
        return None
    return json_amount(exact_amount(tax_free, currency=_ANY_CURRENCY, name="tax_free"))
