"""Addresses of one-time links. Pure."""

from typing import Final
from urllib.parse import urlencode

PATH: Final = "/sign-in/link"
"""The page that asks for a click before it signs in: what previews a link opens it too."""


def link_below(base: str, secret: str, *, go_to: str | None = None) -> str:
    """The address of a link. The secret is in the fragment, which no log and no other site gets.

    `go_to` is the path that is shown afterwards; without one, the settings, where a new person sets a password.
    """
    query = "" if go_to is None else f"?{urlencode({'next': go_to})}"
    return f"{base.rstrip('/')}{PATH}{query}#{secret}"
