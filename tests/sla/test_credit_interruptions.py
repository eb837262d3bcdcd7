"""Interruptions: one credit for each that is the desk's own, whether tickets report it, outages state it, or both."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.agreement.agreement import Agreement
from app.sla.credit.cause import Incident, MissedClock
from app.sla.credit.interruption import ServiceOutage
from app.sla.credit.line import Line, LineKey
from app.sla.credit.lines import ContractCredits
from app.sla.span import MINUTE
from tests.sla.credits import LATER, agreement, at, contract, fact, uptime
from tests.sla.test_credit_amounts import TIME_SHARE, missed

DAY = at("2026-11-03T00:00")
REFUND = f'{TIME_SHARE}outages_of = "uptime"'


def refunds() -> Agreement:
    rule = replace(uptime(), excluded_causes=frozenset({"third_party"}))
    return replace(agreement(REFUND, availability=rule), availability=(rule,))


AGREEMENT = refunds()


def ticket(name: str, start: int, end: int | None, cause: str | None = None) -> MissedClock:
    """One that misses two hours. Instants are minutes of the day."""
    began = DAY + start * MINUTE
    ended = None if end is None else DAY + end * MINUTE
    return replace(
        missed(name), started_at=began, ended_at=ended, breached_at=began + 120 * MINUTE, cause=cause
    )


def outage(start: int, end: int | None, name: str = "o", *, counts: bool = True) -> ServiceOutage:
    began, ended = DAY + start * MINUTE, None if end is None else DAY + end * MINUTE
    incident = Incident(began, ended, None, (name, f"{name}-end"))
    return ServiceOutage("uptime", began, ended, counts, incident if counts else None)


def found(*causes: MissedClock | ServiceOutage, by: int = LATER) -> list[Line]:
    of = ContractCredits("acme", "C-1", (contract("720"),))
    return of.lines([(AGREEMENT, cause) for cause in causes], by)


def minutes(line: Line) -> int:
    """November has 43,200."""
    assert line.worth.portion is not None
    return int(line.worth.portion.share * 43_200)


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        # Without an outage of a service, tickets that overlap are one interruption.
        ([ticket("1", 600, 750)], {"ticket.1": 150}),
        ([ticket("1", 600, 750), ticket("2", 610, 800)], {"ticket.1": 200}),
        ([ticket("1", 600, 750), ticket("2", 750, 900)], {"ticket.1": 150, "ticket.2": 150}),
        # An outage needs no ticket, and must be longer than the target.
        ([outage(600, 750)], {"outage.o": 150}),
        ([outage(600, 720)], {}),
        ([outage(600, None)], {"outage.o": None}),
        # A ticket that begins in it reports it: the outage says when it was, and whether it counts.
        ([outage(600, 750), ticket("1", 605, 755)], {"outage.o": 150}),
        ([outage(600, 750), ticket("1", 605, 755), ticket("2", 610, 900)], {"outage.o": 150}),
        ([outage(600, 750, counts=False), ticket("1", 605, 755)], {}),
        ([outage(600, 700), ticket("1", 605, 755)], {}),
        # One that began before it is an interruption of its own, less what does not count.
        ([outage(600, 750), ticket("1", 590, 755)], {"outage.o": 165}),
        ([outage(600, 750, counts=False), ticket("1", 590, 755)], {}),
        ([outage(600, 750, counts=False), ticket("1", 400, 755)], {"ticket.1": 200}),
        (
            [outage(600, 750, counts=False), ticket("1", 400, 900)],
            {"ticket.1": 200, f"ticket.1.{DAY + 750 * MINUTE}": 150},
        ),
        # The ticket's own facts may state the cause.
        ([ticket("1", 600, 750, "Third_Party")], {}),
        ([ticket("1", 600, 750, "network")], {"ticket.1": 150}),
        ([outage(600, 750), outage(900, 1050, "p")], {"outage.o": 150, "outage.p": 150}),
    ],
)
def test_each_interruption_that_is_the_desks_own_is_refunded_once(
    causes: list[MissedClock | ServiceOutage], expected: dict[str, int | None]
) -> None:
    shown = {line.id.removeprefix("acme.credit.C-1."): line for line in found(*causes)}
    assert {name: minutes(line) if line.transitions else None for name, line in shown.items()} == expected
    assert found(*reversed(causes)) == found(*causes)


def test_a_refund_names_the_tickets_of_its_outage_and_is_claimed_by_any_of_them() -> None:
    causes = [outage(600, 750), ticket("1", 605, 755), ticket("2", 610, 900)]
    (line,) = found(*causes)
    assert (line.about.ticket, line.about.tickets) == ("1", {"1", "2"})
    assert line.facts[:2] == ("o", "o-end")
    assert line.about.is_claimed_by(fact("claim.filed", "2026-11-04T10:00", about={"ticket": "2"}))
    assert not line.about.is_claimed_by(fact("claim.filed", "2026-11-04T10:00", about={"ticket": "3"}))
    assert line.about.is_claimed_by(fact("claim.filed", "2026-11-04T10:00", about={"service": "WEB"}))
    assert LineKey.parse(line.id) == line.key


def test_an_outage_that_goes_on_accrues_from_the_instant_at_which_it_is_too_long() -> None:
    due = DAY + 720 * MINUTE
    assert found(outage(600, None), by=due) == []
    (line,) = found(outage(600, None), by=due + 1)
    assert (line.state, line.about.caused_at) == ("accruing", due)


PIECES = st.lists(
    st.one_of(
        st.builds(
            lambda n, start, length: ticket(str(n), start, start + length),
            st.integers(1, 4),
            st.integers(0, 3000),
            st.integers(121, 2000),
        ),
        st.builds(
            lambda start, length: outage(start, start + length, f"o{start}"),
            st.integers(0, 3000),
            st.integers(1, 2000),
        ),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(PIECES)
def test_refunds_never_count_a_minute_twice(causes: list[MissedClock | ServiceOutage]) -> None:
    shown = found(*causes)
    covered = {minute for each in causes for minute in _minutes(each)}
    assert sum(map(minutes, shown)) <= len(covered)
    assert len({line.id for line in shown}) == len(shown)


def _minutes(cause: MissedClock | ServiceOutage) -> range:
    assert cause.ended_at is not None
    return range((cause.started_at - DAY) // MINUTE, (cause.ended_at - DAY) // MINUTE)
