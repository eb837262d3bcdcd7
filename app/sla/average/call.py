"""A call from its facts: when it was offered, on which line, and how long the caller waited.

A call belongs to the first of its offers that stands, and is answered by the first answer at or after it. The wait is
what the system sends as `waited_seconds`, else the real time from the offer to the answer. Instants are microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from app.sla.event import Event, EventType, in_order
from app.sla.span import DAY, SECOND, Micros

LONGEST_WAIT: Final = DAY
"""A longer `waited_seconds` is a mistake of its sender (milliseconds, an instant), and is left out. So the waits of a
month add up to less than a database's largest integer."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was offered. `answered_at` and `waited` are none while it is not answered."""

    id: str
    offered_at: Micros
    line: str | None = None
    answered_at: Micros | None = None
    waited: Micros | None = None

    def is_answered(self, at: Micros) -> bool:
        """Whether it was answered by an instant."""
        return self.answered_at is not None and self.answered_at <= at


def call_of(events: Iterable[Event]) -> Call | None:
    """The call of these events of one subject, in any order; none where no offer stands."""
    ordered = in_order(events)
    offer = next((event for event in ordered if event.type == EventType.CALL_OFFERED), None)
    if offer is None:
        return None
    answers = (event for event in ordered if event.type == EventType.CALL_ANSWERED and event.at >= offer.at)
    answer = next(answers, None)
    line = offer.data.get("line")
    call = Call(offer.subject, offer.at, None if line is None else str(line))
    if answer is None:
        return call
    sent = _sent_wait(answer)
    waited = _sent_wait(offer) if sent is None else sent
    return replace(call, answered_at=answer.at, waited=answer.at - offer.at if waited is None else waited)


def _sent_wait(event: Event) -> Micros | None:
    """`waited_seconds` in whole microseconds; none where it is missing or no time that a caller can wait."""
    given = event.data.get("waited_seconds")
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    if not 0 <= given <= LONGEST_WAIT // SECOND:  # NaN is neither
        return None
    # By its shortest text: 0.1 means a tenth, not the binary fraction next to it.
    exact = Decimal(str(given)) * SECOND
    return int(exact.to_integral_value(ROUND_HALF_UP))
