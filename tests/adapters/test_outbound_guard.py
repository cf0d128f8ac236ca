"""No address that an admin writes leads into the network we run in, whatever it is called or wrapped into."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.outbound_guard import OutboundGuard, is_loopback, is_public, resolve
from connector.errors import ChannelRefusedError, ChannelUnavailableError

CLOSED = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    "2001:db8::/32", "2001::/32", "100::/64", "64:ff9b:1::/48",
]  # fmt: skip
OPEN = ["1.1.1.0/24", "8.8.8.0/24", "93.184.215.0/24", "172.32.0.0/16", "2606:2800:21f::/48", "2a00:1450::/32"]


def inside(names: list[str]) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    """Any address of any of these networks."""

    def of(name: str) -> st.SearchStrategy[IPv4Address | IPv6Address]:
        network = ip_network(name)
        span = st.integers(0, network.num_addresses - 1)
        return span.map(lambda number: network[number])

    return st.sampled_from(names).flatmap(of)


IPV4_CLOSED = [name for name in CLOSED if isinstance(ip_network(name), IPv4Network)]
IPV4_OPEN = [name for name in OPEN if isinstance(ip_network(name), IPv4Network)]
WRAPS = {
    "mapped": lambda inner: IPv6Address(int(IPv6Address("::ffff:0:0")) | int(inner)),
    "nat64": lambda inner: IPv6Address(int(IPv6Address("64:ff9b::")) | int(inner)),
    "6to4": lambda inner: IPv6Address(int(IPv6Address("2002::")) | int(inner) << 80),
}


@given(inside(CLOSED))
def test_addresses_of_closed_networks_are_not_public(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(str(address))


@given(inside(OPEN))
def test_addresses_of_the_open_internet_are_public(address: IPv4Address | IPv6Address) -> None:
    assert is_public(str(address))


@pytest.mark.parametrize("wrap", WRAPS)
@given(closed=inside(IPV4_CLOSED), opened=inside(IPV4_OPEN))
def test_an_ipv4_address_inside_an_ipv6_one_is_judged_by_itself(
    wrap: str, closed: IPv4Address, opened: IPv4Address
) -> None:
    assert not is_public(str(WRAPS[wrap](closed)))
    assert is_public(str(WRAPS[wrap](opened)))


@given(st.ip_addresses())
def test_what_the_standard_library_calls_local_is_never_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_private or address.is_multicast or address.is_link_local or address.is_unspecified:
        inner = isinstance(address, IPv6Address) and any(
            address in IPv6Network(name) for name in ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "2001::/23")
        )
        assert inner or not is_public(str(address))


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "fe80::1%eth0"])
def test_what_is_no_plain_address_is_not_public(text: str) -> None:
    assert not is_public(text)


def test_loopback_is_known_in_all_its_spellings() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]))
    assert not any(map(is_loopback, ["8.8.8.8", "::", "10.0.0.1", "localhost"]))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "ftp://hooks.example.com/x",
        "file:///etc/passwd",
        "https://user:pass@hooks.example.com/",
        "https://user@hooks.example.com/",
        "https:///nowhere",
        "https://",
        "hooks.example.com",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/a\r\nX-Evil: 1",
        "https://hööks.example.com/",
        "https://[::1",
    ],
)
def test_a_url_that_can_be_no_webhook_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ChannelRefusedError) as refused:
        OutboundGuard().check_url(url)
    assert "example.com" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/x?y=z", "https://hooks.example.com:8443/", "https://8.8.8.8/"]
)
def test_a_plain_https_url_passes(url: str) -> None:
    OutboundGuard().check_url(url)


def guard(*addresses: str, allows_loopback: bool = False) -> OutboundGuard:
    return OutboundGuard(allows_loopback=allows_loopback, resolve=lambda _host, _port: list(addresses))


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a00:1"]
)
def test_a_name_that_means_an_inner_address_is_refused_whatever_it_is_called(address: str) -> None:
    with pytest.raises(ChannelRefusedError, match="may not be called"):
        guard(address).addresses("hooks.example.com", 443)


def test_one_inner_address_among_public_ones_spoils_the_name() -> None:
    with pytest.raises(ChannelRefusedError):
        guard("8.8.8.8", "10.0.0.7").addresses("hooks.example.com", 443)


def test_public_addresses_are_given_in_the_order_of_the_name_service() -> None:
    assert guard("8.8.8.8", "1.1.1.1").addresses("hooks.example.com", 443) == ["8.8.8.8", "1.1.1.1"]


def test_a_name_without_an_address_may_have_one_later() -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise OSError("Name or service not known")

    for each in (OutboundGuard(resolve=nobody), guard()):
        with pytest.raises(ChannelUnavailableError, match="no address now"):
            each.addresses("hooks.example.com", 443)


def test_loopback_is_open_only_in_development_and_so_is_plain_http() -> None:
    assert guard("127.0.0.1", allows_loopback=True).addresses("localhost", 80, is_encrypted=False) == ["127.0.0.1"]
    OutboundGuard(allows_loopback=True).check_url("http://localhost:8080/hook")
    with pytest.raises(ChannelRefusedError):
        guard("127.0.0.1").addresses("localhost", 443)


def test_plain_http_never_leaves_this_machine_not_even_in_development() -> None:
    with pytest.raises(ChannelRefusedError):
        guard("8.8.8.8", allows_loopback=True).addresses("hooks.example.com", 80, is_encrypted=False)
    with pytest.raises(ChannelRefusedError):
        guard("10.0.0.1", allows_loopback=True).addresses("hooks.example.com", 443)


def test_odd_spellings_of_this_machine_are_seen_for_what_they_are() -> None:
    for host in ("127.1", "2130706433", "0x7f.1", "localhost"):
        assert all(is_loopback(address) for address in resolve(host, 443))
