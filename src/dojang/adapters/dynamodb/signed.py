"""The lean way to DynamoDB: its JSON protocol over urllib3, signed as botocore would.

`boto3.client("dynamodb")` reads and interprets a service model of a megabyte before its first request; a function that
starts cold waits for that. The protocol itself is one POST per operation: a target header, JSON, a signature.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from __future__ import annotations

import os
import re
import threading
import zlib
from contextlib import suppress
from typing import Protocol, cast
from urllib.parse import urlsplit

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from dojang.adapters.dynamodb.signature import signed_headers
from dojang.adapters.dynamodb.table import Answer, Item, Reason, Request, TableRefused, TableSilent
from dojang.bootpay.tls import tls_context
from dojang.errors import ConfigError

__all__ = ["SignedTable", "region_of"]

_TARGET = "DynamoDB_20120810."
_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CONNECT_S = 1.0
# A transaction of ten items takes tens of milliseconds; who has not answered after this will not.
_ATTEMPT_S = 3.0

_encode = msgspec.json.Encoder().encode
_answer = msgspec.json.Decoder(Answer)


class _Refusal(msgspec.Struct, frozen=True):
    """The body of an answer that is no; DynamoDB writes `message` in both ways."""

    type: str = msgspec.field(name="__type", default="")
    message: str = ""
    message_too: str = msgspec.field(name="Message", default="")
    reasons: tuple[Reason, ...] = msgspec.field(name="CancellationReasons", default=())
    item: Item | None = msgspec.field(name="Item", default=None)


_refusal = msgspec.json.Decoder(_Refusal)


class Keys(msgspec.Struct, frozen=True):
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "Keys(…)"


class Credentials(Protocol):
    """Where keys come from, each time anew: most of them run out."""

    def get_frozen_credentials(self) -> Keys:
        """Keys that belong together."""
        ...


class SignedTable:
    """A pool of connections to one region's endpoint.

    Nothing is connected and no key is read before the first call, so that a snapshot taken before it (Lambda SnapStart)
    holds neither.

    Args:
        region: For the signature and the usual endpoint.
        endpoint: Another endpoint: DynamoDB Local, a VPC endpoint, FIPS.
        connections_max: How many connections are kept open.

    Raises:
        ConfigError: If the endpoint is no address.
    """

    def __init__(self, region: str, endpoint: str | None = None, *, connections_max: int = 16) -> None:
        self._region = region
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        self._url = _sound(endpoint or f"https://dynamodb.{region}.{suffix}").rstrip("/") + "/"
        self._connections_max = connections_max
        self._lock = threading.Lock()
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._credentials: Credentials | None = None

    def call(self, operation: str, request: Request, within_s: float, /) -> Answer:
        """See `Table.call`."""
        body = _encode(request)
        keys = self._keys()
        headers = signed_headers(
            self._url,
            self._region,
            {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": _TARGET + operation},
            body,
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            token=keys.token,
        )
        try:
            answer = self._connections().urlopen(
                "POST",
                "/",
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(total=max(0.001, within_s), connect=_CONNECT_S, read=_ATTEMPT_S),
            )
        except (HTTPError, OSError) as error:
            raise TableSilent(type(error).__name__) from None
        return _read(answer.status, answer.data, answer.headers.get("x-amz-crc32"))

    def close(self) -> None:
        """See `Table.close`."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _connections(self) -> urllib3.HTTPConnectionPool:
        with self._lock:
            if self._pool is None:
                secure = {"ssl_context": tls_context(None)} if self._url.startswith("https:") else {}
                self._pool = urllib3.connection_from_url(self._url, maxsize=self._connections_max, **secure)
            return self._pool

    def _keys(self) -> Keys:
        with self._lock:
            if self._credentials is None:
                self._credentials = _found()
        try:
            return self._credentials.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001 - whatever a credential provider meets; its words may hold keys
            raise TableRefused("CredentialsUnavailable", type(error).__name__) from None


class _FromEnvironment:
    """The first link of botocore's chain, without the 0.1 s its import takes: all that a Lambda function needs."""

    def get_frozen_credentials(self) -> Keys:
        """The keys of this moment."""
        return Keys(
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_SESSION_TOKEN") or None,
        )


def _found() -> Credentials:
    if os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY"):
        return _FromEnvironment()
    # SSO, profiles, roles of containers, machines and restored snapshots: botocore's whole chain, refreshed by itself.
    try:
        from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]  # botocore has no types
        from botocore.session import Session  # type: ignore[import-untyped]  # botocore has no types
    except ImportError:
        raise ConfigError(
            "DOJANG_STORE: dynamodb:// finds no AWS keys in the environment; for profiles and roles it needs one more "
            "part: pip install 'dojang[aws]'."
        ) from None

    try:
        credentials = Session().get_credentials()
    except BotoCoreError as error:
        raise TableRefused("CredentialsUnavailable", type(error).__name__) from None
    if credentials is None:
        raise TableRefused("CredentialsUnavailable", "no AWS credentials were found")
    return cast("Credentials", credentials)


def _sound(endpoint: str) -> str:
    """An address that can be asked; what cannot is told when it is named, not by the first request."""
    try:
        parts = urlsplit(endpoint)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ConfigError(
            "DOJANG_STORE: endpoint must be a plain address such as https://dynamodb.example.com."
        )
    return endpoint


def region_of(named: str | None) -> str:
    """The region that was named, else the one AWS's own tools would use.

    Raises:
        ConfigError: There is none, or what is named is none.
    """
    region = named or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        with suppress(ImportError):
            region = _region_of_profile()
    if not region or not _REGION.fullmatch(region):
        raise ConfigError("DOJANG_STORE: name the region, as in dynamodb://table?region=ap-northeast-2.")
    return region


def _region_of_profile() -> str | None:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        region: str | None = Session().get_config_variable("region")
    except BotoCoreError as error:
        raise ConfigError(
            "DOJANG_STORE: name the region, as in dynamodb://table?region=ap-northeast-2; AWS's own settings "
            f"cannot be read: {type(error).__name__}."
        ) from None
    return region


def _read(status: int, body: bytes, crc32: str | None) -> Answer:
    if crc32 is not None and crc32.isdigit() and zlib.crc32(body) != int(crc32):
        raise TableSilent("the answer was damaged on its way")
    try:
        if status == 200:
            return _answer.decode(body)
        said = _refusal.decode(body)
    except msgspec.MsgspecError:
        if status >= 500:
            raise TableRefused(f"HTTP_{status}", "", status) from None
        raise TableSilent(f"an answer with status {status} that is none of DynamoDB's") from None
    code = said.type.rpartition("#")[2] or f"HTTP_{status}"
    raise TableRefused(code, said.message or said.message_too, status, said.reasons, said.item)
