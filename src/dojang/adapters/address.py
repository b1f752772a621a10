"""Whose an IP address is: plainly public, of an inner network, or nobody's. When in doubt it is not public.

Python's `is_global` is another table in every release and knows few of the ways in which IPv6 carries an IPv4 address
along, so the tables are here. They follow the IANA registries of special-purpose addresses (RFC 6890):
https://www.iana.org/assignments/iana-ipv4-special-registry
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

from enum import Enum, auto
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

__all__ = ["Place", "place_of"]

Address: TypeAlias = IPv4Address | IPv6Address


class Place(Enum):
    """Whose an address is."""

    PUBLIC = auto()
    """Plainly a place on the internet."""
    LOOPBACK = auto()
    """This very machine."""
    INNER = auto()
    """The shop's own network, or a network reserved for such things as examples and measurements."""
    NOBODYS = auto()
    """Everybody's (multicast), nobody's, or a tunnel whose other end cannot be told: never a place to post to."""


_V4_NOBODYS = tuple(map(IPv4Network, ("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32")))
_V4_INNER = tuple(
    map(
        IPv4Network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by the customers of a carrier; 100.100.100.200 tells secrets at Alibaba Cloud
            # Answers inside of Azure alone, which is why no registry knows it:
            # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
            "168.63.129.16/32",
            "169.254.0.0/16",  # link-local; 169.254.169.254 tells secrets at most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # 192.0.0.192 tells secrets at Oracle Cloud
            "192.0.2.0/24",  # documentation, as are 198.51.100.0/24 and 203.0.113.0/24
            "192.88.99.0/24",  # relays of 6to4, withdrawn by RFC 7526
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
        ),
    )
)
# RFC 4291: all that is routed on the internet is in here.
_V6_UNICAST = IPv6Network("2000::/3")
_V6_INNER = tuple(
    map(
        IPv6Network,
        (
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",  # site-local, withdrawn by RFC 3879 and still routed where it always was
            "2001:2::/48",  # benchmarks
            "2001:db8::/32",  # documentation, as is 3fff::/20
            "3fff::/20",
        ),
    )
)
# The rest of what IANA keeps for protocols (Teredo, ORCHID, AMT …): nobody's shop is there.
_V6_PROTOCOLS = IPv6Network("2001::/23")
_V4_MASK = 0xFFFF_FFFF
# The same host under another name: (network, bits below the IPv4 address).
_V6_MAPPED = IPv6Network("::ffff:0:0/96")
_V6_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052; what a resolver gives where there is no IPv4 (DNS64)
# Tunnels and translators, most of them withdrawn: who they lead to depends on the network in between.
_V6_TUNNELS = (
    (IPv6Network("::/96"), 0),  # IPv4-compatible, RFC 4291
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated, RFC 2765
    (
        IPv6Network("64:ff9b:1::/96"),
        0,
    ),  # NAT64 of an inner network, RFC 8215; its other layouts are nobody's below
    (IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
)
_ISATAP = 0x5EFE  # RFC 5214: the last 64 bits are 0000:5efe or 0200:5efe and the IPv4 address
_ISATAP_ANY = ~0x0200_0000 & _V4_MASK


def place_of(text: str) -> Place:
    """Whose an address is, as a resolver writes it, zone and all.

    Raises:
        ValueError: If it is no address.
    """
    address = ip_address(text.partition("%")[0])
    return _place_v4(address) if isinstance(address, IPv4Address) else _place_v6(address)


def _place_v4(address: IPv4Address) -> Place:
    if _in(address, _V4_NOBODYS):
        return Place.NOBODYS
    if address.is_loopback:
        return Place.LOOPBACK
    return Place.INNER if _in(address, _V4_INNER) else Place.PUBLIC


def _place_v6(address: IPv6Address) -> Place:
    if address in _V6_MAPPED or address in _V6_NAT64:
        return _place_v4(_v4(address, 0))
    if address.is_loopback:
        return Place.LOOPBACK
    for network, below in _V6_TUNNELS:
        if address in network:
            return _tunnelled(_v4(address, below))
    if (int(address) >> 32) & _ISATAP_ANY == _ISATAP:
        return _tunnelled(_v4(address, 0))
    if _in(address, _V6_INNER):
        return Place.INNER
    return Place.PUBLIC if address in _V6_UNICAST and address not in _V6_PROTOCOLS else Place.NOBODYS


def _tunnelled(inside: IPv4Address) -> Place:
    """A tunnel into an inner network is a matter of that network; one to anywhere else is not believed."""
    return Place.INNER if _place_v4(inside) in (Place.INNER, Place.LOOPBACK) else Place.NOBODYS


def _v4(address: IPv6Address, below: int) -> IPv4Address:
    return IPv4Address((int(address) >> below) & _V4_MASK)


def _in(address: Address, networks: tuple[IPv4Network, ...] | tuple[IPv6Network, ...]) -> bool:
    return any(address in network for network in networks)
