"""The one reader of our own events, CloudEvents 1.0 in JSON: for the API, signed webhooks, the command line and replays.

A value becomes an event or is refused with the place of each fault, as a JSON pointer into the event, and what would be
right. Every caller refuses the same values with the same reasons. Pure; instants are microseconds UTC.
"""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from app.intake.data_fields import MAX_NAME, Name, Sequence
from app.intake.event_data import DATA_OF, CloudEvent
from app.intake.event_subject import subject_fault
from app.intake.json_values import (
    BEYOND_64_BITS,
    HALF_A_PAIR,
    MAX_DEPTH,
    Faulty,
    NotJson,
    parse,
    parse_values,
)
from app.intake.validation import faults_of, pointer, shown
from app.sla.event import Event

__all__ = [
    "MAX_DEPTH",
    "Faulty",
    "Limits",
    "NotJson",
    "Readable",
    "check",
    "is_json",
    "parse",
    "parse_values",
    "read_event",
]

MAX_ATTRIBUTES: Final = 50
"""Attributes of the sender's own in an event. The extensions that CloudEvents documents are about twenty."""

_LARGEST_FLOAT: Final = 2.0**63
"""The parser reads a longer whole number as an inexact one. So great a number in a ticket is an id, and is a text."""

_MODEL_OF: Final = {str(kind): model for kind, model in DATA_OF.items()}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may hold; the service's settings of the same names. `max_text`: characters of one text."""

    max_events: int = 1_000
    max_text: int = 64_000


@dataclass(frozen=True, slots=True)
class Readable:
    """An event and the desk that it is for."""

    desk: str
    event: Event


class _Names(BaseModel):
    """The attributes of an event that is not read from JSON."""

    model_config = ConfigDict(strict=True)

    id: Name
    type: Name
    subject: Name
    sequence: Sequence


def read_event(value: object, *, max_text: int) -> Readable | Faulty:
    """The event that a parsed JSON value states, or its faulty places. `max_text` is in characters.

    A value that was found faulty when it was parsed is refused as it is.
    """
    if isinstance(value, Faulty):
        return value
    try:
        envelope = CloudEvent.model_validate(value)
    except ValidationError as error:
        return _faulty(_id_of(value), (), error)
    data = _data_of(envelope)
    if isinstance(data, Faulty):
        return data
    attributes = {name: given for name, given in (envelope.model_extra or {}).items() if given is not None}
    event = Event(
        id=envelope.id,
        type=envelope.type,
        subject=envelope.subject,
        at=envelope.time,
        data=data,
        sequence=envelope.sequence,
        attributes=attributes or None,
    )
    fault = _fault_of(event, max_text) or (_fault_of_attributes(event, max_text) if attributes else None)
    return fault or Readable(envelope.source, event)


def is_json(media_type: str) -> bool:
    """Whether a media type, with or without parameters, is one of JSON."""
    kind, _, subtype = media_type.partition(";")[0].strip().lower().partition("/")
    return (kind in ("application", "text") and subtype == "json") or (
        kind != "" and subtype.endswith("+json")
    )


def _data_of(envelope: CloudEvent) -> dict[str, Any] | Faulty:
    """The data of an event, also from base64."""
    if envelope.data_base64 is None:
        return envelope.data or {}
    reason, place = None, "data_base64"
    data: object = None
    if envelope.data is not None:
        reason = "stands beside data. Send one of them"
    elif not is_json(envelope.datacontenttype or "application/json"):
        reason, place = f"must be JSON, got {shown(envelope.datacontenttype)}", "datacontenttype"
    else:
        try:
            data = parse_values(b64decode(envelope.data_base64, validate=True), most=1)
        except NotJson as error:
            reason = f"is not JSON: {error}"
        except ValueError:
            reason = "is not base64"
    if isinstance(data, Faulty):
        reason = f"in its JSON, {data.reason}"
    elif reason is None and not isinstance(data, dict):
        reason = f"must be an object in JSON, got {shown(data)}"
    if reason is None:
        return cast("dict[str, Any]", data)
    return Faulty(envelope.id, f"/{place}", f"/{place}: {reason}")


