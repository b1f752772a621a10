"""The table of error codes is whole, bilingual, and agrees with what was recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dojang.bootpay import ERRORS
from dojang.bootpay.error_table import PG_ERRORS, leaves_outcome_unknown, look_up

CATALOGUE = json.loads(
    (Path(__file__).parent.parent / "samples" / "bootpay" / "v2_error_catalogue.json").read_text()
)
RELIABLE = [entry for entry in CATALOGUE if not entry["source"].startswith("unreliable")]
HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize("entry", RELIABLE, ids=lambda entry: str(entry["error_code"]))
def test_every_reliable_code_is_known(entry: dict[str, object]) -> None:
    """Known by its text form, with the recorded judgement on repeating and on the outcome."""
    known = ERRORS[str(entry["error_code"])]

    assert entry["transient"] == known.retryable
    assert ("outcome unknown" in str(entry["meaning"])) == known.outcome_unknown


def test_discarded_drafts_are_not_known() -> None:
    """Codes of a discarded draft are no basis for advice."""
    drafts = {entry["error_code"] for entry in CATALOGUE} - {entry["error_code"] for entry in RELIABLE}

    assert 5 == len(drafts)
    assert not drafts & ERRORS.keys()


@pytest.mark.parametrize("code", ERRORS)
def test_cause_and_cure_in_both_languages(code: str) -> None:
    """Every code says why and what to do, in Korean and in English."""
    entry = ERRORS[code]

    assert HANGUL.search(entry.cause_ko)
    assert HANGUL.search(entry.cure_ko)
    assert entry.cause_en
    assert entry.cure_en
    assert not HANGUL.search(entry.cause_en + entry.cure_en)
    assert all(text.endswith(".") for text in (entry.cause_en, entry.cure_en, entry.cause_ko, entry.cure_ko))


def test_gateway_codes_sharpen_the_cure() -> None:
    """NICEPAY's overload is told apart from other refused cancels."""
    entry = look_up("RC_CANCEL_SERVER_ERROR", "9003")

    assert entry.cure_en.startswith("NICEPAY: overloaded")
    assert entry.cure_ko.startswith("나이스페이")
    assert look_up("RC_CANCEL_SERVER_ERROR", "0000") == ERRORS["RC_CANCEL_SERVER_ERROR"]
    assert all(HANGUL.search(korean) and not HANGUL.search(english) for korean, english in PG_ERRORS.values())


def test_unknown_codes_have_no_advice() -> None:
    """No entry, no invention."""
    assert "" == look_up("SOMETHING_NEW").cause_en


def test_critical_codes_yet_to_come() -> None:
    """Any code of the *_CRITICAL_* kind leaves the outcome unknown."""
    codes = ["RC_CHARGE_CRITICAL_FAILED", "X_CRITICAL", "RC_CONFIRM_FAILED", "3708"]

    assert [True, True, False, False] == [leaves_outcome_unknown(code) for code in codes]
