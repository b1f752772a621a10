"""Over TLS: the certificate and the name are checked, and what fails there never left."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from dojang.bootpay.call import Call
from dojang.bootpay.tls import shared_tls_context
from dojang.errors import ConfigError, InvalidValue, NotSent


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A certificate authority of our own, and its certificate as a file."""
    made = trustme.CA()
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path


@pytest.fixture
def tls_port(server: Any, authority: tuple[trustme.CA, Path]) -> int:
    """The scripted server behind TLS, under the name localhost."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority[0].issue_cert("localhost").configure_cert(context)
    server.tls = context
    return int(server.listener.getsockname()[1])


KEYS = {"client_key": "CK-1", "secret_key": "SK-1"}


def test_a_call_over_tls(
    caller: Any, server: Any, tls_port: int, authority: tuple[trustme.CA, Path], receipt_id: str
) -> None:
    """A trusted certificate for the right name: calls travel, over one kept connection."""
    caller.make(url=f"https://localhost:{tls_port}", ca_certs=str(authority[1]), **KEYS)
    for _ in range(3):
        assert receipt_id == caller.do("receipt", receipt_id).receipt_id
    caller.do("confirm", receipt_id)

    assert [1, 1, 1, 1] == [seen.connection for seen in server.seen]
    assert f"localhost:{tls_port}" == server.seen[0].headers["host"]


def test_an_untrusted_certificate_never_left(
    caller: Any, server: Any, tls_port: int, receipt_id: str
) -> None:
    """Nobody vouches for the server: no key reaches it."""
    caller.make(url=f"https://localhost:{tls_port}", retries=0, **KEYS)

    with pytest.raises(NotSent, match="certificate is not trusted"):
        caller.do("confirm", receipt_id)
    assert [] == server.seen


def test_a_certificate_for_another_name_never_left(
    caller: Any, server: Any, tls_port: int, authority: tuple[trustme.CA, Path], receipt_id: str
) -> None:
    """The certificate is good, but it is somebody else's."""
    caller.make(url=f"https://127.0.0.1:{tls_port}", ca_certs=str(authority[1]), retries=0, **KEYS)

    with pytest.raises(NotSent, match="certificate is not trusted"):
        caller.do("confirm", receipt_id)
    assert [] == server.seen


def test_no_tls_at_all_never_left(caller: Any, server: Any, receipt_id: str) -> None:
    """A server that does not speak TLS gets nothing to read but a greeting."""
    caller.make(url=server.url.replace("http:", "https:"), retries=0, connect_timeout_s=1, **KEYS)

    with pytest.raises(NotSent):
        caller.do("confirm", receipt_id)


def test_a_missing_ca_file_is_a_setting(caller: Any, receipt_id: str) -> None:
    """The sentence names the setting."""
    caller.make(url="https://localhost:1", ca_certs="/nonexistent.pem", **KEYS)

    with pytest.raises(ConfigError, match="ca_certs"):
        caller.do("receipt", receipt_id)


@pytest.mark.parametrize(
    "parts",
    [
        {"path": "receipt/a b"},
        {"path": "receipt/a\r\nX: y"},
        {"path": "receipt/é"},
        {"path": "receipt/a#b"},
        {"path": "x", "method": "GET / HTTP/1.1\r\nX:"},
        {"path": "x", "headers": {"X": "y\r\nZ: w"}},
        {"path": "x", "headers": {"X\r\nZ": "y"}},
        {"path": "x", "headers": {"X": "한글"}},
    ],
    ids=str,
)
def test_nothing_can_end_a_line(parts: dict[str, Any], basic: Any, server: Any) -> None:
    """A call that would write lines of its own into the request is refused before anything is sent."""
    call = Call(**{"method": "GET", "read": bytes, **parts})

    with pytest.raises(InvalidValue):
        basic.do("exchange", call)
    assert 0 == server.connections


def test_headers_of_one_call_win(basic: Any, server: Any) -> None:
    """A call may bring its own headers, in place of the client's."""
    call = Call(
        method="GET", path="x", read=bytes, headers={"Accept": "text/plain", "Bootpay-User-Token": "u"}
    )
    basic.do("exchange", call)

    assert ("text/plain", "u") == (
        server.seen[0].headers["accept"],
        server.seen[0].headers["bootpay-user-token"],
    )


def test_what_the_system_trusts_is_read_once(
    monkeypatch: pytest.MonkeyPatch, authority: tuple[trustme.CA, Path]
) -> None:
    """Clients share it, until the system is said to trust somebody else; none of them stops checking."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    first, again = shared_tls_context(), shared_tls_context()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))
    other = shared_tls_context()

    assert first is again
    assert other is not first
    assert [(ssl.CERT_REQUIRED, True)] * 2 == [
        (one.verify_mode, one.check_hostname) for one in (first, other)
    ]
