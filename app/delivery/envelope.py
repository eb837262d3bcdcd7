"""Wraps a signal in a CloudEvents 1.0 JSON event.

The signal's stored bytes become `data` verbatim: they are serialized when the signal is recorded and never parsed
again, so every attempt has the same body. The event's id is the signal's: a receiver deduplicates by it.
"""

from typing import Final
from urllib.parse import quote

import orjson

MEDIA_TYPE: Final = "application/cloudevents+json"
TYPE_PREFIX: Final = "slatimer."
SOURCE_PREFIX: Final = "urn:slatimer:desk:"


def source_of(desk: str) -> str:
    """The CloudEvents source of a desk's signals."""
    return SOURCE_PREFIX + quote(desk, safe="")


def cloud_event(data: bytes, *, signal_id: str, kind: str, desk: str, subject: str, time: str) -> bytes:
    """The event around a signal's JSON. `time` is when it happened, RFC 3339 in UTC; an empty `subject` is left out."""
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
