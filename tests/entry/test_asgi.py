"""The door for an ASGI server: bodies with limits, addresses, start and end, and the real server around it."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any

import granian.http
import pytest

from dojang.adapters.clock import SystemClock, sleep_on_loop
from dojang.adapters.memory import MemoryBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.drive import inline
from dojang.entry import asgi
from dojang.entry.asgi import Application, create_app, free_port, keep_running, serve_until
from dojang.entry.serving import FINISH_WITHIN_S
from dojang.errors import ConfigError
from dojang.ports import World
from dojang.web.http import Request, Response
from dojang.web.routes import Api, WebOptions

KEY = "shop-key-0123456789abcdef"
RECEIPT = "5fffab350c20b903e88a2cff"
Message = dict[str, Any]


class Bootpay:
    """Every receipt is paid for order o1, as soon as the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def look_up(self, receipt_id: Any, within_s: float, /) -> Receipt:
        """A paid one."""
        self.asked.set()
        await self.gate.wait()
        return Receipt(
            id=receipt_id,
            order_id="o1",
            status=ReceiptStatus.PAID,
            price=3000,
            purchased_at=datetime(2026, 11, 23, tzinfo=UTC),
        )


def _api(bootpay: Bootpay | None = None, **options: Any) -> Api:
    world = World(
        store=AwaitedStore(MemoryBackend(), inline),
        gateway=bootpay or Bootpay(),  # type: ignore[arg-type]  # the two other calls are never made
        clock=SystemClock(sleep_on_loop),
    )
    return Api(world, WebOptions(api_keys=(KEY,), **options))


class Echo(Api):
    """Tells which request arrived."""

    def __init__(self) -> None:
        self.seen: list[Request] = []

    @property
    def body_max(self) -> int:
        """Ten bytes."""
        return 10

    async def handle(self, request: Request) -> Response:
        """Remember it."""
        self.seen.append(request)
        return Response(200, b"", {})


def _scope(path: str = "/", method: str = "POST", **more: Any) -> Message:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "client": ("198.51.100.7", 1234),
    } | more


async def _ask(app: Application, scope: Message, *messages: Message) -> tuple[list[Message], int]:
    """Send a request part by part; what came back, and how many parts were read."""
    parts = list(messages) or [{"type": "http.request", "body": b""}]
    read, sent = 0, []

    async def receive() -> Message:
        nonlocal read
        if read == len(parts):
            await asyncio.Event().wait()
        read += 1
        return parts[read - 1]

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    return sent, read


