"""PUT of a desk's calendar file or agreement file.

One document for each desk, as in the files: TOML, with its comments, or JSON of the same shape. A key of one desk reads
and changes that desk only. A faulty document is refused as a whole, with every faulty place as a JSON pointer, and the
line where it was sent as TOML.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.agreement import put
from app.flow.agreement.apply import Applied
from app.flow.agreement.desk_files import DeskFile, FaultyFiles, FileKind, document_of
from app.flow.agreement.effective import Unplannable
from app.flow.agreement.put import LARGEST, MOST_NOTE, PutRequest, PutResult
from app.flow.agreement.remarks import remarks_of
from app.flow.query.serialize import instant_text
from app.intake.data_fields import MAX_NAME
from app.sla.clock.evaluation import AppliesTo
from app.sla.span import Micros, instant
from app.store.engine.database import Connection
from app.store.engine.notify import Announcement
from app.web.api.desks.document_places import place_of, remark_json
from app.web.api.desks.preview_summary import MOST_CHANGES, DueChange, PreviewSummary, change_json, summary
from app.web.http.access import Caller, must_see
from app.web.http.bodies import media_type_of, parse, text_of
from app.web.http.day import DayOrInstant
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Place, Problem, invalid
from app.web.http.responses import Json
from app.web.http.running import WebRuntime, running

JSON: Final = "application/json"
TOML: Final = "application/toml"

DeskToPut = Annotated[
    str, Path(description="the desk; a first document makes a new one known", examples=["haisoft"])
]


class PutQuestion(BaseModel):
    """Whether to write, from when on, and for which tickets."""

    model_config = ConfigDict(extra="forbid")

    preview: bool = Field(False, description="show what would change, and write nothing")
    applies_to: AppliesTo = Field(
        AppliesTo.NEW,
        description="`new` tickets only, `open` ones too, from their start, or the `rest` of their lives",
    )
    effective_from: DayOrInstant | None = Field(
        None,
        description="an instant ahead, or a date of the desk's zone; without it, as soon as it is stored",
    )
    note: str | None = Field(
        None, max_length=MOST_NOTE, description="why: kept with the version, shown in its lists and signals"
    )


Asked = Annotated[PutQuestion, Query()]


class NewVersion(BaseModel):
    """A version that the document makes, of this desk or of one that counts by its calendars."""

    desk: str
    number: int = Field(examples=[2])
    tickets: int | None = Field(description="how many are evaluated again because of it; null in a preview")
    note: str | None = Field(
        description="what it changes in the holidays",
        examples=["holidays 0.112: NL 2026-05-05 added: Liberation Day"],
    )
    effective_from: InstantOut | None = Field(description="when it comes into force, if that lies ahead")
    applies_to: AppliesTo
    replaces: list[int] = Field(description="planned versions whose place it takes")


class DocumentRemark(BaseModel):
    """What is allowed in the document and seldom meant. It refuses nothing."""

    pointer: str = Field(description="JSON pointer", examples=["/calendars/desk/hours/mon-fri/0"])
    line: int | None = Field(description="where the document was sent as TOML")
    text: str = Field(examples=['"00:00-23:59" leaves the last minute of the day closed'])
    advice: str = Field(examples=['Write "00:00-24:00".'])


class DocumentPut(BaseModel):
    """What the document changed, or in a preview would change."""

    desk: str
    version: int = Field(description="the desk's version with this document")
    preview: bool
    applies_to: AppliesTo
    versions: list[NewVersion] = Field(description="empty when all of it is in force already")
    changes: list[DueChange] | None = Field(
        description=f"in a preview, the first {MOST_CHANGES:,}, by desk and ticket; else null"
    )
    changes_in_all: int | None = Field(description="in a preview, how many there are; else null")
    summary: PreviewSummary | None = Field(description="in a preview; else null")
    remarks: list[DocumentRemark]


def body_of(json: Mapping[str, Any], toml: str) -> dict[str, Any]:
    """The OpenAPI description of a body, with an example in both forms."""
    return {
        "requestBody": {
            "required": True,
            "description": "The desk's file, whole, as TOML or as JSON of the same shape.",
            "content": {
                JSON: {"schema": {"type": "object"}, "example": json},
                TOML: {"schema": {"type": "string"}, "example": toml},
            },
        }
    }


async def put_document(
    request: Request, caller: Caller, kind: FileKind, desk: str, asked: PutQuestion
) -> Response:
    """Put a body into force as this desk's document, or preview it. Raises Problem."""
    must_see(caller, desk)
    if not put.is_name_of_desk(desk):
        reason = f"is not a name of a desk: {MAX_NAME} characters without space, slash, dot, bracket and star"
        raise invalid([Place("path", "desk", reason)])
    media_type = media_type_of(request, (JSON, TOML))
    body = await request.body()
    if len(body) > LARGEST:
        raise Problem(Kind.TOO_LARGE, f"A document of {len(body)} bytes is longer than {LARGEST}.")
    # Parsing TOML is slow: it would block the event loop.
    file = await asyncio.to_thread(_read, body, media_type, kind, desk)
    wanted = PutRequest(file, asked.applies_to, caller.desks, asked.effective_from, asked.note)
    try:
        if kind is FileKind.CALENDARS:
            await asyncio.to_thread(put.check_calendars, file)
        outcome = await (_would_put if asked.preview else _put)(running(request), wanted)
    except FaultyFiles as error:
        raise invalid(place_of(file, fault) for fault in error.faults) from error
    except Unplannable as error:
        raise invalid([Place("query", "effective_from", str(error))]) from error
    today = instant(running(request).database.now()).date()
    return Json(
        _answer(desk, asked, outcome)
        | {"remarks": [remark_json(file, each) for each in remarks_of([file], today)]}
    )


