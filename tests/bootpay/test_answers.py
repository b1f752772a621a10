"""Whatever comes back is a result, a refusal or an unknown outcome: three ways, and no fourth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from dojang.bootpay import Answer, Call, Receipt
from dojang.bootpay.answers import credentials_refused, result_of
from dojang.bootpay.endpoints import billing_keys, payments
from dojang.errors import OutcomeUnknown, Refused

SAMPLES = Path(__file__).parent.parent / "samples" / "bootpay"
ID = "645c58be755e270022e1e8db"
PAID = json.loads((SAMPLES / "v2_receipt_card_paid.json").read_bytes())
BILLING = json.loads((SAMPLES / "v2_billing_key_lookup_bank.json").read_bytes())

scalars = strategies.one_of(
    strategies.none(),
    strategies.booleans(),
    strategies.integers(),
    strategies.floats(),
    strategies.text(max_size=8),
    strategies.sampled_from(
        ["", "1", "1.0", "NaN", "2026-05-20", "2026-05-20 15:10:02", "9" * 5000, 1e308, 10**400]
    ),
)
anything = strategies.recursive(
    scalars,
    lambda inner: strategies.one_of(
        strategies.lists(inner, max_size=3),
        strategies.dictionaries(strategies.text(max_size=4), inner, max_size=3),
    ),
    max_leaves=6,
)


def judged(call: Call[Any], status: int, body: bytes) -> object:
    """The result, or which of our errors it was."""
    answer = Answer(status, body)
    credentials_refused(call, answer)
    try:
        return result_of(call, answer)
    except (OutcomeUnknown, Refused) as error:
        return type(error) if str(error) else None


@given(strategies.sampled_from(sorted(PAID)), anything)
def test_any_value_in_any_field(field: str, value: object) -> None:
    """One field of a paid receipt is replaced by anything: still a receipt with exact money, or an unknown outcome."""
    found = judged(payments.confirm(ID), 200, json.dumps({**PAID, field: value}).encode())

    if isinstance(found, Receipt):
        assert found.price >= 0
        assert found.price == found.price.to_integral_value() or found.currency != "KRW"
        assert type(found.status) is int
        assert isinstance(repr(found), str)
    else:
        assert OutcomeUnknown is found


@given(strategies.sampled_from(sorted(PAID["card_data"])), anything)
def test_any_value_in_a_part(field: str, value: object) -> None:
    """The same inside a sub-object."""
    body = {**PAID, "card_data": {**PAID["card_data"], field: value}}
    found = judged(payments.receipt(ID), 200, json.dumps(body).encode())

    assert isinstance(found, Receipt) or found is OutcomeUnknown


@given(strategies.sampled_from(sorted(BILLING)), anything)
def test_any_value_in_a_billing_key(field: str, value: object) -> None:
    """The same for a billing key and the receipt inside it."""
    found = judged(
        billing_keys.billing_key_of_receipt(ID), 200, json.dumps({**BILLING, field: value}).encode()
    )

    assert isinstance(found, billing_keys.Billing) or found is OutcomeUnknown


@given(
    strategies.integers(200, 599), strategies.one_of(strategies.binary(max_size=60), anything.map(json.dumps))
)
def test_any_answer_to_a_confirmation(status: int, body: bytes | str) -> None:
    """Any status with any body: money is never taken for moved, and 5xx is never taken for a refusal."""
    found = judged(payments.confirm(ID), status, body.encode() if isinstance(body, str) else body)

    assert found in (OutcomeUnknown, Refused)
    if status >= 500:
        assert OutcomeUnknown is found


@given(strategies.integers(200, 599), anything, anything, anything)
def test_any_error_body(status: int, code: object, message: object, pg_code: object) -> None:
    """Any types in an error body."""
    body = json.dumps({"error_code": code, "message": message, "pg_error_code": pg_code}).encode()

    for call in (payments.confirm(ID), payments.receipt(ID)):
        assert judged(call, status, body) in (OutcomeUnknown, Refused)


@given(strategies.integers(200, 599), anything, anything, anything)
def test_any_envelope(status: int, own: object, code: object, data: object) -> None:
    """Any types in an envelope of generation 1."""
    call: Call[bytes] = Call(method="POST", path="cancel.json", read=bytes, generation=1, moves_money=True)
    body = json.dumps({"status": own, "code": code, "message": "m", "data": data}).encode()
    found = judged(call, status, body)

    # Success means HTTP 2xx, status 200 and code 0 (or silence about them), and nothing else.
    fine = 200 <= status < 300 and own in (None, 200) and code in (None, 0)
    assert isinstance(found, bytes) <= fine


@pytest.mark.parametrize("message", ["가" * 10_000, "line\nbreak\x1b[31m", 7, None, {"a": 1}])
def test_messages_fit_a_log(message: object) -> None:
    """Bootpay's words are kept, but cut and without control characters."""
    body = json.dumps({"error_code": "X", "message": message}).encode()

    with pytest.raises(Refused) as caught:
        result_of(payments.confirm(ID), Answer(400, body))
    assert len(caught.value.message) <= 500
    assert caught.value.message.isprintable()
