"""The flags that many commands share, put in front of each of them by one decorator.

`@with_settings` gives a command an `Invocation` as its first argument; its flags (`--store`, `--mode`, …) win over the
environment, the environment over `dojang.toml`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer

from dojang.entry.cli.codes import Code, start_emulator
from dojang.entry.cli.terminal import Format, Terminal
from dojang.errors import ConfigError, NotSent

if TYPE_CHECKING:
    from dojang.entry.settings import Settings
    from dojang.entry.wiring import OpenBackend
    from dojang.ports import Gateway, World

__all__ = ["Invocation", "with_format", "with_settings"]

P = ParamSpec("P")

_FORMAT = Annotated[
    Format | None,
    typer.Option("--format", help="table for people (default), json for programs.", metavar="FORMAT"),
]
_FLAGS: dict[str, Any] = {
    "store": Annotated[
        str | None, typer.Option("--store", help="Where orders are kept (DOJANG_STORE).", metavar="URL")
    ],
    "mode": Annotated[
        str | None, typer.Option("--mode", help="live, sandbox or emulator (DOJANG_MODE).", metavar="MODE")
    ],
    "bootpay_url": Annotated[
        str | None, typer.Option("--bootpay-url", help="Bootpay's address (BOOTPAY_URL).", metavar="URL")
    ],
    "config": Annotated[
        Path | None, typer.Option("--config", help="Read settings from this file.", metavar="dojang.toml")
    ],
    "shown_as": _FORMAT,
}
_KEYS = {"store": "DOJANG_STORE", "mode": "DOJANG_MODE", "bootpay_url": "BOOTPAY_URL"}


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a command: where it writes, and the world it works on.

    Attributes:
        terminal: Where it writes.
        flags: Settings given as flags, by their keys.
        config: The settings file, where one was named.
    """

    terminal: Terminal
    flags: dict[str, str | None]
    config: Path | None

    def settings(self, *, bootpay: bool = True) -> Settings:
        """The checked settings; without `bootpay` no keys need to be there, for commands that ask nobody."""
        from dojang.entry.settings import read_settings

        return read_settings(self.flags, toml=self.config, bootpay=bootpay)

    @contextmanager
    def backend(self, *, create: bool = False) -> Iterator[OpenBackend]:
        """The store, for as long as this lasts; made first only if `create`."""
        with ExitStack() as stack:
            yield _open(self.settings(bootpay=False), stack, create=create)

    @contextmanager
    def world(self, *, create: bool = False) -> Iterator[World]:
        """Everything a use case may touch, for as long as this lasts; nothing in it ever suspends."""
        from dojang.entry.wiring import blocking_world

        settings = self.settings()
        with _hinted(settings), ExitStack() as stack:
            yield blocking_world(settings, stack, backend=_open(settings, stack, create=create))

    @contextmanager
    def gateway(self) -> Iterator[Gateway]:
        """Bootpay alone, for as long as this lasts."""
        from dojang.entry.wiring import asking

        settings = self.settings()
        with _hinted(settings), ExitStack() as stack:
            yield asking(settings, stack)


@contextmanager
def _hinted(settings: Settings) -> Iterator[None]:
    """A pretend Bootpay that is not there was mostly not started: say how."""
    try:
        yield
    except NotSent as error:
        if hint := start_emulator(settings.mode, error):
            error.add_note(hint)
        raise


def _open(settings: Settings, stack: ExitStack, *, create: bool) -> OpenBackend:
    from dojang.entry.wiring import open_backend, sqlite_path

    path = sqlite_path(settings.store)
    if settings.store.startswith("sqlite") and not create and not path.exists():
        # A mistyped name must not look like a shop without orders.
        raise ConfigError(
            f"DOJANG_STORE: {path} does not exist; `dojang migrate` makes it "
            "(파일이 없습니다. `dojang migrate`로 만들어 주세요)."
        )
    backend = open_backend(settings, migrate=create)
    stack.callback(backend.close)
    return backend


def with_settings(command: Callable[Concatenate[Invocation, P], Code]) -> Callable[..., Code]:
    """Give a command `--store`, `--mode`, `--bootpay-url`, `--config` and `--format`."""

    def run(ctx: typer.Context, **given: Any) -> Code:
        flags = {key: given.pop(name) for name, key in _KEYS.items()}
        config, shown_as = given.pop("config"), given.pop("shown_as")
        return command(Invocation(_terminal(ctx, shown_as), flags, config), **given)  # type: ignore[call-arg]

    return _signed(run, command, _FLAGS)


def with_format(command: Callable[Concatenate[Terminal, P], Code]) -> Callable[..., Code]:
    """Give a command that needs no settings `--format`."""

    def run(ctx: typer.Context, **given: Any) -> Code:
        return command(_terminal(ctx, given.pop("shown_as")), **given)  # type: ignore[call-arg]

    return _signed(run, command, {"shown_as": _FORMAT})


def _terminal(ctx: typer.Context, shown_as: Format | None) -> Terminal:
    return Terminal(shown_as or ctx.find_root().params.get("shown_as") or Format.TABLE)


def _signed(
    run: Callable[..., Code], command: Callable[..., Code], shared: dict[str, Any]
) -> Callable[..., Code]:
    """`run` as typer should see it: the command's own parameters, then the shared flags."""
    hints = get_type_hints(command, include_extras=True)
    # The first parameter is ours to give.
    own = list(inspect.signature(command).parameters.values())[1:]
    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    parameters += [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in own
    ]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=None)
        for name, kind in shared.items()
    ]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
