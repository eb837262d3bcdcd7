"""Readers of the settings, by the permission that a page requires; and the zone in which they read times."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.web.http.access import Auditor, PeopleAdmin
from app.web.pages.frame.reader import Reader, reader_of

OTHERWISE: Final = "UTC"
"""The zone of a reader whose own is not known: settings are about no desk, whose zone could serve."""


async def _managing(request: Request, caller: PeopleAdmin) -> Reader:
    return await reader_of(request, caller)


async def _auditing(request: Request, caller: Auditor) -> Reader:
    return await reader_of(request, caller)


PeopleReader = Annotated[Reader, Depends(_managing)]
"""A reader who manages people and keys."""
AuditReader = Annotated[Reader, Depends(_auditing)]
"""A reader who may read the audit log."""


def zone_of(reader: Reader) -> str:
    """The reader's own zone, else UTC."""
    return reader.choices.zone or OTHERWISE
