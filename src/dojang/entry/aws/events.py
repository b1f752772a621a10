"""An event as AWS delivers it becomes a plain value, once; what is none of these is refused in one sentence.

The shapes are AWS's own: each type names the page that documents it. Fields that nobody reads are left where they are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final
from urllib.parse import quote

import msgspec

from dojang.errors import InvalidValue
from dojang.web.http import Request
from dojang.web.source import Networks, sender
from dojang.web.table import Table

__all__ = ["Asked", "Call", "Changed", "Event", "Face", "Scheduled", "read_event"]

_SAFE: Final = "%/:@!$&'()*+,;=~"
_NAMES_MAX: Final = 8
_TABLE: Final = Table()
_NO_PROXIES: Final = Networks(())


class Face(Enum):
    """In which shape the caller wants its answer."""

    REST = "API Gateway REST API"
    HTTP = "API Gateway HTTP API or function URL"
    BALANCER = "load balancer"
    BALANCER_MULTI = "load balancer with multi-value headers"


class Call(msgspec.Struct, frozen=True):
    """Somebody asks over HTTP."""

    request: Request
    face: Face


class Scheduled(msgspec.Struct, frozen=True):
    """It is time to look after what is unfinished and to hand over what is owed."""


class Changed(msgspec.Struct, frozen=True):
    """The store has new entries, so something may be owed."""


class Asked(msgspec.Struct, frozen=True):
    """Somebody who may invoke the function asks for an action.

    Attributes:
        action: What is asked.
        fields: The event as it came.
    """

    action: str
    fields: Mapping[str, object]


Event = Call | Scheduled | Changed | Asked
"""Everything that may call the function."""

Texts = dict[str, str | None]
Lists = dict[str, list[str] | None]


class _Identity(msgspec.Struct, rename="camel"):
    source_ip: str | None = None


class _RestContext(msgspec.Struct, rename="camel"):
    stage: str = ""
    identity: _Identity | None = None


class _Rest(msgspec.Struct, rename="camel"):
    """REST API: docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html ."""

    http_method: str
    path: str
    request_context: _RestContext
    resource: str = ""
    headers: Texts | None = None
    multi_value_headers: Lists | None = None
    query_string_parameters: Texts | None = None
    multi_value_query_string_parameters: Lists | None = None
    path_parameters: Texts | None = None
    body: str | None = None
    is_base64_encoded: bool = False


class _Balanced(msgspec.Struct, rename="camel"):
    """Load balancer: docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html ."""

    http_method: str
    path: str
    headers: Texts | None = None
    multi_value_headers: Lists | None = None
    query_string_parameters: Texts | None = None
    multi_value_query_string_parameters: Lists | None = None
    body: str | None = None
    is_base64_encoded: bool = False


class _HttpLine(msgspec.Struct, rename="camel"):
    method: str
    source_ip: str | None = None


class _HttpContext(msgspec.Struct, rename="camel"):
    http: _HttpLine
    stage: str = ""


class _Http(msgspec.Struct, rename="camel"):
    """HTTP API: docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html ."""

    raw_path: str
    request_context: _HttpContext
    raw_query_string: str = ""
    headers: Texts | None = None
    path_parameters: Texts | None = None
    route_key: str = ""
    body: str | None = None
    is_base64_encoded: bool = False


def read_event(event: object, proxies: Networks = _NO_PROXIES) -> Event:
    """Tell what an event is.

    Args:
        event: As Lambda hands it over.
        proxies: Our own proxies in front of the platform, whose `X-Forwarded-For` is believed.

    Raises:
        InvalidValue: If it is none that dojang knows, or not in the shape that its kind has.
    """
    if not isinstance(event, dict):
        raise InvalidValue("The event is no JSON object: see the page about Lambda for those dojang knows")
    try:
        return _read(event, proxies)
    except msgspec.ValidationError as error:
        raise InvalidValue(
            f"The event is not in the shape that AWS documents for its kind: {error}"
        ) from None
    except UnicodeEncodeError:
        # JSON can hold half a surrogate pair, where no text at all should be.
        raise InvalidValue(
            "The event holds text that is no Unicode where its kind has something else"
        ) from None


def _read(event: dict[str, object], proxies: Networks) -> Event:
    context = event.get("requestContext")
    if isinstance(context, dict) and "methodArn" not in event:
        if "elb" in context:
            return _balanced(msgspec.convert(event, _Balanced), proxies)
        if "http" in context:
            return _http(msgspec.convert(event, _Http), proxies)
        if "httpMethod" in event:
            return _rest(msgspec.convert(event, _Rest), proxies)
    if (
        event.get("source") in ("aws.events", "aws.scheduler")
        and event.get("detail-type") == "Scheduled Event"
    ):
        return Scheduled()
    records = event.get("Records")
    if isinstance(records, list) and records and all(map(_is_of_stream, records)):
        return Changed()
    action = event.get("action")
    if isinstance(action, str):
        return Asked(action, event)
    names = ", ".join(repr(str(name)[:40]) for name in list(event)[:_NAMES_MAX]) or "none"
    raise InvalidValue(
        "The event is none that dojang knows (API Gateway, function URL, load balancer, EventBridge schedule, "
        f'DynamoDB stream, or {{"action": …}}); its fields are {names}'
    )


def _is_of_stream(record: object) -> bool:
    return isinstance(record, dict) and record.get("eventSource") == "aws:dynamodb"


def _rest(event: _Rest, proxies: Networks) -> Call:
    headers = _headers(event.headers, event.multi_value_headers)
    identity = event.request_context.identity
    pairs = _pairs(event.query_string_parameters, event.multi_value_query_string_parameters)
    request = Request(
        event.http_method.upper(),
        _below(event.path, event.request_context.stage, event.resource, event.path_parameters),
        # API Gateway has decoded both sides.
        "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs),
        headers,
        _body(event.body, encoded=event.is_base64_encoded),
        sender(identity.source_ip if identity else None, headers.get("x-forwarded-for", ""), proxies),
    )
    return Call(request, Face.REST)


def _http(event: _Http, proxies: Networks) -> Call:
    headers = _headers(event.headers, None)
    context = event.request_context
    request = Request(
        context.http.method.upper(),
        _below(event.raw_path, context.stage, event.route_key.rpartition(" ")[2], event.path_parameters),
        event.raw_query_string,
        headers,
        _body(event.body, encoded=event.is_base64_encoded),
        sender(context.http.source_ip, headers.get("x-forwarded-for", ""), proxies),
    )
    return Call(request, Face.HTTP)


def _balanced(event: _Balanced, proxies: Networks) -> Call:
    headers = _headers(event.headers, event.multi_value_headers)
    pairs = _pairs(event.query_string_parameters, event.multi_value_query_string_parameters)
    # A balancer's event has no other word for the caller than the hop that the balancer itself has put at the end.
    rest, _, last = headers.get("x-forwarded-for", "").rpartition(",")
    request = Request(
        event.http_method.upper(),
        quote(event.path, safe=_SAFE, errors="replace"),
        # Passed on as it came: still encoded.
        "&".join(f"{name}={value}" for name, value in pairs),
        headers,
        _body(event.body, encoded=event.is_base64_encoded),
        sender(last, rest, proxies),
    )
    return Call(request, Face.BALANCER if event.multi_value_headers is None else Face.BALANCER_MULTI)


def _below(path: str, stage: str, resource: str, parameters: Texts | None) -> str:
    """The path below the stage, and below the base path of a custom domain; percent-encoded.

    A REST API leaves the stage out, an HTTP API leaves it in, and a base path is always in. Where the API has one
    greedy route at its root, that route's parameter is the path below all of it.
    """
    if resource == "/{proxy+}" and parameters and parameters.get("proxy"):
        proxied = quote(f"/{parameters['proxy']}", safe=_SAFE, errors="replace")
        if _TABLE.find(proxied).rows:
            return proxied
    path = quote(path, safe=_SAFE, errors="replace")
    if stage and not _TABLE.find(path).rows and path.startswith(f"/{stage}/"):
        return path.removeprefix(f"/{stage}")
    return path


def _headers(plain: Texts | None, multi: Lists | None) -> Mapping[str, str]:
    """By lower-case name; several values are one, joined with a comma."""
    headers: dict[str, str] = {}
    given: Iterable[tuple[str, str | None]]
    if multi:
        given = [(name, value) for name, values in multi.items() for value in values or ()]
    else:
        given = (plain or {}).items()
    for raw, value in given:
        if value is not None:
            name = raw.lower()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _pairs(plain: Texts | None, multi: Lists | None) -> list[tuple[str, str]]:
    if multi:
        return [(name, value) for name, values in multi.items() for value in values or ()]
    return [(name, value or "") for name, value in (plain or {}).items()]


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _body(body: str | None, *, encoded: bool) -> bytes:
    if body is None:
        return b""
    if not encoded:
        # What is no text becomes bytes that are no UTF-8, and is refused as any other such body.
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValue("The event says that its body is base64, but it is not") from None
