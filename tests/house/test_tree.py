"""The files themselves: tidy, small, in their rooms, and without secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repository

SIZE_MAX = 400_000
"""Bytes. Only the lock file is made by a machine for machines and may be larger."""

TABS_BELONG = {"Makefile"}
RECORDED = {Path("tests/samples")}
"""Bodies kept as they were received: their white space is part of what they prove."""

SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{64}"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of a code host": re.compile(
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,}|glpat-[\w-]{20})"
    ),
    "a Bootpay private key": re.compile(
        r"(?<![A-Za-z0-9+/])(?=[a-z/+]*[A-Z0-9])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])"
    ),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
}

ROOMS_OF_TESTS = {
    "core", "usecases", "bootpay", "adapters", "web", "console", "entry", "emulator", "testing",
    "simulation", "typing", "samples", "house",
}  # fmt: skip

NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc", "shared"}


def test_texts_are_tidy(repository: Repository) -> None:
    """No white space at a line's end, no tabs but in the Makefile, one newline at the end, none of Windows' ends."""
    untidy = []
    for path, text in repository.texts.items():
        if any(path.is_relative_to(folder) for folder in RECORDED):
            continue
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            untidy.append(f"{path}: does not end in one newline")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                untidy.append(f"{path}:{number}: white space at the end")
            if "\t" in line and path.name not in TABS_BELONG:
                untidy.append(f"{path}:{number}: a tab")

    assert [] == untidy


def test_files_are_small(repository: Repository) -> None:
    """A reader, a review and a clone can bear every file."""
    large = [
        f"{path}: {size} bytes"
        for path in repository.files
        if (size := (repository.root / path).stat().st_size) > SIZE_MAX and path != Path("uv.lock")
    ]

    assert [] == large


def test_nothing_in_the_tree_is_a_secret(repository: Repository) -> None:
    """No key, token or private key is ever committed, not even one that looks like an example."""
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: looks like {what}"
        for path, text in repository.texts.items()
        for what, pattern in SECRETS.items()
        for match in pattern.finditer(text)
    ]

    assert [] == found


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a private key", f"-----BEGIN {'PRIVATE'} KEY-----\n{'Zm9v' * 16}\n"),
        ("an AWS access key", "AKIA" + "A1B2" * 4),
        ("a token of a code host", "ghp_" + "a1" * 18),
        ("a Bootpay private key", "key: " + "aB3" * 14 + "x="),
        ("a Slack token", "xoxb-" + "1234567890"),
    ],
)
def test_the_scan_knows_a_secret_when_it_sees_one(what: str, text: str) -> None:
    """Every pattern of the scan finds what it is named after."""
    assert [what] == [name for name, pattern in SECRETS.items() if pattern.search(text)]


def test_tests_live_in_the_rooms_they_are_about(repository: Repository) -> None:
    """A test is found where the code is: the folders below tests/ are the rooms, and a few that are named in style."""
    folders = {path.parts[1] for path in repository.files if path.parts[0] == "tests" and len(path.parts) > 2}

    assert set() == folders - ROOMS_OF_TESTS


def test_test_functions_stand_in_files_that_pytest_collects(repository: Repository) -> None:
    """A test that is never collected proves nothing: `def test_…` only in files named test_*.py."""
    lost = [
        f"{path}: {name}"
        for path, text in repository.texts.items()
        if path.suffix == ".py" and path.parts[0] == "tests" and not path.name.startswith("test_")
        for name in re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE)
        if path.parts[1] != "typing"
    ]

    assert [] == lost


def test_no_file_is_a_dumping_ground(repository: Repository) -> None:
    """A file is named after the one thing it is opened for."""
    vague = [
        str(path) for path in repository.files if NAMES_THAT_SAY_NOTHING & {*path.parent.parts, path.stem}
    ]

    assert [] == vague
