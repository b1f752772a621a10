"""Cancel, resolve and reconcile over HTTP, with a Bootpay that keeps books and a store that is a file."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dojang.adapters.sqlite import SqliteBackend
from dojang.adapters.store import AwaitedStore
from dojang.core.order import OrderId, ReceiptId
from dojang.core.payment import State
from dojang.core.rules import OnMismatch, Rules
from dojang.drive import inline, run
from dojang.emulator.ledger import LedgerRefusal
from dojang.ports import World
from dojang.testing import Fault, PretendBootpay, PretendClock
from dojang.web.http import Request
from dojang.web.routes import Api, WebOptions

KEY = "shop-key-0123456789abcdef"
ACCOUNT = {"bank_code": "004", "bank_account": "987-6543-2101", "bank_username": "홍길동"}
REPLAYED = "idempotency-replayed"


class Told:
    """A response, read."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.json: Any = json.loads(body)

    @property
    def replayed(self) -> bool:
        """Whether it says that it repeats the first answer."""
        return self.headers.get(REPLAYED) == "true"


class Till:
    """A paid order and the API around it."""

    def __init__(self, path: Path, rules: Rules | None = None) -> None:
        self.path = path
        self.clock = PretendClock()
        self.bootpay = PretendBootpay(self.clock)
        self.backend = SqliteBackend(path)
        self.world = World(
            store=AwaitedStore(self.backend, inline),
            gateway=self.bootpay,
            clock=self.clock,
            rules=rules or Rules(),
        )
        self.api = Api(self.world, WebOptions(api_keys=(KEY,)))

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Told:
        """Ask with the shop's key."""
        sent = {"authorization": f"Bearer {KEY}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        data = b"" if body is None else json.dumps(body).encode()
        response = run(self.api.handle(Request(method, path, "", sent, data)))
        return Told(response.status, response.headers, response.body)

    def register(self, order_id: str = "o1", price: object = 1000, **terms: object) -> None:
        """An order."""
        told = self.ask("POST", "/v1/orders", {"order_id": order_id, "price": price, "name": "양말"} | terms)
        assert 201 == told.status, told.body

    def verify(self, receipt_id: str, order_id: str = "o1") -> Told:
        """The buyer is back."""
        return self.ask("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": receipt_id})

    def paid(self, order_id: str = "o1") -> ReceiptId:
        """An order of 1000 won, paid."""
        self.register(order_id)
        receipt_id = self.bootpay.pay(order_id, 1000)
        assert 200 == self.verify(receipt_id, order_id).status
        return receipt_id

    def cancel(self, key: str = "k1", order_id: str = "o1", **body: object) -> Told:
        """Money back."""
        return self.ask(
            "POST", f"/v1/orders/{order_id}/cancel", {"reason": "환불"} | body, idempotency_key=key
        )

    def resolve(self, decision: str, order_id: str = "o1", **body: object) -> Told:
        """Mina's word."""
        words = {"decision": decision, "who": "mina", "reason": "고객과 통화함"} | body
        return self.ask("POST", f"/v1/orders/{order_id}/resolve", words)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    """A shop over a file."""
    till = Till(tmp_path / "dojang.db")
    yield till
    till.backend.close()


def test_a_cancel_tells_what_went_back_and_what_is_left(till: Till) -> None:
    """In the order's own currency, major units."""
    till.paid()
    told = till.cancel(amount=300)

    assert (200, False) == (told.status, told.replayed)
    assert {
        "order_id": "o1",
        "state": "partially_cancelled",
        "amount": 300,
        "tax_free": 0,
        "cancelled": 300,
        "remaining": 700,
        "currency": "KRW",
    } == told.json


def test_a_cancel_without_an_amount_gives_back_all_that_remains(till: Till) -> None:
    """After a part, the rest."""
    till.paid()
    till.cancel("k1", amount="300.00")
    told = till.cancel("k2")

    assert ("cancelled", 700, 1000, 0) == tuple(
        told.json[name] for name in ("state", "amount", "cancelled", "remaining")
    )


def test_a_receipt_whose_money_went_back_is_not_called_paid_at_another_order(till: Till) -> None:
    """It stays the first order's for ever; the sentence is true wherever its money is."""
    receipt_id = till.paid("o1")
    till.cancel()
    till.register("o2")
    told = till.verify(receipt_id, "o2")

    assert (409, "receipt_already_used") == (told.status, told.json["code"])
    assert "This receipt is on file for another order, and counts for no second one." == told.json["detail"]
    assert "이미 다른 주문에 등록된 영수증이므로 이 주문에는 쓸 수 없습니다." == told.json["detail_ko"]


