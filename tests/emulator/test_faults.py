"""Each named fault, seen from the client's side, and what became of the money behind it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from dojang.emulator.faults import WEBHOOK_TYPES, Fault, Faults
from dojang.emulator.ledger import Ledger, LedgerRefusal


@pytest.fixture
def pending(hands: Any) -> str:
    """A receipt waiting for its confirmation."""
    receipt_id: str = hands.open(separately_confirmed=True)
    hands.step(receipt_id, "approve")
    return receipt_id


def fault(hands: Any, **fields: object) -> None:
    """Let confirmations go wrong once."""
    answer = hands.control("POST", "faults", {"on": "POST /v2/confirm", "times": 1} | fields)
    assert answer.status_code == 200, answer.text


def confirm(hands: Any, receipt_id: str, timeout_s: float = 5) -> requests.Response:
    """The shop approves."""
    url = f"{hands.url}/v2/confirm"
    answer: requests.Response = hands.http.post(url, json={"receipt_id": receipt_id}, timeout=timeout_s)
    return answer


def status(hands: Any, receipt_id: str) -> int:
    """Where the receipt stands."""
    return int(hands.v2("GET", f"receipt/{receipt_id}").json()["status"])


@pytest.mark.parametrize(("do", "after"), [("timeout_before", 2), ("timeout_after", 1)])
def test_silence_leaves_the_outcome_open(do: str, after: int, hands: Any, pending: str) -> None:
    """The client hears nothing either way; only one of them moved money."""
    fault(hands, do=do)
    with pytest.raises(requests.ReadTimeout):
        confirm(hands, pending, timeout_s=1)

    assert after == status(hands, pending)


def test_silence_ends_in_a_broken_connection(hands: Any, pending: str) -> None:
    """A client that waits long enough is cut off."""
    fault(hands, do="timeout_after", delay_s=0.05)
    with pytest.raises(requests.ConnectionError):
        confirm(hands, pending)

    assert 1 == status(hands, pending)


@pytest.mark.parametrize(("effect", "after"), [(False, 2), (True, 1)])
def test_reset_breaks_the_connection_hard(effect: bool, after: int, hands: Any, pending: str) -> None:
    """The client's system reports a reset, with or without the effect behind it."""
    fault(hands, do="reset", effect=effect)
    with pytest.raises(requests.ConnectionError, match=r"[Rr]eset"):
        confirm(hands, pending)

    assert after == status(hands, pending)


@pytest.mark.parametrize(("effect", "after"), [(False, 2), (True, 1)])
@pytest.mark.parametrize(
    ("do", "http", "words"),
    [
        ("critical", 500, "RC_CONFIRM_CRITICAL_FAILED"),
        ("html_502", 502, "<html>"),
        ("malformed", 200, '{"receipt_'),
    ],
)
def test_spoilt_answers(
    do: str, http: int, words: str, effect: bool, after: int, hands: Any, pending: str
) -> None:
    """Critical errors, a proxy's page, half a body: each with and without the effect."""
    fault(hands, do=do, effect=effect)
    answer = confirm(hands, pending)

    assert http == answer.status_code
    assert words in answer.text
    assert after == status(hands, pending)
    if do == "malformed":
        with pytest.raises(requests.JSONDecodeError):
            answer.json()


def test_refused_confirmation_is_final(hands: Any, pending: str) -> None:
    """The card company's no: a code, its own code, and the receipt says so afterwards."""
    fault(hands, do="refuse", pg_error_code="70020", message="카드 비밀번호 오류")
    answer = confirm(hands, pending)

    assert 400 == answer.status_code
    assert {
        "error_code": "RC_CONFIRM_FAILED",
        "message": "카드 비밀번호 오류",
        "pg_error_code": "70020",
    } == answer.json()
    assert -2 == status(hands, pending)


def test_refused_cancel_moves_nothing(hands: Any) -> None:
    """The default code fits the endpoint, another can be named; the payment stands."""
    receipt_id = hands.paid()
    codes = []
    for named in (None, "RC_ALREADY_CANCELLED"):
        hands.control(
            "POST", "faults", {"on": "POST /v2/cancel", "do": "refuse", "times": 1, "error_code": named}
        )
        codes.append(hands.v2("POST", "cancel", {"receipt_id": receipt_id}).json()["error_code"])

    assert ["RC_CANCEL_SERVER_ERROR", "RC_ALREADY_CANCELLED"] == codes
    assert 0 == hands.v2("GET", f"receipt/{receipt_id}").json()["cancelled_price"]


def test_critical_cancel_happened_all_the_same(hands: Any) -> None:
    """By default the money moved; both generations have their way of saying it did not work."""
    first, second = hands.paid(), hands.paid(order_id="o2")
    hands.control("POST", "faults", {"on": "*", "do": "critical"})
    new = hands.v2("POST", "cancel", {"receipt_id": first})
    hands.control("DELETE", "faults")
    token = hands.http.post(f"{hands.url}/request/token", data={"application_id": "a", "private_key": "b"})
    bare = {"Authorization": token.json()["data"]["token"]}
    hands.control("POST", "faults", {"on": "POST /cancel", "do": "critical"})
    old = requests.post(f"{hands.url}/cancel.json", data={"receipt_id": second}, headers=bare, timeout=5)

    assert (500, "RC_CANCEL_CRITICAL_ERROR") == (new.status_code, new.json()["error_code"])
    assert (500, 500) == (old.status_code, old.json()["status"])
    assert [20, 20] == [status(hands, receipt_id) for receipt_id in (first, second)]


