"""The blocking client, and what both clients are made from."""

from __future__ import annotations

import math
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TypeVar

from dojang.bootpay.account import Account, Address
from dojang.bootpay.answers import result_of
from dojang.bootpay.binding import Blocking
from dojang.bootpay.call import Answer, Call
from dojang.bootpay.conversation import BearerToken, Line, NeedToken, Pause, Reply, Transmit, conversation
from dojang.bootpay.endpoints import Endpoints
from dojang.bootpay.endpoints.tokens import Token, request_token
from dojang.bootpay.tokens import kept_token, token_call, without_token
from dojang.errors import BootpayError, ConfigError, InvalidValue, NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    from dojang.bootpay.generation1 import BlockingV1

__all__ = ["PRODUCTION", "Bootpay", "line_of"]

T = TypeVar("T")

PRODUCTION = "https://api.bootpay.co.kr"
"""Bootpay's one address for shops; test payments are made with other keys, not with another address."""

# Since 5.0.0 webhooks carry a `webhook_type`. The headers BOOTPAY-SDK-VERSION and BOOTPAY-SDK-TYPE are left out: they
# name Bootpay's own libraries, and this is none of them.
_API_VERSION = "5.1.0"


def line_of(
    *,
    client_key: str | None,
    secret_key: str | None,
    application_id: str | None,
    private_key: str | None,
    url: str,
    connect_timeout_s: float,
    read_timeout_s: float,
    retries: int,
    max_response_bytes: int,
    pool_size: int,
    clock: Callable[[], float],
    jitter: Callable[[], float],
) -> Line:
    """Judge a client's settings.

    Raises:
        ConfigError: One of them cannot be; the sentence names it.
    """
    for name, seconds in (("connect_timeout_s", connect_timeout_s), ("read_timeout_s", read_timeout_s)):
        _check_seconds(name, seconds)
    for name, number, least in (
        ("retries", retries, 0),
        ("max_response_bytes", max_response_bytes, 1),
        ("pool_size", pool_size, 1),
    ):
        _check_whole(name, number, least)
    account = Account.of(
        client_key=client_key, secret_key=secret_key, application_id=application_id, private_key=private_key
    )
    return Line(
        account=account,
        address=Address.of(url),
        headers={
            "Accept": "application/json",
            # Bodies are small, and an unpacked one could grow past max_response_bytes.
            "Accept-Encoding": "identity",
            "User-Agent": f"dojang/{_version()}",
            "BOOTPAY-API-VERSION": _API_VERSION,
        },
        connect_timeout_s=connect_timeout_s,
        read_timeout_s=read_timeout_s,
        retries=retries,
        max_response_bytes=max_response_bytes,
        pool_size=pool_size,
        clock=clock,
        jitter=jitter,
    )


