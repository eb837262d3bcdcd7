"""What decides by a ticket's fields: conditions, exemptions, targets and calendars. Values are compared without case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

from app.sla.calendar import Calendar
from app.sla.calendar.target import Target
from app.sla.fields import casefolded
from app.sla.reason import Reason, ReasonCode


class Kind(StrEnum):
    """How binding it is: late, a guarantee is a breach, an objective a miss, a customer's duty a lapse."""

    GUARANTEE = "guarantee"
    OBJECTIVE = "objective"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Condition:
    """Ticket fields that must hold together; of each field any of its values. No tests: every ticket."""

    tests: tuple[tuple[str, frozenset[str]], ...] = ()

    def all_hold(self, fields: Mapping[str, object]) -> bool:
        """Whether every test holds for these fields."""
        for name, values in self.tests:  # noqa: SIM110 - a plain loop: this runs for each event of each commitment
            if not _matches(fields.get(name), values):
                return False
        return True

    def any_holds(self, fields: Mapping[str, object]) -> bool:
        """Whether at least one test holds, as `except` means it."""
        for name, values in self.tests:  # noqa: SIM110
            if _matches(fields.get(name), values):
                return True
        return False

    def beside(self, other: "Condition") -> "Condition":
        """Its tests of fields that the other does not name."""
        named = {name for name, _ in other.tests}
        return Condition(tuple(test for test in self.tests if test[0] not in named))


EVERY_TICKET: Final = Condition()


def _matches(value: object, values: frozenset[str]) -> bool:
    if isinstance(value, list | tuple):
        return any(casefolded(v) in values for v in cast("Sequence[object]", value))
    return casefolded(value) in values


@dataclass(frozen=True, slots=True)
class Regime:
    """The target and the calendar in force for a commitment on a ticket."""

    target: Target
    calendar: Calendar
    chosen: Reason | None = None
    """Why this calendar; None: it is the commitment's only one."""

    def same_as(self, other: "Regime") -> bool:
        """Whether a change to the other changes nothing."""
        return self is other or (self.target == other.target and self.calendar.counts_as(other.calendar))


@dataclass(frozen=True, slots=True)
class Withheld:
    """The reason why a commitment has no clock on a ticket, in the agreement's words."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class TargetRule:
    """How the target of a commitment is found.

    `fixed` for a plain target; `level` or `contract` name a value in the ticket's level or contract; `by` a field with
    a target for each of its values and `otherwise` for the rest.
    """

    written: str
    fixed: Target | None = None
    level: str | None = None
    contract: str | None = None
    by: str | None = None
    of: Mapping[str, Target] = field(default_factory=dict[str, Target])
    otherwise: Target | None = None


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """The calendar by a ticket field: one for each of its values, and `otherwise` for the rest."""

    by: str
    of: Mapping[str, Calendar]
    otherwise: Calendar | None = None

    def choose(self, fields: Mapping[str, object]) -> "Choice | Withheld":
        """The calendar for a ticket with these fields, and why it is this one; or why there is none."""
        value = fields.get(self.by)
        params = {"field": self.by, "value": value}
        if (calendar := self.of.get(casefolded(value))) is not None:
            return calendar, Reason(ReasonCode.CALENDAR_FOR_VALUE, params=params)
        if self.otherwise is not None:
            return self.otherwise, Reason(ReasonCode.CALENDAR_FOR_OTHERS, params=params)
        return Withheld(Reason(ReasonCode.NO_CALENDAR_FOR_VALUE, params=params))


Choice = tuple[Calendar, Reason | None]
"""A calendar, and why it is this one."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Tickets that a commitment leaves out although it would apply: one test that holds is enough."""

    condition: Condition
    reason: str | None = None
    """Listed under not_applicable; None: not listed."""
