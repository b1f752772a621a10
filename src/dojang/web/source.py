"""Whose address a request comes from, as far as our own proxies can be believed.

Rule 1: without a proxy of ours in between, the socket's peer is the sender, whatever any header says.
Rule 2: with one, the right-most hop that is not ours is the sender. The left-most is anybody's invention.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["Networks", "address_of", "sender"]

_HOPS_MAX = 32
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Networks:
    """Some networks, to ask whether an address is in one of them.

    Args:
        cidrs: Such as `10.0.0.0/8`; a bare address is a network of one.

    Raises:
        ValueError: If one of them is no network.
    """

    def __init__(self, cidrs: Sequence[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)

    def __contains__(self, text: object) -> bool:
        if not self._networks or not isinstance(text, str):
            return False
        address = address_of(text)
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )

    def __bool__(self) -> bool:
        return bool(self._networks)


def sender(peer: str | None, forwarded_for: str, proxies: Networks) -> str | None:
    """The sender's address in its usual spelling; None where nobody knows.

    Args:
        peer: The other end of the socket.
        forwarded_for: `X-Forwarded-For`, its lines joined with commas.
        proxies: Our own proxies.
    """
    known = address_of(peer) if peer else None
    if known is None:
        return None
    if str(known) in proxies:
        for hop in reversed(forwarded_for.split(",")[-_HOPS_MAX:]):
            address = address_of(hop)
            if address is None:
                # Our proxy wrote something we cannot read: what lies further left is worth nothing.
                break
            known = address
            if str(address) not in proxies:
                break
    return str(known)


@lru_cache(maxsize=1024)
def address_of(text: str) -> Address | None:
    """Read an address as proxies write it: with a port, in brackets, an IPv4 one inside IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
