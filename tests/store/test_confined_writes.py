"""Writes are confined to their desks: PostgreSQL refuses a row of another desk; exceptions have a listed reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

import app
from app.principal import EVERY
from app.store.engine.database import Connection, EveryDesk, confined
from app.store.engine.desks import SEPARATOR, WRITING, writing_setting_of
from app.store.tables import metadata
from app.store.tickets import signals
from tests.servers.databases import postgresql_only
from tests.service import Service, created

OWN = frozenset({"haisoft"})
ROOT = Path(app.__file__).parent

UNCONFINED = {
    "flow/agreement/holidays.py": {"UPGRADE"},
    "flow/inbound/reader.py": {"DUE"},
    "flow/people/own.py": {"SIGN_IN"},
    "flow/people/sign_in.py": {"SIGN_IN"},
    "flow/people/throttle.py": {"SIGN_IN"},
    "flow/outbound/deliver.py": {"DELIVERIES"},
    "flow/process/retention.py": {"RETENTION"},
    "flow/process/sweep.py": {"DUE"},
    "store/tickets/signals.py": {"STREAM"},
    "web/api/people/keys.py": {"PEOPLE"},
    "web/api/people/people.py": {"PEOPLE"},
    "web/api/people/sessions.py": {"PEOPLE"},
    "web/http/refused_sign_ins.py": {"SIGN_IN"},
    "web/http/session.py": {"SIGN_IN"},
    "web/pages/settings/managing.py": {"PEOPLE"},
    "web/pages/settings/page.py": {"PEOPLE"},
    "web/pages/sign_in/page.py": {"SIGN_IN"},
}
"""Where a write is not confined. Before a place is added here: can the write name its desks?"""


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        yield from ((name, node) for node in ast.walk(ast.parse(path.read_text())))


def is_reason(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "EveryDesk"
    )


def is_write(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    return node.func.attr in {"write", "write_now"} and ast.unparse(node.func.value).endswith("database")


def test_every_place_that_is_not_confined_is_listed() -> None:
    found: dict[str, set[str]] = {}
    for name, node in nodes():
        if is_reason(node) and isinstance(node, ast.Attribute):
            found.setdefault(name, set()).add(node.attr)
    assert found == UNCONFINED
    assert {reason for reasons in found.values() for reason in reasons} == set(EveryDesk.__members__)


def test_a_write_without_a_caller_names_its_desks() -> None:
    """Handlers of routes have a caller, whose desks they write; a command is the operator's, for all desks."""
    silent = {
        name
        for name, node in nodes()
        if is_write(node) and isinstance(node, ast.Call) and len(node.args) + len(node.keywords) < 2
    }
    assert {name for name in silent if not name.startswith(("cli/", "web/api/"))} == set()


def test_the_setting_of_a_write_names_its_desks_and_that_it_writes() -> None:
    assert writing_setting_of(frozenset({"b", "a"})) == SEPARATOR.join((WRITING, "a", "b"))
    assert writing_setting_of(EVERY) == "*"


TICKET = metadata.tables["ticket"]


def put_again(conn: Connection, desk: str) -> None:
    """Store the ticket of haisoft once more, as another desk's."""
    row = conn.execute(select(TICKET)).mappings().one()
    conn.execute(insert(TICKET).values(dict(row) | {"desk": desk, "ticket": "copied"}))


@pytest.fixture
def pushed(service: Service) -> Service:
    service.push(created("1", "2026-03-02T08:00:00+01:00"))
    return service


@postgresql_only
@pytest.mark.parametrize("desk", ["webxtra", "*"])
def test_the_database_refuses_a_row_of_another_desk(pushed: Service, desk: str) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        pushed.database.write_now(lambda conn, _: put_again(conn, desk), OWN)
    pushed.database.write_now(lambda conn, _: put_again(conn, "haisoft"), OWN)


@postgresql_only
def test_a_confined_write_changes_no_row_of_another_desk(pushed: Service) -> None:
    def end(conn: Connection, _: int) -> int:
        return conn.execute(update(TICKET).values(next_at=None)).rowcount

    assert pushed.database.write_now(end, frozenset({"webxtra"})) == 0
    assert pushed.database.write_now(end, OWN) == 1


@postgresql_only
def test_a_part_of_a_write_is_confined_and_knows_the_end_of_the_whole_stream(pushed: Service) -> None:
    def seen(conn: Connection) -> list[str]:
        return list(conn.execute(select(TICKET.c.desk)).scalars())

    def work(conn: Connection, _: int) -> list[list[str]]:
        before = seen(conn)
        with confined(conn, frozenset({"webxtra"})):
            assert signals.last(conn) == 0
            assert signals.end(conn) == signals.end(conn, lock=True) > 0
            within = seen(conn)
        return [before, within, seen(conn)]

    one = ["haisoft"]
    assert pushed.database.write_now(work, EveryDesk.DUE) == [one, [], one]
    assert pushed.database.write_now(work, frozenset({"hvn"})) == [[], [], []]


@postgresql_only
def test_a_write_reads_the_subscriptions_of_every_desk_and_changes_none(service: Service) -> None:
    table = metadata.tables["subscription"]
    texts = {c.name: "[]" for c in table.columns if c.type.python_type is str}
    row = texts | {"id": "s", "desk": "*", "created_at": 0, "wanted_since": 0, "failures": 0}
    service.database.write_now(lambda conn, _: conn.execute(insert(table).values(row)))

    def work(conn: Connection, _: int) -> tuple[int, int]:
        read = len(conn.execute(select(table.c.id)).all())
        return read, conn.execute(update(table).values(failures=1)).rowcount

    assert service.database.write_now(work, OWN) == (1, 0)
    assert service.database.write_now(work) == (1, 1)
