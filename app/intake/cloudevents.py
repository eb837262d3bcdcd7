"""Is this our own format, pushed with a signature in place of a key?

A CloudEvents 1.0 JSON event or an array of them, in structured mode: the attributes of binary mode stand in headers,
which no signature covers. Ids, types and data are the sender's own. In an array, a faulty event costs itself only and
is named in a warning. Instants need an offset.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, cast

from app.intake.adapter import Adapter
from app.intake.mapping.reading import LONGEST_NAME, Reading, Unreadable
from app.intake.mapping.source import Source
from app.intake.mapping.value import NoInstant, items, read_instant, table
from app.intake.request import Delivery
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros
from app.sla.ticket import STATUSES, TICKET_FIELDS

SYSTEM: Final = "cloudevents"
MOST_EVENTS: Final = 1_000
"""In one array, as in a push of events."""

_SETS_FIELDS: Final = frozenset({"ticket.created", "ticket.updated", "status.changed"})
MOST_LEVELS: Final = 16
"""Of nesting in `data`, as in a push of events."""

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "status.changed": ("status",),
    "ticket.merged": ("into",),
    "exclusion.granted": ("from", "to"),
    "maintenance.announced": ("from", "to"),
    "event.withdrawn": ("id",),
}
_INSTANTS: Final = frozenset({"from", "to"})
_OFFSET: Final = "it must be an instant with an offset"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT")
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""NUL as JSON writes it, not the text that looks like it."""


def read(delivery: Delivery, source: Source) -> Reading:
    """What a delivery says. Raises Unreadable when no event in it can be read."""
    body = delivery.json()
    if not isinstance(body, list):
        return Reading((_event(body, source.desk),))
    values = items(cast("object", body))
    if len(values) > MOST_EVENTS:
        raise Unreadable(f"it holds {len(values)} events, more than {MOST_EVENTS}")
    events: list[Event] = []
    warnings: list[str] = []
    for number, value in enumerate(values):
        try:
            events.append(_event(value, source.desk))
        except Unreadable as error:
            warnings.append(f"event {number}: {error}")
    if warnings and not events:
        raise Unreadable(f"none of its events can be read; {warnings[0]}")
    return Reading(tuple(events), warnings=tuple(warnings), ignored=None if events else "an empty array")


def _event(value: object, desk: str) -> Event:
    """One event. Raises Unreadable with the first place that is wrong."""
    envelope = table(value)
    if envelope.get("specversion") != "1.0":
        raise Unreadable('it must be "1.0"; in binary mode no signature would cover it', "specversion")
    if envelope.get("source") != desk:
        raise Unreadable(f"it must be the desk, {desk!r}", "source")
    at = _instant(envelope.get("time"), "time")
    kind = _name(envelope, "type")
    return Event(
        id=_name(envelope, "id"),
        type=kind,
        subject=_name(envelope, "subject"),
        at=at,
        data=_data(kind, envelope.get("data")),
        sequence=_sequence(envelope.get("sequence")),
    )


def _name(envelope: Mapping[str, object], key: str) -> str:
    value = envelope.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        raise Unreadable(f"it must be a text of 1 to {LONGEST_NAME} characters", key)
    return value


def _instant(value: object, place: str) -> Micros:
    if not isinstance(value, str) or not _DATE.match(value):
        raise Unreadable(_OFFSET, place)
    try:
        return read_instant(value)
    except NoInstant as error:
        raise Unreadable(f"{_OFFSET}; {error}", place) from error


def _sequence(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Unreadable("it must be a whole number", "sequence")
    return value


def _data(kind: str, value: object) -> Mapping[str, Value]:
    data = table(value)
    if value is not None and data is not value:
        raise Unreadable("it must be an object", "data")
    for key in _NEEDS.get(kind, ()):
        given = data.get(key)
        if not isinstance(given, str) or not given:
            raise Unreadable("it is missing", f"data.{key}")
        if key in _INSTANTS:
            _instant(given, f"data.{key}")
    if kind in _SETS_FIELDS:
        _check_fields(data)
    _check_keepable(data)
    return data


def _check_fields(data: Mapping[str, object]) -> None:
    status = data.get("status")
    if status is not None and not (isinstance(status, str) and status in STATUSES):
        raise Unreadable(f"{status!r} is no status", "data.status")
    for name in TICKET_FIELDS:
        value = data.get(name)
        if name == "tags":
            texts = [tag for tag in items(value) if isinstance(tag, str)]
            fits = value is None or value == texts
        else:
            fits = value is None or isinstance(value, str)
        if not fits:
            wanted = "a list of texts" if name == "tags" else "a text"
            raise Unreadable(f"it must be {wanted}", f"data.{name}")


def _check_keepable(data: Mapping[str, object]) -> None:
    """Half a surrogate pair and NUL can stand in JSON but in no database."""
    try:
        written = json.dumps(data, ensure_ascii=False)
        written.encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise Unreadable("it holds what cannot be kept", "data") from error
    if _NUL.search(written):
        raise Unreadable("it holds a NUL character", "data")
    if _is_deeper(data, MOST_LEVELS):
        raise Unreadable(f"it is nested deeper than {MOST_LEVELS} levels", "data")


def _is_deeper(value: object, levels: int) -> bool:
    """Whether containers stand in one another more than so many levels deep; looks no deeper than that."""
    if not isinstance(value, dict | list):
        return False
    inner = [*table(cast("object", value)).values(), *items(cast("object", value))]
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)


def _message_id(delivery: Delivery) -> str | None:
    return delivery.header("webhook-id")


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
    delivery_id=_message_id,
    events_to_tick=tuple(EventType),
    template=TEMPLATE,
    headers=("webhook-id",),
)
