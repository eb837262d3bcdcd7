"""The ticket that comes with an event of Zendesk: a snapshot as of its `updated_at`. Instants are microseconds UTC.

`updated_at` is cut to the second, while an event's `time` is exact: in the second of the change the ticket is dated like
the change, and what that names counts. A ticket of an earlier second is older than the change, one of a later newer.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from app.intake.mapping.events import without_absent
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Translator
from app.intake.mapping.value import identifier, instant, names, text
from app.sla.event import Event, EventType, Value
from app.sla.span import SECOND, Micros
from app.sla.ticket import Status

_CHANGES: Final = frozenset({EventType.TICKET_UPDATED, EventType.STATUS_CHANGED})


def state(
    ticket: str | None,
    detail: Mapping[str, object],
    words: Translator,
    changed_at: Micros,
    events: Sequence[Event],
) -> tuple[Snapshot, ...]:
    """The snapshot of `detail`; none where it is not dated. `events` are those of the change at `changed_at`."""
    updated_at = instant(detail.get("updated_at"), words.source.zone)
    if updated_at is None or ticket is None:
        return ()
    stated = _stated(detail, words)
    if stated.get("status") == Status.PENDING and any(e.type == EventType.CUSTOMER_REPLIED for e in events):
        # A customer's comment opens the ticket, in a change of its own.
        del stated["status"]
    reported: dict[str, Value] = {}
    if 0 <= changed_at - updated_at < SECOND:
        changes = (event for event in events if event.at == changed_at and event.type in _CHANGES)
        reported = {name: value for event in changes for name, value in event.data.items()}
    at = changed_at if reported else updated_at
    return (Snapshot.beside_events(words.source.system, ticket, at, stated | reported, reported),)


def _stated(detail: Mapping[str, object], words: Translator) -> dict[str, Value | None]:
    """The fields whose place in the body is there."""
    found: dict[str, Value | None] = without_absent({"status": words.status(text(detail.get("status")))})
    if "priority" in detail:
        theirs = text(detail["priority"])
        ours = words.priority(theirs)
        found |= {"priority": ours} if theirs is None or ours is not None else {}
    if "assignee_id" in detail:
        found["assignee"] = identifier(detail["assignee_id"])
    if "group_id" in detail:
        group = identifier(detail["group_id"])
        found |= {"group": group} | without_absent({"queue": words.queue(group)})
    if "tags" in detail:
        found["tags"] = names(detail["tags"])
    return found
