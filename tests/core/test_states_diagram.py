"""The picture in the docs is the table in the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_picture_of_the_states_is_current() -> None:
    """Drawing it again would change nothing."""
    checked = subprocess.run(
        [sys.executable, "house/states.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (0, "") == (checked.returncode, checked.stderr)


def test_the_picture_shows_every_way_between_states() -> None:
    """A reader finds each transition of the contract in the page."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    for line in (
        "open --> confirming: approval_intended",
        "confirming --> paid: paid",
        "confirming --> open: approval_refused",
        "awaiting_deposit --> open: account_withdrawn",
        "cancelling --> cancelled: cancelled",
        "expired --> paid: paid",
    ):
        assert line in page
