"""Every recorded answer of generation 1 is read by its type, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dojang.bootpay import v1
from dojang.bootpay.answers import result_of
from dojang.bootpay.call import Answer, Call
from dojang.bootpay.v1 import billing, payments
from dojang.errors import BootpayError, OutcomeUnknown, Refused

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "bootpay"
RECEIPT = "5df6e67d4f74b4002a77e0eb"
KEY = "5ec37382dfea2e001a7f1e10"

KST = timezone(timedelta(hours=9))


def at(text: str) -> datetime:
    """A moment on Bootpay's clock."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST)


VERIFY = payments.verify(RECEIPT)
CANCEL = payments.cancel(RECEIPT)
TOKEN = payments.request_token("application", "key")
LINK = payments.request_payment_link(order_id="1", price=1000, name="테스트")
SUBMIT = payments.submit(RECEIPT)
CERTIFICATE = payments.certificate(RECEIPT)
REBILL = billing.request_billing_key(
    pg="nicepay",
    order_id="1",
    item_name="정기결제",
    card_no="9000200000001000",
    card_pw="00",
    expire_year="24",
    expire_month="03",
    identify_number="900101",
)
CHARGE = billing.pay_with_billing_key(billing_key=KEY, item_name="정기결제", price=3000, order_id="1")
RESERVE = billing.reserve_payment(
    billing_key=KEY, item_name="정기결제", price=3000, order_id="1", execute_at=1530106173
)
UNRESERVE = billing.cancel_reserved_payment("5b339133e13f3307f5764da7")
DESTROY = billing.destroy_billing_key(KEY)
USER_TOKEN = billing.request_user_token("user-1")

CARD = {
    "order_id": "1576461949",
    "name": "테스트결제",
    "price": Decimal(3000),
    "tax_free": Decimal(1500),
    "unit": "krw",
    "currency": "KRW",
    "pg": "payapp",
    "pg_name": "페이앱",
    "method": "card_rebill_rest",
    "method_name": "카드정기결제(REST)",
    "receipt_url": "https://app.bootpay.co.kr/bill/ZVN3cXdRNTlEbTYzVi8xNmIyWCtFS0VrcWJncXkweFBoT200WXRPQkgzVC9u"
    "%0AZz09LS1KNU1MRW5JdGNMa3RMZDRLLS1lWkhFaTFkMmVnVkR0SmRTMUxUNXdR%0APT0=%0A",
    "requested_at": at("2019-12-16 11:05:50"),
    "purchased_at": at("2019-12-16 11:05:50"),
    "payment.card_name": "하나",
    "payment.card_no": "94308100****4569",
    "payment.card_quota": "00",
    "payment.card_auth_no": "09286221",
    "payment.n": "테스트결제",
    "payment.p": Decimal(3000),
    "payment.tid": "48585753",
    "payment.pg": "페이앱",
    "payment.pm": "카드정기결제(REST)",
    "payment.pg_a": "payapp",
    "payment.pm_a": "card_rebill_rest",
    "payment.o_id": "1576461949",
    "payment.p_at": at("2019-12-16 11:05:50"),
    "payment.s": 1,
    "payment.g": 2,
}
ACCOUNT = {
    "receipt_id": "5fffad430c20b903e88a2d17",
    "order_id": "1610591554856",
    "name": "테스트 아이템",
    "price": Decimal(3000),
    "tax_free": Decimal(0),
    "remain_price": Decimal(3000),
    "remain_tax_free": Decimal(0),
    "cancelled_price": Decimal(0),
    "cancelled_tax_free": Decimal(0),
    "unit": "krw",
    "pg": "kcp",
    "pg_name": "KCP",
    "method": "vbank",
    "method_name": "가상계좌",
    "requested_at": at("2021-01-14 11:32:35"),
    "payment.bankname": "기업은행",
    "payment.accountholder": "한국사이버결제",
    "payment.account": "T0309260001169",
    "payment.expiredate": at("2021-01-17 00:00:00"),
    "payment.username": "홍길동",
}
APPROVED = {
    "receipt_id": "5fffc0460c20b903e88a2d2c",
    "order_id": "1610596422328",
    "item_name": "테스트 아이템",
    "price": Decimal(100),
    "tax_free": Decimal(0),
    "status": 1,
    "pg": "kcp",
    "pg_name": "KCP",
    "method": "card",
    "method_name": "카드결제",
    "payment_name": "카드결제",
    "payment_group": "card",
    "payment_group_name": "신용카드",
    "card_code": "CCKM",
    "card_name": "KB국민카드",
    "card_no": "0000120000000014",
    "card_quota": "00",
    "receipt_url": "https://app.bootpay.co.kr/bill/UFMvZzJqSWNDNU9ERWh1YmUycU9hdnBkV29DVlJqdzUxRzZyNXRXbkNVZW81%0AQT09"
    "LS1XYlNJN1VoMDI4Q1hRdDh1LS10MEtZVmE4c1dyWHNHTXpZTVVLUk1R%0APT0%3D%0A",
    "url": "https://d-cdn.bootapi.com",
    "requested_at": at("2021-01-14 12:53:42"),
    "purchased_at": at("2021-01-14 12:54:53"),
}
PERSON = {
    "username": "홍길동",
    "phone": "01012345678",
    "birth": "1990-01-01",
    "gender": "1",
    "unique": "SAMPLE_DI_VALUE",
    "di": "SAMPLE_DI_VALUE",
}