class Bootpay(Endpoints, Blocking):
    """Bootpay's server API, blocking. One client serves many threads; make one and keep it.

    Args:
        client_key: Of the current pair (Basic). Wins over the legacy pair where both are given.
        secret_key: Of the current pair.
        application_id: Of the legacy pair (token): the REST application id. Generation 1 needs it, and so do
            endpoints of generation 2 that refuse Basic keys.
        private_key: Of the legacy pair.
        url: Bootpay's address without `/v2`; https, or http on this machine.
        connect_timeout_s: At most this long for a connection.
        read_timeout_s: At most this long from sending to the end of the answer.
        retries: How often a call that changes nothing is repeated; others never are.
        max_response_bytes: A longer answer is not read to its end.
        pool_size: At most so many connections at once.
        ca_certs: A file of certificates to trust instead of the system's.
        clock: Monotonic seconds.
        sleep: Waits before a repeat.
        jitter: A number from 0 to 1 for each repeat.

    Raises:
        ConfigError: A setting cannot be, half a pair of credentials included. Nothing is sent.
    """

    def __init__(
        self,
        *,
        client_key: str | None = None,
        secret_key: str | None = None,
        application_id: str | None = None,
        private_key: str | None = None,
        url: str = PRODUCTION,
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 15.0,
        retries: int = 2,
        max_response_bytes: int = 1 << 20,
        pool_size: int = 32,
        ca_certs: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._line = line_of(
            client_key=client_key,
            secret_key=secret_key,
            application_id=application_id,
            private_key=private_key,
            url=url,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            retries=retries,
            max_response_bytes=max_response_bytes,
            pool_size=pool_size,
            clock=clock,
            jitter=jitter,
        )
        # Importing this module reads nothing of TLS; making a client does.
        from dojang.bootpay.over_sockets import Connections

        self._connections = Connections(
            self._line.address,
            pool_size=pool_size,
            max_response_bytes=max_response_bytes,
            ca_certs=ca_certs,
            clock=clock,
        )
        self._sleep = sleep
        self._desk = _TokenDesk()
        self._deadline: float | None = None
        self._view = False

    def send(self, call: Call[T]) -> T:
        """Send one call and return its typed result.

        Raises:
            NotSent: It never reached Bootpay: repeating is safe.
            OutcomeUnknown: It may have, and no usable answer came back: look before repeating.
            Refused: Bootpay said no.
        """
        answer = self.exchange(call)
        return result_of(call, answer, token_possible=self._line.account.can_buy_tokens)

    def exchange(self, call: Call[object]) -> Answer:
        """Send one call and return the answer unjudged, whatever its status.

        Raises:
            NotSent: It never reached Bootpay.
            OutcomeUnknown: It may have, and no answer came back.
        """
        return self._carry(call, self._deadline)

    def request_token(self) -> Token:
        """Buy an access token of generation 2 with the legacy pair. Calls do this by themselves when they need one.

        Raises:
            ConfigError: There is no legacy pair.
        """
        account = self._line.account
        if account.application_id is None or account.private_key is None:
            raise ConfigError("a token is bought with application_id and private_key: give both")
        return self.send(
            request_token(application_id=account.application_id, private_key=account.private_key)
        )

    def within(self, seconds: float) -> Self:
        """The same client for calls that must all be over within `seconds` from now.

        Waiting, repeating and token calls included. The view is cheap and shares every connection; closing it
        closes nothing.
        """
        return self.until(self._line.clock() + seconds)

    def until(self, deadline: float) -> Self:
        """The same client for calls that must all be over at `deadline` on the monotonic clock."""
        if math.isnan(deadline):
            raise InvalidValue("a deadline must be a number of seconds")
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._deadline = deadline if self._deadline is None else min(deadline, self._deadline)
        view._view = True
        return view

    @property
    def v1(self) -> BlockingV1:
        """The first generation of the API, over the same connections. It needs the legacy pair."""
        from dojang.bootpay.generation1 import BlockingV1

        return BlockingV1(self)

    def close(self) -> None:
        """Close the connections."""
        if not self._view:
            self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self._line.address.origin!r}, account={self._line.account!r})"

    def _carry(self, call: Call[object], deadline: float | None) -> Answer:
        talk = conversation(self._line, call, deadline)
        step = next(talk)
        try:
            while True:
                reply: Reply
                if isinstance(step, Transmit):
                    reply = self._connections.transmit(step)
                elif isinstance(step, Pause):
                    self._sleep(step.seconds)
                    reply = None
                else:
                    reply = self._token(step, deadline)
                step = talk.send(reply)
        except StopIteration as done:
            answer: Answer = done.value
            return answer

    def _token(self, need: NeedToken, deadline: float | None) -> BearerToken:
        def buy() -> BearerToken:
            call = token_call(self._line, need.generation)
            try:
                return kept_token(self._line, call, self._carry(call, deadline))
            except OutcomeUnknown as error:
                raise without_token(error) from None

        return self._desk.token(self._line, need, deadline, buy)


class _TokenDesk:
    """Threads that need a token queue here: one buys, the others wait for what it gets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buying: dict[int, Future[BearerToken | None]] = {}

    def token(
        self, line: Line, need: NeedToken, deadline: float | None, buy: Callable[[], BearerToken]
    ) -> BearerToken:
        # Here rather than on top: with the project's key pair no token is ever bought.
        from concurrent.futures import Future

        while True:
            with self._lock:
                token = line.fresh_token(need.generation, need.stale)
                if token is not None:
                    return token
                bought = self._buying.get(need.generation)
                if bought is None:
                    mine: Future[BearerToken | None] = Future()
                    self._buying[need.generation] = mine
            if bought is None:
                return self._buy(line, need, deadline, buy, mine)
            patience = None if deadline is None else max(0.0, deadline - line.clock())
            try:
                token = bought.result(patience)
            except TimeoutError:
                raise NotSent("the deadline is over while a token is awaited; nothing was sent") from None
            if token is not None:
                return token
            # The buyer ran out of its own time, which says nothing about ours: ask again.

    def _buy(
        self,
        line: Line,
        need: NeedToken,
        deadline: float | None,
        buy: Callable[[], BearerToken],
        mine: Future[BearerToken | None],
    ) -> BearerToken:
        try:
            token = buy()
        except BaseException as error:
            self._done(need)
            hurried = deadline is not None and line.clock() >= deadline
            if isinstance(error, BootpayError | ConfigError) and not hurried:
                mine.set_exception(error)
            else:
                mine.set_result(None)
            raise
        self._done(need)
        mine.set_result(token)
        return token

    def _done(self, need: NeedToken) -> None:
        with self._lock:
            del self._buying[need.generation]


def _check_seconds(name: str, seconds: object) -> None:
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 < seconds < float("inf"):  # type: ignore[operator]  # a number, by the line above
        raise ConfigError(f"{name} must be a number of seconds above 0")


def _check_whole(name: str, number: object, least: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ConfigError(f"{name} must be a whole number from {least}")


def _version() -> str:
    # Looked up, not imported: the package's front door may import this room, never the other way round.
    version: str = sys.modules["dojang"].__version__
    return version
