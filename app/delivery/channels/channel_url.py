"""Parses the URL of a channel to people: scheme, credentials, host, path and parameters.

The form is the one of apprise, so that URLs from its documentation work. It is bounded before it is parsed, and parsed
without patterns. What is not understood is refused: a parameter that is silently ignored is found out on the day of the
breach.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from app.delivery.address import MAX_URL_LENGTH, FaultyUrl


@dataclass(frozen=True, slots=True)
class ChannelUrl:
    """A parsed URL. `path` and `params` are decoded; `host` may be a token, whose case counts."""

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    path: tuple[str, ...]
    params: Mapping[str, str]

    def only(self, *params: str, parts: Collection[int], user: bool = False, port: bool = False) -> None:
        """Raise FaultyUrl for anything else than these parameters, and another number of path parts."""
        for name in self.params:
            if name not in params:
                allowed = f"allowed are: {', '.join(params)}" if params else "it takes none"
                raise FaultyUrl(
                    f"has a parameter that {self.scheme}:// does not take, {name[:40]!r}; {allowed}"
                )
        if len(self.path) not in parts:
            raise FaultyUrl(
                f"has {len(self.path)} parts after the host; {self.scheme}:// takes {_numbers(parts)}"
            )
        if not user and (self.user or self.password):
            raise FaultyUrl(
                f"names a user, which {self.scheme}:// does not take; leave out what is before the @"
            )
        if not port and self.port is not None:
            raise FaultyUrl(f"names a port, which {self.scheme}:// does not take")


def _numbers(parts: Collection[int]) -> str:
    least, most = min(parts), max(parts)
    return str(least) if least == most else f"{least} to {most}"


def scheme_of(url: str) -> str:
    """The scheme of a URL, in lower case; empty if it has none."""
    scheme, mark, _ = url[:MAX_URL_LENGTH].partition("://")
    return scheme.lower() if mark and scheme.isascii() and scheme.isalnum() else ""


def parse_channel_url(url: str) -> ChannelUrl:
    """Parse a URL. Raises FaultyUrl if it is too long or not a URL."""
    if len(url) > MAX_URL_LENGTH:
        raise FaultyUrl(f"is longer than {MAX_URL_LENGTH} characters")
    if not unquote(url).isprintable():
        raise FaultyUrl("has a line break or a control character")
    scheme = scheme_of(url)
    if not scheme:
        raise FaultyUrl("must begin with a scheme, as mailtos://")
    head, _, query = url.partition("://")[2].partition("?")
    if "#" in query:
        raise FaultyUrl("has a # in its parameters; write %23")
    authority, *path = head.split("/")
    userinfo, _, address = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    host, port = _host_and_port(address)
    return ChannelUrl(
        scheme=scheme,
        user=unquote(user),
        password=unquote(password),
        host=unquote(host),
        port=port,
        path=tuple(unquote(part) for part in path if part.strip()),
        params=_params(query),
    )


def _host_and_port(address: str) -> tuple[str, int | None]:
    """Only digits after the last colon are a port: a token may contain colons."""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, _port(rest.removeprefix(":")) if rest else None
    host, colon, port = address.rpartition(":")
    return (host, _port(port)) if colon and port.isascii() and port.isdigit() else (address, None)


def _port(digits: str) -> int:
    port = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 5 else 0
    if not 0 < port < 1 << 16:
        raise FaultyUrl(f"has an invalid port, {digits[:10]}")
    return port


def _params(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in filter(None, query.split("&")):
        written, _, value = each.partition("=")
        name = unquote(written).strip().lower()
        if name in found:
            raise FaultyUrl(
                f"has the parameter {name[:40]!r} twice; write its values as one list, with commas"
            )
        found[name] = unquote(value).strip()
    return found
