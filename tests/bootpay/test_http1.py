"""The reader of answers: the same answer however its bytes are cut, and nothing that could be read two ways."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault
from dojang.bootpay.http1 import AnswerReader

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DAMAGED = Fault(left=True, words="the answer was damaged on its way")
GOOD = {
    "length": (HEAD + b"Content-Length: 5\r\n\r\nhello", b"hello", True),
    "empty": (HEAD + b"content-length:0\r\n\r\n", b"", True),
    "repeated length": (HEAD + b"Content-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    "closing": (HEAD + b"Connection: Close\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    "chunks": (
        HEAD + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n",
        b"hello",
        True,
    ),
    "interim": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + HEAD + b"Content-Length: 5\r\n\r\nhello",
        b"hello",
        True,
    ),
    "one too many": (HEAD + b"Content-Length: 5\r\n\r\nhello!", b"hello", False),
}
BAD = {
    "length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "negative length": HEAD + b"Content-Length: -5\r\n\r\nhello",
    "signed length": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "no length": HEAD + b"Content-Length:\r\n\r\nhello",
    "unknown coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "blank before colon": HEAD + b"Content-Length : 5\r\n\r\nhello",
    "folded header": HEAD + b"X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
    "bare line feed": HEAD + b"X: a\nContent-Length: 5\r\n\r\nhello",
    "null": HEAD + b"X: \0\r\nContent-Length: 5\r\n\r\nhello",
    "signed chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "prefixed chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "long chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
    "endless chunk line": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 5_000,
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "another version": b"HTTP/2.0 200 OK\r\n\r\n",
    "switched": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
}


def read(data: bytes, cuts: list[int], body_max: int = 1000) -> tuple[Answer | Fault | None, bool]:
    """What comes of an answer that arrives in pieces."""
    reader = AnswerReader(body_max)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    outcome: Answer | Fault | None = None
    for begin, end in itertools.pairwise(edges):
        outcome = reader.feed(data[begin:end])
        if outcome is not None:
            break
    return outcome, reader.reusable


@pytest.mark.parametrize("name", GOOD)
@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_an_answer_is_the_same_however_it_is_cut(name: str, cuts: list[int]) -> None:
    """Where the network cuts an answer means nothing; bytes past its end make the connection unusable."""
    data, body, reusable = GOOD[name]
    outcome, kept = read(data, cuts)

    assert Answer(200, body) == outcome
    assert reusable == kept or data.endswith(b"!")


@pytest.mark.parametrize("name", BAD)
@given(cuts=st.lists(st.integers(0, 400), max_size=4))
def test_what_could_be_read_two_ways_is_no_answer(name: str, cuts: list[int]) -> None:
    """Two lengths, odd numbers, folded lines: each has been used to pass one answer off as another."""
    outcome, _ = read(BAD[name], cuts)

    assert Fault(left=True, words="the answer is not HTTP") == outcome


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_garbage_is_a_fault_or_an_answer_and_never_an_exception(data: bytes, cuts: list[int]) -> None:
    """Whatever arrives, with or without a proper beginning."""
    for begin in (b"", HEAD, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"):
        outcome, _ = read(begin + data, cuts)

        assert outcome is None or isinstance(outcome, Answer | Fault)


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 11\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nb\r\n", b"\r\n"],
    ids=["length", "chunks", "until closed"],
)
def test_a_body_may_be_as_long_as_allowed_and_no_longer(head: bytes) -> None:
    """However its length is told, eleven bytes are more than ten."""
    outcome, _ = read(HEAD + head + b"hello world", [], body_max=10)

    assert Fault(left=True, words="the answer is longer than 10 bytes", final=True) == outcome


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", Fault(left=True, words="the connection was closed without an answer")),
        (HEAD, Fault(left=True, words="the answer broke off")),
        (HEAD + b"Content-Length: 5\r\n\r\nhell", Fault(left=True, words="the answer broke off")),
        (HEAD + b"\r\nhello", Answer(200, b"hello")),
    ],
    ids=["nothing", "half a head", "half a body", "until closed"],
)
def test_a_closed_connection_ends_only_what_has_no_other_end(data: bytes, expected: Answer | Fault) -> None:
    """A body whose length was told must be all there."""
    reader = AnswerReader(1000)
    if data:
        reader.feed(data)

    assert expected == reader.end()


@pytest.mark.parametrize(
    ("head", "outcome"),
    [
        (b"X-Sum: 907060870\r\nContent-Length: 5\r\n\r\n", Answer(200, b"hello")),
        (b"X-Sum: 907060871\r\nContent-Length: 5\r\n\r\n", DAMAGED),
        (b"x-sum: 907060871\r\n\r\n", DAMAGED),
        (b"X-Sum: none\r\nContent-Length: 5\r\n\r\n", Answer(200, b"hello")),
        (b"Content-Length: 5\r\n\r\n", Answer(200, b"hello")),
    ],
    ids=["right", "wrong", "wrong, until closed", "no number", "none"],
)
def test_a_body_is_what_its_checksum_says(head: bytes, outcome: Answer | Fault) -> None:
    """Where the server sends one, under the name that it is asked for."""
    reader = AnswerReader(1000, b"x-sum")

    assert outcome == (reader.feed(HEAD + head + b"hello") or reader.end())


def test_nobody_asked_for_a_checksum() -> None:
    """Bootpay sends none, and what a header of that name means elsewhere is not known."""
    reader = AnswerReader(1000)

    assert Answer(200, b"hello") == reader.feed(HEAD + b"X-Sum: 1\r\nContent-Length: 5\r\n\r\nhello")


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    ],
    ids=["interim answers", "trailers"],
)
def test_what_goes_around_an_answer_ends(begin: bytes, more: bytes) -> None:
    """However it is told, nobody keeps more of it than a head may be long."""
    reader = AnswerReader(1000)
    outcome = reader.feed(begin) if begin else None
    for _ in range(200_000 // len(more)):
        outcome = outcome or reader.feed(more)

    assert Fault(left=True, words="the answer is not HTTP") == outcome
