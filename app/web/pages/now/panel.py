"""The side panel: one ticket without leaving the list. What is due when, what stops it, who has it, what can be done."""

from dataclasses import dataclass

from app.delivery.wording.phrases import N_
from app.flow.query.answer import TicketAnswer
from app.flow.query.open_tickets import OpenTicket
from app.sla.clock.transition import LIVE, RUNNING
from app.sla.clock.view import ClockView
from app.web.pages.frame.vocabulary import FACTS, LATE, named
from app.web.pages.frame.words import Words
from app.web.pages.now.rows import Audience, Left, Row, is_just_late, label_of, left, row, zone_of


@dataclass(frozen=True, slots=True)
class PanelClock:
    """One open clock: its label, its time left, what it is late for, and what stops it."""

    label: str
    left: Left
    is_late: bool
    breached: str | None
    stops_with: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What the panel shows. `row` is none when no clock of the ticket is open any more."""

    desk: str
    ticket: str
    title: str | None
    url: str | None
    row: Row | None
    clocks: tuple[PanelClock, ...]
    status: str


def panel(found: OpenTicket, to: Audience) -> Panel | None:
    """The panel of a ticket; None where it cannot be evaluated."""
    answer = found.answer
    if answer is None:
        return None
    fields = answer.evaluation.ticket.fields
    title, url = fields.get("title"), fields.get("url")
    clocks = [view for view in answer.evaluation.clocks if view.state in LIVE]
    clocks.sort(key=lambda view: (view.state is not RUNNING, view.due_at or 0))
    return Panel(
        desk=answer.desk,
        ticket=answer.ticket,
        title=None if title is None else str(title),
        url=None if url is None else str(url),
        row=row(found, to),
        clocks=tuple(_clock(answer, view, to) for view in clocks),
        status=answer.evaluation.ticket.status,
    )


def _clock(answer: TicketAnswer, view: ClockView, to: Audience) -> PanelClock:
    words = to.words
    breached = None
    if view.breached_at is not None and not is_just_late(view):
        when = words.written(view.breached_at, zone_of(answer, view), to.now)
        breached = words.say(N_("{what}: {when}"), what=named(words, LATE, view.kind.value), when=when)
    return PanelClock(
        label_of(answer, view, words),
        left(answer, view, to),
        view.breached_at is not None,
        breached,
        _stops_with(answer, view, words),
    )


def _stops_with(answer: TicketAnswer, view: ClockView, words: Words) -> str:
    account = answer.evaluation.histories.get((view.commitment, view.cycle_id))
    if account is None:
        return ""
    commitment = account.clock.terms.commitment
    facts = sorted(commitment.stops_on) + [f"status:{each}" for each in sorted(commitment.stop_statuses)]
    return words.either(*(named(words, FACTS, fact) for fact in facts)) if facts else ""
