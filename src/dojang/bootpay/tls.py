"""What a TLS connection to Bootpay must prove."""

from __future__ import annotations

import os
import ssl
from functools import cache

from dojang.errors import ConfigError

__all__ = ["shared_tls_context", "tls_context"]


def tls_context(ca_certs: str | None) -> ssl.SSLContext:
    """Certificates and host names are checked; `ca_certs` names a file that is trusted instead of the system's.

    Raises:
        ConfigError: The file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_certs)
    except OSError:
        raise ConfigError("ca_certs must name a readable file of certificates (PEM)") from None


def shared_tls_context() -> ssl.SSLContext:
    """One context for all connections over sockets that trust what the system trusts.

    To read that takes 15 ms of a processor, and a function that starts cold connects to three services.
    """
    # OpenSSL's own names for what the system trusts.
    return _trusting(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _trusting(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    return tls_context(None)
