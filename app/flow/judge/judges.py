"""Judges of subjects beside tickets: one pure function for each kind, registered here and nowhere else.

A judge gets everything it decides by, so it needs no database: the subject's events in the order of receipt, the
versions of the desk's agreement, the signals that were recorded of the subject, and the instant. An event of a kind
without a judge is stored and not evaluated. Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.sla.agreement.version import Version
from app.sla.clock.signals import RecordedSignal
from app.sla.event import Event
from app.sla.span import Micros
from app.sla.subject import SubjectKind


@dataclass(frozen=True, slots=True)
class SubjectSignal:
    """A signal of a subject that is no ticket, to be recorded.

    Its natural key is (desk, subject, commitment, cycle, kind, occurrence, generation): the table holds it once.
    `retracts` is the id of the recorded signal that it takes back; `details` are the fields that its JSON has besides.
    """

    kind: str
    occurrence: str
    at: Micros
    commitment: str = ""
    cycle: Micros = 0
    generation: int = 0
    commitment_kind: str | None = None
    retracts: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge found: the signals that are not recorded yet, and when to evaluate again though nothing happens."""

    signals: Sequence[SubjectSignal] = ()
    next_at: Micros | None = None


SubjectJudge = Callable[[Sequence[Event], Sequence[Version], Sequence[RecordedSignal], Micros], Judgement]
"""(events, versions, recorded signals, instant) -> what is found."""

JUDGES: Final[Mapping[SubjectKind, SubjectJudge]] = {}
"""The judge of each kind. Tickets have a case of their own: they are judged by the logs of other tickets too."""
