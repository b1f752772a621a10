"""What machines ask: does it live, can it serve, what did it count, what can be asked."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from dojang.core.order import OrderId
from dojang.errors import StoreError
from dojang.web.desk import Desk, Route, answer
from dojang.web.http import Request, Response
from dojang.web.problems import trace_of
from dojang.web.shapes import ShownHealth, ShownReadiness

__all__ = ["ROUTES"]

log = logging.getLogger("dojang.web")

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_NO_ORDER = OrderId("readyz")


async def _alive(_desk: Desk, _request: Request, _: str) -> Response:
    return answer(200, ShownHealth())


async def _ready(desk: Desk, _request: Request, _: str) -> Response:
    try:
        if desk.options.ready is not None:
            ready = await desk.options.ready()
        else:
            await desk.world.store.load(_NO_ORDER)
            ready = True
    except StoreError as error:
        log.warning("not ready: %s", error)
        ready = False
    except Exception as error:  # noqa: BLE001 - whatever it is, this process cannot serve
        log.warning("not ready: %s", trace_of(error))
        ready = False
    return answer(200 if ready else 503, ShownReadiness(status="ready" if ready else "not_ready"))


async def _metrics(desk: Desk, _request: Request, _: str) -> Response:
    return Response(200, desk.metrics.text().encode(), {"content-type": _PROMETHEUS})


async def _document(desk: Desk, _request: Request, _: str) -> Response:
    return Response(200, desk.document(), {"content-type": "application/json"})


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI document: this one."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


ROUTES = (
    Route(
        method="GET",
        path="/healthz",
        handle=_alive,
        name="health",
        words="The process lives.",
        answers={200: ShownHealth},
    ),
    Route(
        method="GET",
        path="/readyz",
        handle=_ready,
        name="readiness",
        words="The process can serve: its store answers.",
        answers={200: ShownReadiness, 503: ShownReadiness},
    ),
    Route(
        method="GET",
        path="/metrics",
        handle=_metrics,
        name="metrics",
        words="What this process counted, in Prometheus' text format.",
        answers={200: "text/plain"},
    ),
    Route(
        method="GET",
        path="/openapi.json",
        handle=_document,
        name="document",
        words="This document.",
        answers={200: Document},
    ),
)
"""The rows of the table that machines read."""
