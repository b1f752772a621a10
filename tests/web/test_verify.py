"""POST /v1/orders/{order_id}/verify and GET …/state: what anybody may ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dojang.core.receipt import Account, ReceiptStatus
from dojang.core.rules import Mode, Rules
from dojang.core.verification import Reason
from dojang.errors import NotSent, OutcomeUnknown, Refused, StoreUnavailable
from dojang.ports import Approval

if TYPE_CHECKING:
    from conftest import Shop

OpenShop = Callable[..., "Shop"]


def test_a_paid_receipt_pays_and_a_replay_costs_bootpay_nothing(shop: Shop) -> None:
    """200 with the terms; the second time `replayed` is true and nobody was asked."""
    shop.register()
    receipt = shop.receipt()
    first, second = shop.verify(receipt), shop.verify(receipt)
    expected = {
        "order_id": "o1",
        "state": "paid",
        "receipt_id": receipt,
        "price": 3000,
        "currency": "KRW",
        "replayed": False,
    }

    assert (200, expected) == (first.status, first.json)
    assert (200, expected | {"replayed": True}) == (second.status, second.json)
    assert 1 == shop.bootpay.asked


def test_a_virtual_account_is_shown_while_its_deposit_is_awaited(shop: Shop) -> None:
    """`awaiting_deposit` with the account to pay into, its deadline in UTC."""
    shop.register()
    account = Account(
        bank_name="국민",
        bank_code="004",
        number="123-45",
        holder="도장",
        expires_at=datetime(2026, 11, 25, tzinfo=UTC),
    )
    answer = shop.verify(shop.receipt(status=ReceiptStatus.AWAITING_DEPOSIT, account=account))

    assert (200, "awaiting_deposit") == (answer.status, answer.json["state"])
    assert {
        "bank_name": "국민",
        "bank_code": "004",
        "number": "123-45",
        "holder": "도장",
        "expires_at": "2026-11-25T00:00:00Z",
    } == answer.json["account"]


def test_what_is_not_decided_yet_is_pending(shop: Shop) -> None:
    """202 with Retry-After, and nothing but the id and the state."""
    shop.register()
    answer = shop.verify(shop.receipt(status=ReceiptStatus.WAITING))

    assert (202, {"order_id": "o1", "state": "pending"}) == (answer.status, answer.json)
    assert answer.headers["retry-after"].isdigit()


def test_an_approval_is_given_when_everything_fits(shop: Shop) -> None:
    """A receipt that waits for the server is judged, approved and paid in one call."""
    shop.register()
    answer = shop.verify(shop.receipt(status=ReceiptStatus.AWAITING_APPROVAL))

    assert (200, "paid") == (answer.status, answer.json["state"])


FACTS: dict[Reason, dict[str, Any]] = {
    Reason.AMOUNT_MISMATCH: {"price": 1},
    Reason.CURRENCY_MISMATCH: {"currency": "USD"},
    Reason.TAX_FREE_MISMATCH: {"tax_free": 100},
    Reason.ORDER_MISMATCH: {"order_id": "another"},
    Reason.SANDBOX_RECEIPT: {"sandbox": True},
    Reason.ALREADY_CANCELLED: {"cancelled": 1000},
    Reason.PAYMENT_FAILED: {"status": ReceiptStatus.FAILED},
}
ELSEWHERE = {
    Reason.LIVE_RECEIPT,
    Reason.RECEIPT_ALREADY_USED,
    Reason.ORDER_ALREADY_PAID,
    Reason.ORDER_EXPIRED,
    Reason.REFUSED_BY_SHOP,
}


def test_every_refusal_is_tested() -> None:
    """The cases here and those with a story of their own are all there are."""
    assert set(Reason) == set(FACTS) | ELSEWHERE


@pytest.mark.parametrize("reason", FACTS, ids=str)
def test_a_receipt_that_does_not_fit_is_422(shop: Shop, reason: Reason) -> None:
    """Its code, both sentences, the ids, not retryable; the order stays unpaid."""
    shop.register()
    receipt = shop.receipt(**FACTS[reason])
    answer = shop.verify(receipt)

    assert (422, reason.value) == (answer.status, answer.code)
    assert {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": reason.sentence_en,
        "detail_ko": reason.sentence_ko,
        "code": reason.value,
        "retryable": False,
        "order_id": "o1",
        "receipt_id": receipt,
    } == answer.json
    assert {"order_id": "o1", "state": "open"} == shop.ask("GET", "/v1/orders/o1/state", key=None).json


def test_a_real_receipt_is_refused_in_sandbox_mode(open_shop: OpenShop) -> None:
    """422 `live_receipt`."""
    shop = open_shop(rules=Rules(mode=Mode.SANDBOX))
    shop.register()
    answer = shop.verify(shop.receipt(sandbox=False))

    assert (422, "live_receipt") == (answer.status, answer.code)


def test_a_receipt_of_another_paid_order_is_409(shop: Shop) -> None:
    """A claim lasts for ever: the receipt that paid o1 pays nothing else."""
    shop.register()
    shop.register("o2")
    receipt = shop.receipt()
    shop.verify(receipt)
    answer = shop.verify(receipt, "o2")

    assert (409, "receipt_already_used") == (answer.status, answer.code)


def test_a_second_receipt_for_a_paid_order_is_409(shop: Shop) -> None:
    """The order is paid once; the second money is owed back."""
    shop.register()
    shop.verify(shop.receipt(1))
    answer = shop.verify(shop.receipt(2))

    assert (409, "order_already_paid") == (answer.status, answer.code)


def test_an_approval_after_the_deadline_is_refused(shop: Shop) -> None:
    """422 `order_expired`, and no money has moved."""
    shop.register(expires_at="2026-11-23T02:00:00Z")
    answer = shop.verify(shop.receipt(status=ReceiptStatus.AWAITING_APPROVAL))

    assert (422, "order_expired") == (answer.status, answer.code)


def test_the_shops_own_words_stay_with_the_shop(open_shop: OpenShop, declining: Approval) -> None:
    """422 `refused_by_shop`; why exactly is for the history, not for a stranger."""
    shop = open_shop(approval=declining)
    shop.register()
    answer = shop.verify(shop.receipt(status=ReceiptStatus.AWAITING_APPROVAL))

    assert (422, "refused_by_shop") == (answer.status, answer.code)
    assert b"sold out" not in answer.body


def test_unknown_orders_and_receipts_are_404(shop: Shop) -> None:
    """Each with its own code."""
    before = shop.verify("0" * 24)
    shop.register()
    after = shop.verify("0" * 24)

    assert (404, "order_not_found", 404, "receipt_not_found") == (
        before.status,
        before.code,
        after.status,
        after.code,
    )


@pytest.mark.parametrize(
    ("error", "status", "code", "retryable"),
    [
        (NotSent("refused connection"), 503, "upstream_unavailable", True),
        (OutcomeUnknown("no answer"), 503, "upstream_unavailable", True),
        (
            Refused("RC_SECRET", "카드사 거절 홍길동", http_status=400),
            502,
            "upstream_refused",
            False,
        ),
        (Refused("TOO_MANY", "later", http_status=429, retryable=True), 502, "upstream_refused", True),
    ],
    ids=["not_sent", "unknown", "refused", "refused_for_now"],
)
def test_bootpays_failures_are_told_without_its_words(
    shop: Shop,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    code: str,
    retryable: bool,
) -> None:
    """502 when Bootpay said no, 503 when it cannot be asked; its words reach neither caller nor log."""
    shop.register()
    shop.bootpay.error = error
    answer = shop.verify("0" * 24)

    assert (status, code, retryable) == (answer.status, answer.code, answer.json["retryable"])
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "홍길동" not in answer.body.decode() + caplog.text
    assert f'dojang_upstream_errors_total{{kind="{type(error).__name__}"}} 1' in shop.api.metrics.text()


def test_a_store_that_fails_is_503_with_a_code_of_its_own(shop: Shop) -> None:
    """`upstream_unavailable` is about Bootpay; this is `store_unavailable`."""
    shop.memory.error = StoreUnavailable("disk full")
    answer = shop.verify("0" * 24)

    assert (503, "store_unavailable", True) == (answer.status, answer.code, answer.json["retryable"])
    assert "retry-after" in answer.headers


def test_our_own_mistake_is_500_and_its_message_is_not_logged(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which error and where; its message might quote a key."""
    shop.register()
    shop.bootpay.error = KeyError("secret-key-in-a-message")
    answer = shop.verify("0" * 24)

    assert (500, "internal_error") == (answer.status, answer.code)
    assert "KeyError at routes.py" in caplog.text
    assert "secret-key" not in caplog.text


