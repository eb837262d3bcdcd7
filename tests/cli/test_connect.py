"""What a person at a terminal needs to plug a ticket system in, and to mend how it is read."""

import asyncio
import json
from pathlib import Path

import pytest

from app.cli.opened import opened
from app.flow.process.runtime import Runtime
from app.intake.request import InboundRequest
from app.intake.signature import SCHEMES
from tests.cli.conftest import Said, Terminal

ODD = {
    "ticket": {
        "id": 81,
        "title": "Checkout returns 502",
        "state": "at the vendor",
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
    },
    "article": {},
}
MAPPED = '[sources.zammad.statuses]\n"at the vendor" = "on_hold"\n'
FAULTY = '[sources.zammad.statuses]\n"at the vendor" = "onhold"\n[[sources.zammad.rules]]\nthen = "x"\n'


def connected(desks: Terminal, *more: str) -> Said:
    said = desks("connect", "zammad", "--desk", "haisoft", *more)
    assert said.code == 0, said.err
    return said


def deliver(terminal: Terminal, *bodies: object) -> None:
    """Have deliveries of Zammad let in, signed with the secret that the terminal shows, and read."""
    secret = connected(terminal, "--json").json["secret"]
    with opened(terminal.settings) as parts:
        asyncio.run(_deliver(parts, secret, bodies))


async def _deliver(parts: Runtime, secret: str, bodies: tuple[object, ...]) -> None:
    for body in bodies:
        raw = json.dumps(body).encode()
        now = parts.database.now()
        delivery = InboundRequest.of(SCHEMES["hub-sha1"].sign(secret, raw, now, ""), raw, now)
        await parts.acceptor.accept("haisoft", "zammad", delivery)
    await parts.reader.read_all()


def test_a_connection_in_json_has_the_agreed_shape(desks: Terminal) -> None:
    said = connected(desks, "--json", "--url", "https://sla.example.com/")
    assert set(said.json) == {"url", "secret", "headers", "events", "template"}
    assert said.json["url"] == "https://sla.example.com/v1/hooks/haisoft/zammad"
    assert said.json["events"]


def test_asking_again_shows_how_things_stand(desks: Terminal) -> None:
    first, again = connected(desks, "--json"), connected(desks, "--json")
    assert first.json == again.json
    shown = connected(desks).out
    assert first.json["url"] in shown
    assert first.json["secret"] in shown


def test_rotating_makes_another_secret_and_says_until_when_the_one_before_works(desks: Terminal) -> None:
    first = connected(desks, "--json").json["secret"]
    rotated = connected(desks, "--rotate")
    assert first not in rotated.out
    assert "is valid until" in rotated.err


@pytest.mark.parametrize(
    "asked", [("zammad", "--rotate", "--json"), ("zammad",), ("cloudevents", "--json"), ("cloudevents",)]
)
def test_an_address_of_this_machine_is_said_to_be_no_address_to_enter(
    desks: Terminal, asked: tuple[str, ...]
) -> None:
    said = desks("connect", *asked, "--desk", "haisoft")
    assert "http://127.0.0.1:8000" in said.out
    assert "http://127.0.0.1:8000 is where the service listens" in said.err
    assert "--url https://" in said.err
    whole = desks("connect", *asked, "--desk", "haisoft", "--url", "https://sla.example.com")
    assert "where the service listens" not in whole.err


def test_a_secret_that_the_system_made_is_entered(desks: Terminal) -> None:
    connected(desks)
    assert connected(desks, "--secret", "theirs", "--json").json["secret"] == "theirs"
    assert connected(desks, "--json").json["secret"] == "theirs"


def test_a_secret_without_text_is_a_wrong_question(desks: Terminal) -> None:
    assert desks("connect", "zammad", "--desk", "haisoft", "--secret", "-").code == 2


def test_the_services_own_format_can_be_signed_instead_of_bearing_a_key(desks: Terminal) -> None:
    said = desks("connect", "cloudevents", "--desk", "haisoft", "--signed", "--json")
    assert said.json["url"].endswith("/v1/hooks/haisoft/cloudevents")
    assert said.json["secret"].startswith("whsec_")


@pytest.mark.parametrize("system", ["freshdesk", "alertmanager"])
def test_a_system_that_cannot_sign_sends_its_secret_in_a_header(desks: Terminal, system: str) -> None:
    said = desks("connect", system, "--desk", "haisoft", "--json")
    assert said.json["secret"] in str(said.json["headers"])


MONITORS = ("grafana", "uptime-kuma", "icinga", "nagios", "zabbix", "healthchecks")


