"""A room, a web process with a database of its own: one a test, or one a module where tests do not interfere."""

from collections.abc import Iterator

import pytest

from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks


@pytest.fixture
def room(databases: Databases) -> Iterator[Room]:
    with databases.copy_of(with_desks) as url, room_on(url) as made:
        yield made


@pytest.fixture(scope="module")
def shared_room(databases: Databases) -> Iterator[Room]:
    with databases.copy_of(with_desks) as url, room_on(url) as made:
        yield made
