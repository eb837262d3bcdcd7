"""The one reader of our own events, CloudEvents 1.0 in JSON: for the API, signed webhooks, the command line and replays.

A value becomes an event or is refused with the place of each fault, as a JSON pointer into the event, and what would be
right. Every caller refuses the same values with the same reasons. Pure; instants are microseconds UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.intake.event_data import DATA_OF, MAX_SEQUENCE, CloudEvent, Name
from app.intake.validation import faults_of, pointer
from app.sla.event import Event

MAX_DEPTH: Final = 16
"""Levels of nesting in `data`: far more than any ticket system's fields need, far fewer than a parser can stand."""

_MODEL_OF: Final = {str(kind): model for kind, model in DATA_OF.items()}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may hold; the service's settings of the same names. `max_text`: characters of one text."""

    max_events: int = 1_000
    max_text: int = 64_000


@dataclass(frozen=True, slots=True)
class Faulty:
    """A value that is no event. `place` is the JSON pointer to its first fault, `reason` names all of them."""

    id: str | None
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Readable:
    """An event and the desk that it is for."""

    desk: str
    event: Event


class NotJson(ValueError):
    """The bytes are no JSON. `place` is the line and column at which they stop being that."""

    def __init__(self, error: orjson.JSONDecodeError) -> None:
        self.place = f"line {error.lineno}, column {error.colno} (character {error.pos})"
        super().__init__(f"{error.msg} at {self.place}")


class _Names(BaseModel):
    """The attributes of an event that is not read from JSON."""

    model_config = ConfigDict(strict=True)

    id: Name
    type: Name
    subject: Name
    sequence: Annotated[int, Field(ge=0, le=MAX_SEQUENCE)]


def parse(body: bytes | str) -> object:
    """The JSON value of a body or a line, in UTF-8. Raises NotJson, also for NaN and for endless nesting."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotJson(error) from error


def read_event(value: object, *, max_text: int) -> Readable | Faulty:
    """The event that a parsed JSON value states, or its faulty places. `max_text` is in characters."""
    try:
        envelope = CloudEvent.model_validate(value)
    except ValidationError as error:
        return _faulty(_id_of(value), (), error)
    event = Event(
        id=envelope.id,
        type=envelope.type,
        subject=envelope.subject,
        at=envelope.time,
        data=envelope.data or {},
        sequence=envelope.sequence,
    )
    return _fault_of_data(event, max_text) or Readable(envelope.source, event)


def check(event: Event, *, max_text: int) -> Faulty | None:
    """The faults of an event that was made here, by the checks of one that is read; none when there are none."""
    try:
        _Names(id=event.id, type=str(event.type), subject=event.subject, sequence=event.sequence)
    except ValidationError as error:
        return _faulty(event.id, (), error)
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
        return "holds half of a surrogate pair. Leave it out"
    return None
