"""The first generation's endpoints, bound to a client that already exists."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from dojang.bootpay import v1
from dojang.bootpay.binding import Awaiting, Blocking
from dojang.bootpay.call import Call

__all__ = ["AwaitingV1", "BlockingV1"]

T = TypeVar("T")


class BlockingV1(v1.Endpoints, Blocking):
    """`Bootpay.v1`: the first generation of the API, blocking."""

    def __init__(self, client: Blocking) -> None:
        self._client = client

    def send(self, call: Call[T]) -> T:
        """Send one call and return its typed result."""
        return self._client.send(call)

    def __repr__(self) -> str:
        return f"{self._client!r}.v1"


class AwaitingV1(v1.Endpoints, Awaiting):
    """`AsyncBootpay.v1`: the first generation of the API, asyncio."""

    def __init__(self, client: Awaiting) -> None:
        self._client = client

    def send(self, call: Call[T]) -> Coroutine[Any, Any, T]:
        """Send one call; awaiting it gives its typed result."""
        return self._client.send(call)

    def __repr__(self) -> str:
        return f"{self._client!r}.v1"
