"""Whatever arrives, the answer is a clear 4xx and nothing is stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dojang.web.table import ROUTES

if TYPE_CHECKING:
    from conftest import Shop

GOOD_ORDER: dict[str, Any] = {"order_id": "o1", "price": 3000, "name": "커피"}
RECEIPT = "5fffab350c20b903e88a2cff"

GARBAGE = {
    "empty": b"",
    "blank": b"  \n",
    "text": b"hello",
    "not_utf8": b'{"order_id": "\xff\xfe"}',
    "utf16": '{"order_id": "o1"}'.encode("utf-16"),
    "byte_order_mark": b"\xef\xbb\xbf{}",
    "truncated": b'{"order_id": "o1", ',
    "array": b"[]",
    "string": b'"o1"',
    "number": b"3000",
    "null": b"null",
    "nan": b'{"price": NaN}',
    "infinity": b'{"price": -Infinity}',
    "deep": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "deep_list": b"[" * 30_000 + b"]" * 30_000,
    "twice": b'{"receipt_id": "%b", "receipt_id": "%b"}' % (RECEIPT.encode(), RECEIPT.encode()),
    "huge_number": b'{"price": ' + b"9" * 5_000 + b"}",
    "huge_exponent": b'{"price": 1e999999999}',
    "trailing": b'{"order_id": "o1"} x',
    "empty_object": b"{}",
    "control_character": b'{"order_id": "o\x001"}',
    "escaped_nul": b'{"receipt_id": "\\u0000"}',
    "form": b"order_id=o1&price=3000",
}
ONCE = {"idempotency-key": "refund-1"}
BODIED = [route for route in ROUTES if route.body is not None]


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.parametrize("route", BODIED, ids=lambda route: route.name)
def test_garbage_is_400_on_every_route_with_a_body(shop: Shop, route: Any, body: bytes) -> None:
    """One sentence in each language, and nothing is stored or asked."""
    if body == GARBAGE["twice"] and route.path.startswith("/webhooks"):
        # Nothing in a webhook is believed, so what it says twice is no danger: it is read like any other.
        return
    if body in (GARBAGE["empty_object"], GARBAGE["empty"]) and route.name == "reconcile":
        # There is nothing that a reconciliation must be told.
        return
    answer = shop.ask(route.method, route.path.replace("{order_id}", "o1"), body, headers=ONCE)

    assert (400, "invalid_request", False) == (answer.status, answer.code, answer.json["retryable"])
    assert answer.json["detail"]
    assert answer.json["detail_ko"]
    assert ((0, 0, 0), 0) == (shop.memory.stored, shop.bootpay.asked)


BAD_FIELDS: dict[str, tuple[str, object]] = {
    "price_zero": ("price", 0),
    "price_negative": ("price", -1),
    "price_half_a_won": ("price", 1000.5),
    "price_bool": ("price", True),
    "price_null": ("price", None),
    "price_list": ("price", [3000]),
    "price_words": ("price", "three thousand"),
    "price_empty": ("price", ""),
    "price_exponent_text": ("price", "3e3"),
    "price_hex": ("price", "0x10"),
    "price_underscore": ("price", "3_000"),
    "price_comma": ("price", "3,000"),
    "price_full_width": ("price", "３０００"),
    "price_too_large": ("price", 10**16),
    "price_many_digits": ("price", "3000." + "0" * 40 + "1"),
    "id_empty": ("order_id", ""),
    "id_long": ("order_id", "a" * 65),
    "id_slash": ("order_id", "a/b"),
    "id_dots": ("order_id", ".."),
    "id_korean": ("order_id", "주문"),
    "id_newline": ("order_id", "o1\n"),
    "id_number": ("order_id", 1),
    "name_empty": ("name", ""),
    "name_blank": ("name", "   "),
    "name_long": ("name", "a" * 201),
    "name_number": ("name", 1),
    "name_newline": ("name", "a\nb"),
    "currency_unknown": ("currency", "EUR"),
    "currency_small": ("currency", "krw"),
    "tax_free_more": ("tax_free", 3001),
    "tax_free_negative": ("tax_free", -1),
    "tax_free_bool": ("tax_free", False),
    "expires_naive": ("expires_at", "2026-11-24T00:00:00"),
    "expires_words": ("expires_at", "tomorrow"),
    "expires_number": ("expires_at", 1_800_000_000),
    "expires_ages_away": ("expires_at", "9999-12-31T23:59:59Z"),
    "metadata_list": ("metadata", []),
    "metadata_nested": ("metadata", {"a": {"b": 1}}),
    "metadata_many": ("metadata", {str(number): 1 for number in range(51)}),
    "metadata_long": ("metadata", {"a": "x" * 501}),
    "metadata_long_key": ("metadata", {"x" * 501: 1}),
    "metadata_huge_number": ("metadata", {"a": 2**64}),
    "metadata_nul": ("metadata", {"a": "\0"}),
    "unknown_field": ("amount", 3000),
    "state_field": ("state", "paid"),
}


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS.values(), ids=BAD_FIELDS.keys())
def test_a_bad_field_of_an_order_is_400(shop: Shop, field: str, value: object) -> None:
    """Each in a sentence that names the field, and nothing is stored."""
    answer = shop.ask("POST", "/v1/orders", json.dumps(GOOD_ORDER | {field: value}).encode())
    # A number too large is refused while reading, before anybody knows its field.
    named = (
        field in answer.json["detail"] or "number" in answer.json["detail"] or "Text" in answer.json["detail"]
    )

    assert (400, "invalid_request", True) == (answer.status, answer.code, named)
    assert (0, 0, 0) == shop.memory.stored


@pytest.mark.parametrize("missing", ["order_id", "price", "name"])
def test_a_missing_field_is_named(shop: Shop, missing: str) -> None:
    """The sentence says which."""
    body = {name: value for name, value in GOOD_ORDER.items() if name != missing}
    answer = shop.ask("POST", "/v1/orders", body)

    assert (400, True) == (answer.status, missing in answer.json["detail"])


@pytest.mark.parametrize(
    ("name", "said", "said_ko"),
    [
        ("prise", "unknown field prise: did you mean price?", "있습니다: prise. price을(를) 쓰려던"),
        ("taxFree", "unknown field taxFree: did you mean tax_free?", "tax_free을(를) 쓰려던"),
        ("금액", "unknown field 금액: known are order_id, price, name,", "쓸 수 있는 필드: order_id, price"),
        ("a b (가)", "a field that is not known", "알 수 없는 필드가"),
        ("x`y", "a field that is not known", "알 수 없는 필드가"),
        ("98765432101", "a field that is not known", "알 수 없는 필드가"),
        ("x" * 65, "a field that is not known", "알 수 없는 필드가"),
    ],
)
def test_an_unknown_field_is_named_with_the_one_that_was_meant(
    shop: Shop, name: str, said: str, said_ko: str
) -> None:
    """In both languages; what is no plain word is not repeated."""
    answer = shop.ask("POST", "/v1/orders", GOOD_ORDER | {name: 1})

    assert (400, "invalid_request") == (answer.status, answer.json["code"])
    assert said in answer.json["detail"]
    assert said_ko in answer.json["detail_ko"]
    assert "필드" not in answer.json["detail"]


def test_a_body_of_one_field_says_which_it_is(shop: Shop) -> None:
    """The words around a list fit how long it is."""
    answer = shop.ask("POST", "/v1/orders/o1/verify", {"금액": 1})

    assert "known is receipt_id." in answer.json["detail"]


def test_an_unknown_field_inside_another_is_compared_with_its_neighbours(shop: Shop) -> None:
    """A refund account has fields of its own, and what they hold is not repeated."""
    shop.register()
    body = {"reason": "x", "refund_account": {"bank_cod": "004", "bank_account": "98765432101"}}
    answer = shop.ask("POST", "/v1/orders/o1/cancel", body, headers=ONCE)

    assert "unknown field bank_cod in refund_account: did you mean bank_code?" in answer.json["detail"]
    assert "필드가 있습니다: refund_account의 bank_cod. bank_code을(를)" in answer.json["detail_ko"]
    assert "98765432101" not in answer.body.decode()


ORDERS, CANCEL, RESOLVE = "/v1/orders", "/v1/orders/o1/cancel", "/v1/orders/o1/resolve"
VERIFY, RECONCILE = "/v1/orders/o1/verify", "/v1/reconcile"


@pytest.mark.parametrize(
    ("path", "body", "said", "said_ko"),
    [
        (ORDERS, GOOD_ORDER | {"price": True},
         "price must be a number or text, not true or false", "price은(는) 숫자 또는 문자열"),
        (ORDERS, GOOD_ORDER | {"order_id": 1},
         "order_id must be text, not a whole number", "order_id은(는) 문자열"),
        (ORDERS, GOOD_ORDER | {"price": "3,000"},
         'price as text must be plain digits, such as "3000"', 'price을(를) 문자열로 쓸 때는 "3000"'),
        (ORDERS, GOOD_ORDER | {"expires_at": 1},
         "expires_at must be a moment with its", "expires_at은(는) 시간대가 있는 시각"),
        (ORDERS, GOOD_ORDER | {"expires_at": "x"},
         "expires_at must be a moment with its", "expires_at은(는) 시간대가 있는 시각"),
        (ORDERS, GOOD_ORDER | {"expires_at": "2026-11-24T00:00:00"},
         "expires_at must be a moment", "expires_at은(는) 시간대가"),
        (ORDERS, GOOD_ORDER | {"metadata": {"a": []}},
         "metadata[...] must be true or false or a number or", "metadata[...]은(는)"),
        (ORDERS, {"order_id": "o2", "price": 1},
         "The field name is missing", "필수 필드 name이(가) 없습니다"),
        (ORDERS, [], "The body must be an object, not a list", "본문은 객체 형식이어야 합니다. 받은 형식: 배열"),
        (ORDERS, GOOD_ORDER | {"currency": "EUR"},
         "currency must be one of KRW, USD", "currency은(는) KRW, USD 중"),
        (VERIFY, {}, "The field receipt_id is missing", "필수 필드 receipt_id이(가) 없습니다"),
        (VERIFY, {"receipt_id": 5},
         "receipt_id must be text, not a whole number", "receipt_id은(는) 문자열"),
        (CANCEL, {"reason": None},
         "reason must be text, not null", "reason은(는) 문자열 형식이어야 합니다. 받은 형식: null"),
        (CANCEL, {"reason": "x", "amount": "all"},
         "amount as text must be plain digits", "amount을(를) 문자열로"),
        (CANCEL, {"reason": "x", "refund_account": {}},
         "The field bank_code in refund_account is missing", "refund_account에 필수 필드 bank_code"),
        (CANCEL, {"reason": "x", "refund_account": "004"},
         "refund_account must be an object or null, not text", "refund_account은(는) 객체"),
        (RESOLVE, {"decision": "return"}, "The field who is missing", "필수 필드 who이(가) 없습니다"),
        (RESOLVE, {"decision": "return", "who": []}, "who must be text, not a list", "who은(는) 문자열"),
        (RECONCILE, {"limit": 0}, "limit must be at least 1", "limit은(는) 1 이상의 정수"),
        (RECONCILE, {"limit": 1001}, "limit must be at most 1000", "limit은(는) 1000 이하의 정수"),
        (RECONCILE, {"limit": 2.5},
         "limit must be a whole number, not a fraction", "limit은(는) 정수 형식이어야 합니다. 받은 형식: 소수"),
        (RECONCILE, {"everything": 1},
         "everything must be true or false, not a whole", "everything은(는) true/false"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_both_languages(
    shop: Shop, path: str, body: object, said: str, said_ko: str
) -> None:
    """The field is named in each, and nothing of the library's own words is left, in either."""
    shop.register()
    answer = shop.ask("POST", path, json.dumps(body).encode(), headers=ONCE)

    assert (400, "invalid_request") == (answer.status, answer.code)
    assert said in answer.json["detail"]
    assert said_ko in answer.json["detail_ko"]
    assert "Expected" not in answer.body.decode()


