"""The inbox over HTTP, when it is long: a page of each list, all of them in the end, and one desk's by themselves."""

from typing import Any

import pytest

from app.principal import Scope
from app.sla.span import DAY
from app.sla.subject import Subject
from app.store.inbound import hooks
from app.store.inbound.hooks import HookResult, HookState, NewHook
from app.store.tickets import schedule
from app.store.tickets.board import cursor_of
from app.store.tickets.schedule import Parked
from app.web.api.inbound.inbox import InboxView
from tests.web.room import FRIDAY, Room, conforms

LISTS = ("deliveries", "events", "parked")


def unread(room: Room, *names: str, desk: str = "haisoft") -> None:
    """Deliveries that could not be read, the first of one byte, the next of two, and so on."""
    new = [NewHook(name, desk, "zammad", name, {}, b"{" * (n + 1)) for n, name in enumerate(names)]
    room.database.write_now(lambda conn, now: hooks.add(conn, new, now))
    claimed = room.database.write_now(lambda conn, now: hooks.claim(conn, len(new)))
    kept = [HookResult(one.seq, HookState.KEPT, "the body is no JSON") for one in claimed]
    room.database.write_now(lambda conn, now: hooks.finish(conn, kept, now))


def park(room: Room, *tickets: tuple[str, str, int]) -> None:
    """Tickets that cannot be judged: (desk, ticket, since when)."""
    rows = [
        Parked(desk, Subject.parse(ticket), "ValueError", since, since, 1, FRIDAY + DAY)
        for desk, ticket, since in tickets
    ]
    room.database.write_now(lambda conn, now: schedule.park(conn, rows))


def pages(room: Room, key: dict[str, str], **params: Any) -> list[dict[str, Any]]:
    """Every page, one after the other."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["next"] is not None:
        cursor = {"cursor": found[-1]["next"]} if found else {}
        found.append(conforms(InboxView, room.get("/v1/inbox", key, **params, **cursor).content))
    return found


def test_a_page_has_a_part_of_each_list_and_the_next_goes_on_with_them_all(room: Room) -> None:
    unread(room, "h1", "h2", "h3", "h4", "h5")
    room.sent(*(room.event(id=f"odd{n}", type="ticket.tagged") for n in range(3)))
    park(room, *(("haisoft", f"T{n}", 1 + n // 2) for n in range(4)))
    found = pages(room, room.push, limit=2)
    assert [[len(page[each]) for each in LISTS] for page in found] == [[2, 2, 2], [2, 1, 2], [1, 0, 0]]
    assert [(one["id"], one["bytes"]) for page in found for one in page["deliveries"]] == [
        *(("h5", 5), ("h4", 4), ("h3", 3), ("h2", 2), ("h1", 1))
    ]
    assert [one["id"] for page in found for one in page["events"]] == ["odd2", "odd1", "odd0"]
    assert [one["ticket"] for page in found for one in page["parked"]] == ["T0", "T1", "T2", "T3"]
    for page in found:
        assert [one["deliveries"] for one in page["waiting"]] == [5]
        assert page["unknown"] == [{"desk": "haisoft", "type": "ticket.tagged", "events": 3}]


def test_what_fits_on_a_page_is_one_page(room: Room) -> None:
    unread(room, "h1", "h2")
    (page,) = pages(room, room.push, limit=2)
    assert [one["id"] for one in page["deliveries"]] == ["h2", "h1"]


def test_a_page_is_one_desks_however_much_came_to_another_since(room: Room) -> None:
    for desk in ("haisoft", "phpnet"):
        unread(room, f"{desk}-1", f"{desk}-2", desk=desk)
        room.sent(*(room.event(source=desk, type="ticket.tagged") for _ in range(2)))
    park(room, ("phpnet", "P1", 1), ("haisoft", "H1", 2))
    first, last = pages(room, room.key("haisoft", Scope.PUSH), limit=1)
    assert {one["desk"] for page in (first, last) for each in LISTS for one in page[each]} == {"haisoft"}
    assert [len(first[each]) for each in LISTS] == [1, 1, 1]
    assert pages(room, room.push, limit=1, desk="haisoft") == [first, last]


@pytest.mark.parametrize(
    "params",
    [
        {"cursor": "x"},
        {"cursor": cursor_of(2**64 - 1, 1, 1, "", "")},
        {"cursor": cursor_of(1, 1, 1, "\0", "")},
        {"limit": 0},
        {"desks": "haisoft"},
    ],
)
def test_a_faulty_question_is_refused(shared_room: Room, params: dict[str, Any]) -> None:
    assert shared_room.get("/v1/inbox", shared_room.push, **params).status_code == 422
