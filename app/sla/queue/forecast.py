"""Forecasts: the position that a further message would give a ticket, and when a reply can be expected.

The pace of a queue is its human replies per open hour, over its last working days. The expected reply is so many places
further in the queue's calendar. With too few replies there is no forecast, and a reason. Instants and durations are
microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.sla.agreement.agreement import MessageEffect, QueueRules
from app.sla.calendar import Calendar
from app.sla.calendar.compiled import NeverOpen, UncoveredYear
from app.sla.queue.position import Key, QueueOrder
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros

_DAYS_BACK: Final = 366
"""How far back working days are searched: a desk closed for longer has none."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a queue is served: human replies in an amount of open time, or the reason why it is unknown."""

    calendar: Calendar | None
    replies: int
    open_time: Micros
    reason: Reason | None = None

    def reply_at(self, position: int, at: Micros) -> tuple[Micros | None, Reason | None]:
        """When the ticket at this position can expect its reply, from `at` on; or none, and the reason."""
        if self.calendar is None or self.reason is not None:
            return None, self.reason
        # Rounded up: at a whole microsecond the last of the replies is really due.
        length = -(-position * self.open_time // self.replies)
        try:
            return self.calendar.after_us(length, at), None
        except (UncoveredYear, NeverOpen) as fault:
            return None, _fault(fault)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The position of a ticket now and after a message, and when it could then expect a reply."""

    position_now: int | None
    """None: it does not wait."""
    position_then: int
    expected_reply_at: Micros | None
    reason: Reason | None
    """Why no reply can be forecast."""


def pace(replies: Iterable[Micros], rules: QueueRules, calendar: Calendar | None, at: Micros) -> Pace:
    """The pace of a queue at `at`, from the instants of its human public replies, in any order.

    The last working days are those that have begun, today with the part that has passed; they start at
    midnight, so replies outside the hours of these days count as well.
    """
    if calendar is None:
        return Pace(None, 0, 0, Reason(ReasonCode.NO_QUEUE_CALENDAR))
    days = rules.forecast_days
    try:
        since = start_of_last_days(calendar, days, at)
        open_time = 0 if since is None else calendar.within_us(since, at)
    except (UncoveredYear, NeverOpen) as fault:
        return Pace(calendar, 0, 0, _fault(fault))
    if since is None:
        return Pace(calendar, 0, 0, Reason(ReasonCode.TOO_FEW_WORKING_DAYS, params={"days": days}))
    count = sum(since <= reply <= at for reply in replies)
    if count < max(rules.forecast_replies, 1):
        few = Reason(ReasonCode.TOO_FEW_REPLIES, params={"replies": count, "days": days})
        return Pace(calendar, count, open_time, few)
    return Pace(calendar, count, open_time)


def _fault(fault: UncoveredYear | NeverOpen) -> Reason:
    return Reason(ReasonCode.CALENDAR_FAULT, params={"text": str(fault)})


def start_of_last_days(calendar: Calendar, days: int, at: Micros) -> Micros | None:
    """Local midnight at which the last `days` working days begin; none when there are not so many."""
    day = calendar.local_date(at)
    found = 0
    for _ in range(_DAYS_BACK):
        midnight = calendar.end_of_day(day - timedelta(days=1))
        is_working_day = calendar.is_always or calendar.next_working_day(day) == day
        if is_working_day and calendar.within_us(midnight, at) > 0:
            found += 1
            if found == days:
                return midnight
        day -= timedelta(days=1)
    return None


def key_after_message(
    now: Key, waits: bool, rules: QueueRules, at: Micros, *, supplies_domain: bool = False
) -> Key:
    """The key that a ticket would have after a customer's message at `at`.

    `now` is its key, or, if it does not wait, the one that it would have. `supplies_domain`: the message
    names the domain that was missing; the agreement may let such a message keep its place.
    """
    rank, joined_at, created_at, ticket = now
    keeps_place = supplies_domain and rules.domain_required and rules.domain_reply is MessageEffect.KEEPS
    moves = rules.repeat_message is MessageEffect.MOVES and not keeps_place
    return (rank, at if moves or not waits else joined_at, created_at, ticket)


def forecast(
    order: QueueOrder,
    key_if_now: Key,
    human_reply_instants: Iterable[Micros],
    rules: QueueRules,
    calendar: Calendar | None,
    at: Micros,
    *,
    key_now: Key | None = None,
) -> Forecast:
    """Where the ticket would stand with `key_if_now`, and when it could expect a reply there.

    `order` is the queue as it is, with the ticket's `key_now` in it if it waits; neither is changed.
    """
    waits = key_now is not None and key_now in order
    position_then = order.position(key_if_now)
    if key_now is not None and waits and key_now < key_if_now:
        position_then -= 1
    expected_reply_at, reason = pace(human_reply_instants, rules, calendar, at).reply_at(position_then, at)
    return Forecast(
        position_now=order.position(key_now) if key_now is not None and waits else None,
        position_then=position_then,
        expected_reply_at=expected_reply_at,
        reason=reason,
    )
