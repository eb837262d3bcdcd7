"""The list behind a figure: the clocks, steps in queues, services or credits that it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from app.delivery.wording.phrases import N_
from app.flow.query.credit_reports import credits_behind
from app.flow.query.queue_reports import steps_behind
from app.flow.query.report_scope import Asked
from app.flow.query.reports import clocks_behind
from app.flow.query.uptime_reports import uptimes_behind
from app.settings import Settings
from app.sla.agreement.agreement import Agreement
from app.sla.calendar.zone import zone
from app.sla.report.measure import COMMITMENT, SPLITS, Measure, ReportedClock
from app.sla.report.object_report import CountedUptime
from app.sla.report.queue_report import QueueStep
from app.sla.span import SECOND, Micros, Span
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.web.pages.frame.addresses import ticket_path
from app.web.pages.frame.labels import rule_labels
from app.web.pages.frame.vocabulary import CREDIT_STATES, KINDS, MOVES, named
from app.web.pages.frame.words import Words, local
from app.web.pages.reports import wording
from app.web.pages.reports.behind_query import KEYS, BehindQuery, Of
from app.web.pages.reports.ranges import Range
from app.web.pages.reports.section import Cell

_NONE: Final = "\u2013"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list: its columns, its rows, and the cursor of the next page."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    next: str | None
    about: str = ""
    """The dates and the values that are asked for."""
    back: str = "/reports"
    """The reports of these dates."""


@dataclass(frozen=True, slots=True)
class Lister:
    """Writes what a figure counts, in the words of the reader and the desk's time zone."""

    words: Words
    agreement: Agreement
    desk: str
    now: Micros

    def clocks(self, found: Sequence[ReportedClock], following: str | None) -> Listed:
        """Clocks, each with its ticket."""
        heads = (N_("Ticket"), N_("Commitment"), N_("Started"), N_("Ended"), N_("Used"), N_("Outcome"))
        return self._listed(heads, [self._clock(each) for each in found], following)

    def steps(self, found: Sequence[QueueStep], following: str | None) -> Listed:
        """Steps of tickets in queues."""
        heads = (N_("Ticket"), N_("Queue"), N_("When"), N_("What"), N_("Reason"), N_("Waited"))
        return self._listed(heads, [self._step(each) for each in found], following)

    def uptimes(self, found: Sequence[CountedUptime]) -> Listed:
        """Services or contracts, those with most downtime first."""
        heads = (N_("Service"), N_("Commitment"), N_("Downtime"), N_("Interruptions"), N_("Below target"))
        ordered = sorted(found, key=lambda each: -each.downtime)
        return self._listed(heads, [self._uptime(each) for each in ordered], None)

    def credits(self, found: Sequence[Mapping[str, Any]]) -> Listed:
        """Credits of contracts."""
        heads = (N_("Contract"), N_("Customer"), N_("Credit"), N_("Arose"), N_("Amount"), N_("State"))
        return self._listed(heads, [self._credit(each) for each in found], None)

    def _listed(self, heads: Sequence[str], rows: Sequence[Sequence[Cell]], following: str | None) -> Listed:
        return Listed(tuple(self.words.say(head) for head in heads), rows, following)

    def _clock(self, clock: ReportedClock) -> list[Cell]:
        figures, words = clock.figures, self.words
        used = _NONE
        if figures.counted is not None and figures.target_length:
            lengths = (words.length(each // SECOND) for each in (figures.counted, figures.target_length))
            used = words.say(N_("{used} of {target}"), **dict(zip(("used", "target"), lengths, strict=True)))
        outcome = words.say(N_("running"))
        if figures.ended_at is not None:
            outcome = named(words, wording.OUTCOMES, clock.outcome.value)
        if clock.breached_at is not None:
            late = self._when(clock.breached_at)
            cause = named(words, wording.CAUSES, figures.late_cause or "")
            outcome = words.say(N_("late since {when} ({cause})"), when=late, cause=cause)
        return [
            self._ticket(clock.ticket),
            _text(self.label(clock.commitment)),
            _text(self._when(figures.started_at)),
            _text(self._when(figures.ended_at)),
            _text(used),
            _text(outcome),
        ]

    def _step(self, step: QueueStep) -> list[Cell]:
        words = self.words
        causes = {**MOVES, **(wording.LEFT if step.waited is not None else {})}
        waited = _NONE if step.waited is None else words.length(step.waited // SECOND)
        return [
            self._ticket(step.ticket),
            Cell(step.queue, f"/queues/{quote(self.desk, safe='')}/{quote(step.queue, safe='')}", False),
            _text(self._when(step.at)),
            _text(named(words, wording.STEPS, step.step.value)),
            _text(named(words, causes, step.cause)),
            Cell(waited),
        ]

    def _uptime(self, found: CountedUptime) -> list[Cell]:
        words = self.words
        return [
            Cell(
                str(found.of["service"] or found.of["contract"]), f"/services?desk={quote(self.desk)}", False
            ),
            _text(self.label(str(found.of[COMMITMENT]))),
            Cell(words.length(found.downtime // SECOND)),
            Cell(words.number(found.interruptions)),
            _text(self._when(found.breached_at)),
        ]

    def _credit(self, found: Mapping[str, Any]) -> list[Cell]:
        return [
            Cell(str(found["contract"]), f"/credits?desk={quote(self.desk)}", False),
            _text(str(found["customer"] or _NONE)),
            _text(self.label(str(found["credit"]))),
            _text(str(found["caused_at"])[:10]),
            Cell(wording.money(self.words, found["amount"], found["currency"])),
            _text(named(self.words, CREDIT_STATES, found["state"])),
        ]

    def _ticket(self, ticket: str) -> Cell:
        return Cell(ticket, ticket_path(self.desk, ticket), is_number=False)

    def label(self, rule: str) -> str:
        """The label of a commitment or a credit; the id of one of an earlier version."""
        return rule_labels(self.agreement, self.words.language).get(rule, rule)

    def _when(self, at: Micros | None) -> str:
        if at is None:
            return _NONE
        zone = self.agreement.time_zone
        return self.words.with_zone(self.words.when(local(at, zone), zone=False), at, zone)


def _about(wanted: BehindQuery, write: Lister) -> str:
    """The dates of a figure, and what its clocks, steps or credits have in common."""
    words, local_zone = write.words, zone(write.agreement.time_zone)
    names = {**wording.OUTCOMES, **wording.CAUSES, **wording.STEPS, **KINDS}
    values = [str(each) for each in (wanted.kind, wanted.outcome, wanted.cause, wanted.step) if each]
    filters = [
        f"{words.say(wording.FIELDS[name])}: {write.label(value) if name == COMMITMENT and value else value or _NONE}"
        for name, value in wanted.texts(*wording.FIELDS).items()
    ]
    parts = [named(words, names, value) for value in values] + filters
    span = Span(wanted.since, max(wanted.since + 1, wanted.until))
    return ", ".join((wording.period(words, local_zone, span), *parts))


def _reports_of(wanted: BehindQuery, agreement: Agreement) -> str:
    """The address of the reports of these dates."""
    first = local(wanted.since, agreement.time_zone).date()
    last = local(max(wanted.since, wanted.until - 1), agreement.time_zone).date()
    return f"/reports?{urlencode({'desk': wanted.desk, 'range': Range.OWN, 'from': first, 'to': last})}"


def _text(text: str) -> Cell:
    return Cell(text, is_number=False)


def listed(
    conn: Connection, catalogue: Catalogue, settings: Settings, wanted: BehindQuery, words: Words, now: Micros
) -> Listed:
    """The page of the list that an address asks for. Raises what the reports raise, and FaultyCursor."""
    asked = Asked(wanted.desk, Span(wanted.since, wanted.until), now)
    agreement = catalogue.in_force(conn, wanted.desk, at=now).agreement
    write, limit = Lister(words, agreement, wanted.desk, now), settings.page_size
    found = _found(conn, catalogue, settings, wanted, asked, write, limit)
    return replace(found, about=_about(wanted, write), back=_reports_of(wanted, agreement))


def _found(
    conn: Connection,
    catalogue: Catalogue,
    settings: Settings,
    wanted: BehindQuery,
    asked: Asked,
    write: Lister,
    limit: int,
) -> Listed:
    match wanted.of:
        case Of.QUEUES:
            given = wanted.texts("step", "queue", "cause", *(name for name in SPLITS if name != COMMITMENT))
            return write.steps(*steps_behind(conn, catalogue, settings, asked, given, wanted.cursor, limit))
        case Of.AVAILABILITY:
            given = wanted.texts("kind", COMMITMENT, "service", "customer")
            of_contracts = "customer" in given
            return write.uptimes(
                uptimes_behind(conn, catalogue, settings, asked, given, of_contracts=of_contracts)
            )
        case Of.CREDITS:
            given = wanted.texts(COMMITMENT, "service", "customer", "currency")
            return write.credits(
                [each for _, each in credits_behind(conn, catalogue, settings, asked, given)]
            )
        case _:
            given = wanted.filters("kind", *KEYS[wanted.of], *SPLITS)
            measure = Measure(wanted.of.value)
            return write.clocks(
                *clocks_behind(conn, catalogue, settings, measure, asked, given, wanted.cursor, limit)
            )