READ: dict[str, tuple[Call[Any], type, dict[str, Any]]] = {
    "v1_token_response": (
        TOKEN,
        v1.TokenV1,
        {
            "token": "d6941c650061e3eaddd3f4718ab63e0983c1f6a0a0a01370c1b1ffa90ddd0b51",
            "server_time": 1527569986,
            "expired_at": 1527571765,
        },
    ),
    "v1_receipt_paid_blog": (
        VERIFY,
        v1.Receipt,
        {
            "receipt_id": "5afd6be8e13f33616f2876ac",
            "order_id": "1526557671321",
            "name": "테스트음식",
            "price": Decimal(3000),
            "tax_free": None,
            "remain_price": None,
            "remain_tax_free": None,
            "cancelled_price": None,
            "cancelled_tax_free": None,
            "unit": "krw",
            "currency": "KRW",
            "pg": "kcp",
            "pg_name": "KCP",
            "method": "card",
            "method_name": "카드결제",
            "payment.card_name": "BC카드",
            "payment.s": 1,
            "payment.g": 2,
            "requested_at": at("2018-05-17 20:47:52"),
            "purchased_at": at("2018-05-17 20:48:53"),
            "revoked_at": None,
            "status": 1,
            "known_status": v1.ReceiptStatus.PAID,
        },
    ),
    "v1_receipt_paid": (
        VERIFY,
        v1.Receipt,
        CARD
        | {
            "receipt_id": RECEIPT,
            "payment.receipt_id": RECEIPT,
            "remain_price": Decimal(3000),
            "remain_tax_free": Decimal(1500),
            "cancelled_price": Decimal(0),
            "cancelled_tax_free": Decimal(0),
            "status": 1,
            "status_en": "complete",
            "status_ko": "결제완료",
            "revoked_at": None,
        },
    ),
    "v1_receipt_partially_cancelled": (
        VERIFY,
        v1.Receipt,
        CARD
        | {
            "receipt_id": RECEIPT,
            "remain_price": Decimal(2000),
            "remain_tax_free": Decimal(1000),
            "cancelled_price": Decimal(1000),
            "cancelled_tax_free": Decimal(500),
            "status": 1,
            "status_en": "complete",
            "status_ko": "결제완료",
            "revoked_at": at("2019-12-16 11:12:28"),
        },
    ),
    "v1_receipt_cancelled": (
        VERIFY,
        v1.Receipt,
        CARD
        | {
            "receipt_id": "5df6e8034f74b4002177e0bb",
            "remain_price": Decimal(0),
            "remain_tax_free": Decimal(0),
            "cancelled_price": Decimal(3000),
            "cancelled_tax_free": Decimal(1500),
            "status": 20,
            "known_status": v1.ReceiptStatus.CANCELLED,
            "status_en": "cancel",
            "status_ko": "결제취소",
            "revoked_at": at("2019-12-16 11:12:28"),
        },
    ),
    "v1_receipt_confirm_pending": (
        VERIFY,
        v1.Receipt,
        {
            "receipt_id": "5fffc0460c20b903e88a2d2c",
            "order_id": "1610596422328",
            "name": "테스트 아이템",
            "price": Decimal(3000),
            "tax_free": Decimal(0),
            "remain_price": Decimal(3000),
            "remain_tax_free": Decimal(0),
            "cancelled_price": Decimal(0),
            "cancelled_tax_free": Decimal(0),
            "receipt_url": None,
            "unit": "krw",
            "pg": "kcp",
            "pg_name": "KCP",
            "method": "card",
            "method_name": "카드결제",
            "payment_data": {},
            "payment.tid": None,
            "requested_at": at("2021-01-14 12:53:42"),
            "purchased_at": None,
            "status": 2,
            "known_status": v1.ReceiptStatus.AWAITING_CONFIRM,
        },
    ),
    "v1_receipt_vbank_waiting": (
        VERIFY,
        v1.Receipt,
        ACCOUNT | {"receipt_url": None, "purchased_at": None, "status": 2, "status_ko": None},
    ),
    "v1_receipt_vbank_paid": (
        VERIFY,
        v1.Receipt,
        ACCOUNT
        | {
            "receipt_url": "https://app.bootpay.co.kr/bill/SAMPLE",
            "payment.cash_result": "",
            "payment.receipt_id": "5fffad430c20b903e88a2d17",
            "payment.n": "테스트 아이템",
            "payment.p": Decimal(3000),
            "payment.tid": "20210114130211",
            "payment.pg": "KCP",
            "payment.pm": "가상계좌",
            "payment.pg_a": "kcp",
            "payment.pm_a": "vbank",
            "payment.o_id": "1610591554856",
            "payment.p_at": at("2021-01-14 13:02:11"),
            "payment.s": 1,
            "payment.g": 2,
            "purchased_at": at("2021-01-14 13:02:11"),
            "status": 1,
            "status_en": "complete",
            "status_ko": "결제완료",
        },
    ),
    "v1_cancel_response": (
        CANCEL,
        v1.CancelResult,
        {
            "receipt_id": "5df6e8034f74b4002177e0bb",
            "request_cancel_price": Decimal(3000),
            "remain_price": Decimal(0),
            "remain_tax_free": Decimal(0),
            "cancelled_price": Decimal(3000),
            "cancelled_tax_free": Decimal(1500),
            "revoked_at": at("2019-12-16 11:12:28"),
            "tid": "48586080",
        },
    ),
    "v1_cancel_partial_response": (
        CANCEL,
        v1.CancelResult,
        {
            "receipt_id": RECEIPT,
            "request_cancel_price": Decimal(1000),
            "remain_price": Decimal(2000),
            "remain_tax_free": Decimal(1000),
            "cancelled_price": Decimal(1000),
            "cancelled_tax_free": Decimal(500),
            "revoked_at": at("2019-12-16 11:12:28"),
            "tid": "48586081",
        },
    ),
    "v1_submit_response": (SUBMIT, v1.Approved, APPROVED),
    "v1_certificate_response": (
        CERTIFICATE,
        v1.Certificate,
        {
            "receipt_id": "612df0250d681b001de61de6",
            "order_id": "1630400000",
            "pg": "danal",
            "pg_name": "다날",
            "method": "auth",
            "method_name": "본인인증",
            "certificate": PERSON,
            "payment_data": PERSON
            | {
                "receipt_id": "612df0250d681b001de61de6",
                "n": "본인인증",
                "p": 0,
                "tid": "202108311200000000",
                "pg": "다날",
                "pm": "본인인증",
                "pg_a": "danal",
                "pm_a": "auth",
                "o_id": "1630400000",
                "p_at": "2021-08-31 12:00:00",
                "s": 1,
                "g": 2,
            },
        }
        | {f"person.{name}": value for name, value in PERSON.items()},
    ),
    "v1_card_rebill_response": (
        REBILL,
        v1.BillingKey,
        {
            "billing_key": KEY,
            "pg": "nicepay",
            "pg_name": "나이스정보통신",
            "method": "card_rebill_rest",
            "method_name": "카드정기결제",
            "data": {"card_code": "07", "card_name": "[현대]", "card_no": "90002000****1000", "card_cl": "0"},
            "e_at": at("2024-03-31 23:59:59"),
            "c_at": at("2020-05-19 14:49:54"),
        },
    ),
    "v1_subscribe_billing_response": (
        CHARGE,
        v1.Approved,
        {
            "receipt_id": "5b0f88dce13f332c6948d6ee",
            "order_id": "1527744732",
            "item_name": "테스트 정기결제",
            "price": Decimal(3000),
            "tax_free": None,
            "status": 1,
            "pg": "kcp",
            "pg_name": "KCP",
            "method": "card_rebill",
            "method_name": "카드정기결제",
            "payment_name": "카드정기결제",
            "card_code": "CCHN",
            "card_name": "하나카드",
            "card_no": "9430810000004569",
            "card_quota": "00",
            "params": None,
            "url": None,
            "requested_at": at("2018-05-31 14:32:12"),
            "purchased_at": at("2018-05-31 14:32:12"),
        },
    ),
    "v1_subscribe_reserve_response": (
        RESERVE,
        v1.Reservation,
        {
            "reserve_id": "5b339133e13f3307f5764da7",
            "billing_key": "5b025b33e13f33310ce560fb",
            "item_name": "정기결제 테스트 아이템",
            "price": Decimal(3000),
            "purchase_count": 0,
            "purchase_limit": 1,
            "execute_at": 1530106173,
            "executes_at": at("2018-06-27 22:29:33"),
            "status": 0,
        },
    ),
    "v1_subscribe_reserve_cancel_response": (
        UNRESERVE,
        v1.Done,
        {"status": 200, "code": 0, "message": ""},
    ),
    "v1_billing_key_destroy_response": (DESTROY, v1.Done, {"status": 200, "code": 0, "message": None}),
    "v1_user_token_response": (
        USER_TOKEN,
        v1.UserToken,
        {
            "user_token": "5e81bc176f9c290363a65f87",
            "expired_unixtime": 1585646999,
            "expired_localtime": "2020-03-31 18:29:59 +0900",
            "expires_at": at("2020-03-31 18:29:59"),
        },
    ),
    "v1_link_response": (LINK, str, {"": "https://app.bootpay.co.kr/link/SAMPLE"}),
}

