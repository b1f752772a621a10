"""What counts as handed over, and what counts as the shop's word before money moves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from dojang.adapters.destination import Destination
from dojang.adapters.fulfilment import (
    FunctionApproval,
    FunctionFulfilment,
    HttpApproval,
    HttpFulfilment,
    delivery_body,
)
from dojang.adapters.retry_after import asked_to_wait_s
from dojang.core.decision import Draft
from dojang.core.delivery import Delivery, Lane, due_again
from dojang.core.order import Money, Order, OrderId, ReceiptId
from dojang.core.payment import Payment, Record
from dojang.core.receipt import Receipt, ReceiptStatus
from dojang.core.values import replace
from dojang.drive import inline, run
from dojang.ports import Approved, Declined, HandedOver

from .shop_door import SILENCE, Door, answer, opened

NEW, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQ="
DATE = "Mon, 23 Nov 2026 03:05:00 GMT"
STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
CREATED = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)
ORDER = Order(id=OrderId("o-1"), price=Money(1234, "USD"), name="도장", metadata={"sku": "갑"})
RECEIPT = Receipt(
    id=ReceiptId("645c58be755e270022e1e8db"),
    order_id="o-1",
    status=ReceiptStatus.AWAITING_APPROVAL,
    price=1234,
    currency="USD",
)
DELIVERY = Delivery(
    id="o-1:3:order_paid",
    order_id=ORDER.id,
    seq=3,
    lane=Lane.NOTICE,
    type="order.paid",
    data={"order_id": "o-1", "name": "도장"},
    created_at=CREATED,
    due_at=CREATED,
)


@pytest.fixture
def door() -> Iterator[Door]:
    """A shop on loopback."""
    with opened() as door:
        yield door


class Now:
    """The real time where a signature's age is checked, moved by the test."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment


def fulfilment(door: Door, *secrets: str, now: Now | None = None) -> HttpFulfilment:
    """Deliveries to this door."""
    return HttpFulfilment(Destination(door.url, allow_loopback=True), secrets or (NEW,), inline, now or Now())


def approval(door: Door) -> HttpApproval:
    """Questions to this door."""
    return HttpApproval(Destination(door.url, allow_loopback=True), (NEW, OLD), inline, Now())


def hand_over(door: Door, within_s: float = 5) -> HandedOver:
    """Try once."""
    return run(fulfilment(door).hand_over(DELIVERY, within_s))


def ask(door: Door, within_s: float = 5) -> Approved | Declined:
    """Ask once."""
    return run(approval(door).ask(ORDER, RECEIPT, within_s))


# --- deliveries over HTTP ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "settled", "gone"),
    [
        *((status, True, False) for status in (200, 201, 202, 204, 226, 299)),
        *(
            (status, False, False)
            for status in (300, 301, 302, 304, 307, 400, 401, 404, 409, 429, 500, 503, 599)
        ),
        (410, False, True),
    ],
)
def test_only_2xx_settles_and_only_410_stops(status: int, settled: bool, gone: bool, door: Door) -> None:
    """Everything else, a redirect too, is tried again."""
    door.script = [answer(status, b"", "Location: /elsewhere")]

    expected = HandedOver(settled=settled, gone=gone, words=f"HTTP {status}", to="127.0.0.1")
    assert expected == hand_over(door)
    assert 1 == len(door.heads)


@pytest.mark.parametrize("status", [429, 503])
def test_a_shop_may_ask_for_time(status: int, door: Door) -> None:
    """In seconds, or until a date by the clock that signs."""
    now = Now()
    now.moment = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)
    door.script = [
        answer(status, b"", "Retry-After: 120"),
        answer(status, b"", f"Retry-After: {DATE}"),
        answer(status),
    ]
    to = fulfilment(door, now=now)

    assert [120.0, 55.0, 0.0] == [run(to.hand_over(DELIVERY, 5)).wait_s for _ in range(3)]


@pytest.mark.parametrize("status", [200, 302, 404, 410, 500])
def test_time_is_asked_for_by_429_and_503_alone(status: int, door: Door) -> None:
    """Elsewhere the header means something else, or nothing."""
    door.script = [answer(status, b"", "Retry-After: 120")]

    assert 0.0 == hand_over(door).wait_s


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "+5",
        "\u0662",
        "Mon, 23 Nov 2026 03:04:00 GMT",
        "Mon, 99 Nov 2026 03:04:00 GMT",
        "1 2 3 4 5",
    ],
)
def test_what_cannot_be_read_asks_for_nothing(said: str) -> None:
    """Nor does a date that is over."""
    assert 0.0 == asked_to_wait_s(503, said, CREATED)


@pytest.mark.parametrize(
    "said",
    [
        "Mon, 23 Nov 2026 03:05:00",
        "Mon, 23 Nov 2026 03:05:00 -0000",
        "Mon, 23 Nov 2026 03:05:00 GMT",
        "Mon, 23 Nov 2026 12:05:00 +0900",
    ],
)
def test_a_date_without_a_zone_is_in_greenwich(said: str) -> None:
    """HTTP knows no other; a receiver that leaves the zone out, or writes that it knows none, means the same."""
    assert 55.0 == asked_to_wait_s(503, said, datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC))