def test_a_number_that_no_float_holds_is_refused_not_rounded(shop: Shop) -> None:
    """3000.0000000000001 is not 3000."""
    answer = shop.ask("POST", "/v1/orders", b'{"order_id": "o1", "name": "n", "price": 3000.0000000000001}')

    assert (400, (0, 0, 0)) == (answer.status, shop.memory.stored)


@pytest.mark.parametrize("text", [r'"\ud800"', r'"\u0000"'])
def test_text_that_no_database_holds_is_refused(shop: Shop, text: str) -> None:
    """Half a surrogate pair or a NUL in metadata, as a key or a value."""
    head = b'{"order_id": "o1", "name": "n", "price": 1, "metadata": '
    value = shop.ask("POST", "/v1/orders", head + f'{{"a": {text}}}}}'.encode())
    key = shop.ask("POST", "/v1/orders", head + f'{{{text}: "a"}}}}'.encode())

    assert (400, 400, (0, 0, 0)) == (value.status, key.status, shop.memory.stored)


def test_an_escaped_pair_is_one_character(shop: Shop) -> None:
    r"""`\ud83d\ude00` is a face, not garbage."""
    answer = shop.ask("POST", "/v1/orders", b'{"order_id": "o1", "price": 1, "name": "\\ud83d\\ude00"}')

    assert (201, "😀") == (answer.status, answer.json["name"])