FAILED: dict[str, tuple[Call[Any], type[BootpayError], dict[str, Any]]] = {
    "v1_error_app_not_found": (
        TOKEN,
        Refused,
        {"code": "-2410", "message": "등록되지 않은 Application ID 입니다.", "http_status": 401},
    ),
    "v1_error_unauthorized": (
        VERIFY,
        Refused,
        {"code": "-1", "message": "올바르지 않은 접근입니다.", "http_status": 401},
    ),
    "v1_error_receipt_not_found": (
        VERIFY,
        Refused,
        {"code": "-1", "message": "결제 내역을 찾을 수 없습니다.", "http_status": 404},
    ),
    # A 500 after something that moves money proves nothing: the PG's words do not say that nothing moved.
    "v1_error_pg_raw_data": (CHARGE, OutcomeUnknown, {}),
    "v1_error_cancel_already": (CANCEL, OutcomeUnknown, {}),
}

ELSEWHERE = {"v1_js_events", "v1_status_codes"}
"""Read by their own tests below."""


def sample(name: str) -> bytes:
    """A recorded body."""
    return (SAMPLES / f"{name}.json").read_bytes()


def look(value: object, path: str) -> object:
    """What stands at a dotted path of attributes; an empty path is the value itself."""
    for name in filter(None, path.split(".")):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("name", READ)
