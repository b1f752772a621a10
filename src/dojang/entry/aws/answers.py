"""A response in the shape that each kind of caller reads."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from dojang.entry.aws.events import Face
from dojang.web.http import Response

__all__ = ["answer_of"]

# The platform counts the bytes itself; a second opinion makes it answer 502.
_PLATFORMS_OWN = frozenset({"content-length", "connection", "transfer-encoding"})


def answer_of(response: Response, face: Face) -> dict[str, Any]:
    """The response as an event's answer. Every body of ours is text, so none is base64."""
    headers = {name: value for name, value in response.headers.items() if name not in _PLATFORMS_OWN}
    answer: dict[str, Any] = {
        "statusCode": response.status,
        "body": response.body.decode(),
        "isBase64Encoded": False,
    }
    match face:
        case Face.REST | Face.HTTP:
            answer["headers"] = headers
        case Face.BALANCER:
            answer["statusDescription"] = _described(response.status)
            answer["headers"] = headers
        case Face.BALANCER_MULTI:
            answer["statusDescription"] = _described(response.status)
            answer["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    return answer


def _described(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
