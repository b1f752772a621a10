"""What the shop does with dojang's deliveries: only the genuine count, and each once."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from dojang.entry.demo_shop import ShopOptions, ShopServer

if TYPE_CHECKING:
    import urllib3

    from conftest import Visitor

OTHER = "whsec_" + base64.b64encode(b"somebody-elses-secret-here").decode()
Deliver = Callable[..., "urllib3.BaseHTTPResponse"]


def test_a_paid_order_is_handed_over_once(shop: ShopServer, visitor: Visitor, deliver: Deliver) -> None:
    """The same delivery twice, and a second one of the same kind: the goods leave once."""
    order_id = visitor.order()
    first, again = deliver(order_id), deliver(order_id)
    deliver(order_id, id_="another-id", version=3)
    placed = shop.shop.find(order_id)

    assert placed is not None
    assert (200, {"received": True, "times": 1}) == (first.status, first.json())
    assert (200, {"received": True, "times": 2}) == (again.status, again.json())
    assert (1, "paid") == (placed.handed_over, placed.state)


def test_goods_stay_without_a_delivery(shop: ShopServer, visitor: Visitor) -> None:
    """A verdict on the buyer's page hands nothing over; only a delivery does."""
    order_id = visitor.order()
    visitor.post("/verify", {"order_id": order_id, "receipt_id": "6a0d5b8fde30d4a2d7416501"})
    placed = shop.shop.find(order_id)

    assert placed is not None
    assert 0 == placed.handed_over


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"secret": OTHER}, 401), ({"age_s": 600}, 400), ({"age_s": -600}, 400)],
    ids=["forged", "old", "from the future"],
)
def test_a_false_delivery_changes_nothing(
    shop: ShopServer, visitor: Visitor, deliver: Deliver, wrong: dict[str, object], status: int
) -> None:
    """A wrong signature or a stale timestamp is refused and leaves no trace."""
    order_id = visitor.order()
    answer = deliver(order_id, **wrong)
    placed = shop.shop.find(order_id)

    assert placed is not None
    assert (status, 0, []) == (answer.status, placed.handed_over, shop.shop.parcels())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "a", "webhook-timestamp": "now", "webhook-signature": "v1,x"},
        {"webhook-id": "a", "webhook-timestamp": "9" * 400, "webhook-signature": "v1,x"},
        {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": ""},
    ],
)
def test_headers_that_make_no_sense_are_a_clear_no(visitor: Visitor, headers: dict[str, str]) -> None:
    """Whatever a stranger sends gets a 4xx."""
    answer = visitor.pool.request("POST", visitor.url + "/deliveries", body=b"{}", headers=headers)

    assert 400 == answer.status


def test_old_news_does_not_overwrite_new(shop: ShopServer, visitor: Visitor, deliver: Deliver) -> None:
    """A delivery about an earlier version of the order arrives late: the state stays the newer one."""
    order_id = visitor.order()
    deliver(order_id, "order.cancelled", state="cancelled", version=5)
    deliver(order_id, "order.awaiting_deposit", state="awaiting_deposit", version=2)
    placed = shop.shop.find(order_id)

    assert placed is not None
    assert "cancelled" == placed.state


def test_a_shop_without_a_secret_takes_no_delivery(visitor: Visitor) -> None:
    """Nothing configured is closed, not open."""
    with ShopServer(ShopOptions(port=0)) as bare:
        answer = visitor.pool.request("POST", bare.url + "/deliveries", body=b"{}")

    assert 503 == answer.status


def test_the_list_shows_what_left(visitor: Visitor, deliver: Deliver) -> None:
    """The orders' page and the part that keeps it current show the same handover."""
    order_id = visitor.order("seal")
    before = visitor.get("/orders/list?lang=en").data.decode()
    deliver(order_id)
    after = visitor.get("/orders/list?lang=en").data.decode()
    page = visitor.get("/orders?lang=en").data.decode()

    assert ("Not handed over" in before, "Handed over 1×" in after) == (True, True)
    assert order_id in page
    assert "counted once" in page
