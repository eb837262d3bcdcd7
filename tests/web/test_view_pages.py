"""Saved views as a browser without scripts uses them: saved from a filter, opened by default, changed on their page."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.delivery.wording.language import Language
from tests.servers.databases import SqliteDatabases
from tests.web.room import Room, room_on, with_desks
from tests.web.test_people import CHEAP, PASSWORD, fresh
from tests.web.test_people_pages import send, signed_in


@pytest.fixture(scope="module")
def one_room(sqlite_databases: SqliteDatabases) -> Iterator[Room]:
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, **CHEAP) as made:
        yield made


@pytest.fixture
def room(one_room: Room) -> Room:
    return fresh(one_room)


def shown(room: Room, path: str, *status: int) -> str:
    answer = room.client.get(path, follow_redirects=False)
    assert answer.status_code in (status or (200,)), answer.text
    return answer.text


def view_named(room: Room, name: str) -> str:
    """The id of a view of the list."""
    row = re.search(rf">{name}</a>.*?name=\"view\" value=\"(\w+)\"", shown(room, "/views"), re.DOTALL)
    assert row is not None, name
    return row[1]


def test_the_filters_of_an_address_are_saved_and_named_by_the_menu(room: Room) -> None:
    signed_in(room, "ann", haisoft="lead", hvn="lead")
    page = shown(room, "/?desk=haisoft&show=overdue&view=list")
    (save_at,) = re.findall(r'href="(/views\?page=now[^"]+)"', page)
    assert save_at == "/views?page=now&amp;desk=haisoft&amp;show=overdue"
    form = shown(room, save_at.replace("&amp;", "&"))
    assert 'name="filters" value="desk=haisoft&amp;show=overdue"' in form
    assert "State: Breached, open" in form
    assert re.findall(r'<option value="([^"]*)"', form) == ["", "haisoft"]
    sent = send(room, "/views", page="now", filters="desk=haisoft&show=overdue", name="Broken", desk="")
    assert sent.headers["location"] == "/?desk=haisoft&show=overdue"
    assert "View: Broken" in shown(room, sent.headers["location"])
    assert "Save these filters" not in shown(room, sent.headers["location"])
    shared = send(room, "/views", page="breaches", filters="taken=no", name="Untaken", desk="haisoft")
    assert shared.headers["location"] == "/breaches?desk=haisoft&taken=no"
    quarter = "desk=haisoft&range=last-quarter&kind=guarantee"
    sent = send(room, "/views", page="reports", filters=quarter, name="Quarter", desk="")
    assert "View: Quarter" in shown(room, sent.headers["location"])
    assert "Dates: Last quarter" in shown(room, "/views")
    filters = "commitment=ticket-response&from=2026-02-01"
    send(room, "/views", page="breaches", filters=filters, name="Late", desk="")
    named = shown(room, "/views?lang=fr").replace("\N{NO-BREAK SPACE}", " ")
    assert "Du: dim. 1 févr., Engagement: Première réponse" in named
    shown(room, "/?lang=en&view=list")
    room.client.cookies.clear()
    signed_in(room, "vic", haisoft="viewer")
    assert "View: Untaken" in shown(room, "/breaches?desk=haisoft&taken=no")
    listed = shown(room, "/views")
    assert "shared with haisoft by ann" in listed
    assert "Broken" not in listed
    assert "/views/change" not in listed


def test_a_refused_view_is_shown_again_with_the_fault_and_what_was_typed(room: Room) -> None:
    signed_in(room, "bea", haisoft="lead")
    fields: dict[str, Any] = {"page": "now", "filters": "q=ACME", "desk": "haisoft", "default": "on"}
    assert send(room, "/views", **fields, name="Acme").status_code == 303
    refused = send(room, "/views", **fields, name="ACME")
    assert (refused.status_code, "There is a view with this name already." in refused.text) == (422, True)
    for kept in (
        'name="name" value="ACME"',
        'value="haisoft" selected',
        'name="default" checked',
        'name="filters" value="q=ACME"',
        'aria-describedby="name-fault"',
    ):
        assert kept in refused.text, kept
    faulty = send(room, "/views/change", view=view_named(room, "Acme"), name=" ", action="rename")
    assert (faulty.status_code, "A name has 1 to 100" in faulty.text) == (422, True)
    assert send(room, "/views", page="now", filters="q=x", name="X", desk="webxtra").status_code == 404


def test_now_opens_with_the_default_and_all_tickets_are_one_link_away(room: Room) -> None:
    signed_in(room, "cid", haisoft="viewer")
    shown(room, "/")
    sent = send(room, "/views", page="now", filters="q=ACME", name="Acme", default="on")
    assert sent.headers["location"] == "/?q=ACME"
    opened = room.client.get("/?theme=dark", follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, "/?q=ACME&theme=dark")
    page = shown(room, "/?q=ACME&show=overdue")
    assert 'href="/?q=ACME"' in page  # the chosen tile leads back
    assert '<a href="/?view=list">All tickets</a>' in shown(room, "/?q=ACME")
    assert '<a href="/?view=list" aria-current="true">All tickets</a>' in shown(room, "/?view=list")
    shown(room, "/?view=wall")
    send(room, "/sign-out")
    sent = send(room, "/sign-in", name="cid", password=PASSWORD, next="/")
    assert room.client.get(sent.headers["location"]).url.query == b"q=ACME"
    view = view_named(room, "Acme")
    assert send(room, "/views/change", view=view, action="no_default").status_code == 303
    shown(room, "/")
    send(room, "/views/change", view=view, action="default")
    assert send(room, "/views/change", view=view, name="Ours", action="rename").status_code == 303
    assert send(room, "/views/change", view=view, action="delete").status_code == 303
    shown(room, "/")
    assert "Ours" not in shown(room, "/views")


@pytest.mark.parametrize("language", Language)
def test_the_page_is_rendered_in_every_language(room: Room, language: Language) -> None:
    signed_in(room, f"reader-{language}", **{"*": "admin"})
    page = shown(room, f"/views?page=now&show=overdue&lang={language}")
    assert f'<html lang="{language}"' in page