def test_a_monitor_is_connected_with_what_is_entered_there(desks: Terminal) -> None:
    for system in MONITORS:
        said = desks.done(
            *("connect", system, "--desk", "haisoft", "--json", "--url", "https://sla.example.com")
        )
        shown = json.loads(said)
        assert shown["url"] == f"https://sla.example.com/v1/hooks/haisoft/{system}"
        assert shown["headers"] == {"x-slatimer-token": shown["secret"]}
        assert shown["url"] in shown["template"], system
        assert shown["secret"] in shown["template"], system
        assert shown["events"]


def test_statuspage_which_signs_nothing_has_its_secret_in_the_address(desks: Terminal) -> None:
    shown = json.loads(desks.done("connect", "statuspage", "--desk", "haisoft", "--json"))
    assert shown["url"].endswith(f"/v1/hooks/haisoft/statuspage?secret={shown['secret']}")
    assert shown["headers"] == {}


def test_an_unknown_system_or_desk_is_a_wrong_question(desks: Terminal) -> None:
    said = desks("connect", "kayako", "--desk", "haisoft")
    assert (said.code, "zammad" in said.err, "sources/haisoft.toml" in said.err) == (2, True, True)
    assert desks("connect", "zammad", "--desk", "nobody").code == 2


def test_the_inbox_lists_what_was_not_mapped_until_it_is_mended(desks: Terminal, tmp_path: Path) -> None:
    deliver(desks, ODD, "no ticket")
    listed = desks("inbox", "--json").json
    assert [one["state"] for one in listed["deliveries"]] == ["kept", "done"]
    assert "at the vendor" in desks("inbox").out
    assert json.loads(desks.done("inbox", "--show", listed["deliveries"][1]["id"])) == ODD
    mapping = tmp_path / "haisoft.toml"
    mapping.write_text(MAPPED)
    assert "read by its sources" in desks.done("apply", mapping)
    again = desks("inbox", "--run-again")
    assert (again.code, "2 webhooks read again, 1 left in the inbox" in again.err) == (1, True)
    assert [one["state"] for one in desks("inbox", "--json").json["deliveries"]] == ["kept"]


def test_a_long_inbox_shows_its_latest_and_says_that_there_is_more(
    desks: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLATIMER_MAX_PAGE_SIZE", "2")
    deliver(desks, *range(5))
    latest, every = desks("inbox", "--json"), desks("inbox", "--all", "--json")
    assert (len(latest.json["deliveries"]), len(every.json["deliveries"])) == (2, 5)
    assert latest.json["deliveries"] == every.json["deliveries"][:2]
    assert latest.json["waiting"] == every.json["waiting"]
    assert ("--all" in latest.err, every.err, every.json["next"]) == (True, "", None)
    assert desks("inbox", "--all").out.count("hook-") == 5


def test_the_inbox_can_be_that_of_one_desk(desks: Terminal) -> None:
    deliver(desks, "no ticket")
    assert len(desks("inbox", "--desk", "haisoft", "--json").json["deliveries"]) == 1
    assert desks("inbox", "--desk", "phpnet", "--json").json["deliveries"] == []


def test_a_delivery_that_is_not_kept_cannot_be_shown(desks: Terminal) -> None:
    assert desks("inbox", "--show", "hook-1").code == 2


def test_faults_of_a_file_of_sources_are_told_with_their_lines(desks: Terminal, tmp_path: Path) -> None:
    faulty = tmp_path / "haisoft.toml"
    faulty.write_text(FAULTY)
    for command in ("check", "apply", "apply --preview"):
        said = desks(*command.split(), faulty)
        assert said.code == (1 if command == "check" else 2)
        assert f"{faulty}:2: sources.zammad.statuses" in said.out
        assert f"{faulty}:4: sources.zammad.rules[0].then" in said.out


def test_a_right_file_of_sources_passes_and_a_preview_writes_nothing(desks: Terminal, tmp_path: Path) -> None:
    right = tmp_path / "haisoft.toml"
    right.write_text(MAPPED)
    assert desks("check", right).code == 0
    assert "would be read by" in desks("apply", "--preview", right).err
    assert "in force, for" not in desks.done("apply", right)
    assert "in force already" in desks("apply", right).err


def test_the_doctor_tells_of_deliveries_that_nobody_reads(desks: Terminal) -> None:
    deliver(desks, "no ticket")
    with opened(desks.settings) as parts:
        parts.database.write_now(
            lambda conn, _: conn.exec_driver_sql("UPDATE hook SET state = 'pending', received_at = 0")
        )
    said = desks("doctor")
    assert (said.code, "inbound webhooks wait" in said.out) == (1, True)
