"""What is to go to whom?

A signal's deliveries are written in the signal's own transaction, so none is lost between the two. Of a ticket's
deliveries to an endpoint only the first has a `next_at`; the next one gets its own when that one is done: that keeps the
order, and what is due is found without passing by what waits. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, bindparam, literal_column, select

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import EVERY_DESK, Connection
from app.store.outbound import subscriptions
from app.store.outbound.subscriptions import TICKET_FILTERS, Channel, Wish
from app.store.tables import delivery as _delivery
from app.store.tables import ticket as _ticket
from app.store.tickets.signals import Published


class DeliveryState(StrEnum):
    """On its way, arrived, or given up until somebody asks for it again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"


QueueOrder = tuple[str, str, Subject]
"""(subscription, desk, subject): what is delivered in order."""


# Written out, not bound: a partial index serves only a condition that it can see.
PENDING: Final[ColumnElement[bool]] = _delivery.c.state == literal_column("'pending'")
PARKED: Final[ColumnElement[bool]] = _delivery.c.state == literal_column("'parked'")

_ADD: Final = _delivery.insert()
# In the order in which attempts are settled, so that no two transactions wait for each other.
_WAITING: Final = (
    select(_delivery.c.subscription, _delivery.c.desk, _delivery.c.subject)
    .where(
        PENDING,
        _delivery.c.subscription.in_(bindparam("subscriptions", expanding=True)),
        _delivery.c.subject.in_(bindparam("subjects", expanding=True)),
    )
    .order_by(_delivery.c.subscription, _delivery.c.signal)
)
_FIELDS: Final = select(
    _ticket.c.desk, _ticket.c.ticket, *(_ticket.c[name] for name in TICKET_FILTERS)
).where(_ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(bindparam("tickets", expanding=True)))


def fill(conn: Connection, published: Sequence[Published], now: Micros, notice_wait: Micros = 0) -> int:
    """Write the deliveries of signals that were just told, in their transaction. Returns how many.

    A message to people waits for `notice_wait`, so that what comes together goes together.
    """
    wanted = [each for each in published if each.deliver]
    asked = subscriptions.wishes(conn) if wanted else []
    pairs = [
        (subscribed, signal)
        for subscribed in asked
        for signal in wanted
        if subscribed[1] in (signal.desk, EVERY_DESK) and signal.kind in subscribed[3].kinds
    ]
    values = _values(conn, [(signal, wish) for (*_, wish), signal in pairs if wish.filters])
    rows = [
        _row(which, channel, signal, now, notice_wait)
        for (which, _, channel, wish), signal in pairs
        if not wish.filters or wish.covers(signal.kind, values[signal.seq])
    ]
    enqueue(conn, rows)
    return len(rows)


def _values(conn: Connection, asked: Sequence[tuple[Published, Wish]]) -> dict[int, dict[str, str | None]]:
    """What filters ask about signals, by their place in the stream."""
    bodies = {signal.seq: orjson.loads(signal.body) for signal, _ in asked}
    needs_ticket = any(wish.asks_of_ticket for _, wish in asked)
    of_tickets = ticket_values(conn, bodies.values()) if needs_ticket else {}
    return {seq: values_of(body, of_tickets) for seq, body in bodies.items()}


def _row(which: str, channel: Channel, signal: Published, now: Micros, notice_wait: Micros) -> dict[str, Any]:
    return {
        "subscription": which,
        "signal": signal.seq,
        "desk": signal.desk,
        "subject": signal.subject,
        "state": DeliveryState.PENDING.value,
        "created_at": now,
        # A webhook's gets its time when its turn comes.
        "next_at": now + notice_wait if channel is Channel.NOTICE else None,
        "attempts": 0,
    }


def enqueue(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write new deliveries down. The first of each ticket's that wait for their turn may go at once."""
    if not rows:
        return
    lined = [row for row in rows if row["next_at"] is None]
    behind = _lines_with_something(conn, lined)
    for row in sorted(lined, key=lambda row: row["signal"]):
        line = (row["subscription"], row["desk"], row["subject"])
        if line not in behind:
            row["next_at"] = row["created_at"]
            behind.add(line)
    conn.execute(_ADD, list(rows))


def _lines_with_something(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> set[QueueOrder]:
    """The lines in which something waits already. Its rows are held: who finishes one waits for us, and then sees
    what we have put behind it."""
    found: set[QueueOrder] = set()
    which = sorted({row["subscription"] for row in rows})
    query = dialect.held(conn, _WAITING)
    for subscribed in parts(which):
        for subjects in parts(sorted({row["subject"] for row in rows})):
            asked = {"subscriptions": subscribed, "subjects": subjects}
            found |= {(one, desk, subject) for one, desk, subject in conn.execute(query, asked).all()}
    return found


def ticket_values(
    conn: Connection, bodies: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], dict[str, str | None]]:
    """What filters can ask of the tickets of these signals, as they stand in this transaction."""
    by_desk: dict[str, set[str]] = {}
    for body in bodies:
        if body["ticket"]:
            by_desk.setdefault(body["desk"], set()).add(body["ticket"])
    found: dict[tuple[str, str], dict[str, str | None]] = {}
    for desk, tickets in by_desk.items():
        for part in parts(sorted(tickets)):
            for row in conn.execute(_FIELDS, {"desk": desk, "tickets": part}).mappings():
                found[row["desk"], row["ticket"]] = {name: row[name] for name in TICKET_FILTERS}
    return found


def values_of(
    body: Mapping[str, Any], of_tickets: Mapping[tuple[str, str], Mapping[str, str | None]]
) -> dict[str, str | None]:
    """What filters can ask about a signal: of itself, and of its ticket. A move in a queue names its queue."""
    values = dict(of_tickets.get((body["desk"], body["ticket"]), {}))
    values |= {name: body.get(name) for name in subscriptions.SIGNAL_FILTERS}
    return values | {"queue": body["queue"]} if body.get("queue") else values
