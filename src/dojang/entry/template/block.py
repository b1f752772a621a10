"""Plain values as a block of YAML, for those parts of a template that other code decides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["block"]

# A word of CloudFormation's own (!GetAtt Table.Arn) is written as it is.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*|!\S.*")
_NOT_TEXT = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def block(value: Mapping[str, object] | Sequence[object], indent: int) -> str:
    """The value as lines, each indented by so many blanks."""
    return "\n".join(" " * indent + line for line in _lines(value))


def _lines(value: object) -> Iterator[str]:
    match value:
        case Mapping():
            for key, part in value.items():
                if isinstance(part, Mapping | list | tuple):
                    yield f"{key}:"
                    yield from (f"  {line}" for line in _lines(part))
                else:
                    yield f"{key}: {_scalar(part)}"
        case list() | tuple():
            for part in value:
                first, *rest = _lines(part)
                yield f"- {first}"
                yield from (f"  {line}" for line in rest)
        case _:
            yield _scalar(value)


def _scalar(value: object) -> str:
    text = str(value)
    if isinstance(value, str) and _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return json.dumps(value, ensure_ascii=False)
