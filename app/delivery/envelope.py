"""Wraps a signal in a CloudEvents 1.0 JSON event.

The signal's stored bytes become `data` verbatim, followed by the details of its ticket: they are serialized when the
signal is recorded and never parsed again. The event's id is the signal's: a receiver deduplicates by it.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import orjson

MEDIA_TYPE: Final = "application/cloudevents+json"
TYPE_PREFIX: Final = "slatimer."
SOURCE_PREFIX: Final = "urn:slatimer:desk:"


def source_of(desk: str) -> str:
    """The CloudEvents source of a desk's signals."""
    return SOURCE_PREFIX + quote(desk, safe="")


def cloud_event(
    data: bytes,
    *,
    signal_id: str,
    kind: str,
    desk: str,
    subject: str,
    time: str,
    details: Mapping[str, str | None] | None = None,
) -> bytes:
    """The event around a signal's JSON. `time` is when it happened, RFC 3339 in UTC; an empty `subject` is left out.

    `details` of the ticket are appended to the signal's object.
    """
    if details:
        data = data[:-1] + b"," + orjson.dumps(dict(details))[1:]
    event = {
        "specversion": "1.0",
        "id": signal_id,
        "source": source_of(desk),
        "type": TYPE_PREFIX + kind,
        "time": time,
        "datacontenttype": "application/json",
    }
    if subject:
        event["subject"] = subject
    return orjson.dumps(event | {"data": orjson.Fragment(data)})
