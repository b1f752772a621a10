"""Two ways to send a call to Bootpay: blocking through a Caller, or on the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dojang.bootpay.call import Call
from dojang.drive import Caller
from dojang.errors import NotSent

if TYPE_CHECKING:
    from dojang.bootpay import AsyncBootpay, Bootpay

__all__ = ["AwaitedSender", "BlockingSender"]

T = TypeVar("T")


class BlockingSender:
    """Through the blocking client.

    Args:
        client: The client.
        call: How blocking code is called here.
    """

    def __init__(self, client: Bootpay, call: Caller) -> None:
        self._client = client
        self._call = call

    async def __call__(self, call: Call[T], within_s: float, /) -> T:
        """See `Sender`."""
        if within_s <= 0:
            raise NotSent("no time was left to send it")
        return await self._call(self._client.within(within_s).send, call)


class AwaitedSender:
    """Through the asyncio client.

    Args:
        client: The client, made on the event loop that will use it.
    """

    def __init__(self, client: AsyncBootpay) -> None:
        self._client = client

    async def __call__(self, call: Call[T], within_s: float, /) -> T:
        """See `Sender`."""
        if within_s <= 0:
            raise NotSent("no time was left to send it")
        return await self._client.within(within_s).send(call)
