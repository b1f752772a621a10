"""What runs without anybody asking: deliver, reconcile, webhooks; and a person's word, resolve."""

from __future__ import annotations

import os
import re
import signal
import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from dojang.core.order import ReceiptId
from dojang.entry.cli import reconcile as reconcile_command
from dojang.entry.cli.codes import Code
from dojang.entry.settings import read_settings
from dojang.entry.wiring import open_backend
from dojang.errors import Conflict, NotSent, OutcomeUnknown, Refused, StoreUnavailable
from dojang.ports import Notice
from dojang.usecases.reconcile import ReconcileReport
from dojang.web.shapes import ShownReport

if TYPE_CHECKING:
    from conftest import Buyer, Door, Shell
    from dojang.emulator.server import EmulatorServer


@pytest.fixture
def receipt_id(dojang: Shell, buyer: Buyer) -> str:
    """Order A-1 is registered and its receipt waits for the server."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "테스트음식")
    return buyer.pays("A-1")


def test_deliver_hands_over_once(dojang: Shell, door: Door, receipt_id: str) -> None:
    """The shop is told, and a second run has nothing to do."""
    dojang("verify", "A-1", receipt_id)
    first, again = dojang.json("deliver"), dojang.json("deliver")

    assert {"settled": 1, "failed": 0, "dead": 0, "by_type": {"order.paid": 1}} == first
    assert 0 == again["settled"]
    assert ["order.paid"] == [message["type"] for message in door.received]


def test_without_a_destination_it_says_that_notices_wait(dojang: Shell, receipt_id: str) -> None:
    """A forgotten setting must not look like a shop that is owed nothing."""
    dojang("verify", "A-1", receipt_id)
    ended = dojang("deliver", "--format", "json")

    assert (0, 0) == (ended.code, ended.data["settled"])
    assert "DOJANG_DELIVER_TO is not set" in ended.err


def test_a_delivery_that_fails_is_kept_and_can_be_hurried(dojang: Shell, door: Door, receipt_id: str) -> None:
    """Exit code 1 while the shop does not answer; `--retry` makes it due at once, under the same id."""
    dojang("verify", "A-1", receipt_id)
    door.status = 500
    failed = dojang("deliver", "--format", "json")
    door.status = 200
    delivery_id = dojang.json("orders", "show", "A-1")["deliveries"][0]["id"]
    hurried = dojang("deliver", "--retry", delivery_id)
    delivered = dojang.json("deliver")

    assert (1, 1) == (failed.code, failed.data["failed"])
    assert 0 == hurried.code
    assert 1 == delivered["settled"]
    assert 2 == len(door.received)


def test_retrying_what_is_not_there_is_refused(dojang: Shell) -> None:
    """Exit code 3 and a sentence that names it."""
    dojang("migrate")
    ended = dojang("deliver", "--retry", "A-404:2:order_paid")

    assert 3 == ended.code
    assert "A-404:2:order_paid" in ended.err
    # Half a character, as a terminal hands over a byte that is no text.
    assert 3 == dojang("deliver", "--retry", "\udcff").code


def test_reconcile_finds_what_nobody_told(dojang: Shell, buyer: Buyer) -> None:
    """Paid at Bootpay, browser and webhook lost: exit code 5, and the order is paid; then all is well."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    buyer.pays("A-1", separately_confirmed=False)
    found = dojang("reconcile", "--all", "--rate", "1000", "--format", "json")
    again = dojang("reconcile", "--all", "--rate", "1000", "--format", "json")

    assert 5 == found.code
    assert found.data["changes"] == found.data["drift"]
    assert [{"order_id": "A-1", "before": "open", "after": "paid", "drift": True}] == found.data["changes"]
    assert (0, []) == (again.code, again.data["changes"])
    assert "paid" == dojang.json("orders", "show", "A-1")["state"]


