"""`dojang doctor`: is everything there that dojang needs, and is what is on file consistent?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dojang.core.history import fold as folded
from dojang.core.order import OrderId, ReceiptId
from dojang.core.values import fields_of
from dojang.drive import run
from dojang.entry.cli.codes import Code, start_emulator
from dojang.entry.cli.flags import Invocation, with_settings
from dojang.errors import BootpayError, ConfigError, Refused, StoreError
from dojang.ports import OrderFilter

if TYPE_CHECKING:
    from dojang.adapters.store import Backend
    from dojang.entry.settings import Settings
    from dojang.entry.wiring import OpenBackend

__all__ = ["doctor"]

_NOBODYS_RECEIPT = ReceiptId("0" * 24)
_WITHIN_S = 10.0
# docs/reliability.md promises everything up to ten seconds between two servers. Each may be wrong the other way, so the
# warning comes before half of that.
_SKEW_KEPT_S = 4.0
# Signatures of deliveries are refused by receivers whose clock is more than five minutes away from ours.
_SKEW_MAX_S = 120.0
_PAGE = 200
_now: Callable[[], datetime] = partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class _Finding:
    check: str
    verdict: str
    words: str
    code: Code = Code.FINE


@with_settings
def doctor(
    invocation: Invocation,
    fold: Annotated[
        bool,
        typer.Option("--fold", help="Also fold every order's history and compare it with the stored state."),
    ] = False,
) -> Code:
    """Check settings, store, Bootpay, clock and the shop's addresses. Nothing is changed or posted.

    A DynamoDB table is asked for orders beyond the parts that `shards=` names.
    Ends with 1 if something is wrong, 2 if a setting is, 6 if Bootpay cannot be reached.

    Example:
      dojang doctor --fold
    """
    settings = invocation.settings()
    findings = [*_settings(settings)]
    with ExitStack() as stack:
        backend = _store(invocation, settings, stack, findings)
        if backend is not None:
            findings += [*_store_clock(settings, backend)]
        findings += [*_bootpay(settings, stack)]
        findings += [*_shop(settings)]
        if fold and backend is not None:
            with invocation.terminal.working("folding histories (이력을 다시 계산하는 중)"):
                findings += [*_folded(backend)]
    rows = [[finding.check, finding.verdict, finding.words] for finding in findings]
    data = [{"check": check, "verdict": verdict, "words": words} for check, verdict, words in rows]
    invocation.terminal.rows({"checks": data}, ("check", "verdict", "words"), rows)
    codes = {finding.code for finding in findings}
    return next((code for code in (Code.FAILURE, Code.UNREACHABLE) if code in codes), Code.FINE)


def _settings(settings: Settings) -> Iterator[_Finding]:
    yield _Finding(
        "settings", "ok", f"mode {settings.mode}, Bootpay {settings.bootpay_api} at {settings.bootpay_url}"
    )
    if not settings.api_keys:
        yield _Finding("api keys", "warn", "DOJANG_API_KEYS is not set: the shop's own routes answer 503")
    if not settings.deliver_to:
        yield _Finding("deliveries", "warn", "DOJANG_DELIVER_TO is not set: nobody is told what is paid")


def _shop(settings: Settings) -> Iterator[_Finding]:
    """Whether what the shop is told could be posted now. A queue or a bus is AWS's to answer for."""
    from dojang.entry.settings import is_arn
    from dojang.entry.wiring import destination

    for check, url in (("deliveries", settings.deliver_to), ("approvals", settings.approve_at)):
        if url is None or is_arn(url):
            continue
        to = destination(settings, url)
        missed = to.reached(_WITHIN_S)
        if missed is None:
            yield _Finding(check, "ok", f"{to.host} takes connections")
        else:
            yield _Finding(check, "fail", f"nothing can be posted to {to.host}: {missed.words}", Code.FAILURE)


def _store(
    invocation: Invocation, settings: Settings, stack: ExitStack, findings: list[_Finding]
) -> OpenBackend | None:
    try:
        backend = stack.enter_context(invocation.backend())
        backend.load(OrderId("doctor"))
        if settings.store.startswith("dynamodb"):
            from dojang.adapters.dynamodb import DynamoDBBackend

            assert isinstance(backend, DynamoDBBackend)
            backend.check_shards()
        version = backend.version
    except (ConfigError, StoreError) as error:
        findings.append(_Finding("store", "fail", str(error), Code.FAILURE))
        return None
    findings.append(_Finding("store", "ok", f"schema version {version}"))
    return backend


