"""Every command by its words."""

from __future__ import annotations

from typing import Annotated

import typer

from dojang.entry.cli import (
    cancel,
    deliver,
    demo,
    doctor,
    emulator,
    migrate,
    openapi,
    orders,
    receipt,
    reconcile,
    resolve,
    serve,
    verify,
    webhooks,
)
from dojang.entry.cli.root import Root
from dojang.entry.cli.terminal import Format

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    context_settings={"max_content_width": 110},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Has this order really been paid, exactly once? 이 주문은 정말로, 단 한 번 결제되었는가?",
    epilog="Begin with `dojang demo`. Exit codes: 0 fine, 1 failure, 2 usage, 3 refused, 4 outcome unknown, "
    "5 drift found, 6 Bootpay unreachable.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"dojang {version('dojang')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    shown_as: Annotated[
        Format | None, typer.Option("--format", help="table for people (default), json for programs.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", hidden=True)] = False,
) -> None:
    """Has this order really been paid, exactly once? 이 주문은 정말로, 단 한 번 결제되었는가?"""


_orders = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Register orders and look at them.")
_orders.command("add")(orders.add)
_orders.command("list")(orders.list_)
_orders.command("show")(orders.show)
_orders.command("history")(orders.history)

_webhooks = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What Bootpay has told us.")
_webhooks.command("list")(webhooks.list_)
_webhooks.command("replay")(webhooks.replay)

app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("emulator")(emulator.emulator)
app.add_typer(_orders, name="orders")
app.command("verify")(verify.verify)
app.command("cancel")(cancel.cancel)
app.command("receipt")(receipt.receipt)
app.command("reconcile")(reconcile.reconcile)
app.command("deliver")(deliver.deliver)
app.command("resolve")(resolve.resolve)
app.add_typer(_webhooks, name="webhooks")
app.command("migrate")(migrate.migrate)
app.command("doctor")(doctor.doctor)
app.command("openapi")(openapi.openapi)


def main() -> None:
    """Run the command line."""
    app(prog_name="dojang")
