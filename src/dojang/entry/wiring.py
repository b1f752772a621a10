"""Settings become a World: which adapter keeps which port's promise in this process."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, closing
from typing import TYPE_CHECKING

from dojang.adapters.clock import SystemClock, sleep_inline, sleep_on_loop
from dojang.adapters.destination import Destination
from dojang.adapters.fulfilment import HttpApproval, HttpFulfilment
from dojang.adapters.gateway import GatewayV2, Sender
from dojang.adapters.sender import AwaitedSender, BlockingSender
from dojang.adapters.store import AwaitedStore, Backend
from dojang.adapters.throttle import LookUpThrottle
from dojang.core.rules import Mode
from dojang.drive import Caller, inline, threaded
from dojang.entry.settings import Settings, dynamodb_address, is_arn
from dojang.errors import ConfigError
from dojang.ports import Approval, Clock, Fulfilment, Gateway, Store, Throttle, World

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypeAlias

    from dojang.adapters.batching import BatchingCaller
    from dojang.adapters.dynamodb import DynamoDBBackend
    from dojang.adapters.pooling import PoolingCaller
    from dojang.adapters.postgres import PostgresBackend
    from dojang.adapters.sqlite import SqliteBackend

    OpenBackend: TypeAlias = SqliteBackend | PostgresBackend | DynamoDBBackend

__all__ = [
    "asking",
    "blocking_world",
    "destination",
    "left_out",
    "migrated",
    "open_backend",
    "serving_world",
    "sqlite_path",
    "store_name",
]

# Buyers that the shop may be asked about at once: each waits in a thread, and a shop that hangs keeps it for seconds.
_ASKING_MAX = 64
# Jitter is no secret; a fast generator will do.
_spread: Callable[[], float] = random.random
# A server that starts does not wait longer for a store that may be away.
_SHARDS_WITHIN_S = 5.0
_POSTGRES = r"postgres(?:ql)?://(?:[^@/]*@)?([\w.,\[\]-]*(?::\d+)?(?:/[^/?@:]*)?)(?:\?[^@]*)?"


def sqlite_path(store: str) -> Path:
    """The file a `sqlite:///file` store means."""
    from pathlib import Path

    return Path(store.removeprefix("sqlite:///"))


def store_name(store: str) -> str:
    """What may be shown of a store's address: no password, and nothing that might hold one."""
    if not store.startswith("postgres"):
        return store
    plain = re.fullmatch(_POSTGRES, store)
    return f"postgresql://{plain[1]}" if plain else "postgresql://…"


def open_backend(
    settings: Settings, *, migrate: bool = True, left_s: Callable[[bool], float] | None = None
) -> OpenBackend:
    """Open the store that the settings name. A DynamoDB table is made by `migrated` alone: it costs money.

    Args:
        settings: Checked settings.
        migrate: Bring an SQL store up to date.
        left_s: How many seconds there are, now, for a request that writes (with False: reads). DynamoDB keeps to it.

    Raises:
        ConfigError: If it cannot be opened.
        StoreUnavailable: If its server cannot be reached.
    """
    if settings.store.startswith("postgres"):
        return _postgres(settings.store, migrate=migrate)
    if settings.store.startswith("dynamodb"):
        return _dynamodb(settings.store, left_s)
    from dojang.adapters.sqlite import SqliteBackend

    return SqliteBackend(_file_of(settings), migrate=migrate)


def without_keys(settings: Settings) -> str | None:
    """Why AWS's keys for the store cannot be had now, in a sentence; None if they can, or none are needed.

    Raises:
        ConfigError: If that takes a part that is not installed.
    """
    if not settings.store.startswith("dynamodb"):
        return None
    from dojang.adapters.aws import NoKeys, found

    try:
        found("DOJANG_STORE: dynamodb://")
    except NoKeys as error:
        return (
            f"DOJANG_STORE: the table cannot be asked before there are AWS keys ({error}): set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, a profile, or a role of this machine (AWS 자격 증명이 없습니다)."
        )
    return None


