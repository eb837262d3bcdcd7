"""The audit log: an entry is written with its act, bounded under a flood, and deleted by retention."""

import asyncio

import pytest

from app.flow.process.retention import Retention
from app.principal import EVERY_DESK, Role, roles_on
from app.settings import Settings
from app.sla.span import HOUR, MINUTE
from app.store import audit
from app.store.audit import Action, Actor, AuditFilters, Entry, acting
from app.store.engine.database import Connection, Database
from app.store.people import keys, sessions
from app.web.http.refused_sign_ins import RefusedSignIns, network_of
from tests.service import Service


def entries(database: Database, *desks: str) -> list[Entry]:
    """The log of these desks, the oldest entry first."""
    filters = AuditFilters(frozenset(desks or {EVERY_DESK}))
    return database.read_now(lambda conn: audit.page(conn, filters, None, 1000))[0][::-1]


def acts(database: Database, *desks: str) -> list[tuple[str, Action, str]]:
    return [(each.desk, each.action, each.about) for each in entries(database, *desks)]


def test_the_life_of_a_key_and_its_session_is_recorded_on_each_of_its_desks(database: Database) -> None:
    roles = roles_on(["haisoft", "hvn"], [Role.LEAD])
    _, key = database.write_now(lambda conn, now: keys.create(conn, roles, now))
    _, signed_in = database.write_now(lambda conn, now: sessions.create(conn, key, now, now + HOUR))
    session = signed_in.session_id
    assert session is not None
    database.write_now(lambda conn, now: sessions.end(conn, session, now))
    database.write_now(lambda conn, now: sessions.end(conn, key.id, now))
    about = f"session {session} of key {key.id}"
    assert acts(database, "hvn") == [
        ("hvn", Action.KEY_CREATED, key.id),
        ("hvn", Action.SESSION_STARTED, about),
        ("hvn", Action.SESSION_ENDED, about),
        ("hvn", Action.KEY_REVOKED, key.id),
    ]
    assert len(entries(database)) == 8
    assert entries(database, "hvn")[0].note == "lead"


def test_what_is_not_there_ends_without_an_entry(database: Database) -> None:
    assert not database.write_now(lambda conn, now: sessions.end(conn, "no-such", now))
    assert entries(database) == []


def test_an_act_that_fails_leaves_no_entry(database: Database) -> None:
    def failing(conn: Connection, now: int) -> None:
        keys.create(conn, roles_on(["hvn"], [Role.ADMIN]), now)
        raise LookupError

    with pytest.raises(LookupError):
        database.write_now(failing)
    assert entries(database) == []


def test_an_entry_names_who_acted_by_which_request_from_where(database: Database) -> None:
    token = acting.set(Actor("key abc", "req-1", "192.0.2.7"))
    database.write_now(lambda conn, now: keys.create(conn, roles_on("*", [Role.PUSH]), now))
    acting.reset(token)
    database.write_now(lambda conn, now: keys.create(conn, roles_on("*", [Role.PUSH]), now))
    assert [(each.who, each.request_id, each.address) for each in entries(database)] == [
        ("key abc", "req-1", "192.0.2.7"),
        ("service", None, None),
    ]


def test_no_entry_contains_a_secret(database: Database) -> None:
    secret, key = database.write_now(lambda conn, now: keys.create(conn, roles_on("*", [Role.ADMIN]), now))
    cookie, _ = database.write_now(lambda conn, now: sessions.create(conn, key, now, now + HOUR))
    shown = str(entries(database))
    assert secret not in shown
    assert cookie not in shown


def test_pages_continue_where_the_one_before_ended(database: Database) -> None:
    for _ in range(5):
        database.write_now(lambda conn, now: keys.create(conn, roles_on("*", [Role.PUSH]), now))
    seen: list[int] = []
    before: int | None = None
    while True:
        found, before = database.read_now(
            lambda conn, before=before: audit.page(conn, AuditFilters(), before, 2)
        )
        seen += [each.id for each in found]
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 5


def test_a_flood_of_refused_sign_ins_adds_one_row_for_each_address_and_minute_to_a_limit(
    database: Database,
) -> None:
    settings = Settings(refused_sign_in_addresses=3)

    async def flood() -> None:
        refused = RefusedSignIns(database, settings)
        for number in range(1000):
            refused.count(f"192.0.2.{number % 100}", f"r{number}")
        await refused.stop()

    asyncio.run(flood())
    asyncio.run(flood())  # as another process, or after a restart
    by_address = {each.address: each.count for each in entries(database)}
    # The clock may pass to the next minute: then each address has two rows, and the sum is the same.
    assert set(by_address) == {"192.0.2.0", "192.0.2.1", "192.0.2.2", "others"}
    assert sum(each.count for each in entries(database)) == 2000
    assert {each.at % MINUTE for each in entries(database)} == {0}


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("x" * 10_000, "unknown"),
        (None, "unknown"),
    ],
)
def test_a_refused_sender_is_counted_by_its_network(host: str | None, counted: str) -> None:
    assert network_of(host) == counted


def test_retention_deletes_the_entries_that_are_old_enough(service: Service) -> None:
    database, clock = service.database, service.clock
    clock.set("2026-03-02T18:00:00+01:00")
    database.write_now(lambda conn, now: keys.create(conn, roles_on("*", [Role.PUSH]), now))
    clock.set("2027-03-02T17:00:00+01:00")
    _, kept = database.write_now(lambda conn, now: keys.create(conn, roles_on("*", [Role.PUSH]), now))
    clock.set("2027-03-02T19:00:00+01:00")
    Retention(database, service.assessor, service.settings).apply_now()
    assert acts(database) == [("*", Action.KEY_CREATED, kept.id)]
