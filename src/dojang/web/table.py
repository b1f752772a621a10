"""The one table of routes, and the quick way to find a row in it.

Every path with a parameter has it as its third segment: `/v1/orders/{order_id}/verify`. So one split finds a row,
however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from dojang.web import buyers, cancels, notices, repairs, shops, watching
from dojang.web.desk import Route

__all__ = ["ROUTES", "Found", "Table"]

ROUTES: tuple[Route, ...] = (
    *shops.ROUTES,
    *cancels.ROUTES,
    *repairs.ROUTES,
    *buyers.ROUTES,
    *notices.ROUTES,
    *watching.ROUTES,
)
"""Everything that is served. The OpenAPI document is made from this too."""


class Found(msgspec.Struct, frozen=True):
    """What is served at a path.

    Attributes:
        rows: By method; empty where there is nothing.
        segment: What stands for the parameter.
    """

    rows: Mapping[str, Route]
    segment: str = ""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods this path knows, as the header Allow names them."""
        implied = ("HEAD",) if "GET" in self.rows else ()
        return (*self.rows, *implied, "OPTIONS")


_NOTHING = Found({})


class Table:
    """Finds rows by path.

    Args:
        routes: The rows.
    """

    def __init__(self, routes: Iterable[Route] = ROUTES) -> None:
        self._fixed: dict[str, dict[str, Route]] = {}
        self._with_parameter: dict[tuple[str, str, str], dict[str, Route]] = {}
        for route in routes:
            if route.parameter is None:
                rows = self._fixed.setdefault(route.path, {})
            else:
                _, first, second, parameter, *rest = route.path.split("/", 4)
                assert parameter == f"{{{route.parameter}}}", route.path
                rows = self._with_parameter.setdefault((first, second, "/".join(rest)), {})
            assert route.method not in rows, route.path
            rows[route.method] = route
        self._found = {path: Found(rows) for path, rows in self._fixed.items()}

    def find(self, path: str) -> Found:
        """What is served at a path."""
        found = self._found.get(path)
        if found is not None:
            return found
        parts = path.split("/", 4)
        if len(parts) < 4 or parts[0] or not parts[3] or (len(parts) == 5 and not parts[4]):
            return _NOTHING
        rows = self._with_parameter.get((parts[1], parts[2], parts[4] if len(parts) == 5 else ""))
        return _NOTHING if rows is None else Found(rows, parts[3])
