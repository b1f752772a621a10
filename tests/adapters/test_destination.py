"""Where a POST may go, and that it goes nowhere else."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from dojang.adapters.destination import Answered, Destination, Unreachable
from dojang.errors import InvalidValue

from .shop_door import SILENCE, Door, Slowly, answer, opened

PRIVATE_WORDS = "DOJANG_ALLOW_PRIVATE_DESTINATIONS=true"
PUBLIC_WORDS = "use https://"
# Loopback has sixteen million addresses, and a door that is open everywhere is open at each.
EVERYWHERE = "0.0.0.0"
ANOTHER_NAME = "its certificate is not trusted: it is for another name"


@pytest.fixture
def door() -> Iterator[Door]:
    """A shop on loopback."""
    with opened() as door:
        yield door


class Names:
    """Resolves made-up names to the addresses told, one list per question, the last one for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.known: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve)

    def _resolve(self, host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in self.known:
            return self._real(host, port, *args, **kwargs)
        self.asked.append(host)
        answers = self.known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in addresses
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A resolver of our own; real addresses are resolved as ever."""
    return Names(monkeypatch)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every address a connection is tried to; none is made."""
    tried: list[str] = []

    def refuse(_: socket.socket, address: tuple[Any, ...]) -> None:
        tried.append(str(address[0]))
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


def post(destination: Destination, body: bytes = b"{}", within_s: float = 5) -> Answered | Unreachable:
    """Post once."""
    return destination.post(body, {"webhook-id": "m-1"}, within_s)


def words(result: Answered | Unreachable | None) -> str:
    """Why nothing was reached."""
    assert isinstance(result, Unreachable)
    return result.words


NOT_PUBLIC = [
    "10.0.0.1",
    "172.16.5.4",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "127.0.0.1",
    "::1",
    "fd00::1",
    "fe80::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "2002:a00:1::1",
    "2001:db8::1",
    "192.0.2.1",
    "240.0.0.1",
    "168.63.129.16",
    "fec0::1",
    "::10.0.0.1",
    "::ffff:0:a00:1",
    "64:ff9b:1::a00:1",
    "2606:4700::5efe:a00:1",
    "2606:4700::200:5efe:a00:1",
]
NOBODYS = ["0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1"]
NOBODYS += ["0.1.2.3", "255.255.255.255", "100::1", "2001::1", "2001:10::1", "2002:808:808::1", "5f00::1"]
NOBODYS += ["::8.8.8.8", "::ffff:0:8.8.8.8", "2606:4700::5efe:808:808"]
PUBLIC = ["93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NOT_PUBLIC + NOBODYS)
def test_a_name_of_the_inner_network_is_not_reached(
    address: str, names: Names, connections: list[str]
) -> None:
    """Private, loopback, link-local, multicast and nobody's, in every way to write them: not even a connection."""
    names.known["shop.example"] = [[address]]
    for scheme in ("https", "http"):
        assert PRIVATE_WORDS in words(post(Destination(f"{scheme}://shop.example/d")))

    assert [] == connections


ODDLY = ["127.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "0177.0.0.1", "localhost"]
ODDLY += ["LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]"]
ODDLY += ["127。0。0。1", "①②⑦.0.0.1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ"]


@pytest.mark.parametrize("host", ODDLY)
def test_an_address_written_oddly_is_known(host: str, connections: list[str]) -> None:
    """The resolver knows them, and what it says is judged; circled digits and wide dots are digits and dots."""
    assert PRIVATE_WORDS in words(post(Destination(f"https://{host}/d")))
    assert [] == connections


@pytest.mark.parametrize("host", ["127.0.0.1.", "localhost.", "0.0.0.0.", "10.0.0.1."])
def test_a_final_dot_opens_no_door(host: str, connections: list[str]) -> None:
    """Some resolvers know them and some do not."""
    assert isinstance(post(Destination(f"https://{host}/d")), Unreachable)
    assert [] == connections


UNCLEAR = [
    "",
    "https://",
    "https:///d",
    "https://:443/d",
    "https://:@/d",
    "//shop.example/d",
    "shop.example/d",
]
UNCLEAR += ["ftp://shop.example/d", "file:///etc/passwd", "gopher://10.0.0.1/", "https:shop.example/d"]
UNCLEAR += ["https://user@shop.example/d", "https://user:pw@shop.example/d", "https://:pw@shop.example/d"]
UNCLEAR += ["https://@shop.example/d", "https://shop.example@10.0.0.1/d", "https://shop.example\\@10.0.0.1/d"]
UNCLEAR += ["https://10.0.0.1\\.shop.example/d", "https://127%2e0.0.1/d", "https://shop.example%00.x/d"]
UNCLEAR += ["https://[fe80::1%eth0]/d", "https://[fe80::1%25eth0]/d", "https://[::1", "https://[127.0.0.1]/d"]
UNCLEAR += ["https://shop.example:0/d", "https://shop.example:/d", "https://shop.example:x/d"]
UNCLEAR += ["https://shop.example:65536/d", "https://shop.example:-1/d", "https://shop.example:4_43/d"]
UNCLEAR += ["https://shop.example:٤٤٣/d", "https://shop .example/d", "https://shop.example/d e"]
UNCLEAR += ["https://shop.exa\nmple/d", "https://shop.example/\r\nX: y", "https://shop.example/\td"]
UNCLEAR += ["https://shop.example\u2028/d", "https://shop.example\N{FULLWIDTH COMMERCIAL AT}10.0.0.1/d"]
UNCLEAR += [
    "https://shop,example/d",
    "https://shop.example;x/d",
    "https://\N{EN SPACE}/d",
    "https://a℀b.example/",
]


@pytest.mark.parametrize("url", UNCLEAR)
def test_a_url_that_is_read_differently_elsewhere_is_refused(url: str) -> None:
    """Users, zones, escapes and blanks before the path, ports that are none, other schemes, no host at all."""
    with pytest.raises(InvalidValue, match="address") as refused:
        Destination(url)

    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://shop.example:1/d", "https://shop.example:65535/d?a=b#c"])
def test_any_port_may_be_the_shops(url: str, names: Names, connections: list[str]) -> None:
    """TLS is spoken on all of them, so nothing else that listens there understands a word."""
    names.known["shop.example"] = [["93.184.215.14"]]
    post(Destination(url))

    assert ["93.184.215.14"] == connections


@pytest.mark.parametrize("address", NOBODYS)
def test_no_permission_reaches_nobody(address: str, names: Names, connections: list[str]) -> None:
    """0.0.0.0 would be this machine, multicast everybody, and a tunnel leads who knows where."""
    names.known["shop.example"] = [[address]]
    for scheme in ("https", "http"):
        said = words(post(Destination(f"{scheme}://shop.example/d", allow_private=True)))

        # The permission is there already: asking for it again would lead nowhere.
        assert ("no permission covers" in said, PRIVATE_WORDS in said) == (True, False)
    assert [] == connections


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_with_permission_the_inner_network_is_reached(
    address: str, scheme: str, names: Names, connections: list[str]
) -> None:
    """allow_private covers loopback too, over http as well."""
    names.known["shop.example"] = [[address]]
    post(Destination(f"{scheme}://shop.example/d", allow_private=True))

    assert [address] == connections


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_loopback_permission_is_for_loopback_alone(
    address: str, scheme: str, names: Names, connections: list[str]
) -> None:
    """The emulator's shop is on this machine; the machine next to it is not meant."""
    names.known["shop.example"] = [[address]]
    post(Destination(f"{scheme}://shop.example/d", allow_loopback=True))

    loopback = {"127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"}

    assert ([address] if address in loopback else []) == connections


@pytest.mark.parametrize("permission", [{}, {"allow_loopback": True}, {"allow_private": True}])
@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reached_over_https_alone(
    address: str, permission: dict[str, bool], names: Names, connections: list[str]
) -> None:
    """Plain http would show order, price and signature to everybody on the way; no permission changes that."""
    names.known["shop.example"] = [[address]]
    post(Destination("https://shop.example/d", **permission))
    refused = words(post(Destination("http://shop.example/d", **permission)))

    assert PUBLIC_WORDS in refused
    assert [address] == connections


@pytest.mark.parametrize(
    ("addresses", "permission", "said"),
    [
        (["93.184.215.14", "10.0.0.1"], {}, PRIVATE_WORDS),
        (["10.0.0.1", "93.184.215.14"], {}, PRIVATE_WORDS),
        (["127.0.0.1", "10.0.0.1"], {"allow_loopback": True}, PRIVATE_WORDS),
        (["10.0.0.1", "93.184.215.14"], {"allow_private": True}, PUBLIC_WORDS),
        (["93.184.215.14", "10.0.0.1"], {"allow_private": True}, PUBLIC_WORDS),
    ],
)
def test_one_forbidden_address_forbids_the_name(
    addresses: list[str], permission: dict[str, bool], said: str, names: Names, connections: list[str]
) -> None:
    """Whoever names several must mean what all of them are."""
    names.known["shop.example"] = [addresses]

    scheme = "http" if said == PUBLIC_WORDS else "https"

    assert said in words(post(Destination(f"{scheme}://shop.example/d", **permission)))
    assert [] == connections


def test_the_connection_goes_to_the_address_that_was_judged(names: Names, connections: list[str]) -> None:
    """A name that answers differently a moment later (DNS rebinding) is asked once per post."""
    names.known["shop.example"] = [["93.184.215.14"], ["127.0.0.1"]]
    destination = Destination("https://shop.example/d")
    post(destination)

    assert (["93.184.215.14"], ["shop.example"]) == (connections, names.asked)
    assert PRIVATE_WORDS in words(post(destination))
    assert ["93.184.215.14"] == connections


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a..b", "x" * 80 + ".example"])
def test_a_name_without_address_is_a_sentence(host: str) -> None:
    """What cannot be a name is no exception either."""
    assert f"{host} has no address: the name was not found" == words(post(Destination(f"https://{host}/d")))


def test_what_is_sent(door: Door, names: Names) -> None:
    """Path and query, the name as Host, JSON, our headers and the very bytes."""
    names.known["shop.localhost"] = [["127.0.0.1"]]
    destination = Destination(f"http://shop.localhost:{door.port}/a/b?c=%20d", allow_loopback=True)
    door.script = [answer(201, b"thanks")]
    result = post(destination, '{"주문":1}'.encode())

    assert Answered(201, b"thanks") == result
    assert "POST /a/b?c=%20d HTTP/1.1" == door.heads[0].split("\r\n")[0]
    assert '{"주문":1}'.encode() == door.bodies[0]
    assert (f"shop.localhost:{door.port}", "application/json", "m-1") == tuple(
        door.headers()[name] for name in ("host", "content-type", "webhook-id")
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://shop.example", "shop.example"),
        ("https://[2606:4700::1111]:8443/", "[2606:4700::1111]:8443"),
        ("https://도장.한국/d", "xn--hq1b009a.xn--3e0b707e"),
    ],
)
def test_hosts_are_written_as_headers_need_them(url: str, host: str) -> None:
    """IPv6 in brackets, Korean names in ASCII."""
    assert host == Destination(url)._host_header


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, door: Door) -> None:
    """It may lead into the inner network, and the signed body with it."""
    with opened() as inner:
        door.script = [answer(status, b"", f"Location: {inner.url}")]
        result = post(Destination(door.url, allow_loopback=True))

        assert Answered(status, b"") == result
        assert (0, 1) == (inner.connections, len(door.heads))


def test_silence_ends_in_time(door: Door) -> None:
    """No answer within what the caller can wait is no answer."""
    door.script = [SILENCE]

    assert "no answer within 0.05 s" == words(post(Destination(door.url, allow_loopback=True), within_s=0.05))


def trickle(at_once: int, body: bytes = b"x" * 60, *more: str) -> Slowly:
    """An answer that takes more than a second, every byte of it well in time."""
    slowly = Slowly(answer(200, body, *more))
    slowly.at_once = at_once
    return slowly


@pytest.mark.parametrize("at_once", [0, len(answer(200, b"x" * 60)) - 60])
def test_an_answer_that_trickles_in_ends_in_time(at_once: int, door: Door) -> None:
    """The time is for head and body as a whole, not for each byte: a slow receiver holds nobody for long."""
    door.script = [trickle(at_once)]

    assert "no answer within 0.3 s" == words(post(Destination(door.url, allow_loopback=True), within_s=0.3))


def test_a_slow_answer_that_comes_in_time_is_read_to_its_end(door: Door) -> None:
    """Slow is no fault, nor is a connection that ends with its answer."""
    door.script = [trickle(0, b"thanks", "Connection: close")]

    assert Answered(200, b"thanks") == post(Destination(door.url, allow_loopback=True), within_s=30)


def test_a_name_that_takes_all_the_time_is_no_answer(names: Names, connections: list[str]) -> None:
    """Finding the address counts too: nothing is begun that nobody waits for."""
    names.known["shop.example"] = [["93.184.215.14"]]

    assert "took too long" in words(post(Destination("https://shop.example/d"), within_s=0))
    assert [] == connections


def test_a_resolver_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, connections: list[str]
) -> None:
    """The system's search for an address knows no time-out: the caller's holds, and so many may hang at most."""
    let_go, asked, times = threading.Event(), threading.Semaphore(0), []

    def hang(host: str, *_: object, **__: object) -> list[Any]:
        times.append(host)
        asked.release()
        let_go.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    destination = Destination("https://shop.example/d")
    said = {words(post(destination, within_s=0.01)) for _ in range(70)}
    begun = [asked.acquire(timeout=30) for _ in range(64)]
    let_go.set()

    assert {"the address of shop.example took too long to find"} == said
    assert (True, 64, []) == (all(begun), len(times), connections)


