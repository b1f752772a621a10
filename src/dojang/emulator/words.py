"""Bootpay's own words: payment companies, methods, banks and status labels, by generation.

A receipt of the second generation names companies and methods in Korean and keeps the alias beside it; the first
generation shows both. Requests may use either, so `method_symbol` and `pg_alias` accept both.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "BANKS",
    "IMMEDIATE_PGS",
    "METHODS",
    "PGS",
    "STATUS_LOCALES",
    "Method",
    "Pg",
    "bank_code",
    "chosen_method",
    "method_symbol",
    "pg_alias",
]


class Pg(NamedTuple):
    """A payment company as receipts of both generations name it."""

    label: str
    v1_label: str


class Method(NamedTuple):
    """A payment method: its labels, and the receipt field that carries its details."""

    label: str
    v1_label: str
    data_key: str
    group: str
    group_label: str


PGS: dict[str, Pg] = {
    "nicepay": Pg("나이스페이먼츠", "나이스페이먼츠"),
    "kcp": Pg("KCP", "KCP"),
    "danal": Pg("다날", "다날"),
    "inicis": Pg("KG이니시스", "이니시스"),
    "mobilians": Pg("KG모빌리언스", "모빌리언스"),
    "tosspayments": Pg("토스페이먼츠", "토스페이먼츠"),
    "toss": Pg("토스페이", "토스"),
    "payapp": Pg("페이앱", "페이앱"),
    "payletter": Pg("페이레터", "페이레터"),
    "kicc": Pg("이지페이", "KICC"),
    "tpay": Pg("티페이", "티페이"),
    "udpay": Pg("유디페이", "유디페이"),
    "welcome": Pg("웰컴페이먼츠", "웰컴페이먼츠"),
    "settlebank": Pg("세틀뱅크", "세틀뱅크"),
    "kiwoompay": Pg("키움페이", "키움페이"),
    "lightpay": Pg("라이트페이", "라이트페이"),
    "npay": Pg("네이버페이", "네이버페이"),
    "kakao": Pg("카카오페이", "카카오페이"),
    "payco": Pg("페이코", "페이코"),
}
"""Payment companies by their alias."""

# Aliases and Korean names that requests use for the companies above.
_PG_OTHERS = {
    "나이스페이": "nicepay",
    "나이스정보통신": "nicepay",
    "naverpay": "npay",
    "네이버": "npay",
    "카카오": "kakao",
    "tosspay": "toss",
    "이니시스": "inicis",
    "easypay": "kicc",
}

IMMEDIATE_PGS = frozenset({"payapp", "payletter", "kiwoompay"})
"""Companies that approve at once even when the shop asked to confirm separately."""

METHODS: dict[str, Method] = {
    "card": Method("카드", "카드결제", "card_data", "card", "신용카드"),
    "phone": Method("휴대폰", "휴대폰 소액결제", "phone_data", "phone", "휴대폰"),
    "bank": Method("계좌이체", "실시간 계좌이체", "bank_data", "bank", "계좌이체"),
    "vbank": Method("가상계좌", "가상계좌", "vbank_data", "vbank", "가상계좌"),
    "card_rebill": Method("카드자동", "카드정기결제", "card_data", "card", "신용카드"),
    "card_rebill_rest": Method("카드자동", "카드정기결제(REST)", "card_data", "card", "신용카드"),
    "automatic_transfer_rest": Method("계좌자동이체", "계좌자동이체", "bank_data", "bank", "계좌이체"),
    "kakao": Method("카카오페이", "카카오페이", "kakao_money_data", "easy", "간편결제"),
    "kakao_money": Method("카카오머니", "카카오머니", "kakao_money_data", "easy", "간편결제"),
    "npay": Method("네이버페이", "네이버페이", "naver_point_data", "easy", "간편결제"),
    "naver_point": Method("네이버포인트", "네이버포인트", "naver_point_data", "easy", "간편결제"),
    "payco": Method("페이코", "페이코", "payco_point_data", "easy", "간편결제"),
    "payco_point": Method("페이코포인트", "페이코포인트", "payco_point_data", "easy", "간편결제"),
    "toss": Method("토스", "토스", "toss_point_data", "easy", "간편결제"),
    "toss_point": Method("토스머니", "토스머니", "toss_point_data", "easy", "간편결제"),
    "easy": Method("간편", "간편결제", "card_data", "easy", "간편결제"),
    "easy_card": Method("간편카드", "간편카드", "card_data", "easy", "간편결제"),
    "auth": Method("본인인증", "본인인증", "authenticate_data", "auth", "본인인증"),
    "cash_receipt": Method("현금영수증", "현금영수증", "cash_receipt_data", "cash_receipt", "현금영수증"),
}
"""Payment methods by their symbol."""

# What the buyer's choice inside a wallet's window turns the method into.
_CHOSEN = {"kakao": "kakao_money", "npay": "naver_point", "payco": "payco_point", "toss": "toss_point"}

_METHOD_OTHERS = {
    "카카오": "kakao",
    "네이버": "npay",
    "kakaopay": "kakao",
    "naverpay": "npay",
    "tosspay": "toss",
    "virtual_account": "vbank",
    "sms": "auth",
    "카드간편": "easy_card",
}

BANKS: dict[str, str] = {
    "001": "한국은행",
    "003": "기업",
    "004": "국민",
    "005": "외환",
    "007": "수협",
    "011": "농협",
    "020": "우리",
    "023": "SC제일",
    "027": "시티",
    "031": "대구",
    "032": "부산",
    "034": "광주",
    "035": "제주",
    "037": "전북",
    "039": "경남",
    "045": "새마을금고",
    "071": "우체국",
    "081": "하나",
    "088": "신한",
    "089": "케이뱅크",
    "090": "카카오뱅크",
    "092": "토스뱅크",
}
"""Banks by their three digits."""

STATUS_LOCALES: dict[int, str] = {
    -61: "현금영수증발행취소실패",
    -60: "현금영수증발행실패",
    -40: "자동결제빌링키발급실패",
    -11: "빌링키발급취소",
    -4: "결제요청실패",
    -3: "가상계좌발급취소",
    -2: "결제승인실패",
    0: "결제대기",
    1: "결제완료",
    2: "입금/승인대기",
    4: "결제승인요청",
    5: "가상계좌발급완료",
    11: "빌링키발급완료",
    12: "본인인증완료",
    20: "결제취소완료",
    40: "자동결제빌링키발급준비",
    41: "자동결제빌링키발급이전",
    42: "자동결제빌링키발급성공",
    50: "본인인증시작준비",
    60: "현금영수증발행완료",
    61: "현금영수증발행취소완료",
}
"""What the second generation calls each status, in Korean."""

_PG_BY_NAME = {name: alias for alias, pg in PGS.items() for name in (alias, *pg)} | _PG_OTHERS
# Two methods share a Korean label (카드자동): the window's own one wins, so it is written last.
_METHOD_BY_NAME = (
    {name: symbol for symbol, method in METHODS.items() for name in (symbol, method.label)}
    | {METHODS["card_rebill"].label: "card_rebill"}
    | _METHOD_OTHERS
)


def pg_alias(name: str) -> str | None:
    """The alias of a payment company named by alias or in Korean; None when nobody knows it."""
    return _PG_BY_NAME.get(name)


def method_symbol(name: str) -> str | None:
    """The symbol of a method named by alias or in Korean; None when nobody knows it."""
    return _METHOD_BY_NAME.get(name)


def chosen_method(origin: str) -> str:
    """What the receipt says was used after the buyer chose inside the window of `origin`."""
    return _CHOSEN.get(origin, origin)


def bank_code(name: str) -> str | None:
    """The three digits of a bank named the Korean way, with or without 은행."""
    wanted = name.removesuffix("은행")
    return next((code for code, bank in BANKS.items() if wanted == bank.removesuffix("은행")), None)
