"""What machines and browsers ask around the API itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dojang.errors import StoreUnavailable
from dojang.web.routes import WebOptions
from dojang.web.table import ROUTES

if TYPE_CHECKING:
    from conftest import Shop

OpenShop = Callable[..., "Shop"]
BROWSER_PATHS = {"/v1/orders/{order_id}/verify", "/v1/orders/{order_id}/state"}
PATHS = sorted({route.path for route in ROUTES})


def _filled(path: str) -> str:
    return path.replace("{order_id}", "o1").replace("{delivery_id}", "d1")


def test_it_lives_and_is_ready(shop: Shop) -> None:
    """/healthz says that the process runs, /readyz that its store answers."""
    alive, ready = shop.ask("GET", "/healthz", key=None), shop.ask("GET", "/readyz", key=None)

    assert (200, {"status": "ok"}, 200, {"status": "ready"}) == (
        alive.status,
        alive.json,
        ready.status,
        ready.json,
    )


@pytest.mark.parametrize("error", [StoreUnavailable("disk full"), RuntimeError("bug")], ids=str)
def test_it_is_not_ready_without_its_store(shop: Shop, error: Exception) -> None:
    """503, but it lives."""
    shop.memory.error = error
    ready = shop.ask("GET", "/readyz", key=None)

    assert (503, {"status": "not_ready"}) == (ready.status, ready.json)
    assert 200 == shop.ask("GET", "/healthz", key=None).status


@pytest.mark.parametrize("ready", [True, False])
def test_whoever_serves_may_say_what_ready_means(open_shop: OpenShop, ready: bool) -> None:
    """The hook decides instead of the store."""

    async def hook() -> bool:
        return ready

    shop = open_shop(WebOptions(ready=hook))

    assert (200 if ready else 503) == shop.ask("GET", "/readyz", key=None).status


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/v1",
        "/v1/",
        "/v1/orders/",
        "/v1/orders//verify",
        "/v1/orders/o1/",
        "/v1/orders/o1/verify/",
        "/v1/orders/o1/verify/x",
        "/v1/orders/o1/nothing",
        "//v1/orders",
        "/V1/orders",
        "/v1/orders%2Fo1",
        "/v1/deliveries/d1",
        "/webhooks/bootpay/",
        "/webhooks/bootpay/v2",
        "/.env",
        "/v1/orders/o1/cancel/k1",
        "/v1/reconcile/",
        "*",
        "http://evil.example/v1/orders",
    ],
)
def test_what_is_not_served_is_404(shop: Shop, path: str) -> None:
    """Close is not enough, and nothing is a stub."""
    answers = [shop.ask(method, path) for method in ("GET", "POST", "OPTIONS", "BREW")]

    assert [(404, "not_found")] * 4 == [(answer.status, answer.code) for answer in answers]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW", "get"])
def test_a_wrong_method_is_405_and_says_which_are_right(shop: Shop, path: str, method: str) -> None:
    """The header Allow lists them."""
    answer = shop.ask(method, _filled(path))
    allowed = set(answer.headers["allow"].split(", "))
    served = {route.method for route in ROUTES if route.path == path}

    assert (405, "method_not_allowed") == (answer.status, answer.code)
    assert served | {"OPTIONS"} | ({"HEAD"} if "GET" in served else set()) == allowed


@pytest.mark.parametrize("path", PATHS)
def test_options_tells_the_methods(shop: Shop, path: str) -> None:
    """204 without a body, without a key; browsers may come from anywhere to two routes only."""
    answer = shop.ask("OPTIONS", _filled(path), key=None)
    open_to_pages = answer.headers.get("access-control-allow-origin") == "*"

    assert (204, b"", path in BROWSER_PATHS) == (answer.status, answer.body, open_to_pages)
    assert "OPTIONS" in answer.headers["allow"]
    assert "access-control-allow-credentials" not in answer.headers


def test_a_page_of_another_origin_may_verify(shop: Shop) -> None:
    """The preflight allows the method and the content type; every answer, errors too, may be read."""
    shop.register()
    preflight = shop.ask("OPTIONS", "/v1/orders/o1/verify", key=None)
    answers = [shop.verify(shop.receipt()), shop.verify("nonsense"), shop.ask("GET", "/v1/orders/o1/state")]

    assert ("POST", "Content-Type") == (
        preflight.headers["access-control-allow-methods"],
        preflight.headers["access-control-allow-headers"],
    )
    assert [(200, "*"), (400, "*"), (200, "*")] == [
        (answer.status, answer.headers["access-control-allow-origin"]) for answer in answers
    ]
    assert "access-control-allow-origin" not in shop.ask("GET", "/v1/orders/o1").headers


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.name
)
def test_head_is_get_without_the_body(shop: Shop, route: Any) -> None:
    """The same status and headers, and the length the body would have."""
    shop.register()
    path = _filled(route.path)
    got, head = shop.ask("GET", path), shop.ask("HEAD", path)

    assert (got.status, b"") == (head.status, head.body)
    if route.path != "/metrics":  # which counts the first of the two
        assert str(len(got.body)) == head.headers["content-length"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_answer_is_stored_on_the_way_or_guessed_at(shop: Shop, route: Any) -> None:
    """`Cache-Control: no-store` and `nosniff` on every answer, whatever it is."""
    answer = shop.ask(route.method, _filled(route.path))

    assert ("no-store", "nosniff") == (
        answer.headers["cache-control"],
        answer.headers["x-content-type-options"],
    )


def test_metrics_are_counted_by_route_not_by_order(shop: Shop) -> None:
    """Templates as labels: a million orders are one line."""
    for number in range(3):
        shop.register(f"o{number}")
        shop.ask("GET", f"/v1/orders/o{number}/state", key=None)
    shop.verify(shop.receipt())
    shop.ask("GET", "/wp-login.php")
    text = shop.ask("GET", "/metrics", key=None).body.decode()

    assert 'dojang_http_requests_total{route="/v1/orders/{order_id}/state",status="200"} 3' in text
    assert 'dojang_http_requests_total{route="unmatched",status="404"} 1' in text
    assert 'dojang_verifications_total{outcome="paid"} 1' in text
    assert "o1" not in text
    assert "wp-login" not in text


def test_metrics_are_valid_prometheus_text(shop: Shop) -> None:
    """Every line is a comment or a sample; buckets only grow; the last one is the count."""
    shop.register()
    shop.api.metrics.deliveries.add('odd "\\\n label')
    lines = shop.ask("GET", "/metrics", key=None).body.decode().splitlines()
    sample = re.compile(r'[a-z_]+(\{[a-z_]+="([^"\\\n]|\\.)*"(,[a-z_]+="([^"\\\n]|\\.)*")*\})? [0-9.]+')
    buckets = [
        int(line.rpartition(" ")[2])
        for line in lines
        if line.startswith('dojang_http_request_seconds_bucket{route="/v1/orders",')
    ]

    assert [] == [line for line in lines if not line.startswith("# ") and not sample.fullmatch(line)]
    assert sorted(buckets) == buckets
    assert 'dojang_http_request_seconds_count{route="/v1/orders"} 1' in lines
    assert 1 == buckets[-1]