@pytest.mark.parametrize("shown_as", ["table", "json"])
def test_reconcile_with_nothing_due_says_how_to_look_now(dojang: Shell, buyer: Buyer, shown_as: str) -> None:
    """Right after a webhook was lost the order is not due yet: zeros would pass for "all is well"."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    buyer.pays("A-1", separately_confirmed=False)
    early = dojang("reconcile", "--format", shown_as)
    found = dojang("reconcile", "--all", "--rate", "1000", "--format", shown_as)

    assert (0, 5) == (early.code, found.code)
    assert "Nothing was due." in early.err
    assert "`--all` looks at every order now" in early.err
    assert "Nothing was due" not in found.err


def test_reconcile_whose_every_look_failed_does_not_say_that_nothing_was_due(
    dojang: Shell, receipt_id: str, unreachable: str
) -> None:
    """A webhook was due and Bootpay is away: whoever is told to look later would wait for nothing."""
    settings = read_settings({"DOJANG_STORE": f"sqlite:///{dojang.file}"}, environment={}, bootpay=False)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    with closing(open_backend(settings)) as backend:
        backend.receive(
            Notice(receipt_id=ReceiptId(receipt_id), kind="PAYMENT_COMPLETED"), long_ago, long_ago
        )
    ended = dojang("reconcile", "--rate", "1000", "--format", "json", BOOTPAY_URL=unreachable)

    assert (6, 0, 1) == (ended.code, ended.data["checked"], len(ended.data["errors"]))
    assert "Nothing was due" not in ended.err


def test_reconcile_tells_failures_from_checks(dojang: Shell, receipt_id: str, unreachable: str) -> None:
    """An order that could not be looked at was not checked."""
    ended = dojang("reconcile", "--all", "--rate", "1000", "--format", "json", BOOTPAY_URL=unreachable)
    told = dojang("reconcile", "--all", "--rate", "1000", BOOTPAY_URL=unreachable)

    assert (0, 1) == (ended.data["checked"], len(ended.data["errors"]))
    assert [["checked", "0"], ["errors", "1"]] == [told.out.splitlines()[row].split() for row in (0, 5)]


def test_reconcile_has_the_names_of_the_http_api(dojang: Shell, receipt_id: str) -> None:
    """JSON is what `POST /v1/reconcile` answers; a person sees how many under the same names."""
    names = [field.name for field in msgspec.structs.fields(ShownReport) if field.required]
    data = dojang.json("reconcile")
    rows = dict(line.split() for line in dojang("reconcile").out.splitlines())

    assert names == list(data)
    assert [name for name in names if name != "next_cursor"] == list(rows)


def test_reconcile_shows_its_changes_to_people(
    dojang: Shell, bootpay: EmulatorServer, receipt_id: str
) -> None:
    """A cancel made in Bootpay's own console is drift, told as a table."""
    dojang("verify", "A-1", receipt_id)
    with bootpay.changing() as ledger:
        ledger.outside_cancel(receipt_id, 1000)
    ended = dojang("reconcile", "--all", "--rate", "1000")

    assert 5 == ended.code
    assert "partially_cancelled" in ended.out


