"""The shop: is told, and asked before money moves. Checks signatures on its own, and sometimes fails.

Some of its goods are sold out: whoever asks about such an order hears no, however often.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Arrival", "Asked", "Shop"]

_SOLD_OUT = 0.07


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery that came in.

    Attributes:
        delivery_id: Its `webhook-id`.
        type: What it tells.
        data: About which order, and how it stands.
        answered: The status the shop gave; 0 where it hung up.
        genuine: Whether the signature is ours.
    """

    delivery_id: str
    type: str
    data: dict[str, Any]
    answered: int
    genuine: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One question whether money may move.

    Attributes:
        order_id: For which order.
        receipt_id: By which receipt.
        approved: Whether the shop said yes, in the one way that means yes.
        genuine: Whether the signature is ours.
    """

    order_id: str
    receipt_id: str
    approved: bool
    genuine: bool


class Shop:
    """A shop in threads of this process.

    Args:
        secret: `whsec_…`, shared with the service.
        seed: Decides which attempts fail, and how.
        everywhere: Whether it is open at every address of this machine.
    """

    def __init__(self, secret: str, seed: int, *, everywhere: bool = False) -> None:
        self.arrivals: list[Arrival] = []
        self.asked: list[Asked] = []
        self.calm = False
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._seed = seed
        self._attempts: dict[str, int] = {}
        self._lock = threading.Lock()
        shop = self

        class Desk(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                shop._receive(self)

            def log_message(self, *_: object) -> None:
                pass

        class Door(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                # Whoever was killed in the middle of a request breaks its connection.
                pass

        self._server = Door(("0.0.0.0" if everywhere else "127.0.0.1", 0), Desk)
        self.port = self._server.server_address[1]
        at = f"http://127.0.0.1:{self.port}"
        self.url, self.approve_at = f"{at}/deliveries", f"{at}/approve"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Open no more."""
        self._server.shutdown()
        self._server.server_close()

    def _receive(self, desk: BaseHTTPRequestHandler) -> None:
        try:
            length = int(desk.headers.get("content-length", 0))
            body = desk.rfile.read(length)
        except OSError:
            return
        if len(body) < length:
            # Its sender died in the middle of it: nothing has arrived.
            desk.close_connection = True
            return
        delivery_id = desk.headers.get("webhook-id", "")
        signed = f"{delivery_id}.{desk.headers.get('webhook-timestamp', '')}.".encode() + body
        expected = "v1," + base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        genuine = expected in desk.headers.get("webhook-signature", "").split()
        try:
            said = json.loads(body)
        except ValueError:
            said = {"type": "unreadable", "data": {}}
        if desk.path == "/approve":
            status, words = self._word(said["data"], genuine=genuine)
        else:
            status, words = self._listen(delivery_id, said, genuine=genuine), b""
        if status == 0:
            desk.close_connection = True
            desk.connection.shutdown(socket.SHUT_RDWR)
            return
        desk.send_response(status)
        desk.send_header("content-length", str(len(words)))
        desk.end_headers()
        desk.wfile.write(words)

    def _listen(self, delivery_id: str, said: dict[str, Any], *, genuine: bool) -> int:
        answer, wait_s = self._mood(delivery_id)
        if wait_s:
            time.sleep(wait_s)
        with self._lock:
            # Noted before it is answered: the answer may find nobody alive.
            self.arrivals.append(Arrival(delivery_id, said["type"], said["data"], answer, genuine))
        return answer

    def _word(self, data: dict[str, Any], *, genuine: bool) -> tuple[int, bytes]:
        """Whether this order's money may move. What is not exactly yes is no: an error, a silence, a vague word."""
        order_id, receipt_id = str(data.get("order_id")), str(data.get("receipt_id"))
        with self._lock:
            attempt = self._attempts[receipt_id] = self._attempts.get(receipt_id, 0) + 1
        answers = [(200, b'{"approve": true}'), (500, b""), (0, b""), (200, b'{"approve": "yes"}')]
        failing = 0.0 if self.calm else 0.02
        rng = random.Random(f"{self._seed}:{receipt_id}:{attempt}")
        status, words = rng.choices(answers, [1 - 3 * failing, failing, failing, failing])[0]
        if random.Random(f"{self._seed}:{order_id}:stock").random() < _SOLD_OUT:
            status, words = 200, '{"approve": false, "reason": "품절"}'.encode()
        with self._lock:
            self.asked.append(Asked(order_id, receipt_id, (status, words) == answers[0], genuine))
        return status, words

    def _mood(self, delivery_id: str) -> tuple[int, float]:
        """How this attempt ends: an answer (0 hangs up) and how long it takes."""
        with self._lock:
            attempt = self._attempts[delivery_id] = self._attempts.get(delivery_id, 0) + 1
        if self.calm:
            return 200, 0.0
        dice = random.Random(f"{self._seed}:{delivery_id}:{attempt}").random()
        for share, answer, wait_s in (
            (0.04, 500, 0.0),
            (0.02, 0, 0.0),
            (0.01, 503, 0.3),
            (0.0005, 500, 16.0),
            (0.05, 200, 0.2),
        ):
            if dice < share:
                return answer, wait_s
            dice -= share
        return 200, 0.0
