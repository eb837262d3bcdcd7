"""Addresses of pages that are named after what comes from outside."""

from typing import Final
from urllib.parse import quote, urlencode

_DOTS: Final = frozenset({".", ".."})


def ticket_path(desk: str, ticket: str, **query: str) -> str:
    """The address of a ticket's page.

    Browsers remove the parts `.` and `..` from a path, encoded ones too: the page of `../4711` would be that of another
    ticket. Such a ticket is named in the query.
    """
    if not _DOTS.isdisjoint(ticket.split("/")):
        return "/ticket?" + urlencode({"desk": desk, "ticket": ticket, **query})
    path = f"/tickets/{quote(desk, safe='')}/{quote(ticket)}"
    return f"{path}?{urlencode(query)}" if query else path
