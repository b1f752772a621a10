"""The table of routes as an OpenAPI 3.1 document, made from the very types that are read and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from dojang.core.cancellation import WhyNot
from dojang.core.verification import Reason
from dojang.web.desk import Route
from dojang.web.problems import Code, Problem, statuses
from dojang.web.table import ROUTES

__all__ = ["document"]

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_PARAMETERS: Mapping[str, Json] = {
    "order_id": {"type": "string", "pattern": "^[A-Za-z0-9._~:-]{1,64}$", "minLength": 1, "maxLength": 64},
    "delivery_id": {
        "type": "string",
        "pattern": "^[A-Za-z0-9._~:@-]{1,200}$",
        "minLength": 1,
        "maxLength": 200,
    },
}
_EXAMPLES: Mapping[str, str] = {"order_id": "order-1042", "delivery_id": "order-1042:2:order_paid"}
_RETRY_AFTER: Json = {
    "description": "Ask again after so many seconds.",
    "schema": {"type": "integer", "minimum": 0},
}
_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": (
        "A new one for each cancel, the same one to ask again. A key counts within its order: under another order the "
        "same text is another key. Once a cancel has been begun under a key, the key is its own for ever, Bootpay's "
        "refusal included: the same body gets the same answer (Idempotency-Replayed: true), another body gets 422. "
        "A refusal that began nothing (such as not_paid or amount_too_large) uses no key up: the request is judged "
        "afresh when it comes again, mended or once the order stands otherwise. If it must not be carried out later, "
        "do not send it again, and name expected_remaining."
    ),
    "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$", "minLength": 1, "maxLength": 255},
    "example": "refund-77",
}
_REPLAYED: Json = {
    "description": "`true` where the first answer under this Idempotency-Key is repeated.",
    "schema": {"type": "string", "const": "true"},
}
_RETRIED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_REPLAYABLE = (HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY)
_WORDS: Mapping[str, str] = {
    "dojang": "Has this order really been paid, exactly once? / 이 주문은 정말로, 정확히 한 번 결제되었는가?",
}


def document(routes: Iterable[Route] = ROUTES) -> Json:
    """The OpenAPI document."""
    routes = tuple(routes)
    types: list[Any] = [Problem]
    for route in routes:
        types += [kind for kind in (route.body, *route.answers.values()) if isinstance(kind, type)]
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    _open_events(components)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dojang",
            "version": _version(),
            "summary": _WORDS["dojang"],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "One of DOJANG_API_KEYS: for the shop's own servers, never for a browser.",
                }
            },
        },
    }


def _operation(route: Route) -> Json:
    operation: Json = {"operationId": route.name, "summary": route.words, "responses": _responses(route)}
    operation["security"] = [{"apiKey": []}] if route.keyed else []
    parameters: list[Json] = [
        {
            "name": parameter.name,
            "in": "query",
            "required": False,
            "schema": parameter.schema,
            "description": parameter.words,
        }
        for parameter in route.query
    ]
    if route.parameter is not None:
        parameters.append(
            {
                "name": route.parameter,
                "in": "path",
                "required": True,
                "schema": _PARAMETERS[route.parameter],
                "example": _EXAMPLES[route.parameter],
            }
        )
    if route.once:
        parameters.append(_KEY)
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        media: Json = {"schema": {"$ref": _REF.format(name=route.body.__name__)}}
        if route.example is not None:
            media["example"] = route.example
        content = dict.fromkeys(route.media, media)
        operation["requestBody"] = {"required": route.body_needed, "content": content}
    return operation


def _responses(route: Route) -> Json:
    responses: Json = {}
    for status, kind in route.answers.items():
        if isinstance(kind, str):
            content: Json = {kind: {"schema": {"type": "string"}}}
        else:
            content = {_JSON: {"schema": {"$ref": _REF.format(name=kind.__name__)}}}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
        if status == HTTPStatus.ACCEPTED:
            responses[str(status)]["headers"] = {"Retry-After": _RETRY_AFTER}
    for status, codes in _by_status(route).items():
        there = responses.setdefault(str(status), {"description": HTTPStatus(status).phrase, "content": {}})
        there["content"]["application/problem+json"] = {
            "schema": {
                "allOf": [
                    {"$ref": _REF.format(name=Problem.__name__)},
                    {"properties": {"status": {"const": status}, "code": {"enum": codes}}},
                ]
            }
        }
        if status in _RETRIED or (status == HTTPStatus.CONFLICT and route.once):
            there["headers"] = {"Retry-After": _RETRY_AFTER}
    if route.once:
        for status in _REPLAYABLE:
            responses[str(int(status))].setdefault("headers", {})["Idempotency-Replayed"] = _REPLAYED
    return dict(sorted(responses.items()))


def _by_status(route: Route) -> dict[int, list[str]]:
    codes: list[StrEnum] = [*(WhyNot if route.cancels else ()), *route.problems, Code.INTERNAL_ERROR]
    if route.keyed:
        codes += [Code.UNAUTHORIZED, Code.NO_API_KEYS]
    if route.body is not None:
        codes.append(Code.REQUEST_TIMEOUT)
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        assert isinstance(code, Code | Reason | WhyNot)
        by_status.setdefault(statuses(code), []).append(code.value)
    return by_status


def _open_events(components: Json) -> None:
    """An event's further fields depend on what happened; the document says that there may be some."""
    for name in {"ShownEvent"} & set(components):
        components[name]["additionalProperties"] = True


def _version() -> str:
    try:
        return version("dojang")
    except PackageNotFoundError:
        return "0"
