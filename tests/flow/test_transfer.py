"""An export has all of a desk, and its import gives the same views, signals and reports, on either kind of database."""

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any, Final

import pytest

from app.flow.process.invariants import Verdict, run_checks
from app.flow.query.queue_reports import queue_report
from app.flow.query.report_scope import Asked
from app.flow.query.reports import ReportKind, clock_report
from app.flow.query.statements import CreditFilters, credit_page
from app.flow.query.tickets import NothingKnownYet
from app.flow.transfer.export import Export, Stopped, Wanted
from app.flow.transfer.import_desk import Import
from app.flow.transfer.manifest import UnusableExport
from app.settings import Settings
from app.sla.report.cut import By
from app.sla.span import SECOND, Micros, Span
from app.store.engine.database import Connection, Database
from app.store.people import views
from app.store.tickets import breaches, clocks, signals
from app.store.tickets.breaches import BreachFilters
from app.store.transfer import rows
from app.store.transfer.kinds import ACKNOWLEDGEMENTS, EVENTS, RETRACTIONS, Kind
from app.store.transfer.rows import Extent, ForeignRow
from tests.credit_office import CreditOffice
from tests.flow.test_reports import history, live
from tests.servers.databases import UNHURRIED, Databases, SqliteDatabases, with_tables
from tests.service import Service, WallClock, at, created, event, with_desks_in_force

MARCH: Final = Span(at("2026-03-01T00:00:00+01:00"), at("2026-04-01T00:00:00+02:00"))
EARLIER: Final = at("2026-03-20T17:00:00+01:00")
END: Final = at("2026-04-20T00:00:00+02:00")
SMALL: Final[dict[str, Any]] = UNHURRIED | {"transfer_batch_size": 7, "transfer_checkpoint_rows": 20}
HOUR: Final = timedelta(hours=1)


def opened(stack: ExitStack, url: str) -> Service:
    """A service on a database, with small batches."""
    settings, clock = Settings(database_url=url, **SMALL), WallClock()
    return Service(settings, stack.enter_context(Database(settings, clock)), clock)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


@pytest.fixture
def service(stack: ExitStack, sqlite_databases: SqliteDatabases) -> Service:
    return opened(stack, stack.enter_context(sqlite_databases.copy_of(with_desks_in_force)))


@pytest.fixture
def other(stack: ExitStack, sqlite_databases: SqliteDatabases) -> Service:
    """A service on a database without desks."""
    return opened(stack, stack.enter_context(sqlite_databases.copy_of(with_tables)))


def databases_of(request: pytest.FixtureRequest, kind: str) -> Databases:
    return request.getfixturevalue(f"{kind}_databases")


def lived(service: Service, seed: int, desk: str = "haisoft", tickets: int = 6) -> None:
    """Some weeks of a desk: tickets, merges, late and withdrawn events, outages, contracts and their credits."""
    chance = random.Random(seed)
    happened = history(chance, desk, tickets)
    office = CreditOffice(service, desk, "Europe/Paris", since="2026-03-02 09:00")
    office.contract("C-1", customer="ACME")
    filters = {"desk": desk, "group": "Night"}
    service.database.write_now(lambda conn, now: views.share(conn, desk, "now", "Night", filters, "eva", now))
    live(service, happened, EARLIER)
    office.contract("C-1", customer="ACME", fee={"amount": "2000", "per": "month"})
    for name in ("=cmd|' /C calc'!A0", "network"):
        started = office.down(name, "2026-03-10 10:00", chance.choice((1, 3)) * HOUR)
    office.fact(
        "event.withdrawn", "service:network", "2026-03-18 00:00", id=started, author="Eva", reason="error"
    )
    office.down("network", "2026-03-12 10:00", 2 * HOUR)
    withdrawn = chance.choice(happened)[1].event
    office.fact(
        "event.withdrawn",
        withdrawn.subject,
        "2026-03-20 00:00",
        id=withdrawn.id,
        author="Eva",
        reason="error",
    )
    live(service, [each for each in happened if each[0] >= EARLIER], END)