@pytest.mark.parametrize(
    "body",
    [
        {"receipt_id": "x" * 24},
        {"receipt_id": RECEIPT[:-1]},
        {"receipt_id": RECEIPT + "\n"},
        {"receipt_id": "../billing_key/" + "a" * 9},
        {"receipt_id": 5},
        {"receipt_id": None},
        {"receipt_id": [RECEIPT]},
        {"receipt_id": RECEIPT, "price": 1},
        {"receipt_id": RECEIPT, "state": "paid"},
    ],
    ids=str,
)
def test_a_bad_receipt_id_never_reaches_bootpay(shop: Shop, body: object) -> None:
    """Checked against the grammar first; a price in the body is refused, not ignored."""
    shop.register()
    answer = shop.ask("POST", "/v1/orders/o1/verify", body, key=None)

    assert (400, "invalid_request", 0) == (answer.status, answer.code, shop.bootpay.asked)


BAD_IDS = [
    "%20",
    "a%2Fb",
    "a%00",
    "%FF",
    "%",
    "a" * 65,
    "..",
    "%2e%2e",
    "주문".encode().hex("%"),
    "o1%0A",
    "a;b",
]


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.parameter == "order_id"], ids=lambda route: route.name
)
def test_an_id_outside_the_grammar_is_400(shop: Shop, route: Any, bad: str) -> None:
    """Before anything else, whatever else is wrong."""
    answer = shop.ask(route.method, route.path.replace("{order_id}", bad), {"receipt_id": RECEIPT})

    assert (400, "invalid_request") == (answer.status, answer.code)


