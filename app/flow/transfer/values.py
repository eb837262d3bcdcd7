"""Values as files have them: a row as a line of JSON or CSV, and a line of JSON as a row.

CSV (RFC 4180, without a byte order mark, UTF-8): texts are in quotes, so an empty text differs from an absent value; all
else is not. A text that a spreadsheet would run as a formula gets an apostrophe, so JSON is the exact form.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, cast

import orjson

from app.intake.instant import NotAnInstant, read_instant
from app.sla.span import Micros
from app.store.transfer.kinds import FieldType

DESK: Final = "desk"
"""The first field of every line."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST: Final = 2**63 - 1


class Column(NamedTuple):
    """A field of a file. `required`: no row lacks it."""

    name: str
    type: FieldType
    required: bool = False


class FaultyValue(ValueError):
    """A value is not of its field's type, or is missing."""


def instant_text(at: Micros) -> str:
    """The instant in ISO 8601, UTC, always with six decimals, so that all texts have one form."""
    written = (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds")
    return written.removesuffix("+00:00") + "Z"


def json_line(desk: str, columns: Sequence[Column], row: Mapping[str, Any]) -> bytes:
    """The row as a line of JSON."""
    values = {DESK: desk} | {name: _json(type_, row[name]) for name, type_, _ in columns}
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


def _json(type_: FieldType, value: Any) -> Any:
    if value is None:
        return None
    match type_:
        case FieldType.INSTANT:
            return instant_text(value)
        case FieldType.JSON:
            return orjson.Fragment(value)
        case _:
            return value


def csv_header(columns: Sequence[Column]) -> bytes:
    """The names of the fields as a line of CSV."""
    return (",".join([DESK, *(column.name for column in columns)]) + "\r\n").encode()


def csv_line(desk: str, columns: Sequence[Column], row: Mapping[str, Any]) -> bytes:
    """The row as a line of CSV."""
    cells = [_cell(FieldType.TEXT, desk), *(_cell(type_, row[name]) for name, type_, _ in columns)]
    return (",".join(cells) + "\r\n").encode()


def _cell(type_: FieldType, value: Any) -> str:
    if value is None:
        return ""
    match type_:
        case FieldType.TEXT | FieldType.JSON:
            text = f"'{value}" if value.startswith(_FORMULA) else value
            return '"' + text.replace('"', '""') + '"'
        case FieldType.INSTANT:
            return instant_text(value)
        case FieldType.BOOLEAN:
            return "true" if value else "false"
        case FieldType.INTEGER | FieldType.DECIMAL:
            return str(value)


def read_json_line(desk: str, columns: Sequence[Column], line: bytes) -> dict[str, Any]:
    """The row of a line. A field that a later release has added may be missing. Raises FaultyValue."""
    try:
        given: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise FaultyValue(f"is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise FaultyValue("is no JSON object")
    found = cast(dict[str, Any], given)
    if found.pop(DESK, None) != desk:
        raise FaultyValue(f"is not of the desk {desk!r}")
    if unknown := found.keys() - {column.name for column in columns}:
        raise FaultyValue(
            f"has the unknown field {min(unknown)!r}. A later release wrote it: import it there"
        )
    return {column.name: _read(column, found.get(column.name)) for column in columns}


def _read(column: Column, value: Any) -> Any:
    if value is None:
        if column.required:
            raise FaultyValue(f"{column.name}: is missing")
        return None
    match column.type:
        case FieldType.INSTANT:
            try:
                return read_instant(value)
            except NotAnInstant as error:
                raise FaultyValue(f"{column.name}: {error}") from error
        case FieldType.JSON:
            return orjson.dumps(value).decode()
        case FieldType.BOOLEAN if isinstance(value, bool):
            return value
        case FieldType.INTEGER if type(value) is int and abs(value) <= _LARGEST:
            return value
        case FieldType.TEXT if isinstance(value, str):
            return value
        case _:
            raise FaultyValue(f"{column.name}: is no {column.type.value}")
