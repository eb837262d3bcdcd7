"""How the id of a credit names a period: by its month, and where two periods have the same name, one by its first day.

That is where a version for new tickets turns the calendar months of an availability into contract months: the calendar
month goes on under the version before, and the contract month that begins within it is another period of the same name.
The id depends on the versions only, not on which of the two is broken: a fact that comes late renames no credit.
Instants are microseconds UTC.
"""

from collections.abc import Sequence

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import Version, version_of_period
from app.sla.calendar.zone import Zone
from app.sla.credit.cause import BrokenUptime
from app.sla.period import Months, PeriodRule
from app.sla.span import Micros


def period_id(
    versions: Sequence[Version], agreement: Agreement, cause: BrokenUptime, local: Zone, at: Micros
) -> str:
    """The part of an id for the period of a broken uptime: "2026-11", or "2026-11-15" where two have that name."""
    period = cause.period
    if len(versions) < 2 or not _is_judged_by(agreement, cause, PeriodRule.CONTRACT_MONTH):
        return period.name
    calendar = Months(local).named(period.name)
    if calendar.span == period.span:
        return period.name
    before = version_of_period(versions, calendar, at).agreement
    if not _is_judged_by(before, cause, PeriodRule.CALENDAR_MONTH):
        return period.name
    return local.local_date(period.start).isoformat()


def _is_judged_by(agreement: Agreement, cause: BrokenUptime, by: PeriodRule) -> bool:
    return any(rule.id == cause.availability and rule.period is by for rule in agreement.availability)
