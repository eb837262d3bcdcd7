"""In what does a signal travel? A CloudEvents 1.0 JSON event whose data is the signal, byte for byte as it was told.

The event's id is the signal's, so it never changes: whoever has seen it may drop the repetition. `time` is when it
happened, in UTC.
"""

from typing import Any, Final
from urllib.parse import quote

import orjson

MEDIA_TYPE: Final = "application/cloudevents+json"
TYPE_PREFIX: Final = "slatimer."
SOURCE_PREFIX: Final = "urn:slatimer:desk:"


def source_of(desk: str) -> str:
    """The CloudEvents source of what a desk's tickets tell."""
    return SOURCE_PREFIX + quote(desk, safe="")


def cloud_event(signal: bytes) -> bytes:
    """The event around a signal's JSON. A signal without a ticket makes an event without a subject."""
    recorded: dict[str, Any] = orjson.loads(signal)
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": recorded["id"],
        "source": source_of(recorded["desk"]),
        "type": TYPE_PREFIX + recorded["kind"],
        "time": recorded["at"],
        "datacontenttype": "application/json",
    }
    if recorded["ticket"]:
        event["subject"] = recorded["ticket"]
    return orjson.dumps(event | {"data": orjson.Fragment(signal)})
