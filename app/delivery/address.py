"""May we call there? What a URL must look like, and which addresses a name may lead to.

A tenant's URL must not reach into the operator's network: an address is refused unless it is a public one, or lies in a
network that the operator allows. Judged are addresses, never names, and the address that is judged is the one that is
then connected to. Written addresses inside others (v4 in v6, NAT64) are judged by what they lead to.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from httpx2 import URL, InvalidURL

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MAX_URL_LENGTH: Final = 2_048
"""Longer URLs are cut or refused somewhere on the way."""

_HOST: Final = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.ASCII)
_LAST_PORT: Final = 65_535

_SPECIAL_V4: Final = {
    ip_network(written): what
    for written, what in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "a carrier's inner network",
        "127.0.0.0/8": "this machine",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved for protocols",
        "192.0.2.0/24": "for documentation",
        "192.88.99.0/24": "6to4 relays",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "for benchmarks",
        "198.51.100.0/24": "for documentation",
        "203.0.113.0/24": "for documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }.items()
}
"""The special ranges of IANA's register. Written out: which of them Python calls global changed between its versions."""

_GLOBAL_V6: Final = ip_network("2000::/3")
_SPECIAL_V6: Final = {
    ip_network(written): what
    for written, what in {
        "::/128": "no address",
        "::1/128": "this machine",
        "64:ff9b:1::/48": "a translator's inner network",
        "100::/64": "discarded",
        "2001::/23": "reserved for protocols, Teredo among them",
        "2001:db8::/32": "for documentation",
        "2002::/16": "6to4",
        "3fff::/20": "for documentation",
        "fc00::/7": "private",
        "fe80::/10": "link-local",
        "ff00::/8": "multicast",
    }.items()
}
_NAT64: Final = ip_network("64:ff9b::/96")
_V4_COMPATIBLE: Final = ip_network("::/96")
_LAST_32_BITS: Final = 0xFFFF_FFFF


class FaultyUrl(ValueError):
    """No URL that deliveries can go to."""


class RefusedAddress(Exception):
    """The name leads to an address that this service may not reach."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may be reached: public ones, and those in the networks that the operator allows."""

    allowed: tuple[Network, ...] = ()

    def admits(self, written: str) -> bool:
        """Whether the operator allows this address expressly."""
        address = _plain(ip_address(written))
        return any(address in network for network in self.allowed if network.version == address.version)

    def check(self, addresses: Sequence[str], *, public: bool = True) -> None:
        """Raise RefusedAddress unless all may be reached. One that may not among several is no accident.

        `public` false: only what the operator allows expressly.
        """
        for written in addresses:
            if self.admits(written):
                continue
            what = special(written)
            if what is not None:
                raise RefusedAddress(
                    f"{written} is {what}; the operator may allow it in SLATIMER_ALLOW_NETWORKS"
                )
            if not public:
                raise RefusedAddress(f"{written} may be reached by https only")


def special(written: str) -> str | None:
    """What is special about an address, so that it is not public; none for a public one."""
    address = _plain(ip_address(written))
    table = _SPECIAL_V4 if isinstance(address, IPv4Address) else _SPECIAL_V6
    found = next((what for network, what in table.items() if address in network), None)
    if found is None and isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return "not in use"
    return found


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to where it does, without the zone of a link."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    if address in _NAT64 or (address in _V4_COMPATIBLE and number > 1):
        return IPv4Address(number & _LAST_32_BITS)
    return IPv6Address(number)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL, taken apart once: what is checked is what is called. `host` is in ASCII, `target` is path and query."""

    scheme: str
    host: str
    port: int | None
    target: bytes

    @property
    def origin(self) -> str:
        """Without path and query, which often hold a secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port is None else f":{self.port}")


# There are few, and taking one apart costs as much as signing what goes there.
@lru_cache(maxsize=1024)
def endpoint(url: str) -> Endpoint:
    """A URL's parts. Raises FaultyUrl: neither http nor https, credentials, no host, no URL at all."""
    if len(url) > MAX_URL_LENGTH:
        raise FaultyUrl(f"is longer than {MAX_URL_LENGTH} characters")
    try:
        parsed = URL(url)
    except InvalidURL as error:
        raise FaultyUrl(f"is no URL: {error}") from error
    if parsed.scheme not in ("https", "http"):
        raise FaultyUrl("must begin with https://")
    if parsed.userinfo:
        raise FaultyUrl("must hold no credentials; a receiver checks the signature instead")
    host = parsed.raw_host.decode("ascii")
    if not _HOST.fullmatch(host):
        raise FaultyUrl(f"names the host {host!r}, which cannot be one" if host else "names no host")
    if parsed.fragment:
        raise FaultyUrl("must have no fragment, which is never sent")
    if parsed.port is not None and not 0 < parsed.port <= _LAST_PORT:
        raise FaultyUrl(f"names port {parsed.port}, which cannot be one")
    return Endpoint(parsed.scheme, host, parsed.port, parsed.raw_path)


def check_url(url: str, gate: AddressPolicy) -> Endpoint:
    """`endpoint`, and what can be said without asking a name server. Raises FaultyUrl."""
    found = endpoint(url)
    if found.scheme == "http" and not gate.allowed:
        raise FaultyUrl("must begin with https://; http is for networks in SLATIMER_ALLOW_NETWORKS only")
    try:
        ip_address(found.host)
    except ValueError:
        return found  # a name: judged by what it leads to, at every delivery
    try:
        gate.check([found.host], public=found.scheme == "https")
    except RefusedAddress as error:
        raise FaultyUrl(f"must not lead there: {error}") from error
    return found
