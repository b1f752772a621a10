"""Buying in the demo shop: the shop names the price, dojang gives the verdict, the buyer hears it in two languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from dojang.entry.demo_shop import ShopOptions, ShopServer

if TYPE_CHECKING:
    from conftest import PretendDojang, Visitor


RECEIPT = "6a0d5b8fde30d4a2d7416501"
REFUSED = {
    "type": "about:blank",
    "title": "Unprocessable Entity",
    "status": 422,
    "code": "amount_mismatch",
    "detail": "The receipt's amount is not the order's price.",
    "detail_ko": "영수증 금액이 주문 금액과 다릅니다.",
    "retryable": False,
}
ACCOUNT = {
    "bank_name": "기업",
    "bank_code": "003",
    "number": "12345678901234",
    "holder": "테스트상점",
    "expires_at": None,
}


def test_the_order_is_registered_at_the_shops_own_price(visitor: Visitor, dojang: PretendDojang) -> None:
    """Whatever price the browser sends along is not looked at; dojang learns the catalogue's, with the shop's key."""
    answer = visitor.post("/buy", {"good": "seal", "price": 1}).json()
    ((method, path, body, key),) = dojang.asked

    assert ("POST", "/v1/orders", "Bearer shop-api-key") == (method, path, key)
    assert (answer["order_id"], 38_000, "대추나무 도장") == (body["order_id"], body["price"], body["name"])
    assert 38_000 == answer["options"]["price"]


def test_the_api_key_never_reaches_the_browser(visitor: Visitor) -> None:
    """Neither pages nor answers hold dojang's key or the delivery secret."""
    order_id = visitor.order()
    seen = b"".join(
        response.data
        for response in (
            visitor.get("/"),
            visitor.get("/orders"),
            visitor.get(f"/orders/{order_id}"),
            visitor.post("/buy", {"good": "ink"}),
            visitor.send("/buy", good="ink"),
        )
    )

    assert b"shop-api-key" not in seen
    assert b"whsec_" not in seen


@pytest.mark.parametrize("good", ["", "no-such-thing", "../seal"])
def test_only_what_is_for_sale_can_be_bought(visitor: Visitor, dojang: PretendDojang, good: str) -> None:
    """An unknown good is a clear 400, and no order is made of it."""
    answer = visitor.post("/buy", {"good": good})

    assert (400, []) == (answer.status, dojang.asked)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"", b"[" * 50_000, b'{"good": {"a": 1}}'])
def test_a_broken_request_is_a_clear_no(visitor: Visitor, shop: ShopServer, body: bytes) -> None:
    """What cannot be read gets 400, never a fault of the shop's."""
    headers = {"content-type": "application/json"}
    answer = visitor.pool.request("POST", shop.url + "/buy", body=body, headers=headers)

    assert 400 == answer.status


def test_without_dojang_nobody_is_sent_to_pay(visitor: Visitor, dojang: PretendDojang) -> None:
    """An order that dojang did not take opens no payment window."""
    dojang.says("register", 503, {"code": "no_api_keys", "retryable": False})
    by_script = visitor.post("/buy", {"good": "ink"})
    by_form = visitor.send("/buy", good="ink")

    assert (503, 503) == (by_script.status, by_form.status)
    assert "options" not in by_script.json()
    assert "request/payment" not in by_form.data.decode()


def test_without_a_script_the_form_leads_to_the_window(visitor: Visitor, shop: ShopServer) -> None:
    """The plain page carries the order to the emulator in redirect mode, for approval by the server alone."""
    page = visitor.send("/buy", good="paper", lang="en").data.decode()
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))

    assert 'action="http://127.0.0.1:9/v2/request/payment"' in page
    assert ("3000", "redirect", f"{shop.url}/return?lang=en") == (
        fields["price"],
        fields["extra[open_type]"],
        fields["redirect_url"].replace("&amp;", "&"),
    )
    assert ("true", "true") == (fields["extra[separately_confirmed]"], fields["extra[confirm_only_rest_api]"])


def test_the_way_back_believes_only_dojang(visitor: Visitor, dojang: PretendDojang) -> None:
    """A query that claims `done` is a hint: the page shows what dojang says about the receipt."""
    order_id = visitor.order()
    dojang.says("verify", 422, REFUSED)
    page = visitor.get(f"/return?event=done&status=1&order_id={order_id}&receipt_id={RECEIPT}").data.decode()

    assert ("POST", f"/v1/orders/{order_id}/verify", {"receipt_id": RECEIPT}, "") == dojang.asked[-1]
    assert 'class="verdict refused"' in page
    assert REFUSED["detail_ko"] in page
    assert "amount is not the order" in page


