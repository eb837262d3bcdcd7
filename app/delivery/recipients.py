"""Does a mail go to everybody whom a URL names?

apprise takes what it understands of a URL and leaves out the rest: a word among addresses, an address behind a `#`, the
first of two `to`. Whoever writes the URL would learn of that on the day of the breach. So what is written is held
against what was taken, once, when a channel is made.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from app.delivery.address import FaultyUrl

_TO: Final = frozenset({"to", "cc", "bcc", "reply"})
"""Parameters that name recipients."""
_OTHERS: Final = frozenset({"from", "name", "user", "pass", "password", "smtp"})
"""Parameters in which an address is nobody's who is written to."""
_PREFIXES: Final = ("+", "-", ":")
"""A parameter that begins so is passed on, as a header of the mail."""

_ADDRESS: Final = r"""[^\s,;:<>"'@]+@[^\s,;:<>"'@]+"""
_NAME: Final = r"""(?:"[^"]*"|'[^']*'|[^\s,;:<>"'@][^,;:<>"'@]*)"""
_RECIPIENT: Final = re.compile(rf"{_NAME}?\s*<({_ADDRESS})>|(?:{_NAME}:)?({_ADDRESS})")
"""`ann@example.org`, `Ann <ann@example.org>` or, as apprise writes it, `Ann:ann@example.org`."""
_WORD: Final = re.compile(r"[^\s,;]+")


def check_recipients(url: str, plugin: Any) -> None:
    """Raise FaultyUrl when a mail would not go to everybody whom the URL names. `plugin` is what apprise made of it.

    A channel that is no mail is let pass.
    """
    if not (hasattr(plugin, "cc") and hasattr(plugin, "bcc")):
        return
    known = recipients(plugin)
    left_out = next((word for word in _written(url, plugin) if word.casefold() not in known), None)
    if left_out is not None:
        raise FaultyUrl(
            f"names {left_out!r}, to whom no mail would go. Write all recipients in one list of addresses, "
            "as in ?to=ann@example.org,bob@example.org"
        )


def recipients(plugin: Any) -> set[str]:
    """The addresses that apprise has taken, of recipients and for replies, in small letters."""
    taken = [one for name in ("targets", "cc", "bcc", "reply_to") for one in getattr(plugin, name, ())]
    # A name stands before its address.
    return {str(one if isinstance(one, str) else one[-1]).casefold() for one in taken}


def _written(url: str, plugin: Any) -> Iterator[str]:
    """Everybody whom the URL names, and whatever stands where only recipients may."""
    read: dict[str, Any] = plugin.parse_url(url) or {}
    head, _, query = url.partition("?")
    parameters = [each.partition("=") for each in re.split("[&;]", query)]
    lists: list[str] = [*read.get("targets", ())]
    strays = [unquote(head.partition("#")[2])]
    for written, _, value in parameters:
        key = unquote(written).strip().lower()
        if key in _TO:
            lists.append(unquote(value))
        elif key not in _OTHERS and not key.startswith(_PREFIXES):
            strays.append(f"{unquote(written)} {unquote(value)}")
    yield from _words(lists)
    for stray in strays:
        yield from (found[0] for found in re.finditer(_ADDRESS, stray))


def _words(lists: Iterable[str]) -> Iterator[str]:
    """Every address in lists of recipients, without its name, and every word that belongs to none."""
    for listed in lists:
        for found in _RECIPIENT.finditer(listed):
            yield found[1] or found[2]
        yield from _WORD.findall(_RECIPIENT.sub(" ", listed))
