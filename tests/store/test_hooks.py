"""What is kept of ticket systems: deliveries once, snapshots in order, who says what, secrets as long as agreed."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from app.store.engine import sqlite
from app.store.engine.database import Database
from app.store.inbound import connections, hooks, origins, snapshots, sources
from app.store.inbound.hooks import HookResult, HookState, NewHook
from app.store.inbound.origins import EventOrigin
from app.store.inbound.snapshots import ChainPosition, StoredSnapshot
from tests.servers.databases import SqliteDatabases, with_tables


def new(number: int, *, once: str | None = None, desk: str = "d") -> NewHook:
    return NewHook(f"h{number}", desk, "zammad", once or f"once{number}", {"content-type": "x"}, b"\0\xff")


def test_a_delivery_comes_back_as_it_came(database: Database) -> None:
    database.write_now(lambda conn, now: hooks.add(conn, [new(1)], 7))
    (claimed,) = database.write_now(lambda conn, now: hooks.claim(conn, 9))
    assert (
        claimed.body,
        claimed.headers,
        claimed.received_at,
    ) == (b"\0\xff", {"content-type": "x"}, 7)
    assert (
        claimed.interpreted_at,
        claimed.warnings,
        claimed.tries,
    ) == (None, (), 0)


def test_a_repetition_has_the_first_ones_id_in_one_transaction_or_in_two(database: Database) -> None:
    first = database.write_now(lambda conn, now: hooks.add(conn, [new(1), new(2, once="once1")], now))
    second = database.write_now(lambda conn, now: hooks.add(conn, [new(3, once="once1")], now))
    assert [*first, *second] == [("h1", False), ("h1", True), ("h1", True)]


def test_deliveries_are_claimed_in_the_order_in_which_they_came(database: Database) -> None:
    database.write_now(lambda conn, now: hooks.add(conn, [new(n) for n in range(5)], now))
    claimed = database.write_now(lambda conn, now: hooks.claim(conn, 3))
    assert [one.id for one in claimed] == ["h0", "h1", "h2"]


def test_what_is_finished_is_claimed_no_more_until_it_is_to_be_read_again(database: Database) -> None:
    database.write_now(lambda conn, now: hooks.add(conn, [new(n, desk=f"d{n}") for n in range(4)], now))
    claimed = database.write_now(lambda conn, now: hooks.claim(conn, 9))
    endings = (
        HookResult(claimed[0].seq, HookState.DONE),
        HookResult(claimed[1].seq, HookState.KEPT, "no JSON"),
        HookResult(claimed[2].seq, HookState.DONE, None, ("a word",)),
        HookResult(claimed[3].seq, HookState.IGNORED, "a draft"),
    )
    database.write_now(lambda conn, now: hooks.finish(conn, endings, now))
    assert database.write_now(lambda conn, now: hooks.claim(conn, 9)) == []
    assert database.read_now(hooks.inbox_counts) == {("d1", "zammad", "kept"): 1, ("d2", "zammad", "done"): 1}
    listed = database.read_now(lambda conn: hooks.inbox(conn, 9, 99))
    assert [(one.id, one.length) for one in listed] == [("h2", 2), ("h1", 2)]
    older = database.read_now(lambda conn: hooks.inbox(conn, 9, listed[0].seq))
    assert [(one.reason, one.warnings) for one in older] == [("no JSON", ())]
    assert database.write_now(lambda conn, now: hooks.requeue(conn, frozenset({"d1"}))) == 1
    assert [one.id for one in database.write_now(lambda conn, now: hooks.claim(conn, 9))] == ["h1"]


@pytest.mark.parametrize("reason", [None, "r", "r" * 57, "r" * 58, "é" * 57])
def test_the_result_of_a_long_body_is_stored_without_writing_the_body_again(
    sqlite_databases: SqliteDatabases, reason: str | None
) -> None:
    sent = replace(new(1), body=bytes(range(256)) * 400)
    with sqlite_databases.copy_of(with_tables) as url, Database(Settings(database_url=url)) as database:
        database.write_now(lambda conn, now: hooks.add(conn, [sent], now))
        file = Path(url.removeprefix("sqlite:///"))
        with closing(sqlite.driver().connect(file)) as beside:
            beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        result = HookResult(1, HookState.KEPT if reason else HookState.DONE, reason)
        database.write_now(lambda conn, now: hooks.finish(conn, [result], now))
        assert 0 < file.with_name(f"{file.name}-wal").stat().st_size < len(sent.body) // 2
        stored = database.read_now(lambda conn: hooks.find(conn, "h1"))
    assert stored is not None
    assert (stored.body, stored.reason, stored.state) == (sent.body, reason, result.state)


def test_the_oldest_that_waits_is_known(database: Database) -> None:
    assert database.read_now(hooks.waiting) == (0, None)
    database.write_now(lambda conn, now: hooks.add(conn, [new(1)], 7))
    database.write_now(lambda conn, now: hooks.add(conn, [new(2)], 9))
    assert database.read_now(hooks.waiting) == (2, 7)
    assert database.read_now(lambda conn: hooks.stuck(conn, 9)) == [("d", "zammad", "h1")]


def shot(at: int, digest: str, ticket: str = "1") -> StoredSnapshot:
    return StoredSnapshot("zammad", ticket, at, digest, None, {"status": "open", "tags": ["a"]})


def test_neighbours_are_those_next_in_time_and_then_by_digest(database: Database) -> None:
    held = [shot(1, "b"), shot(2, "a"), shot(2, "c"), shot(3, "a"), shot(2, "b", ticket="other")]
    database.write_now(lambda conn, now: [snapshots.add(conn, "d", one, "h1") for one in held])
    this = shot(2, "b")
    near = ChainPosition(shot(2, "a"), shot(2, "c"), stored=False)
    assert database.read_now(lambda conn: snapshots.position(conn, "d", this)) == near
    known = ChainPosition(shot(1, "b"), shot(2, "c"), stored=True)
    assert database.read_now(lambda conn: snapshots.position(conn, "d", shot(2, "a"))) == known
    nothing = ChainPosition(None, None, stored=False)
    assert database.read_now(lambda conn: snapshots.position(conn, "elsewhere", this)) == nothing


def test_a_snapshot_belongs_to_the_delivery_that_brought_it_until_it_is_removed(database: Database) -> None:
    database.write_now(lambda conn, now: snapshots.add(conn, "d", shot(1, "a"), "h1"))
    assert database.read_now(lambda conn: snapshots.of_hook(conn, "d", "h1")) == [shot(1, "a")]
    database.write_now(lambda conn, now: snapshots.remove(conn, "d", shot(1, "a")))
    assert database.read_now(lambda conn: snapshots.of_hook(conn, "d", "h1")) == []


def test_who_says_an_event_is_known_until_it_is_said_no_more(database: Database) -> None:
    one, other = EventOrigin("h1", "e", "e", "T", 1), EventOrigin("h2", "e", "e", "T", 1)
    database.write_now(lambda conn, now: origins.add(conn, "d", [one, other]))
    assert database.read_now(lambda conn: origins.of_origin(conn, "d", "h1")) == {"e": one}
    elsewhere = [database.read_now(lambda conn: origins.reported_elsewhere(conn, "d", "h1", ["e", "x"]))]
    database.write_now(lambda conn, now: origins.drop(conn, "d", [other]))
    elsewhere.append(database.read_now(lambda conn: origins.reported_elsewhere(conn, "d", "h1", ["e", "x"])))
    assert elsewhere == [{"e"}, set()]
    database.write_now(lambda conn, now: origins.forget(conn, ["h1"]))
    assert database.read_now(lambda conn: origins.of_origin(conn, "d", "h1")) == {}


def test_a_secret_that_was_followed_by_another_lives_for_the_overlap(database: Database) -> None:
    def rotate(secret: str, now: int) -> connections.StoredConnection:
        return database.write_now(
            lambda conn, _: connections.add_secret(conn, "d", "zammad", secret, now, overlap=10)
        )

    rotate("one", 0)
    rotate("two", 100)
    made = rotate("three", 105)
    assert made.live(105) == ("three", "two", "one")
    assert made.live(110) == ("three", "two")
    assert made.live(115) == ("three",)
    assert rotate("two", 112).live(112) == ("two", "three")
    assert (
        database.read_now(lambda conn: connections.find(conn, "d", "zammad"))
        == database.read_now(connections.listed)[0]
    )


@pytest.mark.parametrize("text", ["a = 1\n", "# the same\na = 1\n"])
def test_the_same_sources_again_change_nothing(database: Database, text: str) -> None:
    document = {"sources": {"zammad": {"time_zone": "Europe/Paris"}}}
    changed = [
        database.write_now(lambda conn, now, given=given: sources.put(conn, "d", given, text, now))
        for given in (document, document, {"sources": {}})
    ]
    assert changed == [True, False, True]
    found = database.read_now(lambda conn: sources.find(conn, "d"))
    assert found is not None
    assert (found.document, found.text) == ({"sources": {}}, text)
    assert database.read_now(lambda conn: sources.digest(conn, "nobody")) is None
