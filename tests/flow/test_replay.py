"""Replay of an event log: received like a push, evaluated once all of it is there, repeatable, resumable."""

import gzip
import json
import random
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.flow.importing.counts import Counts
from app.flow.importing.replay import Replay, Replayed, StoppedAtRow, Wanted
from app.flow.judge.record import FaultyFact, fact
from app.intake.importing.mapping import FaultyMapping, parse_mapping
from app.intake.importing.unreadable import Refused, UnusableLog
from app.settings import Settings
from tests.service import Service, at, created

MAPPING = """
[columns]
ticket = "Case"
type = "Activity"
time = "When"
time_zone = "Europe/Paris"
[first]
types = ["ticket.created", "call.registered"]
data = { category = "software", kind = "intervention", level = "example-1" }
[types]
"Take in charge" = ["intervention.started", "status:open"]
"Wait" = "status:pending"
"Closed" = "status:closed"
"""
LOG = """Case,Activity,When,Who
A,Take in charge,2026-02-02 10:00:00,x
A,Closed,2026-02-02 11:00:00,x
B,Assign,2026-02-02 10:00:00,x
B,Take in charge,2026-02-03 18:00:00,x
C,Wait,2026-02-02 10:00:00+01:00,x
"""
TABLES = ("event", "ticket", "clock", "signal", "stint")
MAX_TEXT = 10_000


def replayed(
    service: Service,
    log: Path,
    mapping: str | None = MAPPING,
    *,
    until: str | None = None,
    strict: bool = False,
    refusals: Callable[[Refused], None] | None = None,
    settings: Settings | None = None,
) -> Replayed:
    mapped = None if mapping is None else parse_mapping(tomllib.loads(mapping))
    replay = Replay(
        settings or Settings(), service.database, service.catalogue, service.receiver, lambda *_: None
    )
    instant = None if until is None else at(until)
    return replay.run(Wanted(log, "phpnet", mapped, instant, strict, refusals))


def run(service: Service, log: Path, mapping: str | None = MAPPING) -> tuple[object, ...]:
    done = replayed(service, log, mapping)
    return done.tickets, done.events, done.repeated, dict(done.unmapped), done.refusals


def stored(service: Service) -> list[object]:
    return [service.rows(f"SELECT * FROM {table}") for table in TABLES]


def retractions(service: Service) -> list[str]:
    return [kind for kind in service.recorded() if kind.endswith("_retracted")]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def test_a_log_is_read_by_its_mapping(service: Service, log: Path) -> None:
    assert run(service, log) == (3, 5, 0, {"Assign": 1}, [])
    assert service.rows("SELECT type, count(*) FROM event GROUP BY type ORDER BY type") == [
        ("call.registered", 3),
        ("intervention.started", 2),
        ("status.changed", 4),
        ("ticket.created", 3),
    ]


def test_a_second_reading_changes_nothing(service: Service, log: Path) -> None:
    run(service, log)
    before = stored(service)
    # The row that makes no event but the first's is as repeated as the others.
    assert run(service, log) == (3, 5, 5, {"Assign": 1}, [])
    assert stored(service) == before


def test_an_interrupted_reading_is_resumed(service: Service, log: Path) -> None:
    whole = log.read_text()
    log.write_text("\n".join(whole.splitlines()[:3]) + "\n")
    run(service, log)
    log.write_text(whole)
    assert run(service, log) == (3, 5, 2, {"Assign": 1}, [])


def test_every_clock_is_judged_in_exactly_one_way(service: Service, log: Path) -> None:
    counts = replayed(service, log, until="2026-02-10T00:00:00+01:00").counts
    assert counts["gti"] == Counts(met=1, missed=1, running=1)
    assert counts["gti"].clocks == 3


def test_the_counts_are_of_the_tickets_of_the_file(service: Service, log: Path, tmp_path: Path) -> None:
    replayed(service, log)
    other = tmp_path / "other.csv"
    other.write_text("Case,Activity,When\nD,Take in charge,2026-02-02 10:00:00\n")
    assert replayed(service, other).counts["gti"].clocks == 1


def test_no_signal_of_a_replay_is_delivered(service: Service, log: Path) -> None:
    run(service, log)
    assert service.rows("SELECT DISTINCT deliver FROM signal") == [(0,)]


