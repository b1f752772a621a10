"""Two requests side by side: which places differ, and what stands there on each side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .recorder import Recorded

__all__ = ["ABSENT", "EMPTY_IS_UNSET", "HEADERS", "Differs", "announced", "differences", "places"]

HEADERS = (
    "authorization",
    "accept",
    "content-type",
    "bootpay-api-version",
    "bootpay-sdk-version",
    "bootpay-sdk-type",
)
"""The headers Bootpay acts on or counts by; every other header is the transport's own business."""


class Absent(Enum):
    """The mark of a place where nothing stands: no JSON value is equal to it."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent.ABSENT

Places = dict[str, Any]
Differences = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Differs:
    """A deliberate difference at one place: what the official library sends, what we send, and why."""

    official: Any
    ours: Any
    why: str


EMPTY_IS_UNSET = (
    "Bootpay reads null, an empty value and a missing field alike; what was not given is not sent"
)
"""Why a body field that the official library sends empty is absent from ours."""


def places(request: Recorded) -> Places:
    """Every place of a request that is compared, with what stands there."""
    found: Places = {"method": request.method, "path": request.path, "body": request.form}
    if request.target.endswith("?"):
        found["stray ?"] = True
    for name, value in request.query:
        if f"query.{name}" in found:
            raise AssertionError(f"the query names {name} twice")
        found[f"query.{name}"] = value
    found.update({f"header.{name}": request.headers[name] for name in HEADERS if name in request.headers})
    found.update({f"body.{name}": value for name, value in request.fields.items()})
    return found


def differences(official: Recorded, ours: Recorded) -> Differences:
    """The places where two requests disagree: (the official library's, ours)."""
    theirs, mine = places(official), places(ours)
    return {
        place: (theirs.get(place, ABSENT), mine.get(place, ABSENT))
        for place in sorted(theirs.keys() | mine.keys())
        if not _same(theirs.get(place, ABSENT), mine.get(place, ABSENT))
    }


def announced(differs: Mapping[str, Differs], dropped: Mapping[str, Any]) -> Differences:
    """The differences a table announces: those with a reason of their own, and the empty fields we do not send.

    Raises:
        AssertionError: A field is called empty and is not.
    """
    for name, value in dropped.items():
        if value not in (None, "", {}, [], 0):
            raise AssertionError(f"{name} is not empty in the official request: give a reason of its own")
    found: Differences = {place: (one.official, one.ours) for place, one in differs.items()}
    found.update({f"body.{name}": (value, ABSENT) for name, value in dropped.items()})
    return dict(sorted(found.items()))


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON is: True is not 1, and 1000 is not 1000.0, at any depth."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
