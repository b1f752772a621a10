"""Connections over sockets: which are used again, which never are, and what becomes of them in the end."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from dojang.bootpay.account import Address
from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit
from dojang.bootpay.over_sockets import IDLE_MAX_S, Connections

OVER = Fault(left=False, words="the deadline is over", final=True)


def asked(deadline: float | None = None) -> Transmit:
    """A request with some seconds to spare for everything."""
    return Transmit("GET", "/v2/receipt", {}, None, 5.0, 5.0, deadline)


def connected(url: str, clock: Callable[[], float] = time.monotonic) -> Connections:
    """One connection at a time to the scripted server."""
    return Connections(Address.of(url), pool_size=1, max_response_bytes=100_000, ca_certs=None, clock=clock)


@pytest.mark.parametrize(("idle_s", "used"), [(IDLE_MAX_S, [1, 1]), (IDLE_MAX_S + 0.1, [1, 2])])
def test_a_connection_idle_for_too_long_is_never_used_again(
    server: Any, idle_s: float, used: list[int]
) -> None:
    """A load balancer may have forgotten it: a confirmation sent into it would end as an unknown outcome."""
    now = [1000.0]
    line = connected(server.url, lambda: now[0])
    line.transmit(asked())
    first = line._idle[0][0]
    now[0] += idle_s
    line.transmit(asked())
    closed = first.fileno() == -1
    line.close()

    assert 45.0 == IDLE_MAX_S
    assert closed is (used == [1, 2])
    assert used == [seen.connection for seen in server.seen]


def test_a_forked_child_asks_on_a_connection_of_its_own(server: Any) -> None:
    """On its parent's it would read what that had asked for, and the parent what the child had."""
    line = connected(server.url)
    line.transmit(asked())
    child = os.fork()
    if child == 0:
        os._exit(0 if isinstance(line.transmit(asked()), Answer) else 1)
    _, ended = os.waitpid(child, 0)
    line.transmit(asked())
    line.close()

    assert 0 == ended
    assert [1, 2, 1] == [seen.connection for seen in server.seen]


def test_what_a_server_says_unasked_is_nobodys_answer(server: Any) -> None:
    """An answer that arrives before its question would be taken for the next receipt's."""
    line = connected(server.url)
    line.transmit(asked())
    stale = server.open_sockets[0]
    stale.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nSTALE")
    answer = line.transmit(asked())
    line.close()

    assert isinstance(answer, Answer)
    assert b"STALE" != answer.body
    assert [1, 2] == [seen.connection for seen in server.seen]


def test_a_connection_whose_answer_had_more_to_it_is_never_used_again(server: Any) -> None:
    """The rest of what follows an answer would come in time to be taken for the next one."""

    def too_much(conn: socket.socket, seen: Any) -> bool:
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n")
        return True

    server.script = [too_much]
    line = connected(server.url)
    answers = [line.transmit(asked()) for _ in range(2)]
    line.close()

    assert Answer(200, b"{}") == answers[0]
    assert [1, 2] == [seen.connection for seen in server.seen]


def test_an_answer_without_a_length_ends_with_its_connection(server: Any) -> None:
    """That the server hangs up is then no failure, and is noticed at once."""
    server.script = [server.raw(b"HTTP/1.1 200 OK\r\n\r\n{}")]

    assert Answer(200, b"{}") == connected(server.url).transmit(asked())


def test_every_request_gives_its_place_back(server: Any, closed_port: int) -> None:
    """Answered, broken off, or without a connection at all: one place serves them all, one after another."""
    line = connected(server.url)
    server.script = [server.close, server.reset, server.answer(503, b"")]
    for _ in range(5):
        line.transmit(asked())
    line.close()
    nobody = connected(f"http://127.0.0.1:{closed_port}")
    words = f"no connection to 127.0.0.1:{closed_port}: the connection was refused"
    refused = Fault(left=False, words=words)

    assert 5 == len(server.seen)
    for _ in range(2):
        assert refused == nobody.transmit(asked())


def test_a_deadline_that_is_over_is_noticed_at_every_step(server: Any) -> None:
    """Before a place is waited for, before connecting, before sending: nothing has left, and nothing is tried again."""
    for in_time in range(3):
        line = connected(server.url, iter([*[0.0] * in_time, *[9.0] * 5]).__next__)

        assert OVER == line.transmit(asked(deadline=5.0))
    assert [] == server.seen


def test_a_connection_that_was_not_needed_any_more_is_kept(server: Any) -> None:
    """Its time was over before a byte was sent: it is as good as new."""
    line = connected(server.url, iter([0.0, 0.0, *[9.0] * 2, *[9.0] * 20]).__next__)
    late = line.transmit(asked(deadline=5.0))
    line.transmit(asked())
    line.close()

    assert OVER == late
    assert 1 == server.connections


def test_closing_closes_what_is_idle_and_what_becomes_idle(server: Any) -> None:
    """A client that is closed while a request is under way leaves nothing open when that ends."""
    line = connected(server.url)

    def closing(conn: socket.socket, seen: Any) -> bool:
        line.close()
        return bool(server.answer(200, b"{}")(conn, seen))

    line.transmit(asked())
    used = line._idle[0][0]
    server.script = [closing]
    answer = line.transmit(asked())
    idle = connected(server.url)
    idle.transmit(asked())
    unused = idle._idle[0][0]
    idle.close()

    assert Answer(200, b"{}") == answer
    assert ([], -1) == (line._idle, used.fileno())
    assert ([], -1) == (idle._idle, unused.fileno())
