"""The controls: every step by its name, and one clear sentence for every mistake."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from dojang.emulator.options import EmulatorOptions
from dojang.emulator.rules import Keys
from dojang.emulator.server import EmulatorServer


def test_steps_answer_the_receipt_as_v2_shows_it(hands: Any) -> None:
    """Each step's answer is what the API would say next."""
    receipt_id = hands.open(separately_confirmed=True)
    shown = hands.step(receipt_id, "approve")

    assert 2 == shown["status"]
    assert shown == hands.v2("GET", f"receipt/{receipt_id}").json()
    assert [shown] == hands.control("GET", "receipts").json()


def test_an_answer_in_a_terminal_ends_its_line(hands: Any) -> None:
    """Whatever it is, mistakes too: the next prompt does not begin behind it."""
    said = [requests.get(f"{hands.url}/emulator/{path}") for path in ("receipts", "nothing")]

    assert [(200, True), (404, True)] == [(each.status_code, each.content.endswith(b"\n")) for each in said]


def test_every_step_has_its_name(hands: Any) -> None:
    """approve, decline, close, issue, deposit, revert, cancel, set."""
    first, second, third, fourth = (hands.open(order_id=f"o{n}") for n in range(4))
    seen = [
        hands.step(first, "approve")["status"],
        hands.step(first, "cancel", price=1000)["cancelled_price"],
        hands.step(first, "cancel")["status"],
        hands.step(second, "decline")["status"],
        hands.step(third, "issue")["status"],
        hands.step(third, "deposit")["status"],
        hands.step(third, "revert")["status"],
        hands.step(fourth, "close")["status"],
        hands.step(fourth, "set", status=1, price=1)["price"],
    ]

    assert [1, 1000, 20, -2, 5, 1, 5, 0, 1] == seen


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "checkouts", None, 400),
        ("POST", "checkouts", [1], 400),
        ("POST", "checkouts", {"order_id": "o", "price": "1000"}, 400),
        ("POST", "checkouts", {"order_id": "o", "price": True}, 400),
        ("POST", "checkouts", {"order_id": "o", "price": -1}, 400),
        ("POST", "checkouts", {"order_id": "o", "price": 1000, "separatly_confirmed": True}, 400),
        ("POST", "checkouts", {"order_id": 5, "price": 1000}, 400),
        ("POST", "checkouts", {"receipt": {"price": 1}}, 400),
        ("POST", "receipts/000000000000000000000000/approve", None, 404),
        ("GET", "receipts/000000000000000000000000", None, 404),
        ("POST", "clock", {}, 400),
        ("POST", "clock", {"advance_s": -1}, 400),
        ("POST", "clock", {"advance_s": True}, 400),
        ("POST", "clock", {"now": "soon"}, 400),
        ("POST", "clock", {"now": 0, "advance_s": 1}, 400),
        ("POST", "faults", {"on": "*", "do": "explode"}, 400),
        ("POST", "faults", {"do": "reset"}, 400),
        ("POST", "faults", {"on": " ", "do": "reset"}, 400),
        ("POST", "faults", {"on": "x y", "do": "reset"}, 400),
        ("POST", "faults", {"on": "GET /v2/receipt/{receipt_id}", "do": "reset"}, 400),
        ("POST", "faults", {"on": "*", "do": "reset", "times": 0}, 400),
        ("POST", "faults", {"on": "*", "do": "reset", "probability": 2}, 400),
        ("POST", "faults", {"on": "*", "do": "refuse", "http_status": 200}, 400),
        ("GET", "webhooks?wait=long", None, 400),
        ("GET", "nothing", None, 404),
        ("DELETE", "reset", None, 404),
    ],
)
def test_mistakes_are_answered_with_a_sentence(
    method: str, path: str, body: object, status: int, hands: Any
) -> None:
    """Bad input is 400, what is not there 404; nothing is stored."""
    answer = hands.control(method, path, body)

    assert status == answer.status_code
    assert isinstance(answer.json()["error"], str)
    assert [] == hands.control("GET", "receipts").json()
    assert [] == hands.control("GET", "faults").json()


def test_wrong_steps_change_nothing(hands: Any) -> None:
    """An unknown step is a 404 that names the known ones; an impossible one a 400."""
    receipt_id = hands.paid()
    unknown = hands.control("POST", f"receipts/{receipt_id}/explode")
    impossible = hands.control("POST", f"receipts/{receipt_id}/deposit")
    garbled = requests.post(f"{hands.url}/emulator/receipts/{receipt_id}/set", data=b"\xff{", timeout=5)

    assert (404, 400, 400) == (unknown.status_code, impossible.status_code, garbled.status_code)
    assert "approve" in unknown.json()["error"]
    assert 1 == hands.control("GET", f"receipts/{receipt_id}").json()["status"]


def test_blog_receipt_can_be_brought_along(hands: Any, sample: Any) -> None:
    """The receipt of 2018, loaded by control, is what the first generation answers, value for value."""
    body = sample("v1_receipt_paid_blog.json")
    loaded = hands.control("POST", "checkouts", {"receipt": body["data"]})
    keys = {"application_id": "a", "private_key": "b"}
    token = hands.http.post(f"{hands.url}/request/token", data=keys).json()["data"]["token"]
    url = f"{hands.url}/receipt/5afd6be8e13f33616f2876ac"

    assert 200 == loaded.status_code
    assert body == requests.get(url, headers={"Authorization": token}, timeout=5).json()
    assert 400 == hands.control("POST", "checkouts", {"receipt": body["data"]}).status_code


