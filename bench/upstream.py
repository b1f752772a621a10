"""A Bootpay that costs next to nothing: the same paid receipt for every id, after a fixed delay, in its own process.

Receipt `000…n` (24 hexadecimal digits) belongs to order `o-n`, so that any number of orders can be paid.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import cast

import uvloop

_BODY = json.loads(
    (Path(__file__).parent.parent / "tests/samples/bootpay/v2_receipt_card_paid.json").read_text(
        encoding="utf-8"
    )
)
_BODY["sandbox"] = False
_HEAD, _MIDDLE, _TAIL = (
    json.dumps(_BODY | {"receipt_id": "\0", "order_id": "\0"}, ensure_ascii=False)
    .replace("\\u0000", "\0")
    .encode()
    .split(b"\0")
)


def receipt_id_of(number: int) -> str:
    """The receipt that pays for order `o-<number>`."""
    return f"{number:024x}"


class Upstream(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, as little of it as the clients need."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        # uvloop's transports keep the promises of asyncio.Transport without being any.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every complete request (GET, so none has a body)."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            request, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = request.split(b" ", 2)[1].partition(b"?")[0]
            answer = self._answer(path.rpartition(b"/")[2])
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _answer(self, receipt_id: bytes) -> bytes:
        body = _HEAD + receipt_id + _MIDDLE + b"o-%d" % int(receipt_id, 16) + _TAIL
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + body


async def _serve(delay_s: float, cert: str | None) -> None:
    context = None
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(delay_s), "127.0.0.1", 0, ssl=context, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--cert")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(arguments.delay_s, arguments.cert))
