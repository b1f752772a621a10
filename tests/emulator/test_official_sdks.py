"""The official SDKs cannot tell the difference: every method, unmodified but for the base address."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import requests
from bootpay_backend import BootpayBackend

from bootpay import Bootpay
from dojang.emulator.server import EmulatorServer

PERSON = {
    "pg": "다날",
    "method": "본인인증",
    "username": "홍길동",
    "identity_no": "9001011",
    "carrier": "SKT",
    "phone": "01012345678",
    "site_url": "https://shop.example",
    "order_name": "회원 인증",
    "authentication_id": "auth_1",
    "client_ip": "127.0.0.1",
}
PLAIN = {"get_access_token"}
CARD = {
    "pg": "나이스페이",
    "order_name": "월간 구독",
    "subscription_id": "sub_1",
    "card_no": "5570420412341074",
    "card_pw": "12",
    "card_identity_no": "900101",
    "card_expire_year": "31",
    "card_expire_month": "12",
}


@pytest.fixture(params=["basic", "bearer"])
def v2(request: pytest.FixtureRequest, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`bootpay_backend` 2.9.0 with either kind of keys."""
    monkeypatch.setitem(BootpayBackend.BASE_URL, "production", f"{server.url}/v2")
    if request.param == "basic":
        return BootpayBackend(client_key="client", secret_key="secret")
    backend = BootpayBackend("application", "private")
    backend.get_access_token()
    return backend


