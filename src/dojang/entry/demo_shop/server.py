"""Running the shop in a thread, for as long as a demonstration or a test lasts."""

from __future__ import annotations

from dojang.emulator.background import Background
from dojang.entry.demo_shop.app import create_shop
from dojang.entry.demo_shop.options import ShopOptions
from dojang.entry.demo_shop.shop import DemoShop

__all__ = ["ShopServer"]


class ShopServer(Background):
    """A shop at `url`, inside a `with`; a taken address is a `ConfigError`.

    Args:
        options: How it runs; port 0 takes a free one.

    Attributes:
        url: Where it answers.
        shop: Its books.
    """

    def __init__(self, options: ShopOptions) -> None:
        super().__init__(create_shop(options), options.host, options.port, called="the demo shop")
        self.options = options
        self.shop: DemoShop = self.app.state.shop
