"""`{"action": "verify", "order_id": …, "receipt_id": …}`: the same routes for who may invoke the function directly.

Whoever may do that has been checked by IAM, so no key of the shop is asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from dojang.errors import InvalidValue
from dojang.web.http import Request, Response
from dojang.web.problems import Code, problem, problem_of
from dojang.web.table import ROUTES

__all__ = ["ACTIONS", "WORK", "Way", "answered", "refused", "request_of"]

log = logging.getLogger("dojang.entry")

WORK = ("reconcile", "deliver")
"""Actions that are no request: they take as long as the function has."""

_JSON = {"content-type": "application/json"}
_KEY_MAX = 200


class Way(msgspec.Struct, frozen=True):
    """Which route does an action, and where its fields go."""

    method: str
    path: str
    parameter: str = ""
    keyed: bool = False


_WAYS: Mapping[str, Way] = {
    "register": Way("POST", "/v1/orders"),
    "list": Way("GET", "/v1/orders"),
    "show": Way("GET", "/v1/orders/{order_id}", "order_id"),
    "history": Way("GET", "/v1/orders/{order_id}/history", "order_id"),
    "state": Way("GET", "/v1/orders/{order_id}/state", "order_id"),
    "verify": Way("POST", "/v1/orders/{order_id}/verify", "order_id"),
    "cancel": Way("POST", "/v1/orders/{order_id}/cancel", "order_id", keyed=True),
    "resolve": Way("POST", "/v1/orders/{order_id}/resolve", "order_id"),
    "retry": Way("POST", "/v1/deliveries/{delivery_id}/retry", "delivery_id"),
}
_SERVED = {(route.method, route.path) for route in ROUTES}
ACTIONS: Mapping[str, Way] = {name: way for name, way in _WAYS.items() if (way.method, way.path) in _SERVED}
"""Actions that are a request over HTTP; the page about Lambda has a table of their fields."""


def refused(fields: Mapping[str, object]) -> Response | None:
    """The answer to a direct invocation that cannot be served, whatever is wrong with it; None for any other.

    A function is not told whether somebody waits for it. Where nobody does and it fails, Lambda keeps the event and
    passes it on to a queue, with whatever is in it. So it is answered, not raised: an answer is no failure, and the
    same event would be wrong at every repeat.

    Args:
        fields: The event as it came.
    """
    action = str(fields["action"])
    # Before anything else: whatever else may be wrong, an account is no part of an event.
    if "refund_account" in fields:
        return problem(
            Code.INVALID_REQUEST,
            "A refund account is not taken from an event, which Lambda may keep: "
            "POST it to /v1/orders/{order_id}/cancel",
            "환불 계좌는 Lambda 이벤트로 받지 않습니다. 이벤트는 보관될 수 있으므로 HTTP API로 취소해 주세요",
        )
    if action in WORK:
        return None
    try:
        request_of(action, fields)
    except InvalidValue as error:
        # Where nobody waits for the answer, this line is all that is left of the invocation.
        log.warning("a direct invocation was answered 400: %s", error)
        return problem_of(error)
    return None


def request_of(action: str, fields: Mapping[str, object]) -> Request:
    """The request that does what is asked.

    Args:
        action: What is asked.
        fields: The event as it came, its action included.

    Raises:
        InvalidValue: If there is no such action, or what says whom it is about is missing.
    """
    way = ACTIONS.get(action)
    if way is None:
        known = ", ".join((*ACTIONS, *WORK))
        raise InvalidValue(
            f"There is no action {action[:40]!r}; dojang knows {known} "
            f"(알 수 없는 action입니다. 쓸 수 있는 action: {known})"
        )
    rest = {name: value for name, value in fields.items() if name != "action"}
    path = way.path
    if way.parameter:
        path = path.replace(
            f"{{{way.parameter}}}", quote(_text(rest, way.parameter, action), safe="~:", errors="replace")
        )
    headers = dict(_JSON)
    if way.keyed:
        # The same key with the same request gives the first answer again, so a caller that repeats must choose it.
        headers["idempotency-key"] = _text(rest, "key", action)
    if way.method == "GET":
        query = urlencode(
            {name: str(value) for name, value in rest.items()}, quote_via=quote, errors="replace"
        )
        return Request(way.method, path, query, headers, vouched=True)
    try:
        # As it came, NaN and Infinity too, for the reader of bodies to refuse: null would mean all that is left.
        body = json.dumps(rest, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise InvalidValue(
            "The event holds text that is no Unicode, or is nested too deeply "
            "(이벤트에 유니코드가 아닌 글자가 있거나 중첩이 너무 깊습니다)"
        ) from None
    return Request(way.method, path, "", headers, body, vouched=True)


def answered(response: Response) -> dict[str, Any]:
    """The response for who invoked the function directly."""
    return {"status": response.status, "body": msgspec.json.decode(response.body)}


def _text(fields: dict[str, object], name: str, action: str) -> str:
    value = fields.pop(name, None)
    if not isinstance(value, str) or not value or len(value) > _KEY_MAX:
        raise InvalidValue(
            f"The action {action} needs {name}: a text of 1 to {_KEY_MAX} characters "
            f"({action}에는 1~{_KEY_MAX}자의 문자열 {name}이(가) 필요합니다)"
        )
    return value
