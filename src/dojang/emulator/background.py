"""Serving in a thread, for as long as a `with` lasts: the emulator in tests, the demo shop beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from starlette.applications import Starlette

from dojang.emulator.host import listening

__all__ = ["Background"]


class Background:
    """An application at `url`, served by a thread of its own, inside a `with`; a taken address is a `ConfigError`.

    Args:
        app: What is served.
        host: The address it listens on.
        port: The port it listens on; 0 takes a free one.
        called: Who it is, in a sentence about an address that is taken.

    Attributes:
        url: Where it answers.
    """

    def __init__(self, app: Starlette, host: str, port: int, *, called: str) -> None:
        self.app = app
        self.url = ""
        self._where = (host, port, called)
        self._ready = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=called, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - carried to the thread that waits
            self._failure = failure
            self._ready.set()

    async def _serve(self) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        host, port, called = self._where
        async with listening(self.app, host, port, called=called) as self.url:
            self._ready.set()
            await stop.wait()
