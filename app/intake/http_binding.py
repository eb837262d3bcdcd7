"""The HTTP binding of CloudEvents 1.0: which mode a request has, and the event of one in binary mode.

Structured and batched mode have the events in the body, under a content type of CloudEvents, which decides whatever the
headers say. In binary mode the headers `ce-…` are the attributes and the body is the data. Plain JSON without such
headers is read like structured or batched mode.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from app.intake.cloudevents import is_json
from app.intake.json_values import Faulty, parse_values

ONE: Final = "application/cloudevents+json"
MANY: Final = "application/cloudevents-batch+json"

_PREFIX: Final = "ce-"
_ATTRIBUTES: Final = frozenset({"ce-specversion", "ce-id", "ce-source", "ce-type"})
"""The attributes that every event has. Any of them makes a request one of binary mode, and what is missing is named."""

Headers = Iterable[tuple[str, str]]
"""Names, of any case, and values of a request's headers."""


def is_binary(headers: Headers) -> bool:
    """Whether the event's attributes are in the headers."""
    found = {name.lower(): value for name, value in headers}
    content_type = found.get("content-type", "").partition(";")[0].strip().lower()
    return not content_type.startswith("application/cloudevents") and not _ATTRIBUTES.isdisjoint(found)


def binary_event(headers: Headers, body: bytes) -> object:
    """The value of an event in binary mode, for `read_event`. A header that cannot be read makes it a Faulty.

    Raises NotJson when the body is no JSON.
    """
    event: dict[str, object] = {}
    content_type = None
    for name, value in headers:
        lowered = name.lower()
        if lowered == "content-type":
            content_type = value.strip()
        if not lowered.startswith(_PREFIX) or lowered == "ce-datacontenttype":
            continue
        attribute = lowered.removeprefix(_PREFIX)
        if attribute in event:
            return _faulty(event, attribute, "is sent twice")
        if attribute in ("data", "data_base64"):
            return _faulty(event, attribute, "is no attribute. The body is the data")
        try:
            event[attribute] = _decoded(value)
        except UnicodeDecodeError:
            return _faulty(event, attribute, "is not UTF-8 in percent-encoding")
    if body and not is_json(content_type or "application/json"):
        return _faulty(
            event, "datacontenttype", f"the body must be JSON, and its Content-Type is {content_type}"
        )
    if body:
        event["data"] = parse_values(body, most=1)
    data = event.get("data")
    if isinstance(data, Faulty):
        return Faulty(_id_of(event), f"/data{data.place}", f"/data{data.reason.removeprefix('the event')}")
    return event


def _faulty(event: dict[str, object], attribute: str, reason: str) -> Faulty:
    return Faulty(_id_of(event), f"/{attribute}", f"/{attribute}: {reason} (header {_PREFIX}{attribute})")


def _id_of(event: dict[str, object]) -> str | None:
    found = event.get("id")
    return found if isinstance(found, str) else None


def _decoded(value: str) -> str:
    """A header's value: in double quotes or without, percent-encoded or, as some clients send it, in plain UTF-8.

    Raises UnicodeDecodeError.
    """
    written = value.strip()
    if len(written) > 1 and written.startswith('"') and written.endswith('"'):
        written = written[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    # The server hands a header's bytes on as Latin-1.
    return unquote_to_bytes(written.encode("latin-1", "replace")).decode()