@given(st.text(max_size=100) | st.from_regex(r"[A-Za-z0-9 ,:+-]{0,100}", fullmatch=True))
def test_whatever_a_shop_says_is_a_time_to_wait(said: str) -> None:
    """Nonsense raises nothing, and no number is too large to be added to a date."""
    wait_s = asked_to_wait_s(503, said, CREATED)

    assert wait_s >= 0
    assert due_again(1, CREATED, 0.0, wait_s) is not None


def test_what_the_shop_says_besides_is_not_kept(door: Door) -> None:
    """The words are for a log; a body may hold anything."""
    door.script = [answer(500, "홍길동 010-1234-5678".encode())]

    assert "HTTP 500" == hand_over(door).words


@pytest.mark.parametrize("said", [None, SILENCE, b"nonsense\r\n\r\n"])
def test_no_usable_answer_is_tried_again(said: bytes | None, door: Door) -> None:
    """Closed, silent or garbage: not settled, not gone, never an exception."""
    door.script = [said]
    result = hand_over(door, within_s=0.05)

    assert (False, False) == (result.settled, result.gone)
    assert result.words


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_every_secret_that_is_rotated_verifies(secret: str, door: Door) -> None:
    """The reference package takes the message with either secret, while both are in use."""
    run(fulfilment(door, NEW, OLD).hand_over(DELIVERY, 5))
    told = standardwebhooks.Webhook(secret).verify(door.bodies[0], door.headers())

    assert {
        "type": "order.paid",
        "timestamp": "2026-11-23T03:04:05Z",
        "data": {"order_id": "o-1", "name": "도장"},
    } == told
    assert 2 == len(door.headers()["webhook-signature"].split())


def test_another_secret_or_another_body_does_not_verify(door: Door) -> None:
    """Neither a stranger's signature nor a changed price is believed."""
    hand_over(door)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(OLD).verify(door.bodies[0], door.headers())
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(NEW).verify(door.bodies[0] + b" ", door.headers())


def test_every_attempt_has_the_same_id_and_the_same_bytes(door: Door) -> None:
    """Only the signed time differs, so that a late repeat is not taken for an old message."""
    now = Now()
    sender = fulfilment(door, now=now)
    run(sender.hand_over(DELIVERY, 5))
    first = now.moment
    now.moment = datetime.fromtimestamp(first.timestamp() + 120, UTC)
    run(sender.hand_over(DELIVERY, 5))

    assert door.bodies[0] == door.bodies[1] == delivery_body(DELIVERY)
    assert {DELIVERY.id} == {door.headers(n)["webhook-id"] for n in (0, 1)}
    assert [int(first.timestamp()), int(first.timestamp()) + 120] == [
        int(door.headers(n)["webhook-timestamp"]) for n in (0, 1)
    ]
    for n in (0, 1):
        standardwebhooks.Webhook(NEW).verify(door.bodies[n], door.headers(n))


# --- deliveries to a function --------------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [None, False, 0, "no"])
def test_a_function_that_returns_has_it(returned: object) -> None:
    """Whatever it returns; it sees the id and the very message that HTTP would carry."""
    seen: list[tuple[str, Mapping[str, object]]] = []

    def shop(delivery_id: str, message: Mapping[str, object]) -> object:
        seen.append((delivery_id, message))
        return returned

    assert HandedOver(settled=True) == run(FunctionFulfilment(shop, inline).hand_over(DELIVERY, 5))
    assert [(DELIVERY.id, json.loads(delivery_body(DELIVERY)))] == seen


@pytest.mark.parametrize("error", [ValueError("홍길동"), KeyError("x"), TimeoutError(), SystemError("x")])
def test_a_function_that_raises_has_it_not(error: Exception) -> None:
    """It is owed again, and only the error's name is kept."""

    def shop(delivery_id: str, message: Mapping[str, object]) -> object:
        raise error

    result = run(FunctionFulfilment(shop, inline).hand_over(DELIVERY, 5))

    assert HandedOver(settled=False, words=type(error).__name__) == result


