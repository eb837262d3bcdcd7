"""Hours by organisation or contract: one commitment, and a field of the ticket decides in which calendar it counts."""

import pytest

from app.flow.query.reasons import text
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import AgreementFault, desks_of_calendars
from app.sla.calendar import Calendar
from tests.stories.story import Story, written

STD = Calendar.parse({"time_zone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}}, name="desk/std")
ACME = Calendar.parse({"time_zone": "UTC", "hours": {"mon-sun": ["06:00-22:00"]}}, name="desk/acme")
BY_ORGANISATION = '{ by = "organisation", "ACME" = "desk/acme", else = "desk/std" }'
FRIDAY, SATURDAY, MONDAY = "2026-03-06", "2026-03-07", "2026-03-09"


def agreement(calendar: str = BY_ORGANISATION, *, target: str = '"4h"', more: str = "") -> Agreement:
    document = f"""
        desk = "desk"
        {more}
        [[commitments]]
        id = "repair"
        kind = "guarantee"
        measure = "gtr"
        starts_on = ["ticket.created"]
        stops_on = ["service.restored"]
        target = {target}
        calendar = {calendar}
        """
    return written(document, {"desk/std": STD, "desk/acme": ACME})


def why(story: Story, at: str) -> str | None:
    reason = story.at(at).clock("repair").view.calendar_reason
    return None if reason is None else text(reason)


@pytest.mark.parametrize(
    ("organisation", "calendar", "due", "reason"),
    [
        ("ACME", "desk/acme", f"{FRIDAY} 20:00", "organisation is ACME"),
        ("acme ", "desk/acme", f"{FRIDAY} 20:00", "organisation is acme "),
        ("Rossi", "desk/std", f"{MONDAY} 12:00", "organisation 'Rossi' has no calendar of its own"),
        (None, "desk/std", f"{MONDAY} 12:00", "organisation None has no calendar of its own"),
    ],
)
def test_the_field_decides_and_the_clock_says_why(
    organisation: str | None, calendar: str, due: str, reason: str
) -> None:
    story = Story(agreement()).created(f"{FRIDAY} 16:00", organisation=organisation)
    clock = story.at(f"{FRIDAY} 16:30").clock("repair")
    assert (clock.view.calendar, clock.due) == (calendar, due)
    assert why(story, f"{FRIDAY} 16:30") == reason


def test_without_else_other_tickets_have_no_clock_and_the_reason_says_so() -> None:
    story = Story(agreement('{ by = "contract", "C-17" = "desk/acme" }')).created(
        f"{FRIDAY} 16:00", contract="C-1"
    )
    judged = story.at(f"{FRIDAY} 16:30")
    assert judged.names == set()
    assert judged.reasons == {"repair": "no calendar for contract 'C-1'"}


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ("carry", f"{FRIDAY} 21:00"),  # one hour counted by 17:00, three more from the change on
        ("from_start", f"{FRIDAY} 20:00"),
        ("reset", f"{FRIDAY} 22:00"),
    ],
)
def test_a_change_of_the_field_follows_on_change(rule: str, due: str) -> None:
    changed = agreement(target=f'"4h"\n        on_change = "{rule}"')
    story = Story(changed).created(f"{FRIDAY} 16:00", organisation="Rossi")
    story.updated(f"{FRIDAY} 18:00", organisation="ACME")
    assert story.at(f"{FRIDAY} 18:30").clock("repair").due == due


def test_a_change_to_another_value_of_the_same_calendar_changes_only_the_reason() -> None:
    story = Story(agreement()).created(f"{FRIDAY} 16:00", organisation="Rossi")
    story.updated(f"{FRIDAY} 16:30", organisation="Bianchi")
    judged = story.at(f"{FRIDAY} 16:45")
    assert judged.clock("repair").due == f"{MONDAY} 12:00"
    assert why(story, f"{FRIDAY} 16:45") == "organisation 'Bianchi' has no calendar of its own"
    assert judged.recorded("repair") == [("started", f"{FRIDAY} 16:00")]


def test_the_calendar_of_a_level_takes_precedence_and_is_named() -> None:
    levels = '[levels.gold]\ngtr = "4h"\ncalendar = "always"\n[levels.tin]\ngtr = "4h"\n'
    by_level = agreement(target='"level:gtr"', more=levels)
    gold = Story(by_level).created(f"{FRIDAY} 16:00", level="gold", organisation="ACME")
    assert gold.at(f"{FRIDAY} 16:30").clock("repair").view.calendar == "always"
    assert why(gold, f"{FRIDAY} 16:30") == "level gold"
    tin = Story(by_level).created(f"{FRIDAY} 16:00", level="tin", organisation="ACME")
    assert why(tin, f"{FRIDAY} 16:30") == "organisation is ACME"


@pytest.mark.parametrize(
    ("calendar", "place", "right"),
    [
        ('{ "ACME" = "desk/acme", else = "desk/std" }', "by", 'Write by = "organisation"'),
        ('{ by = "organization", "ACME" = "desk/acme" }', "by", 'Did you mean "organisation"?'),
        ('{ by = "organisation", "ACME" = "desk/acne" }', "ACME", 'Did you mean "desk/acme"?'),
        ('{ by = "organisation", "ACME" = 9 }', "ACME", 'Write ACME = "haisoft/tickets"'),
        ('{ by = "organisation", else = "desk/std" }', "by", 'Write { by = "organisation"'),
        ('{ by = "organisation", ACME = "desk/acme", acme = "desk/std" }', "acme", "Name each value once"),
    ],
)
def test_a_faulty_rule_is_refused_with_the_place_and_the_remedy(
    calendar: str, place: str, right: str
) -> None:
    with pytest.raises(AgreementFault) as refused:
        agreement(calendar)
    found = [(fault.place, fault.right) for fault in refused.value.faults]
    assert any(at == f"commitments.repair.calendar.{place}" and right in remedy for at, remedy in found), (
        found
    )


def test_a_target_must_be_countable_in_every_calendar_of_the_rule() -> None:
    with pytest.raises(AgreementFault) as refused:
        agreement('{ by = "organisation", "ACME" = "always", else = "desk/std" }', target='"3 working days"')
    assert [fault.place for fault in refused.value.faults] == ["commitments.repair.target"]


def test_the_calendars_of_other_desks_that_a_rule_names_are_found() -> None:
    document = {
        "commitments": [{"calendar": {"by": "organisation", "ACME": "a/day", "else": "b/std"}}],
        "queue": {"calendar": "c/desk"},
    }
    assert set(desks_of_calendars(document)) == {"a", "b", "c"}
