"""One service of AWS in one region: a POST of JSON, signed as botocore would."""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

from dojang.adapters.aws.credentials import Credentials, Keys, NoKeys, found
from dojang.adapters.aws.signature import signed_headers
from dojang.bootpay.account import Address
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.over_sockets import Connections

__all__ = ["Endpoint", "Silent", "sound", "usual_address"]

# Twice what any of these services says at most: DynamoDB's answers end at 16 MB.
_ANSWER_MAX = 32 * 1024 * 1024
_PORTS = {"http": 80, "https": 443}
# Of the partitions that are apart from the others: by the beginnings of their regions' names.
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}


class Silent(Exception):
    """Nobody has answered in time; what was asked may have been done."""


class Endpoint:
    """A pool of connections to one service.

    Nothing is connected and no key is read before the first request, so that a snapshot taken before it (Lambda
    SnapStart) holds neither.

    Args:
        service: As the signature calls it.
        region: For the signature.
        url: Where it is; a sound address.
        version: Of the JSON protocol, `1.0` or `1.1`.
        wanted_by: The setting, for the sentence of an error.
        connections_max: How many requests may be under way at once.
    """

    def __init__(
        self, service: str, region: str, url: str, *, version: str, wanted_by: str, connections_max: int = 1
    ) -> None:
        self._service = service
        self._region = region
        self._url = url.rstrip("/") + "/"
        self._content_type = f"application/x-amz-json-{version}"
        self._wanted_by = wanted_by
        self._connections_max = connections_max
        self._lock = threading.Lock()
        self._connections: Connections | None = None
        self._credentials: Credentials | None = None

    def post(
        self, target: str, body: bytes, within_s: float, *, connect_s: float, read_s: float | None = None
    ) -> Answer:
        """Ask for one operation; the answer, whatever its status.

        Args:
            target: The operation.
            body: What is asked.
            within_s: How long all of it may take.
            connect_s: How long a connection may.
            read_s: How long the answer may; all of the time unless given.

        Raises:
            ConfigError: If keys can only be had with a part that is not installed.
            NoKeys: If there are none now; nothing was sent.
            Silent: If there is no whole answer.
        """
        keys = self._keys()
        headers = signed_headers(
            self._url,
            self._service,
            self._region,
            {"Content-Type": self._content_type, "X-Amz-Target": target},
            body,
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            token=keys.token,
        )
        step = Transmit(
            "POST", "/", headers, body, connect_s, read_s or within_s, time.monotonic() + within_s
        )
        answer = self._line().transmit(step)
        if isinstance(answer, Fault):
            raise Silent(answer.words)
        return answer

    def close(self) -> None:
        """Close the connections; the next request opens others."""
        with self._lock:
            connections, self._connections = self._connections, None
        if connections is not None:
            connections.close()

    def _line(self) -> Connections:
        with self._lock:
            if self._connections is None:
                self._connections = Connections(
                    _address(self._url),
                    pool_size=self._connections_max,
                    max_response_bytes=_ANSWER_MAX,
                    ca_certs=None,
                    clock=time.monotonic,
                    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
                    summed_by=b"x-amz-crc32",
                )
            return self._connections

    def _keys(self) -> Keys:
        with self._lock:
            if self._credentials is None:
                self._credentials = found(self._wanted_by)
        try:
            return self._credentials.get_frozen_credentials()
        except Exception as error:  # noqa: BLE001 - whatever a credential provider meets; its words may hold keys
            raise NoKeys(type(error).__name__) from None


def usual_address(service: str, region: str) -> str:
    """Where a service of a region is, unless somebody has said otherwise."""
    suffix = next((name for begin, name in _SUFFIXES.items() if region.startswith(begin)), "amazonaws.com")
    return f"https://{service}.{region}.{suffix}"


def sound(url: str) -> bool:
    """Whether this is an address that can be asked: what cannot is better told when it is named."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return Address(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme], "")
