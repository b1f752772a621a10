"""docs/reliability.md says which judges and tests hold which promise and who notices a mistake: as it is, no more."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from mutations import MISTAKES

from dojang.testing import simulation
from dojang.testing.simulation.scenarios import SCENARIOS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
ROOM = Path(simulation.__file__).parent
PROMISES = tuple(f"P{number}" for number in range(1, 12))


def _row(promise: str) -> tuple[set[str], int, set[str]]:
    """A row of the table: judges, mistakes and who notices them."""
    (line,) = re.findall(rf"^\| {promise} .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    _, _, judges, mistakes, scenarios, _ = (cell.strip() for cell in line.split("|"))
    return set(re.findall(r"`(\w+)`", judges)), int(mistakes), set(scenarios.split("; "))


def _judges(promise: str) -> set[str]:
    """Every function of the simulation that tells of this promise as broken."""
    return {
        function.name
        for file in ROOM.glob("*.py")
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and node.value == promise
    }


@pytest.mark.parametrize("promise", PROMISES)
def test_the_page_tells_who_holds_the_promise(promise: str) -> None:
    """Whoever reads the table finds every judge, and no judge that is none."""
    ours = [mistake for mistake in MISTAKES if promise in mistake.breaks]
    noticed_by = {name for mistake in ours for name in mistake.caught_by or ("worlds by seed",)}

    assert (_judges(promise), len(ours), noticed_by) == _row(promise)


@pytest.mark.parametrize("promise", PROMISES)
def test_the_page_names_tests_that_there_are(promise: str) -> None:
    """Beside its judges each promise has tests of its own: whoever follows the page finds them where it says."""
    (line,) = re.findall(rf"^- \*\*{promise}\*\* .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named = [name.split("::") for name in re.findall(r"`([^`]+)`", line)]

    assert named
    assert [] == [name for file, name in named if name not in _tests_in(PAGE.parents[1] / file)]


def _tests_in(file: Path) -> set[str]:
    return {
        function.name
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
    }


def test_the_page_counts_the_mistakes() -> None:
    """The number in the text is the number of mistakes that are made."""
    assert f"makes {len(MISTAKES)} plausible mistakes" in PAGE.read_text(encoding="utf-8")


def test_the_page_counts_the_scenarios() -> None:
    """Wherever it says how many there are, and in how many of them nobody looks at everything in the end."""
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    told = re.findall(r"counts (\d+) small races|schedules of (\d+) scenarios", page)
    unwatched = sum(scenario.watch_s is not None for scenario in SCENARIOS)

    assert {str(len(SCENARIOS))} == {number for numbers in told for number in numbers if number}
    assert f"In {unwatched} of them nobody looks at everything in the end" in page
