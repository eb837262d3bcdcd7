"""The pages of calendars: what they show of a desk's hours, and the editor's form and text, each from the other."""

import re
import tomllib
from datetime import date
from typing import Any

import pytest

from app.delivery.wording.language import Language
from app.principal import Role
from app.sla.calendar import Calendar
from app.web.pages.calendars.form import (
    AddedRow,
    CalendarForm,
    CalendarForms,
    ExceptionRow,
    forms_of,
)
from app.web.pages.calendars.form_text import text_with
from app.web.pages.calendars.year import next_clock_change
from app.web.pages.frame.files.editor import NotEditable
from app.web.pages.frame.holiday_names import holiday_name
from tests.servers.databases import SqliteDatabases, with_tables
from tests.web.filled import Form, form_to
from tests.web.room import DESKS, FRIDAY, ROOT, Room, room_on

TEXT = """# The first line.
[calendars.desk]
time_zone = "Europe/Amsterdam"
hours = { mon-thu = ["09:00-17:00"], fri = ["09:00-12:00"] }  # as the contract says

[calendars.desk.holidays]
country = "NL"
add = { "2026-05-05" = "Liberation Day" }

[[calendars.desk.seasons]]
name = "summer"
first = "07-01"
last = "08-31"
hours = { mon-fri = ["08:00-14:00"] }
"""


def shipped(desk: str) -> str:
    return (ROOT / "calendars" / f"{desk}.toml").read_text(encoding="utf-8")


@pytest.fixture
def admin(shared_room: Room) -> dict[str, str]:
    return shared_room.key("*", Role.ADMIN)


@pytest.mark.parametrize("desk", DESKS)
def test_a_form_that_was_not_changed_leaves_the_text_as_it_is(desk: str) -> None:
    forms = forms_of(tomllib.loads(shipped(desk)))
    assert text_with(CalendarForms(text=shipped(desk), calendars=forms)) == shipped(desk)


def changed(**given: Any) -> str:
    (form,) = forms_of(tomllib.loads(TEXT))
    return text_with(CalendarForms(text=TEXT, calendars=[form.model_copy(update=given)]))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"time_zone": "Europe/Paris"}, 'time_zone = "Europe/Paris"'),
        ({"hours": ["9:00-17:00"] * 2 + [""] * 5}, 'hours = { mon-tue = ["9:00-17:00"] }'),
        ({"exceptions": [ExceptionRow(day="*-12-24", hours="09:00-12:00")]}, '"*-12-24" = ["09:00-12:00"]'),
        (
            {"exceptions": [ExceptionRow(day="2026-12-31", reason="stocktaking")]},
            '"2026-12-31" = { hours = [], reason = "stocktaking" }',
        ),
        ({"added": [AddedRow(day="2026-05-05", name='"Bevrijdingsdag"')]}, r"\"Bevrijdingsdag\""),
        ({"removed": ["Good Friday"]}, 'remove = ["Good Friday"]'),
        ({"subdivision": "NH", "make_up_days": True}, "make_up_days = true"),
    ],
)
def test_a_changed_field_changes_its_key_and_nothing_else(given: dict[str, Any], line: str) -> None:
    text = changed(**given)
    (form,) = forms_of(tomllib.loads(text))
    (before,) = forms_of(tomllib.loads(TEXT))
    assert form == before.model_copy(update=given)
    assert line in text
    assert text.startswith("# The first line.\n")
    assert (
        tomllib.loads(text)["calendars"]["desk"]["seasons"]
        == tomllib.loads(TEXT)["calendars"]["desk"]["seasons"]
    )


def test_rows_that_are_removed_are_removed_from_the_text() -> None:
    assert "Liberation" not in changed(added=[])


