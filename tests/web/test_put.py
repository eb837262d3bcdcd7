"""Calendars and agreements put into force over the network: as files, as JSON, previewed, refused, and by whom."""

import tomllib
from typing import Any

import pytest

from app.flow.agreement.apply import apply
from app.flow.agreement.desk_files import desk_file
from app.flow.agreement.plan import Proposal
from app.flow.agreement.put import LARGEST
from app.principal import Scope
from app.web.api.desks.agreements import AgreementDetail
from app.web.api.desks.desk_document import DocumentPut
from app.web.api.desks.preview_summary import MOST_CHANGES
from app.web.http.problems import MEDIA_TYPE
from tests.waiting import until
from tests.web.room import Room, conforms

CALENDAR = """# Opening hours
[calendars.desk]
time_zone = "Europe/Paris"
hours = { mon-sun = ["09:00-17:00"] }
"""
AGREEMENT = """# As signed
desk = "own"
name = "Own"

[[commitments]]
id = "reply"
label = "Reply"
kind = "guarantee"
measure = "response"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = "4h"
calendar = "own/desk"
"""
CALENDARS, AGREEMENTS = "/v1/calendars/own", "/v1/agreements/own"


class Office:
    """A room with somebody in it who may administer one desk, or all."""

    def __init__(self, room: Room, desk: str = "*") -> None:
        self.room = room
        self.key = room.key(desk, Scope.ADMIN)

    def put(self, path: str, body: object, **params: Any) -> Any:
        """Put a TOML text, or anything else as JSON."""
        if isinstance(body, str):
            sent: dict[str, Any] = {"content": body.encode()}
            headers = self.key | {"Content-Type": "application/toml"}
        else:
            sent, headers = {"json": body}, self.key
        return self.room.client.put(path, params=params, headers=headers, **sent)

    def done(self, path: str, body: object, **params: Any) -> Any:
        """The same, which must succeed."""
        response = self.put(path, body, **params)
        assert response.status_code == 200, response.text
        return conforms(DocumentPut, response.content)

    def faults(self, path: str, body: object, **params: Any) -> dict[str, str]:
        """What is refused, by its place."""
        response = self.put(path, body, **params)
        assert (response.status_code, response.headers["content-type"]) == (422, MEDIA_TYPE), response.text
        return {fault["place"]: fault["reason"] for fault in response.json()["errors"]}

    def history(self, desk: str = "own") -> list[dict[str, Any]]:
        shown = self.room.client.get(f"/v1/agreements/{desk}", headers=self.key)
        return conforms(AgreementDetail, shown.content)["versions"]

    def due_at(self, ticket: str) -> str:
        (clock,) = self.room.get(f"/v1/tickets/own/{ticket}").json()["clocks"]
        return clock["due_at"]


def new_version(number: int, tickets: int | None, applies_to: str) -> dict[str, Any]:
    """A version of the desk `own` in an answer."""
    return {
        "desk": "own",
        "number": number,
        "tickets": tickets,
        "note": None,
        "effective_from": None,
        "applies_to": applies_to,
        "replaces": [],
    }


@pytest.fixture
def office(room: Room) -> Office:
    made = Office(room)
    made.done(CALENDARS, CALENDAR)
    made.done(AGREEMENTS, AGREEMENT)
    room.wall.move(1)
    return made


def opened(office: Office, ticket: str = "1", desk: str = "own") -> None:
    office.room.sent(office.room.event(source=desk, subject=ticket, data={"title": "A", "customer": ticket}))


def test_a_first_document_makes_a_desk_known(room: Room) -> None:
    office = Office(room)
    assert room.get("/v1/agreements/own").status_code == 404
    recorded = office.done(CALENDARS, CALENDAR)
    assert (recorded["version"], recorded["versions"]) == (
        1,
        [new_version(1, 0, "new")],
    )
    assert office.done(AGREEMENTS, AGREEMENT)["version"] == 2
    opened(office)
    assert office.due_at("1") == "2026-03-07T10:30:00Z"


def test_a_text_is_kept_with_its_comments_and_json_needs_none(office: Office) -> None:
    shown = office.room.get("/v1/agreements/own").json()
    assert shown["text"] == AGREEMENT
    otherwise = tomllib.loads(AGREEMENT) | {"name": "Our own"}
    assert office.done(AGREEMENTS, otherwise)["version"] == 3
    shown = office.room.get("/v1/agreements/own").json()
    assert (shown["document"], shown["text"], shown["name"]) == (otherwise, None, "Our own")


