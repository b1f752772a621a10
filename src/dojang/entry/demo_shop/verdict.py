"""dojang's answer as a buyer should hear it: paid, wait, or not, and why, in Korean and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dojang.entry.demo_shop.service import Answer

__all__ = ["Verdict", "told", "verdict_of"]

Kind = Literal["paid", "account", "pending", "refused", "ended", "note"]

_STATES: Mapping[str, tuple[Kind, str]] = {
    "open": ("pending", "open"),
    "pending": ("pending", "pending"),
    "awaiting_deposit": ("account", "awaiting_deposit"),
    "paid": ("paid", "paid"),
    "partially_cancelled": ("paid", "paid"),
    "cancelled": ("ended", "cancelled"),
    "expired": ("ended", "expired"),
    "attention": ("pending", "attention"),
}

_WORDS: Mapping[str, tuple[str, str, str, str]] = {
    # what: title (Korean, English), text (Korean, English)
    "paid": (
        "결제가 확인되었습니다",
        "Your payment is verified",
        "도장이 부트페이에 직접 확인했습니다. 상품을 준비합니다.",
        "dojang asked Bootpay itself. The goods are on their way.",
    ),
    "awaiting_deposit": (
        "입금을 기다리고 있습니다",
        "Waiting for your deposit",
        "아래 계좌로 입금하시면 이 화면이 저절로 바뀝니다.",
        "Transfer the amount to the account below; this page changes by itself.",
    ),
    "pending": (
        "결제를 확인하고 있습니다",
        "Verifying your payment",
        "아직 결과가 확실하지 않습니다. 다시 결제하지 마세요. 이 화면이 저절로 바뀝니다.",
        "The outcome is not certain yet. Do not pay again; this page changes by itself.",
    ),
    "open": (
        "아직 결제되지 않았습니다",
        "Not paid yet",
        "이 주문에 대한 결제를 아직 받지 못했습니다. 결제했다면 곧 확인됩니다.",
        "No payment for this order has arrived yet. If you have paid, it will be found shortly.",
    ),
    "attention": (
        "담당자가 확인하고 있습니다",
        "A person is looking into it",
        "주문을 확인한 뒤 연락드리겠습니다. 다시 결제하지 마세요.",
        "We will get back to you. Do not pay again.",
    ),
    "cancelled": (
        "취소된 주문입니다",
        "This order was cancelled",
        "받은 돈은 돌려드렸습니다.",
        "The money has been returned.",
    ),
    "expired": (
        "주문 기한이 지났습니다",
        "This order has expired",
        "다시 주문해 주세요.",
        "Please order again.",
    ),
    "refused": ("결제로 인정되지 않았습니다", "This does not count as payment", "", ""),
    "unreachable": (
        "지금은 결제를 확인할 수 없습니다",
        "The payment cannot be verified right now",
        "결제했다면 다시 결제하지 마세요. 확인되는 대로 처리됩니다.",
        "If you have paid, do not pay again; it will be processed as soon as it can be verified.",
    ),
    "not_registered": (
        "주문을 받을 수 없습니다",
        "The order could not be taken",
        "결제 서비스(도장)에 연결할 수 없거나 설정이 맞지 않습니다. 돈은 빠져나가지 않았습니다.",
        "The payment service (dojang) cannot be reached or is not set up. No money has moved.",
    ),
    "closed": (
        "결제를 취소하셨습니다",
        "You left without paying",
        "돈은 빠져나가지 않았습니다.",
        "No money has moved.",
    ),
    "declined": (
        "결제가 거절되었습니다",
        "The payment was declined",
        "다른 결제수단으로 다시 시도해 주세요.",
        "Please try another way to pay.",
    ),
    "working": ("주문하고 있습니다…", "Placing your order…", "", ""),
    "paying": ("결제창에서 결제해 주세요", "Please pay in the payment window", "", ""),
    "left": (
        "브라우저가 결제 직후 닫힌 척합니다",
        "Pretending that the browser was closed after paying",
        "이 화면은 결제 결과를 서버에 알리지 않습니다. 부트페이의 웹훅이 주문을 살리는지 지켜보세요.",
        "This page tells the server nothing. Watch Bootpay's webhook rescue the order.",
    ),
    "needs_receipt": (
        "먼저 한 번 제대로 결제해 주세요",
        "Pay properly once first",
        "다른 주문의 영수증을 보내려면 그런 영수증이 있어야 합니다.",
        "To send another order's receipt there must be one.",
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to show.

    Attributes:
        kind: How it looks, and whether the page goes on asking (`account`, `pending`).
        title: One line, Korean and English.
        text: More, Korean and English; may be empty.
        code: dojang's code of a refusal.
        order_id: Which order.
        account: Where to deposit, while that is awaited.
        receipt_id: Bootpay's account of the payment, once dojang believes it.
        retry_after_s: When asking again makes sense.
        again: Whether verifying again makes sense, beyond asking for the state.
    """

    kind: Kind
    title: tuple[str, str]
    text: tuple[str, str] = ("", "")
    code: str = ""
    order_id: str = ""
    account: Mapping[str, Any] = field(default_factory=dict)
    receipt_id: str = ""
    retry_after_s: float = 2.0
    again: bool = False


def told(what: str, kind: Kind = "note", order_id: str = "") -> Verdict:
    """A sentence of the shop's own."""
    ko, en, text_ko, text_en = _WORDS[what]
    return Verdict(kind, (ko, en), (text_ko, text_en), order_id=order_id)


def verdict_of(answer: Answer, order_id: str) -> Verdict:
    """What dojang answered to `verify` or `state`, for the buyer."""
    body = answer.body
    state = body.get("state")
    if answer.status in (200, 202) and isinstance(state, str) and state in _STATES:
        kind, what = _STATES[state]
        ko, en, text_ko, text_en = _WORDS[what]
        account = body.get("account")
        return Verdict(
            kind,
            (ko, en),
            (text_ko, text_en),
            order_id=order_id,
            account=account if isinstance(account, dict) else {},
            receipt_id=str(body.get("receipt_id", "")),
            retry_after_s=answer.retry_after_s,
            again=answer.status == 202,
        )
    if answer.status in (0, 429) or answer.status >= 500 or body.get("retryable") is True:
        ko, en, text_ko, text_en = _WORDS["unreachable"]
        return Verdict(
            "pending",
            (ko, en),
            (text_ko, text_en),
            code=str(body.get("code", "")),
            order_id=order_id,
            retry_after_s=answer.retry_after_s,
            again=True,
        )
    ko, en, _, _ = _WORDS["refused"]
    detail = str(body.get("detail", ""))
    return Verdict(
        "refused",
        (ko, en),
        (str(body.get("detail_ko") or detail), detail),
        code=str(body.get("code", "")),
        order_id=order_id,
    )
