"""What is repeated until the deadline, and what an answer means for whoever asked.

Every request of this store may be repeated: it carries a condition or a token by which a repeat is recognised. So no
outcome stays unknown for longer than DynamoDB stays silent, and `ClientRequestToken`, which holds for ten minutes
only, is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dojang.adapters.dynamodb.table import Answer, Item, Reason, Request, Table, TableRefused, TableSilent
from dojang.errors import StoreUnavailable

__all__ = ["BUSY", "CURES", "Cancelled", "ConditionFailed", "Patience"]

_PAUSE_S = 0.02
_PAUSE_MAX_S = 0.6
BUSY = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""Nothing was carried out, and the very same request may succeed in a moment."""
_BUSY_PARTS = frozenset(
    {
        "None",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)
_WRITES = frozenset({"PutItem", "TransactWriteItems", "UpdateItem"})
_NO_KEYS = (
    "no AWS credentials could be had: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE), or "
    "give this machine a role"
)
CURES = {
    "AccessDeniedException": "these AWS credentials may not do this: see `dojang template policy`",
    "CredentialsUnavailable": _NO_KEYS,
    "ExpiredTokenException": "the AWS credentials have run out",
    "InvalidSignatureException": "the AWS credentials or this machine's clock are wrong",
    "MissingAuthenticationTokenException": _NO_KEYS,
    "ResourceNotFoundException": "there is no such table in this region, or it lacks an index: run `dojang migrate`",
    "UnrecognizedClientException": "the AWS credentials are wrong",
}
"""What a person can do about a refusal that no repeat will change, by its code."""


class ConditionFailed(Exception):
    """The item is not as the request wanted it.

    Attributes:
        item: What is there, if it was asked for and there is something.
        doubtful: Whether an earlier attempt of the same request may have been carried out.
    """

    def __init__(self, item: Item | None, *, doubtful: bool) -> None:
        super().__init__()
        self.item = item
        self.doubtful = doubtful


class Cancelled(Exception):
    """A transaction was not carried out because of somebody else's.

    Attributes:
        reasons: One per part, in their order; at least one is a failed condition.
        doubtful: Whether an earlier attempt of the same transaction may have been carried out.
    """

    def __init__(self, reasons: Sequence[Reason], *, doubtful: bool) -> None:
        super().__init__()
        self.reasons = reasons
        self.doubtful = doubtful

    @property
    def failed(self) -> list[int]:
        """Which parts' conditions failed."""
        return [at for at, reason in enumerate(self.reasons) if reason.code == "ConditionalCheckFailed"]


class _Deadline(NamedTuple):
    """When patience ends, and how long it is."""

    until: float
    within_s: float


class Patience:
    """Asks a table until there is an answer or the deadline is over.

    Args:
        table: Whom to ask.
        within_s: How long one request may take, all repeats included.
        clock: Monotonic seconds.
        pause: Waits.
        spread: A random number in [0, 1), so that those who met do not meet again.
        left_s: How many seconds there are at most, now, for a request that writes (with False: reads).
    """

    def __init__(
        self,
        table: Table,
        within_s: float,
        clock: Callable[[], float],
        pause: Callable[[float], object],
        spread: Callable[[], float],
        left_s: Callable[[bool], float] | None = None,
    ) -> None:
        self._table = table
        self._within_s = within_s
        self._clock = clock
        self._pause = pause
        self._spread = spread
        self._left_s = left_s

    def ask(self, operation: str, request: Request) -> Answer:
        """Ask and repeat.

        Raises:
            ConditionFailed: A condition of a single write does not hold.
            Cancelled: A condition of a transaction does not hold.
            StoreUnavailable: No answer in time, or one that no repeat will change.
        """
        return self._ask(operation, request, self._deadline(writes=operation in _WRITES))

    def _ask(self, operation: str, request: Request, deadline: _Deadline) -> Answer:
        attempts, doubtful = 0, False
        while True:
            try:
                return self._table.call(operation, request, deadline.until - self._clock())
            except TableSilent as silent:
                words, doubtful = str(silent), True
            except TableRefused as refused:
                words = self._judge(operation, refused, doubtful=doubtful)
                doubtful = doubtful or refused.http_status >= 500
            attempts += 1
            self._wait(attempts, deadline, words)

    def all_of(self, table: str, keys: Sequence[Item]) -> list[Item]:
        """The items under these keys, as they are now, in any order; what is not there is left out.

        Raises:
            StoreUnavailable: Not all of them could be had in time.
        """
        found: list[Item] = []
        left = list(keys)
        deadline = self._deadline(writes=False)
        attempts = 0
        while left:
            batch, left = left[:100], left[100:]
            request = {"RequestItems": {table: {"Keys": batch, "ConsistentRead": True}}}
            answer = self._ask("BatchGetItem", request, deadline)
            found += answer.responses.get(table, [])
            if table in answer.unprocessed_keys:
                left += answer.unprocessed_keys[table].keys
                attempts += 1
                self._wait(attempts, deadline, "throttled")
        return found

    def _judge(self, operation: str, refused: TableRefused, *, doubtful: bool) -> str:
        """Why it is worth another attempt; raises if it is not."""
        code = refused.code
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed(refused.item, doubtful=doubtful) from None
        if code == "TransactionCanceledException":
            codes = {reason.code for reason in refused.reasons}
            if "ConditionalCheckFailed" in codes:
                raise Cancelled(refused.reasons, doubtful=doubtful) from None
            if codes - {"None"} and codes <= _BUSY_PARTS:
                return ", ".join(sorted(codes - {"None"}))
            said = {
                f"{one.code}: {_plain(one.message or '')}" for one in refused.reasons if one.code != "None"
            }
            raise StoreUnavailable(f"DynamoDB refused: {code} ({', '.join(sorted(said))})") from None
        if code in BUSY or refused.http_status >= 500:
            return code
        cure = CURES.get(code) or _plain(refused.words)
        raise StoreUnavailable(f"DynamoDB refused {operation}: {code} ({cure})") from None

    def _deadline(self, *, writes: bool) -> _Deadline:
        within_s = self._within_s if self._left_s is None else min(self._within_s, self._left_s(writes))
        return _Deadline(self._clock() + within_s, within_s)

    def _wait(self, attempts: int, deadline: _Deadline, words: str) -> None:
        pause_s = self._spread() * min(_PAUSE_MAX_S, _PAUSE_S * 2**attempts)
        if self._clock() + pause_s >= deadline.until:
            raise StoreUnavailable(
                f"DynamoDB is not available: {words}, {attempts} attempts in {deadline.within_s:.3g} s"
            ) from None
        self._pause(pause_s)


def _plain(words: str) -> str:
    """DynamoDB's words about our own mistake, without what might be a value."""
    return words.partition(":")[0][:200] or "no words"
