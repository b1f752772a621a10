"""Standard Webhooks signatures: https://github.com/standard-webhooks/standard-webhooks (specification 1.0).

Six lines of HMAC instead of the reference package, which would bring an HTTP client, a date library and more into
every installation; the tests check each signature with that package.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from dojang.errors import ConfigError

__all__ = ["signed_headers"]


def signed_headers(secrets: Sequence[str], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers of one message, with a signature for every secret while secrets are being rotated.

    Args:
        secrets: `whsec_` and base64, newest first.
        message_id: The same at every attempt.
        timestamp_s: Unix seconds of this attempt.
        body: Exactly the bytes that are sent.
    """
    content = f"{message_id}.{timestamp_s}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.new(_key(secret), content, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signatures),
    }


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ConfigError("DOJANG_DELIVER_SECRET must be whsec_ followed by base64.") from None