def test_a_log_of_events_needs_no_mapping(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"id":"e1","type":"ticket.created","subject":"T","time":"2026-02-02T10:00:00+01:00","data":{"title":"x"}}\n'
        '{"id":"e2","type":"agent.replied","subject":"T","time":"2026-02-02T10:00:00+01:00"}\n'
    )
    assert run(service, path, None) == (1, 2, 0, {}, [])
    assert run(service, path, None) == (1, 2, 2, {}, [])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,Closed,2026-02-30 10:00:00,x", "column 'When': '2026-02-30 10:00:00' is not a time. Write it as"),
        ("A,Closed,yesterday,x", "column 'When': 'yesterday' is not a time. Write it as"),
        ("A,Closed", "column 'When' is missing; the row has 'Case', 'Activity'"),
        (",Closed,2026-02-03 10:00:00,x", "/subject: "),
        ("A,Closed,2026-02-03 10:00:00,x,y,z", "it has 6 cells, the header 4"),
        ("A,Closed,1969-12-31T23:59:59+00:00,x", "column 'When': '1969-12-31T23:59:59+00:00' is before 1970"),
        ("A,Closed,46087.385,x", "column 'When': '46087.385' is a number, and not one of seconds"),
    ],
)
def test_a_row_that_cannot_be_read_is_listed_with_its_line_and_the_rest_is_taken(
    service: Service, log: Path, row: str, reason: str
) -> None:
    log.write_text(LOG.replace("B,Assign", f"{row}\nB,Assign"))
    done = replayed(service, log)
    assert (done.events, done.refused) == (5, 1)
    assert str(done.refusals[0]).startswith(f"line 4, row 3: {reason}")


def test_a_strict_replay_stops_at_the_first_refused_row_and_stores_nothing(
    service: Service, log: Path
) -> None:
    log.write_text(LOG + "A,Closed,yesterday,x\nA,Closed,tomorrow,x\n")
    with pytest.raises(StoppedAtRow, match=r"row 6: .*'yesterday'") as stopped:
        replayed(service, log, strict=True)
    assert not stopped.value.stored
    assert service.rows("SELECT * FROM event") == []


def test_refused_rows_are_listed_up_to_a_limit_and_all_of_them_reported(service: Service, log: Path) -> None:
    log.write_text(LOG + "A,Closed,yesterday,x\n" * 7)
    every: list[Refused] = []
    done = replayed(service, log, refusals=every.append, settings=Settings(replay_listed_refusals=2))
    assert (done.refused, [refused.line for refused in done.refusals], len(every)) == (7, [7, 8], 7)


def test_a_local_time_needs_a_zone(service: Service, log: Path) -> None:
    done = replayed(service, log, MAPPING.replace('time_zone = "Europe/Paris"', ""))
    assert done.refused == 4
    assert "has no offset" in done.refusals[0].reason


def test_json_lines_are_refused_where_a_push_refuses_them(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    good = {"id": "e1", "type": "ticket.created", "subject": "T", "time": "2026-02-02T10:00:00+01:00"}
    bad = [
        good | {"id": "b1", "type": "status.changed", "data": {"status": "asleep"}},
        good | {"id": "b2", "source": "haisoft"},
        good | {"id": "b3", "data": {"title": ["x"]}},
        good | {"id": "b4", "data": "text"},
        good | {"id": "b5", "time": "2099-02-02T10:00:00+01:00"},
        good | {"id": "b6", "subject": ["T"]},
        [1],
    ]
    lines = [
        json.dumps(good),
        "",
        *map(json.dumps, bad),
        "{",
        json.dumps(good | {"id": "e2", "type": "note.added"}),
    ]
    path.write_text("\n".join(lines) + "\n")
    done = replayed(service, path, None)
    assert [(r.line, r.id) for r in done.refusals] == [
        *((3, "b1"), (4, "b2"), (5, "b3"), (6, "b4"), (7, "b5"), (8, "b6"), (9, None), (10, None)),
    ]
    places = [refused.reason.partition(":")[0] for refused in done.refusals]
    assert places[:6] == ["/data/status", "/source", "/data/title", "/data", "/time", "/subject"]
    assert service.rows("SELECT event_id FROM event ORDER BY event_id") == [("e1",), ("e2",)]


def test_a_sequence_of_zero_is_a_sequence(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    event = {"id": "e1", "type": "note.added", "subject": "T", "time": "2026-02-02T10:00:00+01:00"}
    path.write_text(
        "".join(json.dumps(event | more) + "\n" for more in ({}, {"id": "e2"}, {"id": "e3", "sequence": 0}))
    )
    replayed(service, path, None)
    assert service.rows("SELECT event_id, sequence FROM event ORDER BY event_id") == [
        ("e1", 0),
        ("e2", 1),
        ("e3", 0),
    ]


def made_log(tickets: int = 40) -> list[str]:
    """Rows in the order of time: tickets that are answered in time or late, and go on later."""
    rows: list[tuple[str, str]] = []
    for number in range(tickets):
        day, hour = (2, 3, 4, 9, 10, 11)[number % 6], 9 + number % 3
        rows.append((f"2026-02-{day:02}T{hour:02}:00:00+01:00", f"T{number},Assign"))
        rows.append(
            (f"2026-02-{day:02}T{hour + (1, 6)[number % 2]:02}:30:00+01:00", f"T{number},Take in charge")
        )
        rows.append((f"2026-02-{day + 3:02}T{hour:02}:00:00+01:00", f"T{number},Closed"))
    return [f"{what},{when}" for when, what in sorted(rows)]


@pytest.mark.parametrize("order", ["by time", "by ticket", "newest first", "shuffled"])
def test_a_replay_in_any_order_records_no_breach_that_it_takes_back(
    service: Service, tmp_path: Path, order: str
) -> None:
    by_time = made_log()
    rows = {
        "by time": by_time,
        "by ticket": sorted(by_time, key=lambda row: row.split(",")[0]),
        "newest first": by_time[::-1],
        "shuffled": random.Random(1).sample(by_time, len(by_time)),
    }[order]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["Case,Activity,When", *rows]) + "\n")
    service.clock.set("2026-03-20T09:00:00+01:00")
    done = replayed(service, path, settings=Settings(replay_batch_size=10))
    assert retractions(service) == []
    assert (done.backwards, done.counts["gti"]) == (order == "newest first", Counts(met=20, missed=20))


