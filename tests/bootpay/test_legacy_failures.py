"""What the stand-in `BootpayApi` does where the old library broke, lost something, or said too much."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dojang.bootpay.legacy import BootpayApi
from dojang.errors import (
    BootpayError,
    ConfigError,
    DojangError,
    InvalidValue,
    NotSent,
    OutcomeUnknown,
    Refused,
)

from .wire.operation import sample
from .wire.recorder import Recorder, recording

RECEIPT = "5afd6be8e13f33616f2876ac"
KEY = "5ec37382dfea2e001a7f1e10"
APPLICATION, PRIVATE_KEY = "shop-application", "shopPrivateKey="
TOKEN = json.loads(sample("v1_token_response"))["data"]["token"]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A server that hands out the documented token and then says what a test tells it to."""
    with recording() as server:
        server.tokens = {"/request/token": sample("v1_token_response")}
        yield server


def aimed(url: str) -> BootpayApi:
    """The stand-in, aimed at an address."""

    class Aimed(BootpayApi):
        base_url = {"production": url}  # noqa: RUF012 as its users write it

    return Aimed(APPLICATION, PRIVATE_KEY)


@pytest.fixture
def api(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[BootpayApi]:
    """The stand-in, aimed at the server, with its token; it does not pause between repeats."""
    monkeypatch.setattr("dojang.bootpay.conversation._PAUSE_FIRST_S", 0.0)
    library = aimed(recorder.url)
    library.get_access_token()
    recorder.heard()
    yield library
    library.close()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("v1_error_receipt_not_found", 404),
        ("v1_error_unauthorized", 401),
        ("v1_error_cancel_already", 500),
        ("v1_error_pg_raw_data", 500),
    ],
)
def test_a_refusal_is_handed_over_as_it_came(
    api: BootpayApi, recorder: Recorder, name: str, status: int
) -> None:
    """The old library returned the envelope whatever the status: so do we."""
    recorder.says = (status, sample(name))

    assert json.loads(sample(name)) == api.cancel(RECEIPT, 1500)


BAD_ID: dict[str, Callable[[BootpayApi], object]] = {
    "verify": lambda api: api.verify("../subscribe/billing/x"),
    "certificate": lambda api: api.certificate(""),
    "lookup_billing_key": lambda api: api.lookup_billing_key("a b"),
    "submit": lambda api: api.submit("5afd6be8"),
    "cancel": lambda api: api.cancel("5afd6be8e13f33616f2876ac/"),
    "cancel-number": lambda api: api.cancel(12345),  # type: ignore[arg-type]  # what untyped code may pass
    "subscribe_billing": lambda api: api.subscribe_billing("x", "item", 1000, "order"),
    "subscribe_billing_reserve": lambda api: api.subscribe_billing_reserve("x", "item", 1000, "order", 1),
    "subscribe_billing_reserve_cancel": lambda api: api.subscribe_billing_reserve_cancel("?"),
    "destroy_subscribe_billing_key": lambda api: api.destroy_subscribe_billing_key("reserve/x"),
}


@pytest.mark.parametrize("name", BAD_ID)
def test_an_id_that_is_none_never_leaves(api: BootpayApi, recorder: Recorder, name: str) -> None:
    """Ids are checked first: nothing is sent, and the sentence names the argument."""
    with pytest.raises(InvalidValue, match="must be 24 hexadecimal characters"):
        BAD_ID[name](api)

    assert [] == recorder.heard()


@pytest.mark.parametrize("price", [0, -1000, True, float("nan"), float("inf"), "1,000", "", [], 1000.001])
def test_an_amount_that_is_none_never_leaves(api: BootpayApi, recorder: Recorder, price: Any) -> None:
    """Neither a cancel nor a charge goes out with a price that is no exact amount above nothing."""
    calls: list[Callable[[], object]] = [
        lambda: api.cancel(RECEIPT, price),
        lambda: api.subscribe_billing(KEY, "item", price, "order"),
        lambda: api.subscribe_billing_reserve(KEY, "item", price, "order", 1),
        lambda: api.request_payment(price=price),
        lambda: api.request_payment({"price": price}),
    ]
    for call in calls:
        with pytest.raises(InvalidValue):
            call()

    assert [] == recorder.heard()


