"""Events as AWS documents them become requests, schedules, streams and actions; everything else is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from dojang.entry.aws.events import Asked, Call, Changed, Face, Scheduled, read_event
from dojang.errors import InvalidValue
from dojang.web.http import Request
from dojang.web.source import Networks

from .conftest import FACES, SAMPLES, request_event, sample

VERIFY = "/v1/orders/o-1/verify"
ORDERS = "/v1/orders"


def request_in(event: object, proxies: Networks | None = None) -> Request:
    """The request that an event brings."""
    call = read_event(event, proxies or Networks(()))
    assert isinstance(call, Call)
    return call.request


@pytest.mark.parametrize("face", FACES)
def test_every_kind_of_http_event_is_the_same_request(face: str) -> None:
    """Method, path, body and headers arrive the same, whoever brought them."""
    request = request_in(request_event(face, "post", VERIFY, {"receipt_id": "가"}))

    assert "POST" == request.method
    assert VERIFY == request.path
    assert '{"receipt_id": "가"}' == request.body.decode()
    assert "application/json" == request.headers["content-type"]
    assert request.query == ""


@pytest.mark.parametrize("face", FACES)
def test_the_callers_address_is_the_platforms_own_word(face: str) -> None:
    """What the caller writes into X-Forwarded-For stands further left than the platform's word and is not believed."""
    request = request_in(request_event(face, "POST", VERIFY))

    assert "203.0.113.7" == request.source


@pytest.mark.parametrize("face", ["rest_api", "http_api", "function_url"])
def test_no_header_takes_the_place_of_the_platforms_word(face: str) -> None:
    """Where the request context names the caller, a header cannot name another one."""
    forged = {
        "x-forwarded-for": "223.130.82.9",
        "X-Forwarded-For": "223.130.82.9",
        "x-real-ip": "223.130.82.9",
    }
    request = request_in(request_event(face, "POST", VERIFY, headers=forged))

    assert "203.0.113.7" == request.source


@pytest.mark.parametrize("face", FACES)
def test_our_own_proxy_in_front_is_looked_through(face: str) -> None:
    """With the platform's caller among our proxies, the right-most other hop is the sender."""
    request = request_in(request_event(face, "POST", VERIFY), Networks(["203.0.113.0/24"]))

    assert "198.51.100.99" == request.source


@pytest.mark.parametrize("face", FACES)
def test_base64_bodies_are_decoded(face: str) -> None:
    """A platform that takes a body for binary sends it as base64; the bytes come out."""
    body = base64.b64encode(b"receipt_id=\xea\xb0\x80").decode()
    request = request_in(request_event(face, "POST", VERIFY, body, isBase64Encoded=True))

    assert b"receipt_id=\xea\xb0\x80" == request.body


def test_a_body_that_only_claims_to_be_base64_is_refused() -> None:
    """No bytes are guessed."""
    with pytest.raises(InvalidValue, match="base64"):
        read_event(request_event("rest_api", "POST", VERIFY, "!!", isBase64Encoded=True))


def test_half_a_character_in_a_body_is_no_accident() -> None:
    """JSON can hold half a surrogate pair; it becomes bytes that are refused later as no UTF-8."""
    request = request_in(request_event("http_api", "POST", VERIFY, '{"receipt_id": "\ud83d"}'))

    with pytest.raises(UnicodeDecodeError):
        request.body.decode()


@pytest.mark.parametrize(
    ("face", "given"),
    [
        ("rest_api", {"multiValueQueryStringParameters": {"state": ["paid", "open"], "cursor": ["a b+c"]}}),
        (
            "http_api_v1",
            {"multiValueQueryStringParameters": {"state": ["paid", "open"], "cursor": ["a b+c"]}},
        ),
        ("http_api", {"rawQueryString": "state=paid&state=open&cursor=a%20b%2Bc"}),
        ("function_url", {"rawQueryString": "state=paid&state=open&cursor=a%20b%2Bc"}),
        (
            "load_balancer_multi",
            {"multiValueQueryStringParameters": {"state": ["paid", "open"], "cursor": ["a%20b%2Bc"]}},
        ),
    ],
)
def test_a_query_keeps_every_value(face: str, given: dict[str, Any]) -> None:
    """A name given twice stays given twice, and what was decoded is encoded again."""
    request = request_in(request_event(face, "GET", ORDERS) | given)

    assert "state=paid&state=open&cursor=a%20b%2Bc" == request.query


def test_a_balancers_query_is_passed_on_as_it_came() -> None:
    """Its values are still encoded: encoding them again would change them."""
    event = request_event("load_balancer", "GET", ORDERS)
    event["queryStringParameters"] = {"cursor": "a%20b"}

    assert "cursor=a%20b" == request_in(event).query


def test_repeated_headers_are_joined() -> None:
    """Several values of one header are one value with commas, as HTTP has it."""
    event = request_event("load_balancer_multi", "GET", ORDERS)
    event["multiValueHeaders"]["Accept-Language"] = ["ko", "en"]

    assert "ko,en" == request_in(event).headers["accept-language"]


