"""The pages of agreements: what they say of a desk's file, its notes, and drafts with their faults and previews."""

import re
from typing import Any

import pytest

from app.principal import Role
from app.store.tickets import simulations
from app.store.tickets.simulations import SimulationState
from app.web.pages.agreements.notes import notes_of
from tests.web.room import DESKS, ROOT, Room


def shipped(desk: str) -> str:
    return (ROOT / "agreements" / f"{desk}.toml").read_text(encoding="utf-8")


NOTED = """# About the file.

desk = "acme"  # "the desk"

# Above its table.
[[commitments]]
# "Quoted", and
# continued.
id = "first"
label = "a # b"
#   [contracts.C-1]
[[commitments]]
id = 'second' # 'trailing'
# Last.

[levels.gold]
gtr = "4h"   # four
"""


def test_a_comment_is_a_note_on_the_table_that_it_stands_in_or_touches_from_above() -> None:
    assert notes_of(NOTED) == {
        ("", 0): ["About the file.", '"the desk"'],
        ("commitments", 0): ["Above its table.", '"Quoted", and continued.'],
        ("commitments", 1): ["'trailing'", "Last."],
        ("levels.gold", 0): ["four"],
    }


@pytest.mark.parametrize("text", ["", "#", "# only", "[", '"' * 5_000, "'#" * 5_000, "a = " + '"#' * 5_000])
def test_notes_are_found_in_any_text_without_delay(text: str) -> None:
    assert len(notes_of(text)) <= 1


@pytest.mark.parametrize("desk", DESKS)
def test_an_agreement_shows_each_commitment_with_its_terms_and_the_notes_of_the_file(
    shared_room: Room, desk: str
) -> None:
    page = shared_room.get(f"/agreements/{desk}").text
    for each in shared_room.get(f"/v1/agreements/{desk}").json()["commitments"]:
        assert f"<code>{each['id']}</code>" in page
    assert page.count('class="term"') >= 2
    assert page.count('class="notes"') >= 2
    assert "<dt>Target</dt>" in page


def test_terms_are_in_the_words_of_the_reader(shared_room: Room) -> None:
    page = shared_room.client.get(
        "/agreements/haisoft", headers=shared_room.read | {"Accept-Language": "fr"}
    ).text
    assert "Première réponse" in page
    assert "<dt>Démarre avec</dt>" in page


def test_a_draft_is_checked_with_line_and_remedy_and_previewed_with_breaches_and_due_dates(
    shared_room: Room,
) -> None:
    room, admin = shared_room, shared_room.key("*", Role.ADMIN)
    room.sent(room.event(id="draft-1", subject="draft-1", time="2026-03-06T11:45:00+01:00"))

    def posted(action: str, **body: Any) -> str:
        return room.client.post(f"/agreements/haisoft/{action}", json=body, headers=admin).text

    faults = posted("check", text=shipped("haisoft").replace('target = "2h"', 'taget = "2h"'))
    assert "Did you mean &#34;target&#34;?" in faults
    assert re.search(r'data-line="\d+"', faults)
    shorter = shipped("haisoft").replace('target = "2h"', 'target = "1h"')
    shown = posted("preview", text=shorter, applies_to="open")
    assert "1 due date moves" in shown
    assert "1 breach appears" in shown
    assert 'value="apply"' in shown
    assert re.findall(r"<tr><td><a[^>]*>draft-1</a></td><td>([^<]+)</td>", shown) == ["First response"]
    refused = posted("preview", text=shorter, effective_from="2020-01-01")
    assert "<code>effective_from</code>" in refused
    assert 'value="apply"' not in refused


def test_an_agreement_of_a_new_desk_begins_with_an_example_that_counts_by_its_calendar(room: Room) -> None:
    admin = room.key("*", Role.ADMIN)
    assert "No faults." in room.get("/agreements/acme/edit", admin).text
    calendar = {"calendars": {"late": {"time_zone": "Europe/Oslo", "hours": {"mon-fri": ["12:00-20:00"]}}}}
    assert room.client.put("/v1/calendars/acme", json=calendar, headers=admin).status_code == 200
    page = room.get("/agreements/acme/edit", admin).text
    assert "calendar = &#34;acme/late&#34;" in page
    assert "No faults." in page
    assert room.get("/agreements/acme").status_code == 200
    assert "acme" in room.get("/agreements").text


def test_a_simulation_shows_how_far_it_is_and_then_the_verdicts_on_both_sides(shared_room: Room) -> None:
    room = shared_room
    question = {"from": 0, "to": 1, "files": [], "contracts": [], "changes": {}}
    room.database.write_now(lambda conn, now: simulations.start(conn, "sim-1", "hvn", question, "Ann", now))
    assert "data-running" in room.get("/agreements/hvn/simulations/sim-1").text
    sides = {"before": {"met": 7, "missed": 3}, "after": {"met": 9, "missed": 1}}
    credits = [{"currency": "EUR", "before": "30.00", "after": "10.00"}]
    result = {"tickets": 10, "flips_in_all": 2, "commitments": {"response": sides}, "credits": credits}
    done = SimulationState.DONE
    room.database.write_now(lambda conn, now: simulations.end(conn, "sim-1", done, now, result=result))
    shown = room.get("/agreements/hvn/simulations/sim-1").text
    assert re.findall(r'class="number">(\d+)</td>', shown) == ["7", "9", "3", "1"]
    assert "2 verdicts differ." in shown
    assert "Credits in EUR: 30.00 as it was, 10.00 under the draft" in shown
    assert room.get("/agreements/haisoft/simulations/sim-1").status_code == 404
