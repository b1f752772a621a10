"""A payment's life at Bootpay: the window, the buyer's yes, the approval, the deposit, the way back.

```
0 ──approve──▶ 1 ◀──confirm── 2 ◀──approve (separately confirmed)── 0
│              │              └──too late, declined──▶ -2
├──issue──▶ 5 ──deposit──▶ 1 ──cancel, in part──▶ 1 ──cancel, the rest──▶ 20
└──decline──▶ -4 | -2      5 ──too late, taken back──▶ -3
```
"""

from __future__ import annotations

import re
from typing import ClassVar

import msgspec

from dojang.emulator.books import Json, Money, Receipt
from dojang.emulator.faces import exact, iso, read_time, remaining, v2_receipt
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.webhook_log import WebhookLog
from dojang.emulator.words import IMMEDIATE_PGS, METHODS, chosen_method, method_symbol, pg_alias

__all__ = ["Checkout", "Payments", "check_money", "is_form"]

_ID = re.compile(r"[0-9a-f]{24}")
_CANCELLABLE = frozenset({1, -20})  # -20 is the first generation's "cancel failed": the payment stands


class Checkout(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What opens a payment window; the browser's names, and a few that only a tester needs."""

    order_id: str = ""
    price: Money = 0
    order_name: str = "테스트 상품"
    tax_free: Money = 0
    method: str | None = None
    pg: str | None = None
    currency: str = "KRW"
    separately_confirmed: bool = False
    escrow: bool = False
    sandbox: bool = False
    metadata: object = None
    user: Json | None = None
    items: list[Json] | None = None
    extra: Json | None = None
    redirect_url: str | None = None
    # None is the project's own address, "" is nowhere.
    webhook_url: str | None = None
    content_type: str | None = None
    generation: int = 2
    client_sdk: str = "5.3.1"
    # A window for a billing key or an identity check instead of a payment.
    subscription_id: str | None = None
    authentication_id: str | None = None
    receipt_id: str | None = None
    requested_at: str | float | None = None
    deposit_expires_at: str | float | None = None


def _said(condition: bool, sentence: str) -> None:
    if not condition:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", sentence)


def check_money(amount: Money, currency: str, name: str) -> Money:
    """The amount, whole where the currency has no smaller coin.

    Raises:
        LedgerRefusal: It is no amount of that currency.
    """
    _said(0 <= amount < 1e15, f"{name} must be an amount of at least 0, not {amount}")
    tidy = exact(amount)
    whole = isinstance(tidy, int)
    _said(whole or (currency != "KRW" and tidy == amount), f"{name} {amount} is no amount of {currency}")
    return tidy


class Payments(WebhookLog):
    """The books' payments."""

    DUE: ClassVar[dict[str, str]] = {
        "confirm": "_confirm_expired",
        "window": "_window_expired",
        "account": "_account_expired",
        "sandbox": "_sandbox_cancelled",
    }

    # What is seen

    def receipt(self, receipt_id: str, *, user: bool = False) -> Json:
        """The receipt as the second generation shows it."""
        self.tick()
        return v2_receipt(self.find(receipt_id), self.rules, user=user)

    def lookup_order(self, order_id: str) -> list[Json]:
        """Every payment made under an order id, in the order the windows opened."""
        self.tick()
        found = (self.state.receipts[id_] for id_ in self.state.by_order.get(order_id, ()))
        payments = sorted((r for r in found if r.kind == "payment"), key=lambda r: r.requested_at)
        return [v2_receipt(receipt, self.rules) for receipt in payments]

    def receipts(self) -> list[Json]:
        """Every receipt there is, oldest first."""
        self.tick()
        return [v2_receipt(receipt, self.rules) for receipt in self.state.receipts.values()]

    # The window

    def open_checkout(self, checkout: Checkout) -> Receipt:
        """Open a window: status 0 for a payment, 40 for a billing key, 50 for an identity check."""
        self.tick()
        kind, status, order_id, usual_method = _purpose(checkout)
        extra = checkout.extra or {}
        currency = checkout.currency.upper()
        _said(order_id != "" and len(order_id) <= 255, "order_id must have 1 to 255 characters")
        _said(bool(re.fullmatch("[A-Z]{3}", currency)), "currency must be three letters, such as KRW")
        price = check_money(checkout.price, currency, "price")
        tax_free = check_money(checkout.tax_free, currency, "tax_free")
        _said(price > 0 or kind != "payment", "price must be more than 0")
        _said(tax_free <= price, f"tax_free {tax_free} is more than the price {price}")
        _said(checkout.generation in (1, 2), "generation must be 1 or 2")
        method = method_symbol(checkout.method) if checkout.method else usual_method
        _said(method is not None, f"method {checkout.method} is unknown; one of {', '.join(METHODS)}")
        pg = (pg_alias(checkout.pg) or checkout.pg) if checkout.pg else "nicepay"
        if not checkout.pg and method == "kakao":
            pg = "kakao"
        url = checkout.webhook_url
        _said(
            not url or url.startswith(("http://", "https://")),
            "webhook_url must begin with http:// or https://",
        )
        at = self._moment(checkout.requested_at, "requested_at") or self.now()
        receipt = self._record(
            Receipt(
                receipt_id=self._wanted_id(checkout.receipt_id),
                order_id=order_id,
                kind=kind,
                status=status,
                subscription_id=checkout.subscription_id or "",
                price=price,
                tax_free=tax_free,
                order_name=checkout.order_name,
                requested_at=at,
                generation=checkout.generation,
                currency=currency,
                pg=pg,
                method=method or "card",
                method_origin=method or "card",
                sandbox=checkout.sandbox,
                metadata={} if checkout.metadata is None else checkout.metadata,
                user=checkout.user,
                authentication=_person(checkout.user) if kind == "identity" else None,
                separately_confirmed=checkout.separately_confirmed
                or extra.get("separately_confirmed") is True,
                escrow=checkout.escrow or extra.get("escrow") is True,
                account_expires_at=self._moment(
                    checkout.deposit_expires_at or extra.get("deposit_expiration"), "deposit_expires_at"
                ),
                webhook_url=url,
                webhook_form=is_form(checkout.content_type, default=checkout.generation == 1),
                webhook_typed=_sdk_names_types(checkout.client_sdk),
                webhook_delay_s=_delay(extra.get("webhook_delay_duration")),
                error_webhooks=extra.get("enable_error_webhook") is True,
                event_webhooks=extra.get("common_event_webhook") is True,
            )
        )
        if receipt.event_webhooks:
            self._later(at + self.rules.checkout_window_s, "window", receipt.receipt_id)
        return receipt

    def _wanted_id(self, receipt_id: str | None) -> str:
        if receipt_id is None:
            return self.new_id()
        _said(bool(_ID.fullmatch(receipt_id)), "receipt_id must be 24 hexadecimal digits")
        _said(receipt_id not in self.state.receipts, f"receipt {receipt_id} exists already")
        return receipt_id

    def _moment(self, text: object, name: str) -> float | None:
        if text is None:
            return None
        at = read_time(text)
        _said(at is not None, f"{name} must be a time such as 2026-01-31T12:00:00+09:00")
        return at

    def approve(self, receipt_id: str) -> Receipt:
        """The buyer agrees: 2 when the shop confirms separately, an account is issued for a deposit, else 1."""
        receipt = self._open(receipt_id)
        if receipt.separately_confirmed and receipt.pg not in IMMEDIATE_PGS:
            receipt.status = 2
            receipt.authorised_at = self.now()
            self._later(self.now() + self.rules.confirm_window_s, "confirm", receipt_id)
        elif receipt.method == "vbank":
            self._issue(receipt)
        else:
            self._pay(receipt)
        return receipt

    def decline(self, receipt_id: str, message: str = "카드 한도초과") -> Receipt:
        """The card company refuses: -4 before anything was authorised, -2 at the approval."""
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.status not in (0, 2) or receipt.closed:
            raise LedgerRefusal(
                "INVALID_REQUEST_PARAMS", f"status {receipt.status} can no longer be declined"
            )
        asked = receipt.status == 0 and receipt.separately_confirmed
        receipt.status = -4 if asked else -2
        self.changes += 1
        if receipt.error_webhooks:
            self.owe(
                receipt, "PAYMENT_REQUEST_FAILED" if asked else "PAYMENT_CONFIRM_FAILED", message=message
            )
        return receipt

    def close(self, receipt_id: str) -> Receipt:
        """The buyer closes the window. Bootpay keeps the status; only the window is gone."""
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.status in (0, 40, 50):
            receipt.closed = True
        self.changes += 1
        return receipt

    def issue(self, receipt_id: str) -> Receipt:
        """The buyer chooses a virtual account and gets one: 5."""
        receipt = self._open(receipt_id)
        receipt.method = receipt.method_origin = "vbank"
        self._issue(receipt)
        return receipt

    def _open(self, receipt_id: str) -> Receipt:
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.closed:
            raise LedgerRefusal("RC_CLOSE_WINDOW")
        if receipt.status != 0 or receipt.kind != "payment":
            raise LedgerRefusal(
                "INVALID_REQUEST_PARAMS", f"status {receipt.status} is no open payment window"
            )
        self.changes += 1
        return receipt

    def _issue(self, receipt: Receipt) -> None:
        receipt.status = 5
        expires = receipt.account_expires_at or self.now() + self.rules.account_life_s
        receipt.account_expires_at = expires
        receipt.details = {
            "tid": self._tid(receipt),
            "bank_code": "003",
            "bank_name": "기업",
            "bank_username": self.rules.company_name,
            "bank_account": self.new_digits(14),
            "sender_name": _buyer(receipt),
            "expired_at": iso(expires),
        }
        self._later(expires, "account", receipt.receipt_id)
        if receipt.generation == 2:  # the first generation tells nobody
            self.owe(receipt, "PAYMENT_VIRTUAL_ACCOUNT_ISSUED")

    # Money

    def deposit(self, receipt_id: str) -> Receipt:
        """The buyer pays into the virtual account: 5 becomes 1."""
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.status != 5 or receipt.details is None:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", f"status {receipt.status} awaits no deposit")
        receipt.details = receipt.details | {
            "cash_receipt_tid": "",
            "cash_receipt_type": "0",
            "cash_receipt_no": "",
            "receipt_url": f"{self.rules.receipt_host}/pg/{receipt.receipt_id}",
        }
        self._pay(receipt)
        return receipt

    def revert(self, receipt_id: str) -> Receipt:
        """The bank undoes a deposit: the account waits again, and nobody is told."""
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.status != 1 or receipt.method != "vbank" or receipt.cancelled_price:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "only an untouched deposit can be reverted")
        receipt.status = 5
        receipt.purchased_at = None
        paid = ("cash_receipt_tid", "cash_receipt_type", "cash_receipt_no", "receipt_url")
        receipt.details = {key: value for key, value in (receipt.details or {}).items() if key not in paid}
        self._later(receipt.account_expires_at or self.now(), "account", receipt_id)
        self.changes += 1
        return receipt

    def confirm(self, receipt_id: str) -> Receipt:
        """The shop approves what the buyer agreed to: 2 becomes 1 (5 for a virtual account)."""
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.status != 2 or receipt.kind != "payment":
            raise LedgerRefusal("RC_NOT_CONFIRM_READY")
        self.changes += 1
        if receipt.method == "vbank":
            self._issue(receipt)
        else:
            self._pay(receipt)
        return receipt

    def _pay(self, receipt: Receipt) -> None:
        receipt.status = 1
        receipt.purchased_at = self.now()
        if receipt.method == receipt.method_origin:
            receipt.method = chosen_method(receipt.method)
        if receipt.details is None:
            receipt.details = self._details(receipt)
        if receipt.escrow:
            receipt.escrow_data = {
                "status": 1,
                "status_locale": "배송준비",
                "shipping_started_at": None,
                "receipt_confirmed_at": None,
            }
        if receipt.sandbox and self.rules.sandbox_auto_cancel_s is not None:
            self._later(self.now() + self.rules.sandbox_auto_cancel_s, "sandbox", receipt.receipt_id)
        self.changes += 1
        self.owe(receipt, "PAYMENT_COMPLETED")

    def _tid(self, receipt: Receipt) -> str:
        return f"{receipt.pg}00m01{self.new_digits(16)}"

    def _details(self, receipt: Receipt) -> Json:
        """What the payment company adds when money moves, by method."""
        tid = self._tid(receipt)
        slip = f"{self.rules.receipt_host}/pg/{receipt.receipt_id}"
        data_key = METHODS[receipt.method].data_key if receipt.method in METHODS else "card_data"
        match data_key:
            case "card_data":
                return {
                    "tid": tid,
                    "card_approve_no": self.new_digits(8),
                    "card_no": "94352017****6169",
                    "card_interest": "0",
                    "card_quota": "00",
                    "card_company_code": "01",
                    "card_company": "비씨",
                    "card_type": "신용",
                    "card_owner_type": "개인",
                    "point": 0,
                    "coupon": 0,
                    "receipt_url": slip,
                }
            case "phone_data":
                phone = (receipt.user or {}).get("phone") or "01012345678"
                return {"tid": tid, "auth_no": self.new_digits(6), "phone": phone, "receipt_url": slip}
            case "bank_data":
                return {
                    "tid": tid,
                    "bank_code": "004",
                    "bank_name": "국민",
                    "bank_account": "0000000000000000",
                    "bank_username": _buyer(receipt),
                }
            case "vbank_data":
                return {"tid": tid, "bank_code": "003", "bank_name": "기업", "bank_username": _buyer(receipt)}
            case _:
                return {"tid": tid}

    # The way back

    def cancel(
        self,
        receipt_id: str,
        price: Money | None = None,
        *,
        tax_free: Money | None = None,
        cancel_id: str = "",
        refund: Json | None = None,
        told: bool = True,
    ) -> Receipt:
        """Send back all that is left, or `price` of it; `told` says whether the shop gets a webhook.

        Raises:
            LedgerRefusal: `RC_ALREADY_CANCELLED` when nothing is left; `RC_CANCEL_SERVER_ERROR` for a repeated
                `cancel_id`, more than is left, a deposit without an account to send it to, or an unpaid receipt.
        """
        self.tick()
        receipt = self.find(receipt_id)
        amount, share = self._may_cancel(receipt, price, tax_free, cancel_id)
        if told and receipt.method == "vbank":
            self._may_refund(receipt, refund)
        receipt.cancelled_price = exact(receipt.cancelled_price + amount)
        receipt.cancelled_tax_free = exact(receipt.cancelled_tax_free + share)
        receipt.cancelled_at = self.now()
        whole = remaining(receipt) == 0
        if whole:
            receipt.status = 20
            if receipt.details is not None:
                receipt.details = receipt.details | {"cancel_tid": self._tid(receipt)}
        if cancel_id:
            receipt.cancel_ids = [*receipt.cancel_ids, cancel_id]
        self.changes += 1
        if told:
            self.owe(receipt, "PAYMENT_CANCELLED" if whole else "PAYMENT_PARTIAL_CANCELLED")
        return receipt

    def _may_cancel(
        self, receipt: Receipt, price: Money | None, tax_free: Money | None, cancel_id: str
    ) -> tuple[Money, Money]:
        if receipt.status == 20:
            raise LedgerRefusal("RC_ALREADY_CANCELLED")
        if receipt.status not in _CANCELLABLE or receipt.kind != "payment":
            raise LedgerRefusal("RC_CANCEL_SERVER_ERROR", "취소할 수 있는 상태가 아닙니다.")
        if cancel_id and cancel_id in receipt.cancel_ids:
            raise LedgerRefusal("RC_CANCEL_SERVER_ERROR", "이미 처리된 취소 요청입니다.")
        left = remaining(receipt)
        left_tax_free = exact(receipt.tax_free - receipt.cancelled_tax_free)
        amount = left if price is None else exact(price)
        if not 0 < amount <= left or (receipt.currency == "KRW" and not isinstance(amount, int)):
            raise LedgerRefusal("RC_CANCEL_SERVER_ERROR", "취소 가능한 금액이 아닙니다.")
        taxed_first = max(0, amount - (left - left_tax_free))
        share = exact(taxed_first if tax_free is None else tax_free)
        if not 0 <= share <= min(amount, left_tax_free) or left_tax_free - share > left - amount:
            raise LedgerRefusal("RC_CANCEL_SERVER_ERROR", "취소 가능한 비과세 금액이 아닙니다.")
        return amount, share

    def _may_refund(self, receipt: Receipt, refund: Json | None) -> None:
        account = refund or {}
        whole = all(account.get(field) for field in ("bank_account", "bank_username", "bank_code"))
        if not whole or not re.fullmatch("[0-9]{3}", str(account.get("bank_code"))):
            raise LedgerRefusal("RC_CANCEL_SERVER_ERROR", "가상계좌 환불 계좌 정보가 필요합니다.")
        if receipt.sandbox and not self.rules.sandbox_vbank_cancellable:
            raise LedgerRefusal("RC_CANCEL_SERVER_ERROR", "테스트 모드 가상계좌는 취소할 수 없습니다.")

    def outside_cancel(self, receipt_id: str, price: Money | None = None) -> Receipt:
        """A cancel in the payment company's own console: the receipt changes and nobody is told."""
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.status == 5:
            receipt.status = -3  # the account is taken back before anybody paid into it
            self.changes += 1
            return receipt
        return self.cancel(receipt_id, price, told=False)

    # What happens by itself

    def _confirm_expired(self, receipt_id: str) -> None:
        receipt = self.state.receipts.get(receipt_id)
        if receipt is not None and receipt.status == 2:
            receipt.status = -2
            if receipt.error_webhooks:
                self.owe(receipt, "PAYMENT_CONFIRM_FAILED", message="승인 가능 시간이 지났습니다.")

    def _window_expired(self, receipt_id: str) -> None:
        receipt = self.state.receipts.get(receipt_id)
        if receipt is not None and receipt.status == 0 and not receipt.closed:
            receipt.closed = True
            self.owe(receipt, "PAYMENT_EXPIRED")

    def _account_expired(self, receipt_id: str) -> None:
        receipt = self.state.receipts.get(receipt_id)
        if receipt is not None and receipt.status == 5:
            receipt.status = -3
            if receipt.event_webhooks:
                self.owe(receipt, "PAYMENT_EXPIRED")

    def _sandbox_cancelled(self, receipt_id: str) -> None:
        receipt = self.state.receipts.get(receipt_id)
        if receipt is not None and receipt.status == 1:
            self.cancel(receipt_id, told=False)


