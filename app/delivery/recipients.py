"""Checks that a mail URL reaches every recipient it names.

apprise silently ignores what it does not understand: a word among addresses, an address after a `#`, the first of two
`to`. That would be found out on the day of the breach. So the recipients in the URL are compared with those that
apprise has read, once, when the subscription is created or changed.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from app.delivery.address import FaultyUrl

_TO: Final = frozenset({"to", "cc", "bcc", "reply"})
"""Parameters that name recipients."""
_OTHERS: Final = frozenset({"from", "name", "user", "pass", "password", "smtp"})
"""Parameters whose addresses are not recipients."""
_PREFIXES: Final = ("+", "-", ":")
"""Prefixes of parameters that become headers of the mail."""

_ADDRESS: Final = r"""[^\s,;:<>"'@]+@[^\s,;:<>"'@]+"""
_NAME: Final = r"""(?:"[^"]*"|'[^']*'|[^\s,;:<>"'@][^,;:<>"'@]*)"""
_RECIPIENT: Final = re.compile(rf"{_NAME}?\s*<({_ADDRESS})>|(?:{_NAME}:)?({_ADDRESS})")
"""`ann@example.org`, `Ann <ann@example.org>` or apprise's `Ann:ann@example.org`."""
_WORD: Final = re.compile(r"[^\s,;]+")


def check_recipients(url: str, plugin: Any) -> None:
    """Raise FaultyUrl if the URL names a recipient that would get no mail. `plugin` is apprise's object for it.

    URLs of other services than mail pass.
    """
    if not (hasattr(plugin, "cc") and hasattr(plugin, "bcc")):
        return
    known = recipients(plugin)
    ignored = next((word for word in _written(url, plugin) if word.casefold() not in known), None)
    if ignored is not None:
        raise FaultyUrl(
            f"names {ignored!r}, who would get no mail. Write all recipients as one list of addresses, "
            "as in ?to=ann@example.org,bob@example.org"
        )


def recipients(plugin: Any) -> set[str]:
    """The addresses that apprise has read, of recipients and for replies, casefolded."""
    read = [one for name in ("targets", "cc", "bcc", "reply_to") for one in getattr(plugin, name, ())]
    # A pair is (name, address).
    return {str(one if isinstance(one, str) else one[-1]).casefold() for one in read}


def _written(url: str, plugin: Any) -> Iterator[str]:
    """The recipients that the URL names, and any other word in a place for recipients."""
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
    """The addresses in lists of recipients, without names, and the words that belong to none."""
    for listed in lists:
        for found in _RECIPIENT.finditer(listed):
            yield found[1] or found[2]
        yield from _WORD.findall(_RECIPIENT.sub(" ", listed))