def test_what_is_in_force_already_makes_no_version_however_it_is_written(office: Office) -> None:
    for path, text in ((CALENDARS, CALENDAR), (AGREEMENTS, AGREEMENT)):
        for body in (text, tomllib.loads(text)):
            recorded = office.done(path, body, applies_to="open")
            assert (recorded["version"], recorded["versions"]) == (2, [])
    assert [version["number"] for version in office.history()] == [1, 2]


def test_open_tickets_are_judged_anew_without_waiting_for_their_time(office: Office) -> None:
    opened(office)
    recorded = office.done(AGREEMENTS, AGREEMENT.replace('"4h"', '"1h"'), applies_to="open")
    assert recorded["versions"] == [new_version(3, 1, "open")]
    assert office.history()[-1]["applies_to"] == "open"
    until(lambda: signals(office.room, "clock.due_changed"))
    moved = signals(office.room, "clock.due_changed")
    assert [(each["ticket"], each["new_due_at"]) for each in moved] == [("1", "2026-03-06T15:30:00Z")]
    assert office.due_at("1") == "2026-03-06T15:30:00Z"


def signals(room: Room, kind: str) -> list[dict[str, Any]]:
    return room.get("/v1/signals", kind=kind).json()["signals"]


def test_a_version_for_new_tickets_leaves_the_open_ones(office: Office) -> None:
    opened(office)
    recorded = office.done(AGREEMENTS, AGREEMENT.replace('"4h"', '"1h"'))
    assert (recorded["applies_to"], recorded["versions"][0]["tickets"]) == ("new", 0)
    assert office.due_at("1") == "2026-03-07T10:30:00Z"


def test_a_preview_tells_the_changes_and_changes_nothing(office: Office) -> None:
    opened(office)
    before = office.history()
    recorded = office.done(AGREEMENTS, AGREEMENT.replace('"4h"', '"1h"'), preview=True, applies_to="open")
    assert (recorded["version"], recorded["preview"], recorded["changes_in_all"]) == (3, True, 1)
    assert recorded["versions"] == [new_version(3, None, "open")]
    (change,) = recorded["changes"]
    assert (change["ticket"], change["commitment"], change["cycle"]) == ("1", "reply", 1)
    assert (change["old_due_at"], change["new_due_at"]) == ("2026-03-07T10:30:00Z", "2026-03-06T15:30:00Z")
    assert office.history() == before
    assert office.due_at("1") == "2026-03-07T10:30:00Z"


def test_a_preview_writes_out_the_first_of_many_changes(office: Office) -> None:
    many = MOST_CHANGES + 3
    events = [
        office.room.event(source="own", subject=f"{n:05}", data={"customer": str(n)}) for n in range(many)
    ]
    for start in range(0, many, 1_000):
        office.room.sent(*events[start : start + 1_000])
    recorded = office.done(AGREEMENTS, AGREEMENT.replace('"4h"', '"1h"'), preview=True, applies_to="open")
    assert (len(recorded["changes"]), recorded["changes_in_all"]) == (MOST_CHANGES, many)


def test_every_fault_of_an_agreement_is_told_with_its_place_and_its_line(office: Office) -> None:
    faulty = (
        AGREEMENT.replace('"4h"', '"4 parsecs"')
        .replace('"own/desk"', '"own/night"')
        .replace('"own"\n', '"b"\n')
    )
    found = office.faults(AGREEMENTS, faulty)
    assert found.keys() == {"/desk", "/commitments/0/target", "/commitments/0/calendar"}
    assert found["/desk"] == "line 2: 'b' is not the desk of this address. Write desk = \"own\"."
    assert found["/commitments/0/target"].startswith('line 12: "4 parsecs" is not a target')
    assert "own/desk" in found["/commitments/0/calendar"]
    as_json = office.faults(AGREEMENTS, tomllib.loads(faulty))
    assert as_json.keys() == found.keys()
    assert len(office.history()) == 2


def test_what_is_seldom_meant_is_a_remark_with_its_place(office: Office) -> None:
    assert office.done(CALENDARS, CALENDAR, preview=True)["remarks"] == []
    seldom = CALENDAR.replace("09:00-17:00", "00:00-23:59")
    (remark,) = office.done(CALENDARS, seldom, preview=True)["remarks"]
    assert (remark["pointer"], remark["line"]) == ("/calendars/desk/hours/mon-sun/0", 4)
    assert remark["advice"] == 'Write "00:00-24:00".'
    document = tomllib.loads(seldom)
    (remark,) = office.done(CALENDARS, document)["remarks"]
    assert (remark["pointer"], remark["line"]) == ("/calendars/desk/hours/mon-sun/0", None)


