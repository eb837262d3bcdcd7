"""Versions of an agreement: `effective_from` decides what is judged, `recorded_at` what was known."""

from app.sla.agreement.agreement import Agreement, QueueRules
from app.sla.agreement.version import (
    AppliesTo,
    Version,
    begun,
    in_force,
    in_order,
    known_versions,
    next_change_at,
)
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


PLANNED = Version(2, NOTHING, 20 * HOUR, AppliesTo.OPEN, recorded_at=1 * HOUR)
MEANWHILE = Version(3, NOTHING, 5 * HOUR, AppliesTo.OPEN, recorded_at=5 * HOUR)


def test_a_planned_version_has_not_begun_before_its_instant() -> None:
    versions = in_order([FIRST, PLANNED])
    assert begun(versions, 20 * HOUR - 1) == (FIRST,)
    assert begun(versions, 20 * HOUR) == (FIRST, PLANNED)


def test_versions_come_into_force_by_their_instants_and_not_by_their_numbers() -> None:
    versions = in_order([FIRST, PLANNED, MEANWHILE])
    assert versions == (FIRST, MEANWHILE, PLANNED)
    assert in_force(versions, born(21 * HOUR)) == (PLANNED, [])


def test_of_two_versions_of_one_instant_the_later_number_prevails() -> None:
    second = Version(3, NOTHING, 20 * HOUR, AppliesTo.OPEN)
    assert in_force([FIRST, second, PLANNED], born(20 * HOUR)) == (second, [])


def test_the_next_change_is_the_next_version_that_may_change_what_exists() -> None:
    for_new = Version(4, NOTHING, 10 * HOUR)
    assert next_change_at(in_order([FIRST, for_new, PLANNED]), 9 * HOUR) == 20 * HOUR
    assert next_change_at(in_order([FIRST, for_new, PLANNED]), 20 * HOUR) is None


def test_a_version_for_new_tickets_with_other_queue_rules_changes_every_ticket() -> None:
    other = Agreement(desk="own", name="Own", commitments=(), queue=QueueRules(domain_required=True))
    assert next_change_at([FIRST, Version(2, other, 10 * HOUR)], 0) == 10 * HOUR
