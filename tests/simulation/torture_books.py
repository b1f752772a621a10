"""Orders as all the ledgers of the kill proof have them where all is well, for its judges to be silent about."""

from __future__ import annotations

from typing import Any

from torture.ledgers import Ledgers
from torture.notes import CancelNote, Note, Word
from torture.shop import Arrival, Asked

GOOD, OTHER = "a" * 24, "b" * 24
PRICE, TAX_FREE = 1_000, 300


def receipt(receipt_id: str = GOOD, **more: Any) -> dict[str, Any]:
    """What Bootpay has: a paid receipt unless told otherwise."""
    return {
        "receipt_id": receipt_id,
        "order_id": "o-1",
        "status": 1,
        "price": PRICE,
        "tax_free": TAX_FREE,
        "cancelled_price": 0,
        "cancelled_tax_free": 0,
        "currency": "KRW",
    } | more


def event(version: int, what: str, **more: Any) -> dict[str, Any]:
    """A step of the history."""
    return {"version": version, "what": what, "who": "buyer", "at": "2026-11-23T05:00:00+00:00"} | more


def arrival(version: int = 2, what: str = "order.paid", id_: str = "", **more: Any) -> Arrival:
    """What the shop received: that it is paid, unless told otherwise."""
    data = {
        "order_id": "o-1",
        "receipt_id": GOOD,
        "version": version,
        "state": "paid",
        "price": PRICE,
        "cancelled": 0,
        "currency": "KRW",
    }
    return Arrival(id_ or f"o-1:{version}:{what.replace('.', '_')}", what, data | more, 200, genuine=True)


def delivery(id_: str = "o-1:2:order_paid", **more: Any) -> dict[str, Any]:
    """What the store says it owed."""
    return {"id": id_, "lane": "notice", "state": "settled", "last_error": ""} | more


def ledgers() -> Ledgers:
    """One order, paid once, told once."""
    return Ledgers(
        receipts={"o-1": [receipt()]},
        orders={
            "o-1": {
                "order_id": "o-1",
                "state": "paid",
                "price": PRICE,
                "tax_free": TAX_FREE,
                "currency": "KRW",
                "cancelled": 0,
                "version": 2,
                "receipts": [known(GOOD, "pays")],
                "deliveries": [delivery()],
            }
        },
        histories={"o-1": [event(1, "registered"), event(2, "paid", receipt_id=GOOD)]},
        arrivals={"o-1": [arrival()]},
        notes={"o-1": Note("o-1", "confirmed", PRICE, TAX_FREE, told_paid={GOOD})},
        asked={"o-1": []},
        words={"o-1": []},
    )


def known(receipt_id: str, fate: str) -> dict[str, Any]:
    """A receipt as the store knows it."""
    return {"receipt_id": receipt_id, "fate": fate, "price": PRICE, "reason": ""}


def order_of(books: Ledgers) -> Any:
    """The one order, to be changed."""
    return books.orders["o-1"]


def step(books: Ledgers, what: str, **more: Any) -> int:
    """One more step of the history; its version."""
    order = order_of(books)
    order["version"] += 1
    books.histories["o-1"].append(event(order["version"], what, **more))
    return int(order["version"])


def told(books: Ledgers, version: int, what: str, **more: Any) -> None:
    """One more notice, owed and heard."""
    order_of(books)["deliveries"].append(delivery(f"o-1:{version}:{what.replace('.', '_')}"))
    books.arrivals["o-1"].append(arrival(version, what, **more))


def cancelled_in_part() -> Ledgers:
    """400 of the price went back, 100 of them free of tax, and the shop heard of it."""
    books = ledgers()
    books.receipts["o-1"][0].update(cancelled_price=400, cancelled_tax_free=100)
    order_of(books).update(cancelled=400, state="partially_cancelled")
    done = {"receipt_id": GOOD, "cancelled": 400, "cancelled_tax_free": 100, "amount": 400}
    version = step(books, "partially_cancelled", **done)
    told(books, version, "order.partially_cancelled", state="partially_cancelled", cancelled=400)
    books.notes["o-1"].cancels.append(CancelNote("k", 400, "done"))
    return books


def cancelled_whole() -> Ledgers:
    """The rest went back as well; the answer to a first try had been lost."""
    books = cancelled_in_part()
    books.receipts["o-1"][0].update(status=20, cancelled_price=PRICE, cancelled_tax_free=TAX_FREE)
    order_of(books).update(cancelled=PRICE, state="cancelled")
    done = {"receipt_id": GOOD, "cancelled": PRICE, "cancelled_tax_free": TAX_FREE, "amount": 600}
    told(books, step(books, "cancelled", **done), "order.cancelled", state="cancelled", cancelled=PRICE)
    books.notes["o-1"].cancels += [CancelNote("l", 600, "unknown"), CancelNote("m", None, "unknown")]
    return books


