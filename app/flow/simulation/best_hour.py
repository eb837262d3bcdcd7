"""Which single hour of opening more would have saved most.

Open hours alone save nothing: a clock only counts more in them. What saves is an answer. So an hour of the week in which
a calendar is never open would have saved each missed clock that was running when such an hour began and was not late
yet: an answer at that instant is in time. That is the most that the hour can save. A paused clock does not run, and
deadlines of customers are left out. Instants are microseconds UTC.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from app.sla.agreement.rule import Kind
from app.sla.calendar import Calendar, NeverOpen, UncoveredYear
from app.sla.calendar.zone import zone
from app.sla.clock.evaluation import Evaluation
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.transition import State
from app.sla.document.difference import WEEKDAYS
from app.sla.span import DAY, HOUR, Micros, Span

_WEEK: Final = 7 * 24
_LONGEST_SEARCH: Final = 8 * DAY
"""Every hour of the week begins within seven days, and a change of the clocks cannot hide it for longer than a day."""
_EPOCH_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday; 0 is Monday."""

Json = dict[str, Any]


@dataclass(slots=True)
class _ClosedHours:
    """The full local hours of a span in which a calendar is closed, and would be on that weekday in any week of it."""

    starts: list[Micros] = field(default_factory=list[Micros])
    hours: list[int] = field(default_factory=list[int])
    """The hour of the week of each, from Monday 00:00."""

    @classmethod
    def of(cls, calendar: Calendar, span: Span) -> "_ClosedHours":
        """Every hour of the span is looked at once."""
        every = list(_hours(calendar, span))
        opened = {hour for start, hour in every if _is_open_in(calendar, start)}
        closed = [(start, hour) for start, hour in every if hour not in opened]
        return cls([start for start, _ in closed], [hour for _, hour in closed])

    def within(self, start: Micros, end: Micros) -> Iterator[tuple[int, Micros]]:
        """The hours of the week that begin in a span, each with when it begins first."""
        first = bisect_left(self.starts, start)
        last = bisect_left(self.starts, min(end, start + _LONGEST_SEARCH))
        return zip(self.hours[first:last], self.starts[first:last], strict=True)


def _hours(calendar: Calendar, span: Span) -> list[tuple[Micros, int]]:
    found: list[tuple[Micros, int]] = []
    for part, offset in zone(calendar.time_zone).offsets(span):
        first = -(-(part.start + offset) // HOUR)
        last = -(-(part.end + offset) // HOUR)
        found += [(hour * HOUR - offset, (hour + _EPOCH_WEEKDAY * 24) % _WEEK) for hour in range(first, last)]
    return found


def _is_open_in(calendar: Calendar, start: Micros) -> bool:
    """Whether an hour has any open time. One of a year that the calendar does not cover counts as open."""
    try:
        return calendar.within_us(start, start + HOUR) > 0
    except (UncoveredYear, NeverOpen):
        return True


@dataclass(slots=True)
class BestHour:
    """What each hour of the week would have saved, by calendar. `span` has the starts and dues of all clocks."""

    span: Span
    missed: int = 0
    _saved: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    _waited: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    """The time from the starts of these clocks to that hour."""
    _closed: dict[Calendar, _ClosedHours] = field(default_factory=dict[Calendar, _ClosedHours])

    def add(self, evaluation: Evaluation) -> None:
        """Add the missed clocks of a ticket."""
        for view in evaluation.clocks:
            if view.breached_at is not None and view.kind is not Kind.CUSTOMER:
                self.missed += 1
                account = evaluation.histories[view.commitment, view.cycle_id]
                self._add(account, view.breached_at)

    def _add(self, account: TimeAccount, due_at: Micros) -> None:
        calendar = None if account.regime is None else account.regime.calendar
        if calendar is None or calendar.is_always:
            return
        if calendar not in self._closed:
            self._closed[calendar] = _ClosedHours.of(calendar, self.span)
        closed, first = self._closed[calendar], dict[int, Micros]()
        stretches = account.closed_stretches()
        for stretch in stretches:
            if stretch.state is State.RUNNING and stretch.start < due_at:
                for hour, start in closed.within(stretch.start, min(stretch.end, due_at)):
                    first.setdefault(hour, start)
        for hour, start in first.items():
            self._saved[calendar.name, hour] += 1
            self._waited[calendar.name, hour] += start - stretches[0].start

    def document(self) -> Json | None:
        """The hour that would have saved most as JSON; None where none would have saved any.

        Of equals it is the one that came soonest after the clocks started: the evening before the weekend, not Sunday.
        """
        if not self._saved:
            return None
        best = min(self._saved, key=lambda each: (-self._saved[each], self._waited[each], each))
        (calendar, hour), saved = best, self._saved[best]
        weekday, start = divmod(hour, DAY // HOUR)
        return {
            "calendar": calendar,
            "weekday": WEEKDAYS[weekday],
            "from": f"{start:02d}:00",
            "to": f"{start + 1:02d}:00",
            "saved": saved,
            "missed": self.missed,
        }
