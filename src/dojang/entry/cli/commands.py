"""Every command by its words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from dojang.entry.cli import (
    cancel,
    deliver,
    demo,
    doctor,
    emulator,
    layer,
    migrate,
    openapi,
    orders,
    receipt,
    reconcile,
    resolve,
    serve,
    simulate,
    template,
    verify,
    webhooks,
)
from dojang.entry.cli.codes import Code
from dojang.entry.cli.root import Root
from dojang.entry.cli.terminal import Format

__all__ = ["app", "main"]


def _with_example(words: str, example: str) -> str:
    # The mark keeps the lines of the example as they are.
    return f"{words}\n\n\b\nExample:\n  {example}"


app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    context_settings={"max_content_width": 110},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=_with_example(
        "Has this order really been paid, exactly once? 이 주문은 정말로, 단 한 번 결제되었는가?",
        "dojang demo",
    ),
    epilog="Begin with `dojang demo`. Exit codes: 0 fine, 1 failure, 2 usage, 3 refused, 4 outcome unknown, "
    "5 drift found, 6 Bootpay unreachable.",
)
"""The program; typer runs it, and its tests too."""


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


def _group(words: str, example: str) -> typer.Typer:
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=_with_example(words, example))


def _add(group: typer.Typer, name: str, command: Callable[..., Code]) -> None:
    words = inspect.cleandoc(command.__doc__ or "")
    # The mark keeps the lines of the example as they are.
    group.command(name, help=words.replace("\nExample:\n", "\n\b\nExample:\n"))(command)


_orders = _group("Register orders and look at them.", "dojang orders list --state paid")
_add(_orders, "add", orders.add)
_add(_orders, "list", orders.list_)
_add(_orders, "show", orders.show)
_add(_orders, "history", orders.history)

_webhooks = _group("What Bootpay has told us.", "dojang webhooks list")
_add(_webhooks, "list", webhooks.list_)
_add(_webhooks, "replay", webhooks.replay)

_layer = _group("The AWS Lambda layer.", "dojang layer build --python 3.13 --arch arm64")
_add(_layer, "build", layer.build)

_template = _group("What AWS needs to be told.", "dojang template sam --output shop")
_add(_template, "sam", template.sam)
_add(_template, "policy", template.policy)

_add(app, "demo", demo.demo)
_add(app, "serve", serve.serve)
_add(app, "emulator", emulator.emulator)
app.add_typer(_orders, name="orders")
_add(app, "verify", verify.verify)
_add(app, "cancel", cancel.cancel)
_add(app, "receipt", receipt.receipt)
_add(app, "reconcile", reconcile.reconcile)
_add(app, "deliver", deliver.deliver)
_add(app, "resolve", resolve.resolve)
app.add_typer(_webhooks, name="webhooks")
app.add_typer(_layer, name="layer")
app.add_typer(_template, name="template")
_add(app, "migrate", migrate.migrate)
_add(app, "doctor", doctor.doctor)
_add(app, "openapi", openapi.openapi)
_add(app, "simulate", simulate.simulate)


def main() -> None:
    """Run the command line."""
    app(prog_name="dojang")
