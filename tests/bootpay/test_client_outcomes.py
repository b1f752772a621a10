"""What each failure on the wire becomes: never sent, unknown, refused, and never a foreign exception."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dojang.errors import BootpayError, InvalidValue, NotSent, OutcomeUnknown, Refused


def test_a_receipt_is_read(basic: Any, server: Any, receipt_id: str) -> None:
    """The plain good case: typed, over Basic keys, with the headers that matter."""
    receipt = basic.do("receipt", receipt_id)
    seen = server.seen[0]

    assert (receipt_id, 1200, 1) == (receipt.receipt_id, receipt.price, receipt.status)
    assert f"/v2/receipt/{receipt_id}?lookup_user_data=false" == seen.target
    assert "Basic Q0stMTpTSy0x" == seen.headers["authorization"]
    assert "application/json" == seen.headers["accept"]
    assert "5.1.0" == seen.headers["bootpay-api-version"]
    assert seen.headers["user-agent"].startswith("dojang/")
    assert "content-type" not in seen.headers


def test_connections_are_kept(basic: Any, server: Any, receipt_id: str) -> None:
    """Call after call travels over one connection."""
    for _ in range(5):
        basic.do("receipt", receipt_id)
    basic.do("confirm", receipt_id)

    assert {1} == {seen.connection for seen in server.seen}


def test_a_body_is_json(basic: Any, server: Any, receipt_id: str) -> None:
    """Bodies are JSON and say so; unset fields do not travel; whole amounts are integers."""
    basic.do("cancel", receipt_id, cancel_price="500.0", cancel_id="c-1", cancel_message="변심")
    seen = server.seen[0]

    assert "application/json" == seen.headers["content-type"]
    assert {
        "receipt_id": receipt_id,
        "cancel_id": "c-1",
        "cancel_price": 500,
        "cancel_message": "변심",
    } == seen.json
    assert b'"cancel_price":500,' in seen.body


def test_refused_connection_was_not_sent(caller: Any, closed_port: int, receipt_id: str) -> None:
    """Nobody listens: nothing left, whatever the call; only reads are tried again."""
    caller.make(client_key="a", secret_key="b", url=f"http://127.0.0.1:{closed_port}", retries=2)

    with pytest.raises(NotSent, match="refused; nothing was sent"):
        caller.do("confirm", receipt_id)
    assert [] == caller.pauses
    with pytest.raises(NotSent, match="refused; nothing was sent"):
        caller.do("receipt", receipt_id)
    assert 2 == len(caller.pauses)


def test_unknown_host_was_not_sent(caller: Any, receipt_id: str) -> None:
    """A name that cannot be resolved: nothing left."""
    caller.make(client_key="a", secret_key="b", url="https://bootpay.invalid", retries=0, connect_timeout_s=5)

    with pytest.raises(NotSent, match=r"bootpay\.invalid"):
        caller.do("confirm", receipt_id)


BROKEN = {
    "closed without an answer": lambda server: server.close,
    "reset": lambda server: server.reset,
    "silence": lambda server: server.silence,
    "trickling headers": lambda server: server.trickle,
    "half an answer": lambda server: server.raw(
        b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"receipt_id":'
    ),
    "half a chunked answer": lambda server: server.raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"
    ),
    "bad chunk": lambda server: server.raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"
    ),
    "no HTTP at all": lambda server: server.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "bad content length": lambda server: server.raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
    "bad headers": lambda server: server.raw(b"HTTP/1.1 200 OK\r\n\x00\x01 nonsense\r\n\r\n{}"),
    "502 HTML": lambda server: server.answer(502, b"<html>Bad Gateway</html>", Content_Type="text/html"),
    "503 empty": lambda server: server.answer(503, b""),
    "408 empty": lambda server: server.answer(408, b""),
    "200 HTML": lambda server: server.answer(200, b"<html>Welcome</html>"),
    "200 empty": lambda server: server.answer(200, b""),
    "200 null": lambda server: server.answer(200, b"null"),
    "200 number": lambda server: server.answer(200, b"7"),
    "200 list": lambda server: server.answer(200, b"[]"),
    "200 empty object": lambda server: server.answer(200, b"{}"),
    "200 not UTF-8": lambda server: server.answer(200, b'{"receipt_id":"\xff"}'),
    "200 deeply nested": lambda server: server.answer(200, b'{"metadata":' + b"[" * 90_000),
    "200 endless number": lambda server: server.answer(200, b'{"price":' + b"9" * 100_000 + b"}"),
    "204": lambda server: server.raw(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
    "critical": lambda server: server.sample("v2_error_confirm_critical", 500),
    "critical under 400": lambda server: server.sample("v2_error_confirm_critical", 400),
    "critical under 200": lambda server: server.sample("v2_error_cancel_critical", 200),
    "408 with a code": lambda server: server.json(408, {"error_code": "RC_CONFIRM_FAILED", "message": "x"}),
    "500 with a code": lambda server: server.json(500, {"error_code": "RC_CONFIRM_FAILED", "message": "x"}),
    "redirect": lambda server: server.answer(302, b"", Location="http://example.invalid/"),
    "see other": lambda server: server.answer(303, b"", Location="/v2/other"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_money_with_no_usable_answer_is_unknown(name: str, basic: Any, server: Any, receipt_id: str) -> None:
    """A confirmation left and no usable answer came back: unknown, sent exactly once, and the words say what to do."""
    server.script = [BROKEN[name](server)]

    with pytest.raises(OutcomeUnknown, match=r"POST confirm: .*look it up before repeating") as caught:
        basic.do("confirm", receipt_id)
    assert 1 == len(server.seen)
    assert [] == basic.pauses
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    "name", [name for name in BROKEN if not name.startswith(("408 with", "500 with", "redirect", "see"))]
)
def test_a_read_with_no_usable_answer_is_unknown(name: str, basic: Any, server: Any, receipt_id: str) -> None:
    """A look-up that never gets a usable answer ends, after its repeats, in a sentence that says asking is safe."""
    server.script = [BROKEN[name](server) for _ in range(3)]

    with pytest.raises(OutcomeUnknown, match=r"GET receipt/\{receipt_id\}: .*ask again") as caught:
        basic.do("receipt", receipt_id)
    assert receipt_id not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "closed without an answer",
        "reset",
        "silence",
        "half an answer",
        "no HTTP at all",
        "502 HTML",
        "503 empty",
    ],
)
def test_reads_are_repeated(name: str, basic: Any, server: Any, receipt_id: str) -> None:
    """Transport faults and 5xx of a read are repeated with growing pauses."""
    server.script = [BROKEN[name](server) for _ in range(2)]

    receipt = basic.do("receipt", receipt_id)

    assert receipt_id == receipt.receipt_id
    assert 3 == len(server.seen)
    assert [0.2, 0.4] == basic.pauses


def test_a_5xx_with_a_code_is_repeated_for_a_read_and_refused_in_the_end(
    basic: Any, server: Any, receipt_id: str
) -> None:
    """Bootpay named its trouble: a read may be tried again later, says the refusal."""
    server.script = [server.json(500, {"error_code": "PG_DOWN", "message": "점검"}) for _ in range(3)]

    with pytest.raises(Refused) as caught:
        basic.do("receipt", receipt_id)
    assert ("PG_DOWN", 500, True, 3) == (
        caught.value.code,
        caught.value.http_status,
        caught.value.retryable,
        len(server.seen),
    )


def test_critical_answers_to_a_read_are_not_repeated(basic: Any, server: Any, receipt_id: str) -> None:
    """A code of the *_CRITICAL_* kind is final at once."""
    server.script = [server.sample("v2_error_confirm_critical", 500)]

    with pytest.raises(OutcomeUnknown):
        basic.do("receipt", receipt_id)
    assert 1 == len(server.seen)


STATE_CHANGING = [
    ("cancel", (), {}),
    ("destroy_billing_key", (), {}),
    ("start_shipping", (), {"tracking_number": "1", "delivery_corp": "CJ대한통운"}),
    ("cancel_cash_receipt", (), {}),
    ("cancel_published_cash_receipt", (), {}),
    ("publish_cash_receipt", (), {"identity_no": "01012345678"}),
    ("cancel_reserved_payment", (), {}),
    ("publish_automatic_transfer", (), {}),
    ("resend_authentication", (), {}),
    ("pay_with_billing_key", (), {"order_id": "o", "order_name": "n", "price": 1}),
]


@pytest.mark.parametrize(("method", "args", "kwargs"), STATE_CHANGING, ids=[row[0] for row in STATE_CHANGING])
@pytest.mark.parametrize("warm", [False, True], ids=["new connection", "kept connection"])
def test_whatever_changes_something_is_sent_once(
    method: str, args: Any, kwargs: Any, warm: bool, basic: Any, server: Any, receipt_id: str
) -> None:
    """POST, PUT and DELETE are never repeated, not even by the HTTP library on a kept connection that breaks."""
    if warm:
        basic.do("receipt", receipt_id)
        server.seen.clear()
    server.script = [server.close, server.close, server.close]

    with pytest.raises(OutcomeUnknown):
        basic.do(method, receipt_id, *args, **kwargs)
    assert 1 == len(server.seen)


def test_a_connection_the_server_closed_is_not_used(basic: Any, server: Any, receipt_id: str) -> None:
    """A kept connection that ended while idle is noticed before a confirmation is sent into it."""
    basic.do("receipt", receipt_id)
    server.drop_everybody()
    if basic.loop:  # let the event loop hear of it
        basic.loop.run_until_complete(_turns(5))

    basic.do("confirm", receipt_id)

    assert [1, 2] == [seen.connection for seen in server.seen]


async def _turns(number: int) -> None:
    import asyncio

    for _ in range(number):
        await asyncio.sleep(0.005)


def test_connection_close_is_honoured(basic: Any, server: Any, receipt_id: str) -> None:
    """A server that says it closes is not spoken to again on that connection."""
    body = json.dumps({"receipt_id": receipt_id, "success": True}).encode()
    server.script = [server.answer(404, body, Connection="close")]
    with pytest.raises(Refused):
        basic.do("receipt", receipt_id)

    basic.do("receipt", receipt_id)

    assert [1, 2] == [seen.connection for seen in server.seen]


def test_huge_answers_are_not_read_to_the_end(caller: Any, server: Any, receipt_id: str) -> None:
    """A body over the limit ends the call, for a read without repeating it."""
    caller.make(client_key="a", secret_key="b", url=server.url, max_response_bytes=1000)
    server.script = [server.answer(200, b" " * 1001), server.answer(200, b" " * 5_000_000)]

    for method in ("receipt", "confirm"):
        with pytest.raises(OutcomeUnknown, match="longer than 1000 bytes"):
            caller.do(method, receipt_id)
    assert 2 == len(server.seen)


def test_redirects_are_not_followed(basic: Any, server: Any, receipt_id: str) -> None:
    """A redirect of a read is a refusal that points at the setting; nothing follows it, least of all the keys."""
    server.script = [server.answer(301, b"", Location=server.url + "/v2/elsewhere")]

    with pytest.raises(Refused, match="BOOTPAY_URL") as caught:
        basic.do("receipt", receipt_id)
    assert ("HTTP_301", 301, 1) == (caught.value.code, caught.value.http_status, len(server.seen))


@pytest.mark.parametrize("status", [400, 404, 200])
def test_refusals_carry_everything(status: int, basic: Any, server: Any, receipt_id: str) -> None:
    """Code, words, gateway code, status, cause and cure; also when the error travels under a 200."""
    server.script = [server.sample("v2_error_confirm_failed", status)]

    with pytest.raises(Refused) as caught:
        basic.do("confirm", receipt_id)
    refusal = caught.value
    assert ("RC_CONFIRM_FAILED", "카드 한도초과", "70020", status, False) == (
        refusal.code,
        refusal.message,
        refusal.pg_code,
        refusal.http_status,
        refusal.retryable,
    )
    assert "declined" in refusal.cause_en
    assert "거절" in refusal.cause_ko
    assert refusal.cure_en
    assert refusal.cure_ko


@pytest.mark.parametrize(("sent", "code"), [(-100, "-100"), (3708, "3708"), ("X", "X"), (3708.0, "3708")])
def test_error_codes_may_be_numbers(
    sent: object, code: str, basic: Any, server: Any, receipt_id: str
) -> None:
    """`error_code` is text or number; a refusal always has it as text."""
    server.script = [server.json(400, {"error_code": sent, "message": None, "pg_error_code": 70020})]

    with pytest.raises(Refused) as caught:
        basic.do("cancel", receipt_id)
    assert (code, "", "70020") == (caught.value.code, caught.value.message, caught.value.pg_code)


@pytest.mark.parametrize("body", [b"<html>no</html>", b"", b"[]", b'{"message":"x"}'])
def test_a_4xx_without_a_code_is_named_by_its_status(
    body: bytes, basic: Any, server: Any, receipt_id: str
) -> None:
    """A firewall's page: refused, and the status stands for the code."""
    server.script = [server.answer(403, body)]

    with pytest.raises(Refused) as caught:
        basic.do("confirm", receipt_id)
    assert ("HTTP_403", 403) == (caught.value.code, caught.value.http_status)