def shown(service: Service, desk: str = "haisoft") -> dict[str, Any]:
    """Views, signals, credits and reports of a desk, now and as of an earlier instant."""
    service.clock.now = END
    catalogue, settings = service.catalogue, service.settings

    def read(conn: Connection) -> dict[str, Any]:
        found: dict[str, Any] = {"tickets": clocks.all_tickets(conn, desk)}
        asked = Asked(desk, MARCH, END, By.WEEK, ("priority",))
        for then in (asked, replace(asked, as_of=EARLIER)):
            for kind in ReportKind:
                found[f"{kind} {then.as_of}"] = clock_report(conn, catalogue, settings, kind, then)
            found[f"queues {then.as_of}"] = queue_report(conn, catalogue, settings, then)
            found[f"credits {then.as_of}"] = credit_page(
                conn, catalogue, desk, CreditFilters(), now=END, as_of=then.as_of, limit=100
            )
        page = signals.page(conn, 0, 10_000, frozenset({desk}))
        found["signals"] = [(each.id, each.body, each.trace, each.at) for each in page]
        found["saved views"] = views.of_desks(conn, frozenset({desk}))
        found["versions"] = catalogue.recorded(conn, desk)
        late = BreachFilters(frozenset({desk}), retracted=True)
        found["breaches"] = [replace(each, seq=0) for each in breaches.breaches(conn, late, None, 500)[0]]
        return found

    found = service.database.read_now(read)
    for ticket in found["tickets"]:
        found[ticket] = service.view(desk, ticket)
        with suppress(NothingKnownYet):
            found[f"{ticket} earlier"] = service.view(desk, ticket, as_of="2026-03-20T17:00:00+01:00")
    return found


def exporting(service: Service, folder: Path, *, since: Micros | None = None, **given: Any) -> Export:
    wanted = Wanted(Extent(given.pop("desk", "haisoft"), since), folder)
    return Export(service.database, service.catalogue, service.settings, wanted, **given)


def importing(service: Service, folder: Path) -> Import:
    return Import(service.database, service.catalogue, service.settings, folder)


@pytest.mark.parametrize(
    ("source", "target", "desk", "seed"),
    [
        ("sqlite", "sqlite", "haisoft", 1),
        ("sqlite", "postgresql", "haisoft", 2),
        ("postgresql", "sqlite", "webxtra", 3),
    ],
)
def test_an_imported_export_gives_the_same_views_signals_and_reports(
    request: pytest.FixtureRequest,
    stack: ExitStack,
    tmp_path: Path,
    source: str,
    target: str,
    desk: str,
    seed: int,
) -> None:
    of = {kind: databases_of(request, kind) for kind in (source, target)}
    old = opened(stack, stack.enter_context(of[source].copy_of(with_desks_in_force)))
    new = opened(stack, stack.enter_context(of[target].copy_of(with_tables)))
    lived(old, seed, desk)
    before = shown(old, desk)
    exporting(old, tmp_path, desk=desk).run()
    new.clock.now = END
    importing(new, tmp_path).run()
    assert shown(new, desk) == before
    assert len(before["signals"]) > 20
    checks = new.database.read_now(lambda conn: list(run_checks(conn, new.catalogue, END)))
    assert [check for check in checks if check.verdict is Verdict.FAULT] == []
    new.sweeper.sweep_now()
    assert shown(new, desk) == before


# -- going on ----------------------------------------------------------------------------------------------------------


def pushed(service: Service, numbers: range) -> None:
    """Tickets of which each is answered."""
    for n in numbers:
        reply = event(f"t{n}-reply", "agent.replied", f"t{n}", "2026-03-02T08:30:00+01:00", author="agent")
        service.push(created(f"t{n}", "2026-03-02T08:00:00+01:00"), reply)


