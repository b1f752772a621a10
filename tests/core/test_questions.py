"""Whoever is called is told why, in both languages, and the pages for people list every reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dojang
from dojang.core.questions import QUESTIONS, sentences
from dojang.core.verification import Reason

ROOT = Path(dojang.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"


def test_every_reason_to_call_a_person_has_its_sentences() -> None:
    """Whatever the code calls a person for is listed; nothing is listed that nobody is called for."""
    code = "".join(file.read_text() for file in [*ROOT.glob("core/*.py"), *ROOT.glob("usecases/*.py")])
    named = set(
        re.findall(
            r'(?:attention\(|needs_attention\([\w, ]*?|^REVERTED = |^AMBIGUOUS = |^_DELIVERY_FAILED = )"(\w+)"',
            code,
            re.MULTILINE,
        )
    )
    held = {reason.value for reason in Reason} & set(QUESTIONS)

    assert set(QUESTIONS) - held == named
    assert {"order_mismatch", "order_expired", "order_already_paid", "amount_mismatch"} <= held


@pytest.mark.parametrize("page", ["attention.md", "attention.ko.md"])
def test_the_page_for_people_lists_every_reason(page: str) -> None:
    """A table row each."""
    reasons = (DOCS / page).read_text().rpartition("\n## ")[2]
    rows = set(re.findall(r"^\| `(\w+)` \|", reasons, re.MULTILINE))

    assert set(QUESTIONS) == rows


def test_a_reason_that_an_older_release_wrote_is_shown_as_it_is() -> None:
    """Nothing is hidden for want of a sentence."""
    assert ("odd", "odd") == sentences("odd")
