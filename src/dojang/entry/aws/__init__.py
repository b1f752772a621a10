"""The door for AWS Lambda: configure `dojang.entry.aws.handler` as the function's handler.

One function serves every caller: API Gateway (REST and HTTP), a function URL, a load balancer, an EventBridge schedule,
a DynamoDB stream, and whoever may invoke it directly. There is no event loop and no web framework: a use case is
driven to its end right here (`dojang.drive.run`), one invocation at a time, as Lambda has it.
"""

from __future__ import annotations

import gc
from contextlib import suppress

# While modules are read next to nothing becomes garbage: looking for it takes a tenth of the start.
gc.disable()

from dojang.entry.aws.ahead import Ahead  # noqa: E402 - see above

_ahead = Ahead()

from dojang.entry.aws.function import Function  # noqa: E402 - is read while AWS looks for the settings

__all__ = ["Function", "handler"]

_function = Function()
_function.prepare(_ahead)

# What has been read stays; from here on only what invocations make is looked through.
gc.freeze()
gc.enable()


def handler(event: object, context: object) -> object:
    """What Lambda calls."""
    return _function(event, context)


with suppress(ImportError):
    # SnapStart: a snapshot of this process is started many times, so nothing that must be its own may be in it.
    from snapshot_restore_py import register_after_restore, register_before_snapshot

    register_before_snapshot(_function.forget)
    register_after_restore(_function.forget)
