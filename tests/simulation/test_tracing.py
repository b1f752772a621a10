"""A trace is for people who have a shop: words, columns, and an explanation of whoever and whatever needs one."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from dojang.core.delivery import Delivery, Lane
from dojang.core.order import OrderId
from dojang.entry.cli import app
from dojang.entry.cli.codes import Code
from dojang.testing.simulation.seeded import simulate, trace_of
from dojang.testing.simulation.tracing import BROKEN, Trace
from dojang.testing.simulation.wording import comes_of, does, moment

SEEDS = range(1, 81)
A_FINE_DAY = 179
NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


def test_everything_is_told_in_words() -> None:
    """No call is shown by its name, no value as Python writes it, in worlds of both generations and any weather."""
    for seed in SEEDS:
        for step in trace_of(seed).steps:
            _, _, what, answer = step

            assert [] == re.findall(r"^store\.|^[a-z]+_\w+$|\w+\(\w*=|<\w|datetime|None|[{}\[\]]", what), step
            assert [] == re.findall(r"\w+\(\w*=|<\w|datetime|None|[{}\[\]]", answer), step
            assert f"{what}{answer}".isprintable(), step
            assert [] == re.findall(r"[0-9a-f]{24}", f"{what} {answer}"), step


def test_answers_are_told_by_what_they_mean() -> None:
    """What is listed, written, refused, decided and owed: each in the words of a shop."""
    told = {(what, answer) for _, _, what, answer in trace_of(5).steps}

    assert {
        ("lists all orders", "o1"),
        ("writes of o1: surplus_found and attention (currency_mismatch)", "o1 attention (v3)"),
        ("pays into the account", "receipt …f1ea37 paid: 15,000.00 EUR"),
        ("wants 15,000 minor units of o1 sent back under key k0", ""),
        ("is done", "not done: not_paid"),
        ("is done", "nothing decided: The order does not wait for a decision; it is open."),
        ("takes what is owed", "order.attention of o1, attempt 5"),
        ("hands order.attention of o1 to the shop", "no answer"),
        ("writes of order.attention of o1: to be tried again", "done"),
        ("writes of order.attention of o1: settled", "done"),
    } <= told


def test_the_money_of_two_receipts_that_went_back_is_told_apart() -> None:
    """An order may hear of several: each is named by its receipt's end."""
    first, second = (
        Delivery(
            id=f"o2:{seq}:order_money_returned",
            order_id=OrderId("o2"),
            seq=seq,
            lane=Lane.NOTICE,
            type="order.money_returned",
            data={"receipt_id": end.rjust(24, "0")},
            created_at=NOW,
            due_at=NOW,
            attempts=1,
        )
        for seq, end in ((4, "aaaaaa"), (5, "bbbbbb"))
    )

    assert "order.money_returned of o2 for receipt …aaaaaa, attempt 1" == comes_of(first)
    assert "order.money_returned of o2 for receipt …bbbbbb, attempt 1" == comes_of(second)
    assert "hands order.money_returned of o2 for receipt …aaaaaa to the shop" == does("hand_over", [first])


def test_everybody_on_stage_is_explained() -> None:
    """Whoever does something stands under `who is who`, and nobody else does."""
    for seed in SEEDS:
        trace = trace_of(seed)
        told = trace.text.split("\n\n")[1].splitlines()
        there = {who.rstrip("0123456789 ") for _, who, _, _ in trace.steps}

        assert "who is who" == told[0]
        assert there - {"-"} == {re.split(r" {2,}", line.strip())[0] for line in told[1:]}


def test_the_heading_says_what_the_world_is() -> None:
    """Orders, actors, rules, Bootpay and the faults that are switched on; or that none is."""
    heading = trace_of(5).text.split("\n\n")[0].splitlines()

    assert "seed 5: one world, drawn from this number to the last step" == heading[0]
    assert [
        "  orders   o1 15,000 KRW, until 00:01:00.000",
        "  actors   1 × buyer, 1 × deliverer, 5 × person, 2 × reconciler, 2 × shop",
        "  rules    mode live, on_mismatch cancel, late_payment accept",
        "  Bootpay  generation 2 of its API",
    ] == heading[1:5]
    assert "the shop takes nothing before 01:00:00.000" in heading[5]
    assert "none" == trace_of(A_FINE_DAY).facts["faults"]


def test_the_columns_stand_under_their_heads() -> None:
    """Time, who, what and what came of it: each begins where its head does."""
    lines = trace_of(5).text.split("\n\n")[3].splitlines()
    ends, who, does, answer = (lines[0].index(head) for head in ("time", "who", "does", "what comes of it"))

    assert len(lines) > 50
    for line in lines[1:]:
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", line[: ends + 4])
        assert ["  ", "  "] == [line[column - 2 : column] for column in (who, does)]
        assert line[answer - 2 : answer] in ("  ", "")


def test_a_trace_changes_nothing() -> None:
    """The world that is told is the one that is judged: its orders end as they do untold."""
    for seed in SEEDS:
        ended = Counter(words.split()[0] for words in trace_of(seed).ended.values())

        assert simulate(seed).states == ended


def test_a_broken_promise_is_the_last_word() -> None:
    """How orders ended is told of a world that came to its end, and of no other."""
    steps = [(0.0, "shop", "registers o1", "o1 open (v1)"), (1.0, "worker", BROKEN, "P1: paid by nobody")]
    fine, broken = (Trace("a world", steps[:number], ended={"o1": "open"}) for number in (1, 2))

    assert ["", "P1: paid by nobody"] == [fine.broken, broken.broken]
    assert ["  o1  open", "00:00:01.000  worker  BROKEN        P1: paid by nobody"] == [
        trace.text.splitlines()[-1] for trace in (fine, broken)
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "00:00:00.000"), (59.9996, "00:01:00.000"), (10_531.252, "02:55:31.252"), (86_401.5, "1d 00:00:01.500")],
)  # fmt: skip
def test_moments_are_read_as_on_a_clock(seconds: float, words: str) -> None:
    """Hours, minutes and seconds; days only where there are any."""
    assert words == moment(seconds)


def test_programs_read_the_trace_as_json() -> None:
    """One document with the same heading, steps and ends."""
    told = json.loads(
        CliRunner().invoke(app, ["simulate", "--seed", "5", "--trace", "--format", "json"]).stdout
    )

    assert "o1 15,000 KRW, until 00:01:00.000" == told["facts"]["orders"]
    assert {
        "at_s": 0.0,
        "who": "shop",
        "does": "registers o1 at 15,000 KRW",
        "answer": "o1 open (v1)",
    } == told["steps"][0]
    assert ({"o1": "attention (v3)"}, None) == (told["ended"], told["broken"])


@pytest.mark.parametrize(
    ("words", "left_out"),
    [
        (("--trace", "--runs", "3"), "--runs"),
        (("--trace", "--seed", "5", "--processes", "2"), "--processes"),
        (("--trace", "--schedules", "--runs", "1"), "--runs and --schedules"),
        (("--schedules", "--seed", "5", "--runs", "3"), "--seed and --runs"),
    ],
)
def test_what_would_be_ignored_is_refused(words: tuple[str, ...], left_out: str) -> None:
    """Nobody waits for a thousand traces, or believes that a seed has to do with the schedules."""
    refused = CliRunner().invoke(app, ["simulate", *words])

    assert Code.USAGE == refused.exit_code
    assert f"leave out {left_out} (" in refused.stderr
    assert "" == refused.stdout
