"""Asking AWS without its SDK, for which a function that starts cold would wait: keys, signature, one request."""

from __future__ import annotations

from dojang.adapters.aws.credentials import NoKeys, found
from dojang.adapters.aws.endpoint import Endpoint, Silent, sound, usual_address

__all__ = ["Endpoint", "NoKeys", "Silent", "found", "sound", "usual_address"]
