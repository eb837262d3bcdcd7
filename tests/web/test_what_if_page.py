"""What if: the form of a desk, and a simulation that runs or has failed. `test_simulations` has one with its result."""

import re

from app.store.tickets import simulations
from app.store.tickets.simulations import SimulationState
from app.web.pages.frame.files.sent import Sent
from app.web.pages.what_if.editable import Editable, hours_of, targets_of, with_tried
from app.web.pages.what_if.trying import tried_of
from tests.service import at
from tests.web.filled import form_to
from tests.web.room import Room
from tests.web.test_simulations import inserted

AGREEMENT = {
    "commitments": [
        {"id": "response", "target": "4h"},
        {"id": "gti", "target": "level:gti"},
        {"id": "gtr", "target": {"by": "priority", "high": "2h", "very low": "3 days"}},
    ],
    "levels": {"gold 24/7": {"gti": "30m", "customer_value": True, "network": "none"}},
}
CALENDARS = {
    "calendars": {
        "desk": {"hours": {"mon-fri": ["09:00-12:00", "14:00-18:00"], "sat": []}, "time_zone": "Europe/Paris"}
    }
}


def test_what_can_be_tried_has_the_keys_of_changes() -> None:
    assert targets_of(AGREEMENT, {"response": "First reply"}) == [
        Editable("commitments.response.target", "First reply", "4h"),
        Editable("commitments.gtr.target.high", "gtr: high", "2h"),
        Editable('commitments.gtr.target."very low"', "gtr: very low", "3 days"),
        Editable('levels."gold 24/7".gti', "gold 24/7: gti", "30m"),
    ]
    assert hours_of(CALENDARS) == [
        Editable("calendars.desk.hours.mon-fri", "desk: mon-fri", "09:00-12:00, 14:00-18:00", is_list=True),
        Editable("calendars.desk.hours.sat", "desk: sat", "", is_list=True),
    ]
    assert targets_of(None, {}) == hours_of(None) == []


def test_the_form_begins_with_what_was_tried_before(room: Room) -> None:
    tried = {
        "commitments.ticket-response.target": "90m",
        "calendars.tickets.hours.sat": [],
        'commitments.gti."warn_at"': ["75%"],
    }
    question = {
        "from": at("2026-02-02T00:00:00+01:00"),
        "to": at("2026-03-01T00:00:00+01:00"),
        "changes": tried,
    }
    question |= {"files": [], "contracts": []}
    room.database.write_now(lambda conn, now: simulations.start(conn, "s", "haisoft", question, None, now))
    assert "/reports/what-if?desk=haisoft&amp;again=s" in room.get("/reports/what-if/s").text
    page = room.get("/reports/what-if", desk="haisoft", again="s").text
    assert re.findall(r'name="(?:from|to)" value="([^"]+)"', page) == ["2026-02-02", "2026-02-28"]
    assert 'name="try.commitments.ticket-response.target" placeholder="2h" value="90m"' in page
    assert "commitments.gti.&#34;warn_at&#34; = [&#34;75%&#34;]" in page
    for other in ({"desk": "webxtra", "again": "s"}, {"desk": "haisoft", "again": "none"}):
        assert 'value="90m"' not in room.get("/reports/what-if", **other).text
    assert with_tried([Editable("k", "k", "09:00-12:00", is_list=True)], {"k": []})[0].tried == "-"


def test_the_form_of_every_desk_names_keys_that_the_api_takes(shared_room: Room) -> None:
    for desk in ("clamehost", "haisoft", "hvn", "phpnet", "webxtra"):
        page = shared_room.get("/reports/what-if", desk=desk, lang="vi")
        assert page.status_code == 200, desk
        assert page.text.count('name="try.') > 2, desk
    assert (
        'name="try.commitments.ticket-response.target"'
        in shared_room.get("/reports/what-if", desk="haisoft").text
    )


def test_a_simulation_that_was_cancelled_or_has_failed_says_why(room: Room) -> None:
    for name, state, reason in (
        ("a", SimulationState.CANCELLED, None),
        ("b", SimulationState.FAILED, "no memory"),
    ):
        inserted(room, name)
        assert "data-running" in room.get(f"/reports/what-if/{name}/state").text
        room.database.write_now(
            lambda conn, now, name=name, state=state, reason=reason: simulations.end(
                conn, name, state, now, reason=reason
            )
        )
    assert "It was cancelled." in room.get("/reports/what-if/a").text
    assert "It failed: no memory" in room.get("/reports/what-if/b").text
    assert room.get("/reports/what-if/none").status_code == 404


FORM = "/reports/what-if"


def test_the_fields_are_changes_and_further_lines_have_their_values_as_json() -> None:
    fields = [
        ("try.commitments.response.target", " 90m "),
        ("try.commitments.gti.target", ""),
        ("try.calendars.desk.hours.sat", "-"),
        ("try.calendars.desk.hours.sun", "09:00-12:00, 14:00-18:00"),
        ("changes", 'a.warn_at = ["75%"]\r\nb = none\r\n= 1\r\n\r\nc=2'),
    ]
    assert tried_of(Sent(fields)).changes == {
        "commitments.response.target": "90m",
        "calendars.desk.hours.sat": [],
        "calendars.desk.hours.sun": ["09:00-12:00", "14:00-18:00"],
        "a.warn_at": ["75%"],
        "b": "none",
        "c": 2,
    }


def test_without_scripts_a_simulation_is_started_and_cancelled(room: Room) -> None:
    form = form_to(room.get(FORM, desk="haisoft").text, FORM)
    inserted(room, "other")
    busy = form.sent(room, room.read)
    assert busy.status_code == 422
    assert "A simulation of this desk is running." in busy.text
    cancelled = form_to(room.get(f"{FORM}/other").text, f"{FORM}/other/cancel").sent(room, room.read)
    assert (cancelled.status_code, cancelled.headers["location"]) == (303, f"{FORM}/other")
    assert "It was cancelled." in room.get(f"{FORM}/other").text
    started = form.sent(room, room.read)
    assert started.status_code == 303
    page = room.get(started.headers["location"]).text
    form_to(page, f"{started.headers['location']}/cancel").sent(room, room.read)


def test_a_refused_form_has_its_faults_at_their_fields_and_what_was_typed(shared_room: Room) -> None:
    room = shared_room
    form = form_to(room.get(FORM, desk="haisoft").text, FORM)
    target, late = "try.commitments.ticket-response.target", {"to": "2026-01-01", "from": "2026-02-01"}
    faulty = form.filled(**{target: "8x", "changes": "commitments.x.target = 1"}).sent(room, room.read)
    assert faulty.status_code == 422
    again = form_to(faulty.text, FORM)
    assert (again.value(target), again.value("changes")) == ("8x", "commitments.x.target = 1")
    assert re.search(r'id="fault-targets-1">[^<]*8x', faulty.text)
    assert "<code>commitments.x</code>" in faulty.text or "<code>commitments.x.target</code>" in faulty.text
    refused = form.filled(**late).sent(room, room.read)
    assert 'id="to-fault"' in refused.text
    assert form_to(refused.text, FORM).value("to") == "2026-01-01"
    assert 'id="from-fault"' in form.filled(**{"from": "soon"}).sent(room, room.read).text
