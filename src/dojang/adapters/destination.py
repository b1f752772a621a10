"""A place outside that dojang posts to: never a private address unless that is allowed, never a redirect.

Plain http never leaves the shop's own network: it is for loopback and private addresses alone, and only where those
are allowed.

The name is resolved once and the connection goes to those very addresses, so that a name which answers differently
the second time (DNS rebinding) cannot lead into the shop's own network.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import msgspec

from dojang.adapters.address import Place, place_of
from dojang.bootpay.aside import Aside
from dojang.errors import InvalidValue

if TYPE_CHECKING:
    import urllib3

__all__ = ["Answered", "Destination", "Unreachable", "plain_url"]

_ANSWER_MAX = 65_536
_HEADER_MAX = 100
# As many as may be in use at once: urllib3 complains in the log about each that it does not keep.
_KEPT_MAX = 64
# A name behind a load balancer has a handful of addresses at a time, and over the months as many as there are.
_ADDRESSES_MAX = 4
# What is left of a name or an address once it is written in ASCII; no zone, no percent sign, no backslash.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", re.ASCII)


class Answered(msgspec.Struct, frozen=True):
    """The receiver answered.

    Attributes:
        status: HTTP status.
        body: At most 64 KiB of it.
        retry_after: The header of this name, as it is; empty where there is none.
    """

    status: int
    body: bytes
    retry_after: str = ""


class Unreachable(msgspec.Struct, frozen=True):
    """No answer came; whether the message arrived is unknown.

    Attributes:
        words: Why, without addresses of the inner network.
    """

    words: str


class Destination:
    """One URL to post to.

    Args:
        url: https, or http for loopback and private addresses that are allowed.
        allow_private: Whether loopback, private and link-local addresses may be reached.
        allow_loopback: Whether loopback alone may be reached.

    Raises:
        InvalidValue: If the URL is not plain.
    """

    def __init__(self, url: str, *, allow_private: bool = False, allow_loopback: bool = False) -> None:
        parts = plain_url(url)
        self._scheme = parts.scheme
        self._host = _ascii(parts.hostname or "")
        # A final dot only keeps resolvers from trying other names; no certificate has one.
        self._name = self._host.removesuffix(".")
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        name = f"[{self._host}]" if ":" in self._host else self._host
        self._host_header = name if parts.port is None else f"{name}:{parts.port}"
        self._allow_private = allow_private
        self._allow_loopback = allow_loopback or allow_private
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        self._choosing = threading.Lock()
        self._resolving = Aside(_KEPT_MAX)

    @property
    def host(self) -> str:
        """The name or address that is posted to, and nothing else of the URL: the rest may hold a secret."""
        return self._host

    def post(self, body: bytes, headers: Mapping[str, str], within_s: float) -> Answered | Unreachable:
        """Post JSON once and read the answer, all within the time given."""
        import urllib3

        ends_at = time.monotonic() + within_s
        addresses = self._addresses(within_s)
        if isinstance(addresses, Unreachable):
            return addresses
        missed = Unreachable(f"the address of {self._host} took too long to find")
        for address in addresses:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                break
            try:
                return self._post_to(address, body, headers, left_s)
            except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
                # Nothing was sent: another of the name's addresses may answer, as with localhost and its two.
                missed = Unreachable(_why(error, within_s))
            except urllib3.exceptions.HTTPError as error:
                return Unreachable(_why(error, within_s))
        return missed

    def _post_to(self, address: str, body: bytes, headers: Mapping[str, str], left_s: float) -> Answered:
        import urllib3

        answer = self._pool(address).request(
            "POST",
            self._target,
            body=body,
            headers={"Host": self._host_header, "Content-Type": "application/json", **headers},
            # Connecting, greeting and sending may take the first each; what all of it leaves is for the answer.
            timeout=urllib3.Timeout(connect=min(3.0, left_s / 3), total=left_s),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        said = answer.read(_ANSWER_MAX)
        if len(said) < _ANSWER_MAX:
            answer.release_conn()
        else:
            # What is left unread would be taken for the next answer.
            answer.close()
        return Answered(answer.status, said, answer.headers.get("retry-after", "")[:_HEADER_MAX])

    def reached(self, within_s: float) -> Unreachable | None:
        """Connect and hang up: why nothing can be posted here now, or None. Nothing is sent but the greeting of TLS."""
        ends_at = time.monotonic() + within_s
        addresses = self._addresses(within_s)
        if isinstance(addresses, Unreachable):
            return addresses
        missed: Unreachable | None = None
        for address in addresses:
            missed = self._greeted(address, max(ends_at - time.monotonic(), 0.1))
            if missed is None:
                break
        return missed

    def _greeted(self, address: str, within_s: float) -> Unreachable | None:
        import urllib3

        # The pool's own way to make one, so that it is judged by the very certificates that a post is judged by.
        connection = self._pool(address)._new_conn()
        connection.timeout = within_s
        try:
            connection.connect()
        except urllib3.exceptions.HTTPError as error:
            return Unreachable(_why(error, within_s))
        except (OSError, ValueError) as error:
            return Unreachable(_why(urllib3.exceptions.SSLError(error), within_s))
        finally:
            connection.close()
        return None

    def _addresses(self, within_s: float) -> Sequence[str] | Unreachable:
        """Where to connect to, one after the other, or why not: every address that the name has must be allowed."""
        search = partial(socket.getaddrinfo, self._host, self._port, type=socket.SOCK_STREAM)
        try:
            found = self._resolving.do(search, within_s, too_late=lambda _: None)
        except TimeoutError:
            return Unreachable(f"the address of {self._host} took too long to find")
        except (OSError, UnicodeError):
            return Unreachable(f"{self._host} has no address: the name was not found")
        addresses = [str(entry[4][0]) for entry in found]
        for text in addresses:
            place = place_of(text)
            if place is Place.NOBODYS and self._allow_private:
                return Unreachable(f"{self._host} has an address that no permission covers")
            if not self._allowed(place):
                return Unreachable(
                    f"{self._host} is a private address: set DOJANG_ALLOW_PRIVATE_DESTINATIONS=true to allow it"
                )
            if self._scheme != "https" and place is Place.PUBLIC:
                return Unreachable(f"{self._host} is a public address: use https:// instead of http://")
        return addresses[:_ADDRESSES_MAX]

    def _allowed(self, place: Place) -> bool:
        match place:
            case Place.PUBLIC:
                return True
            case Place.LOOPBACK:
                return self._allow_loopback
            case Place.INNER:
                return self._allow_private
            case Place.NOBODYS:
                return False

    def _pool(self, address: str) -> urllib3.HTTPConnectionPool:
        """The connections to this address; of many addresses the one unused for longest is let go of."""
        with self._choosing:
            pool = self._pools.pop(address, None)
            if pool is None:
                pool = self._new_pool(address)
            self._pools[address] = pool
            while len(self._pools) > _ADDRESSES_MAX:
                # Not closed: another thread may be about to ask there. urllib3 closes what a pool keeps as soon as
                # nobody holds the pool any more.
                del self._pools[next(iter(self._pools))]
        return pool

    def _new_pool(self, address: str) -> urllib3.HTTPConnectionPool:
        import urllib3

        from dojang.adapters.timed_answer import TimedHTTPConnection, TimedHTTPSConnection

        pool: urllib3.HTTPConnectionPool
        if self._scheme == "https":
            # The certificate must be the name's, although the connection is to the address.
            pool = urllib3.HTTPSConnectionPool(
                address,
                self._port,
                maxsize=_KEPT_MAX,
                assert_hostname=self._name,
                server_hostname=self._name,
            )
            pool.ConnectionCls = TimedHTTPSConnection
        else:
            pool = urllib3.HTTPConnectionPool(address, self._port, maxsize=_KEPT_MAX)
            pool.ConnectionCls = TimedHTTPConnection
        return pool


def _why(error: Exception, within_s: float) -> str:
    """What went wrong with a connection, in words that need no knowledge of the library that made it."""
    from urllib3 import exceptions

    cause = error.__cause__ or error.__context__
    match error:
        # Before the next: to an older urllib3 it is one of those.
        case exceptions.NewConnectionError():
            refused = isinstance(cause, ConnectionRefusedError)
            return "the connection was refused" if refused else "no connection could be made"
        case exceptions.ConnectTimeoutError():
            return "no connection was made in time"
        case exceptions.ReadTimeoutError():
            return f"no answer within {within_s:.3g} s"
        case exceptions.SSLError():
            inner = error.args[0] if error.args else None
            if not isinstance(inner, ValueError):
                return "no TLS connection could be made"
            # OpenSSL's own sentence; whose certificate it is instead stands in none of these words.
            words = getattr(inner, "verify_message", "") or "it is for another name"
            return f"its certificate is not trusted: {words}"
        case exceptions.ProtocolError() | exceptions.DecodeError():
            return "the connection ended before a whole answer came, or the answer was no HTTP"
        case _:
            return type(error).__name__


def plain_url(url: str) -> SplitResult:
    """The parts of a URL that every reader splits in the same way.

    Raises:
        InvalidValue: If readers might disagree about where it leads: a user before the host, a zone, a percent sign
            or a backslash in the host, a blank or a control character anywhere, a port that is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidValue("the address cannot be read") from None
    host = _ascii(parts.hostname or "")
    plain = (
        parts.scheme in ("https", "http")
        and "@" not in parts.netloc
        and not parts.netloc.endswith(":")
        and port != 0
        and _HOST.fullmatch(host) is not None
        # urlsplit drops some of these without a word, and others do not.
        and not any(mark.isspace() or not mark.isprintable() for mark in url)
    )
    if not plain:
        raise InvalidValue("the address must be plain: https://host, a port if need be, and a path")
    return parts


def _ascii(host: str) -> str:
    """The name as resolvers, certificates and headers know it, `xn--` and all."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host  # no name at all: resolving it says so
