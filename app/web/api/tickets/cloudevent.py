"""Is this one JSON value an event that may be stored, and if not, which place of it is faulty?

An event is a CloudEvents 1.0 JSON object; what `data` holds for each type is a model of its own. Known fields are
checked strictly (no number is taken for a text), unknown fields are kept as they came, and so is an event of an unknown
type. Instants in `data` stay the text that was sent; `time` becomes micros.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from app.sla.event import Event, EventType
from app.sla.span import Micros
from app.web.http.instant import InstantIn
from app.web.http.problems import body_places, pointer

MAX_NAME: Final = 255
"""Characters of an id, a subject, a desk or a type: an index holds each, and no ticket system gives longer ones."""

MAX_DEPTH: Final = 16
"""Levels of nesting in `data`: far more than any ticket system's fields need, far fewer than a parser can stand."""

MAX_SEQUENCE: Final = 2**63 - 1
"""What a database's largest integer holds."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = str | None
"""A field that may be absent, which leaves it as it was, or null, which empties it."""


def _sequence(value: object) -> object:
    # CloudEvents writes the extension as a text, most clients as a number.
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _no_encoded_data(_: object) -> None:
    raise ValueError("is not read here. Send an object as data")


class CloudEvent(BaseModel):
    """What happened, as a CloudEvents 1.0 JSON event. Other attributes may be there and are not kept."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "specversion": "1.0",
                    "id": "e1",
                    "source": "haisoft",
                    "type": "ticket.created",
                    "subject": "4711",
                    "time": "2026-03-06T15:30:00+01:00",
                    "data": {"title": "Server unreachable", "customer": "ACME", "priority": "high"},
                }
            ]
        },
    )

    specversion: Literal["1.0"]
    id: Name = Field(description="with `source` it makes the event idempotent")
    source: Name = Field(description="the desk")
    type: Name = Field(description="an unknown one is kept and counted, and moves no clock")
    subject: Name = Field(description="the ticket's id, or `call:ID`, `service:NAME`")
    time: InstantIn = Field(description="when it happened, with an offset")
    sequence: Annotated[int, BeforeValidator(_sequence), Field(ge=0, le=MAX_SEQUENCE)] = Field(
        default=0, description="orders events of one instant"
    )
    data: dict[str, Any] | None = Field(
        default=None, description="what the type says; further fields are kept"
    )
    data_base64: SkipJsonSchema[Annotated[None, PlainValidator(_no_encoded_data)]] = None


class _Data(BaseModel):
    """What every event's data may hold: the ticket of an event whose subject is a call or a service."""

    model_config = ConfigDict(strict=True, extra="allow")

    ticket: Name | None = None


class TicketFields(_Data):
    """The fields of a ticket; one that is absent stays as it was."""

    title: Text = None
    customer: Text = None
    organisation: Text = None
    contract: Text = None
    plan: Text = None
    level: Text = None
    service: Text = None
    category: Text = None
    kind: Text = None
    priority: Text = None
    status: Literal["new", "open", "pending", "on_hold", "solved", "closed"] | None = None
    channel: Text = None
    queue: Text = None
    assignee: Text = None
    group: Text = None
    domain: Text = None
    tags: list[str] | None = None
    url: Text = None


Author = Literal["customer", "agent", "system"] | None


class TicketCreated(TicketFields):
    """A ticket and who opened it: the customer, unless it says otherwise."""

    author: Author = None


class Message(_Data):
    """A message, a note or a report. An automatic one satisfies no clock and moves nothing."""

    author: Author = None
    automatic: bool | None = None
    text: Text = None


class StatusChanged(_Data):
    """The ticket's new status."""

    status: Literal["new", "open", "pending", "on_hold", "solved", "closed"]


class Fact(_Data):
    """Something that somebody confirms to have happened."""

    author: Text = None
    reference: Text = None


class Claim(_Data):
    """A claim, and whether it was accepted."""

    claim: Text = None
    accepted: bool | None = None


class TicketMerged(_Data):
    """The ticket that took this one in."""

    into: Name


class TimeSpan(_Data):
    """A stretch of time, its end not included."""

    start: InstantIn = Field(alias="from")
    end: InstantIn = Field(alias="to")

    @field_validator("end")
    @classmethod
    def _ends_after_it_starts(cls, end: Micros, info: ValidationInfo) -> Micros:
        if "start" in info.data and end <= info.data["start"]:
            raise ValueError("must be after /data/from")
        return end


class ExclusionGranted(TimeSpan):
    """A person takes a span out of some clocks, or of all."""

    commitments: list[Name] | None = None
    author: Text = None
    reason: Text = None


class EventWithdrawn(_Data):
    """A person takes an event back, by its id."""

    id: Name
    author: Text = None
    reason: Text = None