def test_cents_are_exact(till: Till) -> None:
    """0.1 and 0.2 dollars are 30 cents."""
    till.register(price=19.99, currency="USD")
    till.verify(till.bootpay.pay("o1", 19.99, currency="USD"))  # type: ignore[arg-type]  # the window takes cents
    told = [till.cancel("k1", amount=0.1), till.cancel("k2", amount="0.20"), till.cancel("k3", amount=0.001)]

    assert [200, 200, 400] == [each.status for each in told]
    assert (0.3, 19.69) == (told[1].json["cancelled"], told[1].json["remaining"])


def test_the_first_answer_is_replayed_word_for_word_whatever_came_later(till: Till) -> None:
    """A part, the rest, then the part asked again: as it was then, and no call to Bootpay."""
    till.paid()
    first = till.cancel("k1", amount=300)
    till.cancel("k2")
    asked = till.bootpay.calls.total()
    again = till.cancel("k1", amount=300)

    assert (first.status, first.body, False, True) == (
        again.status,
        again.body,
        first.replayed,
        again.replayed,
    )
    assert asked == till.bootpay.calls.total()


def test_the_replay_survives_a_restart(till: Till) -> None:
    """The same file, another process."""
    till.paid()
    first = till.cancel("k1", amount=300)
    till.backend.close()
    later = Till(till.path)
    again = later.cancel("k1", amount=300)
    later.backend.close()

    assert (first.body, True) == (again.body, again.replayed)


def test_another_body_under_the_same_key_is_422(till: Till) -> None:
    """The same body spelled differently is the same body."""
    till.paid()
    till.cancel("k1", amount=300)
    other = till.cancel("k1", amount=301)
    same = till.cancel("k1", amount="300")

    assert (422, "idempotency_key_reused", False) == (other.status, other.json["code"], other.replayed)
    assert (200, True) == (same.status, same.replayed)


def test_bootpays_refusal_is_told_to_the_shop_and_replayed(till: Till) -> None:
    """With its code and words; a new key asks again."""
    till.paid()
    till.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR", "부분취소가 불가능한 카드"))
    first, again, other = till.cancel("k1"), till.cancel("k1"), till.cancel("k2")

    assert (422, "cancel_refused", "RC_CANCEL_SERVER_ERROR", "부분취소가 불가능한 카드") == (
        first.status,
        *(first.json[name] for name in ("code", "bootpay_code", "bootpay_message")),
    )
    assert (first.body, [False, True], 200) == (
        again.body,
        [first.replayed, again.replayed],
        other.status,
    )


def test_a_refusal_that_began_nothing_is_no_answer_to_be_replayed(till: Till) -> None:
    """It is judged afresh, says so by the header that is missing, and the mended body may have the same key."""
    till.paid()
    refused = [till.cancel("k1", amount=1001) for _ in range(2)]
    mended, again = till.cancel("k1", amount=300), till.cancel("k1", amount=300)
    late = till.cancel("k1", amount=1001)

    assert [(422, "amount_too_large", False)] * 2 == [
        (each.status, each.json["code"], each.replayed) for each in refused
    ]
    assert [(200, False), (200, True)] == [(each.status, each.replayed) for each in (mended, again)]
    assert (422, "idempotency_key_reused") == (late.status, late.json["code"])


def test_a_cancel_in_flight_is_409_and_an_unknown_one_202_each_with_a_time(till: Till) -> None:
    """Both say when to ask again; in the end the same key tells what happened."""
    till.paid()
    till.bootpay.on("cancel", Fault.LOST_AFTER)
    till.bootpay.on("receipt", Fault.NOT_SENT)
    unknown = till.cancel(amount=300)
    in_flight = till.cancel(amount=300)
    till.clock.advance(46)
    known = till.cancel(amount=300)

    assert (202, {"order_id": "o1", "state": "pending"}) == (unknown.status, unknown.json)
    assert (409, "cancel_in_progress", True) == (
        in_flight.status,
        in_flight.json["code"],
        in_flight.json["retryable"],
    )
    assert all(int(told.headers["retry-after"]) > 0 for told in (unknown, in_flight))
    assert (200, 300, True) == (known.status, known.json["cancelled"], known.replayed)