def test_strangers_are_throttled(open_shop: OpenShop) -> None:
    """429 with the seconds to wait; Bootpay is not asked."""

    class Full:
        def take(self, order_id: str, /) -> float:
            return 7.0

    shop = open_shop(throttle=Full())
    shop.register()
    answer = shop.verify(shop.receipt())

    assert (429, "throttled", "7", 0) == (
        answer.status,
        answer.code,
        answer.headers["retry-after"],
        shop.bootpay.asked,
    )


def test_state_tells_the_state_and_nothing_else(shop: Shop) -> None:
    """Anybody may poll it, so it holds neither price nor receipt."""
    shop.register()
    before = shop.ask("GET", "/v1/orders/o1/state", key=None)
    shop.verify(shop.receipt())
    after = shop.ask("GET", "/v1/orders/o1/state", key=None)
    unknown = shop.ask("GET", "/v1/orders/o2/state", key=None)

    assert {"order_id": "o1", "state": "open"} == before.json
    assert {"order_id": "o1", "state": "paid"} == after.json
    assert (404, "order_not_found") == (unknown.status, unknown.code)


def test_ids_may_come_percent_encoded_and_in_capitals(shop: Shop) -> None:
    """`%3A` is a colon; a receipt's id is the same in either case."""
    shop.register("a:b~1")
    receipt = shop.receipt(0xABC, order_id="a:b~1")
    answer = shop.verify(receipt.upper(), "a%3Ab%7E1")

    assert (200, receipt) == (answer.status, answer.json["receipt_id"])


