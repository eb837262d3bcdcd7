"""Contracts: an import from a billing system, checked and previewed before it applies.

`/contracts/{desk}` is the form and `/contracts/{desk}/preview` what a text would change. To import it, the page's script
sends it to `POST /v1/contracts/{desk}/import`, which checks it again by the same functions.
"""

import asyncio
from io import BytesIO
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.flow.agreement.contract_preview import ContractsPreview
from app.flow.agreement.contracts import FaultyContracts
from app.flow.agreement.effects import Effects
from app.flow.importing.contracts import ContractImport, Source, imported, read_rows, read_toml
from app.flow.importing.log_file import OpenLog
from app.intake.importing.unreadable import UnusableLog
from app.settings import Settings
from app.sla.agreement.agreement import Agreement
from app.store.contracts.catalogue import UnknownDesk
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.http.routing import limited_to
from app.web.pages.frame.files.draft import MOST_CHANGES, ConfigureReader
from app.web.pages.frame.files.effects import moved_dates, sentences
from app.web.pages.frame.labels import rule_labels
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room

room = Room("contracts")

FAULTS_SHOWN: Final = 50
"""Faults of an export that a page lists, as of a desk's file."""
EXAMPLE: Final = (
    "id;customer;level;fee_amount;fee_per;currency;valid_from;valid_to\n"
    "C-1001;Acme;gold;49,90;month;EUR;01.01.2026;\n"
)


class ExportText(BaseModel):
    """The text of an export: CSV, JSON lines or TOML."""

    model_config = ConfigDict(extra="forbid")

    text: str


@room.get("/contracts/{desk}")
async def contracts(reader: ConfigureReader, desk: str) -> Response:
    """The form."""
    must_see(reader.caller, desk)
    return room.page(reader, "contracts.html", desk=desk, example=EXAMPLE)


@room.router.post("/contracts/{desk}/preview")
@limited_to(lambda settings: settings.max_body_size)
async def preview_import(reader: ConfigureReader, desk: str, export: ExportText) -> Response:
    """What an export would change, or all of its faults."""
    must_see(reader.caller, desk)
    try:
        context = await _preview(reader, desk, export.text)
    except UnusableLog as error:
        context = {"unusable": str(error)}
    except FaultyContracts as error:
        context = {"faults": error.faults[:FAULTS_SHOWN], "faults_in_all": len(error.faults)}
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    return room.fragment(reader, "preview.html", desk=desk, **context)


async def _preview(reader: Reader, desk: str, text: str) -> dict[str, Any]:
    """Reads and checks off the event loop; compares in slices, between which other requests have their turn."""
    parts, database = reader.runtime, reader.runtime.database
    importing = ContractImport(parts.settings, database, parts.catalogue, desk)
    agreement = await reader.read(importing.agreement)
    source = await asyncio.to_thread(_source, text, agreement, parts.settings)
    stated = await asyncio.to_thread(importing.checked, source, agreement)
    found = imported(source, stated)
    found.changed = await database.read_long(lambda conn: importing.check_all(conn, stated))
    seen = ContractsPreview(Effects(MOST_CHANGES), parts.settings.preview_time_budget.total_seconds())
    for part in importing.by_customer(stated):
        await database.read_long(lambda conn, part=part: importing.preview(conn, part, seen))
    words = room.words(reader)
    labels = {desk: rule_labels(agreement, words.language)}
    return {
        "found": found,
        "sentences": list(sentences(words, seen.effects)),
        "is_complete": seen.is_complete,
        "rows": moved_dates(words, seen.effects, agreement.time_zone, reader.now, labels),
        "rows_in_all": seen.effects.changed,
    }


def _source(text: str, agreement: Agreement, settings: Settings) -> Source:
    """The rows of a text by its first sign, as the page's script names its type to the API. Raises UnusableLog."""
    start, content = text.lstrip()[:1], text.encode()
    if start == "[":
        return read_toml(content, most=settings.contract_import_max)
    name = "contracts.jsonl" if start == "{" else "contracts.csv"
    return read_rows(
        OpenLog(BytesIO(content), len(content), settings.max_body_size),
        name,
        None,
        agreement.time_zone,
        settings,
    )
