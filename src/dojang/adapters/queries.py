"""Reads `-- name: x` queries out of an SQL file, so that SQL stays SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

__all__ = ["migrations", "named_queries"]

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def named_queries(file: str) -> Mapping[str, str]:
    """All queries of one file, by name."""
    parts = _NAME.split(_text(file))
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def migrations(dialect: str) -> list[tuple[int, str, str]]:
    """Number, name and script of every migration of a dialect, in order."""
    folder = resources.files(__package__) / "sql"
    found = sorted(
        entry.name for entry in folder.iterdir() if re.fullmatch(rf"{dialect}_\d{{3}}_\w+\.sql", entry.name)
    )
    return [(int(name.split("_")[1]), name, _text(name)) for name in found]


def _text(file: str) -> str:
    return (resources.files(__package__) / "sql" / file).read_text(encoding="utf-8")
