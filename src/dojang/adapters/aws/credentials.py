"""Whose requests they are: the environment's keys, as a Lambda function has them, else what botocore's chain finds."""

from __future__ import annotations

import os
from typing import Protocol, cast

import msgspec

from dojang.errors import ConfigError

__all__ = ["Credentials", "Keys", "NoKeys", "found"]


class NoKeys(Exception):
    """There are no keys now; its words tell why without showing any."""


class Keys(msgspec.Struct, frozen=True):
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "Keys(…)"


class Credentials(Protocol):
    """Where keys come from, each time anew: most of them run out."""

    def get_frozen_credentials(self) -> Keys:
        """Keys that belong together."""
        ...


class _FromEnvironment:
    """The first link of botocore's chain, without the 0.1 s its import takes: all that a Lambda function needs."""

    def get_frozen_credentials(self) -> Keys:
        """The keys of this moment."""
        return Keys(
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ.get("AWS_SESSION_TOKEN") or None,
        )


def found(wanted_by: str) -> Credentials:
    """Where keys are to be had.

    Args:
        wanted_by: The setting, for the sentence of an error.

    Raises:
        ConfigError: If none are in the environment, and botocore is not installed.
        NoKeys: If its chain finds none.
    """
    if os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY"):
        return _FromEnvironment()
    # SSO, profiles, roles of containers, machines and restored snapshots: botocore's whole chain, refreshed by itself.
    try:
        from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]  # botocore has no types
        from botocore.session import Session  # type: ignore[import-untyped]  # botocore has no types
    except ImportError:
        raise ConfigError(
            f"{wanted_by} finds no AWS keys in the environment; for profiles and roles it needs one more part: "
            "pip install 'dojang[aws]'."
        ) from None

    try:
        credentials = Session().get_credentials()
    except BotoCoreError as error:
        raise NoKeys(type(error).__name__) from None
    if credentials is None:
        raise NoKeys("no AWS credentials were found")
    return cast("Credentials", credentials)
