"""The shop's own routes: register, list, look, try a delivery again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dojang.core.delivery import DeliveryState
from dojang.errors import StoreUnavailable

if TYPE_CHECKING:
    from conftest import Shop


def test_registering_gives_201_then_200_then_409(shop: Shop) -> None:
    """The same terms again change nothing; other terms are refused with the names of what differs."""
    first = shop.register(metadata={"cart": 7})
    again = shop.register(metadata={"cart": 7})
    other = shop.register(price=1, name="차")

    assert (201, 200, 409) == (first.status, again.status, other.status)
    assert first.json == again.json
    assert "/v1/orders/o1" == first.headers["location"]
    assert ("order_exists", ["price", "name", "metadata"]) == (other.code, other.json["differs"])
    assert "price, name, metadata differ." in other.json["detail"]
    assert "price differs." in shop.register(price=1, metadata={"cart": 7}).json["detail"]


@pytest.mark.parametrize(("expires_in_s", "told"), [(None, False), (1, False), (0, True), (-86_400, True)])
def test_a_deadline_that_has_passed_is_registered_with_a_word_about_it(
    shop: Shop, expires_in_s: float | None, told: bool
) -> None:
    """In English and Korean, to who asks again too; the order is taken, for late money has rules of its own."""
    until = None if expires_in_s is None else shop.clock.now() + timedelta(seconds=expires_in_s)
    first, again = (shop.register(expires_at=until.isoformat() if until else None) for _ in range(2))

    assert (201, 200, first.json) == (first.status, again.status, again.json)
    assert told == ("late money" in first.json.get("detail", ""))
    assert told == ("기한이 지난" in first.json.get("detail_ko", ""))
    assert {"detail", "detail_ko"}.isdisjoint(shop.ask("GET", "/v1/orders/o1").json)


def test_a_new_order_is_shown_with_all_its_terms(shop: Shop) -> None:
    """What was sent, and where it stands; times in UTC."""
    answer = shop.register(
        tax_free=500, expires_at="2026-11-24T09:00:00+09:00", metadata={"a": None, "b": 1.5}
    )

    assert {
        "order_id": "o1",
        "state": "open",
        "price": 3000,
        "currency": "KRW",
        "tax_free": 500,
        "name": "커피",
        "cancelled": 0,
        "remaining": 0,
        "expires_at": "2026-11-24T00:00:00Z",
        "created_at": "2026-11-23T03:00:00Z",
        "metadata": {"a": None, "b": 1.5},
        "version": 1,
        "receipt_id": None,
        "paid_at": None,
    } == answer.json


@pytest.mark.parametrize("price", [b"3000", b"3000.0", b'"3000"', b"3e3", b'"3000.00"'])
def test_one_amount_has_many_spellings(shop: Shop, price: bytes) -> None:
    """3000, 3000.0 and "3000" are the same order."""
    shop.register()
    answer = shop.ask(
        "POST", "/v1/orders", b'{"order_id": "o1", "name": "\xec\xbb\xa4\xed\x94\xbc", "price": %b}' % price
    )

    assert (200, 3000) == (answer.status, answer.json["price"])


def test_an_order_is_shown_with_receipts_and_deliveries(shop: Shop) -> None:
    """The receipt that pays comes first, the others with their fate; what is owed with its state."""
    shop.register()
    shop.verify(shop.receipt(1))
    shop.verify(shop.receipt(2))
    answer = shop.ask("GET", "/v1/orders/o1")

    assert ("paid", 3000) == (answer.json["state"], answer.json["remaining"])
    assert [("pays", 3000), ("owed_back", 3000)] == [
        (receipt["fate"], receipt["price"]) for receipt in answer.json["receipts"]
    ]
    assert {
        "id": "o1:2:order_paid",
        "order_id": "o1",
        "type": "order.paid",
        "lane": "notice",
        "state": "due",
        "attempts": 0,
        "due_at": "2026-11-23T03:00:00Z",
        "settled_at": None,
        "last_error": "",
    } == answer.json["deliveries"][0]


def test_history_gives_every_step(shop: Shop) -> None:
    """Version, when, what, who, and what the step was about."""
    shop.register()
    receipt = shop.receipt()
    shop.verify(receipt)
    events = shop.ask("GET", "/v1/orders/o1/history").json["events"]

    assert [(1, "registered", "shop"), (2, "paid", "buyer")] == [
        (event["version"], event["what"], event["who"]) for event in events
    ]
    assert (receipt, 3000, "2026-11-23T03:00:00Z") == (
        events[1]["receipt_id"],
        events[1]["price"],
        events[1]["at"],
    )


@pytest.mark.parametrize("path", ["/v1/orders/o9", "/v1/orders/o9/history"])
def test_an_unknown_order_is_404(shop: Shop, path: str) -> None:
    """With its own code and the id asked about."""
    answer = shop.ask("GET", path)

    assert (404, "order_not_found", "o9") == (answer.status, answer.code, answer.json["order_id"])


def test_pages_lead_through_all_orders_newest_first(shop: Shop) -> None:
    """Following next_cursor shows each order once."""
    for number in range(5):
        shop.register(f"o{number}")
        shop.clock.at += timedelta(seconds=1)
    seen: list[str] = []
    path = "/v1/orders?limit=2"
    while True:
        page = shop.ask("GET", path).json
        seen += [order["order_id"] for order in page["orders"]]
        if page["next_cursor"] is None:
            break
        path = f"/v1/orders?limit=2&cursor={page['next_cursor']}"

    assert ["o4", "o3", "o2", "o1", "o0"] == seen


def test_lists_are_narrowed_by_state_and_time(shop: Shop) -> None:
    """`created_from` is within, `created_to` is without; a plus sign may arrive unquoted."""
    for number in range(3):
        shop.register(f"o{number}")
        shop.clock.at += timedelta(hours=1)
    shop.verify(shop.receipt(order_id="o1"), "o1")

    def listed(query: str) -> list[str]:
        return [order["order_id"] for order in shop.ask("GET", f"/v1/orders?{query}").json["orders"]]

    assert ["o1"] == listed("state=paid")
    assert ["o2", "o0"] == listed("state=open")
    assert ["o1"] == listed("created_from=2026-11-23T13:00:00+09:00&created_to=2026-11-23T05:00:00Z")
    assert ["o2"] == listed("created_from=2026-11-23T14%3A00%3A00%2B09%3A00")


@pytest.mark.parametrize(
    "query",
    [
        "state=confirming",
        "state=",
        "state=paid&state=open",
        "staet=paid",
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1.5",
        "limit=%EF%BC%91",
        "limit=" + "9" * 5000,
        "limit=",
        "created_from=yesterday",
        "created_from=2026-11-23T00:00:00",
        "created_to=0001-01-01T00:00:00Z",
        "created_to=9999-12-31T23:59:59-23:59",
        "cursor=1",
        "cursor=x-o1",
        "cursor=%C2%B2-o1",
        "cursor=" + "9" * 30 + "-o1",
        "cursor=1-o1%00",
        "state=%FF",
        "%ED%A0%80=1",
    ],
)
def test_a_bad_query_is_400(shop: Shop, query: str) -> None:
    """A misspelt name is refused too: a list of all orders would look like an answer."""
    answer = shop.ask("GET", f"/v1/orders?{query}")

    assert (400, "invalid_request") == (answer.status, answer.code)


def test_a_delivery_is_tried_again(shop: Shop) -> None:
    """A dead one is due now; a settled one stays settled; an unknown one is 404."""
    shop.register()
    shop.verify(shop.receipt())
    (owed,) = shop.memory.deliveries("o1")  # type: ignore[arg-type]
    shop.memory.settle_delivery(replace(owed, state=DeliveryState.DEAD, last_error="HTTP 500"))
    dead = shop.ask("GET", "/v1/orders/o1").json["deliveries"][0]
    again = shop.ask("POST", f"/v1/deliveries/{owed.id}/retry")
    shop.memory.settle_delivery(replace(owed, state=DeliveryState.SETTLED, settled_at=shop.clock.now()))
    settled = shop.ask("POST", f"/v1/deliveries/{owed.id}/retry")
    unknown = shop.ask("POST", "/v1/deliveries/o1:9:order_paid/retry")

    assert ("dead", None, "HTTP 500") == (dead["state"], dead["due_at"], dead["last_error"])
    assert (200, "due", "2026-11-23T03:00:00Z") == (again.status, again.json["state"], again.json["due_at"])
    assert ("settled", None, "2026-11-23T03:00:00Z") == (
        settled.json["state"],
        settled.json["due_at"],
        settled.json["settled_at"],
    )
    assert (404, "delivery_not_found") == (unknown.status, unknown.code)


def test_a_delivery_is_tried_again_whatever_its_order_is_called(shop: Shop) -> None:
    """The id as the order shows it, in the path as it is or quoted; an order's id as it is is none."""
    shop.register("shop.7")
    shop.verify(shop.receipt(order_id="shop.7"), "shop.7")
    (owed,) = shop.ask("GET", "/v1/orders/shop.7").json["deliveries"]

    assert "shop@7:2:order_paid" == owed["id"]
    for segment in ("shop@7:2:order_paid", "shop%407%3A2%3Aorder_paid"):
        assert 200 == shop.ask("POST", f"/v1/deliveries/{segment}/retry").status
    assert 404 == shop.ask("POST", "/v1/deliveries/shop.7:2:order_paid/retry").status