def test_a_dollar_price_is_shown_in_dollars(shop: Shop) -> None:
    """Major units everywhere outside: 19.99, not 1999."""
    shop.register(price="19.99", currency="USD")
    answer = shop.verify(shop.receipt(price=1999, currency="USD"))
    history = shop.ask("GET", "/v1/orders/o1/history").json["events"]

    assert (19.99, "USD") == (answer.json["price"], answer.json["currency"])
    assert [19.99, 19.99] == [event["price"] for event in history]


def test_a_lease_of_somebody_else_ends_in_pending(shop: Shop) -> None:
    """While another approval is under way the caller waits, then is told to ask again."""
    shop.register()
    receipt = shop.receipt(status=ReceiptStatus.AWAITING_APPROVAL)
    confirm = shop.bootpay.confirm

    async def nothing_comes_back(*_: object) -> None:
        shop.bootpay.error = OutcomeUnknown("no answer")
        raise OutcomeUnknown("no answer")

    shop.bootpay.confirm = nothing_comes_back  # type: ignore[assignment, method-assign]
    first = shop.verify(receipt)
    second = shop.verify(receipt)
    shown = shop.ask("GET", "/v1/orders/o1").json
    shop.bootpay.confirm, shop.bootpay.error = confirm, None  # type: ignore[method-assign]
    shop.clock.at += timedelta(minutes=2)
    third = shop.verify(receipt)

    assert [202, 202, 200] == [first.status, second.status, third.status]
    assert ("pending", [("confirming", receipt)]) == (
        shown["state"],
        [(other["fate"], other["receipt_id"]) for other in shown["receipts"]],
    )
