"""Guesses of a mapping, for a person to correct: which columns and values mean what, by their names and contents.

A replay never guesses: it reads what a mapping states. `slatimer replay --inspect` prints these guesses as a mapping.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import orjson

from app.intake.event_data import TicketFields
from app.intake.importing.layout import Format, Layout
from app.intake.importing.mapping import STATUS, FieldColumn, Mapped
from app.intake.importing.rows import Row
from app.intake.importing.times import TimeFormat, TimeReader, day_or_month_first
from app.intake.importing.unreadable import UnreadableRow, UnusableLog
from app.sla.calendar.zone import Zone
from app.sla.event import KNOWN_TYPES
from app.sla.ticket import STATUSES

# fmt: off
_TICKET: Final = (
    "case concept name", "ticket", "ticket id", "ticket number", "ticket no", "case id", "case",
    "case number", "issue key", "issue id", "incident", "incident id", "request id", "number", "key", "ref",
    "reference", "id",
)
_TYPE: Final = (
    "concept name", "type", "event type", "event", "activity", "activity name", "action", "new status",
    "new value", "to status", "status", "state", "to",
)
_TIME: Final = (
    "time timestamp", "time", "timestamp", "complete timestamp", "completed at", "event time", "date time",
    "datetime", "occurred at", "changed at", "updated at", "created at", "created", "when", "date",
    "start timestamp",
)
# fmt: on
_FIELD_NAMES: Final = frozenset(TicketFields.model_fields) - {"status", "ticket", "url"}
_SYNONYMS: Final = {
    "customer": ("client", "requester", "account", "company"),
    "assignee": ("assigned to", "owner", "agent", "org resource", "resource"),
    "group": ("team", "assignment group", "org group"),
    "title": ("subject", "summary", "short description"),
    "priority": ("prio", "urgency", "severity", "seriousness"),
    "service": ("product", "application"),
    "tags": ("labels",),
}
_MEANINGS: Final = (
    (r"re-?open", "status:open"),
    (r"clos", "status:closed"),
    (r"resolv|solv|complet|done|fixed", "status:solved"),
    (r"wait|pend|suspend|customer action", "status:pending"),
    (r"hold", "status:on_hold"),
    (r"\A(?>.*?customer).*(repl|respon|comment)", "customer.replied"),
    (r"\A(?>.*?(agent|public|staff)).*(repl|respon|comment)|repl(y|ied)|respon[ds]", "agent.replied"),
    (r"creat|insert|new|opened|submitted|registered", "status:new"),
    (r"open|progress|assign|accept|in charge|active", "status:open"),
)
_ROWS: Final = 50
"""Rows of the sample by which a column of times is recognised."""


def guessed_mapping(columns: Sequence[str], sample: Sequence[Row], given: Mapped | None) -> Mapped:
    """The mapping that the columns and the sample suggest; what `given` states is kept."""
    if given is not None:
        return given
    ticket, kind = _column(columns, _TICKET), _column(columns, _TYPE)
    times = [column for column in _candidates(columns, _TIME) if _has_times(column, sample)]
    time = times[0] if times else next((each for each in columns if _has_times(each, sample)), None)
    taken = {ticket, kind, time}
    fields = {name: FieldColumn(column) for name, column in _fields(columns) if column not in taken}
    guess = Mapped(ticket=ticket or "ticket", type=kind or "type", time=time or "time", fields=fields)
    guess = replace(guess, first_types=("ticket.created",))
    return replace(guess, time_zone="UTC") if _lacks_offset(guess.time, sample) else guess


def with_types(mapping: Mapped, values: Iterable[str]) -> Mapped:
    """The mapping with what the values of its type column suggest, if it states nothing of them."""
    if mapping.types is not None:
        return mapping
    found = {value: meaning for value in values if (meaning := _meaning(value)) is not None}
    if all(found.get(value) == (value,) for value in found) and found:
        return mapping  # the values are event types already
    return replace(mapping, types=found)


def _meaning(value: str) -> tuple[str, ...] | None:
    plain = value.strip().lower()
    if plain in KNOWN_TYPES or (plain.startswith(STATUS) and plain.removeprefix(STATUS) in STATUSES):
        return (plain,)
    if plain.replace(" ", "_") in STATUSES:
        return (STATUS + plain.replace(" ", "_"),)
    return next(((meaning,) for pattern, meaning in _MEANINGS if re.search(pattern, plain[:200])), None)


def _plain(column: str) -> str:
    """The column's name for comparison: words in lower case."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", column)
    return " ".join(re.split(r"[^a-z0-9]+", words.lower())).strip()


