"""What an embedded ticket shows: its open clocks, the most urgent first, what became of the others, and its place in
the queue. In the reader's words; instants are microseconds UTC."""

from dataclasses import dataclass, replace
from typing import Final

from app.delivery.wording.language import Language
from app.delivery.wording.phrases import N_
from app.flow.query.answer import QueueAnswer, TicketAnswer
from app.sla.clock.transition import LIVE, PAUSED, RUNNING, STOPPED
from app.sla.clock.view import ClockView
from app.sla.span import SECOND, Micros
from app.web.pages.embed.visitor import ROOM
from app.web.pages.frame.rendering import words_of
from app.web.pages.frame.vocabulary import LATE, named
from app.web.pages.frame.words import Words
from app.web.pages.now.rows import Audience, Left, is_just_late, label_of, left, zone_of

_NOW: Final = "now"
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class OpenClock:
    """An open clock: the time left, how much of the target is used, in percent, and what it is late for."""

    label: str
    left: Left
    mood: str
    breached: str | None
    used: int | None
    used_text: str


@dataclass(frozen=True, slots=True)
class EndedClock:
    """The latest cycle of a commitment, which has ended."""

    label: str
    is_late: bool
    text: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """All of it. `badge`: the most urgent in a few words, with its mood."""

    open: tuple[OpenClock, ...]
    ended: tuple[EndedClock, ...]
    place: str | None
    badge: tuple[str, str, str]


def clocks_of(answer: TicketAnswer | None, language: Language, now: Micros, zone: str | None) -> Clocks:
    """The clocks of a ticket; None: nothing is known of it yet."""
    own = words_of(ROOM, language)
    if answer is None:
        return Clocks((), (), None, ("SLA", own.say(N_("no clock")), "still"))
    # The time left is written as on the page of all tickets, by its phrases.
    to = Audience(words_of(_NOW, language, zone), now)
    live = sorted((view for view in answer.evaluation.clocks if view.state in LIVE), key=_urgency)
    opened = tuple(_open(answer, view, to, own) for view in live)
    latest = {view.commitment: view for view in answer.evaluation.clocks}
    ended = tuple(_ended(answer, view, to, own) for view in latest.values() if view.state is STOPPED)
    place = None if answer.queue is None else _place(answer.queue, own)
    return Clocks(opened, ended, place, _badge(answer, live, opened, ended, to, own))


def _urgency(view: ClockView) -> tuple[int, int]:
    order = 0 if view.state is RUNNING else 1 if view.state is PAUSED else 2
    return order, view.due_at or view.started_at or 0


def _open(answer: TicketAnswer, view: ClockView, to: Audience, own: Words) -> OpenClock:
    shown = left(answer, view, to)
    used, used_text = _used(view, own)
    late = None
    if view.breached_at is not None and not is_just_late(view):
        late = f"{named(own, LATE, view.kind.value)}: {_when(answer, view, view.breached_at, to)}"
    mood = "late" if view.breached_at is not None else "still" if shown.is_still else "running"
    return OpenClock(label_of(answer, view, to.words), shown, mood, late, used, used_text)


def _used(view: ClockView, own: Words) -> tuple[int | None, str]:
    if not view.target_length:
        return None, ""
    counted, target = (own.length(each // SECOND) for each in (view.counted, view.target_length))
    share = min(_FULL, _FULL * view.counted // view.target_length)
    return share, own.say(N_("{used} of {target}"), used=counted, target=target)


def _ended(answer: TicketAnswer, view: ClockView, to: Audience, own: Words) -> EndedClock:
    is_late = view.breached_at is not None
    when = "" if view.stopped_at is None else _when(answer, view, view.stopped_at, to)
    text = own.say(N_("missed, {when}") if is_late else N_("met, {when}"), when=when)
    return EndedClock(label_of(answer, view, to.words), is_late, text)


def _when(answer: TicketAnswer, view: ClockView, at: Micros, to: Audience) -> str:
    return to.words.written(at, zone_of(answer, view), to.now)


def _place(queue: QueueAnswer, own: Words) -> str | None:
    if queue.position is None or queue.length is None:
        return None
    position, length = own.number(queue.position), own.number(queue.length)
    return own.say(
        N_("{position} of {length} in the queue {queue}"), position=position, length=length, queue=queue.name
    )


def _badge(
    answer: TicketAnswer,
    live: list[ClockView],
    opened: tuple[OpenClock, ...],
    ended: tuple[EndedClock, ...],
    to: Audience,
    own: Words,
) -> tuple[str, str, str]:
    if opened:
        first, view = opened[0], live[0]
        if view.state is RUNNING and view.due_at is not None and view.breached_at is None:
            return (
                first.label,
                own.say(N_("due {when}"), when=_when(answer, view, view.due_at, replace(to, words=own))),
                "running",
            )
        return first.label, first.breached or first.left.text, first.mood
    if not ended:
        return "SLA", own.say(N_("no clock")), "still"
    is_late = any(each.is_late for each in ended)
    return "SLA", own.say(N_("missed") if is_late else N_("met")), "late" if is_late else "met"