# --- the shop's word -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 299])
def test_only_json_true_approves(status: int, door: Door) -> None:
    """Under any 2xx, whatever else is said."""
    door.script = [answer(status, b' {"approve": true, "reason": "sold out", "more": []} ')]

    assert Approved() == ask(door)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"approve": "true"}', "the shop declined"),
        ('{"approve": 1}', "the shop declined"),
        ('{"approve": "yes"}', "the shop declined"),
        ('{"approve": [true]}', "the shop declined"),
        ('{"approve": {"approve": true}}', "the shop declined"),
        ('{"Approve": true}', "the shop declined"),
        ('{"approve": false}', "the shop declined"),
        ('{"approve": false, "reason": "품절"}', "품절"),
        ('{"approve": "false", "reason": "sold out"}', "sold out"),
        ('{"approve": null}', "the shop declined"),
        ('{"approve": true, "approve": false}', "the shop's answer is no JSON"),
        ('{"approve": false, "approve": true}', "the shop's answer is no JSON"),
        ("{}", "the shop declined"),
        ("true", "the shop's answer is no JSON object"),
        ('"true"', "the shop's answer is no JSON object"),
        ('[{"approve": true}]', "the shop's answer is no JSON object"),
        ("null", "the shop's answer is no JSON object"),
        ("", "the shop's answer is no JSON"),
        ("approve=true", "the shop's answer is no JSON"),
        ('{"approve": True}', "the shop's answer is no JSON"),
        ('{"approve": true', "the shop's answer is no JSON"),
        ("<html>true</html>", "the shop's answer is no JSON"),
        pytest.param("[" * 60_000, "the shop's answer is no JSON", id="deep"),
        pytest.param(
            '{"approve": true, "more": "' + "x" * 70_000 + '"}', "the shop's answer is no JSON", id="long"
        ),
    ],
)
def test_every_other_word_declines(body: str, reason: str, door: Door) -> None:
    """Money does not move on a guess."""
    door.script = [answer(200, body.encode())]

    assert Declined(reason) == ask(door)


def test_bytes_that_are_no_text_decline(door: Door) -> None:
    """Not UTF-8 is not JSON."""
    door.script = [answer(200, b'{"approve": true, "reason": "\xff"}')]

    assert Declined("the shop's answer is no JSON") == ask(door)


@pytest.mark.parametrize("status", [302, 400, 404, 410, 500, 503])
def test_another_status_declines_whatever_the_body_says(status: int, door: Door) -> None:
    """An error page that says yes says no."""
    door.script = [answer(status, b'{"approve": true}', "Location: /x")]

    assert Declined(f"the shop answered HTTP {status}") == ask(door)


@pytest.mark.parametrize("said", [None, SILENCE, b"nonsense\r\n\r\n"])
def test_no_usable_answer_declines(said: bytes | None, door: Door) -> None:
    """No answer is a no."""
    door.script = [said]
    word = ask(door, within_s=0.05)

    assert isinstance(word, Declined)
    assert word.reason.startswith("the shop did not answer: ")


def test_what_the_shop_is_asked(door: Door) -> None:
    """Signed like a delivery; price in major units; the same id for the same question."""
    ask(door)
    asked = standardwebhooks.Webhook(OLD).verify(door.bodies[0], door.headers())

    assert ("payment.approve", f"o-1:{RECEIPT.id}:approve") == (asked["type"], door.headers()["webhook-id"])
    assert {
        "order_id": "o-1",
        "receipt_id": RECEIPT.id,
        "price": 12.34,
        "currency": "USD",
        "metadata": {"sku": "갑"},
    } == asked["data"]


def test_no_dot_of_an_orders_id_reaches_a_header(door: Door) -> None:
    """Standard Webhooks: an id that whoever orders may choose must hold no dot, which ends it in what is signed."""
    order = replace(ORDER, id=OrderId("o.1700000000."))
    owed = Draft(Record(order=order, payment=Payment(), version=2, created_at=CREATED), CREATED, "shop")
    owed.tell("order.paid")
    run(fulfilment(door).hand_over(owed.owes[0], 5))
    run(approval(door).ask(order, RECEIPT, 5))
    heads = [{name: door.headers(number)[name] for name in STANDARD} for number in (0, 1)]

    assert "o@1700000000@:2:order_paid" == heads[0]["webhook-id"]
    assert [] == [value for head in heads for value in head.values() if "." in value]
    for head, body in zip(heads, door.bodies, strict=True):
        assert standardwebhooks.Webhook(NEW).verify(body, head)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (True, Approved()),
        (False, Declined("the shop declined")),
        (None, Declined("the shop declined")),
        ("", Declined("the shop declined")),
        ("품절", Declined("품절")),
        ("true", Declined("true")),
        (1, Declined("1")),
    ],
)
def test_only_true_itself_approves(said: Any, word: Approved | Declined) -> None:
    """A sentence is the reason why not; 1 is a number."""
    seen: list[object] = []

    def shop(order_id: str, price: float, metadata: Mapping[str, object]) -> Any:
        seen.extend([order_id, price, dict(metadata)])
        return said

    assert word == run(FunctionApproval(shop, inline).ask(ORDER, RECEIPT, 5))
    assert ["o-1", 12.34, {"sku": "갑"}] == seen


def test_a_hook_that_raises_has_not_approved() -> None:
    """Only the error's name is kept."""

    def shop(order_id: str, price: float, metadata: Mapping[str, object]) -> bool:
        raise RuntimeError("홍길동")

    word = run(FunctionApproval(shop, inline).ask(ORDER, RECEIPT, 5))

    assert Declined("the approval hook failed: RuntimeError") == word
