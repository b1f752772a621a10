"""The repository as its own tests see it."""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Repository:
    """The tree of files, without what `.gitignore` names; works in a plain download too."""

    root: Path

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every file that belongs to the repository, relative to its root."""
        return tuple(sorted(self._walk()))

    @cached_property
    def texts(self) -> dict[Path, str]:
        """Every text file's content; what cannot be read as UTF-8 is not text."""
        texts = {}
        for path in self.files:
            try:
                texts[path] = (self.root / path).read_bytes().decode()
            except UnicodeDecodeError:
                continue
        return texts

    @cached_property
    def project(self) -> dict[str, Any]:
        """What pyproject.toml says."""
        return tomllib.loads(self.texts[Path("pyproject.toml")])

    def python(self, folder: str) -> dict[Path, ast.Module]:
        """The parsed Python files below a folder."""
        return {
            path: ast.parse(text, str(path))
            for path, text in self.texts.items()
            if path.suffix == ".py" and path.is_relative_to(folder)
        }

    def _walk(self) -> Iterator[Path]:
        patterns = [
            line.strip("/")
            for line in (self.root / ".gitignore").read_text().splitlines()
            if line and not line.startswith("#")
        ]

        def kept(relative: Path) -> bool:
            return not any(
                fnmatch(str(relative), pattern) or fnmatch(relative.name, pattern)
                for pattern in [".git", *patterns]
            )

        for folder, folders, names in os.walk(self.root):
            here = Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders if kept(here / name)]
            yield from (here / name for name in names if kept(here / name))


@pytest.fixture(scope="session")
def repository() -> Repository:
    """This repository."""
    return Repository(ROOT)