def _part(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_request_arrives_as_it_was_sent() -> None:
    """Method, undecoded path and query, headers joined, body put together."""
    echo = Echo()
    scope = _scope(
        "/v1/a%2Fb",
        query_string=b"state=paid&x=%41",
        headers=[(b"x-forwarded-for", b"1.1.1.1"), (b"host", b"h"), (b"x-forwarded-for", b"2.2.2.2")],
    )
    asyncio.run(_ask(create_app(echo), scope, _part(b"ab"), _part(b""), _part(b"cd", more=False)))

    assert [
        Request(
            "POST",
            "/v1/a%2Fb",
            "state=paid&x=%41",
            {"x-forwarded-for": "1.1.1.1,2.2.2.2", "host": "h"},
            b"abcd",
            "198.51.100.7",
        )
    ] == echo.seen


def test_reading_stops_as_soon_as_the_body_is_too_large() -> None:
    """Of an endless body no more is read than shows that it is one."""
    echo = Echo()
    _, read = asyncio.run(_ask(create_app(echo), _scope(), *[_part(b"1234") for _ in range(1000)]))

    assert (3, 12) == (read, len(echo.seen[0].body))


@pytest.mark.parametrize("length", [b"11", b"9" * 40])
def test_a_claimed_length_above_the_limit_is_not_read_at_all(length: bytes) -> None:
    """The header is enough."""
    echo = Echo()
    _, read = asyncio.run(
        _ask(create_app(echo), _scope(headers=[(b"content-length", length)]), _part(b"x", more=False))
    )

    assert (0, b"") == (read, echo.seen[0].body)


def test_a_caller_that_leaves_is_forgotten() -> None:
    """Half a body is no request."""
    echo = Echo()
    sent, _ = asyncio.run(_ask(create_app(echo), _scope(), _part(b"ab"), {"type": "http.disconnect"}))

    assert ([], []) == (sent, echo.seen)


def test_a_body_that_does_not_come_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow sender does not hold a place for ever, and nothing is done."""
    monkeypatch.setattr("dojang.entry.asgi._BODY_WITHIN_S", 0.01)
    echo = Echo()
    sent, _ = asyncio.run(_ask(create_app(echo), _scope(), _part(b"ab")))

    assert (408, []) == (sent[0]["status"], echo.seen)


def test_the_proxys_word_counts_only_if_the_proxy_is_ours() -> None:
    """The right-most untrusted hop, not what a stranger wrote."""
    echo = Echo()
    forwarded = [(b"x-forwarded-for", b"223.130.82.5, 203.0.113.5")]

    async def story() -> None:
        app = create_app(echo, trusted_proxies=["10.0.0.0/8"])
        await _ask(app, _scope(headers=forwarded))
        await _ask(app, _scope(headers=forwarded, client=("10.0.0.1", 1)))
        await _ask(app, _scope(headers=forwarded, client=None))

    asyncio.run(story())

    assert ["198.51.100.7", "203.0.113.5", None] == [request.source for request in echo.seen]


def test_a_proxy_that_nobody_named_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """All its callers are one sender, whom a burst of webhooks throttles; the setting is named, no address is."""
    forwarded = [(b"x-forwarded-for", b"223.130.82.5")]

    async def story() -> list[int]:
        app = create_app(Echo(), trusted_proxies=["10.0.0.0/8"])
        warnings = []
        for more in (
            {"headers": [], "client": ("192.168.0.2", 1)},
            {"headers": forwarded, "client": ("10.0.0.1", 1)},
            {"headers": forwarded, "client": None},
            {"headers": forwarded, "client": ("192.168.0.2", 1)},
            {"headers": forwarded, "client": ("192.168.0.2", 1)},
        ):
            await _ask(app, _scope(**more))
            warnings.append(caplog.text.count("DOJANG_TRUSTED_PROXIES에"))
        return warnings

    assert [0, 0, 0, 1, 1] == asyncio.run(story())
    assert "192.168.0.2" not in caplog.text
    assert "223.130.82.5" not in caplog.text


def test_the_access_log_holds_neither_query_nor_headers_nor_body(caplog: pytest.LogCaptureFixture) -> None:
    """Method, path as it was sent (no line can be forged), status."""
    caplog.set_level(logging.INFO, "dojang.access")
    scope = _scope(
        "/v1/orders/a%0Ab", query_string=b"key=secret", headers=[(b"authorization", b"Bearer secret")]
    )
    asyncio.run(_ask(create_app(_api()), scope, _part(b"secret", more=False)))

    assert ["POST /v1/orders/a%0Ab 405"] == [record.getMessage() for record in caplog.records]


def test_a_websocket_is_turned_away() -> None:
    """There is none here."""
    sent, _ = asyncio.run(
        _ask(create_app(_api()), _scope("/v1/orders", type="websocket"), {"type": "websocket.connect"})
    )

    assert ["websocket.close"] == [message["type"] for message in sent]


# Start and end


@asynccontextmanager
async def _running(app: Application) -> AsyncIterator[list[str]]:
    """Between lifespan's start and end."""
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    heard: list[str] = []
    started = asyncio.Event()

    async def send(message: Message) -> None:
        heard.append(message["type"])
        started.set()

    task = asyncio.create_task(app({"type": "lifespan"}, inbox.get, send))  # type: ignore[arg-type]
    inbox.put_nowait({"type": "lifespan.startup"})
    await started.wait()
    try:
        yield heard
    finally:
        inbox.put_nowait({"type": "lifespan.shutdown"})
        # A loop that nobody cancels would be waited for without end.
        async with asyncio.timeout(15):
            await task


def test_the_end_waits_for_whoever_asked_but_not_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """Money may be moving for one of them: the store is closed only when the last has its answer."""

    async def story() -> list[object]:
        bootpay = Bootpay()
        bootpay.gate.clear()
        app = create_app(_api(bootpay))
        order = b'{"order_id": "o1", "price": 3000, "name": "x"}'
        key = [(b"authorization", f"Bearer {KEY}".encode())]
        await _ask(app, _scope("/v1/orders", headers=key), _part(order, more=False))
        body = _part(f'{{"receipt_id": "{RECEIPT}"}}'.encode(), more=False)
        asking = asyncio.create_task(_ask(app, _scope("/v1/orders/o1/verify"), body))
        await bootpay.asked.wait()
        # Another one that is answered meanwhile is not the last.
        await _ask(app, _scope("/healthz", "GET"))
        in_time = await app.drained(0.01)
        bootpay.gate.set()
        return [in_time, await app.drained(), (await asking)[0][0]["status"]]

    assert [False, True, 200] == asyncio.run(story())
    assert "1 requests were still unanswered at the end" in caplog.text


def test_each_wait_at_the_end_outlasts_the_one_inside_it() -> None:
    """What is in hand may be finished, then who asked is cut off, then the server is gone: in the promised 25 s."""
    in_hand_s = max(WebOptions().verify_within_s, FINISH_WITHIN_S)

    assert in_hand_s < asgi.DRAIN_WITHIN_S < asgi._GONE_WITHIN_S < 25


def test_background_loops_live_as_long_as_the_server() -> None:
    """They start with it, and are ended before what they use is closed."""
    told: list[str] = []

    async def loop() -> None:
        told.append("loop began")
        try:
            await asyncio.Event().wait()
        finally:
            told.append("loop ended")

    async def close() -> None:
        told.append("closed")

    async def broken() -> None:
        raise RuntimeError("cannot close")

    async def story() -> list[str]:
        async with _running(create_app(_api(), background=[loop], on_close=[broken, close])) as heard:
            await asyncio.sleep(0)
        return heard

    heard = asyncio.run(story())

    assert ["loop began", "loop ended", "closed"] == told
    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == heard


def test_a_loop_that_fails_is_started_again_later_and_later(caplog: pytest.LogCaptureFixture) -> None:
    """1, 2, 4 … 60 seconds; at once shorter again after it ran well; the message of the error is not logged."""
    waits: list[float] = []
    runs = 0
    now = 0.0

    async def loop() -> None:
        nonlocal runs, now
        runs += 1
        if runs == 9:
            now += 3600
        if runs < 11:
            raise RuntimeError("password=secret")

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    asyncio.run(keep_running(loop, sleep=sleep, monotonic=lambda: now))

    assert [1, 2, 4, 8, 16, 32, 60, 60, 1, 2] == waits
    assert "RuntimeError at asgi.py" in caplog.text
    assert "secret" not in caplog.text


def test_a_loop_that_waited_for_something_given_up_is_started_again() -> None:
    """Only whoever cancels the loop itself ends it; what is cancelled inside it must not end it silently."""
    runs = 0
    waits: list[float] = []

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            given_up.cancel()
            await given_up

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def story() -> None:
        await keep_running(loop, sleep=sleep)

    asyncio.run(story())

    assert (2, [1]) == (runs, waits)


# The real server


async def _http(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = (
        b""
        if request.startswith(b"HEAD")
        else await reader.readexactly(int(headers.get("content-length", 0)))
    )
    writer.close()
    return int(head[0].split(" ")[1]), headers, body


def _request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


ORDER = _request(
    "POST", "/v1/orders", b'{"order_id": "o1", "price": 3000, "name": "n"}', f"Authorization: Bearer {KEY}"
)
VERIFY = _request("POST", "/v1/orders/o1/verify", b'{"receipt_id": "%b"}' % RECEIPT.encode())


def _served(api: Api, story: Callable[[str, asyncio.Event], Awaitable[None]], **more: Any) -> None:
    """Run a story against the real server, then stop it."""

    async def run() -> None:
        stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve_until(stop, create_app(api, **more), ready=ready.set_result))
        try:
            await story(await ready, stop)
        finally:
            stop.set()
            await serving

    asyncio.run(run())


def test_an_order_is_verified_through_the_real_server() -> None:
    """Registered, verified, shown; HEAD has a length and no body; a chunked giant is 413."""
    answers: list[tuple[int, Any]] = []

    async def story(url: str, _: asyncio.Event) -> None:
        for request in (ORDER, VERIFY, VERIFY, _request("GET", "/v1/orders/o1/state")):
            status, _headers, body = await _http(url, request)
            answers.append((status, body))
        status, headers, _body = await _http(url, _request("HEAD", "/healthz"))
        answers.append((status, headers["content-length"]))
        chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
        giant = (
            b"POST /webhooks/bootpay HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 5
        )
        status, _headers, _body = await _http(url, giant)
        answers.append((status, ""))

    _served(_api(), story)

    assert [201, 200, 200, 200, 200, 413] == [status for status, _ in answers]
    assert b'"replayed":false' in answers[1][1]
    assert b'"replayed":true' in answers[2][1]
    assert b'{"order_id":"o1","state":"paid"}' == answers[3][1]
    assert "15" == answers[4][1]


class Telling(Api):
    """Answers as ever, and tells when."""

    def __init__(self, api: Api, told: list[str]) -> None:
        self._api = api
        self.told = told

    @property
    def body_max(self) -> int:
        """See `Api.body_max`."""
        return self._api.body_max

    async def handle(self, request: Request) -> Response:
        """See `Api.handle`."""
        try:
            response = await self._api.handle(request)
        except asyncio.CancelledError:
            # Putting away what it had in hand takes a moment.
            put_away = asyncio.Event()
            asyncio.get_running_loop().call_later(0.05, put_away.set)
            await put_away.wait()
            self.told.append("cut off")
            raise
        self.told.append(f"answered {response.status}")
        return response


async def _stopped_while_somebody_waits(
    told: list[str], *, leaves: bool = False, answers: bool = True
) -> Message:
    """Run the real server, tell it to stop while Bootpay thinks about a receipt; what the caller got."""

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.append("loop ended")

    async def close() -> None:
        told.append("closed")

    bootpay = Bootpay()
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    app = create_app(Telling(_api(bootpay), told), background=[loop], on_close=[close])
    serving = asyncio.create_task(serve_until(stop, app, ready=ready.set_result))
    url = await ready
    await _http(url, ORDER)
    told.clear()
    bootpay.gate.clear()
    bootpay.asked.clear()
    waiting = asyncio.create_task(_http(url, VERIFY))
    await bootpay.asked.wait()
    if leaves:
        waiting.cancel()
        await asyncio.wait((waiting,))
    stop.set()
    async with asyncio.timeout(15):
        if answers:
            await asyncio.wait((serving,), timeout=0.1)
            told.append("gone" if serving.done() else "still serving")
            bootpay.gate.set()
        await asyncio.wait((waiting,))
        await serving
    if leaves or waiting.exception():
        return {}
    status, _, body = waiting.result()
    return {"status": status, "paid": b"paid" in body}


def test_who_waits_at_the_end_is_answered_before_anything_is_closed() -> None:
    """A verification under way when the server is told to stop gets its answer; the loops have ended long before."""
    told: list[str] = []

    got = asyncio.run(_stopped_while_somebody_waits(told))

    assert {"status": 200, "paid": True} == got
    assert ["loop ended", "still serving", "answered 200", "closed"] == told


def test_what_was_begun_for_somebody_who_left_is_finished_before_anything_is_closed() -> None:
    """Nobody waits for the answer, but money may be moving."""
    told: list[str] = []

    asyncio.run(_stopped_while_somebody_waits(told, leaves=True))

    assert ["loop ended", "still serving", "answered 200", "closed"] == told


@pytest.mark.parametrize("leaves", [False, True], ids=["waits", "left"])
def test_who_cannot_be_answered_in_time_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, leaves: bool
) -> None:
    """Whoever stops the server kills it soon: what is left open is as after a crash, and everything is closed."""
    monkeypatch.setattr("dojang.entry.asgi.DRAIN_WITHIN_S", 0.05)
    told: list[str] = []

    got = asyncio.run(_stopped_while_somebody_waits(told, leaves=leaves, answers=False))

    assert 200 != got.get("status")
    assert ["loop ended", "cut off", "closed"] == told
    assert ["1 requests were still unanswered at the end"] == [line.getMessage() for line in caplog.records]


