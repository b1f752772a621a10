"""How one call is carried through: credentials, repeats, deadline. No I/O happens here.

A conversation is a generator. It yields what it wants done (`Transmit`, `Pause`, `NeedToken`), a client does it its own
way, blocking or asyncio, and sends back what came of it. So there is one place that decides what may be repeated.

Rule 1: a call that may change something is transmitted once. The one exception is an answer that refuses exactly the
    credentials: then nothing was carried out, and it is sent once more with better ones.
Rule 2: a call that changes nothing is repeated after transport faults and 5xx, with jittered back-off.
Rule 3: nothing is sent, repeated or waited for past the deadline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import msgspec

from dojang.bootpay.account import Account, Address
from dojang.bootpay.answers import credentials_refused, named_error
from dojang.bootpay.call import Answer, Auth, Call, Encoding
from dojang.bootpay.error_table import leaves_outcome_unknown
from dojang.errors import BootpayError, InvalidValue, NotSent, OutcomeUnknown

__all__ = ["Conversation", "Fault", "Line", "NeedToken", "Pause", "Transmit", "conversation"]

_PAUSE_FIRST_S = 0.2
_PAUSE_MAX_S = 3.0
_TOKEN = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_TARGET = re.compile(r"/[\x21\x24-\x7e]*", re.ASCII)  # printable, no blank, no quote, no fragment
_encoder = msgspec.json.Encoder(decimal_format="number")


class _Unshown(msgspec.Struct, frozen=True):
    """A value that may hold keys, tokens or a buyer: whoever prints it sees its kind alone.

    Structs rather than dataclasses, here and below: they are made ten times as fast, and a cold function waits for it.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class BearerToken(_Unshown, frozen=True):
    """A token in use, and when (on the client's clock) it is time for the next."""

    value: str
    renew_at: float