def _read(body: bytes, media_type: str, kind: FileKind, desk: str) -> DeskFile:
    """The body as the desk's file. Raises Problem when it is not TOML, or not JSON with an object."""
    if media_type == TOML:
        text = text_of(body)
        try:
            return DeskFile("", desk, kind, document_of(text), text)
        except ValueError as error:
            place = Place("body", "", str(error))
            raise Problem(Kind.UNREADABLE, f"The body is not TOML: {error}.", errors=[place]) from error
    value = parse(body)
    if not isinstance(value, dict):
        raise invalid([Place("body", "", "is not an object")])
    return DeskFile("", desk, kind, cast("dict[str, Any]", value), "")


async def _put(parts: WebRuntime, wanted: PutRequest) -> PutResult:
    def work(conn: Connection, now: Micros) -> PutResult:
        return put.put_now(conn, now, parts.assessor, wanted)

    outcome = await parts.database.write(work)
    if any(each.tickets for each in outcome.applied):
        parts.sweeper.on_announcement(Announcement(None, parts.database.now()))
    return outcome


async def _would_put(parts: WebRuntime, wanted: PutRequest) -> PutResult:
    budget = parts.settings.preview_time_budget.total_seconds()

    def work(conn: Connection) -> PutResult:
        now = parts.database.now()
        return put.would_put(conn, now, parts.catalogue, wanted, budget=budget, most_changes=MOST_CHANGES)

    outcome = await parts.database.read(work)
    # A read for each slice: other desks' requests have their turns in between.
    while (run := outcome.preview) is not None and not run.is_done:
        await parts.database.read_long(lambda conn, run=run: run.step(conn, parts.catalogue))
    return outcome


def _answer(desk: str, asked: PutQuestion, outcome: PutResult) -> dict[str, Any]:
    run = outcome.preview
    return {
        "desk": desk,
        "version": outcome.number,
        "preview": asked.preview,
        "applies_to": asked.applies_to.value,
        "versions": [_version(each, preview=asked.preview) for each in outcome.applied],
        "changes": None if run is None else [change_json(each) for each in run.effects.changes],
        "changes_in_all": None if run is None else run.effects.changed,
        "summary": None if run is None else summary(run),
    }


def _version(applied: Applied, *, preview: bool) -> dict[str, Any]:
    return {
        "desk": applied.desk,
        "number": applied.number,
        "tickets": None if preview else applied.tickets,
        "note": applied.note,
        "effective_from": instant_text(applied.effective_from),
        "applies_to": applied.applies_to.value,
        "replaces": list(applied.replaces),
    }
