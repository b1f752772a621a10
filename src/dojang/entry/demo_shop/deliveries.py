"""Is this delivery dojang's? Standard Webhooks: an id, a fresh timestamp, a signature over both and the body."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping

import msgspec

from dojang.adapters.signature import signed_headers

__all__ = ["BODY_MAX", "BadDelivery", "Message", "read_delivery"]

BODY_MAX = 64 * 1024
"""The most that a delivery may have, in bytes."""

TOLERANCE_S = 300


class BadDelivery(Exception):
    """What came is no delivery of dojang's; the sentence says why.

    Attributes:
        status: What to answer.
    """

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


class Message(msgspec.Struct, frozen=True):
    """What a delivery tells."""

    type: str
    data: dict[str, object]
    timestamp: str = ""


def read_delivery(
    headers: Mapping[str, str], body: bytes, secrets: str, *, now_s: float | None = None
) -> tuple[str, Message]:
    """The id and the message of a delivery whose signature is right.

    Args:
        headers: Of the request, names in lower case.
        body: Exactly the bytes that came.
        secrets: `whsec_…`, several while rotating, separated by spaces.
        now_s: The present, for tests.

    Raises:
        BadDelivery: It is not signed by dojang, too old, or no message.
    """
    if not secrets:
        raise BadDelivery(503, "this shop knows no delivery secret, so it takes no deliveries")
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    presented = headers.get("webhook-signature", "").split(" ")
    if not message_id or not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 15):
        raise BadDelivery(400, "webhook-id and webhook-timestamp are needed")
    if abs((time.time() if now_s is None else now_s) - int(stamp)) > TOLERANCE_S:
        raise BadDelivery(400, "the timestamp is too far from now")
    right = signed_headers(secrets.split(), message_id, int(stamp), body)["webhook-signature"].split(" ")
    # Compared without stopping at the first match, so that timing tells nothing.
    matches = [
        hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())
        for one in presented
        for other in right
    ]
    if not any(matches):
        raise BadDelivery(401, "the signature is wrong")
    try:
        return message_id, msgspec.json.decode(body, type=Message)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadDelivery(400, "the body is no delivery") from None
