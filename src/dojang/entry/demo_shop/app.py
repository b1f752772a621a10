"""The shop's addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dojang.emulator.asking import Ask, read_body, title
from dojang.emulator.ledger import LedgerRefusal
from dojang.entry.demo_shop.deliveries import BODY_MAX, BadDelivery, read_delivery
from dojang.entry.demo_shop.options import ShopOptions
from dojang.entry.demo_shop.pages import STATIC, Language, Pages
from dojang.entry.demo_shop.service import Service
from dojang.entry.demo_shop.shop import GOODS, DemoShop, Placed
from dojang.entry.demo_shop.verdict import Verdict, told, verdict_of

__all__ = ["create_shop"]

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_TOLD_BY_SCRIPT = ("working", "paying", "closed", "declined", "left", "needs_receipt", "unreachable")
_CHEAPER = 100


def create_shop(options: ShopOptions) -> Starlette:
    """The shop as an ASGI application; `app.state.shop` are its books."""
    counter = _Counter(options)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with counter.service:
            yield

    app = Starlette(
        routes=[
            Route("/", counter.front, methods=["GET"]),
            Route("/buy", counter.buy, methods=["POST"]),
            Route("/return", counter.came_back, methods=["GET"]),
            Route("/verify", counter.verify, methods=["POST"]),
            Route("/orders", counter.orders, methods=["GET"]),
            Route("/orders/list", counter.orders_list, methods=["GET"]),
            Route("/orders/{order_id}", counter.order, methods=["GET"]),
            Route("/orders/{order_id}/verdict", counter.state, methods=["GET"]),
            Route("/deliveries", counter.deliveries, methods=["POST"]),
            *(Route(f"/static/{name}", _static(name), methods=["GET"]) for name in STATIC),
        ],
        lifespan=lifespan,
    )
    app.state.shop = counter.shop
    return app


def _static(name: str) -> Any:
    async def answer(_: Request) -> Response:
        media_type = _TYPES[name.rpartition(".")[2]]
        return Response(STATIC[name], media_type=media_type, headers={"Cache-Control": "no-cache"})

    return answer


class _Counter:
    """Where the shop meets its buyers, and dojang."""

    def __init__(self, options: ShopOptions) -> None:
        self.options = options
        self.shop = DemoShop()
        self.pages = Pages(options)
        self.service = Service(options.dojang_url, options.api_key)

    # Buying

    async def front(self, request: Request) -> Response:
        language = _language(request.query_params.get("lang"))
        said = {what: self.pages.verdict(told(what), language) for what in _TOLD_BY_SCRIPT}
        return self.pages.page("front.html", language, goods=GOODS.values(), said=said)

    async def buy(self, request: Request) -> Response:
        """Take the order at the shop's own price; the browser chooses what, never for how much."""
        ask = await _asked(request)
        language = _language(ask.given("lang"))
        good = GOODS.get(title(ask, "good"))
        if good is None:
            return _problem(400, "그런 상품이 없습니다.", "There is no such thing for sale.")
        placed = self.shop.place(good)
        answer = await self.service.register(placed.order_id, good.price, good.name, {"good": good.id})
        as_json = _wants_json(request)
        if answer.status not in (200, 201):
            verdict = told("not_registered", "refused", placed.order_id)
            if as_json:
                return JSONResponse({"kind": "refused", "html": self.pages.verdict(verdict, language)}, 503)
            return self.pages.page("order.html", language, 503, verdict=verdict, placed=placed, polls=False)
        checkout = self._checkout(placed, language)
        if as_json:
            return JSONResponse({"order_id": placed.order_id, "options": checkout})
        # Without a script the buyer goes to the window and comes back by redirect.
        cheat = ask.given("lower") is not None
        fields = {
            "client_key": self.options.client_key,
            "order_id": placed.order_id,
            "order_name": checkout["order_name"],
            "price": _CHEAPER if cheat else good.price,
            "redirect_url": f"{_here(request)}/return?lang={language}",
            "locale": language,
            "extra[open_type]": "redirect",
            "extra[separately_confirmed]": "true",
            "extra[confirm_only_rest_api]": "true",
        }
        return self.pages.page("checkout.html", language, placed=placed, fields=fields)

    def _checkout(self, placed: Placed, language: Language) -> dict[str, Any]:
        good = placed.good
        name = good.name_en if language == "en" else good.name
        return {
            "client_key": self.options.client_key,
            "order_id": placed.order_id,
            "order_name": name,
            "price": good.price,
            "items": [{"id": good.id, "name": name, "qty": 1, "price": good.price}],
            "locale": language,
            "extra": {
                "open_type": self.options.open_type,
                "separately_confirmed": True,
                "confirm_only_rest_api": True,
            },
        }

    # Verdicts

    async def came_back(self, request: Request) -> Response:
        """The buyer lands here after a redirect. What the query claims is only a hint: dojang is asked."""
        query = request.query_params
        language = _language(query.get("lang"))
        order_id, receipt_id = query.get("order_id", ""), query.get("receipt_id", "")
        placed = self.shop.find(order_id)
        match query.get("event"):
            case "confirm" | "done" | "issued" if placed is not None:
                verdict = verdict_of(await self.service.verify(order_id, receipt_id), order_id)
            case "cancel":
                verdict = told("closed", order_id=order_id)
            case "error":
                verdict = told("declined", "refused", order_id)
            case _:
                return self._no_such_order(language)
        return self._order_page(verdict, placed, language)

    async def verify(self, request: Request) -> Response:
        """The page's script brings a receipt; dojang says what it is worth."""
        ask = await _asked(request)
        order_id, receipt_id = title(ask, "order_id"), title(ask, "receipt_id")
        if self.shop.find(order_id) is None:
            return _problem(404, "그런 주문이 없습니다.", "There is no such order.")
        verdict = verdict_of(await self.service.verify(order_id, receipt_id), order_id)
        return self._verdict(verdict, _language(ask.given("lang")))

    async def state(self, request: Request) -> Response:
        """What a page asks again and again while it waits."""
        order_id = request.path_params["order_id"]
        if self.shop.find(order_id) is None:
            return _problem(404, "그런 주문이 없습니다.", "There is no such order.")
        verdict = verdict_of(await self.service.state(order_id), order_id)
        return self._verdict(verdict, _language(request.query_params.get("lang")))

    async def order(self, request: Request) -> Response:
        language = _language(request.query_params.get("lang"))
        placed = self.shop.find(request.path_params["order_id"])
        if placed is None:
            return self._no_such_order(language)
        verdict = verdict_of(await self.service.state(placed.order_id), placed.order_id)
        return self._order_page(verdict, placed, language)

    def _order_page(self, verdict: Verdict, placed: Placed | None, language: Language) -> Response:
        polls = placed is not None and verdict.kind in ("pending", "account")
        return self.pages.page("order.html", language, verdict=verdict, placed=placed, polls=polls)

    def _verdict(self, verdict: Verdict, language: Language) -> Response:
        return JSONResponse(
            {
                "kind": verdict.kind,
                "code": verdict.code,
                "again": verdict.again,
                "retry_after_s": verdict.retry_after_s,
                "html": self.pages.verdict(verdict, language),
            }
        )

    def _no_such_order(self, language: Language) -> Response:
        return self.pages.page("missing.html", language, 404)

    # What was handed over

    async def orders(self, request: Request) -> Response:
        language = _language(request.query_params.get("lang"))
        return self.pages.page("orders.html", language, **self._books())

    async def orders_list(self, request: Request) -> Response:
        language = _language(request.query_params.get("lang"))
        return Response(self.pages.part("books.html", language, **self._books()), media_type="text/html")

    def _books(self) -> dict[str, Any]:
        return {"orders": self.shop.orders(), "parcels": self.shop.parcels()}

    async def deliveries(self, request: Request) -> Response:
        """News of an order from dojang: the first time counts, every time is answered."""
        body = await request.body()
        try:
            if len(body) > BODY_MAX:
                raise BadDelivery(413, "a delivery has at most 64 KiB")
            message_id, message = read_delivery(request.headers, body, self.options.deliver_secret)
        except BadDelivery as bad:
            return JSONResponse({"error": str(bad)}, bad.status)
        parcel = self.shop.receive(message_id, message.type, message.data)
        return JSONResponse({"received": True, "times": parcel.times})


def _language(word: object) -> Language:
    return "en" if word == "en" else "ko"


def _wants_json(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


def _here(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def _asked(request: Request) -> Ask:
    """The request's fields, form or JSON; what is neither has none."""
    try:
        return Ask(body=read_body(await request.body()))
    except (LedgerRefusal, RecursionError, msgspec.DecodeError):
        return Ask()


def _problem(status: int, korean: str, english: str) -> Response:
    return JSONResponse({"error": english, "error_ko": korean}, status)
