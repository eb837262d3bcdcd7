"""Validates endpoint URLs, and decides which IP addresses deliveries may connect to (protection against SSRF).

A tenant's URL must not reach into the operator's network: an address is refused unless it is public or in a network
that the operator allows. Addresses are checked, never names, and the connection is made to the checked address. An IPv4
address embedded in an IPv6 one (mapped, compatible, NAT64) is checked as the IPv4 address.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import inet_aton, inet_ntoa
from string import hexdigits
from typing import Final

import structlog

_log = structlog.stdlib.get_logger()

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MAX_URL_LENGTH: Final = 2_048
"""Longer URLs are truncated or refused by some proxies and servers."""

_HOST: Final = re.compile(r"[\w.-]+|[0-9a-f:.]+", re.ASCII)
_LAST_PORT: Final = 65_535

_SPECIAL_V4: Final = {
    ip_network(network): what
    for network, what in {
        "0.0.0.0/8": "unspecified",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "shared address space of a carrier",
        "127.0.0.0/8": "loopback",
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
"""IANA's special-purpose address registry. Spelled out here: `is_global` differs between Python versions."""

_GLOBAL_V6: Final = ip_network("2000::/3")
_SPECIAL_V6: Final = {
    ip_network(network): what
    for network, what in {
        "::/128": "unspecified",
        "::1/128": "loopback",
        "64:ff9b:1::/48": "local-use NAT64",
        "100::/64": "discard-only",
        "2001::/23": "reserved for protocols",
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
    """A URL that nothing can be delivered to."""


class RefusedAddress(Exception):
    """The host is an address that deliveries may not connect to."""


class NoSuchHost(Exception):
    """The host name does not resolve, or not to an address that deliveries may connect to."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses deliveries may connect to: public ones, and those in networks that the operator allows."""

    allowed: tuple[Network, ...] = ()

    def allows(self, text: str) -> bool:
        """Whether the address is in a network that the operator allows."""
        address = _embedded(ip_address(text))
        return any(address in network for network in self.allowed if network.version == address.version)

    def check(self, addresses: Sequence[str], *, public: bool = True) -> None:
        """Raise RefusedAddress unless every address may be connected to: a host that mixes both is suspicious.

        `public` false: only networks that the operator allows, since plain http is limited to them.
        """
        for text in addresses:
            if self.allows(text):
                continue
            what = special(text)
            if what is not None:
                raise RefusedAddress(
                    f"{text} is not public ({what}); the operator can allow it in SLATIMER_ALLOW_NETWORKS"
                )
            if not public:
                raise RefusedAddress(f"{text} can be reached by https only")


def literal(host: str) -> str | None:
    """The address that a host is, in its usual notation; None for a name.

    `127.1`, `0x7f.1`, `0177.0.0.1` and `2130706433` are addresses for every resolver, and so for a delivery.
    """
    written = host.removesuffix(".")
    try:
        return str(ip_address(written))
    except ValueError:
        pass
    try:
        return inet_ntoa(inet_aton(written)) if _ends_in_number(written) else None
    except OSError:
        return None


def _ends_in_number(host: str) -> bool:
    """Whether the last part is a number, decimal, octal or hexadecimal: then it is no name, as URLs define it."""
    last = host.removesuffix(".").rpartition(".")[2].lower()
    return last.isdecimal() or (last.startswith("0x") and set(last[2:]) <= set(hexdigits))


def check_resolved(
    policy: AddressPolicy, host: str, addresses: Sequence[str], *, public: bool = True
) -> None:
    """Check the addresses of a host. Raises RefusedAddress for an address, and for a name what `no_such_host` says."""
    try:
        policy.check(addresses, public=public)
    except RefusedAddress as error:
        if literal(host) is not None:
            raise
        raise no_such_host(host, error) from error


def no_such_host(host: str, cause: object) -> NoSuchHost:
    """The one error of a name that does not resolve and of one that leads where deliveries may not go.

    Internal names are the operator's, and a subscription may be of a tenant who tries them out. So the log alone has
    the cause.
    """
    _log.info("host cannot be delivered to", host=host, cause=str(cause))
    return NoSuchHost(
        f"{host} does not resolve to an address that deliveries may connect to; the log has the cause, and the operator "
        "can allow a network in SLATIMER_ALLOW_NETWORKS"
    )


def special(text: str) -> str | None:
    """The special purpose of an address that is not public; None for a public one."""
    address = _embedded(ip_address(text))
    table = _SPECIAL_V4 if isinstance(address, IPv4Address) else _SPECIAL_V6
    found = next((what for network, what in table.items() if address in network), None)
    if found is None and isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return "unassigned"
    return found


def _embedded(address: Address) -> Address:
    """The IPv4 address embedded in an IPv6 one, if there is one. An IPv6 address loses its zone id."""
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
    """A parsed URL: what is checked is what is called. `host` is ASCII (IDNA), `target` is path and query."""

    scheme: str
    host: str
    port: int | None
    target: bytes

    @property
    def origin(self) -> str:
        """Scheme, host and port: path and query often contain a secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port is None else f":{self.port}")


# Cached: there are few URLs, and parsing one costs as much as signing a delivery.
@lru_cache(maxsize=1024)
def endpoint(url: str) -> Endpoint:
    """Parse a URL. Raises FaultyUrl unless it is http or https with a valid host and without credentials or fragment."""
    if len(url) > MAX_URL_LENGTH:
        raise FaultyUrl(f"is longer than {MAX_URL_LENGTH} characters")
    from httpx2 import URL, InvalidURL  # nothing is delivered without a subscription

    try:
        parsed = URL(url)
    except InvalidURL as error:
        raise FaultyUrl(f"is not a valid URL: {error}") from error
    if parsed.scheme not in ("https", "http"):
        raise FaultyUrl("must begin with https://")
    if parsed.userinfo:
        raise FaultyUrl("must not contain credentials; receivers verify the signature instead")
    host = parsed.raw_host.decode("ascii")
    if not _HOST.fullmatch(host):
        raise FaultyUrl(f"has an invalid host, {host!r}" if host else "has no host")
    if parsed.fragment:
        raise FaultyUrl("must not have a fragment, which is never sent")
    if parsed.port is not None and not 0 < parsed.port <= _LAST_PORT:
        raise FaultyUrl(f"has an invalid port, {parsed.port}")
    return Endpoint(parsed.scheme, host, parsed.port, parsed.raw_path)


def check_url(url: str, policy: AddressPolicy) -> Endpoint:
    """Parse and check a URL without resolving its host. Raises FaultyUrl."""
    found = endpoint(url)
    if found.scheme == "http" and not policy.allowed:
        raise FaultyUrl("must begin with https://; http is limited to networks in SLATIMER_ALLOW_NETWORKS")
    check_literal(found.host, policy, public=found.scheme == "https")
    return found


def check_literal(host: str, policy: AddressPolicy, *, public: bool = True) -> None:
    """Raises FaultyUrl for an address that a delivery would be refused for. A name is checked at every connection."""
    address = literal(host)
    if address is None and _ends_in_number(host):
        raise FaultyUrl(f"has an invalid host, {host!r}, which is neither a name nor an IP address")
    if address is None:
        return
    try:
        policy.check([address], public=public)
    except RefusedAddress as error:
        raise FaultyUrl(f"must not lead there: {error}") from error
