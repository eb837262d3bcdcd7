"""Simulations over HTTP: one from its start to its result in a process of its own, cancelled, orphaned, refused."""

import asyncio
import threading
from typing import Any

import pytest

from app.flow.simulation.child import READER, EndedEarly, messages
from app.flow.simulation.draft import Question
from app.flow.simulation.process import OUT_OF_MEMORY
from app.flow.simulation.supervisor import CANCELLED, STOPPED, Simulations
from app.settings import Settings
from app.sla.span import Span
from app.store.tickets import simulations
from app.store.tickets.simulations import ORPHANED, SimulationState
from app.web.api.reports.simulation_list import SimulationPage
from app.web.api.reports.simulation_view import SimulationView
from app.web.api.reports.simulations import SimulationStarted
from tests.servers.databases import both_kinds
from tests.waiting import until
from tests.web.room import Room, conforms

MARCH = {"desk": "haisoft", "from": "2026-03-01", "to": "2026-03-09T00:00:00+01:00"}
LONGER = MARCH | {"changes": {"commitments.ticket-response.target": "100h"}}


def started(room: Room, body: dict[str, Any]) -> str:
    answer = room.client.post("/v1/simulations", json=body, headers=room.read)
    assert answer.status_code == 202, answer.text
    return conforms(SimulationStarted, answer.content)["id"]


def view(room: Room, simulation: str, **page: Any) -> dict[str, Any]:
    return conforms(SimulationView, room.get(f"/v1/simulations/{simulation}", None, **page).content)


def inserted(room: Room, simulation: str) -> None:
    """A simulation of a process that this room knows nothing of."""
    question = {"from": 0, "to": 1, "files": [], "contracts": [], "changes": {}}
    room.database.write_now(
        lambda conn, now: simulations.start(conn, simulation, "haisoft", question, None, now)
    )


@both_kinds
def test_simulations_are_listed_the_latest_first_without_their_results(room: Room) -> None:
    for name in ("s1", "s2", "s3"):
        inserted(room, name)
        room.database.write_now(
            lambda conn, now, name=name: simulations.end(conn, name, SimulationState.DONE, now, result={})
        )
    seen: list[str] = []
    page: dict[str, Any] | None = {"limit": 2, "desk": "haisoft"}
    while page is not None:
        found = conforms(SimulationPage, room.get("/v1/simulations", None, **page).content)
        seen += [each["id"] for each in found["simulations"]]
        page = {"limit": 2, "cursor": found["next"]} if found["next"] else None
    assert seen == ["s3", "s2", "s1"]


def shows_the_result(room: Room, simulation: str) -> None:
    """The page has the counts, and both explanations of each flip."""
    page = room.get(f"/reports/what-if/{simulation}").text
    assert 'commitments.ticket-response.target = "100h"' in page
    assert "3 clocks end otherwise" in page
    assert [f"/tickets/haisoft/{ticket}" in page for ticket in "123"] == [True] * 3
    assert page.count("<strong>missed</strong>") == page.count("<strong>running</strong>") == 3
    assert page.count(" counted.</small>") == 6
    assert "better" in page
    assert "data-running" not in page


def test_a_simulation_runs_to_its_result(room: Room) -> None:
    for name in ("1", "2", "3"):
        room.sent(room.event(subject=name))
    room.wall.move(3 * 24 * 3600)
    simulation = started(room, LONGER)
    until(lambda: view(room, simulation)["state"] != "running")
    first = view(room, simulation, limit=2)
    assert (first["state"], first["progress"], first["reason"]) == ("done", 1, None)
    assert (first["from"], first["changes"]) == ("2026-02-28T23:00:00Z", LONGER["changes"])
    result = first["result"]
    assert result["commitments"]["ticket-response"]["before"]["missed"] == 3
    assert result["commitments"]["ticket-response"]["after"]["running"] == 3
    assert result["flips_in_all"] == 3
    last = view(room, simulation, cursor=result["flips_next"])["result"]
    assert last["flips_next"] is None
    assert [flip["ticket"] for flip in [*result["flips"], *last["flips"]]] == ["1", "2", "3"]
    shows_the_result(room, simulation)
    # One that has ended is not cancelled any more.
    assert room.client.delete(f"/v1/simulations/{simulation}", headers=room.read).status_code == 204
    assert view(room, simulation)["state"] == "done"


