"""How an awaited port really gets called: one body of code, with or without an event loop.

A use case awaits its ports. Where the ports never suspend (Lambda, command line) `run` drives it to its end in one
step; where they do (the server) the event loop does. So there are no `_sync` and `_async` twins.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import ParamSpec, Protocol, TypeVar

__all__ = ["Caller", "inline", "run", "threaded"]

P = ParamSpec("P")
T = TypeVar("T")


class Caller(Protocol):
    """A way to call something that blocks."""

    async def __call__(self, f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `f` and give its result."""
        ...


async def inline(f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call it right here: for Lambda and the command line."""
    return f(*args, **kwargs)


async def threaded(f: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call it in a thread: for an ASGI server, whose event loop must not wait."""
    import asyncio

    return await asyncio.to_thread(f, *args, **kwargs)


def run(coroutine: Coroutine[object, None, T]) -> T:
    """Run a use case whose adapters never suspend: no event loop needed."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("an adapter suspended, but nothing here can resume it")
