"""Keys and tokens: which one is used, when it is renewed, and what is refused before anything is sent."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from dojang.bootpay import AsyncBootpay, Bootpay
from dojang.bootpay.call import Call
from dojang.errors import ConfigError, NotSent, Refused

INVALID = ("v2_error_token_key_invalid", 401)


def v1_call() -> Call[bytes]:
    """Some call of generation 1."""
    return Call(method="GET", path="receipt/x", read=bytes, generation=1)


def authorizations(server: Any) -> list[str | None]:
    return [seen.headers.get("authorization") for seen in server.seen if "token" not in seen.target]


def tokens_bought(server: Any) -> int:
    return len([target for target in server.targets if target.endswith("request/token")])


def test_a_token_is_bought_once_and_used(legacy: Any, server: Any, receipt_id: str) -> None:
    """The legacy pair buys a token without an Authorization header; every call carries it."""
    for _ in range(3):
        legacy.do("receipt", receipt_id)

    assert ["Bearer T-1"] * 3 == authorizations(server)
    assert "authorization" not in server.seen[0].headers
    assert {"application_id": "APP-1", "private_key": "PK-1"} == server.seen[0].json
    assert 1 == tokens_bought(server)


def test_many_callers_buy_one_token(legacy: Any, server: Any, receipt_id: str) -> None:
    """However many threads or tasks begin at once: one token call."""
    receipts = legacy.do_many(24, "receipt", receipt_id)

    assert 24 == len(receipts)
    assert 1 == tokens_bought(server)


def test_many_callers_renew_once(legacy: Any, server: Any, receipt_id: str) -> None:
    """A token that everybody finds refused is renewed once, and each call is repeated once with the new one."""
    legacy.do("receipt", receipt_id)

    def only_new(conn: socket.socket, seen: Any) -> bool:
        good = seen.headers["authorization"] == "Bearer T-2"
        play = server.sample("v2_receipt_card_paid") if good else server.sample(*INVALID)
        return bool(play(conn, seen))

    server.routes[f"GET /v2/receipt/{receipt_id}"] = only_new

    receipts = legacy.do_many(12, "receipt", receipt_id)

    assert 12 == len(receipts)
    assert 2 == tokens_bought(server)


def test_a_token_is_renewed_before_it_ends(caller: Any, server: Any, receipt_id: str) -> None:
    """1,800 seconds mean a new token after 1,500."""
    now = [1000.0]
    caller.make(application_id="A", private_key="P", url=server.url, clock=lambda: now[0])
    server.sell_tokens()
    for now[0] in (1000.0, 2499.0, 2500.0):
        caller.do("receipt", receipt_id)

    assert ["Bearer T-1", "Bearer T-1", "Bearer T-2"] == authorizations(server)


def test_generation_1_reads_the_end_of_its_token(caller: Any, server: Any) -> None:
    """1,779 seconds by Bootpay's own clock mean a new token after 1,479; the header carries the bare token."""
    now = [0.0]
    caller.make(application_id="A", private_key="P", url=server.url, clock=lambda: now[0])
    server.sell_tokens()
    server.routes["GET /receipt/x"] = server.json(200, {"status": 200, "code": 0, "data": {}})
    for now[0] in (0.0, 1478.0, 1479.0):
        caller.do("send", v1_call())

    assert ["T-1", "T-1", "T-2"] == authorizations(server)


def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(
    legacy: Any, server: Any, receipt_id: str
) -> None:
    """Also a confirmation: refused for its credentials, nothing moved."""
    server.script = [server.sample(*INVALID)]

    receipt = legacy.do("confirm", receipt_id)

    assert receipt_id == receipt.receipt_id
    assert ["Bearer T-1", "Bearer T-2"] == authorizations(server)


def test_a_second_refusal_is_final(legacy: Any, server: Any, receipt_id: str) -> None:
    """One renewal for one call, then the refusal is the answer."""
    server.script = [server.sample(*INVALID)] * 3

    with pytest.raises(Refused, match="TOKEN_KEY_INVALID"):
        legacy.do("confirm", receipt_id)
    assert ["Bearer T-1", "Bearer T-2"] == authorizations(server)


def test_generation_1_renews_after_a_401(legacy: Any, server: Any) -> None:
    """401 with whatever code renews once."""
    server.script = [
        server.sample("v1_error_unauthorized", 401),
        server.json(200, {"status": 200, "code": 0, "message": "", "data": 1}),
    ]

    legacy.do("send", v1_call())

    assert ["T-1", "T-2"] == authorizations(server)


