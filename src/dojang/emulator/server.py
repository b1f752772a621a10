"""Running an emulator: for a command until it is stopped, or in a thread for as long as a test lasts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from dojang.emulator.api import create_app
from dojang.emulator.background import Background
from dojang.emulator.faults import Fault
from dojang.emulator.host import listening
from dojang.emulator.ledger import Ledger
from dojang.emulator.options import EmulatorOptions
from dojang.emulator.running import Emulator

__all__ = ["EmulatorServer", "serve"]


def serve(options: EmulatorOptions, *, ready: Callable[[str], None] | None = None) -> None:
    """Run an emulator until SIGINT or SIGTERM; `ready` is told its address.

    Raises:
        ConfigError: The address is taken, or the state file holds something else.
    """
    app = create_app(options)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        async with listening(app, options.host, options.port) as url:
            if ready is not None:
                ready(url)
            await stop.wait()

    asyncio.run(until_stopped())


class EmulatorServer(Background):
    """An emulator on a free loopback port, in a thread of its own, inside a `with`.

    Args:
        options: How it runs; its port is ignored.

    Attributes:
        url: Where it answers; version 2 is at `url + "/v2"`.
        emulator: The emulator itself.
    """

    def __init__(self, options: EmulatorOptions | None = None) -> None:
        self.options = replace(options or EmulatorOptions(), host="127.0.0.1", port=0)
        self.emulator = Emulator(self.options)
        super().__init__(
            create_app(emulator=self.emulator), self.options.host, self.options.port, called="the emulator"
        )

    @property
    def ledger(self) -> Ledger:
        """The ledger, to look at; use `changing()` to change it while requests may come in."""
        return self.emulator.ledger

    def changing(self) -> AbstractContextManager[Ledger]:
        """The ledger, nobody else's meanwhile; webhooks owed by the change are then sent."""
        return self.emulator.changing()

    def asked(self) -> list[str]:
        """What Bootpay was asked, oldest first: method and path of each request."""
        return list(self.emulator.asked)

    def reset(self) -> None:
        """Forget everything, faults too."""
        self.emulator.reset()

    def wait_idle(self, timeout_s: float = 10.0) -> bool:
        """Wait until no webhook is due or under way; whether that came in time."""
        return self.emulator.wait_idle(timeout_s)

    @contextmanager
    def faulty(self, **fault: object) -> Iterator[None]:
        """Let something go wrong meanwhile: the fields of a `Fault`."""
        self.emulator.faults.add(Fault(**fault))  # type: ignore[arg-type]  # checked by the fault itself
        try:
            yield
        finally:
            self.emulator.faults.clear()
