"""Reports of availability and credits: figures that equal what they lead to, as of any instant, as files."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import orjson
import pytest

from app.flow.query.serialize import instant_text
from app.principal import Scope
from app.web.api.reports.objects import AvailabilityReport, CreditsReport
from app.web.api.reports.objects_behind import CreditsPage, ObjectPage
from tests.web.room import Room, conforms

SPAN = {
    "desk": "haisoft",
    "from": "2026-02-01T00:00:00+01:00",
    "to": "2026-05-01T00:00:00+02:00",
    "by": "month",
}
FEE = {"fee": {"amount": "1000", "per": "month"}, "currency": "EUR", "valid_from": "2026-01-01"}
FORMULA = "=1+1"


def outage(room: Room, name: str, start: str, end: str) -> None:
    for kind, time in (("outage.started", start), ("outage.ended", end)):
        data = {"reference": name}
        room.sent(room.event(id=f"{name}-{kind}", type=kind, subject="service:network", time=time, data=data))


@pytest.fixture
def pushed_late(room: Room) -> Room:
    """Two contracts, an outage of February and one of March, and one of February that is pushed a day later."""
    admin = room.key("*", Scope.ADMIN)
    for contract, customer in (("C-1", "Acme"), ("C-2", FORMULA)):
        stated = FEE | {"customer": customer}
        put = room.client.put(f"/v1/contracts/haisoft/{contract}", json=stated, headers=admin)
        assert put.status_code == 200, put.text
    outage(room, "r1", "2026-02-10T10:00:00+01:00", "2026-02-10T11:00:00+01:00")
    outage(room, "r2", "2026-03-03T10:00:00+01:00", "2026-03-03T11:10:00+01:00")
    room.wall.move(timedelta(days=1).total_seconds())
    outage(room, "r3", "2026-02-12T10:00:00+01:00", "2026-02-12T11:00:00+01:00")
    room.wall.move(timedelta(days=1).total_seconds())
    return room


def listed(room: Room, url: str, name: str, model: Any) -> list[dict[str, Any]]:
    """Every page of the list behind a figure."""
    found: list[dict[str, Any]] = []
    more = ""
    while more is not None:
        page = conforms(model, room.client.get(f"{url}&limit=1{more}", headers=room.read).content)
        found += page[name]
        more = page["next"] and f"&cursor={page['next']}"
    return found


@pytest.mark.parametrize("split", ["", "commitment,service", "customer"])
def test_every_row_of_availability_adds_up_the_objects_that_it_leads_to(
    pushed_late: Room, split: str
) -> None:
    body = conforms(
        AvailabilityReport, pushed_late.get("/v1/reports/availability", None, **SPAN, split=split).content
    )
    assert len({row["from"] for row in body["rows"]}) == 2
    for row in body["rows"]:
        found = listed(pushed_late, row["objects_url"], "objects", ObjectPage)
        assert len(found) == row["objects"]
        for figure in ("total_seconds", "downtime_seconds", "excluded_seconds", "interruptions"):
            assert sum(each[figure] for each in found) == row[figure]
        for each in found:
            (view,) = pushed_late.client.get(each["url"], headers=pushed_late.read).json()["availability"]
            assert (view["downtime_seconds"], view["breached_at"]) == (
                each["downtime_seconds"],
                each["breached_at"],
            )
    down = {row["from"]: 0 for row in body["rows"]}
    for row in body["rows"]:
        down[row["from"]] += row["downtime_seconds"]
    objects = 2 if split == "customer" else 1
    assert list(down.values()) == [7200 * objects, 4200 * objects]


@pytest.mark.parametrize("split", ["", "contract,commitment", "customer"])
def test_every_row_of_credits_adds_up_the_credits_that_it_leads_to(pushed_late: Room, split: str) -> None:
    body = conforms(CreditsReport, pushed_late.get("/v1/reports/credits", None, **SPAN, split=split).content)
    assert sum(row["credits"] for row in body["rows"]) == 4
    for row in body["rows"]:
        found = listed(pushed_late, row["objects_url"], "credits", CreditsPage)
        assert len(found) == row["credits"] == sum(row["states"].values())
        assert sum(Decimal(each["amount"]) for each in found) == Decimal(row["amount"])
        owed = pushed_late.client.get(f"{row['objects_url']}&state=owed", headers=pushed_late.read).json()
        assert len(owed["credits"]) == row["states"].get("owed", 0)
    assert body["totals"]["EUR"]["amount"] == "198.00"
    assert body["totals"]["EUR"]["due"] == "132.00"


def test_a_report_counts_every_contract_however_many_there_are(pushed_late: Room) -> None:
    ended = FEE | {"id": "A-0", "customer": "Old", "valid_to": "2026-01-02"}
    lines = [ended, *(FEE | {"id": f"B-{n}", "customer": "Many"} for n in range(600))]
    imported = pushed_late.client.post(
        "/v1/contracts/haisoft/import",
        content=b"\n".join(map(orjson.dumps, lines)),
        headers=pushed_late.key("*", Scope.ADMIN) | {"Content-Type": "application/x-ndjson"},
    )
    assert imported.status_code == 200, imported.text
    rows = pushed_late.get("/v1/reports/availability", None, **SPAN, split="customer").json()["rows"]
    assert [(row["split"]["customer"], row["objects"]) for row in rows[-3:]] == [
        (FORMULA, 1),
        ("Acme", 1),
        ("Many", 600),
    ]


@pytest.mark.parametrize("report", ["availability", "credits"])
def test_what_is_pushed_later_is_not_in_a_report_as_of_before(pushed_late: Room, report: str) -> None:
    path = f"/v1/reports/{report}"
    now = pushed_late.get(path, None, **SPAN).json()
    then = instant_text(pushed_late.wall.now - 36 * 3600 * 1_000_000)
    before = pushed_late.get(path, None, **SPAN, as_of=then).json()
    figure = "downtime_seconds" if report == "availability" else "amount"
    assert [row[figure] for row in now["rows"]][1:] == [row[figure] for row in before["rows"]][1:]
    assert now["rows"][0][figure] != before["rows"][0][figure]
    assert all("as_of=" in row["objects_url"] for row in before["rows"])


def test_files_of_both_have_numbers_and_no_formula(pushed_late: Room) -> None:
    for report, number in (("availability", "uptime"), ("credits", "amount")):
        answer = pushed_late.get(f"/v1/reports/{report}", None, **SPAN, split="customer", format="csv")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert {row["customer"] for row in rows} == {"Acme", f"'{FORMULA}"}
        assert all(Decimal(row[number]) > 0 for row in rows)


def test_a_field_of_tickets_is_no_split_of_them(pushed_late: Room) -> None:
    for report in ("availability", "credits"):
        answer = pushed_late.get(f"/v1/reports/{report}", None, **SPAN, split="priority")
        assert answer.status_code == 422
        assert "commitment, service, contract, customer" in answer.json()["errors"][0]["reason"]


def test_the_page_shows_both_with_every_figure_as_long_as_its_list(pushed_late: Room) -> None:
    dates = {"desk": "haisoft", "range": "own", "from": "2026-02-01", "to": "2026-04-30"}
    page = pushed_late.get("/reports", None, **dates).text
    assert "In all \u20ac198.00" in page
    sections = re.findall(r'id="(?:availability|credits)".*?</section>', page, re.DOTALL)
    assert len(sections) == 2
    for section in sections:
        figures = re.findall(r'<td><a href="(/reports/behind[^"]+)">(\d+)</a>', section)
        assert figures
        for address, figure in figures:
            behind = pushed_late.client.get(unescape(address), headers=pushed_late.read).text
            assert behind.count("<tr>") - 1 == int(figure)
        assert section.count('class="mark ') == (6 if "availability" in section else 3)
    assert pushed_late.get("/reports/chart.svg", None, **dates, chart="credits").status_code == 200