def test_a_recorded_success_is_read_field_by_field(name: str) -> None:
    """Each documented answer becomes its type, and each of its fields has the recorded value."""
    call, kind, expected = READ[name]
    found = call.read(sample(name))

    assert (kind, expected) == (type(found), {path: look(found, path) for path in expected})


@pytest.mark.parametrize("name", [name for name in READ if READ[name][1] is not str])
def test_no_recorded_field_is_left_out_of_the_type(name: str) -> None:
    """Every key a recorded answer carries is a field of its type, and the table above asserts it."""
    call, _, expected = READ[name]
    found = call.read(sample(name))
    keys = set(json.loads(sample(name)).get("data", json.loads(sample(name))))
    asserted = {path.partition(".")[0].replace("payment", "payment_data", 1) for path in expected} | set(
        expected
    )
    skipped = {"params"} if keys and "params" not in expected else set()

    assert (set(), set()) == (keys - set(found.__struct_fields__), keys - asserted - skipped)


@pytest.mark.parametrize("name", FAILED)
def test_a_recorded_refusal_is_never_read_as_a_success(name: str) -> None:
    """An envelope that says no ends in an error that keeps Bootpay's code and words."""
    call, kind, expected = FAILED[name]
    status = json.loads(sample(name))["status"]
    with pytest.raises(BootpayError) as caught:
        result_of(call, Answer(status, sample(name)))

    assert (kind, expected) == (type(caught.value), {path: look(caught.value, path) for path in expected})


@pytest.mark.parametrize("name", FAILED)
def test_a_refusal_under_http_200_is_still_a_refusal(name: str) -> None:
    """The envelope counts, not the HTTP status alone: neither the client nor the reader takes it for a yes."""
    call, _, _ = FAILED[name]
    with pytest.raises(BootpayError):
        result_of(call, Answer(200, sample(name)))
    with pytest.raises(msgspec.ValidationError):
        call.read(sample(name))


def test_every_recorded_file_of_this_generation_is_read() -> None:
    """A new sample without a test fails here. Webhooks are read by the tests of the webhook."""
    recorded = {path.stem for path in SAMPLES.glob("v1_*.json")}
    webhooks = {name for name in recorded if name.startswith("v1_webhook")}

    assert recorded - webhooks == READ.keys() | FAILED.keys() | ELSEWHERE