def test_clock_stands_still_when_set_and_runs_when_moved(hands: Any) -> None:
    """`now` freezes, `advance_s` moves; what became due happens."""
    receipt_id = hands.open(separately_confirmed=True)
    hands.step(receipt_id, "approve")
    running = hands.control("GET", "clock").json()["frozen"]
    moved = hands.control("POST", "clock", {"advance_s": 1801}).json()
    failed = hands.v2("GET", f"receipt/{receipt_id}").json()["status"]
    frozen = hands.control("POST", "clock", {"now": "2027-01-01T00:00:00+09:00"}).json()

    assert (False, False, -2) == (running, moved["frozen"], failed)
    assert {"now": "2027-01-01T00:00:00+09:00", "frozen": True} == frozen
    assert frozen == hands.control("GET", "clock").json()


def test_reset_forgets_everything(hands: Any) -> None:
    """Receipts, webhooks, faults and the clock's setting are gone."""
    hands.control("POST", "clock", {"now": "2027-01-01T00:00:00+09:00"})
    hands.control("POST", "faults", {"on": "*", "do": "reset"})
    hands.paid()
    hands.control("POST", "reset")
    left = [hands.control("GET", path).json() for path in ("receipts", "webhooks", "faults")]

    assert [[], [], []] == left
    assert not hands.control("GET", "clock").json()["frozen"]


def test_wrong_keys_are_refused_by_name() -> None:
    """Named keys are the only ones; each wrong one has its code, in both generations."""
    keys = Keys(client_key="ck", secret_key="sk", application_id="app", private_key="pk")
    with EmulatorServer(EmulatorOptions(keys=keys)) as server:
        url = f"{server.url}/v2/lookup/order/o1"

        def basic(client: str, secret: str) -> tuple[int, object]:
            answer = requests.get(url, auth=(client, secret), timeout=5)
            body = answer.json()
            return answer.status_code, body if isinstance(body, list) else body["error_code"]

        def token(path: str, application: str, private: str) -> dict[str, Any]:
            pair = {"application_id": application, "private_key": private}
            answer = requests.post(server.url + path, json=pair, timeout=5)
            return {"http": answer.status_code} | answer.json()

        assert (200, []) == basic("ck", "sk")
        assert (401, "APP_KEY_NOT_FOUND") == basic("other", "sk")
        assert (401, "APP_SK_NOT_MATCHED") == basic("ck", "other")
        assert (401, "TOKEN_KEY_INVALID") == (
            (nobody := requests.get(url, timeout=5)).status_code,
            nobody.json()["error_code"],
        )
        assert "APP_KEY_NOT_FOUND" == token("/v2/request/token", "other", "pk")["error_code"]
        assert "APP_SK_NOT_MATCHED" == token("/v2/request/token", "app", "other")["error_code"]
        assert {"http": 401, "code": -2410}.items() <= token("/request/token", "other", "pk").items()
        assert 200 == token("/request/token", "app", "pk")["http"]


def test_token_is_the_same_for_a_while_and_ends(hands: Any) -> None:
    """Asked again within 25 minutes the same one; later a new one; after 30 the old one is dead."""
    hands.control("POST", "clock", {"now": "2026-01-01T00:00:00+09:00"})

    def token() -> str:
        pair = {"application_id": "a", "private_key": "b"}
        return str(
            requests.post(f"{hands.url}/v2/request/token", json=pair, timeout=5).json()["access_token"]
        )

    def ask(text: str) -> int:
        headers = {"Authorization": f"Bearer {text}"}
        return requests.get(f"{hands.url}/v2/lookup/order/o", headers=headers, timeout=5).status_code

    first = token()
    hands.control("POST", "clock", {"advance_s": 1499})
    same = token()
    hands.control("POST", "clock", {"advance_s": 1})
    fresh = token()
    early = ask(first)
    hands.control("POST", "clock", {"advance_s": 300})

    assert first == same != fresh
    assert (200, 401, 200) == (early, ask(first), ask(fresh))


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1]", b"\xff\xfe", b"a=1&" * 2000, b'{"receipt_id": {"a": 1}}', b'{"receipt_id": null}', b""],
)
@pytest.mark.parametrize(
    "path", ["/v2/confirm", "/v2/cancel", "/v2/subscribe/payment", "/cancel.json", "/submit.json"]
)
def test_garbage_never_breaks_bootpay(path: str, body: bytes, hands: Any) -> None:
    """Whatever is posted, the answer is a refusal in the generation's own words."""
    pair = {"application_id": "a", "private_key": "b"}
    token = hands.http.post(f"{hands.url}/request/token", data=pair).json()["data"]["token"]
    auth = None if path.startswith("/v2") else {"Authorization": token}
    who = ("client", "secret") if auth is None else None
    answer = requests.post(hands.url + path, data=body, headers=auth, auth=who, timeout=5)

    assert answer.status_code in (400, 404)
    assert "message" in answer.json()


def test_huge_body_is_refused(hands: Any) -> None:
    """A megabyte is enough for anybody."""
    answer = requests.post(f"{hands.url}/v2/confirm", data=b"x" * (1024 * 1024 + 1), timeout=5)

    assert 413 == answer.status_code