def test_recurring_days_and_seasons_are_put_and_shown_as_they_were_written(office: Office) -> None:
    table: dict[str, Any] = {
        "time_zone": "Europe/Amsterdam",
        "hours": {"mon-fri": ["09:00-17:00"]},
        "alternate": [{"every": 2, "from": "2026-01-03", "hours": {"sat": ["09:00-13:00"]}}],
        "seasons": [{"first": "07-01", "last": "08-31", "hours": {"mon-fri": ["08:00-14:00"]}}],
        "holidays": {
            "country": "Netherlands",
            "add": {"friday after Ascension Day": "bridge day"},
            "remove": ["Good Friday"],
        },
        "overrides": {"*-12-24": ["09:00-12:00"]},
    }
    office.done(CALENDARS, {"calendars": {"desk": table}})
    shown = office.room.client.get(f"{CALENDARS}/desk", headers=office.key).json()
    assert shown["rules"] == table
    closed = {day["date"]: (day["name"], day["hours"]) for day in shown["closed_days"]}
    assert closed["2026-05-15"] == ("bridge day", [])
    assert closed["2026-12-24"] == ("special hours", ["09:00-12:00"])
    assert "2026-04-03" not in closed


def test_every_fault_of_a_calendar_is_told_with_its_place(office: Office) -> None:
    faulty = {"calendars": {"desk": {"time_zone": "Paris", "hours": {"mon": ["9-5"]}}}, "desks": 1}
    assert office.faults(CALENDARS, faulty).keys() == {
        "/calendars/desk/time_zone",
        "/calendars/desk/hours/mon/0",
        "/desks",
    }
    assert office.faults(CALENDARS, {}).keys() == {"/calendars"}


def test_a_preview_refuses_what_the_real_thing_would(office: Office) -> None:
    faulty = AGREEMENT.replace('"4h"', '"4 parsecs"')
    assert office.faults(AGREEMENTS, faulty, preview=True) == office.faults(AGREEMENTS, faulty)


def test_a_calendar_that_the_agreement_counts_by_cannot_be_left_out(office: Office) -> None:
    found = office.faults(CALENDARS, CALENDAR.replace("calendars.desk", "calendars.night"))
    assert found.keys() == {""}
    assert found[""].startswith("the agreement of own: commitments.reply.calendar: there is no calendar")


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1, 2]", "application/json", 422),
        (b"desk =", "application/toml", 400),
        (b"desk = '\xff'", "application/toml", 400),
        (b"name = 123456789012345678901234567890", "application/toml", 400),
        (b"a = " + b"[" * 5_000, "application/toml", 400),
        (b"desk = 'own'", "text/plain", 415),
        (b"desk = 'own'", "application/toml; charset=latin-1", 415),
        (b"#" * (LARGEST + 1), "application/toml", 413),
    ],
)
def test_what_cannot_be_read_is_refused(
    shared_room: Room, content: bytes, media_type: str, status: int
) -> None:
    headers = Office(shared_room).key | {"Content-Type": media_type}
    response = shared_room.client.put(AGREEMENTS, content=content, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, MEDIA_TYPE), response.text
    assert ("accept" in response.headers) is (media_type == "text/plain")


@pytest.mark.parametrize("params", [{"preview": "perhaps"}, {"applies_to": "old"}, {"appliesTo": "new"}])
def test_an_unknown_wish_is_refused(shared_room: Room, params: dict[str, str]) -> None:
    assert Office(shared_room).faults(CALENDARS, CALENDAR, **params).keys() == params.keys()


@pytest.mark.parametrize("desk", ["*", "a b", "a.b", "a[b", "x" * 256])
def test_a_desk_needs_a_name_that_others_can_refer_to(shared_room: Room, desk: str) -> None:
    assert Office(shared_room).faults(f"/v1/calendars/{desk}", CALENDAR).keys() == {"desk"}


@pytest.mark.parametrize("path", ["/v1/calendars/{}", "/v1/agreements/{}"])
def test_another_desk_is_answered_exactly_as_an_unknown_one(room: Room, path: str) -> None:
    own = Office(room, "own")
    answers = [own.put(path.format(desk), CALENDAR) for desk in ("haisoft", "nowhere")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text.replace("haisoft", "…") == answers[1].text.replace("nowhere", "…")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.PUSH])
