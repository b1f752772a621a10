"""One operation that an official library and our client share, and how both are run side by side."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .comparison import Differences, Differs, announced, differences
from .recorder import Recorded, Recorder

__all__ = ["SAMPLES", "Operation", "heard_once", "public_methods", "sample"]

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "bootpay"


@dataclass(frozen=True)
class Operation:
    """The same thing asked of both libraries.

    Attributes:
        official: The official library's method.
        ours: Our method.
        answer: The recorded answer both get.
        args: What both are given.
        theirs: What only the official library is given: other names for the same values.
        mine: What only ours is given.
        differs: Deliberate differences, each with its reason.
        dropped: Body fields the official library sends empty and we leave out (`EMPTY_IS_UNSET`).
        case: Tells several cases of one operation apart.
    """

    official: str
    ours: str
    answer: str
    args: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)
    mine: Mapping[str, Any] = field(default_factory=dict)
    differs: Mapping[str, Differs] = field(default_factory=dict)
    dropped: Mapping[str, Any] = field(default_factory=dict)
    case: str = ""

    def __str__(self) -> str:
        return f"{self.official}-{self.case}" if self.case else self.official

    def announced(self, everywhere: Mapping[str, Differs]) -> Differences:
        """What must differ, no more and no less."""
        return announced({**everywhere, **self.differs}, self.dropped)

    def run_official(self, library: object) -> None:
        """Run the official library's method."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            getattr(library, self.official)(**copy_of({**self.args, **self.theirs}))

    def run_ours(self, client: object) -> object:
        """Run our method; an asyncio client gives a coroutine back."""
        result: object = getattr(client, self.ours)(**{**self.args, **self.mine})
        return result

    def compare(self, recorder: Recorder, library: object, run: Callable[[Operation], object]) -> Differences:
        """Let both send to the recorder and tell where their requests differ."""
        recorder.says = (200, sample(self.answer))
        self.run_official(library)
        official = heard_once(recorder)
        run(self)
        return differences(official, heard_once(recorder))


def copy_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments nobody else holds: the official libraries write into what they are given."""
    copied: dict[str, Any] = json.loads(json.dumps(dict(arguments)))
    return copied


def heard_once(recorder: Recorder) -> Recorded:
    """The one request an operation sent; the token it may have needed first is not the operation."""
    *before, request = recorder.heard()
    if any(one.path not in recorder.tokens for one in before):
        raise AssertionError(f"{len(before) + 1} requests were sent instead of one")
    return request


def sample(name: str) -> bytes:
    """A recorded body."""
    return (SAMPLES / f"{name}.json").read_bytes()


def public_methods(kind: type) -> set[str]:
    """What a class offers."""
    return {name for name, value in vars(kind).items() if callable(value) and not name.startswith("_")}