@pytest.mark.parametrize(("drain_s", "end"), [(20, "answered 200"), (0.01, "cut off")])
def test_under_another_server_the_end_waits_all_the_same(
    monkeypatch: pytest.MonkeyPatch, drain_s: float, end: str
) -> None:
    """One that only tells when it ends: what the loops have in hand and who asked come before the store is closed."""
    monkeypatch.setattr("dojang.entry.asgi.DRAIN_WITHIN_S", drain_s)
    told: list[str] = []

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.append("loop ended")

    async def close() -> None:
        told.append("closed")

    async def story() -> None:
        bootpay = Bootpay()
        app = create_app(Telling(_api(bootpay), told), background=[loop], on_close=[close])
        order = b'{"order_id": "o1", "price": 3000, "name": "x"}'
        key = [(b"authorization", f"Bearer {KEY}".encode())]
        async with _running(app):
            await _ask(app, _scope("/v1/orders", headers=key), _part(order, more=False))
            bootpay.gate.clear()
            body = _part(f'{{"receipt_id": "{RECEIPT}"}}'.encode(), more=False)
            asking = asyncio.create_task(_ask(app, _scope("/v1/orders/o1/verify"), body))
            await bootpay.asked.wait()
            if end != "cut off":
                asyncio.get_running_loop().call_later(0.05, bootpay.gate.set)
        await asyncio.wait((asking,))

    asyncio.run(story())

    assert ["answered 201", "loop ended", end, "closed"] == told


