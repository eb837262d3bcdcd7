"""Tables as files, CSV or XLSX: numbers are numbers, dates are dates, and no text is a formula.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, also from a file that someone else's
ticket has named. In CSV such a text gets an apostrophe, by which spreadsheets know a text; in XLSX a text is written as
a text.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any, Final

from starlette.responses import Response

from app.flow.query.spreadsheet import text_cell
from app.web.api.reports.workbook import Cell, as_xlsx
from app.web.http.responses import NO_STORE

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE: Final = "text/csv"
FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            CSV_TYPE: {"schema": {"type": "string"}},
            XLSX_TYPE: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}
"""What a route declares that answers with files besides JSON."""


class Format(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


_TYPES: Final = {"application/json": Format.JSON, CSV_TYPE: Format.CSV, XLSX_TYPE: Format.XLSX}


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a name, for the file, and a header."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def chosen_format(accept: str | None) -> Format:
    """The format that a header `Accept` prefers: of those that it names, the one of the highest weight."""
    best, found = 0.0, Format.JSON
    for entry in (accept or "").split(","):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = _weight(parameters)
        if media_type in _TYPES and weight > best:
            best, found = weight, _TYPES[media_type]
    return found


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def in_format(table: Table, chosen: Format) -> Response:
    """The table as a file to save."""
    is_csv = chosen is Format.CSV
    content = "".join(as_csv(table)).encode() if is_csv else as_xlsx(table.columns, table.rows)
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.{chosen.value}"'}
    media_type = f"{CSV_TYPE}; charset=utf-8" if is_csv else XLSX_TYPE
    return Response(content, media_type=media_type, headers=NO_STORE | headers)


def as_csv(table: Table) -> Iterator[str]:
    """The lines of the table as CSV (RFC 4180), with a byte order mark: without one, Excel reads no UTF-8."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield "\ufeff"
    for row in (table.columns, *table.rows):
        writer.writerow([_csv_cell(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return text_cell(cell)
    if isinstance(cell, datetime):
        # A date alone is one to every spreadsheet; with a time only some know it, LibreOffice as in ISO 8601.
        return (cell.date() if cell.time() == time.min else cell).isoformat()
    return "" if cell is None else str(cell)
