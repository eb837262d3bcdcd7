"""The audit log as API and command line show it."""

from dataclasses import asdict
from typing import Any

from app.flow.query.serialize import instant_text
from app.store.audit import Entry


def entry_json(entry: Entry) -> dict[str, Any]:
    """An entry as JSON, its instant with an offset."""
    return asdict(entry) | {"at": instant_text(entry.at)}
