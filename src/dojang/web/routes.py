"""The HTTP face: a request becomes a call of one handler, and whatever happens becomes a response."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from functools import cache
from hashlib import sha256

from dojang.errors import BootpayError, DojangError, InvalidValue
from dojang.ports import World
from dojang.web.buyers import count_error
from dojang.web.desk import Desk, Route, WebOptions
from dojang.web.http import Request, Response
from dojang.web.metrics import Metrics
from dojang.web.problems import Code, problem, problem_of, trace_of
from dojang.web.reading import order_id
from dojang.web.table import Found, Table
from dojang.web.writing import json_of

__all__ = ["Api", "WebOptions"]

log = logging.getLogger("dojang.web")

_ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_FROM_BROWSERS = {"access-control-allow-origin": "*", "access-control-expose-headers": "Retry-After"}
_PREFLIGHT = {"access-control-allow-headers": "Content-Type", "access-control-max-age": "86400"}
_UNMATCHED = "unmatched"


class Api:
    """Answers requests.

    Args:
        world: The ports.
        options: The choices of whoever serves.
    """

    def __init__(self, world: World, options: WebOptions | None = None) -> None:
        self._options = options or WebOptions()
        self._desk = Desk(world, self._options, _document)
        self._table = Table()
        self._keys = [_digest(key) for key in self._options.api_keys]

    @property
    def metrics(self) -> Metrics:
        """What is counted; whoever runs deliveries counts here too."""
        return self._desk.metrics

    @property
    def body_max(self) -> int:
        """The largest body worth reading, in bytes."""
        return self._options.body_max

    async def handle(self, request: Request) -> Response:
        """Answer. Nothing is raised but the cancellation of the task."""
        monotonic = self._desk.world.clock.monotonic
        started = monotonic()
        found = self._table.find(request.path)
        method = "GET" if request.method == "HEAD" else request.method
        route = found.rows.get(method)
        response = await self._ask(route, request, found.segment) if route else _not_served(found, request)
        headers = {**response.headers, **_ALWAYS}
        if route is not None and route.from_browsers:
            headers |= _FROM_BROWSERS
        label = route.path if route else _UNMATCHED
        self.metrics.requests.add(label, str(response.status))
        self.metrics.seconds.observe(monotonic() - started, label)
        if request.method == "HEAD":
            headers["content-length"] = str(len(response.body))
            return Response(response.status, b"", headers, response.told)
        return Response(response.status, response.body, headers, response.told)

    async def _ask(self, route: Route, request: Request, segment: str) -> Response:
        try:
            if len(request.body) > self._options.body_max or _claims_more(request, self._options.body_max):
                return problem(
                    Code.TOO_LARGE,
                    f"The body may have at most {self._options.body_max} bytes.",
                    f"본문은 최대 {self._options.body_max}바이트까지 보낼 수 있습니다.",
                )
            if route.keyed and not request.vouched:
                refused = self._refuse_stranger(request.headers)
                if refused is not None:
                    return refused
            return await route.handle(self._desk, request, segment)
        except DojangError as error:
            return self._failed(error, route, segment)
        except Exception as error:  # noqa: BLE001 - the last line before the caller: told without its cause
            log.error("%s %s: %s", route.method, route.path, trace_of(error))  # noqa: TRY400 - see trace_of
            return problem(Code.INTERNAL_ERROR)

    def _failed(self, error: DojangError, route: Route, segment: str) -> Response:
        if isinstance(error, BootpayError):
            count_error(self._desk, error)
        elif not isinstance(error, InvalidValue):
            log.error("%s %s: %s", route.method, route.path, error)
        # Bootpay and the store are asked after the id was read: only a wrong request may be one about its id.
        known = "{order_id}" in route.path and not isinstance(error, InvalidValue)
        return problem_of(error, order_id(segment) if known else None)

    def _refuse_stranger(self, headers: Mapping[str, str]) -> Response | None:
        if not self._keys:
            return problem(Code.NO_API_KEYS)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = _digest(token.strip()) if scheme.lower() == "bearer" else b""
        # Every key is compared, and in full: how long it takes tells nothing.
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        if any(matches):
            return None
        return problem(Code.UNAUTHORIZED, headers={"www-authenticate": 'Bearer realm="dojang"'})


@cache
def _document() -> bytes:
    # Made when first asked for: a function that was just started is asked for something else.
    from dojang.web.openapi import document

    return json_of(document())


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def _claims_more(request: Request, most: int) -> bool:
    claimed = request.headers.get("content-length", "")
    return claimed.isascii() and claimed.isdigit() and (len(claimed) > 18 or int(claimed) > most)


def _not_served(found: Found, request: Request) -> Response:
    if not found.rows:
        return problem(Code.NOT_FOUND)
    allow = {"allow": ", ".join(found.methods)}
    open_rows = [route.method for route in found.rows.values() if route.from_browsers]
    if request.method == "OPTIONS":
        if open_rows:
            allow |= _FROM_BROWSERS | _PREFLIGHT | {"access-control-allow-methods": ", ".join(open_rows)}
        return Response(204, b"", allow)
    return problem(Code.METHOD_NOT_ALLOWED, headers=allow | (_FROM_BROWSERS if open_rows else {}))
