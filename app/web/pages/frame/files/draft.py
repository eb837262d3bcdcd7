"""A draft of a desk's file: read, checked, and previewed. Nothing of it is stored.

The preview is that of `PUT /v1/calendars/{desk}` and `PUT /v1/agreements/{desk}`, from the same functions, and a draft
is applied as they do it.
"""

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from app.flow.agreement import put
from app.flow.agreement.desk_files import (
    DeskFile,
    FaultyFiles,
    FileFault,
    FileKind,
    document_of,
    unreadable,
)
from app.flow.agreement.effective import Unplannable
from app.flow.agreement.put import LARGEST, MOST_NOTE, PutRequest, PutResult
from app.flow.agreement.remarks import FileRemark, remarks_of
from app.flow.query.versions import Part, text_of
from app.flow.query.versions import document_of as document_of_version
from app.sla.agreement.version import AppliesTo
from app.sla.document.faults import Fault
from app.sla.span import Micros, instant
from app.store.engine.database import Connection
from app.store.engine.notify import Announcement
from app.web.http.access import Configurer, must_see
from app.web.http.day import DayOrInstant
from app.web.pages.frame.reader import Reader, reader_of

MOST_CHANGES: Final = 100
"""Due dates that the preview of a page lists, those of the first tickets. The API lists more."""


class DraftText(BaseModel):
    """The text of a draft, as TOML."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=LARGEST)


class DraftToApply(DraftText):
    """A draft, and how it would be put into force, as the API's query states it."""

    applies_to: AppliesTo = AppliesTo.NEW
    effective_from: DayOrInstant | None = None
    note: str | None = Field(None, max_length=MOST_NOTE)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a draft found. `file` is None where its text is not TOML."""

    file: DeskFile | None
    faults: tuple[FileFault, ...]
    remarks: tuple[FileRemark, ...] = ()


async def _configuring(request: Request, caller: Configurer) -> Reader:
    return await reader_of(request, caller)


ConfigureReader = Annotated[Reader, Depends(_configuring)]
"""A reader who may change the desk's files."""


async def draft_start(reader: Reader, part: Part, desk: str) -> str | None:
    """The text that an editor starts from: the one in force; None where the desk has none. Raises Problem."""
    must_see(reader.caller, desk)

    def read(conn: Connection) -> str | None:
        catalogue = reader.runtime.catalogue
        if desk not in catalogue.desks(conn):
            return None
        stored = catalogue.in_force(conn, desk, at=reader.now)
        document = document_of_version(stored, part, desk)
        text = text_of(stored, part, desk)
        if text or not document:
            return text
        import tomlkit  # only an editor writes TOML

        return tomlkit.dumps(document)

    return await reader.read(read)


def read_draft(kind: FileKind, desk: str, text: str) -> DeskFile:
    """A draft as the desk's file. Raises FaultyFiles with the line at which its text is not TOML."""
    try:
        return DeskFile("", desk, kind, document_of(text), text)
    except ValueError as error:
        raise FaultyFiles([unreadable(Path(), error)]) from error


async def check(reader: Reader, kind: FileKind, desk: str, text: str) -> Checked:
    """All faults of a draft and the remarks on it, without looking at any ticket."""
    try:
        # Parsing TOML is slow: it would block the event loop.
        file = await asyncio.to_thread(read_draft, kind, desk, text)
    except FaultyFiles as error:
        return Checked(None, error.faults)
    try:
        if kind is FileKind.CALENDARS:
            await asyncio.to_thread(put.check_calendars, file)
        await _would_put(reader, PutRequest(file, only=reader.caller.desks))
    except FaultyFiles as error:
        return Checked(file, error.faults)
    return Checked(file, (), tuple(remarks_of([file], _today(reader.now))))


async def preview(reader: Reader, kind: FileKind, desk: str, asked: DraftToApply) -> PutResult:
    """What a draft would change. Raises FaultyFiles; a start that is not possible is a fault too."""
    wanted = await _wanted(reader, kind, desk, asked)
    try:
        outcome = await _would_put(reader, wanted)
    except Unplannable as error:
        raise FaultyFiles([_fault_of_start(error)]) from error
    database, catalogue = reader.runtime.database, reader.runtime.catalogue
    # A read for each slice: other desks' requests have their turns in between.
    while (run := outcome.preview) is not None and not run.is_done:
        await database.read_long(lambda conn, run=run: run.step(conn, catalogue))
    return outcome


async def put_draft(reader: Reader, kind: FileKind, desk: str, asked: DraftToApply) -> PutResult:
    """Put a draft into force. Raises FaultyFiles; a start that is not possible is a fault too."""
    runtime = reader.runtime
    wanted = await _wanted(reader, kind, desk, asked)
    try:
        outcome = await runtime.database.write(
            lambda conn, now: put.put_now(conn, now, runtime.assessor, wanted), reader.caller.desks
        )
    except Unplannable as error:
        raise FaultyFiles([_fault_of_start(error)]) from error
    if any(each.tickets for each in outcome.applied):
        runtime.sweeper.on_announcement(Announcement(None, runtime.database.now()))
    return outcome


async def _wanted(reader: Reader, kind: FileKind, desk: str, asked: DraftToApply) -> PutRequest:
    file = await asyncio.to_thread(read_draft, kind, desk, asked.text)
    if kind is FileKind.CALENDARS:
        await asyncio.to_thread(put.check_calendars, file)
    return PutRequest(file, asked.applies_to, reader.caller.desks, asked.effective_from, asked.note)


def _fault_of_start(error: Unplannable) -> FileFault:
    return FileFault("", None, Fault("effective_from", str(error), "Choose another date, or none."))


async def _would_put(reader: Reader, wanted: PutRequest) -> PutResult:
    runtime = reader.runtime
    budget = runtime.settings.preview_time_budget.total_seconds()

    def work(conn: Connection) -> PutResult:
        return put.would_put(
            conn, reader.now, runtime.catalogue, wanted, budget=budget, most_changes=MOST_CHANGES
        )

    return await runtime.database.read(work)


def _today(now: Micros) -> date:
    return instant(now).date()
