"""Keys, their roles per desk, and sessions; and how they get on with a process of the release before."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from alembic import command
from sqlalchemy import text

from app.principal import EVERY, Permission, Principal, PrincipalKind, Role, Scope, roles_on
from app.settings import Settings
from app.store.engine import dialect, migrate
from app.store.engine.database import EVERY_DESK, Connection, Database
from app.store.people import keys, principals, sessions
from app.store.people.secrets import hash_of
from tests.servers.databases import Databases

NOW: Final = 1_000_000
END: Final = NOW + 500
BEFORE: Final = "20261125_indexes"
"""The last migration of the release before."""

KEY_OF_BEFORE: Final = text(
    "INSERT INTO api_key (id, hash, parent, desk, scopes, created_at, expires_at)"
    " VALUES (:id, :hash, :parent, :desk, :scopes, 1, :expires_at)"
)


def found(database: Database, secret: str, now: int = NOW) -> Principal | None:
    return database.read_now(lambda conn: principals.find(conn, secret, now))


def new_key(database: Database, desks: str, *granted: Role | Scope) -> tuple[str, Principal]:
    return database.write_now(lambda conn, _: keys.create(conn, roles_on(desks.split(","), granted), NOW))


def new_session(database: Database, principal: Principal) -> tuple[str, Principal]:
    return database.write_now(lambda conn, _: sessions.create(conn, principal, NOW, END))


def written_before(database: Database, secret: str, scopes: str = "read", **given: Any) -> None:
    """A row of `api_key` as the release before writes it."""
    row = {"id": secret, "hash": hash_of(secret), "desk": "haisoft", "parent": None, "expires_at": None}
    database.write_now(lambda conn, _: conn.execute(KEY_OF_BEFORE, row | {"scopes": scopes} | given))


def test_a_key_is_found_by_its_secret_and_stored_by_its_hash(database: Database) -> None:
    secret, made = new_key(database, "haisoft", Role.VIEWER)
    assert found(database, secret) == made
    rows = database.read_now(lambda conn: conn.exec_driver_sql("SELECT * FROM api_key").all())
    assert secret.removeprefix("slt_") not in str(rows)
    assert found(database, secret + "x") is None


def test_a_key_has_its_roles_on_each_of_its_desks(database: Database) -> None:
    secret, _ = new_key(database, "haisoft,webxtra", Role.AGENT, Role.PUSH)
    both = frozenset({Role.AGENT, Role.PUSH})
    read = found(database, secret)
    assert read is not None
    assert (read.kind, read.roles) == (PrincipalKind.KEY, {"haisoft": both, "webxtra": both})


def test_a_revoked_key_is_found_no_more(database: Database) -> None:
    secret, made = new_key(database, "*", Role.ADMIN)
    assert database.write_now(lambda conn, now: keys.revoke(conn, made.id, now))
    assert found(database, secret) is None
    assert not database.write_now(lambda conn, now: keys.revoke(conn, made.id, now))
    assert database.read_now(keys.listed) == []


def test_a_session_has_the_roles_of_its_key_until_its_end(database: Database) -> None:
    _, key = new_key(database, "haisoft,hvn", Role.LEAD)
    secret, _ = new_session(database, key)
    read = found(database, secret)
    assert read is not None
    assert (read.id, read.roles, read.expires_at) == (key.id, key.roles, END)
    assert read.session_id is not None
    assert found(database, secret, END) is None


def test_a_session_ends_with_its_key(database: Database) -> None:
    _, key = new_key(database, "*", Role.VIEWER)
    secret, _ = new_session(database, key)
    database.write_now(lambda conn, now: keys.revoke(conn, key.id, now))
    assert found(database, secret) is None
    assert database.read_now(lambda conn: sessions.listed(conn, NOW)) == []


def test_ending_a_session_leaves_its_key_and_its_other_sessions(database: Database) -> None:
    key_secret, key = new_key(database, "*", Role.VIEWER)
    (ended, session), (other, _) = new_session(database, key), new_session(database, key)
    assert session.session_id is not None
    which = session.session_id
    assert database.write_now(lambda conn, now: sessions.end(conn, which, now))
    assert found(database, ended) is None
    assert found(database, other) is not None
    assert found(database, key_secret) is not None
    assert not database.write_now(lambda conn, now: sessions.end(conn, which, now))


def test_a_session_signs_in_no_session(database: Database) -> None:
    _, key = new_key(database, "*", Role.ADMIN)
    secret, _ = new_session(database, key)
    read = found(database, secret)
    assert read is not None
    with pytest.raises(sessions.SessionCannotSignIn):
        new_session(database, read)


def test_a_guest_sees_and_pushes_on_every_desk(database: Database) -> None:
    secret, _ = database.write_now(lambda conn, _: sessions.create_guest(conn, NOW, END))
    read = found(database, secret)
    assert read is not None
    assert read.kind is PrincipalKind.GUEST
    assert read.desks_with(Permission.VIEW) == read.desks_with(Permission.RECORD) == EVERY
    assert not read.desks_with(Permission.CONFIGURE)
    assert found(database, secret, END) is None


def test_expired_sessions_are_removed_when_another_is_made(database: Database) -> None:
    _, key = new_key(database, "*", Role.VIEWER)
    new_session(database, key)
    database.write_now(lambda conn, _: sessions.create(conn, key, END, END + 1))
    rows = database.read_now(lambda conn: conn.exec_driver_sql("SELECT expires_at FROM session").all())
    assert [row[0] for row in rows] == [END + 1]


# -- beside a process of the release before ------------------------------------------------------------------------


def test_a_key_that_the_release_before_makes_has_the_roles_of_its_scopes(database: Database) -> None:
    written_before(database, "slt_old", "push,read")
    read = found(database, "slt_old")
    assert read is not None
    assert read.roles == {"haisoft": frozenset({Role.PUSH, Role.VIEWER})}
    assert read.session_id is None


@pytest.mark.parametrize(
    ("desks", "granted", "row"),
    [
        ("haisoft", [Scope.READ], ("haisoft", "read")),
        ("*", [Scope.PUSH, Scope.READ, Scope.ADMIN], ("*", "admin,push,read")),
        ("haisoft", [Role.AGENT], ("haisoft", "read")),
        ("haisoft", [Role.LEAD], ("haisoft", "push,read")),
        ("haisoft,hvn", [Role.ADMIN], ("", "admin")),
    ],
)
def test_the_release_before_reads_of_a_key_what_it_can_express_and_never_more(
    database: Database, desks: str, granted: list[Role | Scope], row: tuple[str, str]
) -> None:
    new_key(database, desks, *granted)
    rows = database.read_now(lambda conn: conn.exec_driver_sql("SELECT desk, scopes FROM api_key").all())
    assert [tuple(each) for each in rows] == [row]


@pytest.mark.parametrize(("parent", "kind"), [("slt_old", PrincipalKind.KEY), (None, PrincipalKind.GUEST)])
def test_a_session_of_the_release_before_is_accepted_until_it_expires(
    database: Database, parent: str | None, kind: PrincipalKind
) -> None:
    written_before(database, "slt_old")
    written_before(database, "slt_session", parent=parent, expires_at=END)
    read = found(database, "slt_session")
    assert read is not None
    assert (read.id, read.kind, read.session_id) == (parent or "slt_session", kind, "slt_session")
    assert read.roles == {"haisoft": frozenset({Role.VIEWER})}
    with pytest.raises(sessions.SessionCannotSignIn):
        new_session(database, read)
    assert found(database, "slt_session", END) is None


def test_a_session_of_the_release_before_ends_with_its_key_or_alone(database: Database) -> None:
    written_before(database, "slt_old")
    for session in ("slt_1", "slt_2"):
        written_before(database, session, parent="slt_old", expires_at=END)
    assert database.write_now(lambda conn, now: sessions.end(conn, "slt_1", now))
    assert (found(database, "slt_1"), found(database, "slt_2") is None) == (None, False)
    assert database.write_now(lambda conn, now: keys.revoke(conn, "slt_old", now))
    assert found(database, "slt_2") is None


def test_a_key_that_the_release_before_revokes_ends_its_sessions(database: Database) -> None:
    _, key = new_key(database, "*", Role.VIEWER)
    secret, _ = new_session(database, key)
    revoke = text("UPDATE api_key SET revoked_at = 1 WHERE id = :id OR parent = :id")
    database.write_now(lambda conn, _: conn.execute(revoke, {"id": key.id}))
    assert found(database, secret) is None


def in_transaction(settings: Settings, work: Callable[[Connection], Any]) -> None:
    runner = dialect.writing_runner(settings)
    runner.run(work, EVERY_DESK)
    runner.close()


def test_the_migration_gives_every_key_the_roles_of_its_scopes(databases: Databases) -> None:
    def before(conn: Connection) -> None:
        made = migrate.config()
        made.attributes["connection"] = conn
        command.upgrade(made, BEFORE)
        rows: list[tuple[str, str | None, str, str, int | None]] = [
            ("k1", None, "*", "admin", None),
            ("k2", None, "hvn", "push,read", None),
            ("s1", "k2", "hvn", "push,read", END),
        ]
        for key, parent, desk, scopes, end in rows:
            given = {"id": key, "hash": hash_of(key), "parent": parent, "desk": desk, "scopes": scopes}
            conn.execute(KEY_OF_BEFORE, given | {"expires_at": end})

    with databases.new() as url:
        in_transaction(Settings(database_url=url), before)
        with Database(Settings(database_url=url)) as database:
            query = "SELECT principal, desk, role FROM principal_role ORDER BY principal, role"
            rows = database.read_now(lambda conn: conn.exec_driver_sql(query).all())
            assert [tuple(row) for row in rows] == [
                ("k1", "*", "admin"),
                ("k2", "hvn", "push"),
                ("k2", "hvn", "viewer"),
            ]
            session = found(database, "s1")
            assert session is not None
            assert session.roles == {"hvn": frozenset({Role.PUSH, Role.VIEWER})}


def test_revoking_a_key_of_the_release_before_ends_every_descendant(database: Database) -> None:
    for secret, parent in (("key", None), ("child", "key"), ("grandchild", "child"), ("other", None)):
        written_before(database, secret, parent=parent)
    assert database.write_now(lambda conn, _: keys.revoke(conn, "key", NOW))
    ended = [found(database, each) is None for each in ("key", "child", "grandchild", "other")]
    assert ended == [True, True, True, False]


def test_a_changed_role_changes_every_session_of_its_key(database: Database) -> None:
    _, made = new_key(database, "haisoft", Role.ADMIN)
    secret, _ = new_session(database, made)
    database.write_now(lambda conn, _: conn.execute(text("UPDATE principal_role SET role = 'viewer'")))
    read = found(database, secret)
    assert read is not None
    assert read.roles == {"haisoft": frozenset({Role.VIEWER})}
