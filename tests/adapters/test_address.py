"""Whose an address is: only what is plainly public counts as public, however an inner address is dressed up."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dojang.adapters.address import Place, place_of

# Networks of the two IANA registries of special-purpose addresses that are not "globally reachable" (first and last
# address of each), and some that clouds keep for themselves.
SPECIAL = [
    ("0.0.0.0/8", "0.0.0.0", "0.255.255.255"),
    ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"),
    ("100.64.0.0/10", "100.64.0.0", "100.127.255.255"),
    ("127.0.0.0/8", "127.0.0.0", "127.255.255.255"),
    ("169.254.0.0/16", "169.254.0.0", "169.254.255.255"),
    ("172.16.0.0/12", "172.16.0.0", "172.31.255.255"),
    ("192.0.0.0/24", "192.0.0.0", "192.0.0.255"),
    ("192.0.2.0/24", "192.0.2.0", "192.0.2.255"),
    ("192.88.99.0/24", "192.88.99.0", "192.88.99.255"),
    ("192.168.0.0/16", "192.168.0.0", "192.168.255.255"),
    ("198.18.0.0/15", "198.18.0.0", "198.19.255.255"),
    ("198.51.100.0/24", "198.51.100.0", "198.51.100.255"),
    ("203.0.113.0/24", "203.0.113.0", "203.0.113.255"),
    ("multicast", "224.0.0.0", "239.255.255.255"),
    ("240.0.0.0/4", "240.0.0.0", "255.255.255.255"),
    ("Azure", "168.63.129.16", "168.63.129.16"),
    ("loopback and unspecified", "::", "::1"),
    ("IPv4-compatible", "::10.0.0.1", "::255.255.255.255"),
    ("IPv4-translated", "::ffff:0:0.0.0.0", "::ffff:0:255.255.255.255"),
    ("local NAT64", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    ("discard", "100::", "100::ffff:ffff:ffff:ffff"),
    ("dummy", "100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
    ("Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("benchmarks", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"),
    ("ORCHID", "2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ORCHIDv2", "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("protocols", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("documentation, long", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("segment routing", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("AWS", "fd00:ec2::254", "fd00:ec2::254"),
    ("link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("not given out", "4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("NAT64 of nobody", "64:ff9b::0.0.0.0", "64:ff9b::0.255.255.255"),
]


@pytest.mark.parametrize(("first", "last"), [row[1:] for row in SPECIAL], ids=[row[0] for row in SPECIAL])
def test_special_networks_are_not_public(first: str, last: str) -> None:
    """From the first address of each to the last, whatever this release of Python thinks of them."""
    lowest, highest = int(ip_address(first)), int(ip_address(last))
    kind = type(ip_address(first))
    between = {kind(lowest + (highest - lowest) * part // 16) for part in range(17)}

    assert Place.PUBLIC not in {place_of(str(address)) for address in between}


BESIDE = ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "128.0.0.0", "172.32.0.0"]
BESIDE += ["192.0.1.0", "192.169.0.0", "223.255.255.255", "168.63.129.15", "168.63.129.17", "::ffff:8.8.8.8"]
BESIDE += ["64:ff9b::8.8.8.8", "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111"]
BESIDE += ["2a00:1450:4001::1", "3ffe:ffff::1"]


@pytest.mark.parametrize("address", BESIDE)
def test_what_lies_beside_them_is_public(address: str) -> None:
    """A network too many would keep a shop from being told that it was paid."""
    assert Place.PUBLIC is place_of(address)


def v4_in(high: int, below: int = 0, flipped: int = 0) -> Callable[[IPv4Address], IPv6Address]:
    """A way to carry an IPv4 address: what stands before it, and the bits that follow it."""
    return lambda inside: IPv6Address(high | (int(inside) ^ flipped) << below)


def prefix(text: str) -> int:
    """An IPv6 address as a number."""
    return int(IPv6Address(text))


WAYS = {
    "mapped": v4_in(prefix("::ffff:0:0")),
    "compatible": v4_in(0),
    "translated": v4_in(prefix("::ffff:0:0:0")),
    "NAT64": v4_in(prefix("64:ff9b::")),
    "local NAT64": v4_in(prefix("64:ff9b:1::")),
    "local NAT64, RFC 6052 /64": v4_in(prefix("64:ff9b:1::"), 24),
    "6to4": v4_in(prefix("2002::"), 80),
    "6to4 with a subnet and a host": v4_in(prefix("2002::1:2:3:4:5"), 80),
    "Teredo client": v4_in(prefix("2001:0:5ef5:79fb:0:3f3f::"), 0, 0xFFFF_FFFF),
    "Teredo server": v4_in(prefix("2001::ffff:ffff:ffff"), 64),
    "ISATAP, link-local": v4_in(prefix("fe80::5efe:0:0")),
    "ISATAP, private IPv4": v4_in(prefix("2606:4700::5efe:0:0")),
    "ISATAP, public IPv4": v4_in(prefix("2606:4700::200:5efe:0:0")),
}
INNER = [IPv4Network(row[0]) for row in SPECIAL if "/" in row[0] and ":" not in row[0]]
INNER.append(IPv4Network("224.0.0.0/4"))


@pytest.mark.parametrize("way", WAYS)
@given(
    network=some.sampled_from(INNER),
    offset=some.integers(0, 2**32 - 1),
    zone=some.sampled_from(["", "%1", "%eth0"]),
)
def test_no_way_to_carry_an_inner_address_makes_it_public(
    way: str, network: IPv4Network, offset: int, zone: str
) -> None:
    """Mapped, translated or tunnelled: in the end the packet would come out at the inner address."""
    inside = network[offset % network.num_addresses]

    assert Place.PUBLIC is not place_of(str(WAYS[way](inside)) + zone)
    assert Place.PUBLIC is not place_of(str(inside))


@given(inside=some.ip_addresses(v=4))
@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"mapped", "NAT64"}))
def test_a_tunnel_is_never_public(way: str, inside: IPv4Address) -> None:
    """Who is at its other end depends on the network in between; no shop is reached that way."""
    assert Place.PUBLIC is not place_of(str(WAYS[way](inside)))


@given(address=some.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address: IPv4Address | IPv6Address) -> None:
    """Its table is another in each release, but none has called private what is public."""
    assert address.is_global or place_of(str(address)) is not Place.PUBLIC


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.2", Place.LOOPBACK),
        ("::ffff:127.0.0.1", Place.LOOPBACK),
        ("64:ff9b::7f00:1", Place.LOOPBACK),
        ("10.0.0.1", Place.INNER),
        ("fe80::1%eth0", Place.INNER),
        ("fec0::1", Place.INNER),
        ("::10.0.0.1", Place.INNER),
        ("2002:a00:1::1", Place.INNER),
        ("2002:808:808::1", Place.NOBODYS),
        ("2002::1", Place.NOBODYS),
        ("::ffff:0:8.8.8.8", Place.NOBODYS),
        ("2001:0:5ef5:79fb::1", Place.NOBODYS),
        ("2606:4700::5efe:808:808", Place.NOBODYS),
        ("255.255.255.255", Place.NOBODYS),
        ("ff02::1", Place.NOBODYS),
    ],
)
def test_the_rest_is_told_apart(address: str, place: Place) -> None:
    """A permission for the inner network is none for everybody, nobody, or a tunnel to somewhere else."""
    assert place is place_of(address)


def test_what_is_no_address_is_an_error() -> None:
    """Names are for the resolver."""
    with pytest.raises(ValueError, match=r"shop\.example"):
        place_of("shop.example")