def test_trying_a_destination_does_not_wait_for_a_resolver_that_hangs(
    monkeypatch: pytest.MonkeyPatch, connections: list[str]
) -> None:
    """Whoever only looks is told in time as well."""
    let_go = threading.Event()

    def hang(*_: object, **__: object) -> list[Any]:
        let_go.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    said = Destination("https://shop.example/d").reached(0.01)
    let_go.set()

    assert "the address of shop.example took too long to find" == words(said)
    assert [] == connections


CUT_OFF = "the connection ended before a whole answer came, or the answer was no HTTP"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (None, CUT_OFF),
        (b"SSH-2.0-x\r\n", CUT_OFF),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "no answer within 0.2 s"),
    ],
)
def test_garbage_is_no_answer(said: bytes | None, told: str, door: Door) -> None:
    """Closed at once, not HTTP, or cut off."""
    door.script = [said]
    if said is not None:
        # Whoever speaks garbage hangs up afterwards.
        door.script = [said + b"\r\n" if said.startswith(b"SSH") else said, None]

    assert told == words(post(Destination(door.url, allow_loopback=True), within_s=0.2))


def test_a_closed_port_is_no_answer() -> None:
    """Nobody is at home."""
    with opened() as door:
        url = door.url

    assert "the connection was refused" == words(post(Destination(url, allow_loopback=True)))


