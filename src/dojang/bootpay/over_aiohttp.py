"""Requests over aiohttp: one session of one event loop, every wait bounded, every failure a `Fault`."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable

import aiohttp
from yarl import URL

from dojang.bootpay.account import Address
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.faults import fault_words
from dojang.bootpay.tls import tls_context
from dojang.errors import ConfigError

__all__ = ["Session"]

# As in over_urllib3: an idle connection older than this is not trusted.
_IDLE_MAX_S = 45.0

# aiohttp raises these before it writes a request.
_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class Session:
    """The connections of one client to Bootpay, shared by the tasks of one event loop."""

    def __init__(
        self,
        address: Address,
        *,
        pool_size: int,
        max_response_bytes: int,
        ca_certs: str | None,
        clock: Callable[[], float],
    ) -> None:
        self._address = address
        self._pool_size = pool_size
        self._max_response_bytes = max_response_bytes
        self._ca_certs = ca_certs
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def transmit(self, step: Transmit) -> Answer | Fault:
        """Put one request on the wire and read its whole answer."""
        total_s, connect_s = step.connect_s + step.read_s, step.connect_s
        if step.deadline is not None:
            total_s = min(total_s, step.deadline - self._clock())
            if total_s <= 0:
                return Fault(left=False, words="the deadline is over", final=True)
            # A little earlier than the total, so that a connection that never comes about is known to be just that.
            connect_s = min(connect_s, total_s * 0.9)
        session = self._opened()
        try:
            async with session.request(
                step.method,
                URL(self._address.origin + step.target, encoded=True),
                headers=step.headers,
                data=step.body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=total_s, connect=connect_s, sock_read=step.read_s),
            ) as response:
                body = await self._read(response)
                if body is None:
                    response.close()  # the rest must not be waited for
                    words = f"the answer is longer than {self._max_response_bytes} bytes"
                    return Fault(left=True, words=words, final=True)
                return Answer(response.status, body)
        except _NEVER_LEFT as error:
            return Fault(left=False, words=f"no connection to {self._address.host}: {fault_words(error)}")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, http.client.HTTPException) as error:
            return Fault(left=True, words=fault_words(error))

    async def close(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        chunks: list[bytes] = []
        size = 0
        while chunk := await response.content.readany():
            size += len(chunk)
            if size > self._max_response_bytes:
                return None
            chunks.append(chunk)
        return b"".join(chunks)

    def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._pool_size,
                ssl=tls_context(self._ca_certs) if self._address.scheme == "https" else False,
                keepalive_timeout=_IDLE_MAX_S,
            )
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
            # aiohttp by itself repeats a PUT or DELETE once when a kept connection turns out to be dead. What may
            # be repeated is decided in conversation.py, and there alone (a test holds this).
            self._session._retry_connection = False
            self._loop = loop
        elif self._loop is not loop:
            raise ConfigError(
                "an AsyncBootpay belongs to the event loop that first used it: make one for each loop"
            )
        return self._session
