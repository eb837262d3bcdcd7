"""Import of contracts over HTTP: a whole export in one request, checked whole, stored in slices.

Between two slices the writer serves the events of all desks. The parsing runs beside the event loop.
"""

import asyncio
from io import BytesIO
from typing import Annotated, Any, Final

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.effects import Effects
from app.flow.importing.contracts import (
    ContractImport,
    Imported,
    Source,
    add_put,
    imported,
    read_rows,
    read_toml,
)
from app.flow.importing.log_file import OpenLog
from app.intake.importing.unreadable import UnusableLog
from app.settings import Settings
from app.sla.agreement.agreement import Agreement
from app.store.engine.notify import Announcement
from app.web.api.contracts.contract_view import Desk
from app.web.api.contracts.faults import invalid_rows
from app.web.api.desks.preview_summary import MOST_CHANGES, ChangedCredits, DueChange, contracts_summary
from app.web.http.access import Configurer, must_see
from app.web.http.bodies import media_type_of
from app.web.http.problems import Kind, Place, Problem, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

router = Router(prefix="/v1/contracts", tags=["contracts"])

CSV: Final = "text/csv"
TOML: Final = "application/toml"
_NAMES: Final = {
    CSV: "contracts.csv",
    "application/jsonl": "contracts.jsonl",
    "application/x-ndjson": "contracts.jsonl",
}
_MEDIA_TYPES: Final = (*_NAMES, TOML)

_CSV: Final = (
    "id;customer;level;fee_amount;fee_per;currency;valid_from;valid_to\n"
    "C-1001;Acme;gold;49,90;month;EUR;01.01.2026;\n"
)
_JSON_LINES: Final = (
    '{"id":"C-1001","customer":"Acme","fee":{"amount":"49.90","per":"month"},"valid_from":"2026-01-01"}\n'
)
_TOML: Final = (
    '[contracts.C-1001]\ncustomer = "Acme"\nvalid_from = 2026-01-01\n'
    'fee = { amount = "49.90", per = "month" }\n'
)


class ImportQuery(BaseModel):
    """Whether to write, and why."""

    model_config = ConfigDict(extra="forbid")

    preview: bool = Field(False, description="check everything, show what would change, and write nothing")
    note: str | None = Field(None, max_length=500, description="why, for the record")


class ContractsImported(BaseModel):
    """What became of an export, or in a preview would."""

    desk: str
    preview: bool
    layout: str = Field(examples=["CSV, delimiter semicolon, utf-8"])
    terms: int = Field(description="terms that were read")
    contracts: int
    changed: int = Field(description="contracts that are new or changed; the others are as before")
    tickets: int | None = Field(description="how many are evaluated again because of it; null in a preview")
    unread: list[str] = Field(description="columns that no key was read from")
    changes: list[DueChange] | None = Field(
        description=f"in a preview the first {MOST_CHANGES:,} due dates of tickets that would move, else null"
    )
    changes_in_all: int | None = Field(description="in a preview, how many there are; else null")
    late_added: int | None = Field(description="in a preview, clocks that would be late; else null")
    late_removed: int | None = Field(
        description="in a preview, clocks that would not be late any more; else null"
    )
    closed_tickets: list[str] | None = Field(
        None,
        description="in a preview, closed tickets of which a breach would appear or fall away, the first "
        f"{MOST_CHANGES:,}; else null",
    )
    closed_tickets_in_all: int | None = Field(None, description="in a preview, how many there are; else null")
    sentence: str | None = Field(None, description="in a preview, all of it in words; else null")
    complete: bool | None = Field(
        None, description="in a preview, false where the time budget did not suffice; else null"
    )
    credits: list[ChangedCredits] | None = Field(
        None, description="in a preview, the currencies in which another sum is credited; else null"
    )


def _body() -> dict[str, Any]:
    examples = {CSV: _CSV, "application/jsonl": _JSON_LINES, "application/x-ndjson": _JSON_LINES, TOML: _TOML}
    return {
        "requestBody": {
            "required": True,
            "description": "CSV with the keys of a contract as columns, one JSON object a line, or TOML.",
            "content": {
                media_type: {"schema": {"type": "string"}, "example": example}
                for media_type, example in examples.items()
            },
        }
    }


@router.post(
    "/{desk}/import",
    summary="Import contracts",
    operation_id="import_contracts",
    response_model=ContractsImported,
    responses=problems(400, 401, 403, 404, 413, 415, 422, 503),
    openapi_extra=_body(),
)
async def import_contracts(
    request: Request, caller: Configurer, desk: Desk, asked: Annotated[ImportQuery, Query()]
) -> Response:
    """Takes an export of a billing system. Importing it again changes nothing.

    All of it is checked first, and with one fault nothing is stored. `slatimer contracts import` also takes a mapping,
    for columns of other names.
    """
    parts = running(request)
    must_see(caller, desk)
    media_type = media_type_of(request, _MEDIA_TYPES)
    body = await request.body()
    importing = ContractImport(parts.settings, parts.database, parts.catalogue, desk)
    try:
        agreement = await parts.database.read(importing.agreement)
        source = await asyncio.to_thread(_read, body, media_type, agreement, parts.settings)
        found = await _run(parts, importing, source, agreement, asked)
    except UnusableLog as error:
        place = Place("body", "", str(error))
        raise Problem(Kind.UNREADABLE, f"The contracts cannot be read: {error}.", errors=[place]) from error
    except FaultyContracts as error:
        raise invalid_rows(error) from error
    return Json(_answer(desk, found, asked))


def _read(body: bytes, media_type: str, agreement: Agreement, settings: Settings) -> Source:
    if media_type == TOML:
        return read_toml(body, most=settings.contract_import_max)
    log = OpenLog(BytesIO(body), len(body), settings.max_body_size)
    return read_rows(log, _NAMES[media_type], None, agreement.time_zone, settings)


async def _run(
    parts: WebRuntime, importing: ContractImport, source: Source, agreement: Agreement, asked: ImportQuery
) -> Imported:
    """As `ContractImport.run`, with other requests between the slices."""
    stated = await asyncio.to_thread(importing.checked, source, agreement)
    found = imported(source, stated)
    would_change = await parts.database.read_long(lambda conn: importing.check_all(conn, stated))
    budget = parts.settings.preview_time_budget.total_seconds()
    seen = ContractsPreview(Effects(MOST_CHANGES), budget) if asked.preview else None
    for part in importing.slices(stated) if seen is None else importing.by_customer(stated):
        if seen is not None:
            await parts.database.read_long(lambda conn, part=part: importing.preview(conn, part, seen))
        else:
            done = await parts.database.write(
                lambda conn, now, part=part: importing.put(conn, now, part, asked.note)
            )
            add_put(found, done)
    if asked.preview:
        found.changed, found.seen = would_change, seen
    elif found.tickets:
        parts.sweeper.on_announcement(Announcement(None, parts.database.now()))
    return found


def _answer(desk: str, found: Imported, asked: ImportQuery) -> dict[str, Any]:
    preview = asked.preview
    return {
        "desk": desk,
        "preview": preview,
        "layout": found.layout,
        "terms": found.terms,
        "contracts": found.contracts,
        "changed": found.changed,
        "tickets": None if preview else found.tickets,
        "unread": found.unread,
        **contracts_summary(found.seen),
    }
