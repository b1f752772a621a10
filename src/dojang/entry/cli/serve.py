"""`dojang serve`: the HTTP API, with deliveries and reconciliation beside it, in one process."""

from __future__ import annotations

from typing import Annotated

import typer

from dojang.entry.cli.codes import Code
from dojang.entry.cli.extras import need_server
from dojang.entry.cli.flags import Invocation, with_settings

__all__ = ["serve"]


@with_settings
def serve(
    invocation: Invocation,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8400,
    access_log: Annotated[bool, typer.Option("--access-log", help="Write a line for every request.")] = False,
) -> Code:
    """Serve the HTTP API, deliver what is owed and reconcile, until stopped.

    Told to stop (SIGTERM, Ctrl-C), it begins nothing new, finishes what is in hand and ends within 25 seconds.

    Example:
      dojang serve --mode emulator --port 8400
    """
    need_server("dojang serve")
    from dojang.entry.serving import serve as serve_api

    settings = invocation.settings()
    serve_api(
        settings, host, port, say=invocation.terminal.say, warn=invocation.terminal.warn, requests=access_log
    )
    return Code.FINE
