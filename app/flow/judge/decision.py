"""Decisions of people on credits: a request, a grant or a refusal, as the event that is recorded."""

from collections.abc import Mapping
from typing import Any, Final

from app.flow.judge.receive import Incoming
from app.flow.judge.record import fact
from app.sla.agreement.credit import CreditOwed
from app.sla.credit.claim import CAUSE_WITHDRAWN, CreditState
from app.sla.event import EventType
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind

DECISIONS: Final[Mapping[str, EventType]] = {
    "request": EventType.CREDIT_REQUESTED,
    "grant": EventType.CREDIT_GRANTED,
    "refuse": EventType.CREDIT_REFUSED,
}
"""The event of each decision, by its name in addresses."""


class ChangesNothing(ValueError):
    """The decision is not possible now, and why."""


def decision(
    document: Mapping[str, Any], kind: EventType, *, author: str, reason: str, at: Micros, max_text: int
) -> Incoming:
    """The event of a decision on a credit, of which this is the document. Raises ChangesNothing and FaultyFact."""
    if (fault := _fault(kind, document)) is not None:
        raise ChangesNothing(fault)
    withdrawn = {CAUSE_WITHDRAWN: True} if _is_withdrawn(document) else {}
    return fact(
        document["desk"],
        Subject(SubjectKind.CONTRACT, document["contract"]).text,
        kind,
        at=at,
        author=author,
        reason=reason,
        max_text=max_text,
        more={"credit": document["id"], **withdrawn},
    )


def _is_withdrawn(document: Mapping[str, Any]) -> bool:
    """Whether its cause was retracted, decided since or not."""
    return any(each["state"] == CreditState.WITHDRAWN for each in document["transitions"])


def _fault(kind: EventType, document: Mapping[str, Any]) -> str | None:
    """Why a fact would change nothing."""
    state = document["state"]
    if kind is EventType.CREDIT_REQUESTED and document["owed"] == CreditOwed.AUTOMATIC:
        return "The credit is owed without being asked for."
    if kind is EventType.CREDIT_REQUESTED and state == CreditState.LAPSED:
        return f"The time to claim it ended at {document['claim_by']}. It can still be granted."
    if kind is EventType.CREDIT_REQUESTED and _is_withdrawn(document):
        return "It was withdrawn: its cause no longer stands. A lead grants it all the same, or refuses it."
    if state == CreditState.ACCRUING:
        return f"It still accrues, until {document['arises_at'] or 'the interruption is over'}. Decide then."
    return None