def second_returned() -> Ledgers:
    """A second receipt was paid, and its money went back."""
    books = ledgers()
    books.receipts["o-1"].append(
        receipt(OTHER, status=20, cancelled_price=PRICE, cancelled_tax_free=TAX_FREE)
    )
    order_of(books)["receipts"].append(known(OTHER, "returned"))
    step(books, "surplus_found", receipt_id=OTHER, fate="owed_back", reason="order_already_paid")
    version = step(books, "money_returned", receipt_id=OTHER, amount=PRICE)
    told(books, version, "order.money_returned", receipt_id=OTHER, returned=PRICE)
    return books


def held() -> Ledgers:
    """A second receipt was paid, its money is held and a person is asked."""
    books = ledgers()
    books.receipts["o-1"].append(receipt(OTHER))
    order_of(books)["receipts"].append(known(OTHER, "held"))
    order_of(books).update(state="attention", reason="order_already_paid")
    step(books, "surplus_found", receipt_id=OTHER, fate="held", reason="order_already_paid")
    version = step(books, "attention", receipt_id=OTHER, reason="order_already_paid")
    told(books, version, "order.attention", state="attention", reason="order_already_paid")
    return books


def said(books: Ledgers, decision: str, outcome: str = "done") -> None:
    """A person decides about the held receipt."""
    books.words["o-1"].append(Word("o-1", OTHER, decision, "mina-1", outcome))


def decided(books: Ledgers, decision: str, who: str = "person:mina-1") -> None:
    """The decision is on file, and the order is paid as before."""
    step(books, "resolved", receipt_id=OTHER, resolution=decision, to="paid", who=who)
    order_of(books).update(state="paid")


def dismissed() -> Ledgers:
    """The held money stays where it is, by a person's word."""
    books = held()
    said(books, "dismiss")
    decided(books, "dismiss")
    return books


def sent_back() -> Ledgers:
    """The held money went back, by a person's word."""
    books = held()
    said(books, "return")
    decided(books, "return")
    step(books, "surplus_found", receipt_id=OTHER, fate="owed_back", reason="order_already_paid")
    version = step(books, "money_returned", receipt_id=OTHER, amount=PRICE)
    told(books, version, "order.money_returned", receipt_id=OTHER, returned=PRICE)
    order_of(books)["receipts"][1]["fate"] = "returned"
    books.receipts["o-1"][1].update(status=20, cancelled_price=PRICE, cancelled_tax_free=TAX_FREE)
    return books


def accepted() -> Ledgers:
    """Late money was held, and a person let it pay."""
    books = ledgers()
    books.histories["o-1"].pop()
    books.arrivals["o-1"].clear()
    order_of(books).update(version=1, deliveries=[])
    step(books, "surplus_found", receipt_id=GOOD, fate="held", reason="order_expired")
    version = step(books, "attention", receipt_id=GOOD, reason="order_expired")
    told(books, version, "order.attention", state="attention", receipt_id=None, reason="order_expired")
    accept = {"receipt_id": GOOD, "resolution": "accept", "to": "paid", "who": "person:mina-1"}
    told(books, step(books, "resolved", **accept), "order.paid")
    books.words["o-1"].append(Word("o-1", GOOD, "accept", "mina-1", "done"))
    note = books.notes["o-1"]
    note.late, note.told_paid, note.told_refused = True, set(), {GOOD: "order_expired"}
    return books


def approved() -> Ledgers:
    """The shop was asked before money moved, and agreed the second time."""
    books = ledgers()
    books.notes["o-1"].waiting.add(GOOD)
    books.asked["o-1"].append(Asked("o-1", GOOD, approved=False, genuine=True))
    books.asked["o-1"].append(Asked("o-1", GOOD, approved=True, genuine=True))
    return books


def emptied_in_a_console() -> Ledgers:
    """Before anybody had looked at the receipt, a console sent all of it back; the history says so."""
    books = unpaid()
    books.receipts["o-1"].append(
        receipt(status=20, cancelled_price=PRICE, cancelled_tax_free=TAX_FREE),
    )
    order_of(books)["receipts"] = [known(GOOD, "refused")]
    step(books, "receipt_refused", receipt_id=GOOD, reason="already_cancelled")
    books.notes["o-1"].console = PRICE
    return books


def unpaid() -> Ledgers:
    """Registered, and nothing came of it."""
    books = ledgers()
    books.receipts["o-1"].clear()
    books.histories["o-1"].pop()
    books.arrivals["o-1"].clear()
    order_of(books).update(state="open", receipts=[], deliveries=[], version=1)
    books.notes["o-1"].told_paid.clear()
    return books