def _purpose(checkout: Checkout) -> tuple[str, int, str, str]:
    """What a window is for: its kind, first status, the shop's id, and the method when none is named."""
    if checkout.subscription_id:
        return "billing", 40, checkout.order_id or checkout.subscription_id, "card_rebill"
    if checkout.authentication_id:
        return "identity", 50, checkout.authentication_id, "auth"
    return "payment", 0, checkout.order_id, "card"


def _person(user: Json | None) -> Json:
    """Who will be identified in a window where nobody typed anything."""
    named = user or {}
    return {
        "name": named.get("username") or "홍길동",
        "phone": named.get("phone") or "01012345678",
        "birth": "1990-01-01",
        "gender": 1,
        "carrier": "SKT",
        "how": "pass",
        "number_of_realarms": 0,
        "tid": "",
    }


def _buyer(receipt: Receipt) -> str:
    name = (receipt.user or {}).get("username")
    return name if isinstance(name, str) and name else "홍길동"


def is_form(content_type: str | None, *, default: bool) -> bool:
    """Whether webhooks are forms; both generations' names for the content types are understood."""
    if not content_type:
        return default
    return content_type in ("application/x-www-form-urlencoded", "urlencoded", "form")


def _sdk_names_types(version: str) -> bool:
    """Whether a browser SDK of this version makes webhooks carry their type: 5.0 and later."""
    major = version.split(".", 1)[0]
    return not major.isdecimal() or int(major) >= 5


def _delay(value: object) -> float:
    return min(float(value), 600.0) if isinstance(value, int | float) and value > 0 else 0.0
