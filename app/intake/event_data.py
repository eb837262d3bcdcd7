"""The parts of an event and the data of each type, as models that check and describe them.

Known fields are checked strictly (a number is not accepted as a text); unknown fields and the data of an unknown type
are kept as they were sent. Instants in `data` stay the text that was sent. The OpenAPI document is made of these
models, so what it documents is what `app.intake.cloudevents` checks.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from app.intake.instant import InstantIn, NotAnInstant, read_instant
from app.intake.validation import shown
from app.sla.event import EventType
from app.sla.span import Micros

MAX_NAME: Final = 255
"""Characters of an id, a subject, a desk or a type: an index holds each, and no ticket system gives longer ones."""

MAX_SEQUENCE: Final = 2**63 - 1
"""What a database's largest integer holds."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00-\x1f\x7f]*$")]
NotEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Text = str | None
"""A field that may be absent, which leaves it as it was, or null, which empties it."""


def read_sequence(value: object) -> int | str:
    """A sequence: a whole number, or a text as the extension of CloudEvents defines it. A text of digits is a number.

    Raises ValueError.
    """
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable():
        number = int(value) if value.isascii() and value.isdigit() else None
        return value if number is None or number > MAX_SEQUENCE else number
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEQUENCE:
        return value
    raise ValueError(
        f"must be a whole number from 0 to {MAX_SEQUENCE} or a text of 1 to {MAX_NAME} characters, got {shown(value)}"
    )


def _date_or_instant(value: str) -> str:
    try:
        date.fromisoformat(value) if len(value) == len("2026-03-06") else read_instant(value)
    except NotAnInstant as error:
        raise ValueError(f"{error}, or as a date, 2026-03-06") from error
    except ValueError as error:
        raise ValueError("is a date that does not exist. Write it as 2026-03-06") from error
    return value


DateText = Annotated[str, AfterValidator(_date_or_instant), Field(examples=["2026-03-06"])]
"""A date, which begins at midnight in the desk's zone, or an instant with an offset."""


Sequence = Annotated[
    int | str,
    PlainValidator(read_sequence),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": MAX_SEQUENCE},
                {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
            ]
        }
    ),
]


class CloudEvent(BaseModel):
    """What happened, as a CloudEvents 1.0 JSON event. Further attributes (extensions) are stored as sent."""

    model_config = ConfigDict(
        strict=True,
        extra="allow",
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
    type: Name = Field(description="an unknown one is stored and counted, and moves no clock")
    subject: Name = Field(description="the ticket's id, or `call:ID`, `service:NAME`")
    time: InstantIn = Field(description="when it happened, with an offset")
    sequence: Sequence = Field(
        default=0,
        description="orders events of one instant: numbers by value, after them texts by their characters",
    )
    datacontenttype: str | None = Field(
        default=None,
        description="any media type of JSON, which is the default",
        examples=["application/json"],
    )
    data: dict[str, Any] | None = Field(
        default=None, description="the fields of the type; further fields are stored as sent"
    )
    data_base64: str | None = Field(
        default=None,
        description="in place of `data`: its JSON in base64",
        examples=["eyJ0aXRsZSI6IkRvd24ifQ=="],
    )


class _Data(BaseModel):
    """Data of any event: the ticket of an event whose subject is a call or a service."""

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
    requested_date: DateText | None = None
    tags: list[str] | None = None
    url: Text = None


Author = Literal["customer", "agent", "system"] | None


class TicketCreated(TicketFields):
    """A new ticket and who opened it: the customer, unless `author` names another."""

    author: Author = None


class Message(_Data):
    """A message, a note or a report. An automatic one satisfies no clock and moves no queue position."""

    author: Author = None
    automatic: bool | None = None
    text: Text = None


class StatusChanged(_Data):
    """The ticket's new status."""

    status: Literal["new", "open", "pending", "on_hold", "solved", "closed"]


class Fact(_Data):
    """A confirmed fact."""

    author: Text = None
    reference: Text = None


class Claim(_Data):
    """A claim, and whether it was accepted."""

    claim: Text = None
    accepted: bool | None = None


class TicketMerged(_Data):
    """The ticket into which this one was merged."""

    into: Name


class TimeSpan(_Data):
    """A span of time, its end not included."""

    start: InstantIn = Field(alias="from")
    end: InstantIn = Field(alias="to")

    @field_validator("end")
    @classmethod
    def _ends_after_it_starts(cls, end: Micros, info: ValidationInfo) -> Micros:
        if "start" in info.data and end <= info.data["start"]:
            raise ValueError("must be after /data/from")
        return end


class ExclusionGranted(TimeSpan):
    """A person excludes a span from some clocks, or from all. The explanation shows who and why."""

    commitments: list[Name] | None = None
    author: NotEmpty
    reason: NotEmpty


class EventWithdrawn(_Data):
    """A person withdraws an event, by its id."""

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