def content(folder: Path) -> dict[str, bytes]:
    """The files of an export without its manifest, which has the instant."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def test_an_export_that_was_stopped_goes_on_at_its_checkpoint(service: Service, tmp_path: Path) -> None:
    pushed(service, range(30))
    stop = Event()
    seen: list[tuple[str, int]] = []

    def stop_after_a_checkpoint(kind: str, count: int) -> None:
        if kind == "events" and count >= 35:
            stop.set()

    with pytest.raises(Stopped):
        exporting(service, tmp_path / "stopped", progress=stop_after_a_checkpoint, stop=stop).run()
    with pytest.raises(UnusableExport, match="is not complete"):
        importing(service, tmp_path / "stopped").run()
    with (tmp_path / "stopped" / "events.jsonl").open("ab") as file:
        file.write(b'{"desk":"haisoft","posi')  # what was written after the checkpoint may be torn
    exporting(service, tmp_path / "stopped", progress=lambda *each: seen.append(each)).run()
    assert next(count for kind, count in seen if kind == "events") == 21 + 7
    exporting(service, tmp_path / "whole").run()
    assert content(tmp_path / "stopped") == content(tmp_path / "whole")


def test_an_export_that_is_run_again_appends_what_came_since(service: Service, tmp_path: Path) -> None:
    pushed(service, range(10))
    exporting(service, tmp_path / "daily").run()
    before = content(tmp_path / "daily")
    pushed(service, range(10, 20))
    withdrawn = event("w", "event.withdrawn", "t1", "2026-03-02T09:00:00+01:00", id="t1-reply", author="Eva")
    service.push(withdrawn)
    exporting(service, tmp_path / "daily").run()
    exporting(service, tmp_path / "whole").run()
    after = content(tmp_path / "daily")
    assert after == content(tmp_path / "whole")
    assert all(after[f"{kind}.jsonl"].startswith(before[f"{kind}.jsonl"]) for kind in ("events", "signals"))


@pytest.mark.parametrize("change", ["file", "database"])
def test_a_file_that_no_longer_agrees_is_written_from_its_beginning(
    service: Service, tmp_path: Path, change: str
) -> None:
    pushed(service, range(5))
    exporting(service, tmp_path / "again").run()
    if change == "file":
        path = tmp_path / "again" / "events.jsonl"
        path.write_bytes(path.read_bytes().replace(b"t3", b"t9"))
    else:
        service.database.write_now(
            lambda conn, _: conn.exec_driver_sql("DELETE FROM event WHERE ticket = 't3'")
        )
    exporting(service, tmp_path / "again").run()
    exporting(service, tmp_path / "whole").run()
    assert content(tmp_path / "again") == content(tmp_path / "whole")


def test_an_export_of_a_period_has_what_was_recorded_in_it_and_is_no_import(
    service: Service, other: Service, tmp_path: Path
) -> None:
    pushed(service, range(3))
    since = service.clock.forward(hours=1)
    pushed(service, range(3, 5))
    done = exporting(service, tmp_path, since=since).run()
    assert {name: done.kinds[name].rows for name in ("events", "tickets")} == {"events": 4, "tickets": 5}
    with pytest.raises(UnusableExport, match="is of a period only"):
        importing(other, tmp_path).run()
    with pytest.raises(UnusableExport, match="holds another export"):
        exporting(service, tmp_path).run()


# -- what is refused, and what is left out -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_export(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    with ExitStack() as stack:
        service = opened(stack, stack.enter_context(sqlite_databases.copy_of(with_desks_in_force)))
        pushed(service, range(3))
        exporting(service, folder).run()
    return folder


def rewritten(folder: Path, line: bytes) -> None:
    """The second event replaced, with a manifest that agrees."""
    path = folder / "events.jsonl"
    first, _, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + line + b"\n" + b"".join(rest))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    described = manifest["kinds"]["events"]["files"]["events.jsonl"]
    described |= {"size": path.stat().st_size, "sha256": sha256(path.read_bytes()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"[]", "is no JSON object"), (b'{"desk": "%s"}' % (b"x" * 300_000), "is longer than 200000 bytes")],
)
def test_a_faulty_line_is_refused_with_its_place_and_nothing_is_imported(
    other: Service, small_export: Path, tmp_path: Path, line: bytes, reason: str
) -> None:
    shutil.copytree(small_export, tmp_path, dirs_exist_ok=True)
    rewritten(tmp_path, line)
    other.settings = other.settings.model_copy(update={"transfer_max_line_length": 200_000})
    with pytest.raises(UnusableExport, match=rf"events\.jsonl, line 2: {reason}"):
        importing(other, tmp_path).run()
    assert other.rows("SELECT desk FROM desk_version UNION SELECT desk FROM event") == []


def test_an_import_takes_only_what_the_manifest_describes_and_only_a_new_desk(
    other: Service, small_export: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_export, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "clocks.jsonl").open("ab") as file:
        file.write(b"\n")
    with pytest.raises(UnusableExport, match=r"clocks\.jsonl: is not the file"):
        importing(other, tmp_path).run()
    importing(other, small_export).run()
    with pytest.raises(UnusableExport, match="has the desk 'haisoft' already"):
        importing(other, small_export).run()
    with pytest.raises(UnusableExport, match="holds no export"):
        importing(other, tmp_path / "missing").run()


def test_an_export_of_the_release_before_saved_views_is_imported(
    other: Service, small_export: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_export, tmp_path, dirs_exist_ok=True)
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    events = manifest["kinds"].pop("events")
    del manifest["kinds"]["views"]
    (tmp_path / "views.jsonl").unlink()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UnusableExport, match=r"events\.jsonl: is not the file"):
        importing(other, tmp_path).run()
    manifest["kinds"]["events"] = events
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert importing(other, tmp_path).run().rows["events"] > 0


@pytest.mark.parametrize("name", ["*", "", "hvn\x1fhaisoft"])
def test_a_manifest_of_every_desk_or_of_several_is_refused(
    other: Service, small_export: Path, tmp_path: Path, name: str
) -> None:
    manifest = json.loads((small_export / "manifest.json").read_bytes())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"desk": name}))
    with pytest.raises(UnusableExport, match="is no name of a desk"):
        importing(other, tmp_path).run()


def test_imported_rows_about_another_desks_signal_or_from_the_future_are_refused(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    ((signal, now),) = service.rows("SELECT id, detected_at FROM signal WHERE kind = 'clock.started' LIMIT 1")
    retracted = {"id": signal, "retracted_by": "x", "retracted_at": now, "corrected_at": None}
    seen = {"breach": signal, "author": "x", "note": None, "at": now}
    late = {"received_at": now + 2 * 24 * 3600 * SECOND}

    def insert(kind: Kind, row: dict[str, Any]) -> None:
        service.database.write_now(lambda conn, _: rows.insert(conn, kind, "hvn", [row]))

    for kind, row in ((RETRACTIONS, retracted), (ACKNOWLEDGEMENTS, seen), (EVENTS, late)):
        with pytest.raises(ForeignRow):
            insert(kind, row)


SECRETS: Final = ("whsec_", "SECRETPATH", "sk_", "BODY OF A WEBHOOK")


def test_an_export_has_no_secret(service: Service, tmp_path: Path) -> None:
    """Rows with secrets in every column that may have one: no file has any of them."""
    pushed(service, range(1))
    rows = {
        "connection": "(desk, system, secrets, created_at, changed_at) VALUES ('haisoft', 'zammad', 'whsec_1', 1, 1)",
        "source": "(desk, applied_at, document, text, digest) VALUES ('haisoft', 1, '{}', 'sk_source', '')",
        "hook": "(id, desk, system, once, received_at, headers, body, state, tries) "
        "VALUES ('h', 'haisoft', 'zammad', '1', 1, 'sk_header', 'BODY OF A WEBHOOK', 'kept', 1)",
        "subscription": "(id, desk, channel, url, kinds, filter, secrets, language, description, state, created_at, "
        "wanted_since, failures) VALUES ('s', 'haisoft', 'webhook', 'https://a/SECRETPATH', '[]', '{}', 'whsec_2', "
        "'en', '', 'active', 1, 1, 0)",
        "delivery": "(subscription, signal, desk, ticket, state, created_at, attempts, reason) "
        "VALUES ('s', 1, 'haisoft', 't0', 'parked', 1, 1, 'https://a/SECRETPATH refused')",
        "api_key": "(id, hash, desk, scopes, created_at) VALUES ('k', 'sk_hash', 'haisoft', 'read', 1)",
    }

    def insert(conn: Connection, _: Micros) -> None:
        for table, row in rows.items():
            conn.exec_driver_sql(f"INSERT INTO {table} {row}")

    service.database.write_now(insert)
    done = exporting(service, tmp_path).run()
    assert done.kinds["deliveries"].rows == 1
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode()
    assert [secret for secret in SECRETS if secret in written] == []
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}
