"""Asking dojang: the three calls a shop needs, with the key that never leaves the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

__all__ = ["Answer", "Service"]

_ANSWER_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What dojang said; status 0 when it could not be reached."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    retry_after_s: float = 2.0


class Service:
    """dojang over HTTP, for as long as the `async with` lasts.

    Args:
        url: Where dojang answers.
        api_key: One of its keys.
    """

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Service:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def register(self, order_id: str, price: int, name: str, metadata: Mapping[str, str]) -> Answer:
        """Tell dojang what an order must cost, before anybody can pay for it."""
        terms = {"order_id": order_id, "price": price, "name": name, "metadata": metadata}
        return await self._ask("POST", "/v1/orders", terms, key=True)

    async def verify(self, order_id: str, receipt_id: str) -> Answer:
        """Ask whether a receipt pays for an order."""
        return await self._ask(
            "POST", f"/v1/orders/{quote(order_id, safe='')}/verify", {"receipt_id": receipt_id}
        )

    async def state(self, order_id: str) -> Answer:
        """Ask where an order stands."""
        return await self._ask("GET", f"/v1/orders/{quote(order_id, safe='')}/state")

    async def _ask(self, method: str, path: str, body: object = None, *, key: bool = False) -> Answer:
        assert self._session is not None, "the service is used inside its `async with`"
        headers = {"Authorization": f"Bearer {self._api_key}"} if key else {}
        try:
            async with self._session.request(
                method, self._url + path, json=body, headers=headers, allow_redirects=False
            ) as response:
                said = msgspec.json.decode(await response.content.read(_ANSWER_MAX))
                wait = response.headers.get("Retry-After", "")
                return Answer(
                    response.status,
                    said if isinstance(said, dict) else {},
                    float(wait) if wait.isdecimal() else 2.0,
                )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            # Also what is no JSON: whatever answered there is not dojang.
            return Answer(0)
