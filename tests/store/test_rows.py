"""What the tables themselves guard, and which queries their indexes serve."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import event as event_of_engine

from app.principal import EVERY
from app.sla.reason import ReasonCode
from app.sla.report.figures import LateCause
from app.sla.span import Micros, Span
from app.sla.subject import THE_DESK, Subject, SubjectKind
from app.sla.ticket import STATUSES
from app.store.engine.database import Connection, Database, WriteContention
from app.store.engine.prepared import OBSERVED
from app.store.tables import LATE_KINDS
from app.store.tables.tickets import LATE_CAUSES, PAUSES
from app.store.tickets import (
    allowances,
    archive,
    averages,
    board,
    breaches,
    clocks,
    ledger,
    queues,
    schedule,
    signals,
    subjects,
)
from app.store.tickets.board import FaultyCursor, Filters
from app.store.tickets.breaches import BreachFilters
from app.store.tickets.clocks import ClockChange
from app.store.tickets.recorded import recorded
from app.store.tickets.subjects import StoredSubject
from tests.servers.databases import postgresql_only, sqlite_only
from tests.service import Service, created

SUBJECTS = [Subject.parse("b"), Subject.parse("c")]
NOW = 1_772_438_400_000_000


def test_a_ticket_is_written_only_against_the_revision_that_was_read(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    read = service.database.read_now(lambda conn: clocks.tickets(conn, "haisoft", ["4711"])["4711"])
    newer = replace(read, revision=2)
    service.database.write_now(lambda conn, now: clocks.write_tickets(conn, [newer]))
    with pytest.raises(WriteContention):
        service.database.write_now(lambda conn, now: clocks.write_tickets(conn, [newer]))


@pytest.mark.parametrize(
    "changed",
    [{"next_at": None, "due_at": 7, "version": 2}, {"status": "solved"}, {"title": None, "next_at": 7}],
)
def test_a_ticket_is_stored_as_evaluated_whatever_changed(
    service: Service, changed: dict[str, object]
) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00", title="Server down"))
    read = service.database.read_now(lambda conn: clocks.tickets(conn, "haisoft", ["4711"]))
    newer = replace(read["4711"], revision=2, evaluated_at=9, **changed)
    service.database.write_now(lambda conn, now: clocks.write_tickets(conn, [newer], read))
    assert service.database.read_now(lambda conn: clocks.tickets(conn, "haisoft", ["4711"])) == {
        "4711": newer
    }
    with pytest.raises(WriteContention):
        service.database.write_now(lambda conn, now: clocks.write_tickets(conn, [newer], read))


def test_a_clock_is_stored_as_evaluated_whatever_changed(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    subject, breach = Subject.parse("4711"), {"breached_at": 7, "met": False, "late_cause": "deadline"}
    for changed in (breach, {"state": "paused"}, breach | {"ended_at": 8}, {"counted": 9, "due_at": None}):
        before = service.database.read_now(lambda conn: clocks.clocks(conn, "haisoft", [subject]))[subject]
        after = {key: replace(clock, **changed) for key, clock in before.items()}
        change = ClockChange("haisoft", subject, before, after)
        service.database.write_now(lambda conn, now, change=change: clocks.write_clocks(conn, [change]))
        stored = service.database.read_now(lambda conn: clocks.clocks(conn, "haisoft", [subject]))
        assert stored == {subject: after}, changed


def test_two_writers_that_both_make_a_ticket_cannot_both(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    read = service.database.read_now(lambda conn: clocks.tickets(conn, "haisoft", ["4711"])["4711"])
    with pytest.raises(Database.failures):
        service.database.write_now(lambda conn, now: clocks.write_tickets(conn, [read]))


def test_a_signal_is_recorded_once(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    copy = (
        "INSERT INTO signal (seq, id, desk, ticket, commitment, queue, cycle, kind, occurrence, generation, at,"
        " detected_at, late, deliver, stands, body) SELECT seq + 1000, 'other', desk, ticket, commitment, queue,"
        " cycle, kind, occurrence, generation, at, detected_at, late, deliver, stands, body FROM signal LIMIT 1"
    )
    with pytest.raises(Database.failures) as refused:
        service.database.write_now(lambda conn, now: conn.exec_driver_sql(copy))
    # On a server another process may just have written it: there it is tried again, and then given up.
    assert "unique constraint" in str(refused.value.__cause__ or refused.value).lower()


def test_the_id_of_a_signal_is_made_from_its_natural_key() -> None:
    one = signals.id_of("desk", Subject.parse("4711"), "gti", 0, "clock.breached", "17", 0)
    assert one == signals.id_of("desk", Subject.parse("4711"), "gti", 0, "clock.breached", "17", 0)
    assert one != signals.id_of("desk", Subject.parse("4711"), "gti", 0, "clock.breached", "17", 1)
    assert one != signals.id_of("desk", Subject.parse("47"), "11gti", 0, "clock.breached", "17", 0)


def test_the_ids_of_signals_never_change() -> None:
    """As release 0.1.0 made them: receivers drop repeats by the id, and the table refuses them by it."""
    of_ticket = signals.id_of("haisoft", Subject.parse("4711"), "gti", 17, "clock.breached", "42", 1)
    assert of_ticket == "sig_f3c9381a5555c3dec2c07ae21d7f38"
    of_desk = signals.id_of("haisoft", THE_DESK, "", 0, "subscription.disabled", "sub_1 17", 0)
    assert of_desk == "sig_4db251bb5f3beea7e443cc49aaa25b"


NEXT = "SELECT min(next_at) FROM ticket WHERE next_at IS NOT NULL"
DUE = (
    "SELECT desk, ticket FROM ticket WHERE next_at IS NOT NULL AND next_at <= 5 ORDER BY next_at LIMIT 9",
    "SELECT desk, ticket FROM ticket ORDER BY due_at, desk, ticket LIMIT 9",
    "SELECT desk, subject FROM subject WHERE next_at IS NOT NULL AND next_at <= 5 ORDER BY next_at LIMIT 9",
)
LINE = (
    "SELECT rank FROM stint WHERE desk = 'a' AND queue = 'b' AND to_at IS NULL"
    " ORDER BY rank, joined_at, created_at, ticket"
)
SAME_ON_BOTH = [
    (NEXT, "ticket_next"),
    (DUE[0], "ticket_next"),
    (DUE[1], "ticket_due"),
    (DUE[2], "subject_next"),
    (LINE, "stint_line"),
]


@sqlite_only
@pytest.mark.parametrize(
    ("query", "index"),
    SAME_ON_BOTH,
)
def test_the_index_serves_its_query_on_a_file(database: Database, query: str, index: str) -> None:
    plan = database.read_now(lambda conn: conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
    steps = " ".join(str(step[3]) for step in plan)
    assert index in steps
    assert "TEMP B-TREE" not in steps


@postgresql_only
@pytest.mark.parametrize(
    ("query", "index"),
    SAME_ON_BOTH,
)
def test_the_index_serves_its_query_on_a_server(database: Database, query: str, index: str) -> None:
    def plan(conn: Connection) -> str:
        conn.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        return " ".join(row[0] for row in conn.exec_driver_sql(f"EXPLAIN {query}").all())

    steps = database.read_now(plan)
    assert index in steps
    assert "Sort" not in steps
    assert "Seq Scan" not in steps


def plan_of(database: Database, ask: Callable[[Connection], object]) -> str:
    """How the database goes about the last statement of a question, as the code puts it."""

    def explained(conn: Connection) -> str:
        asked: list[tuple[str, object]] = []

        def note(_conn: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
            asked.append((statement, parameters))

        event_of_engine.listen(conn, "before_cursor_execute", note)
        conn.execution_options(**{OBSERVED: True})
        ask(conn)
        conn.execution_options(**{OBSERVED: False})
        event_of_engine.remove(conn, "before_cursor_execute", note)
        statement, parameters = asked[-1]
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
            rows = conn.exec_driver_sql(f"EXPLAIN {statement}", parameters).all()  # type: ignore[arg-type]
            return " ".join(row[0] for row in rows)
        rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
        return " ".join(str(row[3]) for row in rows)

    return database.read_now(explained)


@pytest.mark.parametrize(
    ("ask", "on_a_file", "on_a_server"),
    [
        (lambda conn: clocks.tickets(conn, "a", ["b", "c"]), "sqlite_autoindex_ticket_1", "ticket_pkey"),
        (lambda conn: clocks.sources(conn, "a", ["b", "c"]), "ticket_merged", "ticket_merged"),
        (lambda conn: clocks.clocks(conn, "a", SUBJECTS), "sqlite_autoindex_clock_1", "clock_pkey"),
        (
            lambda conn: queues.group_members(conn, "a", ["b", "c"], 9),
            "ticket_group_order",
            "ticket_group_order",
        ),
        (
            lambda conn: queues.group_members_near(conn, "a", ("b", 1, "c"), 9),
            "ticket_group_order",
            "ticket_group_order",
        ),
        (lambda conn: queues.wait_intervals(conn, "a", ["b", "c"]), "sqlite_autoindex_stint_1", "stint_pkey"),
        (lambda conn: recorded(conn, "a", SUBJECTS), "sqlite_autoindex_signal_1", "signal_once"),
        (lambda conn: ledger.logs(conn, "a", ["b", "c"]), "event_log", "event_other_desk_ticket_idx"),
        (
            lambda conn: ledger.subject_logs(
                conn, "a", [Subject.parse("service:b"), Subject.parse("call:c")]
            ),
            "event_subject",
            "event_other_desk_subject_idx",
        ),
        (
            lambda conn: ledger.counted(conn, "a", "call.offered", Span(0, 9)),
            "event_counted",
            "event_other_desk_type_at_idx",
        ),
        (lambda conn: averages.tally(conn, "a", "b", 0, 9), "average_call_month", "average_call_month"),
        (lambda conn: averages.waits(conn, "a", "b", 0, 0, 9), "average_call_month", "average_call_month"),
        (
            lambda conn: allowances.of_month(conn, "a", "b", 0),
            "allowance_use_order",
            "allowance_use_order",
        ),
        (lambda conn: ledger.digests(conn, "a", ["b"]), "sqlite_autoindex_event_1", "event_key_pkey"),
        (lambda conn: archive.oldest_with_events(conn, "a", 9), "folded_with_events", "folded_with_events"),
        (lambda conn: ledger.human_replies(conn, "a", "b", 0, 9), "event_reply", "event_other_desk_at_idx"),
        (lambda conn: ledger.human_replies(conn, "a", "b", 0, 9), "sqlite_autoindex_ticket_1", "ticket_pkey"),
    ],
    ids=[
        "tickets",
        "sources",
        "clocks",
        "groups",
        "adjacent",
        "intervals",
        "recorded",
        "logs",
        "subjects",
        "counted facts",
        "tally",
        "waits",
        "uses",
        "digests",
        "archived with events",
        "replies",
        "queues",
    ],
)
def test_a_question_about_some_tickets_reads_no_others(
    database: Database, ask: Callable[[Connection], object], on_a_file: str, on_a_server: str
) -> None:
    steps = plan_of(database, ask)
    assert (on_a_server if database.shared else on_a_file) in steps
    assert "Seq Scan" not in steps


@postgresql_only
def test_a_ticket_is_found_by_its_key_also_while_the_server_has_not_counted_the_rows(
    database: Database,
) -> None:
    def plan(conn: Connection, now: int) -> str:
        row = "desk = 'a' AND ticket = 'b' AND revision = 1"
        asked = f"EXPLAIN UPDATE ticket SET revision = 2 WHERE {row}"
        return " ".join(found[0] for found in conn.exec_driver_sql(asked).all())

    assert "ticket_pkey" in database.write_now(plan)


@pytest.mark.parametrize(("desk", "index"), [(None, "signal_late"), ("haisoft", "signal_late_desk")])
def test_a_page_of_breaches_reads_no_other_signal(database: Database, desk: str | None, index: str) -> None:
    filters = BreachFilters(desks=EVERY if desk is None else frozenset({desk}))
    steps = plan_of(database, lambda conn: breaches.breaches(conn, filters, None, 50))
    assert index in steps
    assert "TEMP B-TREE" not in steps
    assert "Sort" not in steps


def test_candidates_for_the_archive_are_found_without_reading_every_ticket(database: Database) -> None:
    steps = plan_of(database, lambda conn: archive.candidates(conn, 0, 10**15, 200))
    assert "ticket_rest" in steps
    assert "TEMP B-TREE" not in steps
    assert "Sort" not in steps


def test_the_kinds_that_are_indexed_as_late_are_those_of_the_core() -> None:
    assert set(LATE_KINDS) == signals.LATE


def test_a_batch_is_half_of_what_is_due_longest_and_half_of_what_came_due_last(service: Service) -> None:
    for number, minute in enumerate((40, 10, 30, 20)):
        service.push(created(f"T{number}", f"2026-03-02T08:{minute}:00+01:00", customer=str(number)))
    service.clock.set("2026-03-03T08:00:00+01:00")
    mark = "UPDATE ticket SET next_at = created_at"
    service.database.write_now(lambda conn, now: conn.exec_driver_sql(mark))

    def due(limit: int) -> list[str]:
        found = service.database.write_now(lambda conn, now: schedule.due(conn, now, limit))
        return [subject.text for _, subject in found]

    assert due(2) == ["T1", "T0"]
    assert sorted(due(3)) == ["T0", "T1", "T2"]
    assert sorted(due(9)) == ["T0", "T1", "T2", "T3"]


def test_pages_of_tickets_neither_double_nor_hide(service: Service) -> None:
    for number in range(7):
        service.push(created(f"T{number}", "2026-03-02T09:00:00+01:00", customer=str(number)))
    seen: list[str] = []
    cursor = None
    while True:
        keys, cursor = service.database.read_now(
            lambda conn, cursor=cursor: board.tickets(conn, Filters(), service.clock.now, cursor, 3)
        )
        seen += [ticket for _, ticket in keys]
        if cursor is None:
            break
    assert seen == [f"T{number}" for number in range(7)]


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "bnVsbA", "WyJhIiwiYiIsImMiXQ", "é"])
def test_a_cursor_that_was_never_given_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(FaultyCursor):
        database.read_now(lambda conn: board.tickets(conn, Filters(), NOW, cursor, 3))


def test_every_cause_and_pause_of_a_breach_has_a_code_of_its_own() -> None:
    assert tuple(LateCause) == LATE_CAUSES
    assert set(PAUSES) == STATUSES | {ReasonCode.EXCLUSION}
    assert len(set(PAUSES)) == len(PAUSES)


def test_a_subject_that_was_evaluated_since_is_due_after_that_evaluation(database: Database) -> None:
    """A contract's sweep ran between the beginning of a push and its mark: it did not know the fact."""
    every = Subject(SubjectKind.CONTRACT, "")

    def marked_at(conn: Connection, at: Micros) -> Micros | None:
        subjects.mark_due(conn, "haisoft", [every], at)
        return subjects.locked(conn, "haisoft", [every])[every].next_at

    def evaluated(conn: Connection) -> None:
        subjects.write(conn, [StoredSubject("haisoft", every, 2, evaluated_at=300, next_at=None)])

    def work(conn: Connection, _: Micros) -> list[Micros | None]:
        first = marked_at(conn, 101)
        evaluated(conn)
        return [first, marked_at(conn, 101), marked_at(conn, 300), marked_at(conn, 301), marked_at(conn, 400)]

    assert database.write_now(work) == [101, 301, 301, 301, 400]
