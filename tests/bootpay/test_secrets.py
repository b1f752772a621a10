"""No key, token, card number or buyer data in the repr of anything, nor in an error."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.pretty import pprint

from dojang.bootpay import AsyncBootpay, Bootpay, Item, Refund, User, parse_webhook
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import BearerToken, NeedToken, Transmit, conversation
from dojang.bootpay.endpoints import authentication, automatic_transfer, billing_keys, easy_pay, tokens
from dojang.errors import DojangError

SAMPLES = Path(__file__).parent.parent / "samples" / "bootpay"
SECRETS = {
    "client_key": "CK-HIDDEN-1",
    "secret_key": "SK-HIDDEN-2",
    "application_id": "APP-HIDDEN-3",
    "private_key": "PK-HIDDEN-4",
}
HIDDEN_FIELDS = {
    "access_token",
    "user_token",
    "billing_key",
    "card_no",
    "card_approve_no",
    "card_auth_no",
    "card_hash",
    "bank_account",
    "bank_username",
    "sender_name",
    "username",
    "phone",
    "email",
    "auth_no",
    "name",
    "birth",
    "unique",
    "private_key",
    "receipt_url",
    "identity_no",
    "account",
}
SHORT = 3
"""Texts this short occur by accident."""


def hidden_values(body: Any) -> Iterator[str]:
    """Every text in a body that must never be shown."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name in HIDDEN_FIELDS and isinstance(value, str) and len(value) > SHORT:
                yield value
            yield from hidden_values(value)
    elif isinstance(body, list):
        for element in body:
            yield from hidden_values(element)


def shown(value: object) -> str:
    """All ways of printing something."""
    out = io.StringIO()
    pprint(value, console=Console(file=out, width=200))
    return "\n".join([repr(value), str(value), out.getvalue()])


def test_types_show_only_what_they_list() -> None:
    """Every recorded answer, decoded and printed, shows nothing that identifies a card, an account or a buyer."""
    from dojang.bootpay.endpoints import cash_receipts, payments, subscriptions

    readers = [
        payments.receipt("645c58be755e270022e1e8db").read,
        payments.lookup_order("o").read,
        billing_keys.billing_key("645c58be755e270022e1e8db").read,
        billing_keys.destroy_billing_key("645c58be755e270022e1e8db").read,
        subscriptions.reserved_payment("645c58be755e270022e1e8db").read,
        authentication.certificate("645c58be755e270022e1e8db").read,
        cash_receipts.cancel_cash_receipt("645c58be755e270022e1e8db").read,
        tokens.request_token(application_id="a", private_key="p").read,
        easy_pay.request_user_token("u").read,
        easy_pay.service_wallet().read,
    ]
    printed = 0
    for path in sorted(SAMPLES.glob("v2_*.json")):
        body = path.read_bytes()
        for read in readers:
            try:
                value = read(body)
            except ValueError:
                continue  # not a body of this type
            text = shown(value)
            for part in parts(value):
                text += shown(part)
            printed += 1
            for secret in hidden_values(json.loads(body)):
                assert secret not in text, (path.name, type(value))
    assert printed > 40


def parts(value: Any) -> Iterator[Any]:
    """The sub-objects of a decoded value, and theirs."""
    if isinstance(value, list):
        for element in value:
            yield from parts(element)
        return
    for name in getattr(value, "__struct_fields__", ()):
        part = getattr(value, name)
        if hasattr(part, "__struct_fields__"):
            yield part
            yield from parts(part)


@pytest.mark.parametrize(
    "path",
    sorted({*SAMPLES.glob("*_webhook_*")} - {SAMPLES / "v2_webhook_ack.json"}),
    ids=lambda path: path.name,
)
def test_webhooks_show_no_secret(path: Path) -> None:
    """A notification carries the project's key, cards and buyers; printing it shows none of them."""
    webhook = parse_webhook(path.read_bytes(), None, 1)
    text = shown(webhook).replace(webhook.receipt_id, "")

    for secret in [*hidden_values(webhook.raw), "<PRIVATE_KEY>"]:
        if secret not in (webhook.order_id, webhook.raw.get("name")):
            assert secret not in text