def test_a_name_is_all_that_is_told_of_an_address() -> None:
    """A path or query may hold a secret of the shop's, so whoever logs is given the host alone."""
    assert "shop.example" == Destination("https://shop.example:8443/hook/s3cret?token=s3cret").host


def test_a_host_that_takes_no_connection_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets that nobody answers, and a network that leads nowhere."""
    told = []
    for failure in (TimeoutError(), OSError(101, "Network is unreachable")):

        def fail(_: socket.socket, __: object, failure: OSError = failure) -> None:
            raise failure

        monkeypatch.setattr(socket.socket, "connect", fail)
        told.append(words(post(Destination("https://127.0.0.1/d", allow_loopback=True))))

    assert ["no connection was made in time", "no connection could be made"] == told


def test_an_endless_answer_is_cut_and_does_not_spoil_the_next(door: Door) -> None:
    """What is left unread must never be read as the answer to something else."""
    door.script = [answer(200, b"x" * 1_000_000), answer(200, b"second")]
    destination = Destination(door.url, allow_loopback=True)

    assert Answered(200, b"x" * 65_536) == post(destination)
    assert Answered(200, b"second") == post(destination)


def test_an_endless_answer_is_hung_up_on(door: Door) -> None:
    """Nobody will read the rest: the shop need not keep it ready."""
    door.script = [answer(200, b"x" * 1_000_000)]
    destination = Destination(door.url, allow_loopback=True)
    post(destination)

    assert door.left.wait(5)


def test_connections_are_kept(door: Door) -> None:
    """One connection for many deliveries."""
    destination = Destination(door.url, allow_loopback=True)
    for _ in range(3):
        assert Answered(200, b"") == post(destination)

    assert 1 == door.connections


def test_an_address_that_changes_leaves_no_connections_behind(names: Names) -> None:
    """A shop behind a load balancer moves on for years: the addresses it has left are let go of."""
    with opened(at=EVERYWHERE) as door:
        names.known["shop.example"] = [[f"127.0.1.{number}"] for number in range(1, 61)]
        destination = Destination(f"http://shop.example:{door.port}/d", allow_loopback=True)
        before = len(os.listdir("/proc/self/fd"))
        said = {post(destination) for _ in range(60)}
        after = len(os.listdir("/proc/self/fd"))

    assert {Answered(200, b"")} == said
    # Each connection has two ends here, and the door closes its own a moment later.
    assert after - before < 40


def test_a_few_addresses_in_turn_keep_their_connections(names: Names) -> None:
    """A name that answers with another of its addresses each time is not greeted anew each time."""
    with opened(at=EVERYWHERE) as door:
        names.known["shop.example"] = [[f"127.0.1.{number % 3 + 1}"] for number in range(12)]
        destination = Destination(f"http://shop.example:{door.port}/d", allow_loopback=True)
        for _ in range(12):
            post(destination)

        assert 3 == door.connections


@pytest.mark.parametrize(
    ("asked", "connections", "why"),
    [
        ((1, 2, 3, 4, 1, 2, 3, 4), 4, "four addresses are kept"),
        ((1, 2, 3, 4, 5, 1), 6, "and no fifth: the first had been let go of"),
        ((1, 2, 3, 4, 1, 5, 1), 5, "the second went, which nobody had used for longest"),
    ],
)
def test_of_five_addresses_the_one_unused_for_longest_is_let_go_of(
    names: Names, asked: tuple[int, ...], connections: int, why: str
) -> None:
    """However long ago an address was first seen: one that is in use keeps its connection."""
    with opened(at=EVERYWHERE) as door:
        names.known["shop.example"] = [[f"127.0.1.{number}"] for number in asked]
        destination = Destination(f"http://shop.example:{door.port}/d", allow_loopback=True)
        for _ in asked:
            post(destination)

        assert connections == door.connections, why


def test_an_address_is_let_go_of_only_after_its_answer(names: Names) -> None:
    """Somebody may still be waiting there while others move on: what is under way ends as it would."""
    with opened(at=EVERYWHERE) as door:
        names.known["shop.example"] = [[f"127.0.1.{number}"] for number in range(1, 11)]
        destination = Destination(f"http://shop.example:{door.port}/d", allow_loopback=True)
        others: list[Answered | Unreachable] = []

        def meanwhile() -> bytes:
            others.extend(post(destination) for _ in range(9))
            return answer(200, b"late")

        door.script = [meanwhile, answer(200)]

        assert Answered(200, b"late") == post(destination)
        assert [Answered(200, b"")] * 9 == others


@pytest.fixture
def tls_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """A shop behind TLS whose certificate is for shop.example, from an authority this machine trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("shop.example").configure_cert(context)
    with opened(context) as door:
        yield door