BODIES = [b"", b"<html>busy</html>", b"[]", b"null", b'"text"', b"\xff\xfe", b"{", b"[" * 100_000]


@pytest.mark.parametrize("body", BODIES, ids=[str(body[:10]) for body in BODIES])
def test_an_answer_that_is_no_object_is_an_unknown_outcome(
    api: BootpayApi, recorder: Recorder, body: bytes
) -> None:
    """A gateway's HTML page raises our error, never a JSON library's, and says what to do next."""
    recorder.says = (502, body)
    with pytest.raises(OutcomeUnknown, match="look it up before repeating") as caught:
        api.cancel(RECEIPT)
    heard = recorder.heard()

    assert (1, True) == (len(heard), "POST cancel.json" in str(caught.value))


def test_a_look_up_is_repeated_and_a_cancel_never_is(api: BootpayApi, recorder: Recorder) -> None:
    """Only what changes nothing is asked again when Bootpay answers 5xx."""
    recorder.says = (503, b"")
    for call in (lambda: api.verify(RECEIPT), lambda: api.cancel(RECEIPT), lambda: api.submit(RECEIPT)):
        with pytest.raises(OutcomeUnknown):
            call()
    methods = [request.method for request in recorder.heard()]

    assert (True, 2) == (methods.count("GET") > 1, methods.count("POST"))


def test_a_redirect_is_never_followed(api: BootpayApi, recorder: Recorder) -> None:
    """The old library followed it, token and all; a redirected cancel may have been carried out."""
    recorder.says = (307, b'{"status": 200, "code": 0}')
    recorder.adds = {"Location": f"{recorder.url}/elsewhere"}
    with pytest.raises(Refused):
        api.verify(RECEIPT)
    with pytest.raises(OutcomeUnknown):
        api.cancel(RECEIPT)

    assert [f"/receipt/{RECEIPT}", "/cancel.json"] == [request.path for request in recorder.heard()]


