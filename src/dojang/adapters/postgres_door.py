"""How dojang knocks at a PostgreSQL server: what a connection must be like, and what a refusal means.

The password is never repeated: not libpq's words about an address it cannot read (they quote parts of it), nor
anything else that holds it.
"""

from __future__ import annotations

import re
import select
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import ConnStatus
from psycopg.rows import TupleRow

from dojang.errors import ConfigError, DojangError, StoreUnavailable

if TYPE_CHECKING:
    from psycopg.abc import PQGen

__all__ = ["ANSWER_SHARE", "ImpatientConnection", "connection_settings", "is_there", "refusal", "words"]

T = TypeVar("T")

_CONNECT_WITHIN_S = 3
# A machine that vanished without a word is noticed within about this time.
_SILENCE_MAX_S = 15
# Of the patience. The server gives a statement up before we stop listening: what it says leaves nothing in doubt.
_LOCK_SHARE, _STATEMENT_SHARE, ANSWER_SHARE = 0.6, 0.7, 0.8
# libpq's own words for a server that may be there later; a refusal is in the server's words, in its language.
_NOT_THERE = re.compile(
    r"Connection refused|timeout expired|timed out|No route to host|Network is unreachable|No such file or directory"
    r"|server closed the connection|starting up|shutting down|in recovery mode|too many clients|connection slots"
    r"|session is read-only|is in hot standby",
)
_VALUES_INSIDE = ("22", "23")


def connection_settings(conninfo: str, patience_s: float) -> dict[str, str | int]:
    """Everything a connection is made with: what the address says, and what we need where it says nothing.

    Raises:
        ConfigError: If the address cannot be read.
    """
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    except psycopg.Error:
        given = {}
    # An @ or a / that should have been encoded puts a part of the password where the host, port or database is.
    misread = any(letter in given.get(part, "") for part in ("host", "dbname") for letter in "@?#")
    if not given or misread or not re.fullmatch(r"[\d,]*", given.get("port", "")):
        raise ConfigError(
            "DOJANG_STORE is no PostgreSQL address: write postgresql://user:password@host:5432/database, with "
            "special characters of the password percent-encoded (@ is %40, / is %2F, # is %23, ? is %3F)."
        )
    ours = {
        "statement_timeout": f"{patience_s * _STATEMENT_SHARE * 1000:.0f}",
        "lock_timeout": f"{patience_s * _LOCK_SHARE * 1000:.0f}",
        # One statement is one transaction; the row locks and re-checks are written for this level.
        "default_transaction_isolation": r"read\ committed",
        "synchronous_commit": "on",
    }
    options = " ".join(f"-c {key}={value}" for key, value in ours.items())
    return {
        "connect_timeout": _CONNECT_WITHIN_S,
        "application_name": "dojang",
        "keepalives_idle": _SILENCE_MAX_S,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": _SILENCE_MAX_S * 1000,
        # Of several hosts the one that takes writes.
        "target_session_attrs": "read-write",
        **given,
        "client_encoding": "UTF8",
        "options": f"{options} {given.get('options', '')}".strip(),
    }


class ImpatientConnection(psycopg.Connection[TupleRow]):
    """A connection that hangs up on a server that says nothing.

    libpq waits for an answer for ever, and a stopped process still confirms every packet: keepalives and
    `tcp_user_timeout` notice a machine that is gone, not a server that hangs.

    Attributes:
        answer_by: Until when an answer is waited for, in monotonic seconds; for ever at first.
    """

    answer_by = float("inf")

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:  # its releases take different ones
        """See `psycopg.Connection.wait`; what was asked is in doubt once this has hung up."""
        return super().wait(self._heard(gen), *args, **kwargs)

    def _heard(self, gen: PQGen[T]) -> PQGen[T]:
        try:
            wants = next(gen)
            while True:
                ready = yield wants
                # psycopg looks up ten times a second while nothing comes.
                if not ready and time.monotonic() >= self.answer_by:
                    self.close()
                    raise psycopg.OperationalError("the server did not answer in time")
                wants = gen.send(ready)
        except StopIteration as heard:
            answer: T = heard.value
            return answer


def is_there(db: psycopg.Connection[TupleRow]) -> bool:
    """Whether the server has not hung up, told by the socket alone: no round trip.

    A server that ends a connection first says why and then closes: what can be read is read until one or the
    other is known.
    """
    pgconn = db.pgconn
    try:
        while pgconn.status == ConnStatus.OK and _readable(pgconn.socket):
            pgconn.consume_input()
    except (psycopg.Error, OSError):
        return False
    return pgconn.status == ConnStatus.OK


def _readable(socket: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def refusal(error: psycopg.Error, settings: Mapping[str, str | int]) -> DojangError:
    """What it means that no connection could be made."""
    said = words(error)
    password = str(settings.get("password", ""))
    if len(password) > 2:
        said = said.replace(password, "***")
    if isinstance(error, psycopg.errors.ConnectionTimeout) or _NOT_THERE.search(said):
        return StoreUnavailable(f"PostgreSQL cannot be reached: {said}")
    return ConfigError(f"DOJANG_STORE: PostgreSQL cannot be used: {said}")


def words(error: psycopg.Error) -> str:
    """What PostgreSQL said, on one line and without any stored value."""
    kind = f"{type(error).__name__} {error.sqlstate}" if error.sqlstate else type(error).__name__
    if error.sqlstate and error.sqlstate.startswith(_VALUES_INSIDE):
        return kind
    said = error.diag.message_primary or next(iter(str(error).splitlines()), "")
    return f"{said} ({kind})"
