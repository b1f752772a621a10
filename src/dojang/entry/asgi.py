"""The door for an ASGI server: its events become our values and back, in as few steps as that takes.

Starlette keeps the house (start, end, whatever else is mounted); the API itself is called straight, because every
layer in between is paid for by every verification.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from dojang.errors import ConfigError
from dojang.web.http import Request, Response
from dojang.web.problems import Code, problem, trace_of
from dojang.web.routes import Api
from dojang.web.source import Networks, sender

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Application", "create_app", "serve", "serve_until"]

log = logging.getLogger("dojang.entry")
access = logging.getLogger("dojang.access")

Loop = Callable[[], Coroutine[object, None, None]]
T = TypeVar("T")

_TOO_LATE = {"connection": "close", "cache-control": "no-store", "x-content-type-options": "nosniff"}
_NOT_TRUSTED = (
    "X-Forwarded-For came from an address that DOJANG_TRUSTED_PROXIES does not name. If a proxy of yours sends it, "
    "name its network there: until then all who come through it, Bootpay's webhooks too, are throttled as one sender "
    "(프록시를 쓰고 있다면 그 네트워크를 DOJANG_TRUSTED_PROXIES에 적어 주세요)."
)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_BODY_WITHIN_S = 15.0
# Whoever stops a server kills it after thirty seconds, as a rule. Counted from the moment it is told to stop: who asked
# has so long to be answered (a verification takes twenty seconds at most), the server has so long to be gone, and what
# is left of twenty-five seconds is for closing the store.
DRAIN_WITHIN_S = 21.0
_GONE_WITHIN_S = 23.0
_RESTART_AFTER_S = 1.0
_RESTART_AFTER_MAX_S = 60.0


class Application:
    """The ASGI application.

    Args:
        api: Answers.
        house: Everything that is not an HTTP request to the API: start and end, other protocols.
        proxies: Our own proxies, whose `X-Forwarded-For` is believed.
    """

    def __init__(self, api: Api, house: ASGIApp, proxies: Networks) -> None:
        self._api = api
        self._house = house
        self._proxies = proxies
        self._warned = False
        self._answering: set[asyncio.Task[object]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._beside: list[asyncio.Task[None]] = []
        self._drained_at: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand the event to the house."""
        if scope["type"] != "http":
            await self._house(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        self._idle.clear()
        try:
            request = await self._read(scope, receive)
            if request is None:
                return
            response = request if isinstance(request, Response) else await self._api.handle(request)
            await _send(response, send)
            if access.isEnabledFor(logging.INFO):
                # Neither query nor body: the path holds an order's id at most.
                access.info("%s %s %s", scope["method"], _path(scope), response.status)
        finally:
            self._answering.discard(task)
            if not self._answering:
                self._idle.set()

    def begin(self, loops: Sequence[Loop]) -> None:
        """Run these beside the requests, from now until `end`."""
        self._beside = [asyncio.create_task(keep_running(loop)) for loop in loops]

    def end(self) -> None:
        """The loops begin nothing new, and the time in which all must be finished runs; said again, it runs already."""
        if self._drained_at is None:
            self._drained_at = asyncio.get_running_loop().time() + DRAIN_WITHIN_S
            for task in self._beside:
                task.cancel()

    async def ended(self) -> None:
        """After `end`: wait for who asked and for what the loops have in hand; who is late is cut off."""
        assert self._drained_at is not None, "nobody has said that it ends"
        if not await self.drained(self._drained_at - asyncio.get_running_loop().time()):
            # As after a crash: what money did meanwhile is found by its intent, once the lease is over.
            for task in self._answering:
                task.cancel()
            await self._idle.wait()
        await asyncio.gather(*self._beside, return_exceptions=True)

    async def drained(self, within_s: float = DRAIN_WITHIN_S) -> bool:
        """Wait until everybody who asked has been answered; whether that came in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d requests were still unanswered at the end", len(self._answering))
            return False
        return True

    async def _read(self, scope: Scope, receive: Receive) -> Request | Response | None:
        headers = _headers(scope["headers"])
        claimed = headers.get("content-length", "")
        if claimed.isdigit() and (len(claimed) > 18 or int(claimed) > self._api.body_max):
            # Not read at all: the length alone is refused.
            body: bytes | None = b""
        else:
            try:
                body = await _timely(_body(receive, self._api.body_max), _BODY_WITHIN_S)
            except TimeoutError:
                return problem(Code.REQUEST_TIMEOUT, headers=_TOO_LATE)
        if body is None:
            return None
        client = scope.get("client")
        peer: str | None = client[0] if client else None
        forwarded = headers.get("x-forwarded-for", "")
        if forwarded and peer and not self._warned and peer not in self._proxies:
            # Once: a stranger can send the header as well. Whose address it is stays out of the log for that reason.
            self._warned = True
            log.warning(_NOT_TRUSTED)
        return Request(
            scope["method"],
            _path(scope),
            scope["query_string"].decode("latin-1"),
            headers,
            body,
            sender(peer, forwarded, self._proxies),
        )


def create_app(
    api: Api,
    *,
    background: Sequence[Loop] = (),
    on_close: Sequence[Callable[[], Awaitable[None]]] = (),
    trusted_proxies: Sequence[str] = (),
) -> Application:
    """Put an API behind ASGI. To be called on the event loop that serves it.

    Args:
        api: Answers.
        background: Each is run until the server is told to stop, and cancelled then; one that fails is started again
            after a while.
        on_close: Awaited one after another when the last request has been answered and the last loop has ended.
        trusted_proxies: Networks of our own proxies.
    """
    from starlette.applications import Starlette

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        application.begin(background)
        try:
            yield
        finally:
            # `serve_until` has said so already; another server may say it by this alone.
            application.end()
            await application.ended()
            for close in on_close:
                try:
                    await close()
                except Exception as error:  # noqa: BLE001 - the others must be closed too
                    log.error("closing: %s", trace_of(error))  # noqa: TRY400 - see trace_of

    application = Application(api, Starlette(lifespan=lifespan), Networks(trusted_proxies))
    return application


async def keep_running(
    loop: Loop,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] | None = None,
) -> None:
    """Run a background loop until it ends by itself or is cancelled; start it again when it fails.

    Args:
        loop: What to run.
        sleep: How to wait before a restart.
        monotonic: Seconds that never go back; a loop that ran long before it failed is restarted soon.
    """
    now = monotonic or asyncio.get_running_loop().time
    wait_s = _RESTART_AFTER_S
    while True:
        started = now()
        try:
            await loop()
        except (Exception, asyncio.CancelledError) as error:  # nothing it raises may end the server
            me = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and me is not None and me.cancelling():
                raise  # the server ends; otherwise something that the loop waited for was given up
            if now() - started > _RESTART_AFTER_MAX_S:
                wait_s = _RESTART_AFTER_S
            log.error(  # noqa: TRY400 - see trace_of
                "the background loop %s failed and starts again in %g s: %s",
                getattr(loop, "__name__", "?"),
                wait_s,
                trace_of(error),
            )
            await sleep(wait_s)
            wait_s = min(wait_s * 2, _RESTART_AFTER_MAX_S)
        else:
            return


def serve(
    open_app: Callable[[AsyncExitStack], Awaitable[ASGIApp]],
    *,
    host: str = "127.0.0.1",
    port: int = 8400,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve in this process until SIGINT or SIGTERM, then answer who still waits and close everything.

    From the signal on that takes twenty-five seconds at most.

    Args:
        open_app: Makes the application on the event loop that will serve it; what it enters into the stack is closed
            at the end.
        host: Where to listen.
        port: 0 for any that is free.
        ready: Told the address once the first request can come.

    Raises:
        ConfigError: If the address is taken, or whatever `open_app` raises.
        KeyboardInterrupt: If a second signal came while it answered who still waited.
    """
    # Looked at first: nothing is opened for a server that cannot listen.
    port = free_port(host, port)

    async def until_told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        serving = asyncio.current_task()
        assert serving is not None

        def told() -> None:
            if not stop.is_set():
                stop.set()
                return
            # Whoever says it twice does not want to wait for the last answer, and whoever does so again for nothing.
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
            # The server under it complains of being cut off, which is what was asked for.
            loop.set_exception_handler(lambda *_: None)
            serving.cancel()

        for number in _SIGNALS:
            loop.add_signal_handler(number, told)
        async with AsyncExitStack() as stack:
            app = await open_app(stack)
            _spare_the_collector()
            await serve_until(stop, app, host=host, port=port, ready=ready)

    with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        try:
            runner.run(until_told())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _spare_the_collector() -> None:
    """Let the garbage collector look at what requests leave behind, not again and again at the program itself."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop where it is installed (there is none for Windows); None means asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def serve_until(
    stop: asyncio.Event,
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve on the running event loop until `stop` is set. One process: the loops and the store's thread are in it.

    Then nobody new is let in, the loops of an `Application` begin nothing new, and whoever asked is answered; who is
    not within twenty-one seconds is cut off.

    Raises:
        ConfigError: If the address is taken.
    """
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    port = free_port(host, port)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        http1_settings=HTTP1Settings(header_read_timeout=15_000, keep_alive=True),
        log_enabled=False,
    )
    before = _native_threads()
    serving = asyncio.create_task(server.serve())
    told = asyncio.create_task(stop.wait())
    theirs: frozenset[str] = frozenset()
    try:
        await _listening(host, port, serving)
        theirs = _native_threads() - before
        if ready is not None and not serving.done():
            ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        await asyncio.wait((serving, told), return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        if not serving.done():
            server.stop()  # type: ignore[no-untyped-call]  # granian does not annotate it
        await _over(serving, app)
        await _gone(theirs)


def free_port(host: str, port: int, flags: str = "--host, --port") -> int:
    """The port to listen on, which nobody else has.

    Args:
        host: Where to listen.
        port: 0 for any that is free.
        flags: What chooses another address, for the sentence about one that is taken.

    Raises:
        ConfigError: If somebody has, or the address is not this machine's.
    """
    # The server itself shares a taken port without a word, and half the requests would go astray.
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, UnicodeError) as error:
        why, why_ko = getattr(error, "strerror", None) or "no such address", "열 수 없는 주소입니다"
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            why, why_ko = "somebody else does", "이미 사용 중인 포트입니다"
        raise ConfigError(
            f"Cannot listen on {host}:{port}: {why}. Choose another with {flags} "
            f"({why_ko}. {flags}로 다른 곳을 지정해 주세요)."
        ) from None