def test_delay_only_delays(hands: Any, pending: str) -> None:
    """Longer than the client waits: a timeout; shorter: the true answer."""
    fault(hands, do="delay", delay_s=0.05)

    assert 1 == confirm(hands, pending).json()["status"]


def test_token_dies_on_the_way(hands: Any, pending: str) -> None:
    """`expire_token` ends the very token in use; `unauthorized` only says so once."""
    token = requests.post(
        f"{hands.url}/v2/request/token", json={"application_id": "a", "private_key": "b"}, timeout=5
    ).json()["access_token"]
    url = f"{hands.url}/v2/receipt/{pending}"

    def ask() -> int:
        return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code

    seen = []
    for do in ("unauthorized", "expire_token"):
        hands.control("POST", "faults", {"on": "GET /v2/receipt", "do": do, "times": 1})
        seen += [ask(), ask()]

    assert [401, 200, 401, 401] == seen


def test_fault_strikes_as_often_as_it_says(hands: Any, pending: str) -> None:
    """Twice means twice; without a number, until taken away."""
    hands.control("POST", "faults", {"on": "GET /v2/receipt", "do": "html_502", "times": 2})
    codes = [hands.v2("GET", f"receipt/{pending}").status_code for _ in range(3)]
    hands.control("POST", "faults", {"on": "GET /v2/receipt", "do": "html_502"})
    codes += [hands.v2("GET", f"receipt/{pending}").status_code for _ in range(2)]
    hands.control("DELETE", "faults")
    codes.append(hands.v2("GET", f"receipt/{pending}").status_code)

    assert [502, 502, 200, 502, 502, 200] == codes


@pytest.mark.parametrize(
    ("on", "method", "path", "struck"),
    [
        ("*", "GET", "/v2/receipt/1", True),
        ("POST /v2/confirm", "POST", "/v2/confirm", True),
        ("POST /v2/confirm", "GET", "/v2/confirm", False),
        ("POST /cancel", "POST", "/cancel.json", True),
        ("POST /cancel", "POST", "/v2/cancel", False),
        ("/v2", "PUT", "/v2/close/1", True),
        ("* /v2", "PUT", "/v2/close/1", True),
        ("get /v2/receipt", "GET", "/v2/receipt/1", True),
    ],
)
def test_fault_names_its_place(on: str, method: str, path: str, struck: bool) -> None:
    """Method and beginning of the path, either alone, or everything."""
    faults = Faults("7")
    faults.add(Fault(on=on, do="reset"))

    assert struck is bool(list(faults.on_request(method, path)))


@pytest.mark.parametrize(
    ("on", "do"),
    [
        ("GET /v2/receipt/{receipt_id}", "reset"),
        ("/v2/receipt/{receipt_id}", "reset"),
        ("GET /v2/receipt?lookup=true", "reset"),
        ("x y", "reset"),
        ("x /v2/confirm", "reset"),
        ("POST  /v2/confirm", "reset"),
        ("POST v2/confirm", "reset"),
        ("POST", "reset"),
        ("* ", "reset"),
        ("", "reset"),
        ("payment_completed", "drop_webhook"),
        ("PAYMENT_COMPLETED", "reset"),
        ("POST /v2/confirm", "drop_webhook"),
        ("PAYMENT_DONE", "drop_webhook"),
    ],
)
def test_fault_that_could_never_strike_is_refused(on: str, do: Any) -> None:
    """Whoever tests with it would believe that all went well; the sentence says what `on` may be."""
    faults = Faults("7")
    with pytest.raises(LedgerRefusal, match="on must be"):
        faults.add(Fault(on=on, do=do))

    assert [] == faults.list


def test_every_type_of_webhook_can_be_named() -> None:
    """The types that faults know are those the ledger sends."""
    folder = Path(inspect.getfile(Ledger)).parent
    sent = {
        word
        for file in ("payments.py", "billing.py", "windows.py", "identity.py")
        for word in re.findall(r'"(PAYMENT_[A-Z_]+)"', (folder / file).read_text())
    }

    assert sent == WEBHOOK_TYPES


def test_chance_is_seeded() -> None:
    """The same seed strikes at the same requests, about as often as asked; another seed at others."""

    def strikes(seed: str) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault(on="*", do="reset", probability=0.3))
        return [bool(list(faults.on_request("GET", "/v2/receipt/1"))) for _ in range(1000)]

    assert strikes("7") == strikes("7")
    assert strikes("7") != strikes("8")
    assert 230 < sum(strikes("7")) < 370


def test_faults_leave_the_ledger_alone() -> None:
    """They spoil the wire; the ledger itself knows nothing of them."""
    assert "fault" not in Ledger().snapshot().decode()