def _bootpay(settings: Settings, stack: ExitStack) -> Iterator[_Finding]:
    from dojang.entry.wiring import asking

    try:
        # Who may ask about a receipt that cannot exist has keys that work.
        run(asking(settings, stack).look_up(_NOBODYS_RECEIPT, _WITHIN_S))
    except Refused as error:
        code = Code.UNREACHABLE if error.retryable else Code.FAILURE
        yield _Finding("bootpay", "fail", f"{error} {error.cure_ko}".strip(), code)
    except BootpayError as error:
        words = [f"cannot be reached: {error}", start_emulator(settings.mode, error)]
        yield _Finding("bootpay", "fail", ". ".join(filter(None, words)), Code.UNREACHABLE)
        return
    else:
        yield _Finding("bootpay", "ok", "it answers, and the keys are good")
    yield _compared("clock", "Bootpay", partial(_told_over_http, settings.bootpay_url))


def _store_clock(settings: Settings, backend: OpenBackend) -> Iterator[_Finding]:
    """Nothing about SQLite: its clock is this machine's own."""
    if settings.store.startswith("postgres"):
        from dojang.adapters.postgres import PostgresBackend

        assert isinstance(backend, PostgresBackend)
        yield _compared("store clock", "PostgreSQL", backend.now)
    elif settings.store.startswith("dynamodb"):
        from dojang.adapters.aws import usual_address
        from dojang.adapters.dynamodb.signed import region_of
        from dojang.entry.settings import dynamodb_address

        _, said = dynamodb_address(settings.store)
        url = said.get("endpoint") or usual_address("dynamodb", region_of(said.get("region")))
        yield _compared("store clock", "DynamoDB", partial(_told_over_http, url))


def _told_over_http(url: str) -> datetime | None:
    import urllib3

    try:
        answer = urllib3.request("HEAD", url, retries=False, redirect=False, timeout=_WITHIN_S)
        return parsedate_to_datetime(answer.headers["Date"])
    except (urllib3.exceptions.HTTPError, KeyError, ValueError, TypeError):
        return None


def _compared(check: str, whose: str, told: Callable[[], datetime | None]) -> _Finding:
    before = _now()
    try:
        theirs = told()
    except StoreError:
        theirs = None
    after = _now()
    if theirs is None:
        return _Finding(check, "warn", f"{whose} did not tell its time, so ours could not be compared")
    # HTTP tells whole seconds and an answer takes a while: only what is certain counts.
    ahead_s = max(0.0, (before - theirs).total_seconds() - 1) or min(0.0, (after - theirs).total_seconds())
    words = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} {whose}'s"
    if abs(ahead_s) > _SKEW_MAX_S:
        return _Finding(check, "fail", f"{words}: set this machine's clock", Code.FAILURE)
    if abs(ahead_s) > _SKEW_KEPT_S:
        why = "where clocks differ by more than ten seconds, two servers may be at work on the same money"
        why_ko = "서버끼리 시계가 10초 넘게 다르면 두 서버가 같은 돈을 함께 처리할 수 있습니다"
        return _Finding(
            check,
            "warn",
            f"{words}: {why}; set this machine's clock ({why_ko}. 이 기기의 시계를 맞추세요)",
        )
    return _Finding(check, "ok", words)


def _folded(backend: Backend) -> Iterator[_Finding]:
    orders = 0
    cursor: str | None = None
    while True:
        page = backend.orders(OrderFilter(cursor=cursor, limit=_PAGE))
        for listed in page.records:
            orders += 1
            words = _difference(backend, listed.order.id)
            if words:
                yield _Finding("fold", "fail", f"order {listed.order.id}: {words}", Code.FAILURE)
        cursor = page.next_cursor
        if cursor is None:
            break
    yield _Finding("fold", "ok" if orders else "warn", f"{orders} orders folded")


def _difference(backend: Backend, order_id: OrderId) -> str:
    """In what the stored payment is not what the history gives; empty where they agree."""
    record, events = backend.load(order_id), backend.history(order_id)
    while (again := backend.load(order_id)) != record:
        # Somebody committed between the two looks.
        record, events = again, backend.history(order_id)
    if record is None:
        return "it has a history but no terms"
    if [event.version for event in events] != list(range(1, record.version + 1)):
        return f"version {record.version} is stored, but the history has {len(events)} steps"
    try:
        payment = folded(events)
    except ValueError as error:
        return f"its history cannot be folded: {error}"
    if payment == record.payment:
        return ""
    stored = fields_of(record.payment)
    differing = [name for name, value in fields_of(payment).items() if value != stored[name]]
    return f"its history says otherwise about {', '.join(differing)}"