class Transmit(_Unshown, frozen=True):
    """Put one request on the wire; answer with an `Answer` or a `Fault`.

    Attributes:
        method: HTTP method.
        target: Path and query.
        headers: All but Host and Content-Length.
        body: Encoded, None for none.
        connect_s: At most this long to get a connection.
        read_s: At most this long from sending to the end of the answer.
        deadline: On the client's clock, nothing lasts longer; None for no deadline.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None
    connect_s: float
    read_s: float
    deadline: float | None


class Pause(msgspec.Struct, frozen=True):
    """Wait before a repeat."""

    seconds: float


class NeedToken(_Unshown, frozen=True):
    """Get a token other than `stale`; answer with a `BearerToken`."""

    generation: int
    stale: str | None


class Fault(msgspec.Struct, frozen=True):
    """No answer.

    Attributes:
        left: Whether anything may have reached Bootpay.
        words: What happened, without addresses, ids or bodies.
        final: Whether repeating is pointless even for a read.
    """

    left: bool
    words: str
    final: bool = False


class Line(msgspec.Struct):
    """All that the calls of one client share."""

    account: Account
    address: Address
    headers: dict[str, str]
    connect_timeout_s: float
    read_timeout_s: float
    retries: int
    max_response_bytes: int
    pool_size: int
    clock: Callable[[], float]
    jitter: Callable[[], float]
    tokens: dict[int, BearerToken] = msgspec.field(default_factory=dict)
    bearer_only: set[str] = msgspec.field(default_factory=set)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

    def fresh_token(self, generation: int, stale: str | None) -> BearerToken | None:
        """The token in use, unless it is due for renewal or the very one that was just refused."""
        token = self.tokens.get(generation)
        if token is None or token.value == stale or self.clock() >= token.renew_at:
            return None
        return token


Step: TypeAlias = Transmit | Pause | NeedToken
Reply: TypeAlias = Answer | Fault | BearerToken | None
Conversation: TypeAlias = Generator[Step, Reply, Answer]
"""What a client drives: it is told each reply, says what to do next, and ends in the answer."""


def conversation(line: Line, call: Call[object], deadline: float | None) -> Conversation:
    """Carry one call through to an answer, whatever its status.

    Raises:
        NotSent: Nothing reached Bootpay.
        OutcomeUnknown: Something may have, and no answer came back.
    """
    target, headers, body = _encoded(line, call)
    if call.auth is Auth.NONE:
        return (yield from _transmissions(line, call, deadline, target, headers, body))

    # Generation 1 knows tokens only. In generation 2 Basic wins, except where it is known to be refused.
    bearer = call.generation == 1 or line.account.basic is None or call.label in line.bearer_only
    fell_back = False
    stale: str | None = None
    while True:
        token: BearerToken | None = None
        if bearer:
            token = line.fresh_token(call.generation, stale)
            if token is None:
                bought = yield NeedToken(call.generation, stale)
                assert isinstance(bought, BearerToken)
                token = bought
            headers["Authorization"] = token.value if call.generation == 1 else f"Bearer {token.value}"
        else:
            assert line.account.basic is not None
            headers["Authorization"] = line.account.basic
        answer = yield from _transmissions(line, call, deadline, target, headers, body)
        if not credentials_refused(call, answer):
            if fell_back:
                line.bearer_only.add(call.label)
            return answer
        if token is None:
            # Not every endpoint takes Basic keys (api.md §3.3): ask as the legacy pair, if there is one.
            if not line.account.can_buy_tokens:
                return answer
            bearer = fell_back = True
        elif stale is not None:
            return answer  # renewed once already
        else:
            stale = token.value


def _transmissions(
    line: Line,
    call: Call[object],
    deadline: float | None,
    target: str,
    headers: dict[str, str],
    body: bytes | None,
) -> Conversation:
    tries = 1 + line.retries if call.may_repeat else 1
    left = False
    reply: Answer | Fault
    for attempt in range(tries):
        if deadline is not None and line.clock() >= deadline:
            raise _out_of_time(call, left=left)
        got = yield Transmit(
            call.method, target, headers, body, line.connect_timeout_s, line.read_timeout_s, deadline
        )
        assert isinstance(got, Answer | Fault)
        reply = got
        if isinstance(reply, Answer):
            if reply.status < 500 or _says_critical(call, reply):
                return reply
        else:
            left = left or reply.left
        pause = min(_PAUSE_MAX_S, _PAUSE_FIRST_S * 2**attempt) * (0.5 + line.jitter() / 2)
        last = attempt + 1 == tries or (isinstance(reply, Fault) and reply.final)
        if last or (deadline is not None and line.clock() + pause >= deadline):
            break
        yield Pause(pause)
    if isinstance(reply, Answer):
        return reply
    raise _failure(call, reply, left=left)


def _failure(call: Call[object], fault: Fault, *, left: bool) -> BootpayError:
    if not left:
        return NotSent(f"{call.label}: {fault.words}; nothing was sent")
    if call.may_repeat:
        return OutcomeUnknown(f"{call.label}: {fault.words}. Nothing was changed by asking: ask again.")
    return OutcomeUnknown(
        f"{call.label}: {fault.words}. It may have been carried out: look it up before repeating."
    )


def _out_of_time(call: Call[object], *, left: bool) -> BootpayError:
    return _failure(call, Fault(left, "the deadline is over"), left=left)


def _says_critical(call: Call[object], answer: Answer) -> bool:
    if b"CRITICAL" not in answer.body:
        return False
    error = named_error(call, answer.body)
    return error is not None and leaves_outcome_unknown(error.code)


def _encoded(line: Line, call: Call[object]) -> tuple[str, dict[str, str], bytes | None]:
    """Path and query, headers and body of a call; whatever cannot travel is refused here."""
    headers = line.headers.copy()
    if call.generation == 1:
        headers.pop("BOOTPAY-API-VERSION", None)
    target = line.address.path(call.generation, call.path)
    try:
        if call.query:
            target += "?" + urlencode(call.query, quote_via=quote, safe="")
        body: bytes | None = None
        if call.body is not None:
            if call.encoding is Encoding.JSON:
                body = _encoder.encode(call.body)
                headers["Content-Type"] = "application/json"
            else:
                fields = {name: value for name, value in call.body.items() if value is not None}
                body = urlencode(fields, doseq=True).encode("ascii")
                headers["Content-Type"] = "application/x-www-form-urlencoded"
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        # Not chained: the original message may quote the value.
        raise InvalidValue(f"{call.label}: an argument cannot be written as {call.encoding.value}") from None
    for name, value in (call.headers or {}).items():
        if not _TOKEN.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise InvalidValue(f"{call.label}: a header must be printable ASCII")
        headers[name] = value
    # The last check before the wire: nothing in here may end a line or begin another header.
    if not _TOKEN.fullmatch(call.method) or not _TARGET.fullmatch(target):
        raise InvalidValue(f"{call.label}: the path must be quoted")
    return target, headers, body
