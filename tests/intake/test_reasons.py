"""Why a delivery waits in the inbox: the place, what is wrong there and what would be right, in our own words."""

import json
from copy import deepcopy
from typing import Any

import pytest

from app.intake.adapters import ADAPTERS
from app.intake.mapping.events import Unreadable
from app.intake.request import InboundRequest
from tests.intake.desk import AT, source_of
from tests.intake.sample import samples

INSTANTS = {
    ("zammad", "01_created"): ("ticket.updated_at",),
    ("zammad", "08_agent_reply"): ("article.created_at",),
    ("glpi", "02_priority_changed"): ("item.date_mod",),
    ("jira", "02_priority_changed"): ("timestamp", "issue.fields.updated"),
    ("jira", "04_agent_reply"): ("timestamp", "issue.fields.updated", "comment.created"),
    ("jira", "15_deleted"): ("timestamp", "issue.fields.updated"),
    ("zendesk", "04_agent_reply"): ("time", "detail.updated_at"),
    ("zendesk", "05_status_pending"): ("time", "detail.updated_at"),
    ("zendesk-trigger", "solved"): ("updated_at",),
    ("chatwoot", "01_created"): ("created_at",),
    ("chatwoot", "02_priority_changed"): ("updated_at", "last_activity_at"),
    ("chatwoot", "04_agent_reply"): ("created_at",),
    ("freescout", "03_assigned"): ("updatedAt", "createdAt"),
    ("helpscout", "tags"): ("userUpdatedAt", "closedAt", "customerWaitingSince.time", "createdAt"),
    ("alertmanager", "01_firing"): ("alerts.0.startsAt",),
    ("alertmanager", "04_all_resolved"): ("alerts.0.endsAt",),
    ("grafana", "01_firing"): ("alerts.0.startsAt",),
    ("grafana", "02_resolved"): ("alerts.0.endsAt",),
    ("icinga", "02_critical"): ("since",),
    ("healthchecks", "01_down"): ("now",),
    ("statuspage", "01_component_down"): ("component_update.created_at",),
    ("statuspage", "05_maintenance"): ("incident.updated_at", "incident.created_at"),
    ("pagerduty", "triggered"): ("event.occurred_at",),
    ("whmcs", "01_created"): ("occurred_at",),
}
"""What dates a delivery, by system and sample: the first that can be read counts."""

FAULTY: dict[str, tuple[object, str]] = {
    "early": (
        "0001-01-01T00:00:00Z",
        "'0001-01-01T00:00:00Z' lies outside the years 1970 to 9999; write it as 2026-",
    ),
    "late": (
        10**20,
        "100000000000000000000 counts no seconds, milliseconds or microseconds since 1970; write",
    ),
    "no date": (
        "2026-02-30T09:00:00Z",
        "has a date, a time or an offset that does not exist; write it as 2026-",
    ),
    "words": ("soon", "'soon' is not an instant; write it as 2026-03-06T15:30:00+01:00"),
    "local": (
        "2026-03-06 15:30",
        "is without an offset; write it as 2026-03-06T15:30:00+01:00, or set time_zone",
    ),
}
FOREIGN = ("sys.", "codec", "Expecting", "delimiter", "int()", "Error", "limit")
"""Of what Python and its libraries say."""


def put(body: Any, path: str, value: object) -> None:
    """Put a value at a dotted path, if what is above it is there."""
    *above, last = path.split(".")
    for step in above:
        body = body[int(step)] if isinstance(body, list) else body.get(step)
        if body is None:
            return
    body[last] = value


def why_unread(system: str, sample: str, value: object) -> Unreadable:
    """Why the sample cannot be read with this in place of every instant that dates it."""
    found = samples(system.replace("-", "_"))[sample]
    body = deepcopy(found.body)
    if system == "alertmanager":  # the other alerts of a group are read
        del body["alerts"][1:]
    for path in INSTANTS[system, sample]:
        put(body, path, value)
    delivery = InboundRequest(found.delivery.headers, json.dumps(body).encode(), AT, found.delivery.query)
    with pytest.raises(Unreadable) as caught:
        ADAPTERS[system].reading(delivery, source_of(ADAPTERS[system]))
    return caught.value


@pytest.mark.parametrize(("system", "sample"), INSTANTS)
@pytest.mark.parametrize("sort", FAULTY)
def test_an_instant_that_cannot_be_told_is_not_called_missing(system: str, sample: str, sort: str) -> None:
    value, said = FAULTY[sort]
    why = why_unread(system, sample, value)
    assert why.place.replace("[0]", ".0") == INSTANTS[system, sample][0]
    assert why.reason.startswith("the instant ")
    assert "missing" not in why.reason
    assert said in why.reason


@pytest.mark.parametrize(("system", "sample"), INSTANTS)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_instant_that_is_missing_is_called_so(system: str, sample: str, value: object) -> None:
    why = why_unread(system, sample, value)
    assert why.reason.endswith(" is missing")
    assert why.place.replace("[0]", ".0") == INSTANTS[system, sample][0]


@pytest.mark.parametrize(
    ("body", "place", "reason"),
    [
        (b"", "line 1, column 1", "the body is no JSON: a value must stand here"),
        (b"{'a': 1}", "line 1, column 2", "the body is no JSON: a name in double quotes must stand here"),
        (b'{"a" 1}', "line 1, column 6", "the body is no JSON: a colon must stand here"),
        (b"[1 2]", "line 1, column 4", "the body is no JSON: a comma or the closing bracket must stand here"),
        (b'"a', "line 1, column 1", "the body is no JSON: the text that begins here has no closing quote"),
        (b'"\\q"', "line 1, column 2", "the body is no JSON: a backslash stands before a character"),
        (b'"\\u12"', "line 1, column 3", "the body is no JSON: four hexadecimal digits must stand here"),
        (b"{}\n{}", "line 2, column 1", "the body is no JSON: something follows after its end"),
        (b'{"a": NaN}', "", "the body is no JSON: NaN is no number; send null or leave it out"),
        (b'"\xff"', "byte 2", "the body is no text in UTF-8"),
        (b"[" * 100_000, "", "the body is nested too deeply"),
        (b"1" * 100_000, "", "the body holds a number of thousands of digits; send it as a text"),
    ],
    ids=range(12),
)
def test_a_body_that_cannot_be_read_says_why_in_our_words(body: bytes, place: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        InboundRequest({}, body, AT).json()
    assert (caught.value.place, caught.value.reason[: len(reason)]) == (place, reason)
    assert [word for word in FOREIGN if word in str(caught.value)] == []
