"""Drafts of simulations that are refused: each fault with its place in the body and what is right."""

import json
from typing import Any

import pytest

from tests.servers.databases import SqliteDatabases
from tests.web.room import Room
from tests.web.test_simulations import MARCH


@pytest.fixture(scope="module")
def databases(sqlite_databases: SqliteDatabases) -> SqliteDatabases:
    """One kind: a draft is refused before anything is stored."""
    return sqlite_databases


@pytest.mark.parametrize(
    ("body", "place", "reason"),
    [
        ({"changes": {"commitments.x.target": "1h"}}, "/changes/commitments.x.target", "there is no 'x'"),
        (
            {"changes": {"commitments.ticket-response.target": "8x"}},
            "/changes/commitments.ticket-response.target",
            "8x",
        ),
        ({"changes": {"calendars.tickets.hours": 1}}, "/changes/calendars.tickets.hours", "hours"),
        ({"changes": {"a": json.loads(300 * "[" + 300 * "]")}}, "/changes", "cannot be stored"),
        ({"changes": {"a": 2**80}}, "/changes/a", "no such key"),
        ({"agreement": "desk ="}, "/agreement", "is not TOML"),
        ({"agreement": 'desk = "hvn"'}, "/agreement", "'hvn' is not the desk of this address"),
        ({"agreement": {"desk": "haisoft"}}, "/agreement", "commitments: there is none"),
        ({"calendars": {"calendars": {}}}, "/calendars", "the file has no calendar"),
        ({"contracts": [{"id": "C-1"}]}, "/contracts/0/valid_from", "missing"),
        ({"contracts": {"C-1": {"fee": 1}}}, "/contracts/C-1/fee", "fee"),
        ({"contracts": "x = 1"}, "/contracts", "it has no contracts"),
        ({"to": "2026-02-01"}, "/to", "must be later"),
        ({"to": "2046-02-01"}, "/to", "SLATIMER_SIMULATION_SPAN_MAX"),
        ({"surprise": 1}, "/surprise", ""),
    ],
)
def test_a_draft_is_refused_with_the_place_and_the_remedy(
    shared_room: Room, body: dict[str, Any], place: str, reason: str
) -> None:
    answer = shared_room.client.post("/v1/simulations", json=MARCH | body, headers=shared_room.read)
    assert answer.status_code == 422, answer.text
    errors = answer.json()["errors"]
    assert [each for each in errors if each["place"] == place and reason in each["reason"]], errors