def _candidates(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    by_name = {_plain(column): column for column in reversed(columns)}
    return [by_name[name] for name in names if name in by_name]


def _column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    return next(iter(_candidates(columns, names)), None)


def _fields(columns: Sequence[str]) -> Iterable[tuple[str, str]]:
    for name in sorted(_FIELD_NAMES):
        if column := _column(columns, (name, *_SYNONYMS.get(name, ()))):
            yield name, column


def _has_times(column: str, sample: Sequence[Row]) -> bool:
    """Whether every cell of the column in the sample is a time. A number alone is none: it may count anything."""
    cells = [row.cells[column] for row in sample[:_ROWS] if row.cells.get(column) not in (None, "")]
    return bool(cells) and all(_is_time(column, cell) for cell in cells)


def _is_time(column: str, cell: object) -> bool:
    reader = TimeReader(column, TimeFormat.DAY_FIRST, Zone("UTC"))
    swapped = TimeReader(column, TimeFormat.MONTH_FIRST, Zone("UTC"))
    for each in (reader, swapped):
        try:
            each.read(cell)
        except (UnreadableRow, UnusableLog):
            continue
        return True
    return False


def _lacks_offset(column: str, sample: Sequence[Row]) -> bool:
    cells = [row.cells[column] for row in sample[:_ROWS] if row.cells.get(column) not in (None, "")]
    form = day_or_month_first(map(str, cells))
    for cell in cells:
        try:
            TimeReader(column, TimeFormat.DAY_FIRST if form is TimeFormat.AUTO else form, None).read(cell)
        except UnreadableRow as error:
            return "no offset" in str(error)
        except UnusableLog:
            continue
    return False


def mapping_text(mapping: Mapped, layout: Layout, values: Mapping[str, int], *, guessed: bool) -> str:
    """The mapping as a TOML file. `values` are the values of its type column with their number of rows."""
    lines = [
        "# How the rows of the log are read: slatimer replay FILE --desk DESK --mapping THIS_FILE",
        "[file]",
    ]
    lines.append(f"format = {_quoted(layout.format.value)}")
    if layout.format is not Format.XES:
        lines.append(f"encoding = {_quoted(layout.encoding)}")
    if layout.format is Format.CSV:
        lines.append(f"delimiter = {_quoted(layout.delimiter)}")
    lines += ["", "[columns]"]
    lines += [f"{key} = {_quoted(getattr(mapping, key))}" for key in ("ticket", "type", "time")]
    lines += _time_lines(mapping, guessed=guessed)
    if mapping.first_types or mapping.first_data:
        lines += ["", "[first]  # what a ticket's earliest row means besides its own"]
        lines.append(f"types = [{', '.join(map(_quoted, mapping.first_types))}]")
        if mapping.first_data:
            inner = ", ".join(f"{_quoted(k)} = {_quoted(v)}" for k, v in mapping.first_data.items())
            lines.append(f"data = {{ {inner} }}")
    if mapping.fields:
        lines += ["", "[fields]"]
        lines += [f"{_quoted(name)} = {_field_text(column)}" for name, column in mapping.fields.items()]
    if mapping.types is not None:
        lines += ["", "[types]"]
        lines += [_type_line(mapping, value, count) for value, count in values.items()]
    return "\n".join(lines) + "\n"


def _time_lines(mapping: Mapped, *, guessed: bool) -> list[str]:
    lines: list[str] = []
    if mapping.time_format is not TimeFormat.AUTO:
        lines.append(f"time_format = {_quoted(mapping.time_format.value)}")
    if mapping.time_zone is not None:
        remark = "  # the times have no offset: state the zone in which they were written" if guessed else ""
        lines.append(f"time_zone = {_quoted(mapping.time_zone)}{remark}")
    return lines


def _field_text(column: FieldColumn) -> str:
    if not column.values:
        return _quoted(column.column)
    words = ", ".join(f"{_quoted(value)} = {_quoted(word)}" for value, word in column.values.items())
    return f"{{ column = {_quoted(column.column)}, values = {{ {words} }} }}"


def _type_line(mapping: Mapped, value: str, count: int) -> str:
    meaning = mapping.meaning(value)
    if meaning is None:
        return f'# {_quoted(value)} = "status:open"  # {count} rows without a meaning'
    words = _quoted(meaning[0]) if len(meaning) == 1 else f"[{', '.join(map(_quoted, meaning))}]"
    return f"{_quoted(value)} = {words}  # {count} rows"


def _quoted(value: object) -> str:
    """A TOML basic string is written as in JSON; a number or a truth as it is."""
    return orjson.dumps(value).decode().replace("\x7f", "\\u007f")
