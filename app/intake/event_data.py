"""The parts of an event and the data of each type, as models that check and describe them.

Known fields are checked strictly (a number is not accepted as a text); unknown fields and the data of an unknown type
are kept as they were sent. Instants in `data` stay the text that was sent. The OpenAPI document is made of these
models, so what it documents is what `app.intake.cloudevents` checks.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.intake.contract_data import (
    Call,
    Claim,
    CreditDecision,
    ExclusionGranted,
    MaintenanceAnnounced,
    Outage,
)
from app.intake.data_fields import Data, DateText, Name, Sequence, Text
from app.intake.instant import InstantIn
from app.sla.event import EventType


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
    subject: Name = Field(description="the ticket's id, or `service:NAME`, `call:ID`, `contract:ID`")
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


class TicketFields(Data):
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


class Message(Data):
    """A message, a note or a report. An automatic one satisfies no clock and moves no queue position."""

    author: Author = None
    automatic: bool | None = None
    text: Text = None


class StatusChanged(Data):
    """The ticket's new status."""

    status: Literal["new", "open", "pending", "on_hold", "solved", "closed"]


class Fact(Data):
    """A confirmed fact."""

    author: Text = None
    reference: Text = None


class TicketMerged(Data):
    """The ticket into which this one was merged."""

    into: Name


class EventWithdrawn(Data):
    """A person withdraws an event, by its id."""

    id: Name
    author: Text = None
    reason: Text = None


DATA_OF: Final[Mapping[EventType, type[Data]]] = {
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
    EventType.CREDIT_REQUESTED: CreditDecision,
    EventType.CREDIT_GRANTED: CreditDecision,
    EventType.CREDIT_REFUSED: CreditDecision,
}
