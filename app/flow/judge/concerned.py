"""Which contracts a fact concerns: those whose credits may be others now, to be evaluated by the sweep.

A fact about a service concerns all contracts of its desk, and only if it reaches into a period that is over: what
happens in the running one is judged at its end. A ticket concerns its contract once it missed a commitment that a
credit answers, or has a claim. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.flow.judge.subject_logs import KnownLog
from app.flow.query.answer import TicketAnswer
from app.sla.agreement.agreement import Agreement
from app.sla.agreement.credit import CreditOwed
from app.sla.agreement.version import Version
from app.sla.availability.facts import read_facts
from app.sla.availability.outage import Outage, key_of
from app.sla.calendar.zone import zone
from app.sla.credit.cause import VERIFIED
from app.sla.credit.claim import FACTS
from app.sla.credit.interruption import due_at
from app.sla.event import Event, EventType, exclusion_span
from app.sla.fields import casefolded
from app.sla.period import Months, Period
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind
from app.store.tickets.clocks import StoredTicket

ALL_CONTRACTS: Final = Subject(SubjectKind.CONTRACT, "")
"""Due while contracts of the desk are to be evaluated: all whose last evaluation was before its `next_at`."""

_SPANS: Final = frozenset({EventType.MAINTENANCE_ANNOUNCED, EventType.EXCLUSION_GRANTED})


def contract_subject(contract_id: object) -> Subject:
    """The subject by which a contract is scheduled: its casefolded id."""
    return Subject(SubjectKind.CONTRACT, casefolded(contract_id))


def by_service(
    versions: Sequence[Version], known: KnownLog, kinds: Iterable[str], received_at: Micros, at: Micros
) -> bool:
    """Whether the contracts of the desk are concerned by what was received of a service, or emitted of it (`kinds`)."""
    agreement = versions[-1].agreement
    if not any(credit.of_availability or credit.outages_of for credit in agreement.credits):
        return False
    running = Months(zone(agreement.time_zone)).at(at)
    new = [event for event in known.events if event.received_at == received_at]
    log = known.book.related(new) if new else ()
    if new and (_is_late(log, new, running) or _interrupts(agreement, log, new)):
        return True
    news = any(event.type == VERIFIED for event in new) or any(kinds)
    return news and _is_claimed_within(agreement, running)


def _is_late(log: Sequence[Event], new: Sequence[Event], running: Period) -> bool:
    """Whether a new fact reaches into a period before the running one."""
    if any(event.type == EventType.EVENT_WITHDRAWN or _begins(event) < running.start for event in new):
        return True
    ids = {event.id for event in new}
    return any(
        outage.start < running.start and ids.intersection(outage.reports) for outage in _about(log, new)
    )


def _about(log: Sequence[Event], new: Sequence[Event]) -> tuple[Outage, ...]:
    """The outages that may be those of new facts."""
    keys = {key_of(event) for event in new}
    # Facts with other references have no effect on what a fact is about, so they are not read.
    same = (event for event in log if event.type == EventType.EVENT_WITHDRAWN or key_of(event) in keys)
    return read_facts("", same).outages


def _interrupts(agreement: Agreement, log: Sequence[Event], new: Sequence[Event]) -> bool:
    """Whether a new fact is about an outage that is over and was long enough for the credit of an interruption."""
    answered = {credit.answers for credit in agreement.credits if credit.outages_of}
    duties = [each for each in agreement.commitments if each.id in answered]
    if not duties:
        return False
    if any(event.type in _SPANS for event in new):
        return True
    ids = {event.id for event in new}
    return any(
        (due := due_at(each, outage.start)) is not None and due < outage.end
        for outage in _about(log, new)
        if outage.end is not None and ids.intersection((outage.event, *outage.reports))
        for each in duties
    )


def _begins(event: Event) -> Micros:
    span = exclusion_span(event) if event.type in _SPANS else None
    return event.at if span is None else min(event.at, span[0])


def _is_claimed_within(agreement: Agreement, running: Period) -> bool:
    """Whether a credit may have to be claimed before its period is over."""
    windows = (credit.claim for credit in agreement.credits if credit.of_availability and credit.claim)
    return any(each.target.deadline(running.start, each.calendar) < running.end for each in windows)


class TicketsWithCredits:
    """Finds the contracts that the tickets of one desk concern."""

    def __init__(self, versions: Sequence[Version]) -> None:
        rules = [credit for version in versions for credit in version.agreement.credits]
        self._answered = {credit.answers for credit in rules if not credit.of_availability}
        self._claimed = any(credit.owed is not CreditOwed.AUTOMATIC for credit in rules)
        derived = versions[-1].agreement.derived
        self._derived = [each.where for each in derived if each.fact == EventType.CLAIM_FILED]
        self.exist = bool(self._answered) or self._claimed
        """Whether a ticket can change a credit at all."""

    def contracts(
        self, answer: TicketAnswer, log: Iterable[Event], before: StoredTicket | None, missed: Iterable[str]
    ) -> Iterator[Subject]:
        """The contracts of a ticket, the one that it belonged to before as well.

        `missed` are the commitments that were recorded as late.
        """
        if not self.exist:
            return
        ticket = answer.evaluation.ticket
        late = {clock.commitment for clock in answer.evaluation.clocks if clock.breached_at is not None}
        is_claim = self._claimed and (
            any(event.type in FACTS for event in log)
            or any(where.all_hold(ticket.fields) for where in self._derived)
        )
        if is_claim or self._answered & {*late, *missed}:
            ids = [None if ticket.contract is None else ticket.contract.id]
            ids.append(None if before is None else before.contract)
            yield from {contract_subject(each) for each in ids if casefolded(each)}
