"""The program as a whole: how any command ends, whatever happens in it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from dojang.entry.cli.codes import Code, ending
from dojang.entry.cli.terminal import printable

__all__ = ["Root", "ended"]

# typer brings its own copy of click in some releases and uses the installed one in others.
_ClickError: type[Any] = typer.BadParameter.__mro__[2]


class Root(TyperGroup):
    """Ends every command with a code of ours and, if it failed, one sentence on stderr."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - the code is always given to the shell
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that `args` name."""
        arguments = list(sys.argv[1:] if args is None else args)

        def run() -> object:
            return super(Root, self).main(
                arguments, prog_name or "dojang", complete_var, False, windows_expand_args, **extra
            )

        # Only in front of the command: behind it the word belongs to the command.
        sys.exit(ended(run, debug=arguments[:1] == ["--debug"]))


def ended(run: Callable[[], object], *, debug: bool = False) -> int:
    """Run something to its end; its exit code. What went wrong is said in one sentence."""
    try:
        result = _helped(run)
        sys.stdout.flush()
    except _ClickError as error:
        return _say(_usage(error), Code.USAGE)
    except typer.Abort:
        return Code.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; there is nobody left to tell.
        sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115 - lives to the end
        return Code.FINE
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a person unasked
        if debug:
            traceback.print_exc()
        code, sentence = ending(error)
        return _say(sentence, code)
    return int(result) if isinstance(result, int) else Code.FINE


def _helped(run: Callable[[], object]) -> object:
    """Where no command was named, the whole help is the answer; to a program it is still a mistake."""
    try:
        return run()
    except _ClickError as error:
        # Known by its name: not every release has the class, and which module it is in differs.
        if type(error).__name__ != "NoArgsIsHelpError":
            raise
        print(error.format_message())
        return Code.USAGE


def _say(sentence: str, code: Code) -> int:
    print(printable(f"dojang: {sentence}"), file=sys.stderr)
    return code


def _usage(error: Any) -> str:
    from dojang.entry.cli.usage import usage

    context = getattr(error, "ctx", None)
    return usage(str(error.format_message()), context.command_path if context is not None else None)