def test_a_merge_that_the_log_brings_late_corrects_nothing(service: Service, tmp_path: Path) -> None:
    """Z began before A, into which it was merged, so A is due earlier. The rows of Z are far from those of A."""
    level = {"category": "software", "kind": "intervention", "level": "example-1"}
    rows = [
        ("A", "ticket.created", "2026-02-03T10:00:00+01:00", level),
        ("A", "call.registered", "2026-02-03T10:00:00+01:00", {}),
        ("A", "intervention.started", "2026-02-03T16:00:00+01:00", {}),
        *((f"M{n}", "ticket.created", "2026-02-02T09:00:00+01:00", level) for n in range(30)),
        ("Z", "ticket.created", "2026-02-03T09:00:00+01:00", level),
        ("Z", "call.registered", "2026-02-03T09:00:00+01:00", {}),
        ("Z", "ticket.merged", "2026-02-03T10:30:00+01:00", {"into": "A"}),
    ]
    path = tmp_path / "log.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": f"e{n}", "subject": s, "type": t, "time": when, "data": data}) + "\n"
            for n, (s, t, when, data) in enumerate(rows)
        )
    )
    service.clock.set("2026-03-20T09:00:00+01:00")
    replayed(service, path, None, settings=Settings(replay_batch_size=5))
    assert retractions(service) == []
    late = [signal for signal in service.signals("clock.breached") if signal["commitment"] == "gti"]
    assert [(signal["ticket"], signal["at"]) for signal in late] == [("A", "2026-02-03T12:00:00Z")]
    assert service.signals("clock.due_changed") == []