def test_a_request_that_is_never_finished_holds_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing at all, half a head, nothing more after an answer: it is closed after a while, here much sooner."""
    real = granian.http.HTTP1Settings

    def quickly(*, header_read_timeout: int = 3_600_000, **more: Any) -> granian.http.HTTP1Settings:
        return real(header_read_timeout=header_read_timeout // 100, **more)

    monkeypatch.setattr(granian.http, "HTTP1Settings", quickly)
    ends: list[bytes] = []

    async def story(url: str, _: asyncio.Event) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        for begun in (b"", b"POST /v1/orders HTTP/1.1\r\nHost: h", _request("GET", "/healthz")):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(begun)
            async with asyncio.timeout(20):
                ends.append(await reader.read())
            writer.close()

    _served(_api(), story)

    assert [b"", b"", b"HTTP/1.1 200 OK"] == [end.partition(b"\r\n")[0] for end in ends]


SERVER = """
import asyncio
from dojang.entry.asgi import create_app, serve
from dojang.web.http import Response
from dojang.web.routes import Api

class Fine(Api):
    def __init__(self): pass
    body_max = 10
    async def handle(self, request): return Response(200, b"fine", {})

async def opened(stack):
    stack.callback(print, "closed", flush=True)
    return create_app(Fine())

serve(opened, port=0, ready=lambda url: print(url, flush=True))
print("bye", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_process_cleanly(number: signal.Signals) -> None:
    """Everything is closed, the exit code is 0, and nothing is on stderr."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        status, _, body = asyncio.run(_http(url, _request("GET", "/")))
        process.send_signal(number)
        said, complained = process.communicate(timeout=20)

    assert (200, b"fine") == (status, body)
    assert (0, "closed\nbye\n", "") == (process.returncode, said, complained)


@contextmanager
def _asked(program: str) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """A server in a process of its own, and somebody who has asked it and waits."""
    with (
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        socket.socket() as caller,
    ):
        assert process.stdout is not None
        host, _, port = process.stdout.readline().strip().removeprefix("http://").partition(":")
        caller.connect((host, int(port)))
        caller.sendall(_request("GET", "/"))
        yield process, caller


WAITING = SERVER.replace(
    'return Response(200, b"fine", {})', "print('asked', flush=True); await asyncio.sleep(60)"
)


def test_a_second_signal_ends_at_once_what_the_first_lets_finish() -> None:
    """Whoever presses Ctrl-C twice wants no page of Python: everything is closed, and it ends as interrupted."""
    with _asked(WAITING) as (process, _):
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=20)

    assert "closed\n" == said
    assert "KeyboardInterrupt" == complained.strip().splitlines()[-1]
    assert "InvalidStateError" not in complained


UNREAD = SERVER.replace('b"fine"', 'b"x" * 50_000_000').replace(
    "class Fine", "from dojang.entry import asgi\nasgi._GONE_WITHIN_S = 0.2\nclass Fine"
)


def test_who_does_not_read_the_answer_does_not_hold_the_end_up() -> None:
    """The server itself would wait for ever; it is left to itself, and everything of ours is closed."""
    with _asked(UNREAD) as (process, caller):
        caller.recv(1)
        process.terminate()
        said, complained = process.communicate(timeout=20)

    assert (0, "closed\nbye\n") == (process.returncode, said)
    assert "the server had not ended in time and is left to itself\n" == complained


def test_a_taken_port_is_a_sentence_not_a_shared_port() -> None:
    """Two servers on one port would answer in turns."""

    async def story(url: str, _: asyncio.Event) -> None:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ConfigError, match=f"Cannot listen on 127.0.0.1:{port}"):
            free_port("127.0.0.1", port)

    _served(_api(), story)


def test_an_address_of_another_machine_is_a_sentence() -> None:
    """So is a name that leads nowhere."""
    with pytest.raises(ConfigError, match=r"Cannot listen on 203\.0\.113\.77:8400"):
        free_port("203.0.113.77", 8400)
    for host in ("no-such-name.invalid", "a..b", "x" * 80):
        with pytest.raises(ConfigError, match=rf"Cannot listen on {host}:8400: .+ \(열 수 없는 주소입니다"):
            free_port(host, 8400)