def test_too_many_requests_are_retryable(basic: Any, server: Any, receipt_id: str) -> None:
    """429 was not carried out; later it may be."""
    server.script = [server.answer(429, b"slow down")]

    with pytest.raises(Refused) as caught:
        basic.do("cancel", receipt_id)
    assert ("HTTP_429", True) == (caught.value.code, caught.value.retryable)


def test_a_wrong_type_names_call_and_field(basic: Any, server: Any, receipt_id: str, sample: Any) -> None:
    """A success with a wrong type names endpoint and field, and not the value."""
    body = json.loads(sample("v2_receipt_card_paid.json"))
    body["price"] = {"secret": "4111111111111111"}
    server.script = [server.json(200, body)]

    with pytest.raises(OutcomeUnknown, match=r"GET receipt/\{receipt_id\}.*\$\.price") as caught:
        basic.do("receipt", receipt_id)
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize("price", ["NaN", "Infinity", -1, "-1200", 1200.5, "1e400", "1E+999999999", True, ""])
def test_a_bad_amount_from_bootpay_is_unknown(
    price: object, basic: Any, server: Any, receipt_id: str, sample: Any
) -> None:
    """An amount that cannot be is no answer: never a crash, never money."""
    body = json.loads(sample("v2_receipt_card_paid.json"))
    body["price"] = price
    server.script = [server.json(200, body)]

    with pytest.raises(OutcomeUnknown, match="price"):
        basic.do("receipt", receipt_id)


