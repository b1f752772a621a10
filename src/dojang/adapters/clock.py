"""The real time, waited for in the way the process allows."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

__all__ = ["SystemClock", "sleep_inline", "sleep_on_loop"]


async def sleep_inline(seconds: float) -> None:
    """Wait right here: for Lambda and the command line."""
    time.sleep(seconds)  # noqa: ASYNC251 - there is no event loop


async def sleep_on_loop(seconds: float) -> None:
    """Let others work meanwhile: for a server."""
    import asyncio

    await asyncio.sleep(seconds)


class SystemClock:
    """`dojang.ports.Clock` by the machine's own clock."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = sleep_inline) -> None:
        self._sleep = sleep

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        await self._sleep(seconds)
