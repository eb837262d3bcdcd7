"""Addresses of one-time links. Pure."""

from typing import Final

PATH: Final = "/sign-in/link"
"""The page that asks for a click before it signs in: what previews a link opens it too."""


def link_below(base: str, secret: str) -> str:
    """The address of a link. The secret is in the fragment, which no log and no other site gets."""
    return f"{base.rstrip('/')}{PATH}#{secret}"
