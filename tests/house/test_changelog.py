"""The changelog speaks to users: what changed, money first, where to read on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Repository

HEADINGS = ["Money", "Security", "Removed", "Deprecated", "Added", "Changed", "Fixed"]
RELEASE = re.compile(r"^## (?P<version>\d+\.\d+\.\d+) \((?:\d{4}-\d\d-\d\d|unreleased)\)$", re.MULTILINE)
ENTRY = re.compile(r"^- .+[^.]\. \[[^\]]+\]\([^)]+\)$")
"""One sentence or two on one line, a link last."""


@pytest.fixture
def changelog(repository: Repository) -> str:
    """The text of CHANGELOG.md."""
    return repository.texts[Path("CHANGELOG.md")]


def test_this_version_has_an_entry_and_it_is_the_newest(repository: Repository, changelog: str) -> None:
    """Nothing is released without saying what it brings."""
    versions = [match["version"] for match in RELEASE.finditer(changelog)]

    assert repository.project["project"]["version"] == versions[0]


def test_releases_are_newest_first(changelog: str) -> None:
    """A reader finds the newest release on top."""
    versions = [tuple(map(int, match["version"].split("."))) for match in RELEASE.finditer(changelog)]

    assert sorted(set(versions), reverse=True) == versions


def test_headings_are_known_and_in_order(changelog: str) -> None:
    """What changes when money moves is read first: Money, Security, Removed, Deprecated, Added, Changed, Fixed."""
    disorder = []
    for release in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.+)$", release, re.MULTILINE)
        if headings != [known for known in HEADINGS if known in headings]:
            disorder.append((release.splitlines()[0], headings))

    assert [] == disorder


def test_every_second_level_heading_is_a_release(changelog: str) -> None:
    """`## 1.2.3 (2026-01-31)` or `## 1.2.3 (unreleased)`: tools and people can read both."""
    headings = re.findall(r"^## .*$", changelog, re.MULTILINE)

    assert [match[0] for match in RELEASE.finditer(changelog)] == headings


def test_every_entry_is_one_line_with_a_link_last(changelog: str) -> None:
    """Full sentences, one entry a line, a link to read on."""
    _, _, releases = changelog.partition("\n## ")
    lines = [line for line in releases.splitlines()[1:] if line and not line.startswith("#")]

    assert [] == [line for line in lines if not ENTRY.match(line)]
