"""Replay of an event log: received like a push, repeatable, resumable."""

import tomllib
from pathlib import Path

import pytest

from app.flow.judge.event_log import FaultyMapping, FaultyRow, parse_mapping
from app.flow.judge.record import FaultyFact, fact
from app.flow.judge.replay import Counts, StoppedAtRow, counts_at, replay
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


MAX_TEXT = 10_000


def run(service: Service, log: Path, mapping: str | None = MAPPING) -> tuple[object, ...]:
    steps: list[tuple[int, int]] = []
    mapped = None if mapping is None else parse_mapping(tomllib.loads(mapping))
    done = replay(
        service.receiver, log, "phpnet", mapped, lambda rows, of: steps.append((rows, of)), max_text=MAX_TEXT
    )
    assert steps[-1] == (done.events, done.events)
    return done.tickets, done.events, done.repeated, dict(done.unmapped), done.refused


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
    before = [
        service.rows(f"SELECT * FROM {table}") for table in ("event", "ticket", "clock", "signal", "stint")
    ]
    # The row that makes no event but the first's is as repeated as the others.
    assert run(service, log) == (3, 5, 5, {"Assign": 1}, [])
    assert [
        service.rows(f"SELECT * FROM {table}") for table in ("event", "ticket", "clock", "signal", "stint")
    ] == before


def test_an_interrupted_reading_is_resumed(service: Service, log: Path) -> None:
    whole = log.read_text()
    log.write_text("\n".join(whole.splitlines()[:3]) + "\n")
    run(service, log)
    log.write_text(whole)
    assert run(service, log) == (3, 5, 2, {"Assign": 1}, [])


def test_every_clock_is_judged_in_exactly_one_way(service: Service, log: Path) -> None:
    run(service, log)
    counts = counts_at(service.database, service.catalogue, "phpnet", at("2026-02-10T00:00:00+01:00"))
    assert counts["gti"] == Counts(met=1, missed=1, running=1)
    assert counts["gti"].clocks == 3


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
    ],
)
def test_a_row_that_cannot_be_read_is_named(service: Service, log: Path, row: str, reason: str) -> None:
    log.write_text(LOG + row + "\n")
    with pytest.raises(FaultyRow) as faulty:
        run(service, log)
    assert str(faulty.value).startswith(f"row 6: {reason}")


def test_a_local_time_needs_a_zone(service: Service, log: Path) -> None:
    with pytest.raises(FaultyRow, match=r"row 1: column 'When': .* has no offset"):
        run(service, log, MAPPING.replace('time_zone = "Europe/Paris"', ""))


def test_the_rows_before_a_faulty_one_are_stored_and_their_refusals_reported(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"id":"e1","type":"ticket.created","subject":"T","time":"2026-02-02T10:00:00+01:00"}\n'
        '{"id":"e2","type":"agent.replied","subject":"T","time":"2099-02-02T10:00:00+01:00"}\n'
        '{"id":"e3","type":"agent.replied","subject":"T","time":"2026-02-02T11:00:00+01:00"}\n'
        '{"id":"e4","type":"agent.replied","subject":"T","time":"yesterday"}\n'
    )
    with pytest.raises(StoppedAtRow, match="row 4: /time") as stopped:
        run(service, path, None)
    assert service.rows("SELECT type FROM event ORDER BY type") == [("agent.replied",), ("ticket.created",)]
    assert [refusal.id for refusal in stopped.value.replayed.refused] == ["e2"]
    assert (stopped.value.replayed.tickets, stopped.value.replayed.events) == (1, 3)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ('[columns]\nticket = "Case"', "x"),
        ("status:closed", "types.Closed"),
        ("ticket.created", "first.types"),
        ("Europe/Paris", "columns.time_zone"),
        ("time_zone =", "columns.time_zoned"),
    ],
)
def test_a_faulty_mapping_is_refused_with_its_place(change: str, place: str) -> None:
    broken = {
        "x": MAPPING.replace(change, "[x]\n[columns]"),
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
