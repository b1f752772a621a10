"""`python -m torture.names serve …`: the real program on a machine whose name server is a bad one.

It gives the shop's name another address of this machine each time, as a load balancer's would over the months, and
sometimes it fails. For Bootpay's name it only fails sometimes.
"""

from __future__ import annotations

import itertools
import socket
import sys
from typing import Any

from dojang.__main__ import main

__all__ = ["BOOTPAY", "SHOP"]

SHOP, BOOTPAY = "shop.test", "localhost"

_FAILS_EACH = 20


def _badly() -> None:
    questions = itertools.count(1)
    well = socket.getaddrinfo

    def badly(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in (SHOP, BOOTPAY):
            return well(host, port, *args, **kwargs)
        number = next(questions)
        if number % _FAILS_EACH == 0:
            raise socket.gaierror(socket.EAI_AGAIN, "the name server does not answer")
        high, low = divmod(number, 250)
        address = "127.0.0.1" if host == BOOTPAY else f"127.0.{high % 250 + 1}.{low + 1}"
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    socket.getaddrinfo = badly


if __name__ == "__main__":
    sys.argv[0] = "dojang"
    _badly()
    main()
