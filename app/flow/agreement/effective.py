"""When a version comes into force. Instants are microseconds UTC."""

from collections.abc import Iterable
from datetime import date, timedelta

from app.flow.query.serialize import instant_text
from app.sla.agreement.version import AppliesTo
from app.sla.calendar import Calendar
from app.sla.span import Micros
from app.store.contracts.stored_version import StoredVersion


class Unplannable(ValueError):
    """A version cannot come into force then. The message says why, and what to do instead."""


def effective_instant(
    wanted: Micros | date | None, desk: str, current: StoredVersion | None, now: Micros
) -> Micros | None:
    """The instant from which a desk's next version is to be in force; None: as soon as it is stored.

    A date begins at its midnight in the zone of the desk's first calendar, else of its agreement. Raises Unplannable for
    an instant that is not ahead, and for the first version of a desk, which judges everything before it.
    """
    if wanted is None:
        return None
    if current is None:
        raise Unplannable(
            f"the first version of desk {desk} is in force at once and judges what came before it; "
            "apply it without an instant"
        )
    at = _midnight(wanted, desk, current) if isinstance(wanted, date) else wanted
    if at <= now:
        raise Unplannable(
            f"{wanted if isinstance(wanted, date) else instant_text(wanted)} is not ahead: what was judged under the "
            "version in force then stays. Leave it out to put this into force now; with `open`, open tickets are judged "
            "from their start"
        )
    return at


def _midnight(on: date, desk: str, current: StoredVersion) -> Micros:
    own = (each for name, each in current.calendars.items() if name.partition("/")[0] == desk)
    zone = next((each.time_zone for each in own), current.agreement.time_zone)
    return Calendar.always(zone).end_of_day(on - timedelta(days=1))


def check_same_instant(replaced: Iterable[StoredVersion], applies_to: AppliesTo) -> None:
    """A version that is planned for the same instant must be for the same tickets. Raises Unplannable."""
    for each in replaced:
        if each.version.applies_to is not applies_to:
            raise Unplannable(
                f"version {each.number}, which is planned for the same instant, is for "
                f"{each.version.applies_to.value} tickets and this one for {applies_to.value} tickets: apply it for the "
                f"same tickets, or withdraw version {each.number} first"
            )
