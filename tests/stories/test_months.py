"""What the texts agree by the month: HaiSoft's mean wait and emergency line, PHPNET's interventions."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.sla.agreement.version import Version
from app.sla.allowance import in_turn, uses_of
from app.sla.average.call import call_of
from app.sla.average.month import Month, calls_within, month_of
from app.sla.calendar.zone import zone
from app.sla.charge import charges_of
from app.sla.event import Event
from app.sla.period import Months
from app.sla.span import SECOND, Micros, micros
from app.sla.ticket import Ticket
from tests.stories.story import shipped

PARIS = Months(zone("Europe/Paris"))
MARCH = PARIS.named("2026-03")


def at(local: str) -> Micros:
    """An instant of Paris, by the wall clock."""
    return micros(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Paris")))


def call(number: int, local: str, waited: float | None, line: str | None = "support") -> list[Event]:
    """A call, answered after some seconds."""
    subject, offered = f"call:{number}", at(local)
    log = [Event(f"o{number}", "call.offered", subject, offered, {} if line is None else {"line": line})]
    if waited is not None:
        log.append(Event(f"a{number}", "call.answered", subject, offered + round(waited * SECOND), {}))
    return log


def phone(*logs: list[Event]) -> Month:
    """HaiSoft's phone in March 2026, when the month is over."""
    (rule,) = shipped("haisoft").averages
    calls = [made for log in logs if (made := call_of(log)) is not None]
    return month_of(rule, MARCH, calls_within(rule, MARCH, calls), MARCH.end)


# "a technician will take your call on average in less than 1'30""


@pytest.mark.parametrize(
    ("waits", "state"),
    [
        ([90], "breached"),  # exactly 90 s is not less
        ([89.999999], "kept"),
        ([30, 150], "breached"),
        ([30, 149], "kept"),
        ([30, 149, 90.999999], "kept"),
        ([30, 149, 91], "breached"),
        ([None], "none"),
        ([], "none"),
    ],
)
def test_a_mean_of_exactly_90_seconds_is_broken(waits: list[float | None], state: str) -> None:
    month = phone(*(call(n, "2026-03-02 10:30", waited) for n, waited in enumerate(waits)))
    assert month.state == state


# "on weekdays from Monday to Friday"


@pytest.mark.parametrize(
    ("offered", "count"),
    [
        ("2026-03-02 10:00", 1),
        ("2026-03-02 11:59", 1),
        ("2026-03-02 12:00", 0),
        ("2026-03-02 13:59", 0),
        ("2026-03-02 14:00", 1),
        ("2026-03-02 17:00", 0),
        ("2026-03-07 10:30", 0),  # a Saturday, on which tickets are answered
        ("2026-03-30 10:00", 1),  # the first Monday of summer time
    ],
)
def test_calls_count_in_the_hours_of_the_phone(offered: str, count: int) -> None:
    assert phone(call(1, offered, 60)).tally.answered == count


def test_a_caller_who_is_kept_waiting_over_lunch_has_waited_in_real_seconds() -> None:
    month = phone(call(1, "2026-03-02 11:59", 2 * 3600 + 60))
    assert month.mean_seconds == 2 * 3600 + 60


# "any call to this number is charged at €10 excl. VAT per call"


def test_calls_to_the_emergency_line_are_charged_and_in_no_average() -> None:
    logs = [
        call(1, "2026-03-02 10:30", 600, "emergency"),
        call(2, "2026-03-01 03:00", None, "Emergency"),
        call(3, "2026-03-02 10:30", 60),
        call(4, "2026-03-02 10:40", 60, None),
    ]
    month = phone(*logs)
    assert (month.tally.answered, month.tally.unanswered, month.state) == (2, 0, "kept")
    version = Version(1, shipped("haisoft"), 0)
    charged = [charge for log in logs for charge in charges_of(log, [version], MARCH.span)]
    assert [(c.subject, c.amount, c.currency) for c in charged] == [
        ("call:1", Decimal("10.00"), "EUR"),
        ("call:2", Decimal("10.00"), "EUR"),
    ]


# "un forfait d'interventions mensuel dépendant de son niveau d'infogérance"


def test_the_sixth_intervention_of_five_is_past_the_allowance() -> None:
    version = Version(1, shipped("phpnet"), 0)
    state = Ticket(fields={"level": "example-2", "customer": "Nord"})
    uses = in_turn(
        use
        for n in range(6)
        for use in uses_of(
            f"t{n}",
            [Event(f"i{n}", "intervention.started", f"t{n}", at(f"2026-03-{n + 1:02} 10:00"), {})],
            state,
            [version],
            PARIS,
            MARCH.end,
        )
    )
    assert [use.limit for use in uses] == [5] * 6
    assert [use.ticket for n, use in enumerate(uses, start=1) if use.is_past(n)] == ["t5"]


def test_an_intervention_counts_in_the_month_in_which_it_begins_in_paris() -> None:
    log = [Event("i", "intervention.started", "t", at("2026-04-01 00:30"), {})]
    state = Ticket(fields={"level": "example-1", "contract": "C-17"})
    (use,) = uses_of("t", log, state, [Version(1, shipped("phpnet"), 0)], PARIS, PARIS.named("2026-05").start)
    assert PARIS.at(use.period).name == "2026-04"
    assert (use.holder, use.limit) == ("contract:c-17", 2)
