"""Rows of the list: a ticket with its most urgent clock, in the reader's words. Instants are microseconds UTC."""

from dataclasses import dataclass, replace
from typing import Final

from app.delivery.wording.language import nearest
from app.delivery.wording.phrases import N_
from app.flow.query.answer import QueueAnswer, TicketAnswer
from app.flow.query.open_tickets import OpenTicket, Urgency
from app.sla.calendar import Calendar, NeverCloses, NeverOpen, UncoveredYear
from app.sla.clock.transition import LIVE, PAUSED, RUNNING
from app.sla.clock.view import ClockView
from app.sla.span import SECOND, Micros
from app.store.tickets.breaches import Breach
from app.web.pages.frame.vocabulary import LATE, MOVES, awaited, named
from app.web.pages.frame.words import Note, Words

_MILLISECOND: Final = SECOND // 1000
_FULL: Final = 100
_FIRST_CAUSES: Final = frozenset({"created", "message"})
"""Causes of joining a queue that go without saying."""


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom and when a row is written: the words and the instant."""

    words: Words
    now: Micros


@dataclass(frozen=True, slots=True)
class Left:
    """The time left of a clock. `seconds` is what was left at the instant of the answer; it runs until `until`, in
    milliseconds, or stands still."""

    text: str
    seconds: int | None = None
    until: int | None = None
    notes: tuple[Note, ...] = ()
    is_still: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket waits: its position, and why it is there."""

    queue: str
    text: str
    note: Note | None


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket of the list."""

    desk: str
    ticket: str
    urgency: Urgency
    is_late: bool
    title: str | None
    about: str
    """The customer, and the plan or level."""
    url: str | None
    left: Left
    commitment: str
    used: int
    """Percent of the target that is used, 100 at most."""
    used_text: str
    others: int
    """Further open clocks."""
    assignee: str | None
    group: str | None
    place: Place | None
    breach: Breach | None
    spoken: str
    """What is announced when the ticket becomes late."""

    @property
    def key(self) -> str:
        """The row's key: desk and ticket."""
        return f"{self.desk}/{self.ticket}"


def row(found: OpenTicket, to: Audience, commitment: str | None = None) -> Row | None:
    """The row of a ticket; None where it was not evaluated or nothing of it is open any more. `commitment`: only its
    clocks are considered."""
    answer = found.answer
    if answer is None:
        return None
    clocks = [view for view in answer.evaluation.clocks if view.state in LIVE]
    shown = sorted((view for view in clocks if commitment in (None, view.commitment)), key=_urgency)
    if not shown:
        return None
    return row_of(found, answer, shown[0], len(clocks) - 1, to, left(answer, shown[0], to))


def _urgency(view: ClockView) -> tuple[int, int]:
    """Running clocks by due date, then paused ones, then those that wait."""
    if view.state is RUNNING:
        return 0, view.due_at or 0
    return (1, view.started_at or 0) if view.state is PAUSED else (2, view.awaiting_since or 0)