class Call(_Data):
    """A telephone call, and how long the caller waited."""

    line: Text = None
    waited_seconds: Annotated[float, Field(ge=0)] | None = None


class Outage(_Data):
    """A service is down, back, or verified to be."""

    service: Text = None
    cause: Text = None


class MaintenanceAnnounced(TimeSpan):
    """Work on a service, announced ahead."""

    service: Text = None
    cause: Text = None
    emergency: bool | None = None


DATA_OF: Final[Mapping[EventType, type[_Data]]] = {
    EventType.TICKET_CREATED: TicketCreated,
    EventType.TICKET_UPDATED: TicketFields,
    EventType.CUSTOMER_REPLIED: Message,
    EventType.AGENT_REPLIED: Message,
    EventType.NOTE_ADDED: Message,
    EventType.PROGRESS_REPORTED: Message,
    EventType.STATUS_CHANGED: StatusChanged,
    EventType.CALL_REGISTERED: Fact,
    EventType.REQUEST_READ: Fact,
    EventType.ANOMALY_DETECTED: Fact,
    EventType.INTERVENTION_STARTED: Fact,
    EventType.PART_REPLACED: Fact,
    EventType.SERVICE_RESTORED: Fact,
    EventType.CLAIM_FILED: Claim,
    EventType.CLAIM_ANSWERED: Claim,
    EventType.TICKET_MERGED: TicketMerged,
    EventType.TICKET_DELETED: Fact,
    EventType.EXCLUSION_GRANTED: ExclusionGranted,
    EventType.EVENT_WITHDRAWN: EventWithdrawn,
    EventType.CALL_OFFERED: Call,
    EventType.CALL_ANSWERED: Call,
    EventType.OUTAGE_STARTED: Outage,
    EventType.OUTAGE_ENDED: Outage,
    EventType.OUTAGE_VERIFIED: Outage,
    EventType.MAINTENANCE_ANNOUNCED: MaintenanceAnnounced,
}
_DATA_OF_TYPE: Final[Mapping[str, type[_Data]]] = {str(kind): model for kind, model in DATA_OF.items()}


@dataclass(frozen=True, slots=True)
class Faulty:
    """A value that is no event. `place` is the JSON pointer to its first fault, `reason` names all of them."""

    id: str | None
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Readable:
    """An event and the desk that it is for."""

    desk: str
    event: Event


def read_event(value: object, *, max_text: int) -> Readable | Faulty:
    """What a parsed JSON value says as an event, or which of its places are faulty. `max_text` is in characters."""
    try:
        envelope = CloudEvent.model_validate(value)
    except ValidationError as error:
        return _faulty(_id_of(value), (), error)
    data = envelope.data or {}
    if model := _DATA_OF_TYPE.get(envelope.type):
        try:
            model.model_validate(data)
        except ValidationError as error:
            return _faulty(envelope.id, ("data",), error)
    if data and (fault := _unkeepable(data, ("data",), max_text)):
        return Faulty(envelope.id, fault[0], f"{fault[0]}: {fault[1]}")
    event = Event(
        id=envelope.id,
        type=envelope.type,
        subject=envelope.subject,
        at=envelope.time,
        data=data,
        sequence=envelope.sequence,
    )
    return Readable(envelope.source, event)


def _id_of(value: object) -> str | None:
    given = cast(dict[str, object], value).get("id") if isinstance(value, dict) else None
    return given if isinstance(given, str) else None


def _faulty(event_id: str | None, above: tuple[str, ...], error: ValidationError) -> Faulty:
    places = body_places(error, above)
    reason = "; ".join(f"{place.place or 'the event'}: {place.reason}" for place in places)
    return Faulty(event_id, places[0].place, reason)


def _unkeepable(value: object, path: tuple[object, ...], max_text: int) -> tuple[str, str] | None:
    """Where and why a value within `data` cannot be kept: too deep, too long, or a text that no database holds."""
    if isinstance(value, str):
        if len(value) > max_text:
            return pointer(path), f"has {len(value)} characters, more than {max_text}"
        if "\0" in value:
            return pointer(path), "holds a NUL character. Leave it out"
        return None
    if not isinstance(value, dict | list):
        return None
    if len(path) > MAX_DEPTH:
        return pointer(path), f"is nested deeper than {MAX_DEPTH} levels"
    entries = cast(
        Iterable[tuple[str | int, object]],
        cast(dict[str, object], value).items()
        if isinstance(value, dict)
        else enumerate(cast(list[object], value)),
    )
    for key, inner in entries:
        if isinstance(key, str) and "\0" in key:
            return pointer(path), "has a name with a NUL character. Leave it out"
        # Most values are short texts or numbers: only the others are worth a call.
        if isinstance(inner, str) and len(inner) <= max_text and "\0" not in inner:
            continue
        if fault := _unkeepable(inner, (*path, key), max_text):
            return fault
    return None
