"""The facts that contracts are judged by, at the door: what they may be about, and what their data holds."""

from typing import Any

import pytest

from app.intake.cloudevents import Faulty, Readable, check, read_event
from app.intake.event_data import DATA_OF
from app.intake.event_subject import subjects_of
from app.sla.event import Event

SPAN = {"from": "2026-03-06T22:00:00Z", "to": "2026-03-07T02:00:00Z"}
BY = {"author": "carla", "reason": "as agreed"}
ABOUT = {"availability": "uptime", "service": "Hosting", "period": "2026-02"}


def read(kind: str, subject: str, data: dict[str, Any]) -> Readable | Faulty:
    event = {"specversion": "1.0", "id": "e1", "source": "clamehost", "type": kind, "subject": subject}
    return read_event(event | {"time": "2026-03-06T15:20:00Z", "data": data}, max_text=64_000)


ACCEPTED: list[tuple[str, str, dict[str, Any]]] = [
    ("outage.started", "service:web", {}),
    ("outage.started", "service:web", {"reference": "o1", "resource": "eu-3", "cause": "network", "ticket": "81"}),
    ("outage.started", "4711", {"service": "web", "cause": "hardware"}),
    ("outage.ended", "service:web", {"reference": "o1", "resource": None, "cause": None}),
    ("outage.verified", "service:web", {"cause": "third_party"}),
    ("maintenance.announced", "service:web", SPAN | {"reference": "m1", "resource": "eu-3", "emergency": True}),
    ("maintenance.announced", "4711", SPAN),
    ("exclusion.granted", "service:web", SPAN | BY | {"resource": "eu-3", "commitments": ["uptime"]}),
    ("call.offered", "call:1", {}),
    ("call.offered", "call:1", {"line": "emergency", "waited_seconds": 0}),
    ("call.answered", "call:1", {"line": None, "waited_seconds": 12.5}),
    ("claim.filed", "contract:c1", {}),
    ("claim.filed", "contract:c1", {"about": ABOUT}),
    ("claim.filed", "4711", {"about": {"commitment": "gtr", "ticket": "4711"}}),
    ("claim.filed", "contract:c1", {"about": {"availability": "uptime", "period": "2026-02-15"}}),
    ("claim.answered", "contract:c1", {"claim": "e1", "accepted": False}),
    ("credit.requested", "contract:c1", BY | {"credit": "gtr:c1:4711:1"}),
    ("credit.granted", "contract:c1", BY | {"credit": "gtr:c1:4711:1"}),
    ("credit.refused", "contract:c1", BY | {"credit": "gtr:c1:4711:1"}),
    ("ticket.updated", "call:81", {"ticket": "4711", "priority": "high"}),
    ("intervention.started", "service:web", {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "subject", "data"), ACCEPTED)
def test_a_fact_with_its_data_is_read_as_it_was_sent(kind: str, subject: str, data: dict[str, Any]) -> None:
    found = read(kind, subject, data)
    assert isinstance(found, Readable), found
    assert (found.event.subject, found.event.data) == (subject, data)


SUBJECTS = [
    ("outage.started", "call:1", "an event of the type outage.started is about a ticket's id or service:NAME"),
    ("outage.ended", "contract:c1", "is about a ticket's id or service:NAME, got \"contract:c1\""),
    ("outage.verified", "call:1", "a ticket's id or service:NAME"),
    ("maintenance.announced", "contract:c1", "a ticket's id or service:NAME"),
    ("outage.started", "service:", "names no service. Write service:NAME"),
    ("outage.started", "service: ", "names no service. Write service:NAME"),
    ("call.offered", "call:", "names no call. Write call:ID"),
    ("claim.filed", "contract:", "names no contract. Write contract:ID"),
    ("credit.requested", "4711", "is about contract:ID, got \"4711\""),
    ("credit.granted", "service:web", "is about contract:ID"),
    ("anything.else", "service:", "names no service"),
    ("ticket.updated", "service:web", "an event of the type ticket.updated is about a ticket's id, got"),
    ("ticket.merged", "call:1", "is about a ticket's id"),
    ("status.changed", "contract:c1", "is about a ticket's id"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "subject", "reason"), SUBJECTS)
def test_a_fact_about_something_else_is_refused_with_what_it_may_be_about(
    kind: str, subject: str, reason: str
) -> None:
    found = read(kind, subject, SPAN | BY | {"credit": "x"})
    assert isinstance(found, Faulty)
    assert (found.place, reason in found.reason) == ("/subject", True), found.reason
    assert check(Event("e1", kind, subject, 0, SPAN | BY | {"credit": "x"}), max_text=100) == found


FAULTY: list[tuple[str, dict[str, Any], str]] = [
    ("outage.started", {"reference": ""}, "/data/reference"),
    ("outage.started", {"reference": 7}, "/data/reference"),
    ("outage.started", {"resource": ["eu-3"]}, "/data/resource"),
    ("outage.started", {"resource": "x" * 256}, "/data/resource"),
    ("outage.ended", {"cause": 1}, "/data/cause"),
    ("outage.ended", {"ticket": ""}, "/data/ticket"),
    ("maintenance.announced", {"from": SPAN["from"]}, "/data/to"),
    ("maintenance.announced", {"from": SPAN["from"], "to": SPAN["from"]}, "/data/to"),
    ("maintenance.announced", SPAN | {"emergency": "yes"}, "/data/emergency"),
    ("exclusion.granted", SPAN | BY | {"resource": ""}, "/data/resource"),
    ("exclusion.granted", SPAN | BY | {"commitments": "uptime"}, "/data/commitments"),
    ("exclusion.granted", SPAN | {"author": "carla"}, "/data/reason"),
    ("exclusion.granted", SPAN | BY | {"reason": "\u200b \u2060\ufeff"}, "/data/reason"),
    ("exclusion.granted", SPAN | BY | {"reason": "\u3164\u2800"}, "/data/reason"),
    ("call.offered", {"line": 4}, "/data/line"),
    ("call.answered", {"waited_seconds": -0.001}, "/data/waited_seconds"),
    ("call.answered", {"waited_seconds": "90"}, "/data/waited_seconds"),
    ("call.answered", {"waited_seconds": "NaN"}, "/data/waited_seconds"),
    ("call.answered", {"waited_seconds": float("nan")}, "/data/waited_seconds"),
    ("call.answered", {"waited_seconds": float("inf")}, "/data/waited_seconds"),
    ("call.answered", {"waited_seconds": 1e30}, "/data/waited_seconds"),
    ("claim.filed", {"about": "uptime"}, "/data/about"),
    ("claim.filed", {"about": {"service": "web"}}, "/data/about"),
    ("claim.filed", {"about": {"commitment": "gtr", "availability": "uptime"}}, "/data/about"),
    ("claim.filed", {"about": {"commitment": "gtr", "ticket": "1", "service": "web"}}, "/data/about"),
    ("claim.filed", {"about": ABOUT | {"period": "2026-13"}}, "/data/about/period"),
    ("claim.answered", {"accepted": 1}, "/data/accepted"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data", "place"), FAULTY)
def test_faulty_data_of_a_fact_is_refused_with_its_place(kind: str, data: dict[str, Any], place: str) -> None:
    found = read(kind, "contract:c1" if kind.startswith("claim") else "service:web", data)
    assert isinstance(found, Faulty)
    assert found.place == place, found.reason


@pytest.mark.parametrize("kind", ["credit.requested", "credit.granted", "credit.refused"])
@pytest.mark.parametrize("lacking", ["credit", "author", "reason"])
def test_a_decision_on_a_credit_names_the_credit_its_author_and_the_reason(kind: str, lacking: str) -> None:
    whole = BY | {"credit": "uptime:c1:2026-02"}
    lacks = {name: value for name, value in whole.items() if name != lacking}
    for data in (lacks, whole | {lacking: ""}):
        found = read(kind, "contract:c1", data)
        assert isinstance(found, Faulty)
        assert found.place == f"/data/{lacking}"


def test_a_period_of_another_form_is_refused_with_the_right_form() -> None:
    found = read("claim.filed", "contract:c1", {"about": ABOUT | {"period": "February"}})
    assert isinstance(found, Faulty)
    assert found.reason == (
        '/data/about/period: must be a month as 2026-11, or the date on which one begins, got "February"'
    )


def test_types_that_share_a_model_of_their_data_may_be_about_the_same_subjects() -> None:
    # The schema of an event is one for each model, and names what its events are about.
    for model in set(DATA_OF.values()):
        kinds = [kind for kind, other in DATA_OF.items() if other is model]
        assert len({subjects_of(kind) for kind in kinds}) == 1, model
