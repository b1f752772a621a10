"""The command line: one file per command or group of them; what they share is in flags, terminal, codes and root."""

from dojang.entry.cli.commands import app, main

__all__ = ["app", "main"]