def test_clients_show_no_key() -> None:
    """A client shows where it calls and how it signs in."""
    for client in (Bootpay(**SECRETS), AsyncBootpay(**SECRETS)):
        for value in (client, client.v1, client.within(5), client._line, client._line.account):
            assert "HIDDEN" not in shown(value)


def test_calls_show_no_argument() -> None:
    """A call shows its method and path without ids: billing keys and card data stay inside."""
    key = "62b3d166cf9f6d001bd20d59"
    calls = [
        billing_keys.billing_key(key),
        billing_keys.destroy_billing_key(key),
        tokens.request_token(application_id=SECRETS["application_id"], private_key=SECRETS["private_key"]),
        billing_keys.request_billing_key(
            pg="nicepay",
            order_name="n",
            subscription_id="s",
            card_no="4111-HIDDEN",
            card_pw="HIDDEN",
            card_identity_no="HIDDEN",
            card_expire_year="HIDDEN",
            card_expire_month="HIDDEN",
            user=User(username="HIDDEN", phone="HIDDEN"),
        ),
        automatic_transfer.request_automatic_transfer(
            pg="nicepay",
            order_name="n",
            subscription_id="s",
            username="HIDDEN",
            bank_name="국민",
            bank_account="HIDDEN",
            identity_no="HIDDEN",
            phone="HIDDEN",
        ),
    ]
    for call in calls:
        text = shown(call) + shown(call.label)

        assert "HIDDEN" not in text
        assert key not in text


def test_inner_values_show_no_secret() -> None:
    """What passes between the parts of a client is silent too: a debugger's or a log's repr must not leak."""
    client = Bootpay(**SECRETS)
    talk = conversation(client._line, billing_keys.billing_key("62b3d166cf9f6d001bd20d59"), None)
    step = next(talk)
    values = [
        step,
        talk,
        BearerToken("T-HIDDEN", 1.0),
        NeedToken(1, "T-HIDDEN"),
        Answer(200, b"HIDDEN"),
        User(username="HIDDEN", email="HIDDEN"),
        Refund(bank_account="HIDDEN", bank_username="HIDDEN", bank_code="004"),
        Item(id="i", name="HIDDEN", qty=1, price=1),
    ]
    assert isinstance(step, Transmit)

    for value in values:
        assert "HIDDEN" not in shown(value)
        assert "62b3d166cf9f6d001bd20d59" not in shown(value)
        assert "Q0st" not in shown(value)


@pytest.mark.parametrize("play", ["close", "html", "wrong", "refused", "odd headers"])
def test_errors_and_logs_hold_no_secret(
    play: str, caller: Any, server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong, neither the error, its chain nor any log line has a key, a billing key or an argument."""
    caplog.set_level(logging.DEBUG)
    caller.make(url=server.url, **SECRETS)
    key = "62b3d166cf9f6d001bd20d59"
    plays = {
        "close": server.close,
        "html": server.answer(502, b"<html>"),
        "wrong": server.json(200, {"billing_key": {"card_no": "4111-HIDDEN"}}),
        "refused": server.json(400, {"error_code": "X", "message": "y"}),
        "odd headers": server.raw(b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\n{}"),
    }
    server.script = [plays[play]] * 3

    with pytest.raises(DojangError) as caught:
        caller.do("destroy_billing_key", key)
    text = "\n".join([*everything_of(caught.value), *(record.getMessage() for record in caplog.records)])
    assert "HIDDEN" not in text
    assert key not in text
    assert "Q0st" not in text


def everything_of(error: BaseException | None) -> Iterator[str]:
    """An error, its repr, and all that a traceback would print before it."""
    while error is not None:
        yield f"{error} {error!r} {error.args}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
