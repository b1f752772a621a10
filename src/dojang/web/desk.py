"""What every handler gets: the world, the choices of whoever serves, and one request's parts. And what a route is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from dojang.core.order import OrderId
from dojang.core.verification import Reason
from dojang.ports import World
from dojang.web.http import Request, Response
from dojang.web.metrics import Metrics
from dojang.web.problems import Code
from dojang.web.senders import SenderThrottle
from dojang.web.source import Networks
from dojang.web.writing import json_of

__all__ = ["Desk", "Handler", "Parameter", "Route", "WebOptions", "answer", "location"]


class WebOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever serves may choose.

    Attributes:
        api_keys: Keys of the shop's own servers; none: the shop's routes answer 503.
        webhook_private_key: What `private_key` in a webhook of the first generation must be, where it is present.
        webhook_sources: Networks Bootpay sends from. Advice: others are looked up too, but throttled.
        verify_within_s: How long a caller of verify, cancel or resolve waits at most.
        reconcile_within_s: After how long a reconciliation that was asked for over HTTP ends, whatever is left.
        webhook_within_s: How long the look-up of a webhook may take before it is left for later. Bootpay waits 5 s.
        body_max: The largest body that is read, in bytes.
        ready: Whether this process can serve; None: whether its store answers.
    """

    api_keys: tuple[str, ...] = ()
    webhook_private_key: str | None = None
    webhook_sources: tuple[str, ...] = ()
    verify_within_s: float = 20.0
    reconcile_within_s: float = 20.0
    webhook_within_s: float = 3.5
    body_max: int = 65536
    ready: Callable[[], Awaitable[bool]] | None = None

    def __repr__(self) -> str:
        # Two of them are secrets.
        return "WebOptions(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Desk:
    """What handlers work with.

    Args:
        world: The ports.
        options: The choices of whoever serves.
        document: Gives the OpenAPI document, ready to send.
    """

    def __init__(self, world: World, options: WebOptions, document: Callable[[], bytes]) -> None:
        self.world = world
        self.options = options
        self.document = document
        self.metrics = Metrics()
        self.bootpay = Networks(options.webhook_sources)
        self.strangers = SenderThrottle(world.clock.monotonic)


Handler = Callable[[Desk, Request, str], Awaitable[Response]]
"""Answers a request; the text is what stands for the braces in the route's path."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the query, for the document."""

    name: str
    schema: Mapping[str, object]
    words: str


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: what is served, and what the document says about it.

    Attributes:
        method: `GET` or `POST`.
        path: With at most one `{parameter}`.
        handle: Who answers.
        name: The operation's id in the document.
        words: What it does, one line.
        answers: What may come back that is no problem: a type, or a media type for what is no JSON.
        problems: Which codes may come back.
        cancels: Whether money goes back, so that every `WhyNot` may come back too.
        body: What is sent.
        body_needed: Whether it must be; otherwise sending nothing means the defaults.
        media: In which media types the body may come.
        query: What may be in the query.
        keyed: Whether one of the shop's keys is needed.
        once: Whether the header Idempotency-Key is needed, and the first answer under it is replayed.
        from_browsers: Whether pages of any origin may call it: nothing secret goes in or comes out.
        example: A body that works.
    """

    method: str
    path: str
    handle: Handler
    name: str
    words: str
    answers: Mapping[int, type[msgspec.Struct] | str]
    problems: tuple[Code | Reason, ...] = ()
    cancels: bool = False
    body: type | None = None
    body_needed: bool = True
    media: tuple[str, ...] = ("application/json",)
    query: tuple[Parameter, ...] = ()
    keyed: bool = False
    once: bool = False
    from_browsers: bool = False
    example: Mapping[str, object] | None = None

    @property
    def parameter(self) -> str | None:
        """The name between the braces."""
        return self.path.partition("{")[2].partition("}")[0] or None


_JSON = "application/json"


def answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """Answer in JSON."""
    return Response(status, json_of(value), {"content-type": _JSON, **(headers or {})})


def location(order_id: OrderId) -> str:
    """Where an order is found."""
    return f"/v1/orders/{order_id}"