def test_reconcile_says_that_something_may_be_left(
    dojang: Shell, receipt_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run ends after a number of webhooks and orders; programs and people can see that it did."""
    monkeypatch.setattr(reconcile_command, "_LIMIT", 1)
    settings = read_settings({"DOJANG_STORE": f"sqlite:///{dojang.file}"}, environment={}, bootpay=False)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    with closing(open_backend(settings)) as backend:
        for kind in ("PAYMENT_COMPLETED", "PAYMENT_CANCELLED"):
            backend.receive(Notice(receipt_id=ReceiptId(receipt_id), kind=kind), long_ago, long_ago)
    cut = dojang("reconcile", "--rate", "1000")
    ended = dojang("reconcile", "--rate", "1000", "--format", "json")
    done = dojang("reconcile", "--rate", "1000", "--format", "json")

    assert ["more", "yes"] == next(line.split() for line in cut.out.splitlines() if line.startswith("more"))
    assert "run it again" in cut.err
    assert (True, False) == (ended.data["more"], done.data["more"])
    assert "run it again" not in done.err


def test_reconcile_without_bootpay_ends_with_6(dojang: Shell, receipt_id: str, unreachable: str) -> None:
    """Nothing could be checked: it says so and changes nothing."""
    ended = dojang("reconcile", "--all", "--rate", "1000", BOOTPAY_URL=unreachable)

    assert 6 == ended.code
    assert "A-1 could not be checked" in ended.err
    assert "open" == dojang.json("orders", "show", "A-1")["state"]


def test_reconcile_with_keys_that_bootpay_refuses_ends_with_1(
    dojang: Shell, bootpay: EmulatorServer, receipt_id: str
) -> None:
    """Bootpay was reached: whoever tries again at 6 would try for ever, and a person must mend the keys."""
    with bootpay.faulty(on="*", do="unauthorized"):
        ended = dojang("reconcile", "--all", "--rate", "1000")

    assert 1 == ended.code
    assert "A-1 could not be checked" in ended.err
    assert "Bootpay refused" in ended.err


@pytest.mark.parametrize(
    ("failures", "code"),
    [
        ([NotSent("no"), OutcomeUnknown("no")], Code.UNREACHABLE),
        ([Refused("X", "busy", http_status=503, retryable=True)], Code.UNREACHABLE),
        ([NotSent("no"), StoreUnavailable("away")], Code.FAILURE),
        ([Conflict("o1 kept changing")], Code.FAILURE),
        ([], Code.FINE),
    ],
)
def test_only_a_bootpay_that_was_not_reached_ends_with_6(failures: list[Any], code: Code) -> None:
    """Everything else has its own code, also beside it."""
    report = ReconcileReport(failures=[(f"A-{number}", error) for number, error in enumerate(failures)])

    assert code == reconcile_command._code(report)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watching_ends_cleanly(dojang: Shell, door: Door, buyer: Buyer, number: signal.Signals) -> None:
    """`--watch` reconciles and delivers until it is told to stop, and then ends with 0."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    buyer.pays("A-1", separately_confirmed=False)

    def stop_when_delivered() -> None:
        door.knocked.wait(20)
        os.kill(os.getpid(), number)

    stopper = threading.Thread(target=stop_when_delivered)
    stopper.start()
    ended = dojang("reconcile", "--watch", "--all", "--rate", "1000")
    stopper.join()

    assert 0 == ended.code, ended.err
    assert ["order.paid"] == [message["type"] for message in door.received]
    assert re.search(r"delivery A-1:\d:order_paid of order A-1 to 127.0.0.1: settled", ended.out + ended.err)


def test_watching_checks_and_gives_money_back_beside_a_shop_that_hangs(
    dojang: Shell, door: Door, buyer: Buyer, bootpay: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many notices wait for an answer; what is paid twice meanwhile is found and goes back all the same."""
    monkeypatch.setattr(reconcile_command, "_PAUSE_S", 0.05)
    monkeypatch.setattr(reconcile_command, "_DELIVER_EVERY_S", 0.05)
    for number in range(6):
        dojang("orders", "add", f"A-{number}", "--price", "3000", "--name", "x")
        dojang("verify", f"A-{number}", buyer.pays(f"A-{number}"))
    door.answers.clear()
    patience, held, gone_back = threading.Event(), False, False

    def pay_twice_and_stop() -> None:
        nonlocal held, gone_back
        held = all(door.waiting.acquire(timeout=10) for _ in range(3))
        again = buyer.pays("A-0", separately_confirmed=False)
        settings = read_settings({"DOJANG_STORE": f"sqlite:///{dojang.file}"}, environment={}, bootpay=False)
        now = datetime.now(UTC)
        with closing(open_backend(settings)) as backend:
            backend.receive(Notice(receipt_id=ReceiptId(again), kind="PAYMENT_COMPLETED"), now, now)
        for _ in range(500):
            gone_back = 3000 == bootpay.ledger.receipt(again)["cancelled_price"]
            if gone_back:
                break
            patience.wait(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        door.answers.set()

    stopper = threading.Thread(target=pay_twice_and_stop)
    stopper.start()
    ended = dojang("reconcile", "--watch", "--rate", "1000")
    stopper.join()

    assert 0 == ended.code, ended.err
    assert (True, True) == (held, gone_back)


def test_watching_says_as_well_that_a_pretend_bootpay_is_to_be_started(
    dojang: Shell, unreachable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same sentence as a single run has."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    usual = reconcile_command.reconcile_orders

    async def once(*about: Any, **how: Any) -> ReconcileReport:
        report = await usual(*about, **how)
        os.kill(os.getpid(), signal.SIGTERM)
        return report

    monkeypatch.setattr(reconcile_command, "reconcile_orders", once)
    ended = dojang("reconcile", "--watch", "--all", "--rate", "1000", BOOTPAY_URL=unreachable)

    assert 0 == ended.code
    assert "start `dojang emulator`" in ended.err


def test_a_mistake_while_watching_ends_the_command(
    dojang: Shell, receipt_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody watches on with deliveries that have silently stopped."""

    async def stumble(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(reconcile_command, "deliver_owed", stumble)
    ended = dojang("reconcile", "--watch", "--rate", "1000")

    assert 1 == ended.code
    assert "ZeroDivisionError" in ended.err


def test_watching_ends_after_the_order_in_hand(dojang: Shell, bootpay: EmulatorServer) -> None:
    """Whoever says stop in the middle of a long run does not wait for the rest of it."""
    for number in range(30):
        dojang("orders", "add", f"A-{number}", "--price", "3000", "--name", "x")
    before, patience = len(bootpay.asked()), threading.Event()

    def stop_when_asked() -> None:
        while len(bootpay.asked()) == before:
            patience.wait(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop_when_asked)
    stopper.start()
    ended = dojang("reconcile", "--watch", "--all", "--rate", "10")
    stopper.join()

    assert 0 == ended.code, ended.err
    assert 1 <= len(bootpay.asked()) - before < 30


def test_webhooks_are_listed(dojang: Shell) -> None:
    """None yet is an empty list, not a mistake."""
    dojang("migrate")

    assert {"webhooks": []} == dojang.json("webhooks", "list")


def test_what_bootpay_claimed_is_shown_harmlessly(dojang: Shell) -> None:
    """Each notice once, with how often it came and what became of it; its words command no terminal."""
    dojang("migrate")
    settings = read_settings({"DOJANG_STORE": f"sqlite:///{dojang.file}"}, environment={}, bootpay=False)
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    notice = Notice(
        receipt_id=ReceiptId("a" * 24), kind="PAYMENT_COMPLETED", order_id="\x1b[31mA-1", source="10.0.0.9"
    )
    with closing(open_backend(settings)) as backend:
        backend.receive(notice, now, now)
        backend.receive(notice, now, now)
    (shown,) = dojang.json("webhooks", "list")["webhooks"]
    table = dojang("webhooks", "list").out

    assert ("a" * 24, "PAYMENT_COMPLETED", 2, "") == (
        shown["receipt_id"], shown["kind"], shown["times"], shown["outcome"],
    )  # fmt: skip
    assert "\x1b" not in table


def test_a_webhook_can_be_replayed(dojang: Shell, buyer: Buyer) -> None:
    """Looking into a receipt again decides as its webhook would have."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    receipt_id = buyer.pays("A-1", separately_confirmed=False)
    outcome = dojang.json("webhooks", "replay", receipt_id)

    assert "settled" == outcome["outcome"]
    assert "paid" == dojang.json("orders", "show", "A-1")["state"]


def test_a_receipt_that_waits_for_its_approval_is_not_settled_and_not_refused(
    dojang: Shell, buyer: Buyer
) -> None:
    """`verify` would take it, so a program that reads exit codes must not think that it was turned down."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    ended = dojang("webhooks", "replay", buyer.pays("A-1"), "--format", "json")

    assert ("not_yet", 4) == (ended.data["outcome"], ended.code)


def test_replaying_what_nobody_knows_is_refused(dojang: Shell, buyer: Buyer, unreachable: str) -> None:
    """No such receipt, no such order: 3. Not an id: 2. Nobody to ask: 6."""
    dojang("migrate")
    strangers = buyer.pays("never-registered")
    codes = [
        dojang("webhooks", "replay", "0" * 24).code,
        dojang("webhooks", "replay", strangers).code,
        dojang("webhooks", "replay", "nonsense").code,
        dojang("webhooks", "replay", "0" * 24, BOOTPAY_URL=unreachable).code,
    ]

    assert [3, 3, 2, 6] == codes


def test_a_person_accepts_held_money(dojang: Shell, buyer: Buyer) -> None:
    """DOJANG_ON_MISMATCH=hold puts a wrong price into attention; a person's word is in the history for ever."""
    dojang.environment["DOJANG_ON_MISMATCH"] = "hold"
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    receipt_id = buyer.pays("A-1", 2000, separately_confirmed=False)
    refused = dojang("verify", "A-1", receipt_id)
    resolved = dojang.json(
        "resolve", "A-1", "dismiss", "--who", "mina", "--reason", "고객과 통화함", "--receipt", receipt_id
    )
    last = dojang.json("orders", "history", "A-1")["events"][-1]

    assert 3 == refused.code
    assert "open" == resolved["state"]
    assert ("resolved", "person:mina", "고객과 통화함") == (last["what"], last["who"], last["reason"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("A-1", "accept", "--reason", "x"), 3, "does not wait for a decision"),
        (("A-404", "accept", "--reason", "x"), 3, "A-404"),
        (("A-404", "--look-again"), 3, "A-404"),
        (("A-1", "forget", "--reason", "x"), 2, "accept, return, dismiss"),
        (("A-1",), 2, "accept, return, dismiss"),
        (("A-1", "accept"), 2, "--reason is required"),
        (("A-1", "accept", "--look-again"), 2, "--look-again"),
        (("A-1", "--look-again", "--reason", "x"), 2, "leave out --reason"),
        (("A-1", "--look-again", "--who", "a\nb"), 2, "--who"),
        (("A-1", "accept", "--reason", "x", "--receipt", "y"), 2, "24 hexadecimal"),
        (("A-1", "accept", "--reason", "x", "--who", "a\nb"), 2, "--who"),
    ],
)
def test_what_cannot_be_resolved_says_why(
    dojang: Shell, receipt_id: str, words: tuple[str, ...], code: int, said: str
) -> None:
    """3 where the order does not want it, 2 where the words are wrong; the history does not move."""
    ended = dojang("resolve", *words)

    assert (code, 1) == (ended.code, dojang.rows("events"))
    assert said in ended.err


def test_a_person_can_look_again(dojang: Shell, receipt_id: str) -> None:
    """`--look-again` reads the receipt now and decides as for anybody else."""
    looked = dojang.json("resolve", "A-1", "--look-again", "--receipt", receipt_id, "--who", "mina")
    history = dojang.json("orders", "history", "A-1")

    assert "paid" == looked["state"]
    assert ("paid", "person:mina") == (history["events"][-1]["what"], history["events"][-1]["who"])


@pytest.fixture
def late(dojang: Shell, buyer: Buyer) -> str:
    """Order L-1 had run out before its buyer paid: the money is held, and a person is asked."""
    terms = ("--price", "3000", "--name", "x", "--expires-at", "2020-01-01T00:00:00Z")
    dojang("orders", "add", "L-1", *terms)
    receipt_id = buyer.pays("L-1", separately_confirmed=False)
    dojang("verify", "L-1", receipt_id)
    return receipt_id


@pytest.mark.parametrize(
    "words", [("--look-again",), ("look_again",), ("look-again",), ("--look-again", "--receipt", "RECEIPT")]
)
def test_a_look_tells_how_the_order_stands(dojang: Shell, late: str, words: tuple[str, ...]) -> None:
    """The only held receipt need not be named, and it is a person that is waited for, not Bootpay."""
    ended = dojang(
        "resolve", "L-1", *(late if word == "RECEIPT" else word for word in words), "--format", "json"
    )

    assert (0, "attention") == (ended.code, ended.data["state"])
    assert "waits for a person" in ended.err


def test_a_look_where_several_are_held_names_them(dojang: Shell, buyer: Buyer, late: str) -> None:
    """Exit code 3, and both ids: one of them is to be typed next."""
    second = buyer.pays("L-1", separately_confirmed=False)
    dojang("verify", "L-1", second)
    ended = dojang("resolve", "L-1", "--look-again")

    assert (3, "") == (ended.code, ended.out)
    assert f"{late}, {second}" in ended.err


def test_a_look_at_nothing_is_refused(dojang: Shell) -> None:
    """No receipt is known: exit code 3 as over HTTP 409, and how to name one."""
    dojang("orders", "add", "A-1", "--price", "3000", "--name", "x")
    ended = dojang("resolve", "A-1", "--look-again")

    assert 3 == ended.code
    assert "no receipt to look at: name one with --receipt" in ended.err


def test_a_look_at_what_does_not_pay_is_refused_beside_the_orders_own_state(
    dojang: Shell, buyer: Buyer, receipt_id: str
) -> None:
    """The receipt is refused; the order is not."""
    dojang("verify", "A-1", receipt_id)
    second = buyer.pays("A-1", separately_confirmed=False)
    ended = dojang("resolve", "A-1", "--look-again", "--receipt", second, "--format", "json")

    assert (3, "paid", "order_already_paid") == (ended.code, ended.data["state"], ended.data["code"])
    assert "already paid by another receipt" in ended.err


def test_questions_are_a_table_for_people_and_data_for_programs(dojang: Shell, late: str) -> None:
    """No JSON among what a person reads."""
    shown = dojang("resolve", "L-1", "--look-again")
    data = dojang.json("resolve", "L-1", "--look-again")

    assert not set('{}"') & set(shown.out)
    assert ["question", "about", "receipt", "what", "can", "be", "done"] in [
        line.split() for line in shown.out.splitlines()
    ]
    assert late in shown.out
    assert ["order_expired"] == [question["reason"] for question in data["questions"]]


@pytest.mark.parametrize(
    ("decision", "said", "next_step"),
    [
        ("accept", "Accepted: the held money pays", "`order.paid`"),
        ("return", "To be returned", "`dojang deliver`"),
        ("dismiss", "Dismissed", "can be returned or accepted later"),
    ],
)
def test_a_decision_says_what_it_was_and_what_happens_next(
    dojang: Shell, late: str, decision: str, said: str, next_step: str
) -> None:
    """Whoever returns money must not wonder whether it has left."""
    ended = dojang("resolve", "L-1", decision, "--who", "mina", "--reason", "고객과 통화함")

    assert 0 == ended.code
    assert said in ended.err
    assert next_step in ended.err
    assert "waits for a person" not in ended.err


def test_a_decision_that_leaves_other_questions_says_so(dojang: Shell, buyer: Buyer, receipt_id: str) -> None:
    """One of two held receipts is returned: the other still waits."""
    dojang.environment["DOJANG_ON_MISMATCH"] = "hold"
    second, third = (buyer.pays("A-1", separately_confirmed=False) for _ in range(2))
    for each in (receipt_id, second, third):
        dojang("verify", "A-1", each)
    ended = dojang("resolve", "A-1", "return", "--reason", "x", "--who", "mina", "--receipt", second)

    assert 0 == ended.code
    assert "To be returned" in ended.err
    assert "waits for a person" in ended.err
