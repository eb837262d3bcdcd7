"""The inbox: webhooks that could not be read or mapped, events of unknown types, tickets that cannot be evaluated.

A webhook that could not be read, or in which a word is not mapped, is read again by the mapping in force when the inbox
is run again. An event of an unknown type is stored; once a newer version of the service knows the type, running again
applies it, with every signal that it causes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.flow.judge.assess import Assessor
from app.flow.query.serialize import instant_text
from app.principal import EVERY, Desks, covers
from app.sla.span import Micros
from app.sla.subject import SubjectKey, by_desk
from app.store.engine.database import Connection
from app.store.inbound import hooks
from app.store.inbound.hooks import ListedHook, StoredHook
from app.store.tickets import inspection, ledger, schedule
from app.store.tickets.board import cursor_of, key_of
from app.store.tickets.inspection import UnreadEvent
from app.store.tickets.schedule import Parked

_Place = tuple[int, int, Micros, str, str]
"""The sort keys of a page: before which webhook, before which event, after which parked ticket."""

_START: Final[_Place] = (2**63 - 1, 2**63 - 1, 0, "", "")


@dataclass(frozen=True, slots=True)
class Inbox:
    """The open items: counts of all of them, and a page of each list.

    `deliveries` are webhooks that are kept unread or have warnings, `delivery_counts` counts them by (desk, system,
    state). `counts` counts events of unknown types by (desk, type), `events` lists them. Both lists begin with the
    latest, `parked` with the ticket parked longest. `next` is the cursor of the next page; none on the last.
    """

    deliveries: Sequence[ListedHook]
    delivery_counts: Mapping[tuple[str, str, str], int]
    counts: Mapping[tuple[str, str], int]
    events: Sequence[UnreadEvent]
    parked: Sequence[Parked]
    next: str | None

    @property
    def empty(self) -> bool:
        """Whether there is no open item."""
        return not (self.delivery_counts or self.counts or self.parked)


def inbox(conn: Connection, limit: int, desks: Desks = EVERY, cursor: str | None = None) -> Inbox:
    """The open items of these desks, with at most `limit` entries of each list.

    Raises FaultyCursor.
    """
    place: _Place = _START if cursor is None else key_of(cursor, int, int, int, str, str)
    deliveries = hooks.inbox(conn, limit + 1, place[0], desks)
    events = inspection.unread_events(conn, limit + 1, place[1], desks)
    parked = schedule.parked_page(conn, limit + 1, place[2:], desks)
    more = max(len(deliveries), len(events), len(parked)) > limit
    found = Inbox(
        deliveries[:limit],
        hooks.inbox_counts(conn, desks),
        {key: count for key, count in ledger.unknown_types(conn).items() if covers(desks, key[0])},
        events[:limit],
        parked[:limit],
        None,
    )
    return replace(found, next=cursor_of(*_end(found, place))) if more else found


def whole_inbox(conn: Connection, limit: int, desks: Desks = EVERY) -> Inbox:
    """The same with every entry, in pages of `limit`."""
    found = inbox(conn, limit, desks)
    pages = [found]
    while pages[-1].next is not None:
        pages.append(inbox(conn, limit, desks, pages[-1].next))
    return replace(
        found,
        deliveries=[one for page in pages for one in page.deliveries],
        events=[one for page in pages for one in page.events],
        parked=[one for page in pages for one in page.parked],
        next=None,
    )


def _end(page: Inbox, place: _Place) -> _Place:
    """The sort keys after a page that began at `place`. A list that is at its end stays there."""
    last = page.parked[-1] if page.parked else None
    return (
        page.deliveries[-1].seq if page.deliveries else place[0],
        page.events[-1].seq if page.events else place[1],
        *(place[2:] if last is None else (last.first_at, last.desk, last.subject.text)),
    )


def to_run_again(conn: Connection, desks: Desks = EVERY) -> list[SubjectKey]:
    """The tickets that running again concerns."""
    parked = [(row.desk, row.subject) for row in schedule.all_parked(conn)]
    found = dict.fromkeys([*parked, *inspection.tickets_with_unread_events(conn)])
    return [key for key in found if covers(desks, key[0])]


def run_again(conn: Connection, now: Micros, assessor: Assessor, subjects: Sequence[SubjectKey]) -> int:
    """Judge these subjects anew. Returns how many of them still cannot be judged."""
    inspection.learn_types(conn)
    return len(assessor.assess(conn, now, by_desk(subjects)).failed)


def inbox_json(found: Inbox) -> dict[str, Any]:
    """The inbox as the API writes it."""
    return {
        "deliveries": [delivery_json(hook) for hook in found.deliveries],
        "waiting": [
            {"desk": desk, "system": system, "state": state, "deliveries": count}
            for (desk, system, state), count in sorted(found.delivery_counts.items())
        ],
        "unknown": [
            {"desk": desk, "type": kind, "events": count}
            for (desk, kind), count in sorted(found.counts.items())
        ],
        "events": [
            {
                "desk": event.desk,
                "id": event.id,
                "type": event.type,
                "subject": event.subject,
                "ticket": event.ticket,
                "time": instant_text(event.at),
                "received_at": instant_text(event.received_at),
            }
            for event in found.events
        ],
        "parked": [
            {
                "desk": row.desk,
                "ticket": row.subject.ticket,
                "subject": row.subject.text,
                "error": row.error,
                "times": row.times,
                "first_at": instant_text(row.first_at),
                "last_at": instant_text(row.last_at),
                "retry_at": instant_text(row.retry_at),
            }
            for row in found.parked
        ],
        "next": found.next,
    }


def delivery_json(hook: StoredHook | ListedHook) -> dict[str, Any]:
    """A webhook without its body."""
    return {
        "id": hook.id,
        "desk": hook.desk,
        "system": hook.system,
        "state": hook.state.value,
        "reason": hook.reason,
        "warnings": list(hook.warnings),
        "received_at": instant_text(hook.received_at),
        "interpreted_at": instant_text(hook.interpreted_at),
        "bytes": hook.length,
    }


def whole_delivery_json(hook: StoredHook) -> dict[str, Any]:
    """A webhook with its stored headers and its body; bytes that are no UTF-8 become replacement characters."""
    return delivery_json(hook) | {
        "headers": dict(hook.headers),
        "body": hook.body.decode("utf-8", errors="replace"),
    }
