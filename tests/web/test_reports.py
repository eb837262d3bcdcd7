"""Reports over HTTP: rows whose links list what they count, files for spreadsheets, and what cannot be asked."""

import csv
import io
import re
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.principal import Scope
from app.sla.report.measure import Measure
from app.store.tables import report_figures
from app.web.api.reports.behind import BehindPage
from app.web.api.reports.queues import QueuesReport, StepPage
from app.web.api.reports.reports import AttainmentReport, BreachesReport, HeatmapReport, UsageReport
from app.web.api.reports.table import CSV_TYPE, XLSX_TYPE, Format, Table, as_csv, chosen_format
from app.web.api.reports.workbook import as_xlsx
from tests.servers.databases import both_kinds
from tests.web.room import Room, conforms

MODELS = {
    "attainment": AttainmentReport,
    "usage": UsageReport,
    "heatmap": HeatmapReport,
    "breaches": BreachesReport,
}
SPAN = {"from": "2026-03-01T00:00:00+01:00", "to": "2026-04-01T00:00:00+02:00"}
HAISOFT = SPAN | {"desk": "haisoft"}
FORMULA = '=HYPERLINK("http://evil.example";"Open")'


def answered_and_late(room: Room) -> None:
    """A ticket that is answered in time, one that is late, one of a customer with a malicious name."""
    room.wall.move(timedelta(days=10).total_seconds())
    answers = {
        "1": "2026-03-06T16:00:00+01:00",
        "2": "2026-03-16T12:00:00+01:00",
        "3": "2026-03-06T15:40:00+01:00",
    }
    for name, time in answers.items():
        customer = FORMULA if name == "3" else "ACME"
        born = {"title": FORMULA, "customer": customer, "service": "dedicated", "assignee": "Ann"}
        room.sent(room.event(subject=name, data=born))
        reply = {"author": "agent", "text": "We look."}
        room.sent(room.event(type="agent.replied", subject=name, time=time, data=reply))


def sums(report: str, row: dict[str, Any]) -> int:
    """How many clocks the list of a row has."""
    of = {"attainment": ("met", "missed", "excluded"), "usage": ("clocks",), "heatmap": ("starts",)}
    return sum(row[name] for name in of.get(report, ("breaches",)))


@pytest.mark.parametrize("report", MODELS)
@both_kinds
def test_every_row_leads_to_the_clocks_that_it_counts(room: Room, report: str) -> None:
    answered_and_late(room)
    answer = room.get(f"/v1/reports/{report}", None, **HAISOFT, by="week", split="customer,commitment")
    body = conforms(MODELS[report], answer.content)
    assert body["rows"]
    assert body["incomplete"] == 0
    for row in body["rows"]:
        clocks: list[dict[str, Any]] = []
        more = ""
        while more is not None:
            page = room.client.get(f"{row['tickets']}&limit=1{more}", headers=room.read)
            found = conforms(BehindPage, page.content)
            clocks += found["clocks"]
            more = found["next"] and f"&cursor={found['next']}"
        assert len(clocks) == sums(report, row)
        for clock in clocks:
            assert room.client.get(clock["url"], headers=room.read).status_code == 200


@both_kinds
def test_every_row_of_queues_leads_to_its_waits(room: Room) -> None:
    answered_and_late(room)
    asked = HAISOFT | {"by": "week", "split": "customer"}
    body = conforms(QueuesReport, room.get("/v1/reports/queues", None, **asked).content)
    assert sum(row["waits"] for row in body["rows"]) == 3
    for row in body["rows"]:
        page = conforms(StepPage, room.client.get(row["tickets"], headers=room.read).content)
        assert len(page["steps"]) == row["waits"] == sum(row["left"].values())
    text = room.get("/v1/reports/queues", None, **asked, format="csv").text
    assert {"left_answered", "joined_created"} <= {*text.removeprefix("\ufeff").splitlines()[0].split(",")}


def test_the_share_of_a_period_without_clocks_is_null(room: Room) -> None:
    answered_and_late(room)
    rows = room.get("/v1/reports/attainment", None, **HAISOFT, by="week").json()["rows"]
    shares = {row["from"]: row["share"] for row in rows if row["kind"] == "guarantee"}
    assert shares["2026-03-15T23:00:00Z"] == "0.0000"
    assert shares["2026-03-22T23:00:00Z"] is None


def test_figures_of_ended_periods_are_kept_for_the_next_report(room: Room) -> None:
    answered_and_late(room)
    asked = HAISOFT | {"by": "week", "split": "customer"}
    for report in (*MODELS, "queues"):
        first, again = (room.get(f"/v1/reports/{report}", None, **asked).json() for _ in range(2))
        assert first == again
    kept = room.database.read_now(lambda conn: conn.execute(select(report_figures.c.figures)).scalars().all())
    measures = {figures.partition(":")[0] for figures in kept}
    assert measures == {*(measure.value for measure in Measure), "queues"}


