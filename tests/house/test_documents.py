"""The documents agree with each other and point at things that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from conftest import Repository

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
DOCUMENTS = [
    "README.md",
    "README.ko.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/glossary.md",
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_there_and_says_something(repository: Repository, name: str) -> None:
    """A newcomer finds the usual documents, none of them empty."""
    assert len(repository.texts[Path(name)].splitlines()) > 10


def test_links_lead_to_files_and_headings_that_exist(repository: Repository) -> None:
    """No link inside the repository is broken, anchors included."""
    documents = {path: _prose(text) for path, text in repository.texts.items() if path.suffix == ".md"}
    broken = []
    for path, text in documents.items():
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = unquote(target).partition("#")
            aim = (
                (repository.root / path.parent / file).resolve().relative_to(repository.root)
                if file
                else path
            )
            if not (repository.root / aim).exists():
                broken.append(f"{path}: {target}: no such file")
            elif anchor and aim in documents and anchor not in _anchors(documents[aim]):
                broken.append(f"{path}: {target}: no such heading")

    assert [] == broken


def test_the_two_readmes_have_the_same_shape(repository: Repository) -> None:
    """A Korean reader gets what an English reader gets: the same headings, code and tables."""
    english, korean = (_shape(repository.texts[Path(name)]) for name in ("README.md", "README.ko.md"))

    assert english == korean


def test_the_two_readmes_show_the_same_commands(repository: Repository) -> None:
    """What is typed does not depend on the language: shell blocks agree word by word, comments apart."""
    english, korean = (_commands(repository.texts[Path(name)]) for name in ("README.md", "README.ko.md"))

    assert english
    assert english == korean


def test_the_readmes_lead_to_each_other(repository: Repository) -> None:
    """Each language links to the other at the top."""
    tops = {name: repository.texts[Path(name)][:800] for name in ("README.md", "README.ko.md")}

    assert "(README.ko.md)" in tops["README.md"]
    assert "(README.md)" in tops["README.ko.md"]


def test_python_in_the_documents_can_be_compiled(repository: Repository) -> None:
    """An example a reader copies is at least Python."""
    broken = []
    for path, text in repository.texts.items():
        if path.suffix == ".md":
            for language, code in FENCE.findall(text):
                if language == "python":
                    try:
                        compile(code, str(path), "exec")
                    except SyntaxError as error:
                        broken.append(f"{path}: {error}")

    assert [] == broken


def test_the_changelog_names_public_things_that_exist(repository: Repository) -> None:
    """A full name in backticks, `dojang.bootpay.Bootpay.confirm()`, can be found where it says."""
    import importlib

    missing = []
    _, _, newest = repository.texts[Path("CHANGELOG.md")].partition("\n## ")
    newest = newest.partition("\n## ")[0]
    for name in re.findall(r"`(dojang(?:\.\w+)+)(?:\(\))?`", newest):
        parts = name.split(".")
        value: object = importlib.import_module(parts[0])
        for position, part in enumerate(parts[1:], 1):
            if not hasattr(value, part):
                try:
                    importlib.import_module(".".join(parts[: position + 1]))
                except ModuleNotFoundError:
                    missing.append(name)
                    break
            value = getattr(value, part)

    assert [] == missing


def _prose(markdown: str) -> str:
    return FENCE.sub("", markdown)


def _shape(markdown: str) -> dict[str, object]:
    prose = _prose(markdown)
    return {
        "headings": [len(marks) for marks, _ in HEADING.findall(prose)],
        "code": [language for language, _ in FENCE.findall(markdown)],
        "table rows": len(re.findall(r"^\|.*\|$", prose, re.MULTILINE)),
    }


def _commands(markdown: str) -> list[str]:
    return [
        line.partition(" #")[0].strip()
        for language, code in FENCE.findall(markdown)
        if language in {"sh", "bash", "shell", "console"}
        for line in code.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _anchors(prose: str) -> set[str]:
    """The names under which headings can be reached, made as code hosts make them."""
    anchors: set[str] = set()
    for _, heading in HEADING.findall(prose):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        name, repeat = slug, 0
        while name in anchors:
            repeat += 1
            name = f"{slug}-{repeat}"
        anchors.add(name)
    return anchors
