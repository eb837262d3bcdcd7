"""Signals of an average: what of a month's state is not recorded yet.

A breach is recorded at the end of the month and retracted when a later fact shows that it was none. A warning is
recorded once a month, while the month can still be saved, and never retracted: it was about the mean so far. Instants
are microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.sla.average.month import AverageState, Month
from app.sla.clock.signals import RecordedSignal
from app.sla.span import Micros

WARNED: Final = "average.warned"
BREACHED: Final = "average.breached"
RETRACTED: Final = "average.breach_retracted"
AVERAGE_SIGNALS: Final = (WARNED, BREACHED, RETRACTED)


@dataclass(frozen=True, slots=True)
class AverageSignal:
    """A signal to record. `retracts` is the id of the recorded breach that it takes back."""

    kind: str
    at: Micros
    generation: int = 0
    retracts: str | None = None


def average_signals(month: Month, recorded: Iterable[RecordedSignal]) -> list[AverageSignal]:
    """What is true of this month and not recorded. `recorded` are the signals of the average's subject."""
    mine = [s for s in recorded if (s.commitment, s.cycle) == (month.rule.id, month.period.start)]
    found: list[AverageSignal] = []
    warned_at = month.warned_at if month.state is AverageState.RUNNING else None
    if warned_at is not None and not any(s.kind == WARNED for s in mine):
        found.append(AverageSignal(WARNED, warned_at))
    breaches = [s for s in mine if s.kind == BREACHED]
    valid = next((s for s in breaches if not s.retracted), None)
    breached_at = month.breached_at
    if valid is None and breached_at is not None:
        found.append(AverageSignal(BREACHED, breached_at, len(breaches)))
    elif valid is not None and breached_at is None:
        found.append(AverageSignal(RETRACTED, valid.at, valid.generation, valid.id))
    return found
