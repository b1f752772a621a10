"""How much may still be cancelled, and on what terms.

Rule 1: cancelled in total never exceeds what was paid.
Rule 2: one cancel at a time per order; its intent is committed before money moves.
Rule 3: the same key is the same cancel, for ever; with another body it is refused. A key is used up by the intent,
    not by the question: a refusal of `terms_of` begins nothing and is kept nowhere, because it is about the order as
    it stands, and the same request may rightly be carried out once the order stands otherwise.
Rule 4: a refund account passes through; it is neither stored nor shown, and no hash of it alone is either.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum

from dojang.core.order import Order, OrderId
from dojang.core.payment import Payment, State
from dojang.core.values import Value, field
from dojang.errors import InvalidValue

__all__ = ["CancelRefusal", "CancelTerms", "WantedCancel", "WhyNot", "key_of", "terms_of"]


class WhyNot(StrEnum):
    """Why a cancel is not begun, as the HTTP API names it."""

    NOT_PAID = "not_paid"
    ALREADY_CANCELLED = "already_cancelled"
    CANCEL_IN_PROGRESS = "cancel_in_progress"
    NEEDS_A_PERSON = "needs_attention"
    REMAINING_MISMATCH = "remaining_mismatch"
    AMOUNT_TOO_LARGE = "amount_too_large"
    TAX_FREE_REQUIRED = "tax_free_required"
    TAX_FREE_TOO_LARGE = "tax_free_too_large"
    REFUND_ACCOUNT_REQUIRED = "refund_account_required"
    KEY_REUSED = "idempotency_key_reused"
    CANCEL_REFUSED = "cancel_refused"
    OUTCOME_UNKNOWN = "outcome_unknown"

    @property
    def sentence_en(self) -> str:
        """What stands in the way, in English."""
        return _SENTENCES[self][0]

    @property
    def sentence_ko(self) -> str:
        """What stands in the way, in Korean."""
        return _SENTENCES[self][1]


_SENTENCES: dict[WhyNot, tuple[str, str]] = {
    WhyNot.NOT_PAID: ("The order is not paid.", "결제되지 않은 주문입니다."),
    WhyNot.ALREADY_CANCELLED: ("Nothing of the price is left.", "이미 전액 취소된 주문입니다."),
    WhyNot.CANCEL_IN_PROGRESS: (
        "Another cancel of this order is under way.",
        "이 주문의 다른 취소가 진행 중입니다.",
    ),
    WhyNot.NEEDS_A_PERSON: (
        "A person must decide on this order first (dojang resolve).",
        "담당자의 확인이 먼저 필요한 주문입니다 (dojang resolve).",
    ),
    WhyNot.REMAINING_MISMATCH: (
        "What remains of the payment is not what the request expects.",
        "남은 결제 금액이 요청의 예상과 다릅니다.",
    ),
    WhyNot.AMOUNT_TOO_LARGE: (
        "The amount is more than what remains of the payment.",
        "취소 금액이 남은 결제 금액보다 큽니다.",
    ),
    WhyNot.TAX_FREE_REQUIRED: (
        "The order has a tax-free part: a partial cancel must say how much of it goes back.",
        "비과세 금액이 있는 주문의 부분 취소에는 tax_free가 필요합니다.",
    ),
    WhyNot.TAX_FREE_TOO_LARGE: (
        "The tax-free part must fit both into the amount and into what remains.",
        "비과세 취소 금액이 취소 금액 또는 남은 비과세 금액보다 큽니다.",
    ),
    WhyNot.REFUND_ACCOUNT_REQUIRED: (
        "A virtual account payment can only go back to a bank account: refund_account is required.",
        "가상계좌 결제의 취소에는 환불 계좌(refund_account)가 필요합니다.",
    ),
    WhyNot.KEY_REUSED: (
        "This Idempotency-Key was used for another request.",
        "다른 요청에 이미 사용된 Idempotency-Key입니다.",
    ),
    WhyNot.CANCEL_REFUSED: (
        "Bootpay refused the cancel; nothing went back. Another try needs another Idempotency-Key.",
        "부트페이가 취소를 거절해 환불된 금액이 없습니다. 다시 시도하려면 새 Idempotency-Key를 사용해 주세요.",
    ),
    WhyNot.OUTCOME_UNKNOWN: (
        "Another cancel hides whether this one was carried out. See what remains: more needs another Idempotency-Key.",
        "다른 취소 때문에 처리 여부를 알 수 없습니다. 남은 금액을 확인하고 더 취소하려면 새 Idempotency-Key를 쓰세요.",
    ),
}


_REASON_LENGTH_MAX = 300
_ACCOUNT_FIELDS = {
    "bank_code": re.compile(r"[0-9]{3}", re.ASCII),
    "bank_account": re.compile(r"[0-9](-?[0-9]){0,29}", re.ASCII),
    "bank_username": re.compile(r"(?=.*\S).{1,60}"),
}


class WantedCancel(Value):
    """What the shop asks for.

    Attributes:
        amount: Minor units to give back, more than none; None for all that remains.
        tax_free: The non-taxable part of it; None to leave it to us where that is unambiguous.
        reason: Why, for the admin pages and the history: 1 to 300 printable characters.
        refund_account: Where the money of a virtual account goes: `bank_code` (3 digits), `bank_account` (digits and
            dashes), `bank_username`. Used for this one call and stored nowhere.
        expected_remaining: If given, what the shop believes remains before this cancel.
        key: The caller's idempotency key as it came, which is stored nowhere either: mixed into the fingerprint, it
            keeps a stolen store from being searched for account numbers.

    Raises:
        InvalidValue: If an amount or a text cannot be what it should be.
    """

    amount: int | None
    tax_free: int | None
    reason: str
    refund_account: Mapping[str, str] | None = field(default=None, repr=False)
    expected_remaining: int | None = None
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.amount is not None and self.amount <= 0:
            raise InvalidValue("amount must be more than zero (amount는 0보다 커야 합니다)")
        if self.tax_free is not None and self.tax_free < 0:
            raise InvalidValue("tax_free must not be negative (tax_free는 0 이상이어야 합니다)")
        if self.expected_remaining is not None and self.expected_remaining < 0:
            raise InvalidValue(
                "expected_remaining must not be negative (expected_remaining은 0 이상이어야 합니다)"
            )
        if not self.reason.strip() or len(self.reason) > _REASON_LENGTH_MAX or not self.reason.isprintable():
            raise InvalidValue(
                f"reason must be 1 to {_REASON_LENGTH_MAX} printable characters "
                f"(reason은 1~{_REASON_LENGTH_MAX}자의 문자여야 합니다)"
            )
        if self.refund_account is not None:
            _check_account(self.refund_account)

    @property
    def fingerprint(self) -> str:
        """A hash of everything that was asked for."""
        asked = [
            self.key,
            self.amount,
            self.tax_free,
            self.reason,
            sorted((self.refund_account or {}).items()),
            self.expected_remaining,
        ]
        return hashlib.sha256(json.dumps(asked, ensure_ascii=True).encode()).hexdigest()[:32]

    def without_account(self, words: str) -> str:
        """What Bootpay said, fit to be kept: should it name the refund account, that is left out."""
        for name in ("bank_account", "bank_username"):
            secret = (self.refund_account or {}).get(name, "")
            for spelling in {secret, secret.replace("-", "")} - {""}:
                words = words.replace(spelling, "***")
        return words


def _check_account(account: Mapping[str, str]) -> None:
    whole = set(account) == set(_ACCOUNT_FIELDS) and all(
        pattern.fullmatch(account[name]) and account[name].isprintable()
        for name, pattern in _ACCOUNT_FIELDS.items()
    )
    if not whole:
        # What it holds is not repeated: an error must not show an account either.
        raise InvalidValue(
            "refund_account must have bank_code (3 digits), bank_account (digits and dashes) and bank_username "
            "(refund_account에는 bank_code 3자리 숫자, bank_account 숫자와 -, bank_username이 필요합니다)"
        )


class CancelTerms(Value, kw_only=False):
    """A cancel that may be begun.

    Attributes:
        amount: Minor units that go back.
        tax_free: The non-taxable part of them.
        whole: Whether this is all of an untouched payment: then no amount is named, because every payment gateway
            can undo a whole payment and not every one a part.
    """

    amount: int
    tax_free: int
    whole: bool


class CancelRefusal(Value, kw_only=False):
    """A cancel that is not begun.

    Attributes:
        why: Why not.
        code: Bootpay's code where it refused.
        words: Bootpay's words where it refused: for the shop, not for buyers.
    """

    why: WhyNot
    code: str = ""
    words: str = ""

    @property
    def detail(self) -> str:
        """Bootpay's code and words in one line; empty where it was not asked."""
        return f"{self.code}: {self.words}".strip(": ")


