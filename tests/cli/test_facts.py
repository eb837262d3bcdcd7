"""Commands that put things into force, record facts, and look at what is stored."""

import re
from pathlib import Path

import pytest

from app.cli.opened import opened
from app.flow.judge.receive import Incoming
from app.flow.process.runtime import Runtime
from app.sla.event import Event
from app.sla.span import HOUR, Micros
from app.sla.subject import Subject
from app.store.engine.database import Connection
from app.store.tickets import ledger
from app.store.tickets.ledger import NewEvent, digest_of
from tests.cli.conftest import ROOT, Terminal
from tests.servers.databases import both_kinds


def test_files_are_put_into_force_once(desks: Terminal) -> None:
    said = desks("apply", ROOT / "agreements", ROOT / "calendars")
    assert (said.code, said.out) == (0, "")
    assert "in force already" in said.err


def test_a_preview_shows_the_deadlines_that_would_move_and_writes_nothing(
    desks: Terminal, tmp_path: Path
) -> None:
    desks.done("record", "clamehost", "C1", "outage.started")
    other = tmp_path / "clamehost.toml"
    text = (ROOT / "agreements" / "clamehost.toml").read_text()
    other.write_text(text.replace('target = "2h"', 'target = "3h"'))
    said = desks("apply", other, "--preview", "--applies-to", "open")
    assert said.code == 0
    assert re.search(r"clamehost +C1 +restoration", said.out)
    assert "nothing was written" in said.err
    assert "version 2 is in force" in desks.done("apply", other, "--applies-to", "open")


def test_a_bad_file_puts_nothing_into_force(desks: Terminal, tmp_path: Path) -> None:
    bad = tmp_path / "haisoft.toml"
    bad.write_text(
        (ROOT / "agreements" / "haisoft.toml").read_text().replace('target = "2h"', 'target = "soon"')
    )
    said = desks("apply", bad)
    assert said.code == 2
    assert re.search(rf"^{bad}:\d+: commitments\.ticket-response\.target", said.out, re.MULTILINE)
    assert "in force already" in desks("apply", ROOT / "agreements", ROOT / "calendars").err


def test_the_faults_of_all_desks_are_listed_at_once(desks: Terminal, tmp_path: Path) -> None:
    for desk in ("haisoft", "phpnet"):
        text = (ROOT / "agreements" / f"{desk}.toml").read_text()
        (tmp_path / f"{desk}.toml").write_text(text.replace("\nkind = ", "\nkinds = ", 1))
    said = desks("apply", tmp_path)
    assert said.code == 2
    assert {Path(line.split(":")[0]).stem for line in said.out.splitlines()} == {"haisoft", "phpnet"}