async def _over(serving: asyncio.Task[None], app: ASGIApp) -> None:
    """Wait for the end of a server that was told to stop. By itself it waits for its last caller, however long."""
    ends_at = asyncio.get_running_loop().time() + _GONE_WITHIN_S
    try:
        async with asyncio.timeout_at(ends_at):
            if isinstance(app, Application):
                # The server itself tells it only when nobody waits any more.
                app.end()
                await app.ended()
            await serving
    except TimeoutError:
        # Somebody does not read the answer, for instance: nothing of ours is under way any more.
        log.warning("the server had not ended in time and is left to itself")


async def _listening(host: str, port: int, serving: asyncio.Task[None]) -> None:
    """Wait until the port answers, or the server has given up."""
    while not serving.done():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(0.01)


def _native_threads() -> frozenset[str]:
    """The threads of this process as the system counts them; empty where it does not tell."""
    try:
        return frozenset(os.listdir("/proc/self/task"))
    except OSError:
        return frozenset()


async def _gone(threads: frozenset[str]) -> None:
    """Wait a little until the server's own threads have ended.

    They let go of Python a moment after the server has said that it is done, and an interpreter that ends in that
    moment makes them abort with a page of noise.
    """
    for _ in range(100):
        await asyncio.sleep(0.01)
        if threads and not threads & _native_threads():
            return


def _headers(pairs: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    path: str = raw.decode("latin-1") if raw else scope["path"]
    return path


async def _timely(awaited: Awaitable[T], within_s: float) -> T:
    """What `asyncio.timeout` does, at a third of its price: every request passes here.

    Raises:
        TimeoutError: If it takes longer.
    """
    task = asyncio.current_task()
    assert task is not None
    late = False

    def give_up() -> None:
        nonlocal late
        late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(within_s, give_up)
    try:
        return await awaited
    except asyncio.CancelledError:
        if late and task.uncancel() == 0:
            raise TimeoutError from None
        raise  # somebody else wants the whole request to end
    finally:
        timer.cancel()


async def _body(receive: Receive, most: int) -> bytes | None:
    """The body, or its beginning where it is larger than `most`; None if the caller left."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while size <= most:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if not message.get("more_body", False):
            break
    return b"".join(parts)


async def _send(response: Response, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if "content-length" not in response.headers and response.status != 204:
        headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
