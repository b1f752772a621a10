"""What Bootpay and card companies say may name a buyer: nothing of that is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dojang.core.words import kept_words


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("[4518-1234-5678-9012] 홍길동님 010-9999-8888 한도초과", "[***] ***님 *** 한도초과"),
        ("카드번호 94352017****6169 거절", "카드번호 *** 거절"),
        ("홍길동 고객님의 계좌 110 123 456789", "*** 고객님의 계좌 ***"),
        ("send to buyer.one+x@mail.example.com please", "send to *** please"),
        (
            "8012: 취소금액이 미정산금액보다 큽니다 (3,000원)",
            "8012: 취소금액이 미정산금액보다 큽니다 (3,000원)",
        ),
        ("RC_CANCEL_SERVER_ERROR: PG 9003", "RC_CANCEL_SERVER_ERROR: PG 9003"),
    ],
)
def test_personal_data_is_left_out_and_the_rest_is_kept(said: str, kept: str) -> None:
    """Cards, accounts, telephones, mail and names before a courtesy; codes and amounts stay readable."""
    assert kept == kept_words(said)


@given(st.text(), st.integers(10**6, 10**20).map(str), st.text())
def test_no_long_number_survives(before: str, number: str, after: str) -> None:
    """Whatever stands around it, and however long the words are."""
    kept = kept_words(f"{before}|{number}|{after}")

    assert number not in kept.replace("***", "")
    assert len(kept) <= 200
