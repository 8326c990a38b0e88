"""Addresses that a person gives (webhooks, alerts): which of them may be called.

A host must be on the allow-list ``CDP_WEBHOOK_ALLOWED_HOSTS``, and what its name resolves to
must be public, or lie in a network that the list names. Each address is looked at again right
before a socket goes there (``permits``), so a name that changes its mind in between (DNS
rebinding) gains nothing. TLS still verifies the name.

The list, separated by commas: ``api.example.com`` (ports 443 and 8443), ``api.example.com:9443``,
``10.1.0.0/16`` (addresses that names on the list may resolve to), ``127.0.0.1`` (a development
server; http is for loopback alone). Cloud metadata cannot be allowed.
"""

import ipaddress
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

ALLOWED_HOSTS = "CDP_WEBHOOK_ALLOWED_HOSTS"

_PORTS = frozenset({443, 8443})
# One label or more of letters, digits and hyphens; a name in another script is to be given as
# punycode, where look-alikes show.
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
# The last label of an address: resolvers read 127.1, 2130706433, 0x7f.1 and 017700000001.
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_PRINTABLE = re.compile(r"[!-\[\]-~]+")  # ASCII without spaces and the backslash

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Credentials of the machine are handed out there. 168.63.129.16 and 192.0.0.192 are outside of
# the link-local network that the others use; 100.100.100.200 is in shared space.
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)
# IPv4 within IPv6, by how many bits the IPv4 address is from the right: NAT64, 6to4 and the
# form of old (::127.0.0.1).
_EMBEDDED = (
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
    (ipaddress.IPv6Network("::/96"), 0),
)
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


class UnsafeUrl(ValueError):
    """The address may not be called; says why, without showing it."""


@dataclass(frozen=True)
class SafeUrl:
    """An address that was looked at. ``repr`` shows no path and no query: they can be secrets."""

    origin: str
    """``https://host:port``."""
    target: str = field(repr=False)
    """Path and query."""


Resolver = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a name. Raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class UrlGuard:
    """Says which addresses may be called, from an allow-list."""

    def __init__(self, allowed: str, resolver: Resolver = resolve) -> None:
        self._resolver = resolver
        self._hosts: set[tuple[str, int | None]] = set()
        self._networks: list[_Network] = []
        for entry in filter(None, (item.strip() for item in allowed.split(","))):
            self._allow(entry.lower())

    @classmethod
    def from_environment(cls) -> "UrlGuard":
        """The allow-list of ``CDP_WEBHOOK_ALLOWED_HOSTS``; without it nothing is allowed."""
        return cls(os.environ.get(ALLOWED_HOSTS, ""))

    def check(self, url: str, *, is_secret: bool = False, resolves: bool = True) -> SafeUrl:
        """Look at an address. ``is_secret``: it comes from a secret, so it may hold a query.
        ``resolves``: ask the resolver too, which a connection does anyway.

        Raises ``UnsafeUrl``."""
        if not isinstance(url, str) or not _PRINTABLE.fullmatch(url) or len(url) > 2000:
            raise UnsafeUrl("an address is printable ASCII of at most 2,000 characters")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise UnsafeUrl("not an address") from None
        if "@" in parts.netloc:
            raise UnsafeUrl("an address must not hold credentials")
        if parts.query and not is_secret:
            raise UnsafeUrl("a query belongs into an environment variable: it may be a secret")
        if parts.fragment:
            raise UnsafeUrl("an address to call has no fragment")
        literal = _host(host)
        is_loopback = literal is not None and literal.is_loopback
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
            raise UnsafeUrl("the address must be https")
        self._check_listed(host, port, is_loopback)
        port = port or (443 if parts.scheme == "https" else 80)
        if resolves:
            self._check_resolved(host, port)
        shown = f"[{host}]" if ":" in host else host
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return SafeUrl(f"{parts.scheme}://{shown}:{port}", target)

    def permits(self, address: str) -> bool:
        """Whether a socket may go to this address."""
        try:
            self._check_address(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        return True

    # -- inside

    def _allow(self, entry: str) -> None:
        try:
            network = ipaddress.ip_network(entry)
        except ValueError:
            pass
        else:
            self._networks.append(network)
            if network.num_addresses == 1:
                self._hosts.add((str(network.network_address), None))
            return
        try:
            parts = urlsplit(f"//{entry}")
            host, port = parts.hostname or "", parts.port
            literal = _host(host)
            if "@" in entry or "/" in entry:
                raise ValueError
        except ValueError:
            raise UnsafeUrl(f"{ALLOWED_HOSTS}: not a host or network: {entry}") from None
        self._hosts.add((host, port))
        if literal:
            self._networks.append(ipaddress.ip_network(literal))

    def _check_listed(self, host: str, port: int | None, is_loopback: bool) -> None:
        if (host, port) in self._hosts:
            return
        named = {name for name, _ in self._hosts}
        if host not in named:
            raise UnsafeUrl(f"the host is not in {ALLOWED_HOSTS}")
        # A server under development is on any port; all others are asked for by number.
        is_open = (host, None) in self._hosts and (is_loopback or (port or 443) in _PORTS)
        if not is_open:
            raise UnsafeUrl(f"the port is not in {ALLOWED_HOSTS}")

    def _check_resolved(self, host: str, port: int) -> None:
        """All of it must be allowed: which address is tried is up to the network."""
        literal = _host(host)
        found = [str(literal)] if literal else self._resolver(host, port)
        if not found:
            raise UnsafeUrl("the name resolves to nothing")
        for text in found:
            self._check_address(ipaddress.ip_address(text.partition("%")[0]))

    def _check_address(self, address: _Address) -> None:
        for inner in (address, *_embedded(address)):
            if inner in _METADATA or inner.is_link_local:
                raise UnsafeUrl("the host is one of link-local or cloud metadata")
            if inner.is_multicast or inner.is_unspecified:
                raise UnsafeUrl("the host is not a single machine")
            listed = any(inner in network for network in self._networks)
            if not listed and not _is_wrapper(inner) and not _is_public(inner):
                raise UnsafeUrl(f"the host is a private address and not in {ALLOWED_HOSTS}")


def _host(host: str) -> _Address | None:
    """A host as an address, None for a name. Raises ``UnsafeUrl`` for anything in between."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if len(host) > 253 or not _HOST.fullmatch(host) or _NUMBER.fullmatch(host):
        raise UnsafeUrl("not a host name (another script goes as punycode)")
    return None


def _embedded(address: _Address) -> list[_Address]:
    """IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.teredo:
        return list(address.teredo)
    bits = [shift for network, shift in _EMBEDDED if address in network]
    inner = [ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF) for shift in bits]
    return [] if address.is_loopback or address.is_unspecified else list(inner)


def _is_public(address: _Address) -> bool:
    # Python before 3.12.4 takes the local NAT64 prefix (RFC 8215) for public.
    is_local = getattr(address, "is_site_local", False) or (
        isinstance(address, ipaddress.IPv6Address) and address in _LOCAL_NAT64
    )
    return address.is_global and not is_local


def _is_wrapper(address: _Address) -> bool:
    """What counts is the IPv4 address inside, which is looked at too."""
    return isinstance(address, ipaddress.IPv6Address) and bool(_embedded(address))
