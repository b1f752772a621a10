"""Every exception dojang raises, split by what the caller may do next.

```
DojangError
├── InvalidValue           the caller's own argument is wrong: mend it; nothing was sent or stored
├── BootpayError           asking Bootpay went wrong
│   ├── NotSent            it never left: repeating is safe
│   │   └── OutOfTime      for want of our own time
│   ├── OutcomeUnknown     it left, no usable answer: look before repeating
│   └── Refused            Bootpay said no: code, message, PG code, HTTP status, retryable
├── StoreError             the store could not do it
│   ├── Conflict           someone committed first: reload and decide again
│   └── StoreUnavailable   the store cannot be reached or is busy: try again later
└── ConfigError            a person must change a setting
```

Answers a caller must expect (a wrong price, a replayed receipt) are not here: they are returned as values.
"""

from __future__ import annotations

__all__ = [
    "BootpayError",
    "ConfigError",
    "Conflict",
    "DojangError",
    "InvalidValue",
    "NotSent",
    "OutOfTime",
    "OutcomeUnknown",
    "Refused",
    "StoreError",
    "StoreUnavailable",
]


class DojangError(Exception):
    """The root of everything dojang raises on purpose."""


class InvalidValue(DojangError, ValueError):
    """An argument cannot be what it should be; nothing was sent and nothing was stored."""


class BootpayError(DojangError):
    """A call to Bootpay did not end in an answer that can be used."""


class NotSent(BootpayError):
    """The request never reached Bootpay, so nothing happened there: repeating it is safe."""


class OutOfTime(NotSent):
    """Nothing was sent, for there was no time left to finish it: no word about Bootpay."""


class OutcomeUnknown(BootpayError):
    """The request may have reached Bootpay but no usable answer came back: look before repeating."""


class Refused(BootpayError):
    """Bootpay answered no.

    Attributes:
        code: Bootpay's `error_code` (v2) or `code` (v1), as text; `HTTP_<status>` where the body named none.
        message: Bootpay's own words, often Korean and often the card company's: for operators, not for buyers.
        pg_code: The payment gateway's own code, where Bootpay passed one on.
        http_status: The HTTP status of the answer.
        retryable: Whether the very same call may succeed later without anybody changing anything.
        cause_ko: Why this happens, in Korean.
        cause_en: Why this happens, in English.
        cure_ko: What to do about it, in Korean.
        cure_en: What to do about it, in English.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        http_status: int,
        pg_code: str | None = None,
        retryable: bool = False,
        cause_ko: str = "",
        cause_en: str = "",
        cure_ko: str = "",
        cure_en: str = "",
    ) -> None:
        self.code = code
        self.message = message
        self.http_status = http_status
        self.pg_code = pg_code
        self.retryable = retryable
        self.cause_ko = cause_ko
        self.cause_en = cause_en
        self.cure_ko = cure_ko
        self.cure_en = cure_en
        super().__init__(code, message)

    def __str__(self) -> str:
        words = f"Bootpay refused: {self.code} ({self.message})"
        if self.pg_code:
            words += f", PG code {self.pg_code}"
        if self.cause_en:
            words += f". {self.cause_en} {self.cure_en}".rstrip()
        return words


class StoreError(DojangError):
    """The store could not do what was asked of it."""


class Conflict(StoreError):
    """Someone committed first: reload and decide again."""


class StoreUnavailable(StoreError):
    """The store cannot be reached or is too busy: nothing was stored, try again later."""


class ConfigError(DojangError):
    """A setting is missing or contradicts another: a person must change it."""