def test_nobody_there_means_nothing_was_sent() -> None:
    """A closed port is `NotSent`: repeating is safe."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    api = aimed(url)
    with pytest.raises(NotSent):
        api.submit(RECEIPT)


@pytest.mark.parametrize("url", ["http://api.bootpay.co.kr", "ftp://127.0.0.1", "", "http://10.0.0.1:8401"])
def test_keys_never_travel_unencrypted_over_a_network(url: str) -> None:
    """Http is for this machine only; anything else stops at the constructor, before any call."""
    with pytest.raises(ConfigError):
        aimed(url)


def test_an_unknown_mode_says_which_there_are() -> None:
    """One clear sentence instead of a KeyError."""
    with pytest.raises(ConfigError, match="mode must be one of development, production, not 'prod'"):
        BootpayApi(APPLICATION, PRIVATE_KEY, "prod")


@pytest.mark.parametrize(
    "keys", [("", ""), ("[[ application_id ]]", "[[ private_key ]]"), (None, None), ("a", "b\n"), ("a", "")]
)
def test_keys_that_cannot_be_are_named_without_being_shown(keys: tuple[Any, Any]) -> None:
    """Missing keys, half a pair, and the placeholders of a copied example stop at the constructor."""
    with pytest.raises(ConfigError) as caught:
        BootpayApi(*keys)

    assert [] == [key for key in keys if key and len(key) > 1 and key in str(caught.value)]


def test_the_address_may_be_replaced_later(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """`BootpayApi.base_url[mode]` is read at every call, as it always was."""
    api = BootpayApi(APPLICATION, PRIVATE_KEY, "development")
    monkeypatch.setitem(BootpayApi.base_url, "development", recorder.url)
    api.get_access_token()

    assert (TOKEN, 1) == (api.token, len(recorder.heard()))


def test_a_refused_token_replaces_nothing(api: BootpayApi, recorder: Recorder) -> None:
    """A failed renewal leaves the token that may still be good."""
    recorder.tokens = {}
    recorder.says = (401, sample("v1_error_app_not_found"))
    result = api.get_access_token()

    assert (401, TOKEN) == (result["status"], api.token)


def test_nothing_the_caller_gave_is_changed(api: BootpayApi, recorder: Recorder) -> None:
    """The old library wrote into its arguments, and into defaults that every later call shared."""
    recorder.says = (200, b'{"status": 200, "code": 0}')
    payload, sms = {"order_id": "1", "price": 1000}, {"st": 1}
    api.remote_link(payload, sms)
    api.remote_link()
    bodies = [request.fields for request in recorder.heard()]

    assert ({"order_id": "1", "price": 1000}, {"st": 1}) == (payload, sms)
    assert [{"order_id": "1", "price": 1000, "sms_payload": {"st": 1}}, {}] == bodies


def test_texts_need_no_ids_of_the_shop(api: BootpayApi, recorder: Recorder) -> None:
    """`extra` may be left out, where the old library raised a KeyError."""
    recorder.says = (200, b'{"status": 200, "code": 0}')
    api.send_sms(["01012345678"], "문자")

    assert {"data": {"rps": ["01012345678"], "msg": "문자"}} == recorder.heard()[0].fields


def test_the_forms_of_2021_are_taken_too(api: BootpayApi, recorder: Recorder) -> None:
    """One dictionary for a link and for a user token; positions as they were in 2021."""
    recorder.says = (200, b'{"status": 200, "code": 0}')
    api.get_user_token({"user_id": "user-1", "email": None})
    api.request_payment({"order_id": "1", "price": "1000", "name": "아이템"})
    api.subscribe_billing(
        KEY, "아이템", 3000, "order-1", 500, [{"qty": 1}], {"username": "홍길동"}, {"raw_data": 1}
    )
    api.subscribe_billing_reserve(KEY, "아이템", 3000.0, "order-1", 1530106173, "https://shop.example", 500)
    fields = [request.fields for request in recorder.heard()]
    charge = {
        "billing_key": KEY,
        "item_name": "아이템",
        "price": 3000,
        "order_id": "order-1",
        "tax_free": 500,
    }
    more = {"items": [{"qty": 1}], "user_info": {"username": "홍길동"}, "extra": {"raw_data": 1}}
    when = {
        "scheduler_type": "oneshot",
        "execute_at": 1530106173,
        "feedback_url": "https://shop.example",
    }

    assert [
        {"user_id": "user-1"},
        {"order_id": "1", "price": "1000", "name": "아이템"},
        charge | more,
        charge | when,
    ] == fields


def test_something_that_is_no_dictionary_is_refused(api: BootpayApi, recorder: Recorder) -> None:
    """1.0.7's positional user id would be sent as nonsense: the sentence says what is wanted."""
    with pytest.raises(InvalidValue, match="data must be a dictionary, not str"):
        api.get_user_token("user-1")  # type: ignore[arg-type]  # what untyped code may pass

    assert [] == recorder.heard()


def test_a_reservation_runs_ten_seconds_after_its_own_call(
    api: BootpayApi, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.0.7 reckons from when it was imported, which soon is the past."""
    recorder.says = (200, b'{"status": 200, "code": 0}')
    monkeypatch.setattr("dojang.bootpay.legacy.time.time", lambda: 1800000000.9)
    api.subscribe_billing_reserve(KEY, "아이템", 3000, "order-1")

    assert 1800000010 == recorder.heard()[0].fields["execute_at"]


def test_keys_and_tokens_are_never_shown(api: BootpayApi, recorder: Recorder) -> None:
    """Neither `repr` nor any error shows the private key, the token or an id."""
    shown = [repr(api), str(api)]
    answers = [(302, b""), (502, PRIVATE_KEY.encode()), (200, TOKEN.encode()), (200, b"[]")]
    for recorder.says in answers:
        for call in (lambda: api.verify(RECEIPT), lambda: api.destroy_subscribe_billing_key(KEY)):
            with pytest.raises(BootpayError) as caught:
                call()
            shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    for bad in (lambda: api.verify(PRIVATE_KEY), lambda: api.destroy_subscribe_billing_key(TOKEN)):
        with pytest.raises(DojangError) as refused:
            bad()
        shown += [str(refused.value), repr(refused.value)]

    assert [] == [
        words for words in shown if any(secret in words for secret in (PRIVATE_KEY, TOKEN, KEY, APPLICATION))
    ]


def test_one_connection_serves_many_calls(api: BootpayApi, recorder: Recorder) -> None:
    """Connections are kept: the second call costs no new one."""
    recorder.says = (200, sample("v1_receipt_paid_blog"))
    for _ in range(3):
        api.verify(RECEIPT)

    assert 3 == len(recorder.heard())
    assert 1 == recorder.connections
