"""A stand-in for AWS Secrets Manager: one secret, over TLS on loopback, given to whoever asks."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

__all__ = ["kept_elsewhere"]

_ARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:dojang-AbCdEf"


@contextmanager
def kept_elsewhere(secrets: Mapping[str, str], cert: Path) -> Iterator[dict[str, str]]:
    """The settings that name these secrets instead of holding them, as the template has it, and where to ask."""
    answer = json.dumps({"ARN": _ARN, "Name": "dojang", "SecretString": json.dumps(dict(secrets))}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # At once, as servers that mean to be quick do: else the kernel keeps the answer until what TLS said last is
        # acknowledged, 40 ms later.
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            """GetSecretValue."""
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Not a word."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield {f"{key}_ARN": f"{_ARN}#{key}" for key in secrets} | {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"https://localhost:{server.server_port}"
        }
        server.shutdown()
        thread.join()
