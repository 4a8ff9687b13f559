"""Where outgoing HTTP may go: decided on the address that is really connected to, in whatever clothes it comes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

from liberty.errors import Forbidden, Invalid

type Address = IPv4Address | IPv6Address


class Reach(IntEnum):
    """What kind of place an address is; the greater, the less it may be reached."""

    PUBLIC = 0
    PRIVATE = 1
    NEVER = 2


_NEVER_4 = tuple(
    map(
        IPv4Network,
        (
            "169.254.0.0/16",  # link-local; the metadata service of most clouds
            "100.100.100.200/32",  # metadata, Alibaba
            "192.0.0.192/32",  # metadata, Oracle
            "168.63.129.16/32",  # platform channel, Azure
            "224.0.0.0/4",  # multicast
            "255.255.255.255/32",
        ),
    )
)
_NEVER_6 = tuple(
    map(
        IPv6Network,
        (
            "fe80::/10",  # link-local
            "fec0::/10",  # site-local, deprecated
            "fd00:ec2::/32",  # metadata, Amazon
            "fd20:ce::254/128",  # metadata, Google
            "64:ff9b:1::/48",  # local NAT64: where the IPv4 address stands is the network's own secret
            "ff00::/8",  # multicast
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_LOOKS_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)")


@dataclass(frozen=True, slots=True)
class HttpPolicy:
    """The rules of one configuration.

    Attributes:
        allow: `host:port` texts that may be reached although they are private and were not written in a definition.
        private: `deny` closes private addresses even to origins written in a definition.
    """

    allow: frozenset[str] = frozenset()
    private: Literal["allow", "deny"] = "allow"

    @classmethod
    def of(cls, allow: Iterable[str], private: Literal["allow", "deny"]) -> "HttpPolicy":
        return cls(frozenset(entry.strip().lower() for entry in allow), private)

    def check(self, address: str, *, host: str, port: int, trusted: bool) -> None:
        """Raise Forbidden unless `address`, which `host` stands for, may be connected to."""
        reach = reach_of(address)
        if reach is Reach.PUBLIC:
            return
        shown = host if host == address else f"{host} ({address})"
        if reach is Reach.NEVER:
            raise Forbidden(
                f"{shown} is a link-local, metadata or multicast address; HTTP calls never go there"
            )
        if {f"{host}:{port}".lower(), f"{address}:{port}", f"[{address}]:{port}"} & self.allow:
            return
        if trusted and self.private == "allow":
            return
        why = (
            '[security] http_private = "deny" closes private addresses'
            if trusted
            else "an address that comes from a parameter, earlier data or a redirect may not be private"
        )
        raise Forbidden(
            f"{shown} is a loopback or private address: {why}; list '{host}:{port}' in [security] http_allow"
        )


def reach_of(address: str) -> Reach:
    """What kind of place a canonical IP address is, IPv4 inside IPv6 looked at too."""
    plain = address.partition("%")[0]
    return max(map(_reach_of_one, _meanings(ip_address(plain))))


def literal_of(host: str) -> str | None:
    """The canonical IP address when `host` is one, None when it is a name.

    Raises Invalid for numbers that some resolvers take for an address (`127.1`, `0x7f000001`, `017700000001`).
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    if ":" in bare or _LOOKS_NUMERIC.fullmatch(bare.rstrip(".").rpartition(".")[2]):
        raise Invalid(f"host {host!r} is not a plain address; write it as four numbers, such as 192.0.2.1")
    return None


def _meanings(address: Address) -> Iterator[Address]:
    """The address and every IPv4 address that it carries.

    A carrier alone (mapped, compatible, translated, NAT64) is not a place of its own, so only its load counts.
    """
    if isinstance(address, IPv4Address):
        yield address
        return
    low = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    if address in _NAT64 or address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        yield low
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE:  # ISATAP
        yield low


def _reach_of_one(address: Address) -> Reach:
    never = _NEVER_4 if isinstance(address, IPv4Address) else _NEVER_6
    if any(address in network for network in never):
        return Reach.NEVER
    return Reach.PUBLIC if address.is_global and not address.is_reserved else Reach.PRIVATE
