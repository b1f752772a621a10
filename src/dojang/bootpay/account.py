"""Whose account is asked, and where: credentials and address, judged before anything is sent."""

from __future__ import annotations

import base64
import ipaddress
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from dojang.errors import ConfigError

__all__ = ["Account", "Address"]


class Address(msgspec.Struct, frozen=True):
    """Where Bootpay is.

    Attributes:
        scheme: `https`, or `http` on this machine.
        host: Name or address.
        port: Always given.
        prefix: Path in front of both generations, usually empty.
    """

    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Judge a base address.

        Raises:
            ConfigError: It is no address, or keys would travel unencrypted over a network.
        """
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ConfigError("url must be an address such as https://api.bootpay.co.kr")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ConfigError("url must be an address such as https://api.bootpay.co.kr") from None
        host = parts.hostname or ""
        if parts.scheme not in {"https", "http"} or not host:
            raise ConfigError("url must be an address such as https://api.bootpay.co.kr")
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigError("url must not carry a user, a query or a fragment")
        if parts.scheme == "http" and not _is_this_machine(host):
            raise ConfigError(
                f"url must be https: keys would travel unencrypted to {host} (http is for this machine only)"
            )
        prefix = parts.path.rstrip("/")
        if prefix.endswith("/v2"):
            raise ConfigError("url must be given without /v2: the client adds the generation itself")
        return cls(parts.scheme, host, port or _usual_port(parts), prefix)

    @property
    def origin(self) -> str:
        """Scheme, host and port, as they begin an absolute URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")

    def path(self, generation: int, path: str) -> str:
        """The path of a call below this address."""
        return f"{self.prefix}/{path}" if generation == 1 else f"{self.prefix}/v2/{path}"


class Account(msgspec.Struct, frozen=True):
    """The keys of one Bootpay project: Basic keys, the legacy pair for tokens, or both.

    Attributes:
        basic: The ready `Authorization` header of the Basic keys, None without them.
        application_id: Of the legacy pair, None without it.
        private_key: Of the legacy pair, None without it.
    """

    basic: str | None
    application_id: str | None
    private_key: str | None

    @classmethod
    def of(
        cls,
        *,
        client_key: str | None,
        secret_key: str | None,
        application_id: str | None,
        private_key: str | None,
    ) -> Account:
        """Judge the credentials.

        Raises:
            ConfigError: Half a pair, no pair, or a key that no header could carry; the sentence names which.
        """
        keys = {
            "client_key": client_key,
            "secret_key": secret_key,
            "application_id": application_id,
            "private_key": private_key,
        }
        for name, key in keys.items():
            _check_key(name, key)
        _check_pair("client_key", client_key, "secret_key", secret_key)
        _check_pair("application_id", application_id, "private_key", private_key)
        if not client_key and not application_id:
            raise ConfigError(
                "no credentials: give client_key with secret_key, or application_id with private_key"
            )
        basic = None
        if client_key:
            if ":" in client_key:
                raise ConfigError("client_key must not contain a colon")
            basic = "Basic " + base64.b64encode(f"{client_key}:{secret_key}".encode()).decode("ascii")
        return cls(basic, application_id or None, private_key or None)

    @property
    def can_buy_tokens(self) -> bool:
        """Whether the legacy pair is there."""
        return self.application_id is not None

    def __repr__(self) -> str:
        kinds = [kind for kind, there in (("basic", self.basic), ("token", self.application_id)) if there]
        return f"Account({'+'.join(kinds)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


def _check_key(name: str, key: str | None) -> None:
    if key is None or key == "":
        return
    if not isinstance(key, str):
        raise ConfigError(f"{name} must be a text")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(f"{name} must be printable ASCII without spaces: was a line break copied with it?")


def _check_pair(one: str, one_key: str | None, other: str, other_key: str | None) -> None:
    if bool(one_key) == bool(other_key):
        return
    missing, there = (other, one) if one_key else (one, other)
    raise ConfigError(f"{missing} is missing: {there} and {missing} belong together")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _usual_port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80
