"""The uptimes that the desks' texts promise, by the shipped agreements: the numbers of their sentences."""

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.file import parse_agreement
from app.sla.availability.uptime import ALL, Uptime, UptimeState, compile_downtime
from app.sla.availability.version import months_of
from app.sla.calendar import Calendar, parse_calendars
from app.sla.event import Event
from app.sla.period import Period
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros, Span, micros
from tests.sla.availability.outages import announced, facts, outage

ROOT = Path(__file__).parents[2]


@cache
def agreement(desk: str) -> Agreement:
    calendars: dict[str, Calendar] = {}
    path = ROOT / "calendars" / f"{desk}.toml"
    if path.exists():
        calendars = parse_calendars(tomllib.loads(path.read_text()), desk=desk)
    document = tomllib.loads((ROOT / "agreements" / f"{desk}.toml").read_text())
    return parse_agreement(document, calendars=calendars)


def month(desk: str, name: str) -> Period:
    return months_of(agreement(desk)).named(name)


def judged(desk: str, *events: Event, period: Period | None = None) -> Uptime:
    """The month of November 2026, of 30 days, after its end."""
    (rule,) = agreement(desk).availability
    period = period or month(desk, "2026-11")
    return compile_downtime(rule, [facts(*events)], ALL).uptime(period, period.end)


def down(*lengths: Micros, start: str = "2026-11-05T10:00:00+01:00") -> list[Event]:
    """Outages of these lengths, a day apart."""
    since = micros(datetime.fromisoformat(start))
    return [each for n, length in enumerate(lengths) for each in outage(f"r{n}", since + n * 2 * DAY, length)]


# -- HaiSoft: "The uptime is more than 99.95%." ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "text"),
    [
        ([59 * MINUTE], "99.8634"),
        ([60 * MINUTE], "99.8611"),
        ([119 * MINUTE], "99.7245"),
        ([40 * MINUTE, 40 * MINUTE], "99.8148"),
        ([15 * HOUR], "97.9166"),
        ([16 * HOUR], "97.7777"),
    ],
)
def test_haisoft_an_hour_without_network_is_less_than_promised(lengths: list[Micros], text: str) -> None:
    found = judged("haisoft", *down(*lengths))
    assert (found.state, found.text, found.downtime) == (UptimeState.BREACHED, text, sum(lengths))


def test_haisoft_exactly_the_share_is_not_more_than_it() -> None:
    exactly = 21 * MINUTE + 36 * SECOND
    found = judged("haisoft", *down(exactly))
    assert (found.text, found.state) == ("99.9500", UptimeState.BREACHED)
    assert judged("haisoft", *down(exactly - 1)).state is UptimeState.KEPT


def test_haisoft_announced_maintenance_counts() -> None:
    start = micros(datetime.fromisoformat("2026-11-05T10:00:00+01:00"))
    window = announced("m", start - 2 * DAY, Span(start, start + HOUR))
    assert judged("haisoft", window, *down(HOUR)).downtime == HOUR


# -- ClameHost: "99,9% del tempo", credit "al di sotto del 99,9%" ------------------------------------------------------


def test_clamehost_exactly_the_share_is_kept_and_a_microsecond_more_is_not() -> None:
    allowed = 43 * MINUTE + 12 * SECOND
    assert judged("clamehost", *down(allowed)).state is UptimeState.KEPT
    assert judged("clamehost", *down(allowed + 1)).state is UptimeState.BREACHED


@pytest.mark.parametrize("cause", ["scheduled_update", "urgent_work", "third_party", "customer"])
def test_clamehost_what_is_not_its_own_cause_does_not_count(cause: str) -> None:
    start = micros(datetime.fromisoformat("2026-11-05T10:00:00+01:00"))
    found = judged("clamehost", *outage("r", start, 3 * HOUR, cause=cause))
    assert (found.text, found.excluded) == ("100.0000", 3 * HOUR)
    assert judged("clamehost", *outage("r", start, 3 * HOUR, cause="network")).state is UptimeState.BREACHED


# -- HVN: "99.9%" of each service, by month ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (999_000, "99.9000"),
        (998_999, "99.8999"),
        (990_000, "99.0000"),
        (989_999, "98.9999"),
        (989_900, "98.9900"),
        (950_000, "95.0000"),
        (949_999, "94.9999"),
    ],
)
def test_hvn_uptime_at_the_edges_of_its_bands(share: int, text: str) -> None:
    lost = 30 * DAY * (1_000_000 - share) // 1_000_000
    found = judged("hvn", *down(lost, start="2026-11-02T10:00:00+07:00"))
    assert (found.text, found.state is UptimeState.KEPT) == (text, share >= 999_000)


@pytest.mark.parametrize(
    ("notice", "emergency", "counts"),
    [
        (24 * HOUR, False, False),
        (24 * HOUR - SECOND, False, True),
        (60 * MINUTE, True, False),
        (60 * MINUTE - SECOND, True, True),
    ],
)
def test_hvn_maintenance_announced_in_time_does_not_count(
    notice: Micros, emergency: bool, counts: bool
) -> None:
    start = micros(datetime.fromisoformat("2026-11-05T10:00:00+07:00"))
    window = announced("m", start - notice, Span(start, start + 2 * HOUR), emergency=emergency)
    found = judged("hvn", window, *outage("r", start, 3 * HOUR, cause="maintenance"))
    assert found.downtime == (3 * HOUR if counts else HOUR)  # only the announced window is left out


@pytest.mark.parametrize("cause", ["force_majeure", "ISP"])
def test_hvn_force_majeure_and_the_users_provider_do_not_count(cause: str) -> None:
    start = micros(datetime.fromisoformat("2026-11-05T10:00:00+07:00"))
    assert judged("hvn", *outage("r", start, 3 * HOUR, cause=cause)).downtime == 0


def test_hvn_two_hours_in_half_a_year() -> None:
    """(4318/4320) x 100 = 99,95%."""
    start = micros(datetime.fromisoformat("2026-11-02T10:00:00+07:00"))
    half_a_year = Period(Span(start, start + 180 * DAY), "")
    assert judged("hvn", *outage("r", start + DAY, 2 * HOUR), period=half_a_year).text == "99.9537"


@pytest.mark.parametrize(("name", "seconds"), [("2026-02", 2419.2), ("2026-11", 2592.0), ("2026-12", 2678.4)])
def test_hvn_is_judged_by_the_months_own_minutes(name: str, seconds: float) -> None:
    assert judged("hvn", period=month("hvn", name)).allowance == round(seconds * SECOND)


@pytest.mark.parametrize("desk", ["phpnet", "webxtra"])
def test_two_texts_promise_no_uptime(desk: str) -> None:
    assert agreement(desk).availability == ()
