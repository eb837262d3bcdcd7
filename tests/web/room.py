"""A web process for tests: a real database, the shipped desks, and a clock that the test moves."""

import itertools
import json
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.testclient import TestClient

from app.main import create_app
from app.principal import Role, Scope, roles_on
from app.settings import Settings
from app.sla.clock.evaluation import AppliesTo
from app.sla.span import SECOND, Micros, micros
from app.store.contracts import catalogue
from app.store.contracts.catalogue import Documents
from app.store.engine import partitions
from app.store.engine.database import Connection, Database
from app.store.people import keys
from tests.servers.databases import UNHURRIED

ROOT = Path(__file__).resolve().parent.parent.parent
DESKS = ("clamehost", "haisoft", "hvn", "phpnet", "webxtra")

FRIDAY = micros(datetime.fromisoformat("2026-03-06T15:30:00+01:00"))
"""Friday, 6 March 2026, 15:30 in Paris: the desk of HaiSoft is open until 17:00."""

ALL = "*"


class Wall:
    """The wall clock. It stands still until it is moved."""

    def __init__(self, now: Micros) -> None:
        self.now = now

    def __call__(self) -> Micros:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)


class Room:
    """The app, its client, and keys for it."""

    def __init__(self, app: FastAPI, client: TestClient, wall: Wall) -> None:
        self.app, self.client, self.wall = app, client, wall
        self.read = self.key(ALL, Scope.READ)
        self.push = self.key(ALL, Scope.PUSH, Scope.READ)
        self._ids = itertools.count(1)

    @property
    def database(self) -> Database:
        return self.app.state.running.database

    def key(self, desks: str, *granted: Scope | Role) -> dict[str, str]:
        """The header of a new key. Several desks with commas."""
        roles = roles_on(desks.split(","), granted)
        secret, _ = self.database.write_now(lambda conn, now: keys.create(conn, roles, now))
        return {"Authorization": f"Bearer {secret}"}

    def event(self, **given: Any) -> dict[str, Any]:
        """A valid event with a new id, with these fields replaced."""
        return {
            "specversion": "1.0",
            "id": f"e{next(self._ids)}",
            "source": "haisoft",
            "type": "ticket.created",
            "subject": "4711",
            "time": "2026-03-06T15:30:00+01:00",
            "data": {"title": "Server unreachable", "customer": "ACME", "service": "dedicated"},
        } | given

    def send(self, body: object, headers: dict[str, str] | None = None) -> Any:
        """Push a body. Returns the response."""
        return self.client.post("/v1/events", json=body, headers=headers or self.push)

    def sent(self, *events: dict[str, Any]) -> Any:
        """Push events that must all be accepted. Returns the response's body."""
        response = self.send(list(events))
        assert response.status_code == 200, response.text
        answer = response.json()
        assert answer["refused"] == []
        return answer

    def get(self, path: str, key: dict[str, str] | None = None, /, **params: Any) -> Any:
        return self.client.get(path, params=params, headers=key or self.read)


def with_desks(url: str) -> None:
    """A database with the shipped desks and nothing else.

    The partitions that a service creates as it starts are there: a database whose tables a test has changed is not used
    again.
    """
    settings = Settings(database_url=url)
    with Database(settings, Wall(FRIDAY)) as database:
        database.write_now(put_shipped_desks)
        database.write_now(lambda conn, now: partitions.create_ahead(conn, now, settings.partitions_ahead))


@contextmanager
def room_on(url: str, **given: Any) -> Generator[Room]:
    """A room over the database at a URL."""
    wall = Wall(FRIDAY)
    app = create_app(Settings(database_url=url, **UNHURRIED | given), clock=wall)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Room(app, client, wall)


def put_shipped_desks(conn: Connection, now: Micros) -> None:
    """Every shipped desk, in its first version."""
    for desk in DESKS:
        calendars = (ROOT / "calendars" / f"{desk}.toml").read_text(encoding="utf-8")
        agreement = (ROOT / "agreements" / f"{desk}.toml").read_text(encoding="utf-8")
        documents = Documents(
            agreement=tomllib.loads(agreement),
            calendars={desk: tomllib.loads(calendars)},
            agreement_text=agreement,
            calendars_text={desk: calendars},
        )
        catalogue.put(conn, desk, 1, documents, now, AppliesTo.NEW)


def conforms(model: type[BaseModel], content: bytes) -> Any:
    """The body, which must have exactly the fields of its model, each of its type."""
    answer = json.loads(content)
    described = model.model_validate_json(content).model_dump(mode="json", by_alias=True)
    assert _shape(answer) == _shape(described)
    return answer


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return [_shape(inner) for inner in value] if isinstance(value, list) else value
