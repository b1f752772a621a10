"""An emulator at work: the ledger under a lock, its file, and the sender that hands webhooks over."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

import aiohttp
import msgspec

from dojang.emulator.books import Webhook
from dojang.emulator.faults import Fault, Faults
from dojang.emulator.ledger import Ledger
from dojang.emulator.options import EmulatorOptions
from dojang.errors import ConfigError, StoreUnavailable

__all__ = ["Emulator"]

log = logging.getLogger("dojang.emulator")

# How long a webhook that is to be overtaken waits for another one to do so.
_OVERTAKEN_WITHIN_S = 2.0
_ANSWER_LIMIT = 64 * 1024


class Emulator:
    """One running emulator.

    Args:
        options: How it runs.

    Attributes:
        asked: The newest questions to the pretend Bootpay, each as method and path.

    Raises:
        ConfigError: The state file holds something else.
    """

    def __init__(self, options: EmulatorOptions) -> None:
        self.options = options
        seed = options.seed if options.seed is not None else secrets.randbits(64)
        self.ledger = Ledger(
            options.rules,
            keys=options.keys,
            seed=seed,
            same_ids=options.seed is not None,
            clock=time.time,
            webhook_url=options.webhook_url,
        )
        self.faults = Faults(str(seed))
        self.asked: deque[str] = deque(maxlen=10_000)
        self._lock = threading.RLock()
        self._saved = self.ledger.changes
        self._idle = threading.Event()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._overtaken: list[str] = []
        self._load()

    # Remembering

    def _load(self) -> None:
        file = self.options.state_file
        if file is None:
            return
        if not file.parent.is_dir():
            raise ConfigError(f"{file} cannot be written: {file.parent} is no folder")
        if not file.exists():
            return
        try:
            self.ledger.restore(file.read_bytes())
        except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(f"{file} holds no emulator state that can be read: {error}") from error
        self._saved = self.ledger.changes

    def _save(self) -> None:
        file = self.options.state_file
        if file is None or self._saved == self.ledger.changes:
            return
        fresh = file.with_name(f".{file.name}.new")
        try:
            with fresh.open("wb") as sink:
                sink.write(self.ledger.snapshot())
                sink.flush()
                os.fsync(sink.fileno())
            fresh.replace(file)
        except OSError as error:
            raise StoreUnavailable(f"{file} cannot be written: {error}") from error
        self._saved = self.ledger.changes

    @contextmanager
    def changing(self) -> Iterator[Ledger]:
        """The ledger, nobody else's meanwhile; what changed is on file and under way afterwards."""
        with self._lock:
            before = self.ledger.changes
            try:
                yield self.ledger
            finally:
                self._save()
                if self.ledger.changes != before:
                    self.poke()

    def reset(self) -> None:
        """Forget everything, faults too."""
        with self.changing() as ledger:
            ledger.forget()
            self.faults = Faults(ledger.state.seed)
            self._overtaken.clear()
            self.asked.clear()

    # Idleness

    def poke(self) -> None:
        """Look again at what is due."""
        with self._lock:
            self._idle.clear()
            if self._loop is not None and self._wake is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._wake.set)

    def wait_idle(self, timeout_s: float = 10.0) -> bool:
        """Wait until no webhook is due or under way at the emulator's present; whether that came in time."""
        self.poke()
        return self._idle.wait(timeout_s)

    # Sending

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Send what is due for as long as this lasts."""
        self._loop, self._wake, self._stopping = asyncio.get_running_loop(), asyncio.Event(), False
        task = asyncio.create_task(self._send_for_ever())
        try:
            yield
        finally:
            # Told, not cancelled: a cancellation that meets a wake-up can get lost.
            self._stopping = True
            self._wake.set()
            await task
            self._loop = None
            self._idle.set()

    async def _send_for_ever(self) -> None:
        assert self._wake is not None
        timeout = aiohttp.ClientTimeout(total=self.options.rules.webhook_timeout_s)
        under_way: dict[str, asyncio.Task[None]] = {}
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True) as session:
            try:
                while not self._stopping:
                    self._wake.clear()
                    pause: float | None = 1.0
                    try:
                        pause = self._launch(session, under_way)
                    except StoreUnavailable as error:
                        log.error("%s; trying again", error)  # noqa: TRY400 - the sentence says it all
                    with suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await self._wake.wait()
            finally:
                for task in under_way.values():
                    task.cancel()
                await asyncio.gather(*under_way.values(), return_exceptions=True)

    def _launch(
        self, session: aiohttp.ClientSession, under_way: dict[str, asyncio.Task[None]]
    ) -> float | None:
        """Send what is due, one at a time per receipt; answers how long nothing else will be."""
        with self.changing() as ledger:
            for webhook in ledger.due_webhooks():
                if webhook.receipt_id in under_way:
                    continue
                copies = self._after_faults(webhook)
                if copies:
                    webhook.in_flight = True
                    task = asyncio.create_task(self._send(session, webhook, copies))
                    under_way[webhook.receipt_id] = task
                    task.add_done_callback(partial(self._landed, under_way, webhook.receipt_id))
            if not under_way and not ledger.due_webhooks():
                self._idle.set()
            if ledger.state.frozen_at is not None:
                return None
            waiting = (ledger.next_due(), ledger.next_webhook_due(besides=under_way))
            moments = [at for at in waiting if at is not None]
            return max(0.001, min(moments) - ledger.now()) if moments else None

    def _landed(
        self, under_way: dict[str, asyncio.Task[None]], receipt_id: str, _: asyncio.Task[None]
    ) -> None:
        under_way.pop(receipt_id, None)
        if self._wake is not None:
            self._wake.set()

    def _after_faults(self, webhook: Webhook) -> int:
        """How many copies of a due webhook go out now: one, unless a fault says otherwise."""
        fault = None if webhook.judged else self.faults.on_webhook(webhook)
        if fault is not None or not webhook.judged:
            webhook.judged = True
        match fault:
            case None:
                return 1
            case Fault(do="drop_webhook"):
                self.ledger.drop(webhook)
                return 0
            case Fault(do="duplicate_webhook"):
                return 2
            case Fault(do="delay_webhook"):
                webhook.due_at = self.ledger.now() + fault.wait_s(60)
            case _:
                webhook.due_at = self.ledger.now() + fault.wait_s(_OVERTAKEN_WITHIN_S)
                self._overtaken.append(webhook.id)
        self.ledger.changes += 1
        return 0

    async def _send(self, session: aiohttp.ClientSession, webhook: Webhook, copies: int) -> None:
        for copy in range(copies):
            with self.changing() as ledger:
                content_type, payload = ledger.payload(webhook)
                if copy:
                    webhook.resends += 1
            status, answer, error = await _post(session, webhook.url, content_type, payload)
            with self.changing() as ledger:
                if webhook.id in ledger.state.webhooks:  # not forgotten meanwhile
                    ledger.answered(webhook, status=status, answer=answer, error=error)
                self._let_overtaken_go(webhook)

    def _let_overtaken_go(self, webhook: Webhook) -> None:
        """Another webhook went out: those held back for it may follow."""
        for id_ in [id_ for id_ in self._overtaken if id_ != webhook.id]:
            self._overtaken.remove(id_)
            held = self.ledger.state.webhooks.get(id_)
            if held is not None:
                held.due_at = self.ledger.now()


async def _post(
    session: aiohttp.ClientSession, url: str, content_type: str, payload: bytes
) -> tuple[int | None, bytes, str]:
    """Post once; what came back, or why nothing did. Redirects are answers, never followed."""
    headers = {"Content-Type": content_type, "Accept": "*/*", "User-Agent": "Bootpay-Webhook"}
    try:
        async with session.post(url, data=payload, headers=headers, allow_redirects=False) as response:
            return response.status, await response.content.read(_ANSWER_LIMIT), ""
    except TimeoutError:
        return None, b"", "no answer in time"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return None, b"", type(error).__name__