@pytest.fixture
def bearer(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`bootpay_backend` 2.9.0 with a token."""
    monkeypatch.setitem(BootpayBackend.BASE_URL, "production", f"{server.url}/v2")
    return BootpayBackend("application", "private")


@pytest.fixture
def v1(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`bootpay` 1.0.7 with a token."""
    monkeypatch.setitem(Bootpay.base_url, "production", server.url)
    bootpay = Bootpay("application", "private")
    bootpay.get_access_token()
    return bootpay


def test_token_of_v2_is_flat_and_lives_half_an_hour(bearer: Any) -> None:
    """`request/token` answers a token good for 1800 seconds, and Bearer then opens the door."""
    answer = bearer.get_access_token()

    assert 1800 == answer["expire_in"]
    assert {"error_code": "RC_NOT_FOUND"}.items() <= bearer.receipt_payment("0" * 24).items()


def test_payment_is_verified_confirmed_and_cancelled(v2: Any, hands: Any) -> None:
    """Receipt, confirm, partial cancel and the rest go through the SDK as through production."""
    receipt_id = hands.open(separately_confirmed=True, user={"username": "홍길동"})
    hands.step(receipt_id, "approve")

    assert 2 == v2.receipt_payment(receipt_id)["status"]
    assert 1 == v2.confirm_payment(receipt_id)["status"]
    assert "RC_NOT_CONFIRM_READY" == v2.confirm_payment(receipt_id)["error_code"]
    assert "홍길동" == v2.receipt_payment(receipt_id, lookup_user_data=True)["user"]["username"]
    assert 500 == v2.cancel_payment(receipt_id, cancel_price=500, cancel_id="c1")["cancelled_price"]
    assert (
        "RC_CANCEL_SERVER_ERROR"
        == v2.cancel_payment(receipt_id, cancel_price=1, cancel_id="c1")["error_code"]
    )
    assert 20 == v2.cancel_payment(receipt_id)["status"]
    assert "RC_ALREADY_CANCELLED" == v2.cancel_payment(receipt_id)["error_code"]


def test_billing_key_lives_through_the_sdk(v2: Any) -> None:
    """A key is issued from card data, looked up three ways, charged, and destroyed."""
    issued = v2.request_subscribe_billing_key(**CARD)
    key = issued["billing_key"]

    assert key == v2.lookup_subscribe_billing_key(issued["receipt_id"])["billing_key"]
    assert key == v2.lookup_billing_key(key)["billing_key"]
    assert key == v2.lookup_sequential_billing_key("widget key/1", key, "user@1")["billing_key"]
    charge = {"billing_key": key, "order_name": "월간 구독", "price": 29000}
    assert 1 == v2.request_subscribe_card_payment(order_id="m1", **charge)["status"]
    assert 1 == v2.request_subscribe_payment(order_id="m2", **charge)["status"]
    assert "RC_CONFIRM_FAILED" == v2.request_subscribe_payment(order_id="m2", **charge)["error_code"]
    assert {"billing_key": key} == v2.destroy_billing_key(key)
    assert "SUBSCRIBE_BK_EXPIRED" == v2.destroy_billing_key(key)["error_code"]
    assert "SUBSCRIBE_BK_EXPIRED" == v2.request_subscribe_payment(order_id="m3", **charge)["error_code"]


def test_reservation_is_made_seen_and_taken_back(v2: Any) -> None:
    """A charge booked ahead through the SDK can be looked up and cancelled."""
    key = v2.request_subscribe_billing_key(**CARD)["billing_key"]
    booked = v2.subscribe_payment_reserve(
        billing_key=key,
        order_name="월간 구독",
        price=29000,
        order_id="later",
        reserve_execute_at="2099-06-01T00:00:00+09:00",
    )

    assert "2099-06-01T00:00:00+09:00" == booked["reserve_execute_at"]
    assert 0 == v2.subscribe_payment_reserve_lookup(booked["reserve_id"])["status"]
    assert {"reserve_id": booked["reserve_id"], "success": True} == v2.cancel_subscribe_reserve(
        booked["reserve_id"]
    )
    assert 3 == v2.subscribe_payment_reserve_lookup(booked["reserve_id"])["status"]


def test_account_key_is_published_after_consent(v2: Any) -> None:
    """Automatic transfer: 41, then a key that holds until 2099, with its first payment."""
    asked = v2.request_subscribe_automatic_transfer_billing_key(
        pg="nicepay",
        order_name="정기 후원",
        price=1000,
        subscription_id="acc_1",
        username="홍길동",
        bank_name="국민",
        bank_account="67560101092472",
        identity_no="900101",
        phone="01012345678",
    )
    issued = v2.publish_automatic_transfer_billing_key(asked["receipt_id"])

    assert (41, 11, 1) == (asked["status"], issued["status"], issued["receipt_data"]["status"])
    assert issued["billing_expire_at"].startswith("2099-12-31")
    again = v2.publish_automatic_transfer_billing_key(asked["receipt_id"])
    assert "SUBSCRIBE_PUBLISH_NOT_READY" == again["error_code"]


def test_person_is_identified_by_sms(v2: Any) -> None:
    """Request, resend, confirm with the password, read the certificate."""
    asked = v2.request_authentication(**PERSON)
    receipt_id = asked["receipt_id"]

    assert 50 == asked["status"]
    assert 1 == v2.realarm_authentication(receipt_id)["authenticate_data"]["number_of_realarms"]
    assert "AUTH_NOT_CONFIRMED" == v2.certificate(receipt_id)["error_code"]
    assert "AUTH_CONFIRM_READY_FAILED" == v2.confirm_authentication(receipt_id, otp="000000")["error_code"]
    assert 12 == v2.confirm_authentication(receipt_id, otp="123456")["status"]
    assert "1990-01-01" == v2.certificate(receipt_id)["authenticate_data"]["birth"]
    assert "AUTH_NOT_READY" == v2.realarm_authentication(receipt_id)["error_code"]
    assert "AUTH_ALREADY_AUTHENTICATED" == v2.request_authentication(**PERSON)["error_code"]


def test_cash_receipts_come_and_go(v2: Any, hands: Any) -> None:
    """A cash receipt on a deposit, and one by itself, issued and cancelled."""
    receipt_id = hands.open(method="vbank")
    hands.step(receipt_id, "issue")
    hands.step(receipt_id, "deposit")

    on_payment = v2.cash_receipt_publish_on_receipt(receipt_id, identity_no="01012345678")
    assert 1 == on_payment["cash_receipt_data"]["cash_receipt_type"]
    assert "cash_receipt_data" not in v2.cash_receipt_cancel_on_receipt(receipt_id)
    alone = v2.request_cash_receipt(
        order_name="현장 판매",
        identity_no="1234567890",
        purchased_at="2026-08-31T14:50:00+0900",
        cash_receipt_type="지출증빙",
        price=1000,
        order_id="cash_1",
    )
    assert 60 == alone["status"]
    assert 61 == v2.cancel_cash_receipt(alone["receipt_id"])["status"]


def test_shipping_starts_for_escrow_alone(v2: Any, hands: Any) -> None:
    """Escrow payments take a tracking number; others are refused."""
    escrow, plain = hands.paid(escrow=True), hands.paid(order_id="o2")
    parcel = {"tracking_number": "123456", "delivery_corp": "CJ대한통운"}

    assert 2 == v2.shipping_start(escrow, **parcel)["escrow_data"]["status"]
    assert "RC_NOT_ESCROW" == v2.shipping_start(plain, **parcel)["error_code"]


def test_user_token_and_wallet_take_no_basic(v2: Any) -> None:
    """As observed of production: Basic is refused there, Bearer is not; new buyers have no wallets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        token, wallets = v2.request_user_token(user_id="u1"), v2.get_user_wallets(user_id="u1")

    if v2.client_key:
        assert ["TOKEN_KEY_INVALID"] * 2 == [token["error_code"], wallets["error_code"]]
    else:
        assert 24 == len(token["user_token"])
        assert [] == wallets


def test_wallet_payment_charges_the_buyers_own_key(bearer: Any) -> None:
    """A buyer's keys are the buyer's wallets; without one there is nothing to charge."""
    bearer.get_access_token()
    order = {"user_id": "u1", "order_name": "책", "price": 1000, "order_id": "w1"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        before = bearer.request_wallet_payment(**order)
        bearer.request_subscribe_billing_key(**CARD, user={"id": "u1"})
        after = bearer.request_wallet_payment(**order)

    assert "SUBSCRIBE_BK_EXPIRED" == before["error_code"]
    assert (1, []) == (after["status"], after["wallet_data"]["failure"])


def test_every_method_of_the_v2_sdk_is_answered(v2: Any) -> None:
    """No method of the SDK meets an unknown path, whatever it is called with."""
    methods = [name for name in dir(v2) if not name.startswith("_") and callable(getattr(v2, name))]
    answers = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name in sorted(set(methods) - {"set_api_version"}):
            # The one method whose first argument is no id takes its id by name.
            named = {"billing_key": "0" * 24} if name == "lookup_sequential_billing_key" else {}
            answers[name] = (
                getattr(v2, name)(**named) if named or name in PLAIN else getattr(v2, name)("0" * 24)
            )
    unknown = [n for n, a in answers.items() if isinstance(a, dict) and a.get("error_code") == "NOT_FOUND"]

    assert 27 <= len(answers)
    assert [] == unknown


def test_old_sdk_verifies_submits_and_cancels(v1: Any, hands: Any) -> None:
    """The envelope, the form bodies and the numbers of the first generation."""
    receipt_id = hands.open(separately_confirmed=True, generation=1, tax_free=1000)
    hands.step(receipt_id, "approve")

    assert 2 == v1.verify(receipt_id)["data"]["status"]
    assert 1 == v1.submit(receipt_id)["data"]["status"]
    assert 400 == v1.submit(receipt_id)["status"]
    part = v1.cancel(receipt_id, price=1000, name="관리자", reason="변심", cancel_id="c1", tax_free=500)
    assert {"request_cancel_price": 1000, "remain_price": 2000, "remain_tax_free": 500}.items() <= part[
        "data"
    ].items()
    assert 400 == v1.cancel(receipt_id, price=1000, cancel_id="c1")["status"]
    assert 3000 == v1.cancel(receipt_id, cancel_id="c2")["data"]["cancelled_price"]
    assert "기취소된 건입니다" == v1.cancel(receipt_id, cancel_id="c3")["message"]
    assert (404, -1) == (v1.verify("0" * 24)["status"], v1.verify("0" * 24)["code"])


def test_old_sdk_charges_billing_keys(v1: Any) -> None:
    """Issue, look up, charge, book ahead, take back, destroy."""
    issued = v1.get_subscribe_billing_key(
        "nicepay", "k1", "구독", "5570420412341074", "12", "31", "12", "900101"
    )["data"]
    key = issued["billing_key"]
    charged = v1.subscribe_billing(key, "구독", 3000, "m1")["data"]
    booked = v1.subscribe_billing_reserve(key, "구독", 3000, "m2", execute_at=4_000_000_000)["data"]

    assert 1 == charged["status"]
    assert charged["receipt_id"] == v1.lookup_billing_key(charged["receipt_id"])["data"]["receipt_id"]
    assert {"status": 0, "price": 3000.0, "purchase_limit": 1}.items() <= booked.items()
    assert {"status": 200, "code": 0, "message": ""} == v1.subscribe_billing_reserve_cancel(
        booked["reserve_id"]
    )
    assert {"status": 200, "code": 0} == v1.destroy_subscribe_billing_key(key)
    assert 400 == v1.subscribe_billing(key, "구독", 3000, "m3")["status"]


def test_old_sdk_gets_tokens_links_and_certificates(v1: Any, hands: Any) -> None:
    """What is left of the old SDK: user token, payment link, certificate, and the deprecated extras."""
    receipt_id = hands.open(authentication_id="a1", price=0)
    hands.step(receipt_id, "approve")

    assert v1.get_access_token()["data"]["token"] == v1.token
    assert v1.get_user_token(user_id="u1")["data"]["expired_localtime"].endswith("+0900")
    assert v1.request_payment(price=1000, order_id="l1", name="책")["data"].startswith("https://")
    assert "홍길동" == v1.certificate(receipt_id)["data"]["certificate"]["username"]
    assert 200 == v1.remote_link()["status"]
    assert 200 == v1.remote_form({"fm": []})["status"]
    assert 200 == v1.send_sms(["01012345678"], "안녕", extra={"m_id": 1, "o_id": 2})["status"]
    assert 200 == v1.send_lms(["01012345678"], "안녕", "제목", extra={"m_id": 1, "o_id": 2})["status"]


def test_old_generation_takes_no_bearer(v1: Any, hands: Any) -> None:
    """The first generation wants the bare token; a scheme before it, or a v2 token, is refused."""
    receipt_id = hands.paid()
    url = f"{hands.url}/receipt/{receipt_id}"
    v2_token = requests.post(
        f"{hands.url}/v2/request/token", json={"application_id": "a", "private_key": "b"}, timeout=5
    ).json()["access_token"]
    statuses = [
        requests.get(url, headers={"Authorization": said}, timeout=5).status_code
        for said in (v1.token, f"Bearer {v1.token}", v2_token, "")
    ]

    assert [200, 401, 401, 401] == statuses
