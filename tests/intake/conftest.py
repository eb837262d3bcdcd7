"""One database for the desks of all these tests."""

from collections.abc import Iterator

import pytest

from tests.intake.desk import store_on
from tests.servers.databases import SqliteDatabases, with_tables


@pytest.fixture(scope="session", autouse=True)
def _desks(sqlite_databases: SqliteDatabases) -> Iterator[None]:
    """The database of `tests.intake.desk`."""
    with sqlite_databases.copy_of(with_tables) as url, store_on(url):
        yield