@pytest.mark.parametrize(
    "text",
    [
        "[calendars.desk",
        'calendars = "none"',
        "[calendars.desk]\nhours = 8",
        "[calendars.desk]\nhours = { mo = [] }",
        f'[calendars.desk]\ntime_zone = "{501 * "x"}"',
        f'[calendars.{501 * "x"}]\ntime_zone = "UTC"',
        f'[calendars.desk]\noverrides = {{ "2026-12-24" = {{ hours = [], reason = "{501 * "x"}" }} }}',
    ],
)
def test_a_text_that_the_form_cannot_show_is_refused_with_its_place(text: str) -> None:
    form = CalendarForm(name="desk", time_zone="UTC", hours=[""] * 7)
    with pytest.raises(NotEditable):
        text_with(CalendarForms(text=text, calendars=[form]))


@pytest.mark.parametrize(
    ("day", "is_date"),
    [
        ("2026-12-24", True),
        ("2024-02-29", True),
        ("2026-02-29", False),
        ("0000-01-01", False),
        ("20261224", False),
        ("*-12-24", False),
        ("first monday of march", False),
        ("", False),
    ],
)
def test_dates_have_a_field_for_dates_and_days_of_every_year_one_for_text(day: str, is_date: bool) -> None:
    assert ExceptionRow(day=day).is_date is is_date


def test_a_day_that_is_there_twice_is_refused() -> None:
    rows = [ExceptionRow(day="2026-12-24"), ExceptionRow(day="2026-12-24", hours="09:00-12:00")]
    with pytest.raises(NotEditable, match="2026-12-24"):
        changed(exceptions=rows)


def test_the_next_clock_change_is_named_where_there_is_one() -> None:
    change = next_clock_change("Europe/Paris", FRIDAY)
    assert change is not None
    assert change.minutes == 60
    assert next_clock_change("Asia/Ho_Chi_Minh", FRIDAY) is None


def test_a_calendar_shows_its_week_its_year_and_every_closed_day_by_name(shared_room: Room) -> None:
    page = shared_room.get("/calendars/webxtra", week="2026-04-27", year=2026).text
    assert page.count('class="bar-open"') == 4
    assert '<text class="why" x="162" y="52">King&#39;s Day</text>' in page
    assert page.count('class="cell ') == 365
    named = re.findall(r'data-label="Name">([^<]+)', page)
    assert {"Good Friday", "King's Day"} <= {each.strip().replace("&#39;", "'") for each in named}
    assert "NL public, holidays" in page


def test_the_rows_of_the_year_have_the_short_names_of_weekdays_of_the_language(shared_room: Room) -> None:
    names = {"nl": "ma wo vr zo", "vi": "T2 T4 T6 CN", "en": "Mo We Fr Su"}  # the last one stays chosen
    for language, expected in names.items():
        page = shared_room.get("/calendars/webxtra", year=2026, lang=language).text
        assert re.findall(r'class="row-name"[^>]*>([^<]*)<', page) == expected.split()


@pytest.mark.parametrize(
    "query", [{"week": "1890-01-01"}, {"week": "9998-01-01"}, {"year": 9999}, {"year": 1}]
)
def test_a_week_or_a_year_that_is_not_covered_shows_the_nearest_one(
    shared_room: Room, query: dict[str, Any]
) -> None:
    assert shared_room.get("/calendars/webxtra", **query).status_code == 200


def test_a_draft_is_checked_with_line_and_remedy_and_previewed_with_its_due_dates(
    shared_room: Room, admin: dict[str, str]
) -> None:
    room = shared_room
    room.sent(room.event(id="pages-1", subject="pages-1"))
    faulty = shipped("haisoft").replace("10:00-12:00", "10-12")
    checked = room.client.post("/calendars/haisoft/check", json={"text": faulty}, headers=admin).text
    assert "calendars.tickets.hours.mon-sun[0]" in checked
    assert re.search(r'data-line="\d+"', checked)
    assert "Write &#34;10:00-12:00&#34;" in checked
    draft = {
        "text": shipped("haisoft").replace("14:00-17:00", "14:00-15:40"),
        "applies_to": "open",
        "effective_from": "2026-03-06T17:00:00+01:00",
    }
    shown = room.client.post("/calendars/haisoft/preview", json=draft, headers=admin).text
    assert "1 due date moves: 1 h 20 min later" in shown
    assert 'value="apply"' in shown
    again = room.client.post(
        "/calendars/haisoft/preview", json={"text": shipped("haisoft")}, headers=admin
    ).text
    assert 'value="apply"' not in again
    assert room.get("/v1/calendars/haisoft/versions").json()["versions"][-1]["number"] == 1


