"""Queries of whole queues: the order of waiting tickets, and the forecast of a place. Instants are microseconds UTC."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.flow.query.positions import pace_of, replies_of
from app.sla.agreement.agreement import QueueRules
from app.sla.clock.evaluation import Evaluation
from app.sla.clock.transition import State
from app.sla.queue.duplicate import queue_of
from app.sla.queue.forecast import Forecast, forecast, key_after_message
from app.sla.queue.position import Key, QueueOrder
from app.sla.queue.waiting import Move, WaitInterval, moves
from app.sla.reason import Reason
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import queues


class UnknownQueue(LookupError):
    """No ticket of this desk names such a queue."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ticket that waits, with its position."""

    ticket: str
    position: int
    joined_at: Micros
    rank: int
    moves: tuple[Move, ...]
    expected_reply_at: Micros | None


@dataclass(frozen=True, slots=True)
class QueueListing:
    """A queue at an instant, or a part of it. `reason` says why no reply can be forecast."""

    desk: str
    queue: str
    at: Micros
    length: int
    waiting: tuple[Waiting, ...]
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class QueueForecast:
    """Where one more message of its customer would put a ticket, beside the ticket's next due date."""

    desk: str
    queue: str
    ticket: str
    at: Micros
    forecast: Forecast
    due_at: Micros | None
    """The least due date of its running clocks."""

    @property
    def in_time(self) -> bool | None:
        """Whether the reply can be expected by the due date; none where either is unknown."""
        expected = self.forecast.expected_reply_at
        return None if expected is None or self.due_at is None else expected <= self.due_at


def _rules(conn: Connection, catalogue: Catalogue, desk: str, now: Micros) -> QueueRules:
    return catalogue.in_force(conn, desk, at=now).agreement.queue


def queue_names(conn: Connection) -> list[tuple[str, str, int]]:
    """(desk, queue, how many wait) of every queue in which a ticket waits."""
    return queues.queues(conn)


def queue_answer(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    queue: str,
    now: Micros,
    *,
    after: int = 0,
    limit: int | None = None,
) -> QueueListing:
    """The tickets that wait, from the position after `after` on. Raises UnknownDesk and UnknownQueue."""
    rules = _rules(conn, catalogue, desk, now)
    if not queues.is_queue(conn, desk, queue):
        raise UnknownQueue(f"no ticket of {desk!r} is in a queue {queue!r}")
    keys = queues.waiting(conn, desk, queue)
    shown = keys[after:] if limit is None else keys[after : after + limit]
    wait_intervals = queues.wait_intervals(conn, desk, [ticket for *_, ticket in shown])
    pace = pace_of(conn, desk, queue, rules, now)
    found = tuple(
        _waiting(key, position, wait_intervals, pace.reply_at(position, now)[0])
        for position, key in enumerate(shown, start=after + 1)
    )
    return QueueListing(desk, queue, now, len(keys), found, pace.reason)


def _waiting(
    key: Key, position: int, wait_intervals: Mapping[str, tuple[WaitInterval, ...]], reply_at: Micros | None
) -> Waiting:
    rank, joined_at, _, ticket = key
    return Waiting(ticket, position, joined_at, rank, tuple(moves(wait_intervals.get(ticket, ()))), reply_at)


def queue_forecast(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    queue: str,
    ticket: str,
    evaluation: Evaluation,
    now: Micros,
) -> QueueForecast:
    """Where one more message of its customer would put the ticket. Raises UnknownQueue when it is in another queue."""
    rules = _rules(conn, catalogue, desk, now)
    fields = evaluation.ticket.fields
    if queue_of(fields) != queue:
        raise UnknownQueue(f"ticket {ticket!r} is in queue {queue_of(fields)!r}, not in {queue!r}")
    own = queues.wait_intervals(conn, desk, [ticket]).get(ticket, ())
    last = own[-1] if own and own[-1].to_at is None else None
    born = evaluation.ticket.created_at
    key_now = (rules.rank(fields), now, now if born is None else born, ticket) if last is None else last.key
    supplies_domain = "domain_missing" in evaluation.flags
    then = key_after_message(key_now, last is not None, rules, now, supplies_domain=supplies_domain)
    found = forecast(
        QueueOrder(queues.waiting(conn, desk, queue)),
        then,
        replies_of(conn, desk, queue, rules, now),
        rules,
        rules.calendar,
        now,
        key_now=None if last is None else last.key,
    )
    due = [c.due_at for c in evaluation.clocks if c.due_at is not None and c.state is State.RUNNING]
    return QueueForecast(desk, queue, ticket, now, found, min(due, default=None))
