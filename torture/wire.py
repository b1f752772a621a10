"""The little HTTP that buyers, the killer and the judge need. No answer is a value here, never an exception."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import urllib3

__all__ = ["Answer", "Wire"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where nothing did."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Wire:
    """Sends JSON and reads JSON.

    Args:
        url: Where to.
        key: Sent as the bearer where a request asks for it.
    """

    def __init__(self, url: str, key: str = "") -> None:
        self.url = url
        self._key = key
        self._pool = urllib3.PoolManager(maxsize=64, retries=False)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        keyed: bool = False,
        within_s: float = 25.0,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Ask once; whatever goes wrong on the way is status 0."""
        sent = {"content-type": "application/json", **(headers or {})}
        if keyed:
            sent["authorization"] = f"Bearer {self._key}"
        payload = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, self.url + path, body=payload, headers=sent, timeout=within_s)
        except (urllib3.exceptions.HTTPError, OSError):
            return Answer(0)
        try:
            said = json.loads(answer.data)
        except ValueError:
            said = None
        return Answer(answer.status, said, {name.lower(): value for name, value in answer.headers.items()})

    def need(self, method: str, path: str, body: object = None, *, keyed: bool = False) -> Any:
        """Ask for something that must be there.

        Raises:
            RuntimeError: It is not.
        """
        answer = self.ask(method, path, body, keyed=keyed)
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.body
