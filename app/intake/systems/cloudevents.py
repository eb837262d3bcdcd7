"""Our own events in a signed webhook: pushed with a signature in place of a key.

CloudEvents 1.0 in JSON: one event or an array of them, in structured, batched or binary mode. The signature covers the
body, not the headers that hold the attributes in binary mode, so a desk may refuse that mode. Ids, types and data are
the sender's own, checked as in a push to the API. In an array a faulty event is left out and named in a warning; the
others are stored.
"""

import json
from collections.abc import Mapping
from typing import Final, cast

from app.intake.adapter import Adapter
from app.intake.cloudevents import Faulty, NotJson, parse_values, read_event
from app.intake.http_binding import binary_event, is_binary
from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.sla.document.table import Table
from app.sla.event import Event, EventType

SYSTEM: Final = "cloudevents"


def read(request: InboundRequest, source: Source) -> Reading:
    """The events of a request. Raises Unreadable when none of them can be read."""
    body = _body(request, source)
    limits = request.limits
    if not isinstance(body, list):
        return Reading((_event(body, source.desk, limits.max_text),))
    values = cast(list[object], body)
    if len(values) > limits.max_events:
        raise Unreadable(f"An array of {len(values)} is longer than {limits.max_events}. Send it in parts.")
    events: list[Event] = []
    warnings: list[str] = []
    for number, value in enumerate(values):
        try:
            events.append(_event(value, source.desk, limits.max_text))
        except Unreadable as error:
            warnings.append(f"event {number}: {error}")
    if warnings and not events:
        raise Unreadable(f"none of its events can be read; {warnings[0]}")
    return Reading(tuple(events), warnings=tuple(warnings), ignored=None if events else "an empty array")


def _body(request: InboundRequest, source: Source) -> object:
    headers = request.headers.items()
    try:
        if not is_binary(headers):
            return parse_values(request.body, most=request.limits.max_events)
        if not source.options.get("binary_mode", True):
            raise Unreadable(
                "binary mode is switched off here, since no signature covers its headers. "
                "Send the whole event in the body (structured mode)"
            )
        return binary_event(headers, request.body)
    except NotJson as error:
        raise Unreadable(f"The body is no JSON: {error}.") from error


def _options(inner: Table) -> Mapping[str, object]:
    return {"binary_mode": inner.flag("binary_mode", default=True)}


def _event(value: object, desk: str, max_text: int) -> Event:
    read = read_event(value, max_text=max_text)
    if isinstance(read, Faulty):
        raise Unreadable(read.reason)
    if read.desk != desk:
        raise Unreadable(f"/source: must be the desk of this address, {desk!r}, got {read.desk!r}")
    return read.event


def _message_id(request: InboundRequest) -> str | None:
    return request.header("webhook-id")


TEMPLATE: Final = json.dumps(
    {
        "specversion": "1.0",
        "id": "a text of your own, another for each event",
        "source": "<the desk>",
        "type": "ticket.created",
        "subject": "the ticket's id",
        "time": "2026-03-06T15:30:00+01:00",
        "data": {"title": "Server unreachable", "customer": "ACME"},
    },
    indent=2,
)

ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="CloudEvents, signed as Standard Webhooks",
    schemes=("standard-webhooks",),
    read=read,
    idempotency_key=_message_id,
    events_to_tick=tuple(EventType),
    template=TEMPLATE,
    headers=("webhook-id", "ce-*"),
    options=_options,
    repairs_texts=False,
)