def test_the_status_table_is_the_documented_one() -> None:
    """Each documented number has a name, and each name a documented number."""
    documented = {entry["status"] for entry in json.loads(sample("v1_status_codes"))}

    assert documented == {status.value for status in v1.ReceiptStatus}


def test_the_browsers_done_event_is_what_submit_answers() -> None:
    """The documents say submit answers what the browser's `done` callback gets: one type reads both."""
    event = json.loads(sample("v1_js_events"))["done"]
    action = event.pop("action")
    found = SUBMIT.read(json.dumps({"status": 200, "code": 0, "data": event}).encode())

    assert ("BootpayDone", APPROVED) == (action, {name: getattr(found, name) for name in APPROVED})


def test_an_unknown_status_and_an_unknown_field_survive() -> None:
    """Bootpay adds keys and numbers without notice: both are kept, neither is an error."""
    envelope = json.loads(sample("v1_receipt_paid"))
    envelope["data"] |= {"status": -77, "brand_new": {"a": 1}}
    receipt = VERIFY.read(json.dumps(envelope).encode())

    assert (-77, None, {"a": 1}) == (receipt.status, receipt.known_status, receipt.raw["brand_new"])


@pytest.mark.parametrize("price", ["3000", "3000.0", '"3000"', "3e3"])
def test_the_same_amount_in_any_spelling(price: str) -> None:
    """`3000`, `3000.0` and `"3000"` are one amount."""
    body = sample("v1_receipt_paid_blog").replace(b'"price": 3000', f'"price": {price}'.encode())

    assert Decimal(3000) == VERIFY.read(body).price


@pytest.mark.parametrize("price", ["-1", "0.5", "true", "null", '"many"', "1e999999999"])
def test_an_amount_that_is_none_is_no_receipt(price: str) -> None:
    """A price that cannot be one ends in our error, whatever else the body says."""
    body = sample("v1_receipt_paid_blog").replace(b'"price": 3000', f'"price": {price}'.encode())
    with pytest.raises(OutcomeUnknown):
        result_of(VERIFY, Answer(200, body))


def test_dollars_have_cents() -> None:
    """An amount is judged by the currency the receipt names."""
    body = sample("v1_receipt_paid_blog").replace(b'"price": 3000', b'"price": 10.5').replace(b"krw", b"usd")

    assert (Decimal("10.50"), "USD") == (VERIFY.read(body).price, VERIFY.read(body).currency)


def test_an_oddity_in_the_gateways_words_hides_no_payment() -> None:
    """The PG's raw data is for display: where it is of another shape, the receipt is still read."""
    body = sample("v1_receipt_paid_blog").replace(b'"BC\xec\xb9\xb4\xeb\x93\x9c"', b'{"nested": true}')
    receipt = VERIFY.read(body)

    assert (1, Decimal(3000), {"nested": True}) == (
        receipt.status,
        receipt.price,
        receipt.payment_data["card_name"],
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"status": 200, "code": 0}', b'"text"'])
@pytest.mark.parametrize("call", [VERIFY, CANCEL, SUBMIT, LINK, TOKEN], ids=lambda call: call.label)
def test_anything_else_under_http_200_is_an_unknown_outcome(call: Call[Any], body: bytes) -> None:
    """HTML, nothing, a list, an envelope without data: one of our errors, never a raw traceback."""
    with pytest.raises(OutcomeUnknown):
        result_of(call, Answer(200, body))


@pytest.mark.parametrize("name", READ)
def test_nothing_secret_is_shown(name: str) -> None:
    """Neither `repr` nor `str` of an answer shows a token, a key, a card, an account or a person."""
    call, _, _ = READ[name]
    found = call.read(sample(name))
    if isinstance(found, str):
        return
    secrets = ["d6941c65", KEY, "****", "0000120000000014", "9430810000004569", "T0309260001169", "홍길동"]
    secrets += [
        "01012345678",
        "SAMPLE_DI_VALUE",
        "5e81bc176f9c290363a65f87",
        "5b025b33e13f33310ce560fb",
        "1990",
    ]
    shown = f"{found!r} {found} {call!r} {getattr(found, 'payment', '')!r} {getattr(found, 'person', '')!r}"

    assert [] == [secret for secret in secrets if secret in shown]


def test_the_reader_itself_refuses_a_no() -> None:
    """Even read directly, an envelope that says no is no data: the check does not rest on the sender alone."""
    readers: list[Callable[[bytes], object]] = [VERIFY.read, DESTROY.read, LINK.read]
    for read in readers:
        with pytest.raises(msgspec.ValidationError):
            read(b'{"status": 200, "code": -1, "message": "no", "data": {}}')
