"""Downtime by local day, each day by the version of the agreement that judges its month."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import groupby

from app.flow.query.serialize import Json
from app.flow.query.uptimes import exact_seconds
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.availability import AvailabilityRule
from app.sla.agreement.version import Version
from app.sla.availability.days import Day, DayOfDowntime, day_of_downtime, days_until
from app.sla.availability.uptime import Downtime
from app.sla.availability.version import months_of, period_at
from app.sla.budget import charge
from app.sla.span import Micros, Span

Compile = Callable[[AvailabilityRule, Span], Downtime]
"""The downtime of an object by a rule, of what touches a span."""


class DowntimeDays:
    """The last local days up to an instant. Their months and versions are the same for every object."""

    def __init__(self, versions: Sequence[Version], at: Micros, count: int | None) -> None:
        self._versions, self._at, self._count = versions, at, count

    def of(self, rule: AvailabilityRule, compile_: Compile) -> list[Json] | None:
        """The days of one object; None where none were asked for.

        A month whose version does not have the commitment is judged by `rule`, which has the same id.
        """
        if self._count is None:
            return None
        found: list[Json] = []
        for agreement, days in self._months:
            past = next((each for each in agreement.availability if each.id == rule.id), rule)
            downtime = compile_(past, Span(days[0].span.start, days[-1].span.end))
            charge()
            found += [_document(day_of_downtime(downtime, day, self._at)) for day in days]
        return found

    @cached_property
    def _months(self) -> list[tuple[Agreement, list[Day]]]:
        """The days with the agreement that judges each, by month."""
        versions, at = self._versions, self._at
        zone = months_of(period_at(versions, at, at).agreement).zone
        days = days_until(zone, at, self._count or 0)
        months = groupby(days, key=lambda day: (day.on.year, day.on.month))
        listed = [list(group) for _, group in months]
        return [(period_at(versions, group[-1].span.start, at).agreement, group) for group in listed]


def _document(day: DayOfDowntime) -> Json:
    return {
        "date": day.day.on.isoformat(),
        "total_seconds": exact_seconds(day.total),
        "downtime_seconds": exact_seconds(day.downtime),
        "excluded_seconds": exact_seconds(day.excluded),
    }
