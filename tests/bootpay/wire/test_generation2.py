"""`Bootpay` says on the wire what `bootpay_backend` 2.9.0 says, but for the differences listed with their reasons."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bootpay_backend import BootpayBackend as Official

from dojang.bootpay.async_client import AsyncBootpay
from dojang.bootpay.client import Bootpay
from dojang.bootpay.endpoints import Endpoints

from .operation import Operation, public_methods
from .operations_v2 import ABSENT_FROM_OURS, EVERYWHERE, OPERATIONS, OURS_ALONE
from .recorder import Recorder

BASIC = {"client_key": "a-client+key/=", "secret_key": "aSecret+key/="}
LEGACY = {"application_id": "an-application", "private_key": "aPrivate+key/="}
CREDENTIALS = [pytest.param(BASIC, id="basic"), pytest.param(LEGACY, id="token")]
TOKEN = Operation("get_access_token", "request_token", "v2_token_response")


def official(recorder: Recorder, credentials: dict[str, str]) -> Official:
    """The official library, aimed at the recorder, with its token where it needs one."""
    library = Official(**credentials)
    library.BASE_URL = {"production": f"{recorder.url}/v2"}
    library.get_access_token()
    recorder.heard()
    return library


@pytest.mark.parametrize("credentials", CREDENTIALS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_blocking_client_says_the_same(
    operation: Operation, credentials: dict[str, str], recorder: Recorder
) -> None:
    """Method, path, query, headers that matter and JSON agree, but for the listed differences."""
    with Bootpay(**credentials, url=recorder.url) as client:
        found = operation.compare(recorder, official(recorder, credentials), lambda one: one.run_ours(client))

    assert operation.announced(EVERYWHERE) == found


@pytest.mark.parametrize("credentials", CREDENTIALS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_asyncio_client_says_the_same(
    operation: Operation, credentials: dict[str, str], recorder: Recorder
) -> None:
    """The same holds for the asyncio client."""

    async def run(one: Operation) -> None:
        async with AsyncBootpay(**credentials, url=recorder.url) as client:
            result: Any = one.run_ours(client)
            await result

    found = operation.compare(recorder, official(recorder, credentials), lambda one: asyncio.run(run(one)))

    assert operation.announced(EVERYWHERE) == found


def test_the_token_call_says_the_same(recorder: Recorder) -> None:
    """The legacy pair travels in the body, without an Authorization header; both clients alike."""

    async def run(one: Operation) -> None:
        async with AsyncBootpay(**LEGACY, url=recorder.url) as client:
            result: Any = one.run_ours(client)
            await result

    with Bootpay(**LEGACY, url=recorder.url) as client:
        blocking = TOKEN.compare(recorder, official(recorder, LEGACY), lambda one: one.run_ours(client))
    awaiting = TOKEN.compare(recorder, official(recorder, LEGACY), lambda one: asyncio.run(run(one)))

    assert [TOKEN.announced(EVERYWHERE)] * 2 == [blocking, awaiting]


def test_with_basic_keys_neither_asks_for_a_token(recorder: Recorder) -> None:
    """Basic keys travel with every call: a token call would be a wasted round trip."""
    official(recorder, BASIC).get_access_token()
    theirs = recorder.heard()
    with Bootpay(**BASIC, url=recorder.url) as client:
        operation = OPERATIONS[0]
        operation.compare(recorder, official(recorder, BASIC), lambda one: one.run_ours(client))

    assert ([], []) == (theirs, recorder.heard())


def test_every_official_method_is_compared_or_absent_for_a_reason() -> None:
    """A method the official library gains, or loses, shows up here."""
    compared = {operation.official for operation in (*OPERATIONS, TOKEN)}

    assert (public_methods(Official), set()) == (
        compared | ABSENT_FROM_OURS.keys(),
        compared & ABSENT_FROM_OURS.keys(),
    )


def test_every_endpoint_of_ours_is_compared_or_has_no_counterpart() -> None:
    """A method we gain is compared, or listed with the reason why it cannot be."""
    ours = {name for name in vars(Endpoints) if not name.startswith("_")}
    compared = {operation.ours for operation in OPERATIONS}

    assert (ours, set()) == (compared | OURS_ALONE.keys(), compared & OURS_ALONE.keys())
