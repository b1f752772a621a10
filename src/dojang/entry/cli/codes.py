"""Exit codes, and which failure ends a command with which code and sentence."""

from __future__ import annotations

from enum import IntEnum

from dojang.core.rules import Mode
from dojang.errors import (
    ConfigError,
    Conflict,
    InvalidValue,
    NotSent,
    OutcomeUnknown,
    OutOfTime,
    Refused,
    StoreError,
    StoreUnavailable,
)

__all__ = ["Code", "ending", "start_emulator"]

_START_EMULATOR = (
    "The mode is emulator: start `dojang emulator` first, on the port of BOOTPAY_URL, which is 8401 unless it is set "
    "(에뮬레이터 모드입니다. 먼저 `dojang emulator`를 BOOTPAY_URL의 포트(기본값 8401)로 실행해 주세요)."
)


class Code(IntEnum):
    """How a command ended, for scripts."""

    FINE = 0
    """What was asked for is so."""
    FAILURE = 1
    """It could not be done, and neither the shop's words nor Bootpay's verdict are the reason."""
    USAGE = 2
    """An argument or a setting must be mended first; nothing was sent and nothing was stored."""
    REFUSED = 3
    """The answer is no: the receipt does not pay, nothing is given back, there is no such order."""
    UNKNOWN = 4
    """Not decided yet, or it may have happened; it will be found out. Ask again."""
    DRIFT = 5
    """Bootpay knew something that nobody had told us."""
    UNREACHABLE = 6
    """Bootpay could not be asked; nothing was decided."""
    INTERRUPTED = 130
    """Ctrl-C in the middle of something that was meant to end by itself."""


def start_emulator(mode: Mode, error: Exception) -> str:
    """What to do where the Bootpay that cannot be reached is our own pretend one; empty for anything else."""
    away = isinstance(error, NotSent) and not isinstance(error, OutOfTime)
    return _START_EMULATOR if away and mode is Mode.EMULATOR else ""


def ending(error: Exception) -> tuple[Code, str]:
    """The code and the one sentence with which this failure ends a command. No secret, no traceback."""
    match error:
        case InvalidValue() | ConfigError():
            return Code.USAGE, str(error)
        case NotSent() | OutcomeUnknown():
            # Where money may have moved the use case answers by a value; here nothing was decided.
            sentence = f"Bootpay cannot be reached (부트페이에 연결할 수 없습니다): {error}"
            # Whoever knew more about it on the way, such as the mode, left a note.
            return Code.UNREACHABLE, ". ".join([sentence, *getattr(error, "__notes__", ())])
        case Refused(retryable=True):
            return (
                Code.UNREACHABLE,
                f"Bootpay cannot answer now (부트페이가 지금 응답할 수 없습니다): {error}",
            )
        case Refused():
            # Not REFUSED: Bootpay turned *us* away, which says nothing about any payment.
            return Code.FAILURE, " ".join(
                part for part in (str(error), error.cause_ko, error.cure_ko) if part
            )
        case Conflict():
            return Code.FAILURE, f"Somebody else was faster: {error}. Try again (다시 시도해 주세요)."
        case StoreUnavailable() | StoreError():
            return Code.FAILURE, f"The store cannot be used now (저장소를 사용할 수 없습니다): {error}"
        case _:
            # Its words may quote anything, a key for instance; its name cannot.
            return Code.FAILURE, f"This is a mistake in dojang: {type(error).__name__} (--debug tells where)."
