"""Keys open the shop's routes; nothing secret ever reaches a log or an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dojang.web.routes import WebOptions
from dojang.web.table import ROUTES

if TYPE_CHECKING:
    from conftest import Shop

OpenShop = Callable[..., "Shop"]
KEYED = [route for route in ROUTES if route.keyed]
SECRET = "sesame-0123456789-open"


def _path(route: Any) -> str:
    return str(route.path).replace("{order_id}", "o1").replace("{delivery_id}", "d1")


def test_the_shops_routes_need_a_key_and_the_others_none() -> None:
    """The split of the contract, written out: a new route must be put on one side by hand."""
    keyed = {f"{route.method} {route.path}" for route in KEYED}
    open_to_all = {f"{route.method} {route.path}" for route in ROUTES} - keyed

    assert {
        "POST /v1/orders",
        "GET /v1/orders",
        "GET /v1/orders/{order_id}",
        "GET /v1/orders/{order_id}/history",
        "POST /v1/deliveries/{delivery_id}/retry",
        "POST /v1/orders/{order_id}/cancel",
        "POST /v1/orders/{order_id}/resolve",
        "POST /v1/reconcile",
    } == keyed
    assert {
        "GET /v1/orders/{order_id}/state",
        "POST /v1/orders/{order_id}/verify",
        "POST /webhooks/bootpay",
        "POST /webhooks/bootpay/v1",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /openapi.json",
    } == open_to_all


@pytest.mark.parametrize("route", KEYED, ids=lambda route: route.name)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic c2VzYW1lOg==",
        SECRET,
        f"Bearer {SECRET}x",
        f"Bearer {SECRET[:-1]}",
        f"Bearer {SECRET},Bearer {SECRET}",
        "Bearer \udcff",
        "Bearer 열려라",
    ],
)
def test_without_the_right_key_it_is_401(open_shop: OpenShop, route: Any, header: str | None) -> None:
    """With WWW-Authenticate, before anything else is looked at, and nothing is stored."""
    shop = open_shop(WebOptions(api_keys=(SECRET, "another-key-0123456789")))
    headers = {} if header is None else {"authorization": header}
    answer = shop.ask(route.method, _path(route), b"garbage", key=None, headers=headers)

    assert (401, "unauthorized") == (answer.status, answer.code)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (0, 0, 0) == shop.memory.stored


@pytest.mark.parametrize("key", [SECRET, "another-key-0123456789"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_every_configured_key_opens(open_shop: OpenShop, key: str, scheme: str) -> None:
    """So keys can be rotated; the scheme's name is read in any case."""
    shop = open_shop(WebOptions(api_keys=(SECRET, "another-key-0123456789")))

    assert 200 == shop.ask("GET", "/v1/orders", headers={"authorization": f"{scheme} {key}"}).status


@pytest.mark.parametrize("route", KEYED, ids=lambda route: route.name)
def test_without_configured_keys_the_routes_are_closed(open_shop: OpenShop, route: Any) -> None:
    """503 with a sentence that names the setting; never open, whatever is sent."""
    shop = open_shop(WebOptions())
    answers = [shop.ask(route.method, _path(route), key=key) for key in (None, "", "anything")]

    assert [(503, "no_api_keys", False)] * 3 == [
        (answer.status, answer.code, answer.json["retryable"]) for answer in answers
    ]
    assert "DOJANG_API_KEYS" in answers[0].json["detail"]
    assert "DOJANG_API_KEYS" in answers[0].json["detail_ko"]


def test_no_secret_reaches_a_log_an_answer_or_a_repr(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys, private_key, card and buyer data, even when everything goes wrong at once."""
    caplog.set_level(logging.DEBUG)
    options = WebOptions(api_keys=(SECRET,), webhook_private_key="our-private-key")
    shop = open_shop(options)
    shop.bootpay.error = RuntimeError(f"boom {SECRET} our-private-key")
    webhook = {
        "receipt_id": "5fffab350c20b903e88a2cff",
        "private_key": "their-private-key",
        "card_no": "1234-5678",
        "user": {"phone": "010-1234-5678"},
    }
    answers = [
        shop.register(),
        shop.ask("POST", "/v1/orders", b"garbage", headers={"authorization": f"Bearer {SECRET}"}),
        shop.ask("GET", "/v1/orders", headers={"authorization": "Bearer their-key"}),
        shop.verify("5fffab350c20b903e88a2cff"),
        shop.ask("POST", "/webhooks/bootpay/v1", webhook),
        shop.ask("POST", "/webhooks/bootpay/v1", webhook | {"private_key": "our-private-key"}),
        shop.ask("POST", "/webhooks/bootpay", webhook),
        shop.ask("GET", "/metrics"),
    ]
    told = caplog.text + repr(options) + repr(shop.api) + "".join(answer.body.decode() for answer in answers)
    secrets = [SECRET, "our-private-key", "their-private-key", "their-key", "1234-5678", "010-1234"]

    assert [] == [secret for secret in secrets if secret in told]