@pytest.mark.parametrize("stage", ["prod", "v1", "webhooks"])
@pytest.mark.parametrize("face", ["rest_api", "http_api_v1", "http_api"])
@pytest.mark.parametrize("prefixed", [True, False])
def test_the_stage_is_no_part_of_the_path(face: str, stage: str, prefixed: bool) -> None:
    """Left in or left out by the platform, even when the stage is called like one of our own segments."""
    event = request_event(face, "POST", VERIFY)
    event["requestContext"]["stage"] = stage
    key = "rawPath" if "rawPath" in event else "path"
    event[key] = f"/{stage}{VERIFY}" if prefixed else VERIFY
    event["pathParameters"] = None

    assert VERIFY == request_in(event).path


@pytest.mark.parametrize("face", ["rest_api", "http_api"])
def test_the_base_path_of_a_custom_domain_is_no_part_of_the_path(face: str) -> None:
    """With one greedy route at the API's root its parameter is the path, whatever stands before it."""
    event = request_event(face, "POST", VERIFY)
    event["path" if face == "rest_api" else "rawPath"] = f"/payments/v2{VERIFY}"
    event["routeKey"] = "ANY /{proxy+}"
    event["pathParameters"] = {"proxy": VERIFY.removeprefix("/")}

    assert VERIFY == request_in(event).path


def test_nothing_else_is_cut_off() -> None:
    """A foreign prefix stays, so that a rule in front of the function about our paths cannot be walked around."""
    event = request_event("function_url", "GET", "/x/metrics")

    assert "/x/metrics" == request_in(event).path


@pytest.mark.parametrize(("given", "path"), [("/v1/orders/a b", "/v1/orders/a%20b"), ("/v1/%EA", "/v1/%EA")])
@pytest.mark.parametrize("face", FACES)
def test_a_path_is_percent_encoded_whether_the_platform_decodes_it_or_not(
    face: str, given: str, path: str
) -> None:
    """What was decoded is encoded again; what was not is left alone."""
    event = request_event(face, "GET", given)

    assert path in (request_in(event).path, request_in(event).path.removeprefix("/prod"))


def test_headers_and_query_may_be_null() -> None:
    """The console's own test of a REST API sends null where there is nothing."""
    nothing = dict.fromkeys(
        ["headers", "multiValueHeaders", "queryStringParameters", "pathParameters", "body"]
    )
    request = request_in(request_event("rest_api", "GET", "/healthz") | nothing)

    assert ("/healthz", {}, b"") == (request.path, request.headers, request.body)


@pytest.mark.parametrize(
    ("name", "value"), [("event_rule", Scheduled()), ("scheduler", Scheduled()), ("stream", Changed())]
)
def test_schedules_and_streams_are_known(name: str, value: object) -> None:
    """An EventBridge rule, the EventBridge Scheduler, and a DynamoDB stream."""
    assert value == read_event(sample(name))


def test_an_action_is_known_with_its_fields() -> None:
    """A direct invocation names its action."""
    event = {"action": "verify", "order_id": "o-1"}

    assert Asked("verify", event) == read_event(event)


@pytest.mark.parametrize(
    ("face", "shape"), [("http_api_v1", Face.REST), ("load_balancer_multi", Face.BALANCER_MULTI)]
)
def test_the_answers_shape_follows_the_event(face: str, shape: Face) -> None:
    """Payload 1.0 of an HTTP API is read and answered as a REST API's; multi-value headers ask for the same back."""
    call = read_event(sample(face))

    assert isinstance(call, Call)
    assert shape is call.face


@pytest.mark.parametrize(
    "event",
    [
        sample("bucket"), sample("queue"), sample("authorizer"), {}, [], None, "x", 7, {"action": 7}, {"Records": []},
        {"Records": [sample("stream")["Records"][0], sample("bucket")["Records"][0]]}, {"requestContext": {}},
        {"requestContext": "x"}, {"source": "aws.events", "detail-type": "EC2 Instance State-change Notification"},
        sample("rest_api") | {"path": 7}, sample("http_api") | {"headers": {"a": ["b"]}},
        sample("http_api") | {"headers": "\ud83d"},
        sample("http_api") | {"isBase64Encoded": "yes"}, sample("load_balancer") | {"httpMethod": None},
    ],
)  # fmt: skip
def test_what_is_no_such_event_is_refused_in_one_sentence(event: object) -> None:
    """A wrong trigger is told apart from a broken function; nothing of the event's values is repeated."""
    with pytest.raises(InvalidValue) as refused:
        read_event(event)

    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_every_sample_is_used_and_named() -> None:
    """A recorded event that no test reads, or whose origin nobody wrote down, proves nothing."""
    told = (SAMPLES / "README.md").read_text()
    here = {path.stem for path in SAMPLES.glob("*.json")}
    read = {*FACES, "event_rule", "scheduler", "stream", "bucket", "queue", "authorizer"}

    assert here == read
    assert [] == [name for name in here if f"`{name}.json`" not in told]
