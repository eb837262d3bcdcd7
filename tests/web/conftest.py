"""A room: a web process over a database of its own, for each test or, where tests do not meet, for a module."""

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