@pytest.mark.parametrize("bad", ["%20", "a%2Fb", "a" * 201, "%FF", "a%00"])
def test_a_deliverys_id_is_checked_too(shop: Shop, bad: str) -> None:
    """It reaches the store only if it can be one."""
    answer = shop.ask("POST", f"/v1/deliveries/{bad}/retry")

    assert (400, "invalid_request") == (answer.status, answer.code)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_body_above_the_limit_is_413(shop: Shop, route: Any) -> None:
    """64 KiB are read, one byte more is not; a length that claims more is believed at once."""
    path = route.path.replace("{order_id}", "o1").replace("{delivery_id}", "d1")
    large = shop.ask(route.method, path, b" " * 65_537)
    claimed = shop.ask(route.method, path, b"", headers={"content-length": "9" * 30})

    assert [(413, "too_large")] * 2 == [(large.status, large.code), (claimed.status, claimed.code)]
    assert (0, 0, 0) == shop.memory.stored


def test_a_body_of_exactly_the_limit_is_read(shop: Shop) -> None:
    """65536 bytes are allowed."""
    body = json.dumps(GOOD_ORDER).encode().ljust(65_536)

    assert 201 == shop.ask("POST", "/v1/orders", body).status


BAD_CANCELS: dict[str, dict[str, object]] = {
    "no_reason": {"reason": None},
    "blank_reason": {"reason": "  "},
    "long_reason": {"reason": "a" * 301},
    "newline_in_reason": {"reason": "a\nb"},
    "nothing": {"amount": 0},
    "negative": {"amount": -1},
    "half_a_won": {"amount": 0.5},
    "words": {"amount": "all"},
    "bool": {"amount": True},
    "full_width": {"amount": "１０００"},
    "underscore": {"amount": "1_000"},
    "negative_tax_free": {"tax_free": -1},
    "bool_tax_free": {"tax_free": False},
    "negative_expectation": {"expected_remaining": -1},
    "unknown_field": {"price": 1000},
    "account_words": {"refund_account": "004-123"},
    "account_empty": {"refund_account": {}},
    "account_without_holder": {"refund_account": {"bank_code": "004", "bank_account": "1234567890"}},
    "account_unknown_field": {
        "refund_account": {
            "bank_code": "004",
            "bank_account": "1234567890",
            "bank_username": "홍길동",
            "phone": "1",
        }
    },
    "bank_code_letters": {
        "refund_account": {"bank_code": "0a4", "bank_account": "1234567890", "bank_username": "홍길동"}
    },
    "bank_code_full_width": {
        "refund_account": {"bank_code": "００４", "bank_account": "1234567890", "bank_username": "홍길동"}
    },
    "bank_account_letters": {
        "refund_account": {"bank_code": "004", "bank_account": "IBAN12", "bank_username": "홍길동"}
    },
    "bank_account_dashes_alone": {
        "refund_account": {"bank_code": "004", "bank_account": "---", "bank_username": "홍길동"}
    },
    "bank_username_blank": {
        "refund_account": {"bank_code": "004", "bank_account": "1234567890", "bank_username": " "}
    },
    "bank_username_newline": {
        "refund_account": {"bank_code": "004", "bank_account": "1234567890", "bank_username": "홍\n길동"}
    },
}


