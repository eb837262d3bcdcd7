"""Starts a simulation by a form: what `POST /v1/simulations` does, with faults in the reader's language."""

from datetime import date, timedelta
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.flow.simulation.draft import Draft, Question, sides_of
from app.flow.simulation.supervisor import AnotherRuns
from app.sla.calendar.zone import Zone, zone
from app.sla.span import Span, length_of
from app.store.audit import acting
from app.store.contracts.catalogue import UnknownDesk
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader

_DATE: Final = N_("Write a date as 2026-12-24.")
_NOT_AFTER: Final = N_("The last day must lie after the first.")
_TOO_LONG: Final = N_("Choose {days} days at most.")
_TOO_MANY: Final = N_("Try {n} changes at most.")
_RUNNING: Final = N_("A simulation of this desk is running. Wait until it has ended, or cancel it.")


class NotStarted(ValueError):
    """Why no simulation was started: the field, and a phrase with its values."""

    def __init__(self, place: str, phrase: str, **values: Any) -> None:
        super().__init__(phrase)
        self.place, self.phrase, self.values = place, phrase, values


async def start_simulation(reader: Reader, desk: str, first: str, end: str, draft: Draft) -> str:
    """Judge again the tickets created from the first date on, before the end, both of the desk. Returns the id.

    Raises NotStarted, FaultyFiles and FaultyContracts with every fault of the draft, and the 404 problem.
    """
    parts, settings = reader.runtime, reader.runtime.settings
    if len(draft.changes) > settings.simulation_changes_max:
        raise NotStarted("changes", _TOO_MANY, n=settings.simulation_changes_max)
    try:
        current = await reader.read(lambda conn: parts.catalogue.in_force(conn, desk, at=reader.now))
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    span = _span(first, end, zone(current.agreement.time_zone), settings.simulation_span_max)
    question = Question(desk, span, reader.now, draft)
    await parts.database.read(lambda conn: sides_of(conn, parts.catalogue, question))
    try:
        return await parts.simulations.start(question, acting.get().who)
    except AnotherRuns as error:
        raise NotStarted("", _RUNNING) from error


def _span(first: str, end: str, local: Zone, longest: timedelta) -> Span:
    since, until = _midnight("from", first, local), _midnight("to", end, local)
    if until <= since:
        raise NotStarted("to", _NOT_AFTER)
    if until - since > length_of(longest):
        raise NotStarted("to", _TOO_LONG, days=longest.days)
    return Span(since, until)


def _midnight(place: str, text: str, local: Zone) -> int:
    try:
        on = date.fromisoformat(text)
        return max(0, local.end_of_day(on - timedelta(days=1)))
    except (ValueError, OverflowError) as error:
        raise NotStarted(place, _DATE) from error
