"""The form of an agreement: its changed fields in the text and nothing else changed, and its editor without scripts."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.principal import Role
from app.web.pages.agreements.form import AgreementForm, CommitmentForm, LevelForm, elsewhere, form_of
from app.web.pages.agreements.form_sent import SentAgreement
from app.web.pages.agreements.form_text import text_with
from app.web.pages.frame.files.editor import NotEditable
from tests.web.filled import Form, form_to
from tests.web.room import DESKS, ROOT, Room

TEXT = """# Above all.
desk = "acme"
time_zone = "Europe/Amsterdam"

[levels.gold]
gtr = "4h"   # four
places = 5

# The first promise.
[[commitments]]
id = "response"
label = { en = "First response", nl = "Eerste reactie" }   # both
kind = "guarantee"
starts_on = ["ticket.created"]
stops_on = ["agent.replied"]
target = { by = "priority", urgent = "1h", else = "8h" }
calendar = { by = "organisation", "North" = "acme/night", else = "acme/desk" }
except = [
    { channel = ["phone"], reason = "calls" },  # kept
]

# The second.
[[commitments]]
id = "repair"
kind = "objective"
starts_on = ["ticket.created", ["call.registered", "anomaly.detected"]]
stops_on = ["status:solved"]
target = "level:gtr"
calendar = "acme/desk"
# About the queue.
[queue]
calendar = "acme/desk"
"""


def form() -> AgreementForm:
    return form_of(tomllib.loads(TEXT))


def changed(change: Callable[[AgreementForm], AgreementForm], **given: Any) -> str:
    return text_with(SentAgreement(TEXT, given.pop("base", TEXT), change(form()), **given))


def first(**fields: Any) -> Callable[[AgreementForm], AgreementForm]:
    return lambda whole: replace(
        whole, commitments=(replace(whole.commitments[0], **fields), *whole.commitments[1:])
    )


def second(**fields: Any) -> Callable[[AgreementForm], AgreementForm]:
    return lambda whole: replace(
        whole, commitments=(whole.commitments[0], replace(whole.commitments[1], **fields))
    )


def gold(**fields: Any) -> Callable[[AgreementForm], AgreementForm]:
    return lambda whole: replace(whole, levels=(replace(whole.levels[0], **fields),))


def same(whole: AgreementForm) -> AgreementForm:
    return whole


@pytest.mark.parametrize("desk", DESKS)
def test_a_form_that_was_not_changed_leaves_the_text_as_it_is(desk: str) -> None:
    text = (ROOT / "agreements" / f"{desk}.toml").read_text(encoding="utf-8")
    assert text_with(SentAgreement(text, text, form_of(tomllib.loads(text)))) == text


def test_what_a_form_cannot_state_plainly_is_named_and_stays_in_the_text() -> None:
    assert elsewhere(tomllib.loads(TEXT)) == {"response": ["calendar", "except"], "repair": ["starts_on"]}


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (first(target="6h"), 'else = "8h" }', 'else = "6h" }'),
        (first(targets=(("urgent", "30m"),)), 'urgent = "1h"', 'urgent = "30m"'),
        (first(targets=()), 'urgent = "1h", ', ""),
        (first(labels=(("en", "Reply"), ("nl", "Eerste reactie"))), '"First response"', '"Reply"'),
        (
            first(stops_on=("agent.replied", "status:closed")),
            '["agent.replied"]',
            '["agent.replied", "status:closed"]',
        ),
        (first(cycle="next_reply"), "    { channel", "    { channel"),
        (second(target_by="", target="4h"), '"level:gtr"', '"4h"'),
        (second(target_by="contract:"), '"level:gtr"', '"contract:gtr"'),
        (second(kind="guarantee"), '"objective"', '"guarantee"'),
        (
            second(calendar="always"),
            'target = "level:gtr"\ncalendar = "acme/desk"',
            'target = "level:gtr"\ncalendar = "always"',
        ),
        (gold(figures=(("gtr", "2h"), ("places", "5"))), '"4h"', '"2h"'),
        (gold(figures=(("gtr", "4h"), ("places", "6"))), "places = 5", "places = 6"),
    ],
)
def test_a_changed_field_changes_its_value_and_nothing_else(
    change: Callable[[AgreementForm], AgreementForm], before: str, after: str
) -> None:
    text = changed(change)
    assert form_of(tomllib.loads(text)) == change(form())
    if before != after:
        assert text == TEXT.replace(before, after, 1)
    assert "# kept" in text


def test_a_target_by_a_field_is_written_as_a_table_and_warnings_as_a_list() -> None:
    wanted = second(target_by="plan", target="8h", targets=(("gold plus", "1h"),), warn_at="75%, 30m before")
    text = changed(wanted)
    assert 'target = { by = "plan", "gold plus" = "1h", else = "8h" }' in text
    assert 'warn_at = ["75%", "30m before"]' in text
    assert form_of(tomllib.loads(text)) == wanted(form())


def test_the_first_of_several_facts_is_a_list_within_the_list() -> None:
    assert 'starts_on = [["a", "b"]]' in changed(first(starts_on=("a", "b"), starts_any=True))


def test_changes_of_the_form_and_of_the_text_are_both_kept() -> None:
    typed = TEXT.replace('kind = "objective"', 'kind = "guarantee"').replace("# About the queue.", "# Typed.")
    text = text_with(SentAgreement(typed, TEXT, second(target_by="", target="3h")(form())))
    assert text == typed.replace('"level:gtr"', '"3h"')


def test_a_commitment_is_removed_and_added_with_the_comments_that_are_about_it() -> None:
    new = CommitmentForm("chat", (("", "Chat"),), "guarantee", "response", target="5m", calendar="always")
    text = changed(same, removed=["repair"], new=new)
    assert "# The second." not in text
    assert text.endswith(
        '[[commitments]]\nid = "chat"\nlabel = "Chat"\nkind = "guarantee"\nmeasure = "response"\ntarget = "5m"\n'
        'calendar = "always"\n\n# About the queue.\n[queue]\ncalendar = "acme/desk"\n'
    )
    assert [each["id"] for each in tomllib.loads(text)["commitments"]] == ["response", "chat"]


def test_lines_that_look_like_headers_mislead_nobody() -> None:
    text = 'commitments = [{ id = "a", label = """\n[[commitments]]\n""" }, { id = "b" }]\n'
    whole = form_of(tomllib.loads(text))
    whole = replace(whole, top=dict.fromkeys(whole.top, ""))
    left = text_with(SentAgreement(text, text, whole, removed=["a"]))
    assert [each["id"] for each in tomllib.loads(left)["commitments"]] == ["b"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("commitments = 1", "commitments"),
        ("[[commitments]]\nlabel = 'x'", r"commitments\[0\].id"),
        ("[[commitments]]\nid = 'x'\n[[commitments]]\nid = 'x'", "commitments.x.id"),
        ("levels = { gold = 1 }", "levels.gold"),
    ],
)
def test_a_text_that_the_form_cannot_show_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(NotEditable, match=place):
        form_of(tomllib.loads(text))


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        (SentAgreement(TEXT, TEXT, form(), new=CommitmentForm("repair")), "commitments.repair.id"),
        (SentAgreement(TEXT, TEXT, form(), removed=["none"]), "commitments.none"),
        (SentAgreement("desk = ", TEXT, second(kind="x")(form())), "Invalid value"),
        (SentAgreement('desk = "acme"', TEXT, second(kind="x")(form())), "commitments.repair"),
        (SentAgreement('desk = "acme"', TEXT, gold(figures=())(form())), "levels.gold"),
    ],
)
def test_a_form_that_does_not_fit_the_text_is_refused_with_its_place(sent: SentAgreement, place: str) -> None:
    with pytest.raises(NotEditable, match=place):
        text_with(sent)


def test_values_of_unexpected_types_stay_in_the_text() -> None:
    odd = "[[commitments]]\nid = 'x'\ntarget = 2\nwarn_at = 'x'\nstops_on = [1]\nstarts_on = 'x'\ncalendar = 1\n"
    whole = form_of(tomllib.loads(odd))
    assert elsewhere(tomllib.loads(odd))["x"] == ["target", "warn_at", "stops_on", "starts_on", "calendar"]
    assert text_with(SentAgreement(odd, odd, replace(whole, top={**whole.top, "name": "N"}))).endswith(odd)
    assert isinstance(whole.levels, tuple)
    assert not isinstance(whole.levels, LevelForm)


# -- over HTTP, without scripts ---------------------------------------------------------------------------------------


@pytest.fixture
def admin(shared_room: Room) -> dict[str, str]:
    return shared_room.key("*", Role.ADMIN)


EDIT = "/agreements/haisoft/edit"


def opened(room: Room, admin: dict[str, str]) -> Form:
    return form_to(room.get(EDIT, admin).text, EDIT)


def test_the_form_of_the_page_sends_the_text_back_as_it_is(shared_room: Room, admin: dict[str, str]) -> None:
    for desk in ("phpnet", "webxtra"):
        address = f"/agreements/{desk}/edit"
        sent = form_to(shared_room.get(address, admin).text, address).sent(shared_room, admin)
        assert sent.status_code == 200
        shipped = (ROOT / "agreements" / f"{desk}.toml").read_text(encoding="utf-8")
        assert form_to(sent.text, address).value("text") == shipped, desk


def test_a_faulty_field_is_shown_with_its_fault_beside_it_and_nothing_is_lost(
    shared_room: Room, admin: dict[str, str]
) -> None:
    typed = opened(shared_room, admin).filled(c0__target="2 hours", note="why")
    answer = typed.sent(shared_room, admin, ("action", "preview"))
    assert answer.status_code == 422
    (fault,) = re.findall(r'id="c0-target">([^<]+)<', answer.text)
    assert "2 hours" in fault
    again = form_to(answer.text, EDIT)
    assert (again.value("c0.target"), again.value("note")) == ("2 hours", "why")
    assert 'target = "2 hours"' in again.value("text")
    assert ("action", "apply") not in again.buttons
    dated = (
        opened(shared_room, admin)
        .filled(effective_from="soon")
        .sent(shared_room, admin, ("action", "preview"))
    )
    assert dated.status_code == 422
    assert 'id="effective_from-fault"' in dated.text


def test_a_draft_is_previewed_and_what_was_previewed_is_applied(room: Room) -> None:
    admin = room.key("*", Role.ADMIN)
    room.sent(room.event(id="form-1", subject="form-1", time="2026-03-06T11:45:00+01:00"))
    typed = opened(room, admin).filled(c0__target="1h", applies_to="open", note="shorter")
    shown = typed.sent(room, admin, ("action", "preview"))
    assert shown.status_code == 200
    assert "1 due date moves" in shown.text
    assert "1 breach appears" in shown.text
    preview = form_to(shown.text, EDIT)
    other = preview.filled(c0__target="30m").sent(room, admin, ("action", "apply"))
    assert other.status_code == 200  # previewed again: it is another draft
    assert room.get("/v1/agreements/haisoft/versions").json()["versions"][-1]["number"] == 1
    applied = preview.sent(room, admin, ("action", "apply"))
    assert (applied.status_code, applied.headers["location"]) == (303, "/agreements/haisoft?applied=2")
    assert "Version 2 is stored." in room.get("/agreements/haisoft", applied=2).text
    latest = room.get("/v1/agreements/haisoft/versions").json()["versions"][-1]
    assert (latest["number"], latest["note"]) == (2, "shorter")


def test_rows_and_commitments_are_added_and_removed_by_buttons(
    shared_room: Room, admin: dict[str, str]
) -> None:
    by_priority = opened(shared_room, admin).filled(c0__target_by="priority").sent(shared_room, admin)
    row = form_to(by_priority.text, EDIT).filled(c0__targets__of="urgent", c0__targets__value="1h")
    added = row.sent(shared_room, admin)
    text = form_to(added.text, EDIT).value("text")
    assert 'target = { by = "priority", urgent = "1h", else = "2h" }' in text
    dropped = form_to(added.text, EDIT).sent(shared_room, admin, ("drop", "c0.targets.0"))
    assert 'target = { by = "priority", else = "2h" }' in form_to(dropped.text, EDIT).value("text")
    gone = form_to(dropped.text, EDIT).sent(shared_room, admin, ("drop", "c2"))
    assert "hardware-replacement" not in form_to(gone.text, EDIT).value("text")
    ticked = form_to(gone.text, EDIT).filled(new__id="chat", new__target="5m", new__stops_on="agent.replied")
    made = ticked.sent(shared_room, admin, ("action", "add"))
    assert tomllib.loads(form_to(made.text, EDIT).value("text"))["commitments"][-1] == {
        "id": "chat",
        "kind": "guarantee",
        "stops_on": ["agent.replied"],
        "target": "5m",
        "calendar": "haisoft/tickets",
    }
    taken = form_to(made.text, EDIT).filled(new__id="chat").sent(shared_room, admin, ("action", "add"))
    assert taken.status_code == 422
    assert form_to(taken.text, EDIT).value("new.id") == "chat"


def test_a_commitment_without_an_id_has_one_by_its_name(shared_room: Room, admin: dict[str, str]) -> None:
    page = opened(shared_room, admin)
    ids: list[str] = []
    for name in ("Réponse n° 2", "Réponse n° 2", ""):
        filled = page.filled(new__label__=name, new__target="5m", new__stops_on="agent.replied")
        page = form_to(filled.sent(shared_room, admin, ("action", "add")).text, EDIT)
        ids.append(tomllib.loads(page.value("text"))["commitments"][-1]["id"])
    assert ids == ["reponse-n-2", "reponse-n-2-2", "commitment"]


def test_a_box_that_is_no_longer_ticked_is_taken_out_of_its_list(
    shared_room: Room, admin: dict[str, str]
) -> None:
    unticked = opened(shared_room, admin).without("c2.stops_on", "outage.ended").sent(shared_room, admin)
    found = tomllib.loads(form_to(unticked.text, EDIT).value("text"))["commitments"][2]
    assert found["stops_on"] == ["part.replaced", "service.restored", "status:solved", "status:closed"]
    assert found["starts_on"] == [["anomaly.detected", "request.read"]]


def test_a_planned_version_is_withdrawn_by_its_form(room: Room) -> None:
    admin = room.key("*", Role.ADMIN)
    planned = opened(room, admin).filled(c0__target="1h", effective_from="2027-01-01")
    form_to(planned.sent(room, admin, ("action", "preview")).text, EDIT).sent(
        room, admin, ("action", "apply")
    )
    page = room.get("/agreements/haisoft", admin).text
    withdrawn = form_to(page, "/agreements/haisoft/withdraw").sent(room, admin)
    assert withdrawn.status_code == 303
    assert room.get("/v1/agreements/haisoft/versions").json()["versions"][-1]["state"] == "withdrawn"
    assert form_to(page, "/agreements/haisoft/withdraw").sent(room, admin).status_code == 409


def test_a_draft_that_cannot_be_simulated_is_shown_again(shared_room: Room, admin: dict[str, str]) -> None:
    typed = opened(shared_room, admin).filled(
        **{"from": "2026-03-02", "to": "2026-03-01", "c0__target": "1h"}
    )
    refused = typed.sent(shared_room, admin, ("action", "simulate"))
    assert refused.status_code == 422
    assert "The last day must lie after the first." in refused.text
    again = form_to(refused.text, EDIT)
    assert (again.value("from"), again.value("c0.target")) == ("2026-03-02", "1h")
    faulty = (
        opened(shared_room, admin).filled(c0__target="soon").sent(shared_room, admin, ("action", "simulate"))
    )
    assert faulty.status_code == 422
