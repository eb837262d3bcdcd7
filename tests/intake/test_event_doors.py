"""The same event at every door: the API, a signed webhook, the command line, a replay. One verdict, one reason."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from app.flow.inbound.connect import ConnectionDetails, connect
from app.flow.inbound.sources import Sources
from app.intake.cloudevents import MAX_DEPTH, Limits
from app.settings import Settings
from app.sla.span import HOUR
from tests.cli.conftest import Terminal
from tests.servers.databases import Databases
from tests.web.room import Room, room_on, with_desks

Verdict = str | None
"""The reason of a refusal; None: stored."""

MAX_TEXT: Final = 64_000


@dataclass
class Doors:
    """One service behind all four doors."""

    room: Room
    terminal: Terminal
    plug: ConnectionDetails
    folder: Path
    stored: list[str] = field(default_factory=list[str])

    def api(self, event: dict[str, Any]) -> Verdict:
        answer = self.room.send([event]).json()
        return answer["refused"][0]["reason"] if answer["refused"] else None

    def signed(self, event: dict[str, Any]) -> Verdict:
        raw = json.dumps(event).encode()
        message = f"m-{len(self.stored)}"
        self.stored.append(message)
        headers = self.plug.scheme.sign(self.plug.secret, raw, self.room.database.now(), message)
        hook = self.room.client.post(self.plug.url(""), content=raw, headers=headers).json()["id"]
        assert self.room.client.portal is not None
        self.room.client.portal.call(self.room.app.state.running.reader.read_all)
        found = self.room.get(f"/v1/inbox/{hook}", self.room.push).json()
        assert found["state"] in ("done", "kept")
        return found["reason"]

    def replayed(self, event: dict[str, Any]) -> Verdict:
        log = self.folder / "log.jsonl"
        log.write_text(json.dumps(event) + "\n")
        said = self.terminal("replay", log, "--desk", "haisoft", "--json")
        if said.code == 0:
            return None
        return said.json["refusals"][0]["reason"]

    def recorded(self, event: dict[str, Any]) -> Verdict:
        data = dict(event["data"])
        arguments = ["record", "haisoft", event["subject"], event["type"], "--time", event["time"]]
        if "reason" in data:
            arguments += ["--reason", data.pop("reason")]
        if "id" in data:
            arguments += ["--id", data.pop("id")]
        for name, value in data.items():
            arguments += ["--set", f"{name}:={json.dumps(value)}"]
        said = self.terminal(*arguments)
        return None if said.code == 0 else said.err.removeprefix("slatimer: ").removesuffix("\n")


@pytest.fixture(scope="module")
def doors(sqlite_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with sqlite_databases.copy_of(with_desks) as url, room_on(url) as room:
        plug, _ = room.database.write_now(
            lambda conn, now: connect(conn, now, Sources(), "haisoft", "cloudevents", overlap=HOUR)
        )
        yield Doors(room, Terminal(url), plug, tmp_path_factory.mktemp("doors"))


def _nested(levels: int) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = {"in": value}
    return value


DATA: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("a reply", "agent.replied", {"author": "agent", "automatic": False, "text": "é" * 100}, None),
    ("an unknown field", "note.added", {"author": "agent", "mood": {"of": ["a"]}, "weight": 1.5}, None),
    ("the longest text", "agent.replied", {"text": "x" * MAX_TEXT}, None),
    ("the deepest nesting", "note.added", {"more": _nested(MAX_DEPTH - 1)}, None),
    ("a number beyond 64 bits", "note.added", {"weight": 1e30}, "/data/weight"),
    ("a call", "call.answered", {"waited_seconds": 12.5, "ticket": "T7"}, None),
    ("a claim", "claim.answered", {"claim": "C1", "accepted": True}, None),
    ("a text for automatic", "customer.replied", {"automatic": "false"}, "/data/automatic"),
    ("an unknown author", "agent.replied", {"author": "robot"}, "/data/author"),
    ("a negative wait", "call.answered", {"waited_seconds": -5}, "/data/waited_seconds"),
    ("a text for accepted", "claim.answered", {"accepted": "no"}, "/data/accepted"),
    ("a number for a ticket", "call.answered", {"ticket": 7}, "/data/ticket"),
    ("an endless text", "customer.replied", {"text": "x" * 70_000}, "/data/text"),
    ("an endless text of the sender's own", "note.added", {"mood": ["x" * 70_000]}, "/data/mood/0"),
    ("a number for a title", "ticket.created", {"title": 5}, "/data/title"),
    ("a text for tags", "ticket.updated", {"tags": "vip"}, "/data/tags"),
    ("an unknown status", "ticket.updated", {"status": "asleep"}, "/data/status"),
    ("no status", "status.changed", {}, "/data/status"),
    ("a merge into nothing", "ticket.merged", {}, "/data/into"),
    ("a NUL in a text", "ticket.created", {"title": "a\0b"}, "/data/title"),
    ("a NUL in a name", "ticket.created", {"a\0b": 1}, "/data"),
    ("nesting too deep", "note.added", {"more": _nested(MAX_DEPTH)}, "/data/more" + "/in" * (MAX_DEPTH - 1)),
    ("a withdrawal of a number", "event.withdrawn", {"id": 5, "reason": "x"}, "/data/id"),
    ("maintenance that ends first", "maintenance.announced",
     {"from": "2026-03-06T15:30:00Z", "to": "2026-03-06T14:30:00Z"}, "/data/to"),
    ("a claim of nothing", "claim.filed", {"about": {}}, "/data/about"),
    ("maintenance without an offset", "maintenance.announced",
     {"from": "2026-03-06T15:30:00", "to": "2026-03-06T16:30:00Z"}, "/data/from"),
]  # fmt: skip
"""What it is, the type, the data and the place of the fault; None: it is stored."""

ENVELOPE: list[tuple[str, dict[str, Any], str]] = [
    ("another version", {"specversion": "0.3"}, "/specversion"),
    ("a number for an id", {"id": 7}, "/id"),
    ("an endless id", {"id": "x" * 256}, "/id"),
    ("a control character in the id", {"id": "a\nb"}, "/id"),
    ("an empty subject", {"subject": ""}, "/subject"),
    ("no type", {"type": None}, "/type"),
    ("no offset", {"time": "2026-03-06T15:30:00"}, "/time"),
    ("a number for a time", {"time": 1772442000}, "/time"),
    ("a day that does not exist", {"time": "2026-02-30T15:30:00Z"}, "/time"),
    ("a negative sequence", {"sequence": -1}, "/sequence"),
    ("a true sequence", {"sequence": True}, "/sequence"),
    ("a list for data", {"data": [1]}, "/data"),
    ("an empty list for data", {"data": []}, "/data"),
    ("an empty text for data", {"data": ""}, "/data"),
    ("zero for data", {"data": 0}, "/data"),
    ("false for data", {"data": False}, "/data"),
    ("an empty version", {"specversion": ""}, "/specversion"),
    ("null for a version", {"specversion": None}, "/specversion"),
    ("an empty sequence", {"sequence": ""}, "/sequence"),
    ("a false sequence", {"sequence": False}, "/sequence"),
    ("null for a sequence", {"sequence": None}, "/sequence"),
    ("null for a source", {"source": None}, "/source"),
    ("encoded data", {"data_base64": "e30="}, "/data_base64"),
    ("an exclusion that ends first", {"type": "exclusion.granted", "data":
      {"from": "2026-03-06T15:30:00Z", "to": "2026-03-06T15:30:00Z"}}, "/data/to"),
    ("an outage of a call", {"type": "outage.started", "subject": "call:1", "data": {}}, "/subject"),
    ("a year ahead", {"time": "2099-03-06T15:30:00Z"}, "/time"),
]  # fmt: skip
"""What the command line has no words for, or words of its own."""


def _verdict(event: Callable[[], dict[str, Any]], *doors: Callable[[dict[str, Any]], Verdict]) -> Verdict:
    """The one verdict of all these doors on an event of this content, under another id at each."""
    found = {door.__name__: door(event()) for door in doors}
    assert len(set(found.values())) == 1, found
    return next(iter(found.values()))


@pytest.mark.parametrize(("kind", "data", "place"), [c[1:] for c in DATA], ids=[c[0] for c in DATA])
def test_data_meets_the_same_verdict_at_four_doors(
    doors: Doors, kind: str, data: dict[str, Any], place: str | None
) -> None:
    def event() -> dict[str, Any]:
        return doors.room.event(type=kind, data=data, time="2026-03-06T15:20:00+01:00")

    by_hand = () if kind == "event.withdrawn" else (doors.recorded,)  # its id is a text on the command line
    verdict = _verdict(event, doors.api, doors.signed, doors.replayed, *by_hand)
    assert (verdict is None) == (place is None), verdict
    assert verdict is None or verdict.startswith(f"{place}: ")


@pytest.mark.parametrize(("change", "place"), [c[1:] for c in ENVELOPE], ids=[c[0] for c in ENVELOPE])
def test_an_envelope_meets_the_same_verdict_at_every_door_that_takes_one(
    doors: Doors, change: dict[str, Any], place: str
) -> None:
    ahead = place == "/time" and str(change["time"]).startswith("2099")
    replay = () if ahead else (doors.replayed,)  # a replay goes on, and lists what the receiver refuses
    verdict = _verdict(lambda: doors.room.event(**change), doors.api, doors.signed, *replay)
    assert verdict is not None
    assert verdict.startswith(f"{place}: ")


def test_half_of_an_emoji_meets_the_same_verdict_pushed_and_signed(doors: Doors) -> None:
    event = doors.room.event(data={"title": "Down \ud83d"})
    headers = doors.room.push | {"Content-Type": "application/json"}
    pushed = doors.room.client.post("/v1/events", content=json.dumps([event]), headers=headers).json()
    assert pushed["refused"][0]["reason"] == doors.signed(event)
    assert pushed["refused"][0]["reason"] == "/data/title: holds half of a surrogate pair. Leave it out"


def test_a_line_of_a_replay_needs_no_version_and_no_source(doors: Doors) -> None:
    event = doors.room.event()
    del event["specversion"], event["source"]
    assert doors.replayed(event) is None


def test_a_line_of_a_replay_for_another_desk_is_refused(doors: Doors) -> None:
    reason = doors.replayed(doors.room.event(source="phpnet"))
    assert reason == "/source: must be the desk of --desk, 'haisoft', got 'phpnet'"


def test_a_line_that_looks_like_an_event_is_read_as_one(doors: Doors) -> None:
    event = doors.room.event()
    del event["subject"]
    assert _verdict(lambda: event, doors.api, doors.replayed) == "/subject: is missing"


@pytest.mark.parametrize("line", ['{"id": "e1", "x": NaN}', '{"id": "\ud83d"}', "{"])
def test_a_line_that_is_no_json_is_refused(doors: Doors, line: str) -> None:
    (doors.folder / "log.jsonl").write_bytes(line.encode("utf-8", "surrogatepass"))
    said = doors.terminal("replay", doors.folder / "log.jsonl", "--desk", "haisoft")
    assert said.code == 1


def test_the_limits_are_those_of_the_settings(sqlite_databases: Databases) -> None:
    with sqlite_databases.copy_of(with_desks) as url, room_on(url, max_events=2, max_text_length=5) as room:
        plug, _ = room.database.write_now(
            lambda conn, now: connect(conn, now, Sources(), "haisoft", "cloudevents", overlap=HOUR)
        )
        doors = Doors(room, Terminal(url), plug, Path())
        long = room.event(data={"title": "longer"})
        assert doors.api(long) == doors.signed(long) == "/data/title: has 6 characters, more than 5"
        many: Any = [room.event(data={}) for _ in range(3)]
        assert room.send(many).status_code == 413
        assert doors.signed(many) == "An array of 3 is longer than 2. Send it in parts."


def test_the_limits_without_settings_are_the_settings_defaults() -> None:
    assert Limits() == Limits(Settings().max_events, Settings().max_text_length)
