"""The clocks of a ticket: a sentence each, what stops it, and the explanation of those that are shown.

Instants are microseconds UTC; a clock's local times are those of its calendar.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from app.delivery.wording.phrases import N_
from app.flow.query.answer import TicketAnswer
from app.flow.query.tickets import Acknowledgement, Breach
from app.sla.calendar import Calendar, NeverCloses, NeverOpen, UncoveredYear
from app.sla.clock.transition import AWAITING, CANCELLED, LIVE, PAUSED, RUNNING
from app.sla.clock.view import ClockView
from app.sla.span import SECOND, Micros
from app.web.pages.frame.vocabulary import FACTS, KINDS, LATE, awaited, named
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.explained import Explained, explained, kept_label, target_text
from app.web.pages.ticket.reasons import reason_text
from app.web.pages.ticket.vocabulary import FLAGS, STATES

_MILLISECOND: Final = SECOND // 1000
_UNKNOWN: Final = (NeverCloses, NeverOpen, UncoveredYear)
_STATUS: Final = "status:"


@dataclass(frozen=True, slots=True)
class Facet:
    """A property of a clock, in words."""

    name: str
    text: str
    path: str | None = None
    """The page about it."""


@dataclass(frozen=True, slots=True)
class Left:
    """The time left of a clock. `seconds` was left at the instant of the answer; it runs until `until`, in
    milliseconds, or stands still."""

    text: str
    seconds: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that a person can record with a button: its name of the API, and its phrase."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """One clock."""

    key: str
    commitment: str
    label: str
    cycle: int
    kind: str
    state: str
    state_text: str
    situation: str
    """Which sentence says how it stands: see `clock.html`."""
    due: str | None
    left: Left
    opens: str | None
    """When its calendar opens again, while that is closed."""
    why: str | None
    """The cause of a pause or a cancellation; what it waits for."""
    late: str | None
    late_at: str | None
    taken: str | None
    """Who has taken the breach on, with the note."""
    breach: str | None
    """The id of its breach while that is not taken on."""
    facets: tuple[Facet, ...]
    facts: tuple[Fact, ...]
    flags: tuple[str, ...]
    explained: Explained | None
    is_live: bool


def cards(answer: TicketAnswer, breaches: Iterable[Breach], to: Audience, chosen: str | None) -> list[Card]:
    """All clocks, those that go on first. The timeline of those, of the only one, and of the chosen one is shown."""
    views = sorted(answer.evaluation.clocks, key=lambda view: view.state not in LIVE)
    found = {(each.commitment, each.cycle): each for each in breaches}
    cards = [
        _card(answer, view, to, shown=view.state in LIVE or len(views) == 1 or _key(view) == chosen)
        for view in views
    ]
    return [
        _with_breach(card, found.get((view.commitment, view.cycle_id)), to)
        for card, view in zip(cards, views, strict=True)
    ]


def _with_breach(card: Card, breach: Breach | None, to: Audience) -> Card:
    if breach is None:
        return card
    taken = _taken(breach.acknowledgement, to)
    return replace(card, taken=taken, breach=None if taken or breach.retracted_at is not None else breach.id)


def _taken(seen: Acknowledgement | None, to: Audience) -> str | None:
    if seen is None:
        return None
    text = to.words.say(N_("Taken on by {name}, {when}"), name=seen.author, when=to.stamp(seen.at))
    return f"{text}: {seen.note}" if seen.note else text


def _key(view: ClockView) -> str:
    return f"{view.commitment}/{view.cycle}"


def changes_at(answer: TicketAnswer, now: Micros) -> int | None:
    """When the page next looks different though nothing happens, in milliseconds: a calendar opens or closes, or a
    clock changes."""
    ahead: list[Micros] = []
    for view in answer.evaluation.clocks:
        if view.state not in LIVE:
            continue
        changes = _change(_calendar(answer, view), view.open_now, now) if view.state is RUNNING else None
        ahead += [at for at in (changes, view.next_at) if at is not None and at > now]
    return min(ahead) // _MILLISECOND if ahead else None


def _calendar(answer: TicketAnswer, view: ClockView) -> Calendar | None:
    account = answer.evaluation.histories.get((view.commitment, view.cycle_id))
    return None if account is None or account.regime is None else account.regime.calendar


def _change(calendar: Calendar | None, open_now: bool | None, now: Micros) -> Micros | None:
    """When a calendar next closes or opens; None for never, or not known."""
    if calendar is None:
        return None
    try:
        return calendar.next_close_us(now) if open_now else calendar.next_open_us(now)
    except _UNKNOWN:
        return None


def _card(answer: TicketAnswer, view: ClockView, to: Audience, *, shown: bool) -> Card:
    words, calendar = to.words, _calendar(answer, view)
    zone = calendar.time_zone if calendar else to.zone
    due = view.due_at if view.state is not PAUSED else view.due_if_resumed_now
    changes = _change(calendar, view.open_now, to.now)
    is_closed = view.state is RUNNING and view.open_now is False
    return Card(
        key=_key(view),
        commitment=view.commitment,
        label=kept_label(answer, view.commitment, to),
        cycle=view.cycle,
        kind=words.say(KINDS[view.kind.value]),
        state=view.state.value,
        state_text=words.say(STATES[view.state.value]),
        situation=_situation(view, calendar),
        due=None if due is None else to.stamp(due, zone),
        left=_left(view, changes, to),
        opens=to.stamp(changes, zone) if is_closed and changes is not None else None,
        why=_why(view, to),
        late=None if view.breached_at is None else words.say(LATE[view.kind.value]),
        late_at=None if view.breached_at is None else to.stamp(view.breached_at, zone),
        taken=None,
        breach=None,
        facets=tuple(_facets(view, zone, to)),
        facts=tuple(_facts(answer, view, to)),
        flags=tuple(words.say(FLAGS[flag]) if flag in FLAGS else flag for flag in view.flags),
        explained=explained(answer, view, to) if shown else None,
        is_live=view.state in LIVE,
    )


def _situation(view: ClockView, calendar: Calendar | None) -> str:
    """Which sentence is true of a clock."""
    if view.state is RUNNING:
        if view.remaining is None or view.due_at is None:
            return "unknown"
        is_real_time = calendar is not None and calendar.is_always
        if view.breached_at is not None:
            return "late_elapsed" if is_real_time else "late"
        if view.open_now is False:
            return "closed"
        return "elapsed" if is_real_time else "working"
    if view.state is PAUSED:
        return "paused" if view.remaining is not None and view.due_if_resumed_now is not None else "stands"
    if view.state is AWAITING or view.state is CANCELLED:
        return view.state.value
    return "missed" if view.met is False else "met"


def _left(view: ClockView, changes: Micros | None, to: Audience) -> Left:
    if view.remaining is None:
        return Left("–")  # noqa: RUF001 - the dash for nothing
    seconds = view.remaining // SECOND
    if view.state is not RUNNING:
        return Left(to.words.left(max(0, seconds)))
    if not view.open_now:
        return Left(to.words.left(seconds), seconds)
    until = to.now + 366 * 86_400 * SECOND if changes is None else changes
    return Left(to.words.left(seconds), seconds, until // _MILLISECOND)


def _why(view: ClockView, to: Audience) -> str | None:
    if view.state is AWAITING:
        return awaited(to.words, view.awaiting) if view.awaiting else None
    if view.state in (PAUSED, CANCELLED) and view.cause is not None:
        return reason_text(view.cause, to)
    return None


def _facets(view: ClockView, zone: str, to: Audience) -> list[Facet]:
    words = to.words
    found = [Facet(words.say(N_("Target")), target_text(view.target, view.target_length, to))]
    if view.started_at is not None:
        found.append(Facet(words.say(N_("Counted")), words.length(view.counted // SECOND)))
        found.append(Facet(words.say(N_("Started")), to.stamp(view.started_at, zone)))
    if view.awaiting_since is not None:
        found.append(Facet(words.say(N_("Waiting since")), to.stamp(view.awaiting_since, zone)))
    if view.stopped_at is not None:
        found.append(Facet(words.say(N_("Stopped")), to.stamp(view.stopped_at, zone)))
    if view.calendar is not None:
        why = "" if view.calendar_reason is None else f" ({reason_text(view.calendar_reason, to)})"
        found.append(Facet(words.say(N_("Calendar")), f"{view.calendar}{why}", _calendar_page(view.calendar)))
    return [each for each in found if each.text]


def _calendar_page(name: str) -> str | None:
    """The path of the page of a calendar; None for `always`, which is no desk's."""
    desk, slash, own = name.partition("/")
    return f"/calendars/{quote(desk, safe='')}?calendar={quote(own, safe='')}" if slash else None


def _facts(answer: TicketAnswer, view: ClockView, to: Audience) -> list[Fact]:
    """The facts that a clock waits for or, once it runs, those that stop it."""
    if view.state is AWAITING:
        names = list(dict.fromkeys(name for each in view.awaiting for name in each.split("|")))
        return [_fact(name, to) for name in names]
    account = answer.evaluation.histories.get((view.commitment, view.cycle_id))
    if account is None or view.state not in LIVE:
        return []
    commitment = account.clock.terms.commitment
    names = [*sorted(commitment.stops_on), *(_STATUS + each for each in sorted(commitment.stop_statuses))]
    return [_fact(name, to) for name in names]


def _fact(name: str, to: Audience) -> Fact:
    text = named(to.words, FACTS, name)
    return Fact(name, text[:1].upper() + text[1:])