def test_the_id_of_money_back_may_be_tried_again_too(shop: Shop) -> None:
    """Its id holds an underscore and a receipt's id."""
    shop.register()
    receipt = shop.receipt(price=1)
    shop.verify(receipt)
    answer = shop.ask("POST", f"/v1/deliveries/o1:{receipt}:money_back/retry")

    assert (200, "money_back") == (answer.status, answer.json["lane"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/orders", {"order_id": "o2", "price": 1, "name": "n"}),
        ("GET", "/v1/orders", b""),
        ("GET", "/v1/orders/o1", b""),
        ("GET", "/v1/orders/o1/history", b""),
        ("GET", "/v1/orders/o1/state", b""),
        ("POST", "/v1/deliveries/o1:2:order_paid/retry", b""),
    ],
)
def test_every_route_tells_when_the_store_fails(shop: Shop, method: str, path: str, body: Any) -> None:
    """503 `store_unavailable`, to be tried again; the store's words stay in the log."""
    shop.register()
    shop.memory.error = StoreUnavailable("db.internal:5432 is away")
    answer = shop.ask(method, path, body)

    assert (503, "store_unavailable") == (answer.status, answer.code)
    assert ("o1" if path.startswith("/v1/orders/") else None) == answer.json.get("order_id")
    assert b"db.internal" not in answer.body
