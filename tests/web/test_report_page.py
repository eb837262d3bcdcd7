"""The page of reports: its dates, what every figure leads to, its files, and the addresses in messages."""

import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from app.delivery.wording.language import Language
from app.flow.query.period_figures import EndedPeriod, report_document
from app.principal import Role
from app.settings import Settings
from app.sla.calendar.zone import zone
from app.sla.report.cut import By
from app.sla.report.subscribed import ended_by
from app.web.pages.frame.rendering import words_of
from app.web.pages.reports.ranges import Dates, Range, before, dates_of
from app.web.pages.reports.wording import change, share
from tests.web.room import Room
from tests.web.test_reports import answered_and_late

TODAY = date(2026, 3, 16)
RANGES = {
    Range.THIS_WEEK: ("2026-03-16", "2026-03-22", "2026-03-09", "2026-03-09"),
    Range.LAST_WEEK: ("2026-03-09", "2026-03-15", "2026-03-02", "2026-03-08"),
    Range.THIS_MONTH: ("2026-03-01", "2026-03-31", "2026-02-01", "2026-02-16"),
    Range.LAST_MONTH: ("2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"),
    Range.THIS_QUARTER: ("2026-01-01", "2026-03-31", "2025-10-01", "2025-12-14"),
    Range.LAST_QUARTER: ("2025-10-01", "2025-12-31", "2025-07-01", "2025-09-30"),
    Range.THIS_YEAR: ("2026-01-01", "2026-12-31", "2025-01-01", "2025-03-16"),
    Range.LAST_YEAR: ("2025-01-01", "2025-12-31", "2024-01-01", "2024-12-31"),
}


@pytest.mark.parametrize("chosen", RANGES)
def test_a_choice_of_dates_is_compared_with_the_unit_before_as_far_as_it_has_come(chosen: Range) -> None:
    dates = dates_of(chosen, TODAY)
    earlier = before(chosen, dates, TODAY)
    found = (dates.first, dates.last, earlier.first, earlier.last)
    assert tuple(map(str, found)) == RANGES[chosen]


def test_own_dates_are_compared_with_as_many_days_before() -> None:
    earlier = before(Range.OWN, Dates(date(2026, 3, 1), date(2026, 3, 10)), TODAY)
    assert earlier == Dates(date(2026, 2, 19), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("days", "by"), [(1, By.DAY), (14, By.DAY), (15, By.WEEK), (366, By.WEEK), (401, By.MONTH)]
)
def test_dates_are_cut_into_as_many_periods_as_a_chart_has_room_for(days: int, by: By) -> None:
    assert Dates(TODAY, TODAY + timedelta(days=days - 1)).by is by


def test_every_figure_of_the_page_leads_to_as_many_rows_as_it_says(shared_room: Room) -> None:
    room = shared_room
    answered_and_late(room)
    page = room.get("/reports", desk="haisoft", customer="ACME").text
    assert "50%" in page
    figures = re.findall(r'<td><a href="(/reports/behind[^"]+)">(\d+)</a>', page)
    assert len(figures) > 6
    for address, figure in dict(figures).items():
        behind = room.client.get(unescape(address), headers=room.read)
        assert behind.status_code == 200, address
        assert behind.text.count("<tr>") - 1 == int(figure), address
    marks = {unescape(each) for each in re.findall(r'<a href="([^"]+)" class="mark ', page)}
    assert len(marks) > 6
    assert all(room.client.get(each, headers=room.read).text.count("<tr>") > 1 for each in marks)


def test_the_list_behind_a_figure_leads_back_to_the_reports_of_its_dates(shared_room: Room) -> None:
    week = {"from": "2026-03-01T23:00:00Z", "to": "2026-03-08T23:00:00Z"}  # in Paris
    page = shared_room.get("/reports/behind", of="outcomes", desk="haisoft", **week).text
    back = re.search(r'href="(/reports\?[^"]*)"', page)
    assert back is not None
    wanted = parse_qs(urlsplit(unescape(back[1])).query)
    assert (wanted["from"], wanted["to"]) == (["2026-03-02"], ["2026-03-08"])
    assert 'value="2026-03-02"' in shared_room.client.get(unescape(back[1]), headers=shared_room.read).text


