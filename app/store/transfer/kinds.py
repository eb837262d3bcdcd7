"""Kinds of rows that an export of a desk has, with their fields in the order of the columns.

Names and types of fields are a contract with those who read exports: a field is never renamed or removed, new ones go
to the end and may be null. Neither keys, sessions and secrets nor the addresses of subscriptions and what ticket systems
sent are among them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, Text, and_, bindparam, or_, select
from sqlalchemy.types import TypeEngine

from app.store import tables
from app.store.tables.columns import SubjectText, SubjectTexts


class FieldType(StrEnum):
    """What a field has in the files of an export."""

    TEXT = "text"
    INTEGER = "integer"
    """64 bits."""
    BOOLEAN = "boolean"
    INSTANT = "instant"
    """ISO 8601 in UTC, with six decimals."""
    JSON = "json"
    """In CSV as text."""
    DECIMAL = "decimal"
    """Exact, so in JSON as text."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind, and its column. `never`: null in the files stands for the sentinel `NEVER` in the column."""

    name: str
    type: FieldType
    column: Column[Any]
    never: bool = False

    @property
    def stored_type(self) -> TypeEngine[Any]:
        """How its values are read and written: a subject as its text."""
        return Text() if isinstance(self.column.type, SubjectText | SubjectTexts) else self.column.type


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rows. `name` is that of its files.

    `position`: the column by which rows are only ever appended; an export that goes on reads those after it. Rows of
    other kinds change, so each run reads all of them. `recorded`: the instant by which an export of a period selects.
    """

    name: str
    table: Table
    fields: tuple[Field, ...]
    order: tuple[Column[Any], ...]
    of_desk: ColumnElement[bool]
    position: Column[Any] | None = None
    recorded: Column[Any] | None = None
    imported: bool = True
    may_be_missing: bool = False
    """Exports of earlier releases do not have it; an import has no rows of it then."""


def _kind(name: str, table: Table, listed: str, **given: Any) -> Kind:
    """A kind of one table. `listed` has a field a word: NAME:TYPE, and =COLUMN where the column has another name. Type
    `instant?` is that of an instant that may never come."""
    fields: list[Field] = []
    for word in listed.split():
        written, _, column = word.partition("=")
        field, _, type_ = written.partition(":")
        fields.append(
            Field(field, FieldType(type_.rstrip("?")), table.c[column or field], type_.endswith("?"))
        )
    by_default: dict[str, Any] = {"order": tuple(table.primary_key.columns)}
    if "desk" in table.c:
        by_default["of_desk"] = table.c.desk == bindparam("desk")
    return Kind(name, table, tuple(fields), **(by_default | given))


def _in_order(table: Table) -> ColumnElement[bool]:
    """The condition that a row is of the desk, written so that no index of the desk serves it: rows are read by the
    primary key, in their order. By an index of the desk they would all be sorted first, in memory."""
    return table.c.desk.concat("") == bindparam("desk")


_event, _signal, _acknowledgement = tables.event, tables.signal, tables.acknowledgement

EVENTS: Final = _kind(
    "events",
    _event,
    "position:integer=seq id:text=event_id type:text subject:text ticket:text at:instant sequence:integer "
    "received_at:instant data:json attributes:json digest:text trace:text",
    order=(_event.c.seq,),
    of_desk=_in_order(_event),
    position=_event.c.seq,
    recorded=_event.c.received_at,
)
SIGNALS: Final = _kind(
    "signals",
    _signal,
    "position:integer=seq id:text kind:text subject:text commitment:text queue:text cycle:integer occurrence:text "
    "generation:integer at:instant detected_at:instant commitment_kind:text late:boolean deliver:boolean "
    "stands:boolean rank:integer joined_at:instant body:json trace:text",
    of_desk=_in_order(_signal),
    position=_signal.c.seq,
    recorded=_signal.c.detected_at,
)
RETRACTIONS: Final = _kind(
    "retractions",
    _signal,
    "id:text retracted_by:text retracted_at:instant corrected_at:instant",
    of_desk=and_(
        _signal.c.desk == bindparam("desk"),
        or_(_signal.c.retracted_at.is_not(None), _signal.c.corrected_at.is_not(None)),
    ),
)
"""What happened to signals after they were recorded; a signal itself never changes."""

ACKNOWLEDGEMENTS: Final = _kind(
    "acknowledgements",
    _acknowledgement,
    "breach:text author:text note:text at:instant",
    of_desk=_acknowledgement.c.breach.in_(select(_signal.c.id).where(_signal.c.desk == bindparam("desk"))),
)

KINDS: Final = (
    _kind(
        "versions",
        tables.desk_version,
        "number:integer recorded_at:instant effective_from:instant applied_at:instant applies_to:text agreement:json "
        "calendars:json agreement_text:text calendars_text:json holidays:json digest:text note:text author:text "
        "author_note:text withdrawn_at:instant withdrawn_by:text replaced_by:integer",
    ),
    _kind(
        "contracts",
        tables.contract,
        "contract:text valid_from:text number:integer valid_to:text customer:text document:json recorded_at:instant "
        "recorded_by:text note:text",
    ),
    EVENTS,
    _kind(
        "tickets",
        tables.ticket,
        "ticket:text revision:integer evaluated_at:instant next_at:instant due_at:instant? version:integer status:text "
        "created_at:instant merged_into:text queue:text group_key:text customer:text organisation:text plan:text "
        "level:text priority:text category:text service:text kind:text assignee:text group:text title:text url:text "
        "known_since:instant contract:text contract_key:text customer_key:text reported_revision:integer",
    ),
    _kind(
        "clocks",
        tables.clock,
        "subject:text commitment:text cycle:integer state:text kind:text due_at:instant breached_at:instant met:boolean "
        "started_at:instant ended_at:instant counted_micros:integer=counted target_micros:integer=target_length "
        "late_cause:text first_pause:text",
    ),
    _kind(
        "waits",
        tables.wait_interval,
        "ticket:text number:integer queue:text from_at:instant to_at:instant rank:integer joined_at:instant "
        "created_at:instant cause:text ended_by:text",
    ),
    _kind(
        "subjects",
        tables.subject,
        "subject:text revision:integer evaluated_at:instant next_at:instant written:json",
    ),
    _kind(
        "archive",
        tables.archived_ticket,
        "ticket:text archived_at:instant closed_at:instant events_dropped_at:instant view:json",
    ),
    _kind(
        "parked",
        tables.parked,
        "subject:text error:text first_at:instant last_at:instant times:integer retry_at:instant",
    ),
    _kind(
        "calls",
        tables.average_call,
        "average:text call:text period:instant line:text offered_at:instant answered_at:instant "
        "waited_micros:integer=waited",
    ),
    _kind(
        "allowance_uses",
        tables.allowance_use,
        "allowance:text ticket:text period:instant holder:text at:instant event:text contract:text customer:text "
        "limit:integer exceeded:boolean",
    ),
    _kind("measured_months", tables.measured_month, "measure:text period:instant version:integer"),
    _kind(
        "snapshots",
        tables.snapshot,
        "system:text ticket:text at:instant digest:text created_at:instant state:text webhook:text=hook",
    ),
    _kind("origins", tables.origin, "origin:text name:text event_id:text subject:text at:instant"),
    SIGNALS,
    RETRACTIONS,
    ACKNOWLEDGEMENTS,
    _kind(
        "views",
        tables.desk_view,
        "id:text page:text name:text filters:json created_by:text created_at:instant changed_at:instant",
        may_be_missing=True,
    ),
    _kind(
        "deliveries",
        tables.delivery,
        "subscription:text position:integer=signal subject:text state:text created_at:instant attempts:integer "
        "attempted_at:instant outcome:text status:integer",
        imported=False,
    ),
)
"""Every kind, in the order of import: what others refer to comes first."""
