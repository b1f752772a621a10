"""The shop's side of `dojang serve`: takes signed deliveries at /dojang, counts each one once.

    DOJANG_DELIVER_SECRET=whsec_... python take_deliveries.py 9000

The signature is Standard Webhooks; in a project of your own `pip install standardwebhooks` does the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRETS = os.environ.get("DOJANG_DELIVER_SECRET", "").split()
SEEN: set[str] = set()  # in a real shop: a table with a unique id, written in the transaction that acts on it


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Whether one of our secrets signed exactly this, less than five minutes ago."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    given = [part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split()]
    content = f"{message_id}.{timestamp}.".encode() + body
    for secret in SECRETS:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(right.encode(), one.encode()) for one in given):
            return True
    return False


class Deliveries(BaseHTTPRequestHandler):
    """Answers dojang: 204 for a delivery, also when it has come before."""

    def do_POST(self) -> None:
        """Take one delivery."""
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(min(length, 65536))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path != "/dojang" or not is_signed(headers, body):
            self.send_response(401)
        else:
            if headers["webhook-id"] not in SEEN:
                SEEN.add(headers["webhook-id"])
                message = json.loads(body)
                print(message["type"], message["data"]["order_id"], message["data"]["state"], flush=True)
            self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing about each request."""


if __name__ == "__main__":
    if not SECRETS:
        raise SystemExit("set DOJANG_DELIVER_SECRET to the secret that dojang signs with")
    HTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9000), Deliveries).serve_forever()
