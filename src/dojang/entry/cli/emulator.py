"""`dojang emulator`: a pretend Bootpay, for trying things out without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dojang.entry.cli.codes import Code
from dojang.entry.cli.extras import need_server
from dojang.entry.cli.flags import with_format
from dojang.entry.cli.terminal import Terminal
from dojang.errors import ConfigError, InvalidValue

__all__ = ["emulator"]


@with_format
def emulator(
    terminal: Terminal,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8401,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    webhook_url: Annotated[str, typer.Option(metavar="URL", help="Where it sends webhooks.")] = "",
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where it remembers across restarts.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same steps give the same ids each time.")] = None,
    client_key: Annotated[str, typer.Option(help="Accept only this client key.")] = "",
    secret_key: Annotated[str, typer.Option(help="Accept only this secret key.")] = "",
    application_id: Annotated[str, typer.Option(help="Accept only this REST application id.")] = "",
    private_key: Annotated[str, typer.Option(help="Accept only this private key.")] = "",
) -> Code:
    """Run a pretend Bootpay: v1 at /, v2 at /v2, its controls at /emulator/, until stopped.

    Example:
      dojang emulator --webhook-url http://127.0.0.1:8400/webhooks/bootpay
    """
    need_server("dojang emulator")
    from dojang.emulator.options import EmulatorOptions
    from dojang.emulator.rules import Keys
    from dojang.emulator.server import serve
    from dojang.entry.asgi import free_port

    if webhook_url and not webhook_url.startswith(("http://", "https://")):
        raise InvalidValue(
            f"--webhook-url must be an address such as http://127.0.0.1:8400/…, not {webhook_url!r} "
            "(--webhook-url은 http://127.0.0.1:8400/…과 같은 주소여야 합니다)"
        )
    if state is not None and state.is_dir():
        raise ConfigError(f"--state must be a file, but {state} is a folder.")
    options = EmulatorOptions(
        host=host,
        # Looked at here, so that a taken one is told in the same words by every command.
        port=free_port(host, port),
        webhook_url=webhook_url,
        state_file=state,
        seed=seed,
        keys=Keys(
            client_key=client_key,
            secret_key=secret_key,
            application_id=application_id,
            private_key=private_key,
        ),
    )

    def ready(url: str) -> None:
        terminal.say(f"The pretend Bootpay listens on {url} (Ctrl-C ends it).")
        if state is None:
            terminal.say(
                "It forgets everything when it ends; with --state FILE it remembers "
                "(종료하면 모두 잊습니다. --state FILE을 주면 기억합니다)."
            )

    serve(options, ready=ready)
    return Code.FINE
