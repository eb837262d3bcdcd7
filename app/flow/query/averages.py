"""Queries of averages: a month's mean as it stands or stood. Instants are microseconds UTC."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.flow.query.measured_calls import calls_from_log, months_of
from app.flow.query.serialize import Json, instant_text
from app.sla.agreement.average import AverageRule
from app.sla.agreement.version import known_versions, version_of_period
from app.sla.average.call import Call
from app.sla.average.month import Month, month_of
from app.sla.period import Months, Period, PeriodFault
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import averages


@dataclass(frozen=True, slots=True)
class When:
    """Which month (None: the one of `at`), as it stands at an instant by what was known at another.

    `as_of` None: by all that is known now.
    """

    at: Micros
    as_of: Micros | None = None
    period: str | None = None

    @classmethod
    def of(cls, now: Micros, at: Micros | None, as_of: Micros | None, period: str | None) -> "When":
        """What was asked at `now`. Nothing is shown at an instant later than what was known."""
        wanted = now if at is None else at
        return cls(wanted if as_of is None else min(wanted, as_of), as_of, period)

    def month(self, months: Months) -> Period:
        """The month. Raises PeriodFault."""
        if self.period is not None:
            return months.named(self.period)
        try:
            return months.at(self.at)
        except (OverflowError, ValueError) as error:
            raise PeriodFault("The instant lies outside the years of a calendar.") from error


def months(
    conn: Connection, catalogue: Catalogue, desk: str, when: When, ids: Iterable[str] | None = None
) -> list[Month]:
    """The averages of a desk, all or those of these ids. Raises UnknownDesk and PeriodFault."""
    versions = known_versions(catalogue.versions(conn, desk, at=when.at), when.as_of)
    of_desk = months_of(versions)
    period = when.month(of_desk)
    version = version_of_period(versions, period, when.at)
    wanted = None if ids is None else set(ids)
    return [
        month_of(rule, period, _calls(conn, desk, rule, period, version.number, when.as_of), when.at)
        for rule in version.agreement.averages
        if wanted is None or rule.id in wanted
    ]


def _calls(
    conn: Connection, desk: str, rule: AverageRule, period: Period, version: int, as_of: Micros | None
) -> list[Call]:
    """As stored, where the month was projected by this version; as of an earlier instant always from the log."""
    if as_of is None and averages.projected_by(conn, desk, rule.id, period.start) == version:
        return averages.of_month(conn, desk, rule.id, period.start)
    return calls_from_log(conn, desk, rule, period, as_of)


def figures(month: Month) -> dict[str, Any]:
    """What a month's view and its signals both show."""
    mean = month.mean_seconds
    return {
        "label": month.rule.label,
        "period": month.period.name,
        "target": month.rule.target.written,
        "count": month.tally.answered,
        "abandoned": month.tally.unanswered,
        "mean_seconds": None if mean is None else exact_seconds(mean),
    }


def average(desk: str, month: Month) -> Json:
    """A month of an average as JSON."""
    lines = None if month.rule.lines is None else sorted(month.rule.lines)
    return {
        "desk": desk,
        "id": month.rule.id,
        "kind": month.rule.kind.value,
        "line": next((line for line in lines or () if line), None),
        "lines": lines,
        "from": instant_text(month.period.start),
        "to": instant_text(month.period.end),
        **figures(month),
        "state": month.state.value,
        "warned_at": instant_text(month.warned_at),
        "breached_at": instant_text(month.breached_at),
        "at": instant_text(month.at),
    }


def exact_seconds(length: Fraction) -> int | float:
    """Seconds as JSON: whole where they are, else with a fraction."""
    return length.numerator if length.denominator == 1 else float(length)
