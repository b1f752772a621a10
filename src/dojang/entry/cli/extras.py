"""Commands that need more than a bare install say so in one sentence."""

from __future__ import annotations

from importlib.util import find_spec

from dojang.errors import ConfigError

__all__ = ["need_server"]

_SERVER = ("starlette", "granian")


def need_server(command: str) -> None:
    """See that the extra `server` is installed.

    Raises:
        ConfigError: If it is not.
    """
    if not all(find_spec(module) for module in _SERVER):
        raise ConfigError(
            f'`{command}` needs the server parts: pip install "dojang[server]" '
            "(서버 구성 요소를 먼저 설치해 주세요)."
        )