def test_a_version_shows_its_text_and_what_it_changes(room: Room) -> None:
    admin = room.key("*", Role.ADMIN)
    text = shipped("hvn").replace("17:30", "18:30")
    headers = admin | {"Content-Type": "application/toml"}
    put = room.client.put(
        "/v1/calendars/hvn",
        params={"note": "Evenings", "effective_from": "2027-01-01"},
        content=text,
        headers=headers,
    )
    assert put.status_code == 200, put.text
    page = room.get("/calendars/hvn", admin).text
    assert "Evenings" in page
    assert "Version 2 comes into force: " in page
    assert 'action="/calendars/hvn/withdraw"' not in room.get("/calendars/hvn").text
    assert form_to(page, "/calendars/hvn/withdraw").value("version") == "2"
    asked = re.search(r'<details class="confirm">.*?</details>', page, re.DOTALL)
    assert asked is not None
    assert asked[0].index("This cannot be undone") < asked[0].index("<button>Withdraw version 2<")
    shown = room.get("/calendars/hvn/versions/2").text
    assert "calendars.desk.hours.mon" in shown
    assert "18:30" in shown
    assert room.get("/calendars/hvn/versions/2", **{"from": 9}).status_code == 404


def test_a_new_desk_begins_with_an_example_that_has_no_fault(
    shared_room: Room, admin: dict[str, str]
) -> None:
    asked = shared_room.client.get(
        "/calendars", params={"new": "acme"}, headers=admin, follow_redirects=False
    )
    assert asked.headers["location"] == "/calendars/acme/edit"
    page = shared_room.get("/calendars/acme/edit", admin).text
    assert "[calendars.desk]" in page
    assert "No faults." in page


def test_a_desk_is_opened_from_the_page_while_there_is_none(sqlite_databases: SqliteDatabases) -> None:
    with sqlite_databases.copy_of(with_tables) as url, room_on(url) as room:
        shown = room.client.get("/calendars", headers=room.key("*", Role.ADMIN)).text
        assert "Open a new desk" in shown
        assert "Open a new desk" not in room.client.get("/calendars", headers=room.key("*", Role.VIEWER)).text


EDIT = "/calendars/haisoft/edit"


def opened(room: Room, admin: dict[str, str]) -> Form:
    return form_to(room.get(EDIT, admin).text, EDIT)


def test_without_scripts_the_form_of_the_page_sends_the_text_back_as_it_is(
    shared_room: Room, admin: dict[str, str]
) -> None:
    for desk in ("hvn", "webxtra"):
        address = f"/calendars/{desk}/edit"
        sent = form_to(shared_room.get(address, admin).text, address).sent(shared_room, admin)
        assert form_to(sent.text, address).value("text") == shipped(desk), desk


def test_without_scripts_rows_are_added_and_removed_and_a_refused_form_keeps_what_was_typed(
    shared_room: Room, admin: dict[str, str]
) -> None:
    typed = opened(shared_room, admin).filled(
        **{"0__exceptions__day": "2026-12-24", "0__exceptions__reason": "Eve"}
    )
    page = typed.sent(shared_room, admin, ("action", "write")).text
    assert '<input type="date" name="0.exceptions.day" value="2026-12-24">' in page
    added = form_to(page, EDIT)
    assert '"2026-12-24" = { hours = [], reason = "Eve" }' in added.value("text")
    dropped = form_to(added.sent(shared_room, admin, ("drop", "0.exceptions.0")).text, EDIT)
    assert "2026-12-24" not in dropped.value("text")
    refused = (
        added.filled(text="[calendars")
        .filled(**{"0__country": "BE"})
        .sent(shared_room, admin, ("action", "write"))
    )
    assert refused.status_code == 422
    again = form_to(refused.text, EDIT)
    assert (again.value("text"), again.value("0.country")) == ("[calendars", "BE")
    faulty = added.filled(**{"0__time_zone": "Europe/Nowhere"}).sent(
        shared_room, admin, ("action", "preview")
    )
    assert faulty.status_code == 422
    assert re.search(r'id="zone-0">[^<]*Europe/Nowhere', faulty.text)


