"""What a forked child must not share with its parent: connections that both would read answers from, and held locks.

A server that is loaded once and then forks its workers (gunicorn's `--preload`, uWSGI, Celery) hands every open
connection on to all of them. Whoever asks on a shared one may be given another's answer, about another's money.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Forking"]

T = TypeVar("T")


class Forking(Generic[T]):
    """Objects that are told, in a child, that they have been forked.

    Args:
        told: Called with each that still lives, before the child does anything else: no other thread runs yet.
    """

    def __init__(self, told: Callable[[T], None]) -> None:
        self._told = told
        self._everybody: weakref.WeakSet[T] = weakref.WeakSet()
        # Windows has no fork.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def add(self, one: T) -> None:
        """Tell this one too, for as long as it lives."""
        self._everybody.add(one)

    def _forked(self) -> None:
        for one in self._everybody:
            self._told(one)
