"""The shop that is told: checks signatures on its own, counts by `webhook-id`, and sometimes fails."""

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

__all__ = ["Arrival", "Shop"]


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


class Shop:
    """A shop in threads of this process.

    Args:
        secret: `whsec_…`, shared with the service.
        seed: Decides which attempts fail, and how.
    """

    def __init__(self, secret: str, seed: int) -> None:
        self.arrivals: list[Arrival] = []
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

        self._server = Door(("127.0.0.1", 0), Desk)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/deliveries"
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
        answer, wait_s = self._mood(delivery_id)
        if wait_s:
            time.sleep(wait_s)
        try:
            said = json.loads(body)
        except ValueError:
            said = {"type": "unreadable", "data": {}}
        with self._lock:
            # Noted before it is answered: the answer may find nobody alive.
            self.arrivals.append(Arrival(delivery_id, said["type"], said["data"], answer, genuine))
        if answer == 0:
            desk.close_connection = True
            desk.connection.shutdown(socket.SHUT_RDWR)
            return
        desk.send_response(answer)
        desk.send_header("content-length", "0")
        desk.end_headers()

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
