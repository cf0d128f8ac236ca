"""Which addresses may we call because somebody else has written them into a file?

A URL that an admin gives must not lead into the network we run in: to a database, a metadata service, a neighbour.
The name is resolved once, every address it has is looked at, and the connection goes to the very address that was
looked at; a name that is resolved again for the connection could mean another one by then (DNS rebinding).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from connector.errors import ChannelRefusedError, ChannelUnavailableError

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host, as text; raises OSError when it has none or nobody answers."""

_HTTPS_PORT = 443
_FIRST_FREE_PORT = 1024  # below it live mail, SSH and the like, which an HTTP request could be made to speak to

_CLOSED_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network (RFC 791); Linux takes 0.0.0.0 for itself
            "10.0.0.0/8",  # private (RFC 1918)
            "100.64.0.0/10",  # carriers' shared space (RFC 6598), where one cloud keeps its metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's platform address, public by its number only
            "169.254.0.0/16",  # link-local (RFC 3927), where clouds keep their metadata
            "172.16.0.0/12",  # private (RFC 1918)
            "192.0.0.0/24",  # protocol assignments (RFC 6890)
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.88.99.0/24",  # retired 6to4 relays (RFC 7526)
            "192.168.0.0/16",  # private (RFC 1918)
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_OPEN_IPV6 = IPv6Network("2000::/3")  # all that was ever handed out (RFC 4291); the rest is local, mapped or reserved
_CLOSED_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments (RFC 2928), Teredo tunnels among them
            "2001:db8::/32",  # documentation (RFC 3849)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)
_MAPPED, _NAT64, _6TO4 = IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16")


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the open internet, an IPv4 address inside an IPv6 one included.

    Source: IANA's special-purpose address registries for IPv4 and IPv6. Text that is no address is not public.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = _inner(found)
        if inner is None:
            return found in _OPEN_IPV6 and not any(found in network for network in _CLOSED_IPV6)
        found = inner
    return not any(found in network for network in _CLOSED_IPV4)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(found) if isinstance(found, IPv6Address) else None
    return (inner or found).is_loopback


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Give the IPv4 address that a mapped, NAT64 (RFC 6052) or 6to4 (RFC 3056) address stands for."""
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return IPv4Address(int(address) >> 80 & 0xFFFFFFFF) if address in _6TO4 else None


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class OutboundGuard:
    """Says which URLs and addresses may be called.

    Args of the constructor:
        allows_loopback: for development: this machine's own addresses are open too, over plain http as well.
        resolve: how names become addresses.
    """

    def __init__(self, *, allows_loopback: bool = False, resolve: Resolve = resolve) -> None:
        self._allows_loopback, self._resolve = allows_loopback, resolve

    def check_url(self, url: str) -> None:
        """Look at everything about a URL that can be seen without asking anybody.

        Raises:
            ChannelRefusedError: another scheme than https, credentials, no host, or a port of another protocol; the
                message never holds the URL.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ChannelRefusedError("its URL cannot be read") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and self._allows_loopback):
            raise ChannelRefusedError("its URL does not begin with https://")
        if not host or not url.isascii() or any(char.isspace() or not char.isprintable() for char in url):
            raise ChannelRefusedError("its URL names no host, or holds blanks or letters that are not ASCII")
        if parts.username is not None or parts.password is not None:
            raise ChannelRefusedError("its URL holds a user name or password")
        if port is not None and port != _HTTPS_PORT and port < _FIRST_FREE_PORT:
            raise ChannelRefusedError("its URL has a port that belongs to another protocol")

    def addresses(self, host: str, port: int, *, is_encrypted: bool = True) -> Sequence[str]:
        """Resolve a host and give its addresses, all of which may be called.

        Raises:
            ChannelRefusedError: one of them may not be; a name with a private address among public ones is a trick.
            ChannelUnavailableError: the name has no address now.
        """
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise ChannelUnavailableError("its host name has no address now") from None
        if not found:
            raise ChannelUnavailableError("its host name has no address now")
        if not all(self._may_call(address, is_encrypted=is_encrypted) for address in found):
            raise ChannelRefusedError("its host has an address that may not be called: private, local or reserved")
        return found

    def _may_call(self, address: str, *, is_encrypted: bool) -> bool:
        if self._allows_loopback and is_loopback(address):
            return True
        return is_encrypted and is_public(address)