def left_out(settings: Settings) -> str | None:
    """Why this process would not see every order, in a sentence; None if it sees all. Nothing for a function's start.

    Raises:
        ConfigError: If the store cannot be opened.
        StoreUnavailable: If it could not be asked within a few seconds, or may not be.
    """
    if not settings.store.startswith("dynamodb"):
        return None
    until = time.monotonic() + _SHARDS_WITHIN_S
    with closing(_dynamodb(settings.store, lambda _: until - time.monotonic())) as dynamodb:
        try:
            dynamodb.check_shards()
        except ConfigError as error:
            return str(error)
    return None


def migrated(settings: Settings) -> list[str]:
    """Make the store or bring it up to date; the names of the migrations that ran.

    Raises:
        ConfigError: If it cannot be opened, or a newer release wrote it.
        StoreUnavailable: If its server cannot be reached.
    """
    from dojang.adapters.queries import migrations

    if settings.store.startswith("postgres"):
        postgres = _postgres(settings.store, migrate=True)
        postgres.close()
        return postgres.ran
    if settings.store.startswith("dynamodb"):
        with closing(_dynamodb(settings.store)) as dynamodb:
            return dynamodb.migrate()
    before = _version_of(_file_of(settings))
    open_backend(settings).close()
    return [name for number, name, _ in migrations("sqlite") if number > before]


