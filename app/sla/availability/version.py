"""Versions of an agreement: which of them judges the uptime of a period, and when one takes over.

A period is judged as a whole by one version: the one in force at its first instant. A later version that applies to what
is open takes over the period in which it comes into force, from that instant on. The first version judges everything
before it. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import Version, version_of_period
from app.sla.calendar.zone import zone
from app.sla.period import FIRST_DAY, Months, Period
from app.sla.span import Micros, Span

_NOTHING: Final = Span(0, 0)


@dataclass(frozen=True, slots=True)
class JudgedPeriod:
    """A period and the agreement that judges it."""

    period: Period
    agreement: Agreement


def months_of(agreement: Agreement, day: int = FIRST_DAY) -> Months:
    """The months of an agreement; `day` is a contract's billing day."""
    return Months(zone(agreement.time_zone), day)


def period_named(versions: Sequence[Version], name: str, at: Micros, day: int = FIRST_DAY) -> JudgedPeriod:
    """The month of a name, as "2026-11". Raises PeriodFault."""
    latest = version_of_period(versions, months_of(versions[-1].agreement, day).named(name), at).agreement
    period = months_of(latest, day).named(name)
    return JudgedPeriod(period, latest)


def period_at(versions: Sequence[Version], instant: Micros, at: Micros, day: int = FIRST_DAY) -> JudgedPeriod:
    """The month in which an instant lies."""
    latest = version_of_period(versions, months_of(versions[-1].agreement, day).at(instant), at).agreement
    return JudgedPeriod(months_of(latest, day).at(instant), latest)


def periods_of(versions: Sequence[Version], spans: Iterable[Span], at: Micros) -> Iterator[JudgedPeriod]:
    """The months that these spans touch, each once, in order."""
    months, seen = months_of(versions[-1].agreement), set[Period]()
    found, known = None, _NOTHING
    for span in sorted(spans):
        instant = span.start
        while instant <= span.start or instant < span.end:
            # Ten thousand outages of a month ask for its period once.
            if found is None or instant not in known:
                found = period_at(versions, instant, at)
                known = found.period.span & months.at(instant).span
                if found.period not in seen:
                    seen.add(found.period)
                    yield found
            instant = found.period.end


def taking_over(versions: Iterable[Version], at: Micros) -> list[Micros]:
    """The instants ahead at which a version comes into force."""
    return [version.effective_from for version in versions if version.effective_from > at]
