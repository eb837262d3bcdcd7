"""Lines of the overview: a queue with how many wait, who is next, and when the last of them can expect a reply."""

from dataclasses import dataclass

from app.flow.query.queues import QueueListing
from app.web.pages.queues.places import Audience, why_no_forecast


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A queue. `first_since` is how long the first ticket has waited."""

    desk: str
    queue: str
    length: int
    first: str | None
    first_since: str | None
    reply: str | None
    reason: str | None


def queue_line(listing: QueueListing, to: Audience) -> QueueLine:
    """The line of a queue, from a listing of its first ticket."""
    first = next(iter(listing.waiting), None)
    if first is None:  # it was emptied meanwhile
        return QueueLine(listing.desk, listing.queue, listing.length, None, None, None, None)
    waited = to.since(first.joined_at)
    expected = first.expected_reply_at
    reply = None if expected is None else to.words.written(expected, to.zone, to.now)
    reason = why_no_forecast(to.words, listing.reason)
    return QueueLine(listing.desk, listing.queue, listing.length, first.ticket, waited, reply, reason)