def _version_of(file: Path) -> int:
    """The last migration the file has seen; what cannot be read is left for the one who opens it to say."""
    import sqlite3

    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return int(database.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return 0


def _file_of(settings: Settings) -> Path:
    path = sqlite_path(settings.store)
    if not path.parent.is_dir():
        raise ConfigError(f"DOJANG_STORE: the folder {path.parent} does not exist (폴더가 없습니다).")
    return path


def _postgres(store: str, *, migrate: bool) -> PostgresBackend:
    try:
        from dojang.adapters.postgres import PostgresBackend
    except ImportError:
        raise ConfigError(
            "DOJANG_STORE: postgresql:// needs one more part: pip install 'dojang[postgres]'."
        ) from None
    return PostgresBackend(store, migrate=migrate)


def _dynamodb(store: str, left_s: Callable[[bool], float] | None = None) -> DynamoDBBackend:
    from dojang.adapters.dynamodb import DynamoDBBackend
    from dojang.adapters.dynamodb.backend import SHARDS

    table, said = dynamodb_address(store)
    return DynamoDBBackend(
        table,
        said.get("region"),
        said.get("endpoint"),
        shards=int(said.get("shards", SHARDS)),
        left_s=left_s,
    )


def _store_caller(backend: OpenBackend) -> BatchingCaller | PoolingCaller:
    """How an event loop calls this store: SQLite has one writer, the others a pool."""
    from dojang.adapters.batching import BatchingCaller
    from dojang.adapters.pooling import PoolingCaller
    from dojang.adapters.sqlite import SqliteBackend

    if isinstance(backend, SqliteBackend):
        return BatchingCaller(backend)
    return PoolingCaller(backend.connections_max)


def blocking_world(settings: Settings, stack: ExitStack, *, backend: Backend | None = None) -> World:
    """A world whose ports never suspend: for commands and Lambda, driven by `dojang.drive.run`.

    Args:
        settings: Checked settings.
        stack: Closes what is opened here.
        backend: An open store; by default the one the settings name.
    """
    if backend is None:
        opened = open_backend(settings)
        stack.callback(opened.close)
        backend = opened
    return _world(
        settings,
        store=AwaitedStore(backend, inline),
        sender=_blocking_sender(settings, stack),
        clock=SystemClock(sleep_inline),
        call=inline,
        approval=_approval(settings),
        throttle=None,
    )


def asking(settings: Settings, stack: ExitStack) -> Gateway:
    """Bootpay alone, without a store; never suspends."""
    return _gateway(settings, _blocking_sender(settings, stack))


def _blocking_sender(settings: Settings, stack: ExitStack) -> Sender:
    from dojang.bootpay import Bootpay

    client = stack.enter_context(
        Bootpay(
            client_key=settings.client_key,
            secret_key=settings.secret_key,
            application_id=settings.application_id,
            private_key=settings.private_key,
            url=settings.bootpay_url,
        )
    )
    return BlockingSender(client, inline)


async def serving_world(settings: Settings, stack: AsyncExitStack) -> World:
    """A world for the event loop it is made on: asyncio client, the store in threads of its own.

    Args:
        settings: Checked settings.
        stack: Closes what is opened here.
    """
    from dojang.adapters.pooled_approval import PooledApproval
    from dojang.bootpay import AsyncBootpay

    backend = open_backend(settings)
    stack.callback(backend.close)
    store_call = _store_caller(backend)
    stack.callback(store_call.close)
    client = await stack.enter_async_context(
        AsyncBootpay(
            client_key=settings.client_key,
            secret_key=settings.secret_key,
            application_id=settings.application_id,
            private_key=settings.private_key,
            url=settings.bootpay_url,
            pool_size=200,
        )
    )
    approval: Approval | None = _approval(settings)
    if approval is not None:
        pooled = approval = PooledApproval(approval, threads_max=_ASKING_MAX)
        stack.callback(pooled.close)
    clock = SystemClock(sleep_on_loop)
    return _world(
        settings,
        store=AwaitedStore(backend, store_call),
        sender=AwaitedSender(client),
        clock=clock,
        call=threaded,
        approval=approval,
        throttle=_throttle(settings, clock),
    )


def _world(
    settings: Settings,
    *,
    store: Store,
    sender: Sender,
    clock: Clock,
    call: Caller,
    approval: Approval | None,
    throttle: Throttle | None,
) -> World:
    gateway = _gateway(settings, sender)
    fulfilment = _fulfilment(settings, settings.deliver_to, call, clock) if settings.deliver_to else None
    return World(
        store=store,
        gateway=gateway,
        clock=clock,
        fulfilment=fulfilment,
        approval=approval,
        throttle=throttle,
        rules=settings.rules,
        spread=_spread,
    )


def _throttle(settings: Settings, clock: Clock) -> LookUpThrottle:
    if settings.mode is Mode.EMULATOR:
        # The pretend Bootpay has no quota that strangers could burn, and whoever measures there measures the server.
        return LookUpThrottle(clock.monotonic, overall_per_s=None)
    return LookUpThrottle(clock.monotonic)


def _approval(settings: Settings) -> HttpApproval | None:
    """Asks the shop right where it is called; never suspends."""
    if not settings.approve_at:
        return None
    to = destination(settings, settings.approve_at)
    return HttpApproval(to, settings.deliver_secrets, inline, SystemClock(sleep_inline).now)


def _gateway(settings: Settings, sender: Sender) -> Gateway:
    if settings.bootpay_api == "v1":
        from dojang.adapters.gateway_v1 import GatewayV1

        return GatewayV1(sender)
    return GatewayV2(sender)


def _fulfilment(settings: Settings, deliver_to: str, call: Caller, clock: Clock) -> Fulfilment:
    if not is_arn(deliver_to):
        return HttpFulfilment(destination(settings, deliver_to), settings.deliver_secrets, call, clock.now)
    from dojang.adapters.arn import Queue, read_arn
    from dojang.adapters.fulfilment_aws import BusFulfilment, QueueFulfilment

    place = read_arn(deliver_to)
    if isinstance(place, Queue):
        return QueueFulfilment(place, settings.deliver_endpoint, call, clock.now)
    return BusFulfilment(place, settings.deliver_endpoint, call, clock.monotonic)


def destination(settings: Settings, url: str) -> Destination:
    """A URL of the shop's, and where it may lead under these settings."""
    return Destination(
        url,
        allow_private=settings.allow_private_destinations,
        # Where nothing is real, the shop on the developer's own machine needs no further word.
        allow_loopback=settings.mode is Mode.EMULATOR,
    )
