"""The CloudEvents SDKs of Python and JavaScript push to a running service, in every mode that they have."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any, Final

import httpx2
import pytest
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks.webhooks import Webhook

from tests.clients.conftest import Node
from tests.servers.slatimer import Service
from tests.waiting import HANG, until

TIME: Final = "2026-03-06T15:30:00+01:00"
TITLE: Final = 'Serveur en panne, 50 % "down" 🔥'
_numbers = count(1)

Attributes = dict[str, Any]
Send = Callable[[list[Attributes]], dict[str, Any]]
"""Sends events, as attributes with their data, and returns the service's answer."""


class Desk:
    """A service with the shipped desks, and its addresses."""

    def __init__(self, service: Service) -> None:
        self.headers = service.prepare()
        self.service = service
        self.url = f"{service.base}/v1/events"
        signed = json.loads(
            service.command("connect", "cloudevents", "--desk", "haisoft", "--signed", "--json")
        )
        self.hook, self.secret = service.base + "/v1/hooks/haisoft/cloudevents", signed["secret"]

    def stored(self, ticket: str) -> list[dict[str, Any]]:
        """The events of a ticket, none as long as there are none."""
        path = f"{self.service.base}/v1/tickets/haisoft/{ticket}/events"
        return httpx2.get(path, headers=self.headers, timeout=HANG).json().get("events", [])


@pytest.fixture(scope="module")
def desk(running: Service) -> Desk:
    return Desk(running)


def event(ticket: str, **more: Any) -> Attributes:
    return {
        "specversion": "1.0",
        "id": f"{ticket}-{next(_numbers)}",
        "source": "haisoft",
        "type": "ticket.created",
        "subject": ticket,
        "time": TIME,
        "data": {"title": TITLE, "customer": "ACME"},
        "datacontenttype": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "sequence": "A1",
        **more,
    }


def of_python(attributes: Attributes) -> CloudEvent:
    known = {name: value for name, value in attributes.items() if name != "data"}
    return CloudEvent({**known, "time": datetime.fromisoformat(known["time"])}, attributes["data"])


def python_message(mode: str, events: list[Attributes]) -> http.HTTPMessage:
    made = [of_python(each) for each in events]
    match mode:
        case "structured":
            return http.to_structured(made[0], JSONFormat())
        case "binary":
            return http.to_binary(made[0], JSONFormat())
        case _:
            written = [json.loads(http.to_structured(each, JSONFormat()).body) for each in made]
            return http.HTTPMessage(
                {"content-type": "application/cloudevents-batch+json"}, json.dumps(written).encode()
            )


@pytest.fixture(params=["python-structured", "python-binary", "python-batched"])
def by_python(request: pytest.FixtureRequest, desk: Desk) -> Send:
    mode = request.param.partition("-")[2]

    def send(events: list[Attributes]) -> dict[str, Any]:
        message = python_message(mode, events)
        headers = {**message.headers, **desk.headers}
        return httpx2.post(desk.url, headers=headers, content=message.body, timeout=HANG).json()

    return send


@pytest.fixture(params=["structured", "binary", "batched", "emitter"])
def by_javascript(request: pytest.FixtureRequest, desk: Desk, run_node: Node) -> Send:
    key = desk.headers["Authorization"].removeprefix("Bearer ")
    return lambda events: json.loads(
        run_node("send.mjs", desk.url, request.param, json.dumps(events), KEY=key)
    )


def check(desk: Desk, ticket: str, answer: dict[str, Any]) -> None:
    assert (answer["accepted"], answer["refused"]) == (1, [])
    assert answer["tickets"][0]["title"] == TITLE
    (stored,) = desk.stored(ticket)
    assert (stored["type"], stored["time"], stored["sequence"]) == (
        "ticket.created",
        "2026-03-06T14:30:00Z",
        "A1",
    )
    assert stored["data"] == {"title": TITLE, "customer": "ACME"}
    assert stored["attributes"]["traceparent"].startswith("00-0af7651916cd43dd")


def test_the_python_sdk_pushes_in_every_mode(desk: Desk, by_python: Send) -> None:
    ticket = f"py{next(_numbers)}"
    sent = event(ticket)
    check(desk, ticket, by_python([sent]))
    assert by_python([sent])["repeated"] == 1


def test_the_javascript_sdk_pushes_in_every_mode(desk: Desk, by_javascript: Send) -> None:
    ticket = f"js{next(_numbers)}"
    sent = event(ticket)
    check(desk, ticket, by_javascript([sent]))
    assert by_javascript([sent])["repeated"] == 1


def test_the_same_event_by_both_sdks_in_any_mode_is_one(desk: Desk, run_node: Node) -> None:
    sent = event("both")
    key = desk.headers["Authorization"].removeprefix("Bearer ")
    counts: list[int] = []
    for mode in ("structured", "binary", "batched"):
        message = python_message(mode, [sent])
        headers = {**message.headers, **desk.headers}
        counts.append(
            httpx2.post(desk.url, headers=headers, content=message.body, timeout=HANG).json()["accepted"]
        )
        counts.append(
            json.loads(run_node("send.mjs", desk.url, mode, json.dumps([sent]), KEY=key))["accepted"]
        )
    assert counts == [1, 0, 0, 0, 0, 0]


def test_data_in_base64_as_the_python_sdk_writes_bytes(desk: Desk) -> None:
    data = json.dumps({"title": TITLE, "customer": "ACME"}).encode()
    message = http.to_structured(of_python(event("bytes") | {"data": data}), JSONFormat())
    assert b64encode(data) in message.body
    answer = httpx2.post(
        desk.url, headers={**message.headers, **desk.headers}, content=message.body, timeout=HANG
    ).json()
    check(desk, "bytes", answer)


@pytest.mark.parametrize("mode", ["structured", "binary", "batched"])
def test_the_standard_webhooks_library_signs_what_the_python_sdk_writes(desk: Desk, mode: str) -> None:
    ticket = f"signed{next(_numbers)}"
    message = python_message(mode, [event(ticket)])
    now = datetime.now().astimezone()
    name = "msg_" + hashlib.sha256(ticket.encode()).hexdigest()[:16]
    signature = Webhook(desk.secret).sign(name, now, message.body.decode())
    headers = {
        **message.headers,
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    taken = httpx2.post(desk.hook, headers=headers, content=message.body, timeout=HANG)
    assert taken.status_code == 202
    until(lambda: bool(desk.stored(ticket)))
    assert desk.stored(ticket)[0]["data"]["title"] == TITLE
