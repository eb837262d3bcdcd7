"""Calendars in an agreement file: the key `calendar` of a commitment.

One calendar, or one for each value of a ticket field:
`{ by = "organisation", "ACME" = "desk/acme", else = "desk/std" }`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.sla.agreement.agreement import CalendarRule
from app.sla.calendar import Calendar
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.fields import casefolded


@dataclass(frozen=True, slots=True)
class WrittenCalendar:
    """The calendars of a commitment. `rule`: which of them, where a field decides. None are faulty ones."""

    plain: Calendar | None
    rule: CalendarRule | None = None

    @property
    def all(self) -> tuple[Calendar, ...]:
        """Every calendar in which a target may be counted."""
        if self.rule is None:
            return () if self.plain is None else (self.plain,)
        fallback = () if self.rule.otherwise is None else (self.rule.otherwise,)
        return tuple(dict.fromkeys([*self.rule.of.values(), *fallback]))


def read_calendar(
    table: Table, fields: frozenset[str], named: Callable[[Table, str], Calendar | None]
) -> WrittenCalendar:
    """The calendar of a commitment's table. `named` reads a reference, with its fault; `fields` may decide."""
    if not isinstance(table.value("calendar"), Mapping):
        return WrittenCalendar(named(table, "calendar"))
    inner = table.table("calendar", example="")
    by = inner.text("by", example='"organisation"', required=True)
    if by is not None and by not in fields:
        inner.fault("by", f'a ticket has no field "{by}"', instead_of(by, fields))
    found: dict[str, Calendar] = {}
    for value in inner.content:
        if value == "by" or (calendar := named(inner, value)) is None:
            continue
        if casefolded(value) in found:
            inner.fault(value, "the value is taken, without regard to case", "Name each value once.")
        found[casefolded(value)] = calendar
    otherwise = found.pop("else", None)
    if not found:
        inner.fault("by", "no value has a calendar", 'Write { by = "organisation", "ACME" = "acme/desk" }.')
    rule = CalendarRule(by or "", found, otherwise)
    return WrittenCalendar(otherwise or next(iter(found.values()), None), rule)
