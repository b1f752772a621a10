"""Every command and every setting is documented, and the reference pages are what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from dojang.entry.cli import app
from dojang.entry.settings import KEYS

if TYPE_CHECKING:
    from conftest import Repository

PROMISED = {
    "demo", "serve", "emulator", "orders add", "orders list", "orders show", "orders history", "verify", "receipt",
    "deliver", "webhooks list", "webhooks replay", "migrate", "openapi", "cancel", "reconcile", "resolve", "doctor",
    "simulate", "layer build", "template sam", "template policy",
}  # fmt: skip
"""The commands of this version."""

LATER = {
    "trigger",
    "listen",
}
"""Commands that a later version has; whoever adds one moves it up."""


def _commands() -> dict[str, bool]:
    """Every command by its words, and whether it is hidden."""
    found: dict[str, bool] = {}
    waiting: list[tuple[tuple[str, ...], object]] = [((), get_command(app))]
    while waiting:
        path, command = waiting.pop()
        children = getattr(command, "commands", {})
        if not children:
            found[" ".join(path)] = bool(getattr(command, "hidden", False))
        waiting += [((*path, name), child) for name, child in children.items()]
    return found


def test_the_commands_are_those_that_were_promised() -> None:
    """No promised command is missing, and none appears that was not promised."""
    shown = {name for name, hidden in _commands().items() if not hidden}

    assert PROMISED == shown
    assert set() == shown & LATER


@pytest.mark.parametrize("command", ["", "orders", "webhooks", "layer", "template", *sorted(PROMISED)])
def test_help_shows_an_example(command: str) -> None:
    """`--help` of every command ends the search: it shows a line that can be typed."""
    result = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "120", "NO_COLOR": "1"})

    assert 0 == result.exit_code
    assert re.search(rf"\bdojang {command}\b", result.output.partition("Usage:")[2].partition("\n")[2])


def test_the_reference_pages_are_current(repository: Repository) -> None:
    """`make reference` would change nothing."""
    command = [sys.executable, "house/reference.py", "--check"]
    done = subprocess.run(command, cwd=repository.root, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr


def test_every_command_has_its_section(repository: Repository) -> None:
    """The page about commands names each of them as it is typed."""
    page = repository.texts[Path("docs/commands.md")]
    sections = re.findall(r"^## dojang (.+)$", page, re.MULTILINE)

    assert PROMISED == set(sections)


@pytest.mark.parametrize("name", ["docs/settings.md", "docs/settings.ko.md"])
def test_every_setting_has_its_row(repository: Repository, name: str) -> None:
    """The page about settings lists each key once, in the order of the code, in both languages."""
    page = repository.texts[Path(name)]

    assert list(KEYS) == re.findall(r"^\| `([A-Z_]+)` \| \S", page, re.MULTILINE)


def test_no_document_names_a_setting_that_is_not_there(repository: Repository) -> None:
    """A key in a document that nobody reads would be believed and do nothing."""
    unknown = [
        f"{path}: {key}"
        for path, text in repository.texts.items()
        if path.suffix == ".md" and path.parts[0] != "tests"
        for key in re.findall(r"`((?:DOJANG|BOOTPAY)_[A-Z_]+)[`=]", text)
        if not {key, key.removesuffix("_FILE"), key.removesuffix("_ARN")} & KEYS.keys()
        and not key.startswith("DOJANG_TEST_")
    ]

    assert [] == unknown
