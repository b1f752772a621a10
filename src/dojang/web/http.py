"""HTTP as plain values: what came in and what goes out, whoever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["Request", "Response"]


class Request(msgspec.Struct, frozen=True):
    """What somebody asks.

    Attributes:
        method: In capitals.
        path: As it stood on the wire, percent-encoding and all, without the query.
        query: The query as it stood on the wire, without the question mark.
        headers: Names in lower case; a repeated header's values are joined with a comma.
        body: All of it; or, where it is larger than allowed, enough of it to see that.
        source: Whose address it is, as far as our own proxies can be believed; None where nobody knows.
        within_s: How long whoever carries it will wait for the answer; None where that is not known.
        vouched: Whether the platform has made sure already that the shop itself asks, so that no key is needed.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    source: str | None = None
    within_s: float | None = None
    vouched: bool = False

    def time(self, most_s: float) -> float:
        """How long answering may take: `most_s`, or less where whoever carries it waits less."""
        return most_s if self.within_s is None else min(most_s, self.within_s)

    def __repr__(self) -> str:
        # Headers and body may hold a key or a buyer.
        return f"Request({self.method} {self.path})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("method", self.method), ("path", self.path)]


class Response(msgspec.Struct, frozen=True):
    """What they are told.

    Attributes:
        status: Of HTTP.
        body: All of it.
        headers: Names in lower case.
        told: Whom it was about and what came of it, for a log: `order_id`, `receipt_id`, `outcome`, where the body does
            not say so.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    told: Mapping[str, str] = msgspec.field(default_factory=dict)
