"""The asyncio client: the blocking one's conversation, carried by a session of an event loop."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Self, TypeVar

from dojang.bootpay.answers import result_of
from dojang.bootpay.binding import Awaiting
from dojang.bootpay.call import Answer, Call
from dojang.bootpay.client import PRODUCTION, line_of
from dojang.bootpay.conversation import BearerToken, NeedToken, Pause, Reply, Transmit, conversation
from dojang.bootpay.endpoints import Endpoints
from dojang.bootpay.endpoints.tokens import Token, request_token
from dojang.bootpay.over_asyncio import Session
from dojang.bootpay.tokens import kept_token, token_call, without_token
from dojang.errors import ConfigError, InvalidValue, NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from types import TracebackType

    from dojang.bootpay.generation1 import AwaitingV1

__all__ = ["AsyncBootpay"]

T = TypeVar("T")


class AsyncBootpay(Endpoints, Awaiting):
    """Bootpay's server API for asyncio: the same methods as `Bootpay`, each to be awaited.

    One client serves all tasks of one event loop; make one and keep it. The arguments are those of `Bootpay`;
    `sleep` is awaited.
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
        pool_size: int = 100,
        ca_certs: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
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
        self._session = Session(
            self._line.address,
            pool_size=pool_size,
            max_response_bytes=max_response_bytes,
            ca_certs=ca_certs,
            clock=clock,
        )
        self._sleep = sleep
        self._buying: dict[int, asyncio.Task[BearerToken]] = {}
        self._deadline: float | None = None
        self._view = False

    async def send(self, call: Call[T]) -> T:
        """Send one call and return its typed result.

        Raises:
            NotSent: It never reached Bootpay: repeating is safe.
            OutcomeUnknown: It may have, and no usable answer came back: look before repeating.
            Refused: Bootpay said no.
        """
        answer = await self.exchange(call)
        return result_of(call, answer, token_possible=self._line.account.can_buy_tokens)

    async def exchange(self, call: Call[object]) -> Answer:
        """Send one call and return the answer unjudged, whatever its status.

        Raises:
            NotSent: It never reached Bootpay.
            OutcomeUnknown: It may have, and no answer came back.
        """
        return await self._carry(call, self._deadline)

    async def request_token(self) -> Token:
        """Buy an access token of generation 2 with the legacy pair. Calls do this by themselves when they need one.

        Raises:
            ConfigError: There is no legacy pair.
        """
        account = self._line.account
        if account.application_id is None or account.private_key is None:
            raise ConfigError("a token is bought with application_id and private_key: give both")
        return await self.send(
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
    def v1(self) -> AwaitingV1:
        """The first generation of the API, over the same connections. It needs the legacy pair."""
        from dojang.bootpay.generation1 import AwaitingV1

        return AwaitingV1(self)

    async def close(self) -> None:
        """Close the connections."""
        if self._view:
            return
        for task in self._buying.values():
            task.cancel()
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self._line.address.origin!r}, account={self._line.account!r})"

    async def _carry(self, call: Call[object], deadline: float | None) -> Answer:
        talk = conversation(self._line, call, deadline)
        step = next(talk)
        try:
            while True:
                reply: Reply
                if isinstance(step, Transmit):
                    reply = await self._session.transmit(step)
                elif isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    reply = None
                else:
                    reply = await self._token(step, deadline)
                step = talk.send(reply)
        except StopIteration as done:
            answer: Answer = done.value
            return answer

    async def _token(self, need: NeedToken, deadline: float | None) -> BearerToken:
        """One task buys, everybody waits for it: each to their own deadline, and none can cancel it for the others."""
        token = self._line.fresh_token(need.generation, need.stale)
        if token is not None:
            return token
        task = self._buying.get(need.generation)
        if task is None:
            task = asyncio.ensure_future(self._buy(need.generation))
            self._buying[need.generation] = task
            task.add_done_callback(_seen)
        patience = None if deadline is None else max(0.0, deadline - self._line.clock())
        done, _ = await asyncio.wait({task}, timeout=patience)
        if not done:
            raise NotSent("the deadline is over while a token is awaited; nothing was sent")
        return task.result()

    async def _buy(self, generation: int) -> BearerToken:
        try:
            call = token_call(self._line, generation)
            return kept_token(self._line, call, await self._carry(call, None))
        except OutcomeUnknown as error:
            raise without_token(error) from None
        finally:
            del self._buying[generation]


def _seen(task: asyncio.Task[BearerToken]) -> None:
    """Take note of a failure that nobody waits for any more; those who wait get it from the task itself."""
    if not task.cancelled():
        task.exception()
