"""Judgement: what the judge of a subject beside tickets found. Instants are microseconds UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class SubjectSignal:
    """A signal of a subject that is no ticket, to be recorded.

    Its natural key is (desk, subject, commitment, cycle, kind, occurrence, generation): the table holds it once.
    `retracts` is the id of the recorded signal that it takes back, `corrects` that of one whose instant is `at` and was
    recorded otherwise; `details` are the fields that its JSON has besides.
    """

    kind: str
    occurrence: str
    at: Micros
    commitment: str = ""
    cycle: Micros = 0
    generation: int = 0
    commitment_kind: str | None = None
    retracts: str | None = None
    corrects: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge found: the signals that are not recorded yet, and when to evaluate again though nothing happens."""

    signals: Sequence[SubjectSignal] = ()
    next_at: Micros | None = None
