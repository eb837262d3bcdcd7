"""Places in a queue: a ticket with its position, how it came there, and when it can expect its reply.

Instants are microseconds UTC; the zone is the desk's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_, NN_
from app.flow.query.answer import TicketAnswer
from app.flow.query.queues import QueueListing, Waiting
from app.sla.clock.transition import RUNNING
from app.sla.queue.waiting import Move
from app.sla.reason import Reason, ReasonCode
from app.sla.span import SECOND, Micros
from app.web.pages.frame.vocabulary import LEFT_QUEUE, MOVES, named
from app.web.pages.frame.words import Words

_FEW_REPLIES: Final = NN_(
    "No reply can be forecast: only {n} reply in the last {days} working days",
    "No reply can be forecast: only {n} replies in the last {days} working days",
)
_NO_REPLY: Final = N_("No reply can be forecast: no reply in the last {days} working days")
_REASONS: Final = {
    ReasonCode.NO_QUEUE_CALENDAR: N_("No reply can be forecast: the queue has no calendar"),
    ReasonCode.TOO_FEW_WORKING_DAYS: N_(
        "No reply can be forecast: the last year does not have {days} working days"
    ),
    ReasonCode.CALENDAR_FAULT: N_("No reply can be forecast: the calendar does not reach far enough"),
}


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom and when a place is written: the words, the instant, and the desk's time zone."""

    words: Words
    now: Micros
    zone: str

    def at(self, at: Micros) -> str:
        """An instant as the desk's clock shows it."""
        return self.words.written(at, self.zone, self.now)

    def since(self, at: Micros) -> str:
        """How long ago an instant was, nights and weekends included."""
        return self.words.elapsed((self.now - at) // SECOND)


@dataclass(frozen=True, slots=True)
class Place:
    """A ticket that waits. `moves` are all of its moves, the latest first; `last` is the one that put it here."""

    ticket: str
    position: int
    title: str | None
    about: str
    """The customer, and the plan or level."""
    waited: str
    since: str
    reply: str | None
    due: str | None
    """The next due date of its running clocks."""
    late: str | None
    """That it is due already, or that the reply is expected after it is due."""
    last: str | None
    moves: tuple[str, ...]


def places(listing: QueueListing, judged: Mapping[str, TicketAnswer], to: Audience) -> list[Place]:
    """The places of a listing, in its order. A ticket that cannot be evaluated has no title and no due date."""
    return [_place(each, judged.get(each.ticket), to) for each in listing.waiting]


def why_no_forecast(words: Words, reason: Reason | None) -> str | None:
    """Why no reply can be forecast, as a sentence without its full stop."""
    if reason is None:
        return None
    params = dict(reason.params or {})
    if reason.code is ReasonCode.TOO_FEW_REPLIES and params["replies"] == 0:
        return words.say(_NO_REPLY, days=params["days"])
    if reason.code is ReasonCode.TOO_FEW_REPLIES:
        return words.count(_FEW_REPLIES, int(str(params["replies"])), days=params["days"])
    return words.say(_REASONS[reason.code], **params)


def _place(waiting: Waiting, answer: TicketAnswer | None, to: Audience) -> Place:
    fields = {} if answer is None else answer.evaluation.ticket.fields
    due_at, reply_at = _due(answer), waiting.expected_reply_at
    title = fields.get("title")
    moves = tuple(_move(each, to) for each in reversed(waiting.moves))
    return Place(
        ticket=waiting.ticket,
        position=waiting.position,
        title=None if title is None else str(title),
        about=", ".join(str(fields[name]) for name in ("customer", "plan", "level") if fields.get(name)),
        waited=to.since(waiting.joined_at),
        since=to.at(waiting.joined_at),
        reply=None if reply_at is None else to.at(reply_at),
        due=None if due_at is None else to.words.say(N_("due {when}"), when=to.at(due_at)),
        late=None if due_at is None else _late(due_at, reply_at, to),
        last=next(iter(moves), None),
        moves=moves,
    )


def _late(due_at: Micros, reply_at: Micros | None, to: Audience) -> str | None:
    if due_at < to.now:
        return to.words.say(N_("overdue since {when}"), when=to.at(due_at))
    if reply_at is not None and reply_at > due_at:
        return to.words.say(N_("too late: due {when}"), when=to.at(due_at))
    return None


def _due(answer: TicketAnswer | None) -> Micros | None:
    clocks = () if answer is None else answer.evaluation.clocks
    due = [view.due_at for view in clocks if view.due_at is not None and view.state is RUNNING]
    return min(due, default=None)


def _move(move: Move, to: Audience) -> str:
    cause = named(to.words, {**MOVES, **LEFT_QUEUE}, move.cause)
    return to.words.say(N_("{what}, {when}"), what=f"{cause[:1].upper()}{cause[1:]}", when=to.at(move.at))
