"""Our stand-in `BootpayApi` says on the wire what the old library says, but for the differences listed."""

from __future__ import annotations

import inspect
import json
import uuid
from typing import Any

import pytest

from bootpay import Bootpay as Official
from dojang.bootpay.legacy import BootpayApi

from .comparison import differences
from .operation import Operation, heard_once, public_methods, sample
from .operations_legacy import ABSENT_FROM_OURS, EVERYWHERE, OPERATIONS
from .operations_v1 import APPLICATION, PRIVATE_KEY, RECEIPT
from .recorder import Recorder
from .test_generation1 import official


def stand_in(recorder: Recorder) -> BootpayApi:
    """Our class, aimed at the recorder the way the old one is, with its token."""

    class Aimed(BootpayApi):
        base_url = {"production": recorder.url}  # noqa: RUF012 as its users write it

    library = Aimed(APPLICATION, PRIVATE_KEY)
    library.get_access_token()
    recorder.heard()
    return library


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_stand_in_says_the_same(operation: Operation, recorder: Recorder) -> None:
    """Method, path, query, headers that matter and body agree, but for the listed differences."""
    found = operation.compare(recorder, official(recorder), lambda one: one.run_ours(stand_in(recorder)))

    assert operation.announced(EVERYWHERE) == found


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_stand_in_answers_the_same(operation: Operation, recorder: Recorder) -> None:
    """Both hand back the very same dictionary."""
    recorder.says = (200, sample(operation.answer))
    arguments: dict[str, Any] = {**operation.args, **operation.theirs}
    theirs = getattr(official(recorder), operation.official)(**json.loads(json.dumps(arguments)))
    ours = operation.run_ours(stand_in(recorder))

    assert theirs == ours


def test_every_official_method_is_compared_or_absent_for_a_reason() -> None:
    """A method the official library gains, or loses, shows up here."""
    compared = {operation.official for operation in OPERATIONS}

    assert public_methods(Official) == compared | ABSENT_FROM_OURS.keys()


def test_every_method_of_the_stand_in_is_the_old_ones() -> None:
    """The stand-in adds nothing but `close`."""
    assert {"close"} == public_methods(BootpayApi) - public_methods(Official)


def test_addresses_are_put_together_alike(recorder: Recorder) -> None:
    """`api_url` gives the same addresses as before."""
    pieces: list[list[str] | None] = [None, [], ["request", "token"]]
    theirs = [official(recorder).api_url(some) for some in pieces]

    assert theirs == [stand_in(recorder).api_url(some) for some in pieces]


def test_a_cancel_gets_its_own_id_where_the_official_one_repeats_itself(recorder: Recorder) -> None:
    """1.0.7 makes its default `cancel_id` once per process, so its second partial cancel is refused as a repeat."""
    recorder.says = (200, sample("v1_cancel_partial_response"))
    theirs, ours = official(recorder), stand_in(recorder)
    requests = []
    for library in (theirs, theirs, ours, ours):
        library.cancel(receipt_id=RECEIPT, price=1500)
        requests.append(heard_once(recorder))
    ids = [request.fields["cancel_id"] for request in requests]
    imported = inspect.signature(Official.cancel).parameters["cancel_id"].default

    assert ([imported] * 2, 3, {4}) == (ids[:2], len(set(ids)), {uuid.UUID(one).version for one in ids})
    assert {"body.cancel_id", "header.accept"} == differences(requests[0], requests[2]).keys()


def test_without_a_token_neither_sends_one(recorder: Recorder) -> None:
    """A call before `get_access_token` carries no Authorization header and hands Bootpay's own refusal back."""
    refusal = sample("v1_error_unauthorized")
    recorder.says = (401, refusal)
    theirs, ours = official(recorder), stand_in(recorder)
    theirs.token = ours.token = None
    answers, headers = [], []
    for library in (theirs, ours):
        answers.append(library.verify(RECEIPT))
        headers.append("authorization" in heard_once(recorder).headers)

    assert ([json.loads(refusal)] * 2, [False, False]) == (answers, headers)
