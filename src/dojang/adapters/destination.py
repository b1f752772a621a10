"""A place outside that dojang posts to: never a private address unless that is allowed, never a redirect.

The name is resolved once and the connection goes to that very address, so that a name which answers differently
the second time (DNS rebinding) cannot lead into the shop's own network.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import urllib3

__all__ = ["Answered", "Destination", "Unreachable"]

_ANSWER_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Answered:
    """The receiver answered.

    Attributes:
        status: HTTP status.
        body: At most 64 KiB of it.
    """

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No answer came; whether the message arrived is unknown.

    Attributes:
        words: Why, without addresses of the inner network.
    """

    words: str


class Destination:
    """One URL to post to.

    Args:
        url: https, or http for private addresses that are allowed.
        allow_private: Whether loopback, private and link-local addresses may be reached.
        allow_loopback: Whether loopback alone may be reached.
    """

    def __init__(self, url: str, *, allow_private: bool = False, allow_loopback: bool = False) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._host_header = self._host if parts.port is None else f"{self._host}:{parts.port}"
        self._allow_private = allow_private
        self._allow_loopback = allow_loopback or allow_private
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}

    def post(self, body: bytes, headers: Mapping[str, str], within_s: float) -> Answered | Unreachable:
        """Post JSON once and read the answer."""
        import urllib3

        try:
            address = self._address()
        except OSError:
            return Unreachable(f"{self._host} has no address")
        if address is None:
            return Unreachable(
                f"{self._host} is a private address: set DOJANG_ALLOW_PRIVATE_DESTINATIONS=true to allow it"
            )
        try:
            answer = self._pool(address).request(
                "POST",
                self._target,
                body=body,
                headers={"Host": self._host_header, "Content-Type": "application/json", **headers},
                timeout=urllib3.Timeout(connect=min(3.0, within_s), read=within_s),
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                return Answered(answer.status, answer.read(_ANSWER_MAX))
            finally:
                answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            return Unreachable(type(error).__name__)

    def _address(self) -> str | None:
        """The one address to connect to, or None if any that the name has is forbidden."""
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        return addresses[0] if all(self._allowed(address) for address in addresses) else None

    def _allowed(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if self._allow_private or (self._allow_loopback and address.is_loopback):
            return True
        return address.is_global and not address.is_multicast

    def _pool(self, address: str) -> urllib3.HTTPConnectionPool:
        import urllib3

        if address not in self._pools:
            if self._scheme == "https":
                # The certificate must be the name's, although the connection is to the address.
                self._pools[address] = urllib3.HTTPSConnectionPool(
                    address, self._port, maxsize=8, assert_hostname=self._host, server_hostname=self._host
                )
            else:
                self._pools[address] = urllib3.HTTPConnectionPool(address, self._port, maxsize=8)
        return self._pools[address]