@pytest.mark.parametrize("bad", BAD_CANCELS.values(), ids=BAD_CANCELS.keys())
def test_a_bad_cancel_is_400_and_reaches_nobody(shop: Shop, bad: dict[str, object]) -> None:
    """One sentence in each language that repeats no account; the order stays as it was."""
    shop.register()
    shop.verify(shop.receipt())
    before, asked = shop.memory.stored, shop.bootpay.asked
    body = {"reason": "환불"} | bad
    answer = shop.ask("POST", "/v1/orders/o1/cancel", body, headers=ONCE)

    assert (400, "invalid_request", before, asked) == (
        answer.status,
        answer.code,
        shop.memory.stored,
        shop.bootpay.asked,
    )
    assert [] == [secret for secret in ("1234567890", "홍길동", "IBAN12") if secret in answer.body.decode()]


@pytest.mark.parametrize(
    "key",
    [None, "", " ", "a" * 256, "한글", "tab\there", "nul\0", "line\n", "\x7f", " leading", "trailing "],
    ids=repr,
)
def test_a_cancel_without_a_proper_key_is_400(shop: Shop, key: str | None) -> None:
    """The sentence names the header; nothing is asked of Bootpay."""
    shop.register()
    shop.verify(shop.receipt())
    asked = shop.bootpay.asked
    headers = {} if key is None else {"idempotency-key": key}
    answer = shop.ask("POST", "/v1/orders/o1/cancel", {"reason": "환불"}, headers=headers)

    assert (400, "invalid_request", asked) == (answer.status, answer.code, shop.bootpay.asked)
    assert "Idempotency-Key" in answer.json["detail"]
    assert "Idempotency-Key" in answer.json["detail_ko"]


@pytest.mark.parametrize(
    "bad",
    [
        {"decision": "approve"},
        {"decision": None},
        {"decision": "DISMISS"},
        {"who": ""},
        {"who": " "},
        {"who": "a" * 101},
        {"who": "mi\nna"},
        {"who": 7},
        {"who": None},
        {"reason": ""},
        {"reason": "a" * 301},
        {"reason": "a\0b"},
        {"receipt_id": "x"},
        {"receipt_id": RECEIPT + "\n"},
        {"order_id": "o1"},
        {"decision": "look_again", "who": ""},
    ],
    ids=str,
)
def test_a_bad_decision_is_400_and_changes_nothing(shop: Shop, bad: dict[str, object]) -> None:
    """Whose it is and why are part of a decision."""
    shop.register()
    before = shop.memory.stored
    body = {"decision": "dismiss", "who": "mina", "reason": "확인함"} | bad
    answer = shop.ask("POST", "/v1/orders/o1/resolve", body)

    assert (400, "invalid_request", before) == (answer.status, answer.code, shop.memory.stored)
    assert answer.json["detail_ko"]


@pytest.mark.parametrize(
    "bad",
    [
        {"everything": "yes"},
        {"everything": 1},
        {"everything": None},
        {"limit": 0},
        {"limit": 1001},
        {"limit": -1},
        {"limit": 1.5},
        {"limit": "10"},
        {"limit": True},
        {"cursor": "5-o1"},
        {"everything": True, "cursor": ""},
        {"everything": True, "cursor": "²-o1"},
        {"everything": True, "cursor": "1" * 19 + "-o1"},
        {"everything": True, "cursor": "5-o1\n"},
        {"everything": True, "cursor": 5},
        {"all": "yes"},
        {"all": None},
        {"all": True, "everything": False},
        {"all": False, "everything": True},
        {"all": False, "cursor": "5-o1"},
        {"due": True},
    ],
    ids=str,
)
def test_a_bad_reconciliation_is_400(shop: Shop, bad: dict[str, object]) -> None:
    """Nothing is looked at."""
    shop.register()
    answer = shop.ask("POST", "/v1/reconcile", bad)

    assert (400, "invalid_request", 0) == (answer.status, answer.code, shop.bootpay.asked)
