"""A room: a web process over a database of its own, for each test or, where tests do not meet, for a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main import log_as_json
from tests.web.room import Room, prepare, room_in


@pytest.fixture(scope="session", autouse=True)
def _as_in_production() -> None:
    log_as_json("ERROR")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def room(tmp_path: Path, prepared: Path) -> Iterator[Room]:
    with room_in(tmp_path, prepared) as made:
        yield made


@pytest.fixture(scope="module")
def shared_room(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Room]:
    with room_in(tmp_path_factory.mktemp("shared"), prepared) as made:
        yield made
