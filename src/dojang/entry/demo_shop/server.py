"""Running the shop in a thread, for as long as a demonstration or a test lasts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dojang.emulator.host import listening
from dojang.entry.demo_shop.app import create_shop
from dojang.entry.demo_shop.options import ShopOptions
from dojang.entry.demo_shop.shop import DemoShop
from dojang.errors import ConfigError

__all__ = ["ShopServer"]


class ShopServer:
    """A shop at `url`, inside a `with`; a taken address is a `ConfigError`.

    Args:
        options: How it runs; port 0 takes a free one.

    Attributes:
        url: Where it answers.
        shop: Its books.
    """

    def __init__(self, options: ShopOptions) -> None:
        self.options = options
        self.app = create_shop(options)
        self.shop: DemoShop = self.app.state.shop
        self.url = ""
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="dojang-demo-shop", daemon=True)

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
        try:
            async with listening(self.app, self.options.host, self.options.port) as self.url:
                self._ready.set()
                await stop.wait()
        except ConfigError as error:
            where = f"{self.options.host}:{self.options.port}"
            raise ConfigError(
                f"the demo shop cannot listen on {where}: {error.__cause__ or error}"
            ) from error
