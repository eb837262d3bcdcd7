"""Host names under which the service answers.

The owner of a domain can let its name lead to this service's address (DNS rebinding), and a page of that domain is then
of one origin with the service. Such a page has no cookie of ours, so only what is given without a key must be refused.
"""

from collections.abc import Collection
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_LOCAL: Final = "localhost"
ANY_HOST_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Read by machines, which address a process by its IP address."""


def name_of(host: str) -> str:
    """The name or address of a Host header, in lower case; empty when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_allowed(host: str, path: str, allowed: Collection[str]) -> bool:
    """Whether a request for this Host and path is answered."""
    return not allowed or path in ANY_HOST_PATHS or name_of(host) in {each.lower() for each in allowed}


def is_own_name(host: str, allowed: Collection[str]) -> bool:
    """Whether no other site can have made this name lead here: it is allowed, local or an address."""
    name = name_of(host)
    return name == _LOCAL or name in {each.lower() for each in allowed} or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
