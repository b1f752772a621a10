"""The pictures in docs/architecture.md show what the code is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dojang import errors
from dojang.core.payment import TRANSITIONS, State

if TYPE_CHECKING:
    from conftest import Repository

DOORWAYS = {"__init__.py", "__main__.py", "py.typed"}


@pytest.fixture
def page(repository: Repository) -> str:
    """The text of docs/architecture.md."""
    return repository.texts[Path("docs/architecture.md")]


def test_every_room_is_in_the_picture(repository: Repository, page: str) -> None:
    """The rooms drawn are the rooms there are, no more and no fewer."""
    drawn = set(
        re.findall(r"^[├└]── ([\w./]+)", page.partition("src/dojang/\n")[2].partition("```")[0], re.MULTILINE)
    )
    rooms = {
        path.parts[2] + ("/" if len(path.parts) > 3 else "")
        for path in repository.files
        if path.parts[0] == "src"
    } - DOORWAYS

    assert rooms == drawn


def test_the_tree_of_errors_is_the_one_in_the_code(page: str) -> None:
    """The page repeats the docstring of `dojang.errors` word by word, and the docstring draws the real classes."""
    assert errors.__doc__
    drawing = re.findall(r"```\n(.*?)```", errors.__doc__, re.DOTALL)[0]
    drawn = re.findall(r"^[│├└─ ]*(\w+)", drawing, re.MULTILINE)

    assert f"```text\n{drawing}```" in page
    assert set(errors.__all__) == set(drawn)


def test_the_table_of_states_says_what_the_transitions_allow(page: str) -> None:
    """What a payment may become is read from the one transition table, and the page agrees with it."""
    section = page.partition("## States of a payment")[2]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", section, re.MULTILINE)
    written = {state: set(re.findall(r"`(\w+)`", targets)) for state, targets in rows}
    allowed = {
        state.value: {target.value for target in TRANSITIONS[state].values() if target is not state}
        for state in State
    }
    # Leaving attention is a person's decision, written in words.
    written[State.ATTENTION] = set()

    assert allowed == written
