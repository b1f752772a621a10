"""`python -m dojang` and the `dojang` command."""

from dojang.entry.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
