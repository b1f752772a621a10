"""The window's words, Korean first, English beside them."""

from __future__ import annotations

from datetime import datetime

from dojang.emulator.books import Money
from dojang.emulator.checkout.window import Language

__all__ = ["METHOD_NAMES", "PHRASES", "date_in", "price_in", "say"]

PHRASES: dict[str, tuple[str, str]] = {
    "title": ("결제", "Payment"),
    "pretend": (
        "연습용 결제창입니다. 실제 돈은 오가지 않습니다.",
        "This is a practice payment window (an emulator). No real money moves.",
    ),
    "skip": ("본문으로 건너뛰기", "Skip to content"),
    "other_language": ("English", "한국어"),
    "shop": ("상점", "Shop"),
    "order": ("주문명", "Order"),
    "order_id": ("주문번호", "Order number"),
    "price": ("결제 금액", "Amount to pay"),
    "methods": ("결제수단", "Payment method"),
    "pay": ("{} 결제하기", "Pay {}"),
    "decline": ("거절 (카드사 승인 거절 흉내)", "Decline (as if the card company refused)"),
    "close": ("닫기", "Close"),
    "leave": ("상점으로 돌아가기", "Return to the shop"),
    "agree": (
        "‘결제하기’를 누르면 위 내용으로 결제하는 데 동의합니다.",
        "By pressing “Pay” you agree to pay the amount above.",
    ),
    "account_title": ("가상계좌가 발급되었습니다", "Your virtual account is ready"),
    "account_text": (
        "아래 계좌로 입금하면 결제가 끝납니다.",
        "Transfer the amount to this account to finish paying.",
    ),
    "bank": ("은행", "Bank"),
    "account": ("계좌번호", "Account number"),
    "holder": ("예금주", "Account holder"),
    "until": ("입금 기한", "Pay by"),
    "deposit": ("입금하기 (입금 흉내)", "Deposit (simulated)"),
    "waiting_title": ("상점이 결제를 승인하고 있습니다", "The shop is approving your payment"),
    "waiting_text": (
        "아직 돈은 빠져나가지 않았습니다. 잠시만 기다려 주세요.",
        "No money has moved yet. This takes a moment.",
    ),
    "paid_title": ("결제가 완료되었습니다", "Payment complete"),
    "cancelled_title": ("취소된 결제입니다", "This payment was cancelled"),
    "declined_title": ("결제가 거절되었습니다", "The payment was declined"),
    "declined_text": (
        "카드 한도를 초과했습니다. (연습용 응답)",
        "Over the card's limit (a simulated answer).",
    ),
    "closed_title": ("결제창이 닫혔습니다", "The payment window is closed"),
    "expired_title": ("입금 기한이 지났습니다", "The account has expired"),
    "done_text": ("이 창을 닫아도 됩니다.", "You may close this window."),
    "not_found_title": ("결제를 찾을 수 없습니다", "There is no such payment"),
    "not_found_text": (
        "주소가 잘못되었거나, 에뮬레이터가 다시 시작되었습니다.",
        "The address is wrong, or the emulator has been restarted.",
    ),
    "request_title": ("결제를 시작할 수 없습니다", "The payment could not be started"),
    "not_possible": ("지금은 할 수 없는 동작입니다.", "That is not possible at this point."),
}
"""Every phrase in Korean and English, by what it is for."""

METHOD_NAMES: dict[str, tuple[str, str]] = {
    "card": ("카드", "Card"),
    "vbank": ("가상계좌", "Virtual account"),
    "kakao": ("카카오페이", "KakaoPay"),
    "phone": ("휴대폰", "Mobile phone bill"),
    "bank": ("계좌이체", "Bank transfer"),
    "npay": ("네이버페이", "Naver Pay"),
    "payco": ("페이코", "PAYCO"),
    "toss": ("토스", "Toss"),
}
"""Payment methods as a buyer calls them, in Korean and English."""


def say(phrase: str, language: Language) -> str:
    """A phrase of the window in one language."""
    korean, english = PHRASES[phrase]
    return english if language == "en" else korean


def price_in(amount: Money, currency: str, language: Language) -> str:
    """An amount as its reader writes it."""
    if currency != "KRW":
        return f"{amount:,.2f} {currency}"
    return f"₩{amount:,}" if language == "en" else f"{amount:,}원"


def date_in(moment: str, language: Language) -> str:
    """A moment as its reader writes it; what is no moment stays as it is."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{at:%d %b %Y %H:%M} KST" if language == "en" else f"{at:%Y년 %m월 %d일 %H:%M}까지"