def test_refusals_of_generation_1(legacy: Any, server: Any) -> None:
    """Code, words and status come from the envelope, also under HTTP 200."""
    server.script = [
        server.sample("v1_error_receipt_not_found", 404),
        server.json(200, {"status": 400, "code": -1, "message": "no"}),
    ]
    found = []
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            legacy.do("send", v1_call())
        found.append((caught.value.http_status, caught.value.code.startswith("-")))

    assert [(404, True), (400, True)] == found


def test_basic_wins(both: Any, server: Any, receipt_id: str) -> None:
    """With both pairs generation 2 uses Basic and buys no token; generation 1 uses a token."""
    both.do("receipt", receipt_id)
    server.script = [server.json(200, {"status": 200, "code": 0, "data": 1})]
    both.do("send", v1_call())

    assert ["Basic Q0stMTpTSy0x", "T-1"] == authorizations(server)
    assert ["POST /request/token"] == [target for target in server.targets if "token" in target]


def test_bearer_where_basic_is_refused(both: Any, server: Any) -> None:
    """An endpoint that refuses Basic is asked with a token, and from then on at once."""
    path = "POST /v2/request/user/token"

    def bearer_only(conn: socket.socket, seen: Any) -> bool:
        good = seen.headers["authorization"].startswith("Bearer ")
        play = server.sample("v2_user_token_response") if good else server.sample(*INVALID)
        return bool(play(conn, seen))

    server.routes[path] = bearer_only
    for _ in range(3):
        both.do("request_user_token", "user-1")
    server.script = [server.json(200, [])]
    both.do("lookup_order", "o-1")

    used = [
        seen.headers["authorization"].split()[0]
        for seen in server.seen
        if "/request/token" not in seen.target
    ]
    assert ["Basic", "Bearer", "Bearer", "Bearer", "Basic"] == used
    assert 1 == tokens_bought(server)


def test_basic_refused_without_a_legacy_pair(basic: Any, server: Any) -> None:
    """Nothing to fall back to: the cure says which settings would help."""
    server.script = [server.sample(*INVALID)]

    with pytest.raises(Refused) as caught:
        basic.do("request_user_token", "user-1")
    assert "give application_id and private_key" in caught.value.cure_en
    assert "application_id와 private_key" in caught.value.cure_ko
    assert 1 == len(server.seen)


def test_wrong_basic_keys_do_not_fall_back(both: Any, server: Any, receipt_id: str) -> None:
    """A wrong key is a wrong key, not an endpoint that wants a token."""
    server.script = [server.sample("v2_error_app_sk_not_matched", 401)]

    with pytest.raises(Refused, match="APP_SK_NOT_MATCHED"):
        both.do("receipt", receipt_id)
    assert 0 == tokens_bought(server)


def test_a_refused_legacy_pair_is_a_refusal(legacy: Any, server: Any, receipt_id: str) -> None:
    """No token, no call."""
    server.routes["POST /v2/request/token"] = server.sample("v2_error_app_key_not_found", 401)

    with pytest.raises(Refused, match="APP_KEY_NOT_FOUND"):
        legacy.do("confirm", receipt_id)
    assert ["POST /v2/request/token"] == server.targets


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Evil: 1", "토큰"])
def test_an_unusable_token_is_no_token(token: str, legacy: Any, server: Any, receipt_id: str) -> None:
    """A token becomes a header, so it must be able to."""
    server.routes["POST /v2/request/token"] = server.json(200, {"access_token": token, "expire_in": 1800})

    with pytest.raises(NotSent, match="no usable token"):
        legacy.do("receipt", receipt_id)


def test_token_calls_are_repeated(legacy: Any, server: Any, receipt_id: str) -> None:
    """Asking for a token changes nothing, so faults are tried again, though a confirmation waits for it."""
    sold = server.routes.pop("POST /v2/request/token")
    server.script = [server.close, server.answer(502, b""), sold]

    legacy.do("confirm", receipt_id)

    assert 3 == tokens_bought(server)


def test_no_time_left_for_a_token(legacy: Any, server: Any, receipt_id: str) -> None:
    """The deadline runs out while the token is awaited: the confirmation itself was never sent."""
    server.routes["POST /v2/request/token"] = server.silence

    with pytest.raises(NotSent, match="nothing was sent"):
        legacy.do("confirm", receipt_id, client=legacy.client.within(0.5))
    assert server.arrived(1)


