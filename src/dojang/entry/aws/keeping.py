"""What outlives an invocation: settings, connections and the API, made at first use and kept for the next one.

Nothing is opened while the function is initialised: a snapshot of that moment (SnapStart) is started many times, and
connections, tokens and random numbers must be each one's own; secrets are not read before such a snapshot either. A
setting that is wrong ends an invocation, never the process; it is looked at anew by the next one, so a mended secret
needs no new deployment.
"""

from __future__ import annotations

import importlib
import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress

import msgspec

from dojang.adapters.throttle import LookUpThrottle
from dojang.core.rules import Mode
from dojang.core.values import replace
from dojang.entry.aws.ahead import Ahead, before_snapshot
from dojang.entry.aws.bounds import BoundedApproval, BoundedFulfilment, BoundedGateway, Bounds, WatchedStore
from dojang.entry.aws.lean import metadata_when_asked
from dojang.entry.aws_secrets import AwsSecrets
from dojang.entry.settings import EMULATOR_KEY, Settings, read_settings, secrets_elsewhere
from dojang.entry.wiring import blocking_world, open_backend
from dojang.errors import ConfigError
from dojang.ports import World
from dojang.web.routes import Api, WebOptions
from dojang.web.source import Networks

__all__ = ["Keeper", "Open"]

log = logging.getLogger("dojang.entry")

_SECRETS_FOR_S = 300.0
# While what was read before is still good, somebody waits for an answer and not for news.
_NEWS_WITHIN_S = 1.0
_STOOD_STILL_S = 20.0


class Open(msgspec.Struct, frozen=True):
    """Everything an invocation needs, ready.

    Attributes:
        settings: What it was made from.
        world: The ports, within bounds.
        bounds: The time of the invocation under way.
        api: Answers requests.
        proxies: Our own proxies in front of the platform.
    """

    settings: Settings
    world: World
    bounds: Bounds
    api: Api
    proxies: Networks


class Keeper:
    """Opens once, gives the same again.

    Args:
        environment: `os.environ` unless a test brings its own.
        monotonic: Seconds that never go back.
        wall: Seconds as the world counts them.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._elsewhere = secrets_elsewhere(self._environment)
        self._monotonic = monotonic
        self._wall = wall
        self._offset_s: float | None = None
        self._settings: Settings | None = None
        self._read_at = 0.0, 0.0
        self._open: Open | None = None
        self._stack = ExitStack()

    def prepare(self, ahead: Ahead | None = None) -> None:
        """Do now what costs time and leaves nothing behind that a snapshot must not hold.

        Args:
            ahead: Settings that are being read already.
        """
        ahead = ahead or Ahead(self._environment)
        # Lambda gives a starting function more processor than a running one.
        modules = ["dojang.bootpay.over_sockets"]
        if "DOJANG_APPROVE_AT" in self._environment:
            # The shop is asked while a buyer waits. What it is owed is posted while nobody does.
            modules.append("dojang.adapters.timed_answer")
        if self._environment.get("DOJANG_STORE", "").startswith("dynamodb:"):
            modules.append("dojang.adapters.dynamodb")
        if before_snapshot(self._environment):
            # A restored copy gets its keys from Lambda's own endpoint, not from the environment.
            modules.append("botocore.session")
        for module in modules:
            with suppress(ImportError), metadata_when_asked():
                importlib.import_module(module)
        settings = ahead.settings()
        with suppress(ConfigError):
            self._settings = _fit(settings) if settings else None
        self._read_at = self._now()

    def ready(self) -> Open:
        """Everything, opened if it is not.

        Raises:
            ConfigError: If a person must change a setting.
            StoreUnavailable: If the store cannot be reached.
        """
        if self._stood_still():
            self._close()
        settings = self._current()
        if self._open is None or self._open.settings != settings:
            self._close()
            # Read anew next time unless it opens: the cause may be a setting, and somebody may be mending it.
            self._settings = None
            self._open = self._opened(settings)
            self._settings = settings
        return self._open

    def forget(self) -> None:
        """Close everything; the next invocation opens it anew, with random numbers and secrets of its own."""
        self._close()
        if self._elsewhere:
            self._settings = None

    def _close(self) -> None:
        self._open = None
        stack, self._stack = self._stack, ExitStack()
        stack.close()

    def _stood_still(self) -> bool:
        """Whether the machine was halted since the last invocation, its clock with it.

        Connections are then older than they look to whoever counts by that clock, and the other side has hung up.
        """
        before, self._offset_s = self._offset_s, self._wall() - self._monotonic()
        return before is not None and self._offset_s - before > _STOOD_STILL_S

    def _current(self) -> Settings:
        settings = self._settings
        # Whichever clock has gone further: one stands still with the machine, the other may be set back.
        age_s = max(now - then for now, then in zip(self._now(), self._read_at, strict=True))
        if settings is not None and not (self._elsewhere and age_s > _SECRETS_FOR_S):
            return settings
        if settings is None:
            fresh = self._read(AwsSecrets())
        else:
            try:
                fresh = self._read(AwsSecrets(_NEWS_WITHIN_S))
            except ConfigError as error:
                # What was valid five minutes ago is better than no payments at all while secrets cannot be read.
                fresh = settings
                log.error(  # noqa: TRY400 - the error quotes no secret, its trace might
                    "what AWS keeps of the settings is not used anew, so that older keys stay valid: %s",
                    error,
                )
        self._settings, self._read_at = fresh, self._now()
        return fresh

    def _now(self) -> tuple[float, float]:
        return self._monotonic(), self._wall()

    def _read(self, secrets: AwsSecrets) -> Settings:
        return _fit(read_settings(environment=self._environment, secrets=secrets))

    def _opened(self, settings: Settings) -> Open:
        # The generator was seeded when Python started, which a snapshot has in common with all its copies.
        random.seed()
        stack = ExitStack()
        bounds = Bounds(self._monotonic)
        try:
            backend = open_backend(settings, left_s=bounds.for_the_store)
            stack.callback(backend.close)
            plain = blocking_world(settings, stack, backend=backend)
        except BaseException:
            stack.close()
            raise
        self._stack = stack
        world = replace(
            plain,
            store=WatchedStore(backend, bounds),
            gateway=BoundedGateway(plain.gateway, bounds),
            fulfilment=BoundedFulfilment(plain.fulfilment, bounds) if plain.fulfilment else None,
            approval=BoundedApproval(plain.approval, bounds) if plain.approval else None,
            throttle=LookUpThrottle(plain.clock.monotonic),
        )
        # In mode emulator the key is often nobody's choice; then there is nothing to compare a webhook's with.
        chosen = settings.mode is not Mode.EMULATOR or settings.private_key != EMULATOR_KEY
        options = WebOptions(
            api_keys=settings.api_keys,
            webhook_private_key=settings.private_key if chosen else None,
            webhook_sources=settings.webhook_sources,
        )
        return Open(settings, world, bounds, Api(world, options), Networks(settings.trusted_proxies))


def _fit(settings: Settings) -> Settings:
    if settings.store.startswith("sqlite:") and settings.mode is not Mode.EMULATOR:
        raise ConfigError(
            "DOJANG_STORE: on AWS Lambda every instance would have a SQLite file of its own, and lose it: "
            "use dynamodb://table."
        )
    return settings