def test_the_certificate_must_be_the_names(tls_door: Door, names: Names) -> None:
    """The connection is to an address, but it is the name that the certificate is held against."""
    names.known |= {"shop.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]}
    right, wrong, address = (
        post(Destination(f"https://{host}:{tls_door.port}/d", allow_loopback=True))
        for host in ("shop.example", "other.example", "127.0.0.1")
    )

    assert Answered(200, b"") == right
    assert (ANOTHER_NAME, ANOTHER_NAME) == (words(wrong), words(address))
    assert 1 == len(tls_door.heads)


def test_the_name_is_told_before_the_certificate_is_shown(tls_door: Door, names: Names) -> None:
    """Many shops share an address: without the name in the greeting (SNI) the wrong one's certificate would come."""
    told: list[str | None] = []
    assert tls_door.tls is not None
    tls_door.tls.sni_callback = lambda _, name, __: told.append(name)
    names.known |= {"shop.example": [["127.0.0.1"]], "shop.example.": [["127.0.0.1"]]}
    for host in ("shop.example", "shop.example."):
        post(Destination(f"https://{host}:{tls_door.port}/d", allow_loopback=True))

    assert ["shop.example", "shop.example"] == told


def test_an_answer_under_tls_that_trickles_in_ends_in_time(tls_door: Door, names: Names) -> None:
    """TLS changes nothing about who waits how long."""
    names.known["shop.example"] = [["127.0.0.1"]]
    tls_door.script = [trickle(0)]
    url = f"https://shop.example:{tls_door.port}/d"

    assert "no answer within 0.5 s" == words(post(Destination(url, allow_loopback=True), within_s=0.5))


def test_a_final_dot_does_not_hide_the_certificates_name(tls_door: Door, names: Names) -> None:
    """`shop.example.` is the same name, and no certificate is written with the dot."""
    names.known |= {"shop.example.": [["127.0.0.1"]], "other.example.": [["127.0.0.1"]]}
    right, wrong = (
        post(Destination(f"https://{host}.:{tls_door.port}/d", allow_loopback=True))
        for host in ("shop.example", "other.example")
    )

    assert (Answered(200, b""), ANOTHER_NAME) == (right, words(wrong))


def test_an_untrusted_certificate_is_not_spoken_to(
    tls_door: Door, names: Names, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The right name from the wrong authority."""
    names.known["shop.example"] = [["127.0.0.1"]]
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "another.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "another.pem"))

    assert "its certificate is not trusted: unable to get local issuer certificate" == words(
        post(Destination(f"https://shop.example:{tls_door.port}/d", allow_loopback=True))
    )
    assert [] == tls_door.heads


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connecting_may_take_a_third_of_the_time_and_three_seconds_at_most(
    names: Names, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A shop whose packets vanish leaves time to say so, and one that is slow to greet has as much again."""
    names.known["shop.example"] = [["10.1.2.3"]]
    allowed: list[float] = []

    def note(sock: socket.socket, _: object) -> None:
        allowed.append(sock.gettimeout() or float("inf"))
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", note)
    destination = Destination(f"{scheme}://shop.example/d", allow_private=True)
    for within_s in (6, 60):
        post(destination, within_s=within_s)

    short, long = allowed

    assert 0 < short <= 2
    assert 3 == long


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_trying_a_destination_takes_no_longer_than_allowed(
    names: Names, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A shop whose packets vanish is given up when the time is over, not when the system gives up."""
    names.known["shop.example"] = [["10.1.2.3"]]
    allowed: list[float | None] = []

    def note(sock: socket.socket, _: object) -> None:
        allowed.append(sock.gettimeout())
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", note)
    Destination(f"{scheme}://shop.example/d", allow_private=True).reached(2)

    (allowed_s,) = allowed
    assert allowed_s is not None
    assert 1 < allowed_s <= 2


def test_another_address_of_the_name_is_tried_where_one_refuses(door: Door, names: Names) -> None:
    """Localhost has two, and many a shop listens on one: nothing was sent to the other, so nothing is repeated."""
    door.script = [answer(204)]
    names.known["shop.example"] = [["::1", "127.0.0.1"]]
    destination = Destination(f"http://shop.example:{door.port}/d", allow_private=True)
    result = post(destination)
    tried = destination.reached(2)

    assert isinstance(result, Answered)
    assert (204, None, 1) == (result.status, tried, len(door.bodies))
    assert ["shop.example", "shop.example"] == names.asked


def test_a_name_is_refused_for_one_address_that_is_not_allowed(names: Names, connections: list[str]) -> None:
    """Wherever it stands among them."""
    names.known["shop.example"] = [["93.184.216.34", "10.0.0.1"]]
    result = post(Destination("https://shop.example/d"))

    assert "private address" in words(result)
    assert [] == connections


def test_a_head_that_makes_no_sense_brings_no_address_into_the_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands behind the host may be a secret of the shop's, and so may what it answers."""
    door.script = [b"HTTP/1.1 200 OK\r\nno header\r\nA: answered\r\nContent-Length: 0\r\n\r\n"]
    caplog.set_level(logging.WARNING)
    post(Destination(f"http://127.0.0.1:{door.port}/SECRET?token=SECRET", allow_private=True))

    assert 1 == len(door.bodies)
    assert "" == caplog.text


def test_a_destination_is_tried_without_a_post(tls_door: Door, names: Names) -> None:
    """Resolved, judged, connected, greeted, and hung up: whoever only looks tells the shop nothing."""
    names.known |= {"shop.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]}
    with opened() as plain:
        gone = plain.url
        tried = [
            Destination(url, allow_loopback=allowed).reached(5)
            for url, allowed in (
                (plain.url, True),
                (f"https://shop.example:{tls_door.port}/d", True),
                (f"https://other.example:{tls_door.port}/d", True),
                (f"https://shop.example:{tls_door.port}/d", False),
                ("https://no-such-name.invalid/d", False),
            )
        ]
    closed = Destination(gone, allow_loopback=True).reached(5)

    assert [None, None] == tried[:2]
    assert ANOTHER_NAME == words(tried[2])
    assert PRIVATE_WORDS in words(tried[3])
    assert "no-such-name.invalid has no address: the name was not found" == words(tried[4])
    assert "the connection was refused" == words(closed)
    assert ([], []) == (plain.heads, tls_door.heads)
