"""The comparison itself fails when it should: a proof that cannot fail proves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from .comparison import ABSENT, HEADERS, Differs, announced, differences, places
from .recorder import Recorded

FIELDS: dict[str, Any] = {
    "receipt_id": "645c58be755e270022e1e8db",
    "price": 1000,
    "flag": True,
    "refund": {"account": "1", "bankcode": "088"},
    "items": [{"qty": 1}],
    "none": None,
}
REQUEST = Recorded(
    "POST",
    "/v2/cancel?a=1&b=",
    {
        "authorization": "Basic a",
        "accept": "application/json",
        "content-type": "application/json",
        "bootpay-api-version": "5.1.0",
        "user-agent": "one",
    },
    json.dumps(FIELDS).encode(),
)


def with_fields(fields: dict[str, Any]) -> Recorded:
    """The request with another body."""
    return replace(REQUEST, body=json.dumps(fields).encode())


def mutants() -> Iterator[tuple[str, Recorded]]:
    """The request with one thing changed, and where."""
    yield "method", replace(REQUEST, method="PUT")
    yield "path", replace(REQUEST, target="/v2/cancels?a=1&b=")
    yield "path", replace(REQUEST, target="/v2/Cancel?a=1&b=")
    yield "query.a", replace(REQUEST, target="/v2/cancel?a=2&b=")
    yield "query.a", replace(REQUEST, target="/v2/cancel?b=")
    yield "query.b", replace(REQUEST, target="/v2/cancel?a=1")
    yield "query.c", replace(REQUEST, target="/v2/cancel?a=1&b=&c=3")
    for name in HEADERS:
        yield f"header.{name}", replace(REQUEST, headers={**REQUEST.headers, name: "changed"})
        if name in REQUEST.headers:
            fewer = {other: value for other, value in REQUEST.headers.items() if other != name}
            yield f"header.{name}", replace(REQUEST, headers=fewer)
    for name in FIELDS:
        fewer_fields = {other: value for other, value in FIELDS.items() if other != name}
        yield f"body.{name}", with_fields(fewer_fields)
        yield f"body.{name}", with_fields(FIELDS | {name: "changed"})
    yield "body.price", with_fields(FIELDS | {"price": "1000"})
    yield "body.price", with_fields(FIELDS | {"price": 1000.0})
    yield "body.flag", with_fields(FIELDS | {"flag": 1})
    yield "body.refund", with_fields(FIELDS | {"refund": {"account": "1", "bankcode": 88}})
    yield "body.refund", with_fields(FIELDS | {"refund": {"account": "1"}})
    yield "body.items", with_fields(FIELDS | {"items": [{"qty": True}]})
    yield "body.items", with_fields(FIELDS | {"items": []})
    yield "body.more", with_fields(FIELDS | {"more": None})


MUTANTS = list(mutants())


@pytest.mark.parametrize(("place", "mutant"), MUTANTS, ids=[place for place, _ in MUTANTS])
def test_one_changed_thing_is_found_where_it_is(place: str, mutant: Recorded) -> None:
    """Each single change of a request is one difference, named by its place, in both directions."""
    assert ([place], [place]) == (list(differences(REQUEST, mutant)), list(differences(mutant, REQUEST)))


def test_the_same_request_differs_nowhere() -> None:
    """Order and what the transport adds by itself do not count."""
    again = replace(
        with_fields(dict(reversed(FIELDS.items()))),
        target="/v2/cancel?b=&a=1",
        headers={**REQUEST.headers, "user-agent": "another", "connection": "close"},
    )

    assert {} == differences(REQUEST, again)


def test_a_form_is_not_json_whatever_its_label() -> None:
    """The body is read as what it is: a form labelled JSON is still a form."""
    fields = {"receipt_id": "1"}
    form = replace(REQUEST, body=urlencode(fields).encode())

    assert {"body": ("json", "form")} == differences(with_fields(fields), form)


def test_an_empty_body_is_no_empty_object() -> None:
    """Nothing sent and `{}` sent are told apart."""
    assert {"body": ("json", "empty")} == differences(with_fields({}), replace(REQUEST, body=b""))


def test_a_stray_question_mark_is_seen() -> None:
    """`/path?` and `/path` are not the same target."""
    bare = replace(REQUEST, target="/v2/cancel")

    assert {"stray ?": (ABSENT, True)} == differences(bare, replace(bare, target="/v2/cancel?"))


def test_a_listed_difference_that_no_longer_occurs_is_a_failure() -> None:
    """The tables must be exact: what they announce and does not happen is as wrong as what they forget."""
    listed = announced({"body.price": Differs(1000, 500, "because")}, {"none": None})

    assert listed != differences(REQUEST, with_fields(FIELDS | {"price": 500}))


def test_a_value_cannot_hide_among_the_empty_fields() -> None:
    """Only what is empty counts as unset; anything else needs a reason of its own."""
    with pytest.raises(AssertionError):
        announced({}, {"card_quota": "00"})


def test_every_place_of_a_request_is_looked_at() -> None:
    """Nothing a request carries is left out but headers of the transport."""
    headers = {f"header.{name}" for name in HEADERS if name in REQUEST.headers}
    fields = {f"body.{name}" for name in FIELDS}

    assert {"method", "path", "body", "query.a", "query.b"} | headers | fields == places(REQUEST).keys()