def test_a_log_that_does_not_fit_into_memory_is_sorted_in_files(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = made_log(60)
    path.write_text("\n".join(["Case,Activity,When", *random.Random(5).sample(rows, len(rows))]) + "\n")
    service.clock.set("2026-03-20T09:00:00+01:00")
    done = replayed(service, path, settings=Settings(replay_sort_memory=4_000))
    assert (done.tickets, done.events, done.counts["gti"]) == (60, 180, Counts(met=30, missed=30))


def test_a_log_newest_first_is_judged_like_the_same_log_oldest_first(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    header, *rows = LOG.splitlines()
    twin = "A,Wait,2026-02-02 11:00:00,x"  # the same instant as the closing, and after it
    path.write_text("\n".join([header, *[*rows, twin][::-1]]) + "\n")
    done = replayed(service, path, until="2026-02-10T00:00:00+01:00")
    assert done.counts["gti"] == Counts(met=1, missed=1, running=1)
    assert service.view("phpnet", "B")["created_at"] == "2026-02-02T09:00:00Z"


def test_rows_of_one_instant_keep_the_order_of_a_file_that_runs_backwards(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    rows = [
        "A,Assign,2026-02-02 09:00:00",
        "A,Wait,2026-02-02 10:00:00",
        "A,Take in charge,2026-02-02 10:00:00",
        "A,Assign,2026-02-02 11:00:00",
    ]
    path.write_text("\n".join(["Case,Activity,When", *rows[::-1]]) + "\n")
    replayed(service, path)
    assert service.view("phpnet", "A")["status"] == "open"


def test_a_later_export_with_more_rows_stores_only_these(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [
        "A,Take in charge,2026-02-02 10:00:00",
        "A,Wait,2026-02-02 11:00:00",
        "A,Wait,2026-02-02 11:00:00",
    ]
    path.write_text("\n".join(["Case,Activity,When", *rows]) + "\n")
    first = replayed(service, path)
    count = len(service.rows("SELECT 1 FROM event"))
    newer = ["B,Closed,2026-02-03 10:00:00", "A,Closed,2026-02-03 09:00:00"]
    path.write_text("\n".join(["Case,Activity,When", *newer, *rows[::-1]]) + "\n")
    again = replayed(service, path)
    assert (first.repeated, again.repeated, again.events) == (0, 3, 5)
    # The closing of A, and of B its creation, its call and its closing.
    assert len(service.rows("SELECT 1 FROM event")) == count + 4


def test_rows_that_state_the_same_are_events_of_their_own(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Case,Activity,When\n" + "A,Wait,2026-02-02 11:00:00\n" * 3)
    replayed(service, path)
    assert service.rows("SELECT count(*) FROM event WHERE type = 'status.changed'") == [(3,)]


def test_events_that_a_former_release_replayed_are_not_stored_twice(service: Service, log: Path) -> None:
    """Their ids were made of the numbers of rows."""
    replayed(service, log)
    service.database.write_now(
        lambda conn, now: conn.exec_driver_sql("UPDATE event SET event_id = 'row-' || substr(event_id, 5)")
    )
    assert run(service, log)[2] == 5


def test_the_fields_of_columns_are_set_and_changed(service: Service, tmp_path: Path) -> None:
    mapping = MAPPING + (
        '[fields]\nassignee = "Who"\npriority = { column = "Prio", values = { P1 = "urgent" } }\ntags = "Labels"\n'
    )
    path = tmp_path / "log.csv"
    path.write_text(
        "Case,Activity,When,Who,Prio,Labels\n"
        "A,Take in charge,2026-02-02 10:00:00,ann,P3,\n"
        'A,Assign,2026-02-02 10:30:00,bob,P1,"vip, web"\n'
        "A,Assign,2026-02-02 10:45:00,,,\n"
    )
    replayed(service, path, mapping)
    fields = service.view("phpnet", "A")
    assert {name: fields[name] for name in ("assignee", "priority", "category")} == {
        "assignee": "bob",
        "priority": "urgent",
        "category": "software",
    }
    updates = service.rows("SELECT data FROM event WHERE type = 'ticket.updated'")
    assert [json.loads(data) for (data,) in updates] == [
        {"assignee": "bob", "priority": "urgent", "tags": ["vip", "web"]}
    ]


def test_a_field_that_an_export_states_anew_for_an_old_row_is_refused_and_named(
    service: Service, tmp_path: Path
) -> None:
    mapping = MAPPING + '[fields]\npriority = "Prio"\n'
    path = tmp_path / "log.csv"
    path.write_text("Case,Activity,When,Prio\nA,Wait,2026-02-02 10:00:00,low\n")
    replayed(service, path, mapping)
    path.write_text("Case,Activity,When,Prio\nA,Wait,2026-02-02 10:00:00,high\n")
    done = replayed(service, path, mapping)
    assert [refused.line for refused in done.refusals] == [2]
    assert "stored before with another content" in done.refusals[0].reason
    assert service.view("phpnet", "A")["priority"] == "low"


def test_a_local_time_that_occurs_twice_is_counted_and_is_the_first_of_the_two(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("Case,Activity,When\nA,Wait,2025-10-26 02:30:00\nA,Closed,2025-03-30 02:30:00\n")
    done = replayed(service, path)
    assert (done.twice, done.skipped) == (1, 1)
    assert service.rows("SELECT at FROM event WHERE type = 'status.changed' ORDER BY at") == [
        (at("2025-03-30T02:30:00+01:00"),),
        (at("2025-10-26T02:30:00+02:00"),),
    ]


def test_a_compressed_log_is_read_and_a_broken_one_stores_nothing(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(LOG.encode()))
    assert run(service, path)[:2] == (3, 5)
    path.write_bytes(gzip.compress((LOG + LOG).encode())[:-20])
    with pytest.raises(UnusableLog, match="broken or cut off"):
        replayed(service, path)


def test_a_log_is_limited_in_size(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress((LOG + "A,Wait,2026-02-02 11:00:00,x\n" * 10_000).encode()))
    with pytest.raises(UnusableLog, match="SLATIMER_REPLAY_MAX_SIZE"):
        replayed(service, path, settings=Settings(replay_max_size=100_000))


def test_a_header_without_a_column_of_the_mapping_is_refused_once(service: Service, log: Path) -> None:
    log.write_text(LOG.replace("When", "Date"))
    with pytest.raises(
        UnusableLog, match="column 'When' is missing; the file has 'Case', 'Activity', 'Date'"
    ):
        replayed(service, log)


def test_a_date_whose_day_may_be_its_month_is_not_guessed(service: Service, log: Path) -> None:
    log.write_text("Case,Activity,When\nA,Wait,06-03-2025 09:15\n")
    with pytest.raises(UnusableLog, match=r"time_format = \"day_first\" or \"month_first\" in \[columns\]"):
        replayed(service, log)
    assert (
        replayed(service, log, MAPPING.replace("[first]", 'time_format = "month_first"\n[first]')).events == 1
    )
    assert service.view("phpnet", "A")["created_at"] == "2025-06-03T07:15:00Z"


def in_layout(time: str, *, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """One row of a German customer in this layout."""
    rows = (("Case", "Activity", "When", "Customer"), ("A", "Wait", time, "M\u00fcller"))
    return "".join(delimiter.join(row) + "\n" for row in rows).encode(encoding)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        pytest.param(in_layout("2026-02-02 10:00:00", delimiter="\t"), "", id="tabs"),
        pytest.param(in_layout("2026-02-02 10:00:00", delimiter="|"), "", id="pipes"),
        pytest.param(in_layout("2026-02-02 10:00:00", delimiter=";"), "", id="semicolons"),
        pytest.param(in_layout("2026-02-02 10:00:00", encoding="utf-16"), "", id="UTF-16"),
        pytest.param(in_layout("2026-02-02 10:00:00", encoding="utf-16-le"), "", id="UTF-16 without a mark"),
        pytest.param(in_layout("2026-02-02 10:00:00", encoding="utf-8-sig"), "", id="UTF-8 with a mark"),
        pytest.param(in_layout("2026-02-02 10:00:00", encoding="cp1252"), "", id="Windows-1252"),
        pytest.param(in_layout("02.02.2026 10:00"), "", id="dots"),
        pytest.param(in_layout("02/02/2026 10:00 AM"), 'time_format = "month_first"', id="a.m."),
        pytest.param(in_layout("02-02-2026 10:00"), 'time_format = "day_first"', id="hyphens"),
        pytest.param(in_layout("1770022800"), "", id="seconds since 1970"),
        pytest.param(in_layout("1770022800000"), "", id="milliseconds since 1970"),
        pytest.param(in_layout("20260202100000"), "", id="year to second"),
        pytest.param(in_layout("2026-02-02 10:00:00").replace(b"\n", b"\n\n"), "", id="blank lines"),
    ],
)
def test_layouts_of_other_tools_are_recognised(service: Service, log: Path, content: bytes, key: str) -> None:
    log.write_bytes(content)
    fields = '[fields]\ncustomer = "Customer"\n[first]'
    mapping = MAPPING.replace("[first]", f"{key}\n{fields}")
    assert replayed(service, log, mapping).refusals == []
    view = service.view("phpnet", "A")
    assert (view["created_at"], view["customer"]) == ("2026-02-02T09:00:00Z", "M\u00fcller")


XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="event"><string key="concept:name" value="?"/></global>
  <trace>
    <event><string key="concept:name" value="Take in charge"/>
      <date key="time:timestamp" value="2026-02-02T10:00:00.000+01:00"/></event>
    <event><string key="concept:name" value="Closed"><string key="note" value="nested"/></string>
      <date key="time:timestamp" value="2026-02-02T11:00:00+01:00"/></event>
    <string key="concept:name" value="A"/>
  </trace>
  <trace><string key="concept:name" value="B"/>
    <event><string key="concept:name" value="Wait"/></event>
  </trace>
</log>
"""


@pytest.mark.parametrize("compressed", [False, True])
def test_an_xes_log_is_read(service: Service, tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / ("log.xes.gz" if compressed else "log.xes")
    path.write_bytes(gzip.compress(XES.encode()) if compressed else XES.encode())
    mapping = MAPPING.replace('"Case"', '"case:concept:name"').replace('"Activity"', '"concept:name"')
    done = replayed(service, path, mapping.replace('"When"', '"time:timestamp"'))
    assert (done.tickets, done.events) == (1, 2)
    reason = "line 13, row 3: column 'time:timestamp' is missing; the row has 'case:concept:name'"
    assert [str(refused)[: len(reason)] for refused in done.refusals] == [reason]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE log [<!ENTITY a "aa">]><log>&a;</log>', "document type or entities"),
        ("<log><trace></log>", "line 1: it is no XML"),
        ("<html></html>", "its root is 'html'"),
        (
            "<log><trace>" + "<string key='k' value='v'/>" * 9_000 + "</trace></log>",
            "has more than 1024 bytes",
        ),
    ],
)
def test_xml_that_is_no_safe_event_log_is_refused(
    service: Service, tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "log.xes"
    path.write_text(text)
    with pytest.raises(UnusableLog, match=reason):
        replayed(service, path, None, settings=Settings(replay_max_row_length=1024))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ('[columns]\nticket = "Case"', "x"),
        ("status:closed", "types.Closed"),
        ("ticket.created", "first.types"),
        ("Europe/Paris", "columns.time_zone"),
        ("time_zone =", "columns.time_zoned"),
        ("software", "first.data.category"),
        ("status:pending", "types.Wait"),
    ],
)
def test_a_faulty_mapping_is_refused_with_its_place(change: str, place: str) -> None:
    broken = {
        "x": MAPPING.replace(change, "[x]\n[columns]"),
        "first.data.category": MAPPING.replace('"software"', "1"),
        "columns.time_zoned": MAPPING.replace(change, "time_zoned ="),
    }.get(place, MAPPING.replace(change, "nonsense"))
    with pytest.raises(FaultyMapping) as refused:
        parse_mapping(tomllib.loads(broken))
    assert [fault.place for fault in refused.value.faults] == [place]


def test_a_fact_by_hand_takes_the_same_road(service: Service) -> None:
    service.push(created("4711", "2026-03-02T09:00:00+01:00"))
    until = service.clock.now
    exclusion = fact(
        "haisoft",
        "4711",
        "exclusion.granted",
        at=until,
        author="Ann",
        max_text=MAX_TEXT,
        reason="power cut",
        since=at("2026-03-02T10:00:00+01:00"),
        until=at("2026-03-02T11:00:00+01:00"),
    )
    assert service.push(exclusion).accepted == 1
    service.clock.set("2026-03-02T12:00:00+01:00")
    assert service.clock_of("haisoft", "4711", "ticket-response")["due_at"] == "2026-03-02T14:00:00Z"


@pytest.mark.parametrize(
    ("kind", "given", "lacking"),
    [
        ("exclusion.granted", {"since": 1, "until": 2}, "needs a reason"),
        ("exclusion.granted", {"reason": "x", "since": 2, "until": 2}, "instant"),
        ("event.withdrawn", {"reason": "x"}, "id of the event"),
        ("status:asleep", {}, "no status"),
        ("coffee.brewed", {}, "no event type"),
    ],
)
def test_a_fact_that_lacks_something_is_refused(kind: str, given: dict[str, object], lacking: str) -> None:
    with pytest.raises(FaultyFact, match=lacking):
        fact("haisoft", "4711", kind, at=0, author="Ann", max_text=MAX_TEXT, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "content"),
    [("x-nope", XES.encode()), ("shift_jis", XES.encode("shift_jis")), ("big5", XES.encode("big5"))],
)
def test_xml_in_an_encoding_that_is_not_read_names_the_remedy(
    service: Service, tmp_path: Path, encoding: str, content: bytes
) -> None:
    path = tmp_path / "log.xes"
    path.write_bytes(content.replace(b'encoding="UTF-8"', f'encoding="{encoding}"'.encode()))
    with pytest.raises(UnusableLog, match="iconv -t UTF-8"):
        replayed(service, path)


def test_half_an_emoji_in_a_log_is_refused_with_its_place_and_id(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"id": "e1", "type": "ticket.created", "subject": "T", "time": "2026-02-02T10:00:00Z", '
        '"data": {"title": "Down \\ud83d"}}\n'
    )
    (refused,) = replayed(service, path, None).refusals
    assert (refused.line, refused.id) == (1, "e1")
    assert refused.reason.startswith("/data/title: holds half of a surrogate pair")