def test_every_section_can_be_downloaded_as_the_page_shows_it(shared_room: Room) -> None:
    page = shared_room.get("/reports", desk="haisoft", lang="fr", range="this-month").text
    files = {unescape(each) for each in re.findall(r'<a href="([^"]+)" download', page)}
    assert {each.partition("?")[0] for each in files} >= {
        "/reports/chart.svg",
        "/v1/reports/attainment",
        "/v1/reports/availability",
    }
    for address in files:
        answer = shared_room.client.get(address, headers=shared_room.read)
        assert answer.status_code == 200, address
        assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("/reports", {"desk": "haisoft", "from": "2026-03-10", "to": "2026-03-01"}, 422),
        ("/reports", {"desk": "haisoft", "from": "1971-01-01", "to": "2026-03-01"}, 422),
        ("/reports", {"desk": "haisoft", "from": "0001-01-01", "to": "0001-01-02"}, 422),
        ("/reports", {"desk": "haisoft", "from": "9999-12-01", "to": "9999-12-31"}, 422),
        ("/reports", {"desk": "none"}, 404),
        ("/reports", {"desk": "haisoft", "range": "last-week"}, 200),
        ("/reports/chart.svg", {"desk": "haisoft", "chart": "credits"}, 404),
        ("/reports/chart.svg", {"desk": "haisoft", "chart": "pie"}, 422),
        ("/reports/behind", {"desk": "haisoft", "of": "outcomes", "from": "x", "to": "y"}, 422),
        (
            "/reports/behind",
            {
                "desk": "haisoft",
                "of": "outcomes",
                "from": "2026-03-02T00:00:00Z",
                "to": "2026-03-01T00:00:00Z",
            },
            422,
        ),
        (
            "/reports/behind",
            {
                "desk": "haisoft",
                "of": "shares",
                "from": "2026-03-01T00:00:00Z",
                "to": "2026-03-02T00:00:00Z",
                "cursor": "nonsense",
            },
            422,
        ),
    ],
)
def test_what_cannot_be_asked_is_a_page_that_says_so(
    shared_room: Room, path: str, given: dict[str, str], status: int
) -> None:
    answer = shared_room.get(path, **given)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


def test_the_api_filters_as_the_page_does(shared_room: Room) -> None:
    span = {"desk": "haisoft", "from": "2026-03-01T00:00:00+01:00", "to": "2026-04-01T00:00:00+02:00"}
    for report in ("attainment", "queues"):
        rows = shared_room.get(f"/v1/reports/{report}", **span, customer="nobody's").json()["rows"]
        assert sum(row.get("met", row.get("waits")) for row in rows) == 0
    answer = shared_room.get("/v1/reports/queues", **span, commitment="response")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == "commitment"


def test_a_message_of_a_ready_report_leads_to_its_dates_on_the_page(shared_room: Room) -> None:
    paris = zone("Europe/Paris")
    now = shared_room.wall.now
    period = EndedPeriod("haisoft", paris, By.WEEK, ended_by(paris, By.WEEK, now))
    running = shared_room.app.state.running
    settings = Settings(public_url="https://sla.example.org/")
    document = shared_room.database.read_now(
        lambda conn: report_document(conn, running.catalogue, settings, period, now)
    )
    address = str(document["url"])
    first = paris.local_date(period.span.start)
    last = first + timedelta(days=6)
    assert address == f"https://sla.example.org/reports?desk=haisoft&from={first}&to={last}"
    page = shared_room.client.get(address.removeprefix("https://sla.example.org"), headers=shared_room.read)
    assert f'name="from" value="{first}"' in page.text
    assert document["reports"]["attainment"].startswith("/v1/reports/attainment?")


def test_a_share_is_never_rounded_up_and_a_change_has_its_sign() -> None:
    words = words_of("reports", Language.EN)
    found = [share(words, each) for each in ("99.9999", "100.0000", "0.0000", None)]
    assert found == ["99.9%", "100%", "0%", "\u2013"]
    assert change(words, "97.5000", "98.7400") == "\u22121.2 points"
    assert change(words, "98.7400", "97.5000") == "+1.2 points"
    assert change(words, "98.7400", None) is None


def test_what_counts_for_an_uptime_names_the_commitment(room: Room) -> None:
    span = {"from": "2026-02-01T00:00:00+01:00", "to": "2026-03-01T00:00:00+01:00"}
    page = room.get("/reports/behind", of="availability", desk="haisoft", kind="guarantee", **span).text
    assert "Network uptime" in page
    assert "network-uptime" not in page


def test_what_if_begins_with_the_dates_of_the_report(room: Room) -> None:
    report = room.get("/reports", desk="haisoft", range="last-month").text
    (address,) = re.findall(r'href="(/reports/what-if[^"]*)"', report)
    form = room.client.get(unescape(address), headers=room.read).text
    assert re.findall(r'type="date"[^>]*value="([^"]*)"', form) == ["2026-02-01", "2026-02-28"]
    to_come = room.get("/reports/what-if", desk="haisoft", **{"from": "2026-03-01", "to": "2026-03-31"}).text
    assert re.findall(r'type="date"[^>]*value="([^"]*)"', to_come) == ["2026-03-01", "2026-03-05"]


def test_without_a_desk_each_desk_has_a_row_with_what_it_has_kept(room: Room) -> None:
    answered_and_late(room)
    page = room.get("/reports", lang="it", range="this-month").text
    desks = [each["desk"] for each in room.get("/v1/desks").json()["desks"]]
    assert re.findall(r'<tr role="row" data-desk="([^"]+)"', page) == sorted(desks)
    row = page.partition('data-desk="haisoft"')[2].partition("</tr>")[0]
    assert "66,6%" in row
    (missed,) = re.findall(r'<a href="(/reports/behind[^"]+)">1 non rispettato', row)
    assert room.client.get(unescape(missed), headers=room.read).status_code == 200
    one = room.get("/reports", room.key("haisoft", Role.VIEWER)).text
    assert "data-desk=" not in one
    assert "Report: haisoft" in one