def test_only_an_administrator_may_put(room: Room, scope: Scope) -> None:
    for path, text in ((CALENDARS, CALENDAR), (AGREEMENTS, AGREEMENT)):
        headers = room.key("own", scope) | {"Content-Type": "application/toml"}
        for preview in (True, False):
            response = room.client.put(path, content=text, headers=headers, params={"preview": preview})
            assert response.status_code == 403


def test_a_desks_own_key_may_begin_it_and_change_it(room: Room) -> None:
    own = Office(room, "own")
    own.done(CALENDARS, CALENDAR)
    own.done(AGREEMENTS, AGREEMENT)
    recorded = own.done(CALENDARS, CALENDAR.replace("17:00", "18:00"), applies_to="rest")
    assert [version["desk"] for version in recorded["versions"]] == ["own"]


def test_a_desks_own_key_cannot_count_by_another_desks_calendar(room: Room) -> None:
    own = Office(room, "own")
    own.done(CALENDARS, CALENDAR)
    found = [
        own.faults(AGREEMENTS, AGREEMENT.replace("own/desk", f"{desk}/tickets"), preview=preview)
        for desk in ("haisoft", "nowhere")
        for preview in (True, False)
    ]
    assert found[0] == found[1]
    assert str(found[0]).replace("haisoft", "nowhere") == str(found[2])


def borrowed(office: Office) -> Office:
    """A desk that counts by another's calendar, as somebody arranged who may see both; and its own administrator."""
    office.done("/v1/agreements/borrower", AGREEMENT.replace('desk = "own"', 'desk = "borrower"'))
    return Office(office.room, "borrower")


def test_a_key_for_all_takes_the_desks_along_that_count_by_a_calendar(office: Office) -> None:
    borrowed(office)
    for preview in (True, False):
        recorded = office.done(CALENDARS, CALENDAR.replace("17:00", "18:00"), preview=preview)
        assert [(each["desk"], each["number"]) for each in recorded["versions"]] == [
            ("borrower", 2),
            ("own", 3),
        ]
    refused = office.put(CALENDARS, CALENDAR.replace("calendars.desk", "calendars.night"))
    reasons = [fault["reason"] for fault in refused.json()["errors"]]
    assert [reason.partition(": there")[0] for reason in reasons] == [
        f"the agreement of {desk}: commitments.reply.calendar" for desk in ("borrower", "own")
    ]


def test_a_desks_own_key_leaves_those_alone_that_count_by_its_calendar(office: Office) -> None:
    borrowed(office)
    own = Office(office.room, "own")
    for preview in (True, False):
        recorded = own.done(CALENDARS, CALENDAR.replace("17:00", "18:00"), preview=preview)
        assert [each["desk"] for each in recorded["versions"]] == ["own"]
    assert len(office.history("borrower")) == 1


def test_a_desk_that_counts_by_anothers_calendar_goes_on_to_as_it_was(office: Office) -> None:
    borrower = borrowed(office)
    text = AGREEMENT.replace('desk = "own"', 'desk = "borrower"')
    assert borrower.done("/v1/agreements/borrower", text)["versions"] == []
    Office(office.room, "own").done(CALENDARS, CALENDAR.replace("17:00", "18:00"))
    changed = text.replace('"4h"', '"8h"')
    recorded = borrower.done("/v1/agreements/borrower", changed, applies_to="open")
    assert recorded["version"] == 2
    opened(office, desk="borrower")
    (clock,) = office.room.get("/v1/tickets/borrower/1").json()["clocks"]
    assert clock["due_at"] == "2026-03-07T14:30:00Z"


def test_what_the_command_applied_the_network_finds_in_force(office: Office) -> None:
    parts = office.room.app.state.running
    text = AGREEMENT.replace('"4h"', '"2h"')
    files = [desk_file("agreements/own.toml", "own", text)]
    office.room.database.write_now(lambda conn, now: apply(conn, now, parts.assessor, Proposal(files)))
    assert office.done(AGREEMENTS, text)["versions"] == []


@pytest.mark.parametrize("key", ["", ".", "[]", ".*."])
def test_a_key_without_a_name_is_a_fault_of_the_document(office: Office, key: str) -> None:
    admin = office.room.key("own", Scope.ADMIN)
    response = office.room.client.put(CALENDARS, json={key: {"a": 1}}, headers=admin)
    assert response.status_code == 422, response.text
    assert response.json()["errors"]
