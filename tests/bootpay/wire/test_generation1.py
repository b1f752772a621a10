"""`Bootpay.v1` says on the wire what `bootpay` 1.0.7 says, but for the differences listed with their reasons."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bootpay import Bootpay as Official
from dojang.bootpay import v1
from dojang.bootpay.async_client import AsyncBootpay
from dojang.bootpay.client import Bootpay

from .comparison import Differs, announced, differences
from .operation import Operation, public_methods, sample
from .operations_v1 import ABSENT_FROM_OURS, APPLICATION, EVERYWHERE, OPERATIONS, PRIVATE_KEY, RECEIPT
from .recorder import Recorder

_EITHER = "Bootpay documents JSON and forms alike for this call, and generation 2 takes JSON only"
TOKEN_AS_JSON = {
    "body": Differs("form", "json", _EITHER),
    "header.content-type": Differs("application/x-www-form-urlencoded", "application/json", _EITHER),
}


def official(recorder: Recorder) -> Official:
    """The official library, aimed at the recorder, with its token."""
    library = Official(APPLICATION, PRIVATE_KEY)
    library.base_url = {"production": recorder.url}
    library.get_access_token()
    recorder.heard()
    return library


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_blocking_client_says_the_same(operation: Operation, recorder: Recorder) -> None:
    """Method, path, query, headers that matter and body agree, but for the listed differences."""
    with Bootpay(application_id=APPLICATION, private_key=PRIVATE_KEY, url=recorder.url) as client:
        found = operation.compare(recorder, official(recorder), lambda one: one.run_ours(client.v1))

    assert operation.announced(EVERYWHERE) == found


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_asyncio_client_says_the_same(operation: Operation, recorder: Recorder) -> None:
    """The same holds for the asyncio client."""

    async def run(one: Operation) -> None:
        async with AsyncBootpay(
            application_id=APPLICATION, private_key=PRIVATE_KEY, url=recorder.url
        ) as client:
            result: Any = one.run_ours(client.v1)
            await result

    found = operation.compare(recorder, official(recorder), lambda one: asyncio.run(run(one)))

    assert operation.announced(EVERYWHERE) == found


def test_the_token_a_client_fetches_by_itself_says_the_same(recorder: Recorder) -> None:
    """Before its first call a client buys the token: the same pair at the same place, as JSON for both generations."""
    recorder.says = (200, sample("v1_receipt_paid"))
    official(recorder).get_access_token()
    *_, theirs = recorder.heard()
    with Bootpay(application_id=APPLICATION, private_key=PRIVATE_KEY, url=recorder.url) as client:
        client.v1.verify(RECEIPT)
    ours, _ = recorder.heard()

    assert announced(EVERYWHERE | TOKEN_AS_JSON, {}) == differences(theirs, ours)


def test_every_official_method_is_compared_or_absent_for_a_reason() -> None:
    """A method the official library gains, or loses, shows up here."""
    compared = {operation.official for operation in OPERATIONS}

    assert (public_methods(Official), set()) == (
        compared | ABSENT_FROM_OURS.keys(),
        compared & ABSENT_FROM_OURS.keys(),
    )


def test_every_endpoint_of_ours_is_compared() -> None:
    """Each of our methods of this generation has an official counterpart, and was compared with it."""
    ours = {name for name in vars(v1.Endpoints) if not name.startswith("_")}

    assert ours == {operation.ours for operation in OPERATIONS}
