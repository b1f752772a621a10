"""One invocation: an event becomes a value, a use case is driven to its end, what came of it is answered and told."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from typing import Protocol, TextIO, assert_never

import msgspec

from dojang.drive import run
from dojang.entry.aws.actions import WORK, answered, refused, request_of
from dojang.entry.aws.answers import answer_of
from dojang.entry.aws.events import Asked, Call, Changed, Event, Scheduled, read_event
from dojang.entry.aws.keeping import Keeper, Open
from dojang.entry.aws.telling import Telling
from dojang.entry.aws.work import KEEP_S, Done, check, hand_over
from dojang.errors import ConfigError, InvalidValue, StoreError
from dojang.web.http import Request, Response
from dojang.web.metrics import Counter
from dojang.web.problems import OUT_OF_TIME, Code, problem, trace_of
from dojang.web.source import Networks

__all__ = ["Context", "Function"]

log = logging.getLogger("dojang.entry")

# For writing the answer, the log and the metrics, and for Lambda to take them away.
_MARGIN_S = 1.0
_MARGIN_OF_SHORT = 0.2
# Less than this and no payment can ever be approved; told once, because it is a setting of the function.
_TIMEOUT_WANTED_S = 8.0
# Of the time of a run that also hands over: what is owed is not kept waiting by ever so much to look at.
_CHECK_SHARE = 0.6
# Bootpay hangs up after five seconds and sends again: what takes longer is finished later, by whoever reconciles.
_WEBHOOK_S = 4.0
_WEBHOOKS = "/webhooks/"
_WITHOUT_CONTEXT_S = 10.0
_PATH_MAX = 200


class Context(Protocol):
    """What we use of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is killed."""
        ...


class _Words(msgspec.Struct):
    """What an answer of ours says of itself, for the log."""

    order_id: str | None = None
    receipt_id: str | None = None
    state: str | None = None
    code: str | None = None
    outcome: str | None = None


class Function:
    """The Lambda function; one object serves all invocations of its process.

    Args:
        environment: `os.environ` unless a test brings its own.
        out: Where log and metrics go; stdout by default.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, *, out: TextIO | None = None) -> None:
        given = os.environ if environment is None else environment
        self._keeper = Keeper(environment)
        self._telling = Telling(
            out,
            level=given.get("AWS_LAMBDA_LOG_LEVEL", ""),
            function=given.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        )
        self._warned = False
        self._warned_of_nobody = False
        self.forget = self._keeper.forget
        self.prepare = self._keeper.prepare

    def __call__(self, event: object, context: object) -> object:
        """Serve one invocation.

        Raises:
            InvalidValue: If the event is none that dojang knows.
            ConfigError: If a setting is wrong and nobody waits for an HTTP answer.
            StoreError: The same if the store cannot be used, so that the platform tries again.
        """
        began = time.monotonic()
        left_s = self._left_s(context)
        with self._telling.about(str(getattr(context, "aws_request_id", ""))):
            try:
                return self._serve(event, left_s, began)
            except (InvalidValue, ConfigError, StoreError) as error:
                # The platform prints what is raised, with every frame of its traceback: the sentence is all there is.
                log.error("%s", error)  # noqa: TRY400 - see above
                raise error.with_traceback(None) from None
            except Exception as error:  # noqa: BLE001 - the last line before the platform, which would print it all
                log.error("the invocation failed: %s", trace_of(error))  # noqa: TRY400 - see trace_of
                raise RuntimeError("dojang made a mistake; its log says where") from None

    def _left_s(self, context: object) -> float:
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        total_s = remaining() / 1000 if callable(remaining) else _WITHOUT_CONTEXT_S
        return float(total_s - min(_MARGIN_S, total_s * _MARGIN_OF_SHORT))

    def _serve(self, event: object, left_s: float, began: float) -> object:
        until = began + left_s
        self._warn_of_short_timeout(left_s)
        try:
            opened: Open | None = self._keeper.ready()
            failed: Exception | None = None
        except Exception as error:  # noqa: BLE001 - answered, told and tried anew by the next invocation
            opened, failed = None, error
        incoming = read_event(event, opened.proxies if opened else Networks(()))
        if isinstance(incoming, Asked) and (refusal := refused(incoming.fields)) is not None:
            return answered(refusal)
        if opened is None:
            assert failed is not None
            return self._closed(incoming, failed)
        before = _counts(opened)
        # Whoever waits for an answer is served by a use case that knows the time; work in the background is told of it.
        waits = isinstance(incoming, Call) or (isinstance(incoming, Asked) and incoming.action not in WORK)
        if isinstance(incoming, Call) and incoming.request.path.startswith(_WEBHOOKS):
            until = min(until, began + _WEBHOOK_S)
        opened.bounds.begin(until - time.monotonic(), keep_s=0.0 if waits else KEEP_S)
        try:
            return self._act(opened, incoming, began)
        finally:
            self._count(opened, before, began)

    def _act(self, opened: Open, incoming: Event, began: float) -> object:
        match incoming:
            case Call(request, face):
                return answer_of(self._ask(opened, request, face.name.lower(), began), face)
            case Scheduled():
                done = self._work(opened, "schedule", ("reconcile", "deliver"), began)
                # Only what came to its end: alarms watch that something is looked after, and that it is not too much.
                self._telling.count({"Schedules": 1, "Unfinished": 1 if done["more"] else 0})
                return done
            case Changed():
                self._work(opened, "stream", ("deliver",), began)
                # What is left is in the store, due: the schedule finds it, and the stream goes on.
                return {"batchItemFailures": []}
            case Asked(action, _) if action in WORK:
                return self._work(opened, action, (action,), began)
            case Asked(action, fields):
                return answered(self._ask(opened, request_of(action, fields), "direct", began))
            case _:
                assert_never(incoming)

    def _ask(self, opened: Open, request: Request, event: str, began: float) -> Response:
        request = msgspec.structs.replace(request, within_s=max(0.0, opened.bounds.left_s))
        response = run(opened.api.handle(request))
        words = _words_of(response)
        log.info(
            "%s %s",
            request.method,
            request.path[:_PATH_MAX],
            extra={
                "event": event,
                "status": response.status,
                "order_id": words.order_id,
                "receipt_id": words.receipt_id,
                "outcome": words.outcome or words.code or words.state,
                "ms": _ms(began),
            },
        )
        if response.status >= 500 and words.code and words.outcome != OUT_OF_TIME:
            self._count_failures({words.code: 1})
        return response

    def _work(self, opened: Open, event: str, what: tuple[str, ...], began: float) -> dict[str, object]:
        if "deliver" in what:
            self._warn_of_nobody_to_tell(opened)
        done = Done()
        both = "reconcile" in what and "deliver" in what
        try:
            try:
                if "reconcile" in what:
                    check(opened.world, opened.bounds, done, share=_CHECK_SHARE if both else 1.0)
            finally:
                # The shop hears what it is owed, whatever keeps one order from being looked at.
                if "deliver" in what:
                    hand_over(opened.world, opened.bounds, opened.api.metrics, done)
            if both and not done.looked_after:
                # Nothing is owed any more, and there is time.
                check(opened.world, opened.bounds, done)
        finally:
            self._count_failures(done.failures)
        outcome = "out_of_time" if done.more else "done"
        log.info("%s", event, extra={"event": event, "outcome": outcome, "ms": _ms(began)})
        return done.as_answer()

    def _closed(self, incoming: Event, error: Exception) -> object:
        """Nothing can be done: tell it in the log, and to a waiting caller without the details."""
        if not isinstance(error, ConfigError | StoreError):
            log.error("the function cannot be opened: %s", trace_of(error))
            error = ConfigError("the function cannot be opened; its log says where it failed")
        elif isinstance(incoming, Call):
            log.error("%s", error)
        if not isinstance(incoming, Call):
            raise error from None
        if isinstance(error, StoreError):
            response = problem(Code.STORE_UNAVAILABLE, headers={"retry-after": "2"})
            self._count_failures({Code.STORE_UNAVAILABLE: 1})
        else:
            response = problem(
                Code.INTERNAL_ERROR,
                "The service is not set up completely; its log says what is missing.",
                "서비스 설정이 완료되지 않았습니다. 자세한 내용은 서비스 로그에 있습니다.",
            )
            self._telling.count({"Errors": 1})
        return answer_of(response, incoming.face)

    def _count(self, opened: Open, before: Mapping[str, Mapping[tuple[str, ...], int]], began: float) -> None:
        for name, counts in _counts(opened).items():
            for labels, times in counts.items():
                new = times - before[name].get(labels, 0)
                if new:
                    # The last label is what came of it; the generation of a webhook is no dimension worth its price.
                    self._telling.count({name: new}, outcome=labels[-1])
        self._telling.count(
            {
                "UnknownOutcomes": opened.bounds.unknown_outcomes,
                "Attention": opened.bounds.attention,
                "LatencyMs": _ms(began),
            }
        )

    def _count_failures(self, failures: Mapping[str, int]) -> None:
        """Count what did not work, by its code: to Lambda an answer is a success, whatever its status."""
        for code, times in failures.items():
            self._telling.count({"Failures": times}, outcome=code)

    def _warn_of_short_timeout(self, left_s: float) -> None:
        if not self._warned and left_s < _TIMEOUT_WANTED_S:
            self._warned = True
            log.warning(
                "The function has %.1f s for one invocation: too short to approve a payment or to hand anything over. "
                "Set its timeout to 15 s or more",
                left_s,
            )

    def _warn_of_nobody_to_tell(self, opened: Open) -> None:
        """Told in the words of `dojang deliver`: the answer alone would pass for "nothing is owed"."""
        if not self._warned_of_nobody and opened.world.fulfilment is None:
            self._warned_of_nobody = True
            log.warning(
                "DOJANG_DELIVER_TO is not set: notices to the shop wait in the store, only money back is handed over"
            )


def _counts(opened: Open) -> dict[str, dict[tuple[str, ...], int]]:
    metrics = opened.api.metrics
    kinds: dict[str, Counter] = {
        "Verifications": metrics.verifications,
        "Webhooks": metrics.webhooks,
        "Deliveries": metrics.deliveries,
        "UpstreamErrors": metrics.upstream_errors,
    }
    return {name: counter.counts for name, counter in kinds.items()}


def _words_of(response: Response) -> _Words:
    """Whom a request was about and what came of it, as far as the answer says so."""
    try:
        words = msgspec.json.decode(response.body, type=_Words)
    except (msgspec.DecodeError, msgspec.ValidationError):
        words = _Words()
    return msgspec.structs.replace(words, **response.told)


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
