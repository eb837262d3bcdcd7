"""A room, a web process with a database of its own: one a test, or one a module where tests do not interfere."""

from collections.abc import Iterator

import pytest

from tests.servers.databases import SQLITE, Databases
from tests.web.room import Room, room_on, with_desks


@pytest.fixture(scope="session", params=[SQLITE])
def databases(request: pytest.FixtureRequest) -> Databases:
    """One kind: what is tested here lies above the database. `both_kinds` marks the tests of a statement."""
    return request.getfixturevalue(f"{request.param}_databases")


@pytest.fixture
def room(databases: Databases) -> Iterator[Room]:
    with databases.copy_of(with_desks) as url, room_on(url) as made:
        yield made


@pytest.fixture(scope="module")
def shared_room(databases: Databases) -> Iterator[Room]:
    with databases.copy_of(with_desks) as url, room_on(url) as made:
        yield made