def _fault_of_attributes(event: Event, max_text: int) -> Faulty | None:
    """The first attribute of the sender's own that cannot be stored."""
    attributes = event.attributes or {}
    if len(attributes) > MAX_ATTRIBUTES:
        return Faulty(event.id, "", f"the event: has more than {MAX_ATTRIBUTES} attributes of its own")
    for name, value in attributes.items():
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            return Faulty(event.id, "", f"the event: has an attribute with no proper name, {shown(name)}")
        if fault := _unstorable(value, (name,), max_text):
            return Faulty(event.id, fault[0], f"{fault[0]}: {fault[1]}")
    return None


def check(event: Event, *, max_text: int) -> Faulty | None:
    """The faults of an event that was made here, by the checks of one that is read; none when there are none."""
    try:
        _Names(id=event.id, type=str(event.type), subject=event.subject, sequence=event.sequence)
    except ValidationError as error:
        return _faulty(event.id, (), error)
    return _fault_of(event, max_text)


def _fault_of(event: Event, max_text: int) -> Faulty | None:
    """The first fault of an event's subject or data."""
    named = event.data.get("ticket") is not None
    if (reason := subject_fault(event.type, event.subject, names_ticket=named)) is not None:
        return Faulty(event.id, "/subject", f"/subject: {reason}")
    return _fault_of_data(event, max_text)


def _fault_of_data(event: Event, max_text: int) -> Faulty | None:
    if not event.data and event.type not in _MODEL_OF:
        return None
    if model := _MODEL_OF.get(event.type):
        try:
            model.model_validate(event.data)
        except ValidationError as error:
            return _faulty(event.id, ("data",), error)
    if fault := _unstorable(event.data, ("data",), max_text):
        return Faulty(event.id, fault[0], f"{fault[0]}: {fault[1]}")
    return None


def _id_of(value: object) -> str | None:
    given = cast(dict[str, object], value).get("id") if isinstance(value, dict) else None
    return given if isinstance(given, str) else None


def _faulty(event_id: str | None, above: tuple[str, ...], error: ValidationError) -> Faulty:
    faults = list(faults_of(error, above))
    reason = "; ".join(f"{place or 'the event'}: {fault}" for place, fault in faults)
    return Faulty(event_id, faults[0][0], reason)


def _unstorable(value: object, path: tuple[object, ...], max_text: int) -> tuple[str, str] | None:
    """Where and why a value within `data` cannot be stored: too deep, too long, or a text that no database holds."""
    if isinstance(value, str):
        return None if (fault := _fault_of_text(value, max_text)) is None else (pointer(path), fault)
    if isinstance(value, float) and not -_LARGEST_FLOAT < value < _LARGEST_FLOAT:
        return pointer(path), BEYOND_64_BITS
    if not isinstance(value, dict | list):
        return None
    if len(path) > MAX_DEPTH:
        return pointer(path), f"is nested deeper than {MAX_DEPTH} levels"
    entries = cast(
        Iterable[tuple[str | int, object]],
        cast(dict[str, object], value).items()
        if isinstance(value, dict)
        else enumerate(cast(list[object], value)),
    )
    for key, inner in entries:
        if isinstance(key, str) and "\0" in key:
            return pointer(path), "has a name with a NUL character. Leave it out"
        # Most values are short texts or numbers: only the others are worth a call.
        if isinstance(inner, str) and len(inner) <= max_text and inner.isascii() and "\0" not in inner:
            continue
        if fault := _unstorable(inner, (*path, key), max_text):
            return fault
    return None


def _fault_of_text(text: str, max_text: int) -> str | None:
    if len(text) > max_text:
        return f"has {len(text)} characters, more than {max_text}"
    if "\0" in text:
        return "holds a NUL character. Leave it out"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return HALF_A_PAIR
    return None
