"""Whose address a request comes from."""

from __future__ import annotations

import pytest

from dojang.web.source import Networks, sender

PROXIES = Networks(["10.0.0.0/8", "fd00::/8", "203.0.113.1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # no proxy of ours: the header is anybody's invention
        ("198.51.100.7", "223.130.82.5", "198.51.100.7"),
        ("198.51.100.7", "", "198.51.100.7"),
        # one proxy: the hop it wrote
        ("10.0.0.1", "223.130.82.5", "223.130.82.5"),
        # what stands left of it was sent by the sender
        ("10.0.0.1", "223.130.82.5, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "223.130.82.5,198.51.100.7, 10.2.3.4", "198.51.100.7"),
        ("203.0.113.1", "198.51.100.7, 10.0.0.9, 10.0.0.8", "198.51.100.7"),
        # the neighbour of a trusted address is not trusted
        ("203.0.113.2", "223.130.82.5", "203.0.113.2"),
        # nothing but proxies: the outermost of them
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        # what cannot be read ends the walk
        ("10.0.0.1", "223.130.82.5, unknown", "10.0.0.1"),
        ("10.0.0.1", "223.130.82.5, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "223.130.82.5,,", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4.5", "10.0.0.1"),
        # spellings
        ("::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7:51234", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "2001:DB8:0::7", "2001:db8::7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("fe80::1%eth0", "223.130.82.5", "fe80::1"),
        # nobody knows
        (None, "223.130.82.5", None),
        ("", "223.130.82.5", None),
        ("/run/dojang.sock", "223.130.82.5", None),
        # longer than any real chain
        ("10.0.0.1", "223.130.82.5" + ", 10.0.0.2" * 100, "10.0.0.2"),
    ],
)
def test_the_right_most_untrusted_hop_is_the_sender(
    peer: str | None, forwarded: str, expected: str | None
) -> None:
    """Never the left-most, and never anything left of what cannot be read."""
    assert expected == sender(peer, forwarded, PROXIES)


def test_without_proxies_only_the_peer_counts() -> None:
    """The default trusts nobody."""
    assert "198.51.100.7" == sender("198.51.100.7", "223.130.82.5", Networks([]))


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("223.130.82.0", True),
        ("223.130.82.255", True),
        ("::ffff:223.130.82.9", True),
        ("223.130.83.0", False),
        ("2001:db8::1", False),
        ("", False),
        ("223.130.82.5.evil.example", False),
        (None, False),
        (5, False),
    ],
)
def test_an_address_is_in_a_network_or_not(address: object, inside: bool) -> None:
    """Anything that is no address is in none."""
    assert inside is (address in Networks(["223.130.82.0/24"]))


def test_a_network_that_is_none_is_an_error_at_the_start() -> None:
    """Not at the first webhook."""
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        Networks(["10.0.0.0/33"])
