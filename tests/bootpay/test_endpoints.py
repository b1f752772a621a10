"""Each endpoint sends what Bootpay's table of endpoints says (api.md §6.1, rows 1 to 30)."""

from __future__ import annotations

from typing import Any

import pytest

from dojang.bootpay.binding import Endpoint
from dojang.bootpay.endpoints import Endpoints

ID = "645c58be755e270022e1e8db"
CHARGE = {"order_id": "o", "order_name": "n", "price": 1000}
PERSON = {
    "pg": "danal",
    "method": "본인인증",
    "authentication_id": "a-1",
    "order_name": "n",
    "username": "u",
    "identity_no": "900101",
    "carrier": "SKT",
    "phone": "01000000000",
}
CARD = {
    "pg": "nicepay",
    "order_name": "n",
    "subscription_id": "s",
    "card_no": "4",
    "card_pw": "00",
    "card_identity_no": "900101",
    "card_expire_year": "30",
    "card_expire_month": "01",
}
ACCOUNT = {
    "pg": "nicepay",
    "order_name": "n",
    "subscription_id": "s",
    "username": "u",
    "bank_name": "국민",
    "bank_account": "1",
    "identity_no": "900101",
    "phone": "01000000000",
}
WHEN = "2026-06-01T00:00:00+09:00"

# name, arguments, method and path with query, whether money moves, keys of the body
ROWS: list[tuple[str, tuple[Any, ...], dict[str, Any], str, bool, set[str] | None]] = [
    ("receipt", (ID,), {}, f"GET receipt/{ID}?lookup_user_data=false", False, None),
    ("receipt", (ID,), {"lookup_user_data": True}, f"GET receipt/{ID}?lookup_user_data=true", False, None),
    ("lookup_order", ("o",), {}, "GET lookup/order/o", False, None),
    ("confirm", (ID,), {}, "POST confirm", True, {"receipt_id"}),
    ("cancel", (ID,), {}, "POST cancel", True, {"receipt_id"}),
    ("certificate", (ID,), {}, f"GET certificate/{ID}", False, None),
    ("request_billing_key", (), CARD, "POST request/subscribe", True, set(CARD)),
    ("billing_key_of_receipt", (ID,), {}, f"GET subscribe/billing_key/{ID}", False, None),
    ("billing_key", (ID,), {}, f"GET billing_key/{ID}", False, None),
    (
        "sequential_billing_key",
        (ID,),
        {"widget_key": "widget key/1", "user_id": "user@1"},
        f"GET subscribe/sequential_billing_key/{ID}?widget_key=widget%20key%2F1&user_id=user%401",
        False,
        None,
    ),
    ("pay_with_billing_key", (ID,), CHARGE, "POST subscribe/payment", True, {"billing_key", *CHARGE}),
    ("destroy_billing_key", (ID,), {}, f"DELETE subscribe/billing_key/{ID}", False, None),
    (
        "reserve_payment",
        (ID,),
        {**CHARGE, "reserve_execute_at": WHEN},
        "POST subscribe/payment/reserve",
        True,
        {"billing_key", "reserve_execute_at", *CHARGE},
    ),
    ("reserved_payment", (ID,), {}, f"GET subscribe/payment/reserve/{ID}", False, None),
    ("cancel_reserved_payment", (ID,), {}, f"DELETE subscribe/payment/reserve/{ID}", False, None),
    ("request_user_token", ("u",), {"gender": 0}, "POST request/user/token", False, {"user_id", "gender"}),
    (
        "start_shipping",
        (ID,),
        {"tracking_number": "1", "delivery_corp": "한진", "company": {"name": "x"}},
        f"PUT escrow/shipping/start/{ID}",
        False,
        {"tracking_number", "delivery_corp", "company"},
    ),
    (
        "publish_cash_receipt",
        (ID,),
        {"identity_no": "1"},
        "POST request/receipt/cash/publish",
        False,
        {"receipt_id", "identity_no", "cash_receipt_type"},
    ),
    (
        "cancel_published_cash_receipt",
        (ID,),
        {"cancel_username": "a b", "cancel_message": "c"},
        f"DELETE request/receipt/cash/cancel/{ID}?cancel_username=a%20b&cancel_message=c",
        False,
        None,
    ),
    (
        "request_cash_receipt",
        (),
        {**CHARGE, "identity_no": "1", "purchased_at": WHEN},
        "POST request/cash/receipt",
        False,
        {*CHARGE, "identity_no", "purchased_at", "cash_receipt_type"},
    ),
    (
        "cancel_cash_receipt",
        (ID,),
        {},
        f"DELETE request/cash/receipt/{ID}?cancel_username=&cancel_message=",
        False,
        None,
    ),
    (
        "request_authentication",
        (),
        PERSON,
        "POST request/authentication",
        False,
        {*PERSON, "authenticate_type"},
    ),
    (
        "confirm_authentication",
        (ID,),
        {"otp": "1"},
        "POST authenticate/confirm",
        False,
        {"receipt_id", "otp"},
    ),
    ("resend_authentication", (ID,), {}, "POST authenticate/realarm", False, {"receipt_id"}),
    (
        "request_automatic_transfer",
        (),
        ACCOUNT,
        "POST request/subscribe/automatic-transfer",
        True,
        {*ACCOUNT, "auth_type"},
    ),
    (
        "publish_automatic_transfer",
        (ID,),
        {},
        "POST request/subscribe/automatic-transfer/publish",
        True,
        {"receipt_id"},
    ),
    ("wallets", ("u",), {"sandbox": True}, "GET wallet?user_id=u&sandbox=true", False, None),
    ("wallets", ("u",), {"widget_key": "w"}, "GET wallet?user_id=u&sandbox=false&widget_key=w", False, None),
    ("pay_with_wallet", ("u",), CHARGE, "POST wallet/payment", True, {"user_id", "sandbox", *CHARGE}),
    ("payment_methods", (), {}, "GET seller/payment/method", False, None),
    ("service_wallet", (), {}, "GET seller/service/wallet", False, None),
]


def test_every_endpoint_has_a_row() -> None:
    """None is left out; the token call (row 1) is tested with the credentials."""
    names = {name for name, value in vars(Endpoints).items() if isinstance(value, Endpoint)}

    assert names == {row[0] for row in ROWS}


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "line", "money", "keys"), ROWS, ids=[row[0] for row in ROWS]
)
def test_what_each_endpoint_sends(
    name: str,
    args: Any,
    kwargs: Any,
    line: str,
    money: bool,
    keys: set[str] | None,
    basic: Any,
    server: Any,
) -> None:
    """Method, path, query and body on the wire; and whether it may ever be sent twice."""
    call = getattr(Endpoints, name).call(*args, **kwargs)
    basic.do("exchange", call)
    seen = server.seen[0]
    method, _, target = line.partition(" ")

    assert (method, f"/v2/{target}") == (seen.method, seen.target)
    assert keys == (set(seen.json) if seen.body else None)
    assert money == call.moves_money
    assert (method == "GET") == call.may_repeat