def test_a_list_where_an_order_has_none(basic: Any, server: Any) -> None:
    """An order without receipts is an empty list; an error object is an error."""
    server.script = [server.json(200, []), server.sample("v2_error_receipt_not_found", 404)]

    assert [] == basic.do("lookup_order", "o-1")
    with pytest.raises(Refused, match="RC_NOT_FOUND"):
        basic.do("lookup_order", "o-1")


@pytest.mark.parametrize(
    "attempt",
    [
        "../billing_key/645c58be755e270022e1e8db",
        "645c58be755e270022e1e8d",
        "645c58be755e270022e1e8db\n",
        "645c58be755e270022e1e8dg",
        "６45c58be755e270022e1e8db",
        "",
        None,
        7,
    ],
)
@pytest.mark.parametrize(
    "method",
    ["receipt", "confirm", "cancel", "certificate", "billing_key", "destroy_billing_key", "reserved_payment"],
)
def test_bad_ids_never_reach_the_network(attempt: Any, method: str, basic: Any, server: Any) -> None:
    """Every id of Bootpay is 24 hexadecimal characters, or nothing is sent."""
    with pytest.raises(InvalidValue, match="24 hexadecimal"):
        basic.do(method, attempt)
    assert 0 == server.connections


@pytest.mark.parametrize("attempt", ["", "  ", ".", "..", "a\nb", "a\x00", "x" * 101, "\ud800", None, 5])
def test_bad_order_ids_never_reach_the_network(attempt: Any, basic: Any, server: Any) -> None:
    """An order id is some printable text; what would climb or break the path is refused."""
    with pytest.raises(InvalidValue, match="order_id"):
        basic.do("lookup_order", attempt)
    assert 0 == server.connections


