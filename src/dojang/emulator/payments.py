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

from dojang.emulator.books import Json, Money, Receipt
from dojang.emulator.faces import exact, iso, remaining, v2_receipt
from dojang.emulator.refusals import LedgerRefusal
from dojang.emulator.windows import Windows
from dojang.emulator.words import IMMEDIATE_PGS, METHODS, chosen_method

__all__ = ["Payments"]

_CANCELLABLE = frozenset({1, -20})  # -20 is the first generation's "cancel failed": the payment stands


class Payments(Windows):
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


def _buyer(receipt: Receipt) -> str:
    name = (receipt.user or {}).get("username")
    return name if isinstance(name, str) and name else "홍길동"
