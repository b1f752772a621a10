"""Keys that stand for a card or an account: issued, charged, booked ahead, destroyed.

```
40 | 41 ──published──▶ 11 ──destroyed──▶ -11        40 | 41 ──declined──▶ -40
a reservation: 0 waiting ──its time──▶ 1 done | 2 failed      0 ──taken back──▶ 3
```
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from dojang.emulator.books import BillingKey, Json, Money, Receipt, Reserve
from dojang.emulator.faces import KOREA, iso, method_words, pg_words, v2_receipt
from dojang.emulator.payments import Payments
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.windows import check_money, is_form
from dojang.emulator.words import BANKS, STATUS_LOCALES, bank_code, pg_alias

__all__ = ["Billing", "Charge", "Issuance"]

_FOREVER = datetime(2099, 12, 31, 23, 59, 59, tzinfo=KOREA).timestamp()
_INSTALMENTS_FROM = 50_000


class Issuance(msgspec.Struct, kw_only=True):
    """A request for a billing key, from card data or for an account."""

    pg: str
    order_name: str
    subscription_id: str
    method: str = "card_rebill"
    price: Money = 0
    tax_free: Money = 0
    user: Json | None = None
    metadata: object = None
    generation: int = 2


class Charge(msgspec.Struct, kw_only=True):
    """One charge on a billing key, now or later."""

    billing_key: str
    order_id: str
    order_name: str
    price: Money
    tax_free: Money = 0
    quota: str = "00"
    user: Json | None = None
    items: list[object] = []
    metadata: object = None
    extra: Json = {}
    feedback_url: str = ""
    content_type: str = ""
    generation: int = 2


class Billing(Payments):
    """The books' billing keys."""

    DUE: ClassVar[dict[str, str]] = Payments.DUE | {"reserve": "_execute_reserve"}

    # Issuing

    def issue_card_key(self, ask: Issuance, card_no: str, year: str, month: str) -> Receipt:
        """A key from card data; a price is charged at once.

        Raises:
            LedgerRefusal: `RC_INVALID_EXP_MONTH`, `RC_CONFIRM_FAILED` for an outdated card, or bad values.
        """
        self.tick()
        if not month.isdecimal() or not 1 <= int(month) <= 12:
            raise LedgerRefusal("RC_INVALID_EXP_MONTH")
        digits = card_no.replace("-", "").replace(" ", "")
        if not (digits.isdecimal() and 13 <= len(digits) <= 19 and year.isdecimal() and len(year) == 2):
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "카드 정보가 올바르지 않습니다.")
        first_after = datetime(2000 + int(year) + int(month) // 12, int(month) % 12 + 1, 1, tzinfo=KOREA)
        expires = first_after.timestamp() - 1
        if expires < self.now():
            raise LedgerRefusal("RC_CONFIRM_FAILED", "유효기간이 지난 카드입니다.")
        receipt = self._issuance(ask, status=40)
        data: Json = {
            "card_no": f"{digits[:8]}****{digits[-4:]}",
            "card_company": "국민",
            "card_company_code": "02",
            "card_type": 0,
        }
        self._publish(receipt, data, expires)
        return receipt

    def request_account_key(self, ask: Issuance, *, bank: str, account: str, holder: str) -> Receipt:
        """A key for a bank account, waiting for its holder's consent: 41.

        Raises:
            LedgerRefusal: `SUBSCRIBE_AT_LOOKUP_USER_FAILED` for an account that cannot be looked up.
        """
        self.tick()
        code = bank_code(bank)
        if code is None or not account.replace("-", "").isdecimal() or not holder:
            raise LedgerRefusal("SUBSCRIBE_AT_LOOKUP_USER_FAILED")
        receipt = self._issuance(ask, status=41)
        receipt.method = receipt.method_origin = "automatic_transfer_rest"
        receipt.authentication = {
            "bank_name": BANKS[code],
            "bank_code": code,
            "bank_account": account,
            "username": f"{holder[:-1]}*",
        }
        return receipt

    def publish_account_key(self, receipt_id: str) -> Receipt:
        """Issue the key an account's holder agreed to.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND` or `SUBSCRIBE_PUBLISH_NOT_READY`.
        """
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.kind != "billing" or receipt.status != 41 or receipt.authentication is None:
            raise LedgerRefusal("SUBSCRIBE_PUBLISH_NOT_READY")
        self._publish(receipt, receipt.authentication, _FOREVER)
        return receipt

    def approve(self, receipt_id: str) -> Receipt:
        """The buyer agrees; a window for a billing key issues it."""
        receipt = self.find(receipt_id)
        if receipt.kind != "billing":
            return super().approve(receipt_id)
        self.tick()
        if receipt.closed:
            raise LedgerRefusal("RC_CLOSE_WINDOW")
        if receipt.status == 41:
            return self.publish_account_key(receipt_id)
        if receipt.status != 40:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", f"status {receipt.status} is no open window")
        data: Json = {
            "card_no": "55704204****1074",
            "card_company": "국민",
            "card_company_code": "02",
            "card_type": 0,
        }
        self._publish(receipt, data, self.now() + 5 * 365 * 86400)
        return receipt

    def decline(self, receipt_id: str, message: str = "카드 한도초과") -> Receipt:
        """The card company or the bank refuses; no key is issued: -40."""
        receipt = self.find(receipt_id)
        if receipt.kind != "billing":
            return super().decline(receipt_id, message)
        if receipt.status not in (40, 41):
            raise LedgerRefusal(
                "INVALID_REQUEST_PARAMS", f"status {receipt.status} can no longer be declined"
            )
        receipt.status = -40
        self.changes += 1
        return receipt

    def _issuance(self, ask: Issuance, status: int) -> Receipt:
        if not ask.subscription_id or not ask.pg:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "subscription_id, pg 값이 필요합니다.")
        return self._record(
            Receipt(
                receipt_id=self.new_id(),
                order_id=ask.subscription_id,
                subscription_id=ask.subscription_id,
                price=check_money(ask.price, "KRW", "price"),
                tax_free=check_money(ask.tax_free, "KRW", "tax_free"),
                order_name=ask.order_name,
                requested_at=self.now(),
                kind="billing",
                generation=ask.generation,
                status=status,
                pg=pg_alias(ask.pg) or ask.pg,
                method=ask.method,
                method_origin=ask.method,
                user=ask.user,
                metadata={} if ask.metadata is None else ask.metadata,
            )
        )

    def _publish(self, receipt: Receipt, data: Json, expires_at: float) -> None:
        if receipt.price > 0 and self._paid_by_key(receipt.subscription_id):
            raise LedgerRefusal("RC_CONFIRM_FAILED", "이미 결제된 주문번호입니다.")
        user_id = (receipt.user or {}).get("id")
        key = BillingKey(
            billing_key=self.new_id(),
            receipt_id=receipt.receipt_id,
            data=data,
            expires_at=expires_at,
            published_at=self.now(),
            user_id=user_id if isinstance(user_id, str) else "",
        )
        self.state.billing_keys[key.billing_key] = key
        receipt.billing_key = key.billing_key
        receipt.status = 11
        self.changes += 1
        if receipt.price > 0:
            charge = Charge(
                billing_key=key.billing_key,
                order_id=receipt.subscription_id,
                order_name=receipt.order_name,
                price=receipt.price,
                tax_free=receipt.tax_free,
                user=receipt.user,
                generation=receipt.generation,
            )
            receipt.charge_receipt_id = self.charge(charge).receipt_id

    # Looking up

    def billing(self, receipt: Receipt) -> Json:
        """An issuance as the second generation shows it."""
        key = self.state.billing_keys.get(receipt.billing_key)
        if key is None:
            raise LedgerRefusal("SUBSCRIBE_PUBLISH_NOT_READY")
        method = method_words(receipt.method)
        view: Json = {
            "receipt_id": receipt.receipt_id,
            "subscription_id": receipt.subscription_id,
            "gateway_url": self.rules.gateway_url,
            "metadata": receipt.metadata,
            "pg": pg_words(receipt).label,
            "method": method.label,
            "method_symbol": receipt.method,
            "method_origin": method_words(receipt.method_origin).label,
            "method_origin_symbol": receipt.method_origin,
            "published_at": iso(key.published_at),
            "requested_at": iso(receipt.requested_at),
            "status_locale": STATUS_LOCALES.get(receipt.status, ""),
            "status": receipt.status,
        }
        if receipt.charge_receipt_id:
            view["receipt_data"] = v2_receipt(self.find(receipt.charge_receipt_id), self.rules)
        return view | {
            "billing_key": key.billing_key,
            "billing_data": dict(key.data),
            "billing_expire_at": iso(key.expires_at),
        }

    def billing_of_receipt(self, receipt_id: str) -> Json:
        """The key that an issuance ended in.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, or `RC_NOT_SUBSCRIBE` for a receipt that is no issuance.
        """
        self.tick()
        receipt = self.find(receipt_id)
        if receipt.kind != "billing":
            raise LedgerRefusal("RC_NOT_SUBSCRIBE")
        return self.billing(receipt)

    def billing_of_key(self, billing_key: str, *, user_id: str = "") -> Json:
        """A key; with `user_id`, only that buyer's.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`.
        """
        self.tick()
        key = self.state.billing_keys.get(billing_key)
        if key is None or (user_id and key.user_id and key.user_id != user_id):
            raise LedgerRefusal("RC_NOT_FOUND", "빌링키 정보를 찾을 수 없습니다.")
        return self.billing(self.find(key.receipt_id))

    def _live(self, billing_key: str) -> BillingKey:
        key = self.state.billing_keys.get(billing_key)
        if key is None or key.destroyed_at is not None or key.expires_at <= self.now():
            raise LedgerRefusal("SUBSCRIBE_BK_EXPIRED")
        return key

    def destroy_key(self, billing_key: str) -> None:
        """Destroy a key. Charges booked ahead stay booked, and will fail.

        Raises:
            LedgerRefusal: `SUBSCRIBE_BK_EXPIRED` when it is gone already.
        """
        self.tick()
        key = self._live(billing_key)
        key.destroyed_at = self.now()
        self.find(key.receipt_id).status = -11
        self.changes += 1

    # Charging

    def charge(self, ask: Charge) -> Receipt:
        """Charge a key now: one call, one attempt.

        Raises:
            LedgerRefusal: `SUBSCRIBE_BK_EXPIRED`; `RC_CONFIRM_FAILED` for an order id paid by a key before.
        """
        self.tick()
        key = self._live(ask.billing_key)
        price = _checked(ask)
        if self._paid_by_key(ask.order_id):
            raise LedgerRefusal("RC_CONFIRM_FAILED", "이미 결제된 주문번호입니다.")
        issuance = self.find(key.receipt_id)
        account = "bank_account" in key.data
        receipt = self._record(
            Receipt(
                receipt_id=self.new_id(),
                order_id=ask.order_id,
                price=price,
                tax_free=check_money(ask.tax_free, "KRW", "tax_free"),
                order_name=ask.order_name,
                requested_at=self.now(),
                generation=ask.generation,
                pg=issuance.pg,
                method="bank" if account else issuance.method,
                method_origin=issuance.method,
                sandbox=issuance.sandbox,
                user=ask.user,
                metadata={} if ask.metadata is None else ask.metadata,
                webhook_url=ask.feedback_url or None,
                webhook_form=is_form(ask.content_type, default=ask.generation == 1),
                billing_key=key.billing_key,
            )
        )
        receipt.details = self._details(receipt)
        if account:
            receipt.details |= {"bank_code": key.data["bank_code"], "bank_name": key.data["bank_name"]}
        else:
            quota = ask.quota.zfill(2)
            receipt.details |= {"card_no": key.data["card_no"], "card_quota": quota}
        self._pay(receipt)
        return receipt

    def _paid_by_key(self, order_id: str) -> bool:
        same = (self.state.receipts[id_] for id_ in self.state.by_order.get(order_id, ()))
        return any(receipt.kind == "payment" and receipt.billing_key for receipt in same)

    # Booking ahead

    def reserve(self, ask: Charge, execute_at: float | None) -> Reserve:
        """Book a charge for later.

        Raises:
            LedgerRefusal: `SUBSCRIBE_BK_EXPIRED`, too many open ones, or a time that is none.
        """
        self.tick()
        self._live(ask.billing_key)
        price = _checked(ask)
        if execute_at is None or execute_at < self.now() - 86400:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "예약 실행 시각이 올바르지 않습니다.")
        waiting = [
            r for r in self.state.reserves.values() if r.billing_key == ask.billing_key and r.status == 0
        ]
        if len(waiting) >= self.rules.reserves_max:
            sentence = f"빌링키당 예약은 {self.rules.reserves_max}건까지 가능합니다."
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", sentence)
        reserve = Reserve(
            reserve_id=self.new_id(),
            billing_key=ask.billing_key,
            order_id=ask.order_id,
            order_name=ask.order_name,
            price=price,
            tax_free=check_money(ask.tax_free, "KRW", "tax_free"),
            requested_at=self.now(),
            execute_at=execute_at,
            generation=ask.generation,
            user=ask.user,
            items=ask.items,
            metadata={} if ask.metadata is None else ask.metadata,
            extra=ask.extra,
            card_quota=ask.quota,
            feedback_url=ask.feedback_url,
            content_type=ask.content_type,
        )
        self.state.reserves[reserve.reserve_id] = reserve
        self._later(execute_at, "reserve", reserve.reserve_id)
        self.changes += 1
        return reserve

    def find_reserve(self, reserve_id: str) -> Reserve:
        """A charge booked ahead.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`.
        """
        self.tick()
        reserve = self.state.reserves.get(reserve_id)
        if reserve is None:
            raise LedgerRefusal("RC_NOT_FOUND", "예약 정보를 찾을 수 없습니다.")
        return reserve

    def reserve_view(self, reserve: Reserve) -> Json:
        """A charge booked ahead as the second generation shows it."""
        moments = {
            "reserve_started_at": reserve.started_at,
            "reserve_finished_at": reserve.finished_at,
            "reserve_revoked_at": reserve.revoked_at,
        }
        return {
            "reserve_id": reserve.reserve_id,
            "receipt_id": reserve.receipt_id,
            "billing_key": reserve.billing_key,
            "order_id": reserve.order_id,
            "price": reserve.price,
            "tax_free": reserve.tax_free,
            "order_name": reserve.order_name,
            "user": reserve.user,
            "items": reserve.items,
            "feedback_url": reserve.feedback_url,
            "metadata": reserve.metadata,
            "content_type": reserve.content_type,
            "version": 5,
            "extra": reserve.extra,
            "card_quota": reserve.card_quota,
            "reserve_requested_at": iso(reserve.requested_at),
            "reserve_execute_at": iso(reserve.execute_at),
            **{name: iso(at) if at is not None else None for name, at in moments.items()},
            "status": reserve.status,
        }

    def cancel_reserve(self, reserve_id: str) -> Reserve:
        """Take back a charge booked ahead.

        Raises:
            LedgerRefusal: `RC_NOT_FOUND`, `SUBSCRIBE_BK_EXPIRED` when its key is gone, or it is too late.
        """
        reserve = self.find_reserve(reserve_id)
        self._live(reserve.billing_key)
        if reserve.status != 0:
            raise LedgerRefusal("INVALID_REQUEST_PARAMS", "이미 실행되었거나 취소된 예약입니다.")
        reserve.status = 3
        reserve.revoked_at = self.now()
        self.changes += 1
        return reserve

    def _execute_reserve(self, reserve_id: str) -> None:
        reserve = self.state.reserves.get(reserve_id)
        if reserve is None or reserve.status != 0:
            return
        reserve.started_at = reserve.finished_at = self.now()
        charge = Charge(
            billing_key=reserve.billing_key,
            order_id=reserve.order_id,
            order_name=reserve.order_name,
            price=reserve.price,
            tax_free=reserve.tax_free,
            quota=reserve.card_quota,
            user=reserve.user,
            metadata=reserve.metadata,
            feedback_url=reserve.feedback_url,
            content_type=reserve.content_type,
            generation=reserve.generation,
        )
        try:
            reserve.receipt_id = self.charge(charge).receipt_id
            reserve.status = 1
        except LedgerRefusal:
            reserve.status = 2

    # Wallets: a buyer's keys, by the buyer's id

    def wallets(self, user_id: str) -> list[Json]:
        """What a buyer can pay with: the live keys issued under the buyer's id."""
        self.tick()
        mine = [
            key
            for key in self.state.billing_keys.values()
            if user_id and key.user_id == user_id and key.destroyed_at is None
        ]
        return [
            {
                "wallet_id": key.billing_key,
                "type": 1,
                "sandbox": int(self.find(key.receipt_id).sandbox),
                "order": order,
                "payment_status": 1,
                "batch_data": dict(key.data) | {"card_hash": ""},
                "card_code": key.data.get("card_company_code", ""),
                "expired_at": iso(key.expires_at),
                "latest_purchased_at": None,
            }
            for order, key in enumerate(mine)
        ]


def _checked(ask: Charge) -> Money:
    if not ask.order_id or not ask.order_name:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "order_id, order_name 값이 필요합니다.")
    price = check_money(ask.price, "KRW", "price")
    if price <= 0:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "결제금액은 0보다 커야 합니다.")
    if ask.tax_free > price:
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "비과세 금액이 결제금액보다 큽니다.")
    months = int(ask.quota) if ask.quota.isdecimal() else -1
    if not 0 <= months <= 12 or months == 1 or (months and price < _INSTALMENTS_FROM):
        raise LedgerRefusal("INVALID_REQUEST_PARAMS", "할부 개월수가 올바르지 않습니다.")
    return price