def test_every_refusal_has_its_code_and_status(till: Till) -> None:
    """409 where the order stands otherwise, 422 where the request cannot be done."""
    till.register("open")
    till.paid("mixed")
    till.paid("gone")
    till.cancel("k", order_id="gone")
    told = [
        till.cancel(order_id="open"),
        till.cancel("k9", order_id="gone"),
        till.cancel(order_id="mixed", amount=300, expected_remaining=999),
        till.cancel(order_id="mixed", amount=1001),
        till.cancel(order_id="mixed", amount=300, tax_free=1),
        till.cancel(order_id="nobody"),
    ]

    assert [
        (409, "not_paid"),
        (409, "already_cancelled"),
        (409, "remaining_mismatch"),
        (422, "amount_too_large"),
        (422, "tax_free_too_large"),
        (404, "order_not_found"),
    ] == [(each.status, each.json["code"]) for each in told]
    assert all(each.json["detail"] and each.json["detail_ko"] for each in told)


def test_what_never_left_is_503_and_may_be_sent_again(till: Till) -> None:
    """Under the same key; nothing hangs."""
    till.paid()
    till.bootpay.on("cancel", Fault.NOT_SENT)
    first, again = till.cancel(), till.cancel()

    assert (503, "upstream_unavailable", True, 200) == (
        first.status,
        first.json["code"],
        first.json["retryable"],
        again.status,
    )
    assert "o1" == first.json["order_id"]