def row_of(
    found: OpenTicket, answer: TicketAnswer, view: ClockView, others: int, to: Audience, shown: Left
) -> Row:
    """The row of one clock of a ticket, with so many others behind it; `shown` is what it says about time."""
    words, fields = to.words, answer.evaluation.ticket.fields
    label = label_of(answer, view, words)
    breach = next((each for each in found.breaches if each.clock_state in LIVE), None)
    used, used_text = _used(view, words)
    is_late = view.breached_at is not None
    return Row(
        desk=answer.desk,
        ticket=answer.ticket,
        urgency=found.key.urgency,
        is_late=is_late,
        title=_text(fields.get("title")),
        about=", ".join(str(fields[name]) for name in ("customer", "plan", "level") if fields.get(name)),
        url=_text(fields.get("url")),
        left=shown,
        commitment=label,
        used=used,
        used_text=used_text,
        others=others,
        assignee=_text(fields.get("assignee")),
        group=_text(fields.get("group")),
        place=None if answer.queue is None else _place(answer, answer.queue, to),
        breach=breach,
        spoken=f"{named(words, LATE, view.kind.value)}: {label}, {answer.desk} {answer.ticket}",
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def calendar_of(answer: TicketAnswer, view: ClockView) -> Calendar | None:
    """The calendar that a clock counts in."""
    account = answer.evaluation.histories.get((view.commitment, view.cycle_id))
    return None if account is None or account.regime is None else account.regime.calendar


def zone_of(answer: TicketAnswer, view: ClockView) -> str:
    """The zone of a clock's times: that of its calendar, else the desk's."""
    calendar = calendar_of(answer, view)
    return calendar.time_zone if calendar else answer.evaluation.agreement.time_zone


def label_of(answer: TicketAnswer, view: ClockView, words: Words) -> str:
    """The label of a clock's commitment, in the reader's language if the agreement has it."""
    account = answer.evaluation.histories.get((view.commitment, view.cycle_id))
    labels = {} if account is None else dict(account.clock.terms.commitment.labels)
    return nearest(words.language.value, labels) or view.label


def is_just_late(view: ClockView) -> bool:
    """Whether a clock was breached as its calendar closed, so that no time over its target has counted yet."""
    return view.breached_at is not None and view.open_now is False and (view.remaining or 0) // SECOND == 0


def left(answer: TicketAnswer, view: ClockView, to: Audience) -> Left:
    """The time left of an open clock, and the notes below it."""
    words, now = to.words, to.now
    calendar, zone = calendar_of(answer, view), zone_of(answer, view)
    if view.state is PAUSED:
        return _paused(view, words)
    if view.state is not RUNNING or view.remaining is None or view.due_at is None:
        waits = words.say(N_("waits for {what}"), what=awaited(words, view.awaiting)) if view.awaiting else ""
        return Left(words.say(N_("Waiting")), notes=(Note(waits),) if waits else (), is_still=True)
    seconds = view.remaining // SECOND
    due = words.note(N_("due {when}"), view.due_at, zone, now)
    if view.open_now:
        return Left(words.left(seconds), seconds, _until(calendar, now), (due,))
    closed = _closed(calendar, words, now)
    if view.breached_at is not None and is_just_late(view):
        breached = words.note(N_("breached {when}"), view.breached_at, zone, now)
        return Left(words.say(N_("Overdue")), notes=(breached, closed), is_still=True)
    return Left(words.left(seconds), seconds, None, (closed, due), is_still=True)


def _paused(view: ClockView, words: Words) -> Left:
    if view.remaining is None:
        return Left(words.say(N_("Paused")), is_still=True)
    note = words.say(N_("{time} left when it resumes"), time=words.length(max(0, view.remaining // SECOND)))
    return Left(words.say(N_("Paused")), notes=(Note(note),), is_still=True)


def _until(calendar: Calendar | None, now: Micros) -> int:
    """Until when a running clock counts: its calendar's next closing."""
    try:
        closing = None if calendar is None else calendar.next_close_us(now)
    except (NeverCloses, NeverOpen, UncoveredYear):
        closing = None
    return (now + 366 * 86_400 * SECOND if closing is None else closing) // _MILLISECOND


def _closed(calendar: Calendar | None, words: Words, now: Micros) -> Note:
    try:
        opens = None if calendar is None else calendar.next_open_us(now)
    except (NeverOpen, UncoveredYear):
        opens = None
    if calendar is None or opens is None:
        return Note(words.say(N_("closed")))
    return words.note(N_("closed until {when}"), opens, calendar.time_zone, now, is_until=True)


def _used(view: ClockView, words: Words) -> tuple[int, str]:
    if not view.target_length:
        return 0, ""
    share = _FULL * view.counted // view.target_length
    text = words.say(
        N_("{used} of {target}"),
        used=words.length(view.counted // SECOND),
        target=words.length(view.target_length // SECOND),
    )
    return min(_FULL, share), text


def _place(answer: TicketAnswer, queue: QueueAnswer, to: Audience) -> Place:
    words = to.words
    text = words.say(
        N_("{position} of {length}"),
        position="?" if queue.position is None else words.number(queue.position),
        length="?" if queue.length is None else words.number(queue.length),
    )
    if not queue.moves:
        return Place(queue.name, text, None)
    last = queue.moves[-1]
    since = words.note(N_("since {when}"), last.at, answer.evaluation.agreement.time_zone, to.now)
    if last.cause in _FIRST_CAUSES:
        return Place(queue.name, text, since)
    return Place(queue.name, text, replace(since, text=f"{named(words, MOVES, last.cause)}, {since.text}"))