@pytest.mark.parametrize(("event", "kind"), [("cancel", "note"), ("error", "refused")])
def test_a_way_back_without_payment_asks_nobody(
    visitor: Visitor, dojang: PretendDojang, event: str, kind: str
) -> None:
    """Who left or was declined has nothing to verify."""
    order_id = visitor.order()
    page = visitor.get(f"/return?event={event}&order_id={order_id}&receipt_id={RECEIPT}").data.decode()

    assert f'class="verdict {kind}"' in page
    assert ["/v1/orders"] == [path for _, path, _, _ in dojang.asked]


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_refusal_is_told_in_both_languages(visitor: Visitor, dojang: PretendDojang, lang: str) -> None:
    """The reader's language first, the other below it, and dojang's code for whoever helps them."""
    order_id = visitor.order()
    dojang.says("verify", 422, REFUSED)
    said = visitor.post("/verify", {"order_id": order_id, "receipt_id": RECEIPT, "lang": lang}).json()
    first, second = (
        ("결제로 인정되지", "does not count") if lang == "ko" else ("does not count", "결제로 인정되지")
    )

    assert ("refused", "amount_mismatch", False) == (said["kind"], said["code"], said["again"])
    assert said["html"].index(first) < said["html"].index(second)
    assert REFUSED["detail_ko"] in said["html"]


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "again"),
    [
        (200, {"state": "paid"}, {}, "paid", False),
        (200, {"state": "awaiting_deposit", "account": ACCOUNT, "receipt_id": RECEIPT}, {}, "account", False),
        (202, {"state": "pending"}, {"Retry_After": "3"}, "pending", True),
        (429, {"code": "throttled", "retryable": True}, {"Retry_After": "3"}, "pending", True),
        (503, {"code": "upstream_unavailable", "retryable": True}, {}, "pending", True),
        (500, {}, {}, "pending", True),
        (409, {"code": "receipt_already_used", "retryable": False}, {}, "refused", False),
        (404, {"code": "receipt_not_found", "retryable": False}, {}, "refused", False),
        (200, {"state": "no such state"}, {}, "refused", False),
    ],
)
def test_every_answer_of_dojang_becomes_one_verdict(
    visitor: Visitor,
    dojang: PretendDojang,
    status: int,
    body: dict[str, object],
    headers: dict[str, str],
    kind: str,
    again: bool,
) -> None:
    """Paid only when dojang says paid; whatever may still change is asked again; the rest is refused."""
    order_id = visitor.order()
    dojang.says("verify", status, body, **headers)
    said = visitor.post("/verify", {"order_id": order_id, "receipt_id": RECEIPT}).json()

    assert (kind, again) == (said["kind"], said["again"])
    assert ("12345678901234" in said["html"]) == (kind == "account")
    if headers:
        assert 3 == said["retry_after_s"]


def test_what_dojang_says_is_text_never_markup(visitor: Visitor, dojang: PretendDojang) -> None:
    """A detail with markup in it is shown as it is written."""
    order_id = visitor.order()
    dojang.says("verify", 422, REFUSED | {"detail_ko": "<script>alert(1)</script>", "code": '"><b>'})
    said = visitor.post("/verify", {"order_id": order_id, "receipt_id": RECEIPT}).json()

    assert "<script>" not in said["html"]
    assert "<b>" not in said["html"]


def test_an_order_of_nobody_is_not_found(visitor: Visitor, dojang: PretendDojang) -> None:
    """The shop asks dojang only about orders that it took itself."""
    answers = (
        visitor.post("/verify", {"order_id": "somebody-elses", "receipt_id": RECEIPT}),
        visitor.get("/orders/somebody-elses"),
        visitor.get("/orders/somebody-elses/verdict"),
        visitor.get(f"/return?event=done&order_id=somebody-elses&receipt_id={RECEIPT}"),
    )

    assert ([404] * 4, []) == ([answer.status for answer in answers], dojang.asked)


def test_a_waiting_page_asks_for_the_state(visitor: Visitor, dojang: PretendDojang) -> None:
    """While the outcome is open the page polls; when it is final it does not."""
    order_id = visitor.order()
    dojang.says("state", 200, {"order_id": order_id, "state": "pending"})
    waiting = visitor.get(f"/orders/{order_id}").data.decode()
    dojang.says("state", 200, {"order_id": order_id, "state": "paid"})
    final = visitor.get(f"/orders/{order_id}").data.decode()
    polled = visitor.get(f"/orders/{order_id}/verdict").json()

    assert (True, False) == ("order.js" in waiting, "order.js" in final)
    assert "paid" == polled["kind"]


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/unknown"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_page_says_its_language_and_fetches_nothing_foreign(
    visitor: Visitor, path: str, lang: str
) -> None:
    """`lang` is set, no address but the shop's and the emulator's, and a policy that enforces it."""
    answer = visitor.get(f"{path}?lang={lang}")
    page = answer.data.decode()
    foreign = [url for url in re.findall(r'(?:src|href)="(https?://[^"]+)"', page) if "127.0.0.1" not in url]

    assert f'<html lang="{lang}">' in page
    assert [] == foreign
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_taken_address_is_said_in_one_sentence(shop: ShopServer) -> None:
    """A second shop on the same port does not start, and says which shop and which port."""
    from dojang.errors import ConfigError

    port = int(shop.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"the demo shop cannot listen on 127.0.0.1:{port}"):
        ShopServer(ShopOptions(port=port)).__enter__()
