"""How long a receiver wants to be left alone: `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["asked_to_wait_s"]

# Longer than anybody waits, and short enough to be added to any date.
_LONGEST_S = 10**9


def asked_to_wait_s(status: int, retry_after: str, now: datetime) -> float:
    """Seconds from now; 0 where the answer is no plea for time or the header says nothing that can be read.

    Args:
        status: Only 429 (too many requests) and 503 (unavailable) ask for time.
        retry_after: The header; empty where there is none.
        now: The present moment, aware.
    """
    if status not in (429, 503) or not retry_after.isascii():
        return 0.0
    if retry_after.isdigit():
        return float(min(int(retry_after), _LONGEST_S))
    # Imported here: a function that starts cold meets few dates.
    from email.utils import parsedate_to_datetime

    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