@pytest.mark.parametrize(
    ("order_id", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b%20", "a%20b%2520"),
        ("주문", "%EC%A3%BC%EB%AC%B8"),
        ("1716792650.95292", "1716792650.95292"),
        ("a:b~c_d-e", "a%3Ab~c_d-e"),
        ("...", "..."),
    ],
)
def test_order_ids_are_quoted(order_id: str, segment: str, basic: Any, server: Any) -> None:
    """An order id is one segment of the path on the wire, whatever is in it."""
    server.script = [server.json(200, [])]

    basic.do("lookup_order", order_id)

    assert f"/v2/lookup/order/{segment}" == server.seen[0].target


def test_a_deadline_shortens_a_call(caller: Any, server: Any, receipt_id: str) -> None:
    """A silent server costs no more than the deadline, and a money call is unknown afterwards."""
    client = caller.make(client_key="a", secret_key="b", url=server.url)
    server.script = [server.silence, server.trickle]

    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="no answer in time"):
            caller.do("confirm", receipt_id, client=client.within(0.5))


def test_a_deadline_that_is_over_sends_nothing(basic: Any, server: Any, receipt_id: str) -> None:
    """No time left: not sent."""
    with pytest.raises(NotSent, match="deadline"):
        basic.do("confirm", receipt_id, client=basic.client.within(0))
    assert 0 == server.connections


