"""An exclusion has an author and a reason, by whichever door it comes; what is stored stays readable without."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from app.flow.importing.replay import Replay, Wanted
from app.flow.judge.record import FaultyFact, fact
from app.intake.cloudevents import Faulty, read_event
from tests.service import Service, at, created, event

SPAN: dict[str, Any] = {"from": "2026-03-02T09:00:00Z", "to": "2026-03-02T10:00:00Z"}
MAX_TEXT = 10_000


def exclusion(**data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "x",
        "source": "haisoft",
        "type": "exclusion.granted",
        "subject": "T1",
        "time": "2026-03-02T11:00:00Z",
        "data": SPAN | data,
    }


LACKING = [
    ({"reason": "the line was cut"}, "/data/author"),
    ({"author": "lead"}, "/data/reason"),
    ({"author": "lead", "reason": "  "}, "/data/reason"),
    ({"author": None, "reason": "the line was cut"}, "/data/author"),
]


@pytest.mark.parametrize(("data", "place"), LACKING)
def test_a_pushed_one_is_refused_with_the_place(data: dict[str, Any], place: str) -> None:
    found = read_event(exclusion(**data), max_text=MAX_TEXT)
    assert isinstance(found, Faulty)
    assert found.place == place


@pytest.mark.parametrize(("data", "place"), LACKING)
def test_one_in_a_log_is_refused_with_its_row_and_place(
    service: Service, data: dict[str, Any], place: str, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(orjson.dumps(exclusion(**data)) + b"\n")
    replay = Replay(service.settings, service.database, service.catalogue, service.receiver, lambda *_: None)
    (refused,) = replay.run(Wanted(log, "haisoft", None)).refusals
    assert (refused.line, place in refused.reason) == (1, True)


def test_one_entered_by_hand_needs_a_reason_and_has_its_author() -> None:
    given: dict[str, Any] = {
        "at": at(SPAN["to"]),
        "since": at(SPAN["from"]),
        "until": at(SPAN["to"]),
        "max_text": MAX_TEXT,
    }
    with pytest.raises(FaultyFact, match="reason"):
        fact("haisoft", "T1", "exclusion.granted", author="lead", **given)
    made = fact("haisoft", "T1", "exclusion.granted", author="lead", reason="the line was cut", **given)
    assert (made.event.data["author"], made.event.data["reason"]) == ("lead", "the line was cut")


def test_one_that_was_stored_without_them_still_counts(service: Service) -> None:
    service.clock.set("2026-03-02T13:00:00+01:00")
    before = created("T1", "2026-03-02T10:00:00+01:00")
    service.push(before, event("x", "exclusion.granted", "T1", "2026-03-02T12:00:00+01:00", **SPAN))
    spans = service.explanation("haisoft", "T1", "ticket-response", 1)["spans"]
    assert [(s["kind"], s["reason"]) for s in spans if s["kind"] == "excluded"] == [("excluded", "excluded")]