def test_request_token_by_hand(legacy: Any, basic: Any, server: Any) -> None:
    """The token can be had by hand, with the legacy pair only."""
    token = legacy.do("request_token", client=legacy.clients[0])

    assert "T-1" == token.access_token
    assert "T-1" not in repr(token)
    with pytest.raises(ConfigError, match="application_id and private_key"):
        basic.do("request_token", client=basic.clients[1])


@pytest.mark.parametrize("client", [Bootpay, AsyncBootpay])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "no credentials"),
        ({"client_key": "a"}, "secret_key is missing"),
        ({"secret_key": "a"}, "client_key is missing"),
        ({"application_id": "a"}, "private_key is missing"),
        ({"private_key": "a"}, "application_id is missing"),
        ({"client_key": "a", "secret_key": "b", "private_key": "c"}, "application_id is missing"),
        ({"client_key": "a:b", "secret_key": "c"}, "colon"),
        ({"client_key": "a", "secret_key": "c\n"}, "secret_key must be printable"),
        ({"client_key": "키", "secret_key": "c"}, "client_key must be printable"),
        ({"client_key": 5, "secret_key": "c"}, "client_key must be a text"),
        ({"url": "http://api.bootpay.co.kr"}, "https"),
        ({"url": "http://127.0.0.1.evil.example"}, "https"),
        ({"url": "ftp://api.bootpay.co.kr"}, "address"),
        ({"url": "api.bootpay.co.kr"}, "address"),
        ({"url": "https://"}, "address"),
        ({"url": "https://a:99999"}, "address"),
        ({"url": "https://a b"}, "address"),
        ({"url": "https://user:pw@api.bootpay.co.kr"}, "user"),
        ({"url": "https://api.bootpay.co.kr/v2"}, "without /v2"),
        ({"url": "https://api.bootpay.co.kr/?x=1"}, "query"),
        ({"connect_timeout_s": 0}, "connect_timeout_s"),
        ({"read_timeout_s": float("inf")}, "read_timeout_s"),
        ({"read_timeout_s": "5"}, "read_timeout_s"),
        ({"retries": -1}, "retries"),
        ({"retries": True}, "retries"),
        ({"pool_size": 0}, "pool_size"),
        ({"max_response_bytes": 0}, "max_response_bytes"),
    ],
    ids=str,
)
def test_impossible_settings_are_refused(client: Any, settings: dict[str, Any], words: str) -> None:
    """One sentence that names the setting, before anything is sent, and no key in it."""
    if settings and not settings.keys() & {"client_key", "secret_key", "application_id", "private_key"}:
        settings = {"client_key": "K-SECRET", "secret_key": "S-SECRET", **settings}

    with pytest.raises(ConfigError, match=words) as caught:
        client(**settings)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:8401", "http://127.0.0.5", "http://[::1]:8", "https://x.example/p/"]
)
def test_possible_addresses(url: str) -> None:
    """Https anywhere, http on this machine."""
    with Bootpay(client_key="a", secret_key="b", url=url) as bootpay:
        assert url.rstrip("/").removesuffix("/p") in repr(bootpay)


def test_the_loop_a_client_belongs_to(server: Any, receipt_id: str) -> None:
    """An asyncio client used from a second event loop says so instead of hanging."""
    import asyncio

    async def first() -> AsyncBootpay:
        client = AsyncBootpay(client_key="a", secret_key="b", url=server.url)
        await client.receipt(receipt_id)
        return client

    async def second(client: AsyncBootpay) -> None:
        with pytest.raises(ConfigError, match="event loop"):
            await client.receipt(receipt_id)

    loops = asyncio.new_event_loop(), asyncio.new_event_loop()
    client = loops[0].run_until_complete(first())
    loops[1].run_until_complete(second(client))
    loops[0].run_until_complete(client.close())
    for loop in loops:
        loop.close()


def test_a_lost_token_call_leaves_the_payment_unsent(legacy: Any, server: Any, receipt_id: str) -> None:
    """No token, for whatever reason: a confirmation that waited for it never left, so its outcome is known."""
    server.routes["POST /v2/request/token"] = server.answer(502, b"<html>")

    with pytest.raises(NotSent, match="no token could be had"):
        legacy.do("confirm", receipt_id)
    assert {"POST /v2/request/token"} == set(server.targets)