def test_repeats_stop_at_the_deadline(basic: Any, server: Any, receipt_id: str) -> None:
    """A pause that would end after the deadline is not begun."""
    server.script = [server.answer(503, b"")] * 3

    with pytest.raises(OutcomeUnknown):
        basic.do("receipt", receipt_id, client=basic.client.within(0.19))
    assert [] == basic.pauses
    assert server.arrived(1)


def test_a_later_deadline_does_not_loosen_an_earlier_one(basic: Any, server: Any, receipt_id: str) -> None:
    """Views of views keep the earliest end."""
    with pytest.raises(NotSent, match="deadline"):
        basic.do("confirm", receipt_id, client=basic.client.within(0).within(60))


def test_closing_a_view_closes_nothing(basic: Any, server: Any, receipt_id: str) -> None:
    """A view shares the connections of its client and leaves them open."""
    basic.do("receipt", receipt_id)
    basic.do("close", client=basic.client.within(5))

    basic.do("receipt", receipt_id, client=basic.client.within(5))

    assert 1 == server.connections


def test_raw_answers_are_unjudged(basic: Any, server: Any, receipt_id: str) -> None:
    """`exchange` hands back whatever came, also a refusal."""
    from dojang.bootpay.endpoints.payments import receipt

    server.script = [server.sample("v2_error_receipt_not_found", 404)]

    answer = basic.do("exchange", receipt(receipt_id))

    assert (404, "RC_NOT_FOUND") == (answer.status, json.loads(answer.body)["error_code"])


def test_errors_are_all_ours(basic: Any, server: Any, receipt_id: str) -> None:
    """The base class catches everything the wire can do."""
    server.script = [make(server) for make in BROKEN.values()]

    for _ in BROKEN:
        with pytest.raises(BootpayError):
            basic.do("confirm", receipt_id)
    assert [] == server.script
