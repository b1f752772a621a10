"""What a TLS connection to Bootpay must prove."""

from __future__ import annotations

import ssl

from dojang.errors import ConfigError

__all__ = ["tls_context"]


def tls_context(ca_certs: str | None) -> ssl.SSLContext:
    """Certificates and host names are checked; `ca_certs` names a file that is trusted instead of the system's.

    Raises:
        ConfigError: The file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_certs)
    except OSError:
        raise ConfigError("ca_certs must name a readable file of certificates (PEM)") from None