def test_a_desk_has_one_simulation_at_a_time_until_it_is_cancelled(room: Room) -> None:
    inserted(room, "s1")
    assert view(room, "s1")["state"] == "running"
    refused = room.client.post("/v1/simulations", json=MARCH, headers=room.read)
    assert refused.status_code == 409, refused.text
    assert "DELETE /v1/simulations/s1" in refused.json()["detail"]
    assert room.client.delete("/v1/simulations/s1", headers=room.read).status_code == 204
    cancelled = view(room, "s1")
    assert (cancelled["state"], cancelled["reason"], cancelled["result"]) == ("cancelled", CANCELLED, None)
    assert cancelled["ended_at"] is not None
    started(room, MARCH)


def test_a_simulation_of_a_process_that_is_gone_has_failed_and_blocks_no_other(room: Room) -> None:
    inserted(room, "s1")
    room.wall.move(31)
    gone = view(room, "s1")
    assert (gone["state"], gone["reason"]) == ("failed", ORPHANED)
    started(room, MARCH)
    stored = room.database.read_now(lambda conn: simulations.find(conn, "s1"))
    assert stored is not None
    assert stored.state is SimulationState.FAILED


@pytest.mark.parametrize(
    ("ends", "state", "reason"),
    [("cancel", SimulationState.CANCELLED, CANCELLED), ("stop", SimulationState.FAILED, STOPPED)],
)
def test_a_process_ends_with_its_simulation(room: Room, ends: str, state: str, reason: str) -> None:
    database, desk = room.database, "haisoft"

    async def work() -> str:
        running = Simulations(database, room.app.state.running.settings)
        simulation = await running.start(Question(desk, Span(0, 1), database.now()), "test")
        # Whatever the process does meanwhile: the row was changed before it could report.
        await (running.cancel("haisoft", simulation) if ends == "cancel" else running.stop())
        return simulation

    simulation = asyncio.run(work())
    found = view(room, simulation)
    assert (found["state"], found["reason"], found["author"]) == (state, reason, "test")


async def _messages(**given: Any) -> list[dict[str, Any]]:
    question = {"desk": "d", "from": 0, "to": 1, "now": 0, "files": [], "contracts": [], "changes": {}}
    settings = Settings(**given).model_dump(mode="json")
    return [each async for each in messages({"settings": settings, "question": question})]


def test_a_process_that_cannot_read_the_database_says_why(tmp_path: Any) -> None:
    (message,) = asyncio.run(_messages(database_url=f"sqlite:///{tmp_path}/new.db"))
    assert "the database could not be read" in message["failed"]
    assert message["failed"] != OUT_OF_MEMORY


def test_a_process_that_fails_is_named_by_how_it_ended(tmp_path: Any) -> None:
    with pytest.raises(EndedEarly, match="ended with code 1"):
        asyncio.run(_messages(database_url=f"sqlite:///{tmp_path}/none/none.db"))


def test_a_loop_that_closes_before_the_process_has_ended_is_no_error(tmp_path: Any) -> None:
    async def work() -> None:
        task = asyncio.create_task(_messages(database_url=f"sqlite:///{tmp_path}/new.db"))
        await asyncio.sleep(0)
        # The second one is that of the service that stops: it ends the wait for the process, which was killed.
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)

    asyncio.run(work())
    # An exception of the thread would fail the test.
    for thread in threading.enumerate():
        if thread.name == READER:
            thread.join()
