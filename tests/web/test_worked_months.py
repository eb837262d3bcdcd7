"""The worked months of docs/contracts.md: the facts of each, pushed to the service, give every figure that it shows."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from app.principal import Role
from app.sla.span import micros
from tests.servers.databases import Databases, both_kinds
from tests.web.room import ALL, DESKS, Room, room_on, with_desks

PAGE: Final = (Path(__file__).parents[2] / "docs/contracts.md").read_text(encoding="utf-8")
ASKED: Final = micros(datetime.fromisoformat("2026-12-31T00:00:00+00:00"))
"""After all that the months list. Their facts are received late, which changes no figure."""

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Month:
    """A worked month as the page has it."""

    desk: str
    contract: str
    period: str
    zone: ZoneInfo
    stated: dict[str, Any]
    facts: Rows
    figures: Rows

    def time(self, local: str) -> str:
        """An instant of the desk's wall clock, with its offset."""
        return datetime.fromisoformat(local).replace(tzinfo=self.zone).isoformat()


HEADING: Final = re.compile(
    r"^### .+\n<!-- month: (?P<desk>\w+) (?P<contract>\S+) (?P<period>\S+) (?P<zone>\S+) -->\n", re.MULTILINE
)


def rows_of(table: str) -> Rows:
    head, _, *lines = (
        [cell.strip().replace("`", "") for cell in line.split("|")[1:-1]] for line in table.splitlines()
    )
    return [dict(zip(head, line, strict=True)) for line in lines]


def months() -> Iterator[Month]:
    for found in HEADING.finditer(PAGE):
        text = re.split(r"^##", PAGE[found.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        (stated,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
        facts, figures = (rows_of(table) for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE))
        desk, contract, period, zone = found.groups()
        yield Month(desk, contract, period, ZoneInfo(zone), json.loads(stated), facts, figures)


MONTHS: Final = tuple(months())


def test_every_desk_has_a_worked_month() -> None:
    assert sorted(month.desk for month in MONTHS) == sorted(DESKS)


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Room]:
    """A service that all months are pushed to: a desk's facts are nothing to another desk."""
    with databases.copy_of(with_desks) as url, room_on(url) as made:
        made.wall.now = ASKED
        yield made


def push(room: Room, month: Month) -> None:
    address = f"/v1/contracts/{month.desk}/{month.contract}"
    put = room.client.put(address, json=month.stated, headers=room.key(ALL, Role.ADMIN))
    assert put.is_success, put.text
    room.sent(
        *(
            room.event(
                id=f"{month.desk}-{number}",
                source=month.desk,
                type=fact["event"],
                subject=fact["subject"],
                time=month.time(fact["when"]),
                data=json.loads(fact["data"] or "{}"),
            )
            for number, fact in enumerate(month.facts)
        )
    )


def answered(room: Room, month: Month, view: str, name: str, at: dict[str, str]) -> Any:
    """The answer that a figure is in."""
    of_contract = {"desk": month.desk, "contract": month.contract, "period": month.period}
    match view:
        case "statement":
            path, asked = f"/v1/statements/{month.desk}/{month.contract}/{month.period}", {}
        case "ticket":
            path, asked = f"/v1/tickets/{month.desk}/{name}", {}
        case "averages":
            path, asked = "/v1/averages", {"desk": month.desk, "period": month.period, "id": name}
        case _:
            path, asked = f"/v1/{view}", of_contract
    response = room.get(path, **asked, **at)
    assert response.status_code == 200, response.text
    return response.json()


NAMES: Final = ("id", "credit", "charge", "commitment", "currency")
"""Fields by which the page names one of several."""


def found(answer: Any, path: str) -> Any:
    """The value at a path such as `lines[gti-credit].amount`. A name selects the only one that has it."""
    for key, name in re.findall(r"(\w+)(?:\[([^]]*)\])?", path):
        answer = answer[key]
        if name:
            (answer,) = (each for each in answer if name in [each.get(field) for field in NAMES])
    return answer


def shown(value: Any) -> str:
    match value:
        case None:
            return "none"
        case list():
            return ", ".join(map(shown, value)) or "none"
        case str():
            return value
        case _:
            return json.dumps(value)


def figure(room: Room, month: Month, row: dict[str, str]) -> str:
    named = re.fullmatch(r"(\w+)(?:\[([^]]*)\])?\.(.+)", row["figure"])
    assert named, row
    view, name, path = named.groups("")
    at = {"at": month.time(row["at"])} if row["at"] else {}
    answer = answered(room, month, view, name, at)
    if view not in ("statement", "ticket"):
        path = f"{view}[{name}].{path}"
    return shown(found(answer, path))


@pytest.mark.parametrize("month", MONTHS, ids=lambda month: month.desk)
@both_kinds
def test_the_facts_of_a_worked_month_give_every_figure_that_the_page_shows(
    office: Room, month: Month
) -> None:
    push(office, month)
    computed = [{**row, "value": figure(office, month, row)} for row in month.figures]
    assert computed == month.figures
