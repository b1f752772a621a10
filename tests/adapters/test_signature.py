"""Signatures as the reference package of Standard Webhooks makes and checks them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import standardwebhooks

from dojang.adapters.signature import signed_headers
from dojang.errors import ConfigError

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQ=")
MOMENT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"{}", '{"주문":"도장"}'.encode(), b"", b"[1.0,  2]"])
def test_each_signature_is_the_reference_packages(body: bytes) -> None:
    """In the order of the secrets, over the very bytes."""
    headers = signed_headers(SECRETS, "o-1:3", int(MOMENT.timestamp()), body)
    theirs = [standardwebhooks.Webhook(secret).sign("o-1:3", MOMENT, body.decode()) for secret in SECRETS]

    assert {
        "webhook-id": "o-1:3",
        "webhook-timestamp": str(int(MOMENT.timestamp())),
        "webhook-signature": " ".join(theirs),
    } == headers


def test_a_secret_that_is_none_is_a_sentence_without_it() -> None:
    """The key is named, its value is not."""
    with pytest.raises(ConfigError) as refused:
        signed_headers(["whsec_not base64!"], "o", 1, b"")

    assert "DOJANG_DELIVER_SECRET" in str(refused.value)
    assert "not base64" not in str(refused.value)
