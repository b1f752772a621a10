"""The story: five things that happen to shops, each told by what really came over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from dojang.entry.demo.stage import Stage

__all__ = ["CHAPTERS", "Chapter", "Teller", "Verdict"]

_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.05
_GOOD = "ink"
_TAMPERED_PRICE = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a chapter ended.

    Attributes:
        said: What came over HTTP, for people.
        fine: Whether each of these claims held.
    """

    said: str
    fine: Mapping[str, bool]

    @property
    def holds(self) -> bool:
        """Whether all of them did."""
        return all(self.fine.values())


@dataclass(frozen=True, slots=True)
class Chapter:
    """One of the five.

    Attributes:
        title_ko: What happens, in Korean.
        title_en: What happens, in English.
        moral_ko: What dojang makes of it, in Korean.
        moral_en: What dojang makes of it, in English.
        happens: Makes it happen.
    """

    title_ko: str
    title_en: str
    moral_ko: str
    moral_en: str
    happens: Callable[[Teller], Awaitable[Verdict]]


@dataclass(slots=True)
class Teller:
    """Plays browser and buyer; nothing it does is out of their reach but opening windows at will.

    Attributes:
        stage: Where the story plays.
        session: Its HTTP client.
        paid: Order and receipt of the good payment, for those who come after.
        rescued: Order and receipt that only the webhook told about.
    """

    stage: Stage
    session: aiohttp.ClientSession
    paid: tuple[str, str] = ("", "")
    rescued: tuple[str, str] = ("", "")
    _price: dict[str, int] = field(default_factory=dict)

    async def ask(self, method: str, url: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of one request."""
        headers = {"Authorization": f"Bearer {self.stage.api_key}"} if "/v1/orders" in url else {}
        async with self.session.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def buy(self) -> str:
        """Order something at the shop, which registers it with dojang; the order's id."""
        _, answer = await self.ask("POST", f"{self.stage.shop_url}/buy", {"good": _GOOD})
        order_id: str = answer["order_id"]
        self._price[order_id] = answer["options"]["price"]
        return order_id

    async def pay(self, order_id: str, price: int | None = None, *, server_approves: bool = True) -> str:
        """Open Bootpay's window and agree; the receipt's id."""
        checkout = {
            "order_id": order_id,
            "price": self._price[order_id] if price is None else price,
            "order_name": "인주 한 통",
            "method": "card",
            "separately_confirmed": server_approves,
        }
        _, window = await self.ask("POST", f"{self.stage.emulator_url}/emulator/checkouts", checkout)
        receipt_id: str = window["receipt_id"]
        await self.ask("POST", f"{self.stage.emulator_url}/emulator/receipts/{receipt_id}/approve")
        return receipt_id

    async def verify(self, order_id: str, receipt_id: str) -> tuple[int, Any]:
        """What the page does when the buyer is back."""
        return await self.ask(
            "POST", f"{self.stage.service_url}/v1/orders/{order_id}/verify", {"receipt_id": receipt_id}
        )

    async def state(self, order_id: str) -> str:
        """Where an order stands, as anybody may ask."""
        _, answer = await self.ask("GET", f"{self.stage.service_url}/v1/orders/{order_id}/state")
        return str(answer["state"])

    async def receipt_status(self, receipt_id: str) -> int:
        """Bootpay's own number for a receipt."""
        _, receipts = await self.ask("GET", f"{self.stage.emulator_url}/emulator/receipts")
        return next(int(receipt["status"]) for receipt in receipts if receipt["receipt_id"] == receipt_id)

    async def webhooks_done(self) -> list[Mapping[str, Any]]:
        """Every webhook, once none is under way any more."""
        _, webhooks = await self.ask("GET", f"{self.stage.emulator_url}/emulator/webhooks?wait=idle")
        return list(webhooks)

    async def until(self, so: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something, but not for ever; whoever waits looks for himself afterwards."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while not await so():  # noqa: ASYNC110 - what is waited for is another program
                    await asyncio.sleep(_LOOK_EVERY_S)

    async def told_paid(self, order_id: str) -> int:
        """How often the shop was told that this order is paid, once dojang owes it nothing more."""

        async def settled() -> bool:
            _, order = await self.ask("GET", f"{self.stage.service_url}/v1/orders/{order_id}")
            owed = order["deliveries"]
            return bool(owed) and all(delivery["state"] == "settled" for delivery in owed)

        await self.until(settled)
        parcels = [parcel for parcel in self.stage.shop.parcels() if parcel.order_id == order_id]
        return sum(parcel.times for parcel in parcels if parcel.type == "order.paid")


async def _good_payment(teller: Teller) -> Verdict:
    order_id = await teller.buy()
    receipt_id = await teller.pay(order_id)
    waiting = await teller.receipt_status(receipt_id)
    status, answer = await teller.verify(order_id, receipt_id)
    teller.paid = (order_id, receipt_id)
    await teller.webhooks_done()
    told = await teller.told_paid(order_id)
    return Verdict(
        f"verify → {status} {answer.get('state', answer.get('code'))}, order.paid × {told}",
        {
            "the receipt waited for the server (status 2)": waiting == 2,
            "200 paid": (status, answer.get("state")) == (200, "paid"),
            "Bootpay took the money (status 1)": await teller.receipt_status(receipt_id) == 1,
            "the shop was told once": told == 1,
        },
    )


async def _tampered_price(teller: Teller) -> Verdict:
    order_id = await teller.buy()
    receipt_id = await teller.pay(order_id, _TAMPERED_PRICE)
    status, answer = await teller.verify(order_id, receipt_id)
    at_bootpay = await teller.receipt_status(receipt_id)
    return Verdict(
        f"verify → {status} {answer.get('code')}, Bootpay status {at_bootpay}",
        {
            "422 amount_mismatch": (status, answer.get("code")) == (422, "amount_mismatch"),
            "nothing was approved": at_bootpay == 2,
            "the order is still open": await teller.state(order_id) == "open",
        },
    )


async def _replayed_receipt(teller: Teller) -> Verdict:
    order_id = await teller.buy()
    _, receipt_id = teller.paid
    status, answer = await teller.verify(order_id, receipt_id)
    return Verdict(
        f"verify → {status} {answer.get('code')}",
        {
            "409 receipt_already_used": (status, answer.get("code")) == (409, "receipt_already_used"),
            "the order is still open": await teller.state(order_id) == "open",
        },
    )


async def _lost_browser(teller: Teller) -> Verdict:
    order_id = await teller.buy()
    receipt_id = await teller.pay(order_id, server_approves=False)
    teller.rescued = (order_id, receipt_id)

    async def paid() -> bool:
        return await teller.state(order_id) == "paid"

    await teller.until(paid)
    state, told = await teller.state(order_id), await teller.told_paid(order_id)
    return Verdict(
        f"webhook → {state}, order.paid × {told}",
        {"the webhook made it paid": state == "paid", "the shop was told once": told == 1},
    )


async def _duplicate_webhook(teller: Teller) -> Verdict:
    order_id, receipt_id = teller.rescued
    sent = [webhook for webhook in await teller.webhooks_done() if webhook["receipt_id"] == receipt_id]
    before = sum(len(webhook["attempts"]) for webhook in sent)
    for webhook in sent:
        await teller.ask("POST", f"{teller.stage.emulator_url}/emulator/webhooks/{webhook['id']}/resend")
    again = [webhook for webhook in await teller.webhooks_done() if webhook["receipt_id"] == receipt_id]
    came = sum(len(webhook["attempts"]) for webhook in again)
    told = await teller.told_paid(order_id)
    last = [webhook["attempts"][-1]["status"] for webhook in again if webhook["attempts"]]
    return Verdict(
        f"webhook × {came} → {'/'.join(map(str, sorted(set(last))))}, order.paid × {told}",
        {
            "it came again": came > before > 0,
            "each was acknowledged": bool(last) and all(status == 200 for status in last),
            "the shop was told once": told == 1,
        },
    )


CHAPTERS = (
    Chapter(
        "제대로 된 결제",
        "A good payment",
        "주문·금액·통화를 대조한 뒤에야 승인하고, 상점에는 정확히 한 번 알립니다.",
        "Approved only after every term was compared; the shop is told exactly once.",
        _good_payment,
    ),
    Chapter(
        "브라우저에서 금액을 낮춘 결제",
        "The price was lowered in the browser",
        "승인 전에 거절했으므로 돈은 움직이지 않았습니다.",
        "Refused before the approval, so no money has moved.",
        _tampered_price,
    ),
    Chapter(
        "다른 주문에 쓴 영수증을 다시 낸 결제",
        "A receipt that has already paid for another order",
        "영수증 하나는 영원히 주문 하나만 결제합니다.",
        "One receipt pays for one order, for ever.",
        _replayed_receipt,
    ),
    Chapter(
        "결제 직후 브라우저가 닫힌 주문",
        "The browser was closed right after paying",
        "아무도 verify를 부르지 않았지만, 웹훅을 계기로 부트페이에 직접 확인했습니다.",
        "Nobody called verify; the webhook was reason enough to ask Bootpay itself.",
        _lost_browser,
    ),
    Chapter(
        "같은 웹훅이 두 번 온 주문",
        "The same webhook came twice",
        "두 번 다 받았다고 답하지만, 상점에 알리는 것은 한 번입니다.",
        "Both are acknowledged, but the shop is still told once.",
        _duplicate_webhook,
    ),
)
"""In the order in which they are told."""
