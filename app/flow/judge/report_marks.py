"""What evaluations change of the figures of past days: the days whose kept figures in reports are out of date.

Compares clocks, waits and fields of tickets before and after an evaluation. Instants are microseconds UTC.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from app.sla.queue.interval import WaitInterval
from app.sla.report.measure import TICKET_SPLITS, Instant
from app.sla.report.queue_report import steps
from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import clocks, queues, report_days
from app.store.tickets.clocks import ClockKey, StoredClock, StoredTicket
from app.store.tickets.report_days import QUEUES, SETTLING, Mark

_COUNTED: Final[Mapping[Instant, Callable[[StoredClock], tuple[Any, ...]]]] = {
    Instant.STARTED: attrgetter("started_at", "kind"),
    Instant.BREACHED: attrgetter("breached_at", "kind", "late_cause", "first_pause"),
    Instant.ENDED: attrgetter("ended_at", "kind", "met", "counted", "target_length"),
}
"""What is counted of a clock by each of its instants: the instant first."""

_fields: Final[Callable[[StoredTicket], tuple[str | None, ...]]] = attrgetter(*TICKET_SPLITS)

_Clocks = Mapping[ClockKey, StoredClock]
_Waits = Mapping[str, Sequence[WaitInterval]]


@dataclass(slots=True)
class ReportMarks:
    """The marks of one transaction on one desk, evaluated at an instant."""

    conn: Connection
    desk: str
    at: Micros
    _found: set[Mark] = field(default_factory=set[Mark])
    _is_unknown: bool = False
    _is_split_unknown: bool = False

    def compare_clocks(self, before: _Clocks, after: _Clocks) -> None:
        """The clocks of a ticket."""
        for key in before.keys() | after.keys():
            one, other = before.get(key), after.get(key)
            if one == other:
                continue
            for instant, counted in _COUNTED.items():
                was, now = (() if each is None else counted(each) for each in (one, other))
                if was != now:
                    self._mark(instant.value, (*was[:1], *now[:1]))

    def compare_waits(self, before: _Waits, after: _Waits) -> None:
        """The wait intervals of the tickets of `after`, where they are the same ticket's."""
        for ticket, own in after.items():
            stored = before.get(ticket, ())
            if tuple(own) != tuple(stored):
                changed = set(steps(stored)) ^ set(steps(own))
                self._mark(QUEUES, (step.at for step in changed))

    def compare_tickets(
        self, before: Mapping[str, StoredTicket], rows: Iterable[StoredTicket], long: Container[str]
    ) -> None:
        """The fields of tickets: a ticket takes its clocks and waits along to another value of a split.

        `long`: tickets of which not all is in memory. They are few, and reading all of one would take too long.
        """
        for row in rows:
            stored = before.get(row.ticket)
            if stored is None:
                continue
            if not stored.is_reported:
                self._is_unknown = True
            elif _fields(stored) != _fields(row):
                if row.ticket in long:
                    self._is_split_unknown = True
                else:
                    self._mark_fields(row.ticket)

    def write(self) -> None:
        """Write the marks, in the transaction that writes what was compared."""
        if self._is_unknown:
            report_days.mark_all(self.conn, self.desk)
        if self._is_split_unknown:
            report_days.mark_all(self.conn, self.desk, by_field=True)
        report_days.mark(self.conn, self.desk, self._found)

    def _mark_fields(self, ticket: str) -> None:
        """All that is stored of a ticket: what has changed of it besides is marked for itself."""
        subject = Subject.parse(ticket)
        for clock in clocks.clocks(self.conn, self.desk, [subject]).get(subject, {}).values():
            for instant, counted in _COUNTED.items():
                self._mark(instant.value, counted(clock)[:1], by_field=True)
        waits = queues.wait_intervals(self.conn, self.desk, [ticket]).get(ticket, ())
        self._mark(QUEUES, (step.at for step in steps(waits)), by_field=True)

    def _mark(self, figures: str, instants: Iterable[Micros | None], *, by_field: bool = False) -> None:
        self._found.update(
            Mark.at(figures, at, by_field=by_field)
            for at in instants
            if at is not None and at < self.at - SETTLING
        )
