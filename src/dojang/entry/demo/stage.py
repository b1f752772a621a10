"""The stage: emulator, service and shop on loopback ports, in one process on one event loop.

What passes between them is real HTTP, signatures and webhooks included; only Bootpay is pretended. Orders are kept in
a SQLite file in a folder that ends with the demo.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dojang.core.rules import Mode, Rules
from dojang.emulator.api import create_app as create_emulator
from dojang.emulator.host import listening
from dojang.emulator.options import EmulatorOptions
from dojang.entry.asgi import free_port, serve_until
from dojang.entry.demo_shop import DemoShop, ShopOptions, create_shop
from dojang.entry.serving import open_service
from dojang.entry.settings import EMULATOR_KEY, Settings

__all__ = ["Ports", "Stage", "staged"]

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the three listen; 0 takes a free one."""

    service: int = 8400
    emulator: int = 8401
    shop: int = 8402


@dataclass(frozen=True, slots=True)
class Stage:
    """The three, listening.

    Attributes:
        service_url: dojang.
        emulator_url: The pretend Bootpay.
        shop_url: The shop.
        api_key: The shop's key for dojang.
        shop: The shop's books.
        store: The file orders are kept in.
    """

    service_url: str
    emulator_url: str
    shop_url: str
    api_key: str
    shop: DemoShop
    store: Path


@asynccontextmanager
async def staged(folder: Path, ports: Ports) -> AsyncIterator[Stage]:
    """Set the stage for as long as this lasts.

    Args:
        folder: Where the store may be.
        ports: Where to listen.

    Raises:
        ConfigError: If a port is taken.
    """
    # Each must know the others before it starts, so the ports are chosen first.
    at_service, at_emulator, at_shop = _ports(ports)
    service_url, emulator_url, shop_url = (
        f"http://{_HOST}:{port}" for port in (at_service, at_emulator, at_shop)
    )
    api_key = secrets.token_urlsafe(24)
    deliver_secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    store = folder / "demo.sqlite3"
    settings = Settings(
        mode=Mode.EMULATOR,
        rules=Rules(mode=Mode.EMULATOR),
        bootpay_url=emulator_url,
        client_key=EMULATOR_KEY,
        secret_key=EMULATOR_KEY,
        application_id=EMULATOR_KEY,
        private_key=EMULATOR_KEY,
        store=f"sqlite:///{store}",
        api_keys=(api_key,),
        deliver_to=f"{shop_url}/deliveries",
        deliver_secrets=(deliver_secret,),
    )
    emulator = create_emulator(EmulatorOptions(webhook_url=f"{service_url}/webhooks/bootpay"))
    shop = create_shop(
        ShopOptions(
            dojang_url=service_url, emulator_url=emulator_url, api_key=api_key, deliver_secret=deliver_secret
        )
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(emulator, _HOST, at_emulator))
        await stack.enter_async_context(listening(shop, _HOST, at_shop))
        await stack.enter_async_context(_service(settings, at_service))
        yield Stage(service_url, emulator_url, shop_url, api_key, shop.state.shop, store)


def _ports(ports: Ports) -> tuple[int, int, int]:
    return (
        free_port(_HOST, ports.service, "--port"),
        free_port(_HOST, ports.emulator, "--emulator-port"),
        free_port(_HOST, ports.shop, "--shop-port"),
    )


@asynccontextmanager
async def _service(settings: Settings, port: int) -> AsyncIterator[None]:
    stop, ready = asyncio.Event(), asyncio.Event()
    async with AsyncExitStack() as stack:
        app = await open_service(settings, stack)
        serving = asyncio.create_task(
            serve_until(stop, app, host=_HOST, port=port, ready=lambda _: ready.set())
        )
        listens = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait((serving, listens), return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
            yield
        finally:
            listens.cancel()
            stop.set()
            await serving
