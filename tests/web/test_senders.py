"""Strangers may not send many webhooks at once."""

from __future__ import annotations

from dojang.web.senders import SenderThrottle


class Now:
    """Time that stands where it is put."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_sender_has_a_burst_and_a_rate() -> None:
    """A burst, then a tenth of it per second."""
    now = Now()
    throttle = SenderThrottle(now, per_sender=10, overall=1000)
    burst = [throttle.take("a") for _ in range(11)]
    now.at = 1.0
    later = [throttle.take("a") for _ in range(2)]

    assert [0.0] * 10 + [1.0] == burst
    assert [0.0, 1.0] == later


def test_one_sender_does_not_starve_another() -> None:
    """What is refused to one costs the others nothing."""
    throttle = SenderThrottle(Now(), per_sender=10, overall=20)
    for _ in range(1000):
        throttle.take("flood")

    assert 0.0 == throttle.take("other")


def test_all_strangers_together_have_a_limit() -> None:
    """A thousand addresses send no more than the overall burst."""
    throttle = SenderThrottle(Now(), per_sender=10, overall=200)
    allowed = [number for number in range(1000) if throttle.take(f"10.0.{number}") == 0.0]

    assert 200 == len(allowed)


def test_memory_stays_small_however_many_send() -> None:
    """Old senders are forgotten first."""
    throttle = SenderThrottle(Now())
    for number in range(20_000):
        throttle.take(str(number))

    assert len(throttle._senders) <= 10_000
