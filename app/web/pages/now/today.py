"""What was decided today, as the list of Now shows it: the clocks that were breached, then those that were met."""

from collections.abc import Mapping
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.flow.query.answer import TicketAnswer
from app.flow.query.open_tickets import DecidedClock, DecidedToday, OpenKey, OpenTicket, Urgency
from app.sla.clock.view import ClockView
from app.web.pages.frame.words import Note
from app.web.pages.now.rows import Audience, Left, Row, row_of, zone_of

_GROUPS: Final = {False: (Urgency.OVERDUE, N_("Missed today")), True: (Urgency.REST, N_("Kept today"))}
"""By whether a clock was met, in the order of the list."""


def groups(found: DecidedToday, counts: Mapping[bool, int], to: Audience) -> list[dict[str, Any]]:
    """The groups of the list with their rows, and the count of the whole group."""
    made: list[dict[str, Any]] = []
    for is_met, (urgency, title) in _GROUPS.items():
        rows = [shown for each in found.clocks if each.is_met is is_met and (shown := _row(found, each, to))]
        if rows:
            named = {"name": urgency.name.lower(), "title": to.words.say(title)}
            made.append({**named, "count": counts[is_met], "rows": rows})
    return made


def _row(found: DecidedToday, clock: DecidedClock, to: Audience) -> Row | None:
    """The row of a clock; None if it is no longer as the list has it, since the two were read one after the other."""
    answer = found.tickets.get((clock.desk, clock.ticket))
    view = None if answer is None else _view(answer, clock)
    if answer is None or view is None:
        return None
    urgency = _GROUPS[clock.is_met][0]
    ticket = OpenTicket(OpenKey(clock.desk, clock.ticket, urgency), answer)
    return row_of(ticket, answer, view, 0, to, _decided(answer, view, clock, to))


def _view(answer: TicketAnswer, clock: DecidedClock) -> ClockView | None:
    mine = (clock.commitment, clock.cycle)
    return next((each for each in answer.evaluation.clocks if (each.commitment, each.cycle_id) == mine), None)


def _decided(answer: TicketAnswer, view: ClockView, clock: DecidedClock, to: Audience) -> Left:
    words, zone = to.words, zone_of(answer, view)
    text = words.say(N_("Kept")) if clock.is_met else words.say(N_("Missed"))
    phrase = N_("met {when}") if clock.is_met else N_("breached {when}")
    notes: tuple[Note, ...] = (words.note(phrase, clock.at, zone, to.now),)
    if view.due_at is not None:
        notes += (words.note(N_("due {when}"), view.due_at, zone, to.now),)
    return Left(text, notes=notes, is_still=clock.is_met)
