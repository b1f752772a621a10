"""The OpenAPI document is the table of routes, nothing more and nothing less."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import msgspec
import pytest

from dojang.core.cancellation import WhyNot
from dojang.core.verification import Reason
from dojang.web.openapi import document
from dojang.web.problems import Code, statuses
from dojang.web.table import ROUTES

if TYPE_CHECKING:
    from conftest import Shop

DOCUMENT = document()
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


def test_every_route_is_described_and_nothing_else() -> None:
    """The table and the document name the same methods and paths."""
    assert {(route.method, route.path) for route in ROUTES} == set(OPERATIONS)


def test_operation_ids_are_unique() -> None:
    """Generated clients name their functions after them."""
    ids = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(ids) == len(set(ids))


def test_what_is_served_is_the_document(shop: Shop) -> None:
    """/openapi.json gives what `document()` gives."""
    assert json.loads(json.dumps(DOCUMENT)) == shop.ask("GET", "/openapi.json", key=None).json


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    """JSON Schema 2020-12, as OpenAPI 3.1 wants it."""
    schemas = DOCUMENT["components"]["schemas"]
    references = set(_references(DOCUMENT))

    assert "3.1.0" == DOCUMENT["openapi"]
    assert {f"#/components/schemas/{name}" for name in schemas} >= references
    for schema in schemas.values():
        jsonschema_rs.meta.validate(schema)


def _references(value: object) -> list[str]:
    match value:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [reference for inner in value.values() for reference in _references(inner)]
        case list():
            return [reference for inner in value for reference in _references(inner)]
        case _:
            return []


@pytest.mark.parametrize("route", [route for route in ROUTES if route.example], ids=lambda route: route.name)
def test_every_example_is_accepted(shop: Shop, route: Any) -> None:
    """Whoever copies it gets no 400."""
    key = {"idempotency-key": "refund-1"} if route.once else {}
    answer = shop.ask(route.method, route.path.replace("{order_id}", "o1"), route.example, headers=key)

    assert 400 != answer.status
    assert "5" != str(answer.status)[0]


def test_the_shops_routes_ask_for_a_key() -> None:
    """And the others say that they do not."""
    secured = {place for place, operation in OPERATIONS.items() if operation["security"]}

    assert {(route.method, route.path) for route in ROUTES if route.keyed} == secured


def test_verify_lists_every_refusal_under_its_status() -> None:
    """409 for the two claims, 422 for the rest."""
    responses = OPERATIONS["POST", "/v1/orders/{order_id}/verify"]["responses"]

    def codes(status: int) -> set[str]:
        schema = responses[str(status)]["content"]["application/problem+json"]["schema"]
        return set(schema["allOf"][1]["properties"]["code"]["enum"])

    assert {"receipt_already_used", "order_already_paid"} == codes(409)
    assert {reason.value for reason in Reason} - codes(409) == codes(422)


def test_only_a_reconciliation_may_come_without_its_body() -> None:
    """There every field has a default; everywhere else something must be said."""
    free = [
        place
        for place, each in OPERATIONS.items()
        if not each.get("requestBody", {"required": True})["required"]
    ]

    assert [("POST", "/v1/reconcile")] == free


def test_a_cancel_lists_every_refusal_and_needs_its_key() -> None:
    """409 where the order stands otherwise, 422 where the request cannot be done; the header is described."""
    operation = OPERATIONS["POST", "/v1/orders/{order_id}/cancel"]
    responses = operation["responses"]
    headers = [parameter for parameter in operation["parameters"] if parameter["in"] == "header"]

    def codes(status: int) -> set[str]:
        schema = responses[str(status)]["content"]["application/problem+json"]["schema"]
        return set(schema["allOf"][1]["properties"]["code"]["enum"])

    assert {
        "not_paid",
        "already_cancelled",
        "cancel_in_progress",
        "needs_attention",
        "remaining_mismatch",
        "outcome_unknown",
    } == codes(409)
    assert {why.value for why in WhyNot} - codes(409) == codes(422)
    for promise in ("within its order", "for ever", "refusal that began nothing"):
        assert promise in headers[0]["description"]
    assert [("Idempotency-Key", True)] == [(header["name"], header["required"]) for header in headers]
    assert {"Idempotency-Replayed"} <= set(responses["200"]["headers"]) & set(responses["422"]["headers"])
    assert {"Retry-After"} <= set(responses["202"]["headers"]) & set(responses["409"]["headers"])


def test_every_code_has_a_status_of_its_meaning() -> None:
    """The codes of the contract, with the statuses it gives them."""
    contract = {
        "order_not_found": 404,
        "receipt_not_found": 404,
        "invalid_request": 400,
        "unauthorized": 401,
        "too_large": 413,
        "throttled": 429,
        "upstream_refused": 502,
        "upstream_unavailable": 503,
        "order_exists": 409,
        "nothing_to_resolve": 409,
    }

    assert contract == {name: statuses(Code(name)) for name in contract}


def test_a_document_of_some_routes_is_whole_too() -> None:
    """Nothing in it depends on all routes being there."""
    small = document([route for route in ROUTES if route.path == "/healthz"])

    assert {"/healthz"} == set(small["paths"])
    assert msgspec.json.encode(small)
