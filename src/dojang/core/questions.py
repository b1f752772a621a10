"""What a person may be asked, each in a sentence: what has happened, and what can be done about it.

Rule 1: whatever calls a person is listed here, so that nobody is called without being told why.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["QUESTIONS", "sentences"]

_RETURN_OR_DISMISS = (
    "Return it, or dismiss and settle it with the buyer.",
    "돌려주거나(return), 구매자와 직접 정리한 뒤 dismiss 하세요.",
)
_HELD: Mapping[str, tuple[str, str]] = {
    "amount_mismatch": ("Money that is not the price is held.", "주문 금액과 다른 금액이 보류되어 있습니다."),
    "currency_mismatch": ("Money in another currency is held.", "다른 통화의 금액이 보류되어 있습니다."),
    "tax_free_mismatch": (
        "Money with another tax-free part is held.",
        "비과세 금액이 다른 결제가 보류되어 있습니다.",
    ),
    "already_cancelled": (
        "What is left of a partly cancelled receipt is held.",
        "일부 취소된 영수증의 남은 금액이 보류되어 있습니다.",
    ),
    "order_already_paid": (
        "A second payment of this order is held.",
        "이 주문의 두 번째 결제가 보류되어 있습니다.",
    ),
}
QUESTIONS: Mapping[str, tuple[str, str]] = {
    **{
        reason: (f"{english} {_RETURN_OR_DISMISS[0]}", f"{korean} {_RETURN_OR_DISMISS[1]}")
        for reason, (english, korean) in _HELD.items()
    },
    "order_expired": (
        "The price came after the order had run out. Accept it if you can still deliver, or return it.",
        "기한이 지난 뒤 결제되었습니다. 아직 제공할 수 있으면 accept, 아니면 return 하세요.",
    ),
    "payment_reverted": (
        "The bank took the deposit of this payment back. Stop the goods, or dismiss.",
        "은행에서 입금이 취소되었습니다. 상품 발송을 멈추거나 dismiss 하세요.",
    ),
    "order_mismatch": (
        "The receipt of this payment now names another order. Ask Bootpay, then dismiss.",
        "결제 영수증의 주문 번호가 바뀌었습니다. 부트페이에 문의한 뒤 dismiss 하세요.",
    ),
    "approval_unresolved": (
        "Bootpay never said whether an approval took the money. See its admin pages, then dismiss: it is looked at.",
        "승인 요청의 결과를 확인할 수 없습니다. 부트페이 관리자에서 확인한 뒤 dismiss 하면 영수증을 다시 확인합니다.",
    ),
    "cancel_unresolved": (
        "Bootpay never said whether a cancel gave the money back. See its admin pages, then dismiss.",
        "취소 요청의 결과를 확인할 수 없습니다. 부트페이 관리자에서 확인한 뒤 dismiss 하세요.",
    ),
    "cancel_ambiguous": (
        "More has gone back than a doubtful cancel explains. See Bootpay's admin pages, then dismiss.",
        "결과를 알 수 없는 취소보다 더 많은 금액이 취소되었습니다. 부트페이 관리자에서 확인한 뒤 dismiss 하세요.",
    ),
    "money_back_failed": (
        "Money that is owed back could not be sent: see the delivery's last error, retry it, then dismiss.",
        "돌려줄 돈을 보내지 못했습니다. 전달 오류를 확인해 다시 시도한 뒤 dismiss 하세요.",
    ),
    "delivery_failed": (
        "The shop did not take a notice in all its attempts: mend the receiver, retry the delivery, then dismiss.",
        "상점이 알림을 받지 못했습니다. 수신 서버를 고치고 전달을 다시 시도한 뒤 dismiss 하세요.",
    ),
}
"""By reason: a sentence in English, and the same in Korean."""


def sentences(reason: str) -> tuple[str, str]:
    """What a question is about, in English and Korean."""
    return QUESTIONS.get(reason, (reason, reason))