def test_a_refund_account_leaves_no_trace(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the file nor in a log, a view, the history or an answer, also where Bootpay repeats it."""
    caplog.set_level(logging.DEBUG)
    till.register()
    receipt_id = till.bootpay.issue("o1", 1000)
    till.verify(receipt_id)
    till.bootpay.ledger.deposit(receipt_id)
    till.verify(receipt_id)
    words = "예금주 홍길동 98765432101 (987-6543-2101) 확인 필요"
    till.bootpay.on("cancel", LedgerRefusal("RC_CANCEL_SERVER_ERROR", words))
    told = [
        till.cancel("k0"),
        till.cancel("k1", amount=300, refund_account=ACCOUNT),
        till.cancel("k2", amount=300, refund_account=ACCOUNT),
        till.cancel("k2", amount=300, refund_account=ACCOUNT | {"bank_account": "1"}),
        till.cancel("k3", refund_account=ACCOUNT | {"bank_code": "x"}),
        till.ask("GET", "/v1/orders/o1"),
        till.ask("GET", "/v1/orders/o1/history"),
    ]
    till.backend.close()
    kept = b"".join(path.read_bytes() for path in till.path.parent.iterdir())
    everything = kept + caplog.text.encode() + b"".join(each.body for each in told)

    assert [
        "refund_account_required",
        "cancel_refused",
        None,
        "idempotency_key_reused",
        "invalid_request",
    ] == [each.json.get("code") for each in told[:5]]
    assert [] == [
        secret
        for secret in ("987-6543-2101", "98765432101", "홍길동", "\\ud64d\\uae38\\ub3d9")
        if secret.encode() in everything
    ]
    assert b"k2" not in kept


def test_a_decision_gives_the_order_as_it_is_then(tmp_path: Path) -> None:
    """With its receipts and deliveries; who and why are in the history."""
    till = Till(tmp_path / "dojang.db", Rules(on_mismatch=OnMismatch.HOLD))
    till.paid()
    second = till.bootpay.pay("o1", 1000)
    till.verify(second)
    told = till.resolve("return")
    history = till.ask("GET", "/v1/orders/o1/history").json["events"]
    till.backend.close()

    assert (200, "paid", "owed_back") == (
        told.status,
        told.json["state"],
        next(r["fate"] for r in told.json["receipts"] if r["receipt_id"] == second),
    )
    assert [("person:mina", "고객과 통화함")] == [
        (event["who"], event["reason"]) for event in history if event["what"] == "resolved"
    ]


def test_a_decision_is_about_the_receipt_that_is_named(tmp_path: Path) -> None:
    """Two payments too many wait for a word: one goes back, the other is left for later."""
    till = Till(tmp_path / "dojang.db", Rules(on_mismatch=OnMismatch.HOLD))
    till.paid()
    second, third = till.bootpay.pay("o1", 1000), till.bootpay.pay("o1", 1000)
    till.verify(second)
    till.verify(third)
    told = till.resolve("return", receipt_id=third)
    till.backend.close()
    fates = {each["receipt_id"]: each["fate"] for each in told.json["receipts"]}

    assert (200, "held", "owed_back") == (told.status, fates[second], fates[third])


@pytest.mark.parametrize("decision", ["accept", "return", "dismiss"])
def test_a_decision_that_does_not_fit_is_409_with_its_sentence(till: Till, decision: str) -> None:
    """In both languages; an unknown order is 404."""
    till.paid()
    told = till.resolve(decision)

    assert (409, "nothing_to_resolve", False) == (told.status, told.json["code"], told.json["retryable"])
    assert ("it is paid" in told.json["detail"], "paid" in told.json["detail_ko"]) == (True, True)
    assert 404 == till.resolve(decision, "nobody").status


def test_looking_again_needs_no_reason_and_finds_what_was_lost(till: Till) -> None:
    """A receipt the shop was told about on the telephone."""
    till.register()
    receipt_id = till.bootpay.pay("o1", 1000)
    nothing = till.resolve("look_again", reason="")
    unknown = till.resolve("look_again", receipt_id="f" * 24)
    found = till.resolve("look_again", receipt_id=receipt_id, reason="")

    assert [(409, "nothing_to_resolve"), (404, "receipt_not_found")] == [
        (told.status, told.json["code"]) for told in (nothing, unknown)
    ]
    assert (200, "paid") == (found.status, found.json["state"])
    history = till.ask("GET", "/v1/orders/o1/history").json["events"]
    assert ["shop", "person:mina"] == [event["who"] for event in history]


def test_looking_again_takes_the_only_held_receipt_and_names_several(tmp_path: Path) -> None:
    """Late money waits for a person; with a second one it is told which there are."""
    till = Till(tmp_path / "dojang.db")
    till.register(expires_at="2020-01-01T00:00:00Z")
    first = till.bootpay.pay("o1", 1000)
    till.verify(first)
    looked = till.resolve("look_again", reason="")
    second = till.bootpay.pay("o1", 1000)
    till.verify(second)
    several = till.resolve("look_again", reason="")
    till.backend.close()

    assert (200, "attention") == (looked.status, looked.json["state"])
    assert (409, "nothing_to_resolve") == (several.status, several.json["code"])
    assert f"{first}, {second}" in several.json["detail"]
    assert f"{first}, {second}" in several.json["detail_ko"]


def test_looking_again_while_somebody_is_at_work_is_409_and_may_be_repeated(till: Till) -> None:
    """With the seconds to wait."""
    till.register()
    receipt_id = till.bootpay.agree("o1", 1000)
    till.bootpay.on("confirm", Fault.LOST_BEFORE)
    till.verify(receipt_id)
    told = till.resolve("look_again")

    assert (409, True, "2") == (told.status, told.json["retryable"], told.headers["retry-after"])


@pytest.mark.parametrize("decision", ["refund", "", 1, None, "x` - at `$.who"])
def test_another_decision_is_answered_with_those_there_are(till: Till, decision: object) -> None:
    """Whoever guessed need not look it up; what was sent is not repeated."""
    told = till.ask("POST", "/v1/orders/o1/resolve", {"decision": decision, "who": "mina", "reason": "x"})

    assert (400, "invalid_request") == (told.status, told.json["code"])
    assert "decision must be one of accept, return, dismiss, look_again" == told.json["detail"]
    assert "decision은(는) accept, return, dismiss, look_again 중 하나여야 합니다" == told.json["detail_ko"]


def test_a_reconciliation_reports_what_it_found(till: Till) -> None:
    """Changes, and which of them nobody had told us about."""
    receipt_id = till.paid("o1")
    till.register("o2")
    till.bootpay.pay("o2", 1000)
    till.bootpay.ledger.outside_cancel(receipt_id)
    till.clock.advance(121)
    due = till.ask("POST", "/v1/reconcile", {})
    everything = till.ask("POST", "/v1/reconcile", {"everything": True})

    assert (200, [{"order_id": "o2", "before": "open", "after": "paid", "drift": True}]) == (
        due.status,
        due.json["changes"],
    )
    assert due.json["changes"] == due.json["drift"]
    assert {
        "checked": 2,
        "notices": 0,
        "calls": 4,
        "changes": [{"order_id": "o1", "before": "paid", "after": "cancelled", "drift": True}],
        "drift": [{"order_id": "o1", "before": "paid", "after": "cancelled", "drift": True}],
        "errors": [],
        "more": False,
        "next_cursor": None,
    } == everything.json


@pytest.mark.parametrize("body", [{"all": True}, {"everything": True}, {"all": True, "everything": True}])
def test_a_reconciliation_of_all_is_asked_for_as_on_the_command_line(
    till: Till, body: dict[str, object]
) -> None:
    """`--all` is `{"all": true}`; `everything` means the same, and a cursor goes with either."""
    till.register()
    till.bootpay.pay("o1", 1000)
    told = till.ask("POST", "/v1/reconcile", body)
    again = till.ask("POST", "/v1/reconcile", body | {"cursor": "1-o1"})

    assert (200, ["o1"]) == (told.status, [change["order_id"] for change in told.json["changes"]])
    assert "detail" not in told.json
    assert 200 == again.status


def test_two_words_for_the_same_that_differ_are_a_sentence(till: Till) -> None:
    """Which of them was meant is nothing to guess."""
    told = till.ask("POST", "/v1/reconcile", {"all": True, "everything": False})

    assert (400, "invalid_request") == (told.status, told.json["code"])
    assert "all and everything are two words for the same, and differ here: keep all" == told.json["detail"]


def test_a_reconciliation_with_nothing_due_is_not_all_is_well(till: Till) -> None:
    """Right after a webhook was lost the order is not due yet: the answer says how to look at it now."""
    nothing_there = till.ask("POST", "/v1/reconcile", {"all": True})
    till.register()
    till.bootpay.pay("o1", 1000)
    told = till.ask("POST", "/v1/reconcile")

    assert "detail" not in nothing_there.json
    assert (200, 0, []) == (told.status, told.json["checked"], told.json["changes"])
    assert told.json["detail"].startswith("Nothing was due.")
    assert '{"all": true}' in told.json["detail"]
    assert '{"all": true}' in told.json["detail_ko"]


def test_a_reconciliation_whose_every_look_failed_does_not_say_that_nothing_was_due(till: Till) -> None:
    """The order was due and Bootpay is away."""
    till.register()
    till.clock.advance(121)
    till.bootpay.on("lookup/order", Fault.LOST_BEFORE)
    told = till.ask("POST", "/v1/reconcile")

    assert (0, ["OutcomeUnknown"]) == (told.json["checked"], [each["why"] for each in told.json["errors"]])
    assert "detail" not in told.json


def test_a_reconciliation_that_had_no_time_does_not_say_that_nothing_was_due(till: Till) -> None:
    """It ended before it could ask the store: what is due it does not know, and `more` says so."""
    till.api = Api(till.world, WebOptions(api_keys=(KEY,), reconcile_within_s=1.0))
    told = till.ask("POST", "/v1/reconcile")

    assert (0, True) == (told.json["checked"], told.json["more"])
    assert "detail" not in told.json


def test_a_reconciliation_without_a_body_takes_the_defaults(till: Till) -> None:
    """`curl -X POST` is enough: nothing sent means what an empty object means."""
    till.register()
    till.bootpay.pay("o1", 1000)
    till.clock.advance(121)
    told = till.ask("POST", "/v1/reconcile")

    assert (200, ["o1"]) == (told.status, [change["order_id"] for change in told.json["changes"]])


def test_a_long_reconciliation_ends_in_time_and_says_where_to_go_on(till: Till) -> None:
    """Twenty seconds at twenty looks a second are not enough for 400 orders."""
    for number in range(400):
        till.register(f"o{number}")
    started = till.clock.monotonic()
    first = till.ask("POST", "/v1/reconcile", {"everything": True})
    took_s = till.clock.monotonic() - started
    rest = till.ask("POST", "/v1/reconcile", {"everything": True, "cursor": first.json["next_cursor"]})

    assert (True, False, 400) == (
        first.json["more"],
        rest.json["more"],
        first.json["checked"] + rest.json["checked"],
    )
    assert took_s < 20


def test_a_limit_is_kept(till: Till) -> None:
    """One due order per request, and whether there may be more."""
    for number in range(2):
        till.register(f"o{number}")
    till.clock.advance(121)
    told = [till.ask("POST", "/v1/reconcile", {"limit": 1}).json for _ in range(3)]

    assert [(1, True), (1, True), (0, False)] == [(each["checked"], each["more"]) for each in told]


def test_what_cannot_be_checked_is_in_the_report(till: Till) -> None:
    """By its kind alone: what Bootpay or the network said is in the log."""
    till.register()
    till.bootpay.on("lookup/order", Fault.LOST_BEFORE)
    told = till.ask("POST", "/v1/reconcile", {"everything": True})
    record = till.backend.load(OrderId("o1"))
    assert record is not None

    assert (200, 0, [{"id": "o1", "why": "OutcomeUnknown"}], State.OPEN) == (
        told.status,
        told.json["checked"],
        told.json["errors"],
        record.payment.state,
    )