def test_a_syntax_error_of_a_file_is_reported_with_its_line(desks: Terminal, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('desk = "haisoft"\n\nname = soon\n')
    for command in ("apply", "check"):
        assert f"{bad}:3: file: " in desks(command, bad).out


def test_a_mapping_among_the_files_to_apply_is_passed_over(desks: Terminal) -> None:
    said = desks("apply", ROOT / "benchmarks" / "helpdesk")
    assert said.code == 0
    assert "mapping.toml is a mapping of a log and is passed over" in said.err


def test_a_call_recorded_by_hand_starts_the_clock_that_awaits_it(desks: Terminal) -> None:
    created = desks(
        "record", "phpnet", "P1", "ticket.created", "--set", "category=hardware", "--set", "level=example-1"
    )
    assert "awaiting" in created.err
    assert "call.registered" in created.err
    called = desks("record", "phpnet", "P1", "call.registered", "--author", "didier")
    assert "running" in called.err
    assert re.fullmatch(r"by-hand-\w+\n", called.out)


def test_a_recorded_fact_can_be_withdrawn_by_the_id_that_was_printed(desks: Terminal) -> None:
    desks.done(
        "record", "phpnet", "P1", "ticket.created", "--set", "category=hardware", "--set", "level=example-1"
    )
    call = desks.done("record", "phpnet", "P1", "call.registered").strip()
    said = desks("record", "phpnet", "P1", "event.withdrawn", "--id", call, "--reason", "wrong ticket")
    assert said.code == 0
    assert "awaiting" in said.err


def test_an_outage_of_a_service_that_no_uptime_is_judged_of_is_remarked(desks: Terminal) -> None:
    said = desks("record", "haisoft", "service:Netwrok", "outage.started")
    assert said.code == 0
    assert 'so this counts nowhere. Did you mean "network"?' in said.err
    assert desks("record", "haisoft", "service:Network", "outage.started").err == ""


def test_an_exclusion_takes_its_span_out_of_the_count(desks: Terminal) -> None:
    desks.done("record", "clamehost", "C1", "outage.started", "--time", "2026-03-06T10:00:00Z")
    said = desks(
        *(
            "record",
            "clamehost",
            "C1",
            "exclusion.granted",
            "--reason",
            "third party",
            "--commitment",
            "restoration",
        ),
        *("--from", "2026-03-06T10:00:00Z", "--to", "2026-03-06T11:00:00Z"),
    )
    assert said.code == 0
    assert "2026-03-06T13:00:00Z" in said.err


def test_facts_of_a_service_are_recorded_with_what_the_options_say(desks: Terminal) -> None:
    record, span = ("record", "clamehost", "service:web"), ("--from", "2026-03-07T22:00:00Z")
    span = (*span, "--to", "2026-03-08T02:00:00Z", "--resource", "eu-3")
    ids = [
        desks.done(*record, *arguments).strip()
        for arguments in (
            ("outage.started", "--reference", "o-17", "--resource", "eu-3", "--cause", "hardware"),
            ("outage.ended", "--reference", "o-17", "--resource", "eu-3"),
            ("maintenance.announced", "--reference", "m-4", "--emergency", *span),
            ("exclusion.granted", "--reason", "agreed", "--commitment", "uptime", *span),
        )
    ]
    with opened(desks.settings) as parts:
        logs = parts.database.read_now(
            lambda conn: ledger.subject_logs(conn, "clamehost", [Subject.parse("service:web")])
        )
    found = {event.id: event.data for event in logs[Subject.parse("service:web")]}
    (started, ended, announced, granted) = (found[name] for name in ids)
    assert (started["reference"], started["resource"], started["cause"]) == ("o-17", "eu-3", "hardware")
    assert (ended["reference"], "cause" in ended) == ("o-17", False)
    assert (announced["from"], announced["emergency"]) == ("2026-03-07T22:00:00Z", True)
    assert (granted["commitments"], granted["resource"]) == (["uptime"], "eu-3")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("clamehost", "call:7", "outage.started"), "service:NAME"),
        (("clamehost", "service:web", "maintenance.announced"), "an instant from which"),
        (("nowhere", "T1", "ticket.created"), "haisoft"),
        (("haisoft", "T1", "ticket.create"), "ticket.created"),
        (("haisoft", "T1", "exclusion.granted"), "reason"),
        (("haisoft", "T1", "event.withdrawn", "--reason", "x"), "id"),
        (("haisoft", "T1", "status.changed", "--set", "status=done"), "/data/status"),
        (("haisoft", "T1", "call.registered", "--time", "2026-03-06T10:00:00"), "offset"),
        (("haisoft", "T1", "call.registered", "--set", "reference"), "KEY=VALUE"),
    ],
)
def test_a_fact_that_cannot_be_is_a_wrong_question(
    desks: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    answer = desks("record", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_fact_dated_far_ahead_is_refused(desks: Terminal) -> None:
    said = desks("record", "haisoft", "T1", "call.registered", "--time", "2099-01-01T00:00:00Z")
    assert said.code == 1
    assert "ahead" in said.err


@both_kinds
def test_an_event_of_an_unknown_type_is_in_the_inbox(desks: Terminal) -> None:
    with opened(desks.settings) as parts:
        event = Event("e1", "ticket.tagged", "H1", parts.database.now() - HOUR, {"tags": ["vip"]})
        assert parts.receiver.receive_now([Incoming.of("haisoft", event)]).accepted == 1
    said = desks("inbox", "--json")
    assert said.json["unknown"] == [{"desk": "haisoft", "type": "ticket.tagged", "events": 1}]
    assert [(e["id"], e["ticket"]) for e in said.json["events"]] == [("e1", "H1")]
    again = desks("inbox", "--run-again")
    assert again.code == 0
    assert "1 ticket evaluated again" in again.err
    assert "ticket.tagged" in again.out


def test_an_empty_inbox_says_so(desks: Terminal) -> None:
    assert "empty" in desks("inbox").err


def test_the_doctor_finds_nothing_in_a_healthy_database(desks: Terminal) -> None:
    desks.done(
        "record", "phpnet", "P1", "ticket.created", "--set", "category=hardware", "--set", "level=example-1"
    )
    said = desks("doctor", "--json")
    assert said.code == 0
    assert {check["verdict"] for check in said.json} <= {"ok", "warning"}
    assert len(said.json) == 19


def test_the_doctor_tells_of_a_clock_that_nobody_sweeps(desks: Terminal) -> None:
    with opened(desks.settings) as parts:
        long_ago = parts.database.now() - 3 * HOUR
        assert parts.database.write_now(lambda conn, now: _due_since(conn, parts, long_ago)) == 1
    said = desks("doctor")
    assert said.code == 1
    assert re.search(r"fault +the sweep keeps up +1 tickets.*clamehost/C1", said.out)


def _due_since(conn: Connection, parts: Runtime, at: Micros) -> int:
    """An outage received and judged as if an hour after it began: its breach lies ahead of that, and behind now."""
    event = Event("e1", "outage.started", "C1", at, {})
    ledger.append(conn, [NewEvent("clamehost", event, "C1", digest_of(event))], at + HOUR)
    return len(parts.assessor.assess(conn, at + HOUR, {"clamehost": [Subject.parse("C1")]}).answers)


def test_a_connection_in_json_has_the_agreed_shape(desks: Terminal) -> None:
    said = desks("connect", "cloudevents", "--desk", "haisoft", "--json")
    assert said.code == 0
    assert set(said.json) == {"url", "secret", "headers", "events", "template"}
    assert said.json["url"].endswith("/v1/events")
    assert said.json["headers"]["Authorization"] == f"Bearer {said.json['secret']}"
    assert "ticket.created" in said.json["events"]
    assert said.json["template"]["source"] == "haisoft"


def test_a_test_without_a_service_says_so(desks: Terminal) -> None:
    said = desks("connect", "cloudevents", "--desk", "haisoft", "--url", "http://127.0.0.1:9", "--test")
    assert said.code == 1
    assert "does not respond" in said.err


def test_a_database_that_cannot_be_used_is_a_wrong_question() -> None:
    assert Terminal("mysql://nowhere/db")("doctor").code == 2


def test_no_arguments_show_the_commands(terminal: Terminal) -> None:
    said = terminal("--help")
    assert said.code == 0
    names = (
        "serve",
        "demo",
        "apply",
        "check",
        "deadline",
        "replay",
        "key",
        "record",
        "inbox",
        "doctor",
        "openapi",
    )
    assert [name for name in names if name not in said.out] == []


def test_an_unknown_command_is_a_wrong_question(terminal: Terminal) -> None:
    assert terminal("frobnicate").code == 2


def test_the_committed_api_document_is_compared(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    assert terminal("openapi", "--check", "--path", path).code == 1
    assert terminal("openapi", "--path", path).code == 0
    assert terminal("openapi", "--check", "--path", path).code == 0
    path.write_text(path.read_text().replace("slatimer", "other", 1))
    assert terminal("openapi", "--check", "--path", path).code == 1