@both_kinds
def test_a_report_is_a_file_for_spreadsheets_in_which_no_text_is_a_formula(room: Room) -> None:
    answered_and_late(room)
    asked = HAISOFT | {"by": "month", "split": "customer"}
    answer = room.get("/v1/reports/attainment", room.read | {"Accept": CSV_TYPE}, **asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["customer"] for row in rows} == {"ACME", f"'{FORMULA}"}
    assert {(row["from"], row["to"]) for row in rows} == {("2026-03-01", "2026-04-01")}
    assert all(Decimal(row["share"]) >= 0 for row in rows if row["share"])
    json = room.get("/v1/reports/attainment", None, **asked).json()["rows"]
    assert [int(row["met"]) for row in rows] == [row["met"] for row in json]
    sheet = room.get("/v1/reports/attainment", None, **asked, format="xlsx")
    assert sheet.headers["content-type"] == XLSX_TYPE
    cells = sheet_of(sheet.content)
    assert "<f>" not in cells
    assert FORMULA in cells.replace("&quot;", '"')


def sheet_of(content: bytes) -> str:
    """The sheet of a workbook, as XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as workbook:
        return workbook.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0@x", "\uff1d1+1"]
)
def test_a_text_that_begins_like_a_formula_stays_a_text(text: str) -> None:
    (_, _, line) = as_csv(Table("t", ["name"], [[text]]))
    assert next(csv.reader([line]))[0].startswith("'") or line.startswith("\"'")
    assert "<f>" not in sheet_of(as_xlsx(["name"], [[text]]))


def test_a_time_that_is_no_midnight_keeps_its_time() -> None:
    (_, _, line) = as_csv(Table("t", ["from", "n"], [[datetime.fromisoformat("2026-03-01T14:30:00"), -3]]))
    assert line.strip() == "2026-03-01T14:30:00,-3"


def test_numbers_in_a_workbook_are_numbers(room: Room) -> None:
    cells = sheet_of(as_xlsx(["n", "share"], [[-3, Decimal("97.4358")]]))
    assert re.findall(r"<v>([^<]+)</v>", cells)[-2:] == ["-3", "97.4358"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, Format.JSON),
        ("*/*", Format.JSON),
        ("text/csv", Format.CSV),
        ("application/json, text/csv;q=0.5", Format.JSON),
        (f"text/csv;q=0.5, {XLSX_TYPE}", Format.XLSX),
        ("text/csv;q=x", Format.JSON),
    ],
)
def test_the_header_accept_chooses_the_format(accept: str | None, chosen: Format) -> None:
    assert chosen_format(accept) is chosen


@pytest.mark.parametrize(
    ("path", "wrong", "place"),
    [
        ("attainment", {"from": "1969-12-31T23:00:00Z"}, "from"),
        ("attainment", {"to": "2026-03-01T00:00:00+01:00"}, "to"),
        ("attainment", {"to": "2037-03-01T00:00:00+01:00"}, "to"),
        ("attainment", {"split": "moon"}, "split"),
        ("attainment", {"split": "plan,plan"}, "split"),
        ("attainment", {"split": "plan,level,queue,group"}, "split"),
        ("attainment", {"by": "year"}, "by"),
        ("attainment/tickets", {"tenth": "3"}, "tenth"),
        ("heatmap/tickets", {"hour": "3"}, "weekday"),
        ("usage/tickets", {"outcome": "met"}, "outcome"),
        ("queues", {"split": "commitment"}, "split"),
        ("breaches/tickets", {"cause": "none"}, "cause"),
        ("breaches/tickets", {"first_pause": "none"}, "first_pause"),
    ],
)
def test_a_faulty_parameter_is_named(shared_room: Room, path: str, wrong: dict[str, str], place: str) -> None:
    answer = shared_room.get(f"/v1/reports/{path}", None, **(HAISOFT | wrong))
    assert answer.status_code == 422
    assert [each["place"] for each in answer.json()["errors"]] == [place]


def test_the_reports_of_a_desk_are_for_those_who_see_it(shared_room: Room) -> None:
    other = shared_room.key("phpnet", Scope.READ)
    for path in ("attainment", "attainment/tickets", "queues", "queues/tickets"):
        assert shared_room.get(f"/v1/reports/{path}", other, **HAISOFT).status_code == 404
        assert shared_room.get(f"/v1/reports/{path}", None, **(SPAN | {"desk": "none"})).status_code == 404


def test_as_of_now_or_later_is_what_is_stored(room: Room) -> None:
    answered_and_late(room)
    now = room.get("/v1/reports/usage", None, **HAISOFT).json()
    assert room.get("/v1/reports/usage", None, **HAISOFT, as_of="2027-01-01T00:00:00Z").json() == now
    before = room.get("/v1/reports/usage", None, **HAISOFT, as_of="2026-03-06T12:00:00+01:00").json()
    assert {row["clocks"] for row in before["rows"]} == {0}