def key_of(order_id: OrderId, key: str) -> str:
    """The caller's idempotency key as it is stored, which is also the `cancel_id` Bootpay sees."""
    return hashlib.sha256(f"{order_id}\n{key}\ncancel".encode()).hexdigest()[:32]


def terms_of(
    order: Order, payment: Payment, wanted: WantedCancel, method: str
) -> CancelTerms | CancelRefusal:
    """Judge a cancel of a payment that no lease holds.

    Args:
        order: Its price is the ceiling.
        payment: What went back already.
        wanted: What is asked for.
        method: Bootpay's alias of how it was paid; a virtual account needs somewhere to send the money.
    """
    match payment.state:
        case State.PAID:
            pass
        case State.CANCELLED:
            return CancelRefusal(WhyNot.ALREADY_CANCELLED)
        case State.CANCELLING:
            return CancelRefusal(WhyNot.CANCEL_IN_PROGRESS)
        case State.ATTENTION:
            return CancelRefusal(WhyNot.NEEDS_A_PERSON)
        case _:
            return CancelRefusal(WhyNot.NOT_PAID)
    remaining = order.price.minor - payment.cancelled
    # An outside cancel may not say what its tax-free part was: no more of it can be left than is left at all.
    remaining_tax_free = min(order.tax_free - payment.cancelled_tax_free, remaining)
    if wanted.expected_remaining is not None and wanted.expected_remaining != remaining:
        return CancelRefusal(WhyNot.REMAINING_MISMATCH)
    amount = remaining if wanted.amount is None else wanted.amount
    if amount > remaining:
        return CancelRefusal(WhyNot.AMOUNT_TOO_LARGE)
    if wanted.tax_free is not None:
        tax_free = wanted.tax_free
    elif amount == remaining:
        tax_free = remaining_tax_free
    elif remaining_tax_free == 0:
        tax_free = 0
    else:
        return CancelRefusal(WhyNot.TAX_FREE_REQUIRED)
    taxable_left = remaining - remaining_tax_free
    if tax_free > min(amount, remaining_tax_free) or amount - tax_free > taxable_left:
        return CancelRefusal(WhyNot.TAX_FREE_TOO_LARGE)
    if method == "vbank" and wanted.refund_account is None:
        return CancelRefusal(WhyNot.REFUND_ACCOUNT_REQUIRED)
    return CancelTerms(amount, tax_free, whole=amount == order.price.minor)