def test_without_scripts_a_draft_is_previewed_and_applied_and_a_change_of_the_text_stays(room: Room) -> None:
    admin = room.key("*", Role.ADMIN)
    room.sent(room.event(id="pages-2", subject="pages-2"))
    form = opened(room, admin)
    typed = form.filled(
        text=form.value("text") + "# typed\n", **{"0__hours": "10:00-12:00"}, applies_to="open"
    )
    shown = typed.sent(room, admin, ("action", "preview"))
    assert "1 due date moves" in shown.text or "No clock of an open ticket changes." in shown.text
    applied = form_to(shown.text, EDIT).sent(room, admin, ("action", "apply"))
    assert applied.headers["location"] == "/calendars/haisoft?applied=2"
    text = opened(room, admin).value("text")
    assert text.endswith("# typed\n")
    assert 'mon = ["10:00-12:00"]' in text


def test_without_scripts_an_address_for_calendar_programs_is_made_and_removed(room: Room) -> None:
    admin = room.key("*", Role.ADMIN)
    page = room.get("/calendars/hvn", admin).text
    made = form_to(page, "/calendars/hvn").filled(note="Wall").sent(room, admin)
    (address,) = re.findall(r"<code>http://testserver(/feeds/[^<]+)</code>", made.text)
    assert room.client.get(address).status_code == 200
    removing = form_to(room.get("/calendars/hvn", admin).text, "/calendars/hvn/feed/remove")
    assert removing.sent(room, admin).status_code == 303
    assert room.client.get(address).status_code == 404
    assert "/feed/remove" not in room.get("/calendars/hvn").text


@pytest.mark.parametrize("name", ["a b", "a/b", "acme.eu", "x" * 256])
def test_a_name_that_no_desk_can_have_is_refused_with_the_rule_and_stays_in_the_field(
    shared_room: Room, name: str
) -> None:
    admin = shared_room.key("*", Role.ADMIN)
    answer = shared_room.client.get("/calendars", params={"new": name}, headers=admin, follow_redirects=False)
    assert answer.status_code == 422
    assert f'name="new" value="{name}"' in answer.text
    assert f"{name} cannot be the name of a desk." in answer.text
    assert "1 to 255 characters, without spaces" in answer.text
    good = shared_room.client.get("/calendars?new=acme", headers=admin, follow_redirects=False)
    assert good.headers["location"] == "/calendars/acme/edit"


@pytest.mark.parametrize(
    ("desk", "language", "name"),
    [
        ("webxtra", "nl", "Tweede paasdag"),
        ("webxtra", "fr", "Easter Monday"),  # the package has no Dutch holidays in French
        ("hvn", "vi", "Tết Dương lịch"),
    ],
)
def test_holidays_are_named_in_the_readers_language_where_the_package_has_it(
    shared_room: Room, desk: str, language: str, name: str
) -> None:
    page = shared_room.get(f"/calendars/{desk}", lang=language, year="2026").text
    shared_room.get("/calendars", lang="en")
    assert re.search(rf"<title>[^<]+: {name}</title>|: {name}[\"<]", page)


def test_a_holiday_that_the_calendar_names_itself_keeps_its_name() -> None:
    spec = {"time_zone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}}
    holidays = {"country": "FR", "add": {"2026-07-13": "Bridge"}}
    bare, french = Calendar.parse(spec), Calendar.parse(spec | {"holidays": holidays})
    on = date(2026, 7, 14)
    assert holiday_name(french, on, "National Day", Language.FR) == "Fête nationale"
    assert holiday_name(french, date(2026, 7, 13), "Bridge", Language.FR) == "Bridge"
    assert holiday_name(french, on, "National Day", Language.VI) == "National Day"
    assert holiday_name(bare, on, "National Day", Language.FR) == "National Day"
