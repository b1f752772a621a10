"""Large worlds by seed: all promises hold, and a seed is a world to the last step."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

import dojang.testing.simulation as rooms
from dojang.entry.cli import app
from dojang.testing.simulation import seeded
from dojang.testing.simulation.evidence import BrokenPromise
from dojang.testing.simulation.example import crashed_and_recovered, page_with
from dojang.testing.simulation.many import run_seeds
from dojang.testing.simulation.seeded import trace_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
RUNS = 1_500


def test_a_thousand_worlds_break_no_promise() -> None:
    """Buyers, shop, workers, webhooks and a console in any weather; `make simulate` runs a hundred thousand."""
    tally = run_seeds(1, RUNS)

    assert tally.broken is None
    assert RUNS == tally.runs


def test_the_worlds_are_wild_enough() -> None:
    """Actors die, calls go wrong, and orders end in every state that is an end."""
    outcome = run_seeds(50_000, 400).outcome

    assert outcome.crashes > 100
    assert outcome.mishaps > 200
    assert {"open", "awaiting_deposit", "paid", "cancelled", "expired", "attention"} == set(outcome.states)


def test_the_same_seed_is_the_same_world() -> None:
    """A failure can be looked at again, word by word: over the wire (16) and beside it (17)."""
    assert [trace_of(16), trace_of(17)] == [trace_of(16), trace_of(17)]


JUDGES = (
    "attributing.py", "doubting.py", "evidence.py", "invariants.py", "obeying.py", "reading.py", "second_fold.py",
    "telling.py",
)  # fmt: skip


def test_the_invariants_share_nothing_with_what_they_judge() -> None:
    """A mistake in the core cannot hide itself: the judges import neither the core nor a use case."""
    allowed = {f"dojang.testing.simulation.{file.removesuffix('.py')}" for file in JUDGES}

    imported = {module for file in JUDGES for module, _ in _imports(file)}

    assert imported <= allowed
    assert imported


def test_the_evidence_is_made_without_the_code_under_test() -> None:
    """Who asked for what is noted by name: no function of the core makes any evidence, so none can falsify it."""
    functions = {
        f"{file}: {name}"
        for file in ("cast.py", "collecting.py", "stage.py")
        for module, name in _imports(file)
        if module.startswith("dojang.core") and not isinstance(getattr(import_module(module), name), type)
    }

    assert set() == functions


def _imports(file: str) -> set[tuple[str, str]]:
    """What a file of the simulation imports of ours: module and name."""
    tree = ast.parse((Path(rooms.__file__).parent / file).read_text(encoding="utf-8"))
    froms = {
        (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    whole = {
        (alias.name, "") for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    return {(module, name) for module, name in froms | whole if module.startswith("dojang")}


def test_the_command_counts_and_traces() -> None:
    """`dojang simulate` prints its rate, and with `--trace` everything that happens under a seed."""
    counted = CliRunner().invoke(app, ["simulate", "--runs", "20", "--processes", "1"])
    traced = CliRunner().invoke(app, ["simulate", "--seed", "5", "--trace"])

    assert [0, 0] == [counted.exit_code, traced.exit_code]
    assert "runs_per_s" in counted.output
    assert "registers o1 at 15,000 KRW" in traced.stdout
    assert "seed 5: every promise was kept" in traced.stderr
    assert "every promise was kept" not in traced.stdout


def test_a_trace_that_ends_badly_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and one sentence on stderr, however long the trace is."""

    def broken(*_: object, **__: object) -> None:
        raise BrokenPromise("P1", "paid without a receipt")

    monkeypatch.setattr(seeded, "check", broken)
    traced = CliRunner().invoke(app, ["simulate", "--seed", "5", "--trace"])

    assert 1 == traced.exit_code
    assert "paid without a receipt" in traced.stdout.splitlines()[-1]
    assert "seed 5: a promise broke" in traced.stderr


def test_the_example_in_the_documents_is_current() -> None:
    """docs/reliability.md shows what the code does today: `make reference` would change nothing."""
    page = PAGE.read_text(encoding="utf-8")

    assert page == page_with(page, crashed_and_recovered())
