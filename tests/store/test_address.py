"""A URL names one host or several; a connection uses the first that accepts it and is of the wanted kind."""

import pytest
from sqlalchemy import text

from app.settings import Settings
from app.store.engine import dialect
from app.store.engine.address import address_of
from app.store.engine.database import Database
from app.store.engine.dialect import UnusableDatabase
from app.store.engine.unreachable import Unreachable
from tests.servers.databases import UNHURRIED, PostgresDatabases, with_tables
from tests.servers.postgres import Postgres
from tests.servers.process import HOST, free_port

URL = "postgresql+asyncpg://slatimer:secret@{}/slatimer{}"


@pytest.mark.parametrize(
    ("host", "query", "hosts", "session"),
    [
        ("db", "", [("db", 5432)], "any"),
        ("db:5433", "?target_session_attrs=standby", [("db", 5433)], "standby"),
        ("", "?host=db1:5433&host=db2", [("db1", 5433), ("db2", 5432)], "read-write"),
        ("", "?host=[::1]:5433&host=10.0.0.1", [("::1", 5433), ("10.0.0.1", 5432)], "read-write"),
        ("", "?host=a&host=b&target_session_attrs=any", [("a", 5432), ("b", 5432)], "any"),
        ("db1", "?host=db2:5433", [("db1", 5432), ("db2", 5433)], "read-write"),
    ],
)
def test_a_url_names_its_hosts(host: str, query: str, hosts: list[tuple[str, int]], session: str) -> None:
    dialect.check(URL.format(host, query))
    address = address_of(URL.format(host, query))
    assert (list(address.hosts), address.session) == (hosts, session)
    assert address.arguments == {"user": "slatimer", "password": "secret", "database": "slatimer"}


@pytest.mark.parametrize(
    ("host", "query", "remedy"),
    [
        ("", "", "Name the host"),
        ("", "?host=db1,db2", "Name each in a parameter of its own"),
        ("", "?host=db1:port&host=db2", "Name each in a parameter of its own"),
        ("db", "?hosts=db2", "known: host, passfile, ssl"),
    ],
)
def test_a_url_with_a_faulty_host_is_refused_with_the_remedy(host: str, query: str, remedy: str) -> None:
    with pytest.raises(UnusableDatabase, match=remedy):
        dialect.check(URL.format(host, query))


def test_a_host_that_is_down_is_passed_over(
    postgresql_databases: PostgresDatabases, postgres_server: Postgres
) -> None:
    down = f"{HOST}:{free_port()}"
    with postgresql_databases.copy_of(with_tables) as url:
        up = f"{HOST}:{postgres_server.port}"
        several = url.replace(f"@{up}/", "@/") + f"?host={down}&host={up}"
        with Database(Settings(database_url=several, **UNHURRIED)) as database:
            assert database.read_now(
                lambda conn: conn.execute(text("SELECT inet_server_port()")).scalar()
            ) == (postgres_server.port)
        with pytest.raises(Unreachable, match=r"no connection to .*the server is not standby"):
            Database(Settings(database_url=f"{several}&target_session_attrs=standby", **UNHURRIED))


@pytest.mark.parametrize("name", ["database_direct_url", "replica_url"])
@pytest.mark.parametrize(
    ("database_url", "other", "remedy"),
    [
        ("sqlite:////tmp/x.db", URL.format("db", ""), "belongs to PostgreSQL"),
        (URL.format("db", ""), "sqlite:////tmp/x.db", "must name a PostgreSQL server"),
        (URL.format("db", ""), URL.format("", ""), "Name the host"),
    ],
)
def test_the_url_of_another_server_belongs_to_a_server(
    name: str, database_url: str, other: str, remedy: str
) -> None:
    with pytest.raises(UnusableDatabase, match=f"SLATIMER_{name.upper()}.*{remedy}"):
        dialect.check_settings(Settings(database_url=database_url).model_copy(update={name: other}))
