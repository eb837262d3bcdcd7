"""What an event of each type may be about: a ticket, a service, a call, a contract."""

from collections.abc import Mapping
from typing import Final

from app.intake.validation import shown
from app.sla.event import EventType
from app.sla.subject import Subject, SubjectKind

_ANY: Final = frozenset(SubjectKind) - {SubjectKind.DESK}
_OF_SERVICES: Final = frozenset({SubjectKind.SERVICE, SubjectKind.TICKET})
_OF_CONTRACTS: Final = frozenset({SubjectKind.CONTRACT})
_OF_TICKETS: Final = frozenset({SubjectKind.TICKET})

_SUBJECTS_OF: Final[Mapping[str, frozenset[SubjectKind]]] = {
    EventType.TICKET_CREATED: _OF_TICKETS,
    EventType.TICKET_UPDATED: _OF_TICKETS,
    EventType.TICKET_MERGED: _OF_TICKETS,
    EventType.STATUS_CHANGED: _OF_TICKETS,
    EventType.OUTAGE_STARTED: _OF_SERVICES,
    EventType.OUTAGE_ENDED: _OF_SERVICES,
    EventType.OUTAGE_VERIFIED: _OF_SERVICES,
    EventType.MAINTENANCE_ANNOUNCED: _OF_SERVICES,
    EventType.CREDIT_REQUESTED: _OF_CONTRACTS,
    EventType.CREDIT_GRANTED: _OF_CONTRACTS,
    EventType.CREDIT_REFUSED: _OF_CONTRACTS,
}
"""What an event of a type may be about; any type that is not listed may be about anything."""

_WRITTEN: Final = {
    SubjectKind.TICKET: "a ticket's id",
    SubjectKind.SERVICE: "service:NAME",
    SubjectKind.CALL: "call:ID",
    SubjectKind.CONTRACT: "contract:ID",
}


def subject_fault(kind: str, written: str, *, names_ticket: bool = False) -> str | None:
    """Why an event of this type cannot be about this subject; None when it can.

    `names_ticket`: its data names a ticket, which it then is about as well.
    """
    subject = Subject.parse(written)
    if not subject.id.strip():
        return f"names no {subject.kind}. Write {_WRITTEN.get(subject.kind, 'one')}"
    allowed = _SUBJECTS_OF.get(kind, _ANY)
    if subject.kind in allowed or (names_ticket and allowed is _OF_TICKETS):
        return None
    return f"an event of the type {kind} is about {subjects_of(kind)}, got {shown(written)}"


def subjects_of(kind: str) -> str:
    """What an event of this type may be about, in words."""
    allowed = _SUBJECTS_OF.get(kind, _ANY)
    return " or ".join(words for each, words in _WRITTEN.items() if each in allowed)
