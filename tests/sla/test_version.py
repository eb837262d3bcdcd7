"""Versions of an agreement: `effective_from` decides what is judged, `recorded_at` what was known."""

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import AppliesTo, Version, in_force, known_versions
from app.sla.event import Event
from app.sla.span import HOUR

NOTHING = Agreement(desk="own", name="Own", commitments=())
FIRST = Version(1, NOTHING, 0)
BACKDATED = Version(2, NOTHING, effective_from=10 * HOUR, recorded_at=12 * HOUR)


def born(at: int) -> list[Event]:
    return [Event("e", "ticket.created", "1", at, {})]


def test_a_ticket_is_judged_by_the_version_in_force_at_its_creation_whenever_it_was_recorded() -> None:
    assert in_force([FIRST, BACKDATED], born(10 * HOUR)) == (BACKDATED, [])
    assert in_force([FIRST, BACKDATED], born(10 * HOUR - 1)) == (FIRST, [])


def test_a_version_for_open_tickets_takes_those_that_were_open_when_it_took_effect() -> None:
    version = Version(2, NOTHING, 10 * HOUR, AppliesTo.OPEN, recorded_at=12 * HOUR)
    closed = Event("f", "status.changed", "1", 11 * HOUR, {"status": "closed"})
    assert in_force([FIRST, version], [*born(9 * HOUR), closed]) == (version, [])


def test_as_of_an_instant_before_it_was_recorded_a_version_is_not_known() -> None:
    assert known_versions([FIRST, BACKDATED], 12 * HOUR - 1) == (FIRST,)
    assert known_versions([FIRST, BACKDATED], 12 * HOUR) == (FIRST, BACKDATED)
    assert known_versions([FIRST, BACKDATED], None) == (FIRST, BACKDATED)


def test_the_first_version_is_known_at_any_instant() -> None:
    assert known_versions([Version(1, NOTHING, 10 * HOUR)], 0) == (Version(1, NOTHING, 10 * HOUR),)
