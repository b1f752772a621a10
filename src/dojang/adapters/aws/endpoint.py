"""One service of AWS in one region: a POST of JSON over urllib3, signed as botocore would."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from dojang.adapters.aws.credentials import Credentials, Keys, NoKeys, found
from dojang.adapters.aws.opening import PromptHTTPConnection, PromptHTTPSConnection
from dojang.adapters.aws.signature import signed_headers
from dojang.bootpay.tls import shared_tls_context

__all__ = ["Endpoint", "Silent", "sound", "usual_address"]

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
        connections_max: How many connections are kept open.
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
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._credentials: Credentials | None = None

    def post(self, target: str, body: bytes, timeout: urllib3.Timeout) -> urllib3.BaseHTTPResponse:
        """Ask for one operation; the answer, whatever its status.

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
        try:
            return self._connections().urlopen(
                "POST", "/", body=body, headers=headers, retries=False, redirect=False, timeout=timeout
            )
        except (HTTPError, OSError) as error:
            raise Silent(type(error).__name__) from None

    def close(self) -> None:
        """Close the connections; the next request opens others."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _connections(self) -> urllib3.HTTPConnectionPool:
        with self._lock:
            if self._pool is None:
                secure = self._url.startswith("https:")
                tls = {"ssl_context": shared_tls_context()} if secure else {}
                pool = urllib3.connection_from_url(self._url, maxsize=self._connections_max, **tls)
                pool.ConnectionCls = PromptHTTPSConnection if secure else PromptHTTPConnection
                self._pool = pool
            return self._pool

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
