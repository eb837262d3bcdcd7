"""What tickets and contracts say about credits: missed commitments, and the facts about claims and grants.

Read for many contracts at once. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from app.flow.query.contracts import CustomerContract
from app.flow.query.credit_causes import Asked, Judged
from app.flow.query.tickets import answers
from app.sla.agreement.agreement import DerivedFact
from app.sla.agreement.credit import CreditOwed
from app.sla.agreement.rule import Kind
from app.sla.agreement.version import Version
from app.sla.availability.outage import OUTAGE_FACTS, text_of
from app.sla.clock.evaluation import Evaluation
from app.sla.clock.transition import CANCELLED
from app.sla.clock.view import ClockView
from app.sla.credit.cause import MissedClock
from app.sla.credit.claim import facts_of
from app.sla.event import Event, EventType, in_order
from app.sla.fields import casefolded
from app.sla.reason import ReasonCode
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKind
from app.store.contracts import credits
from app.store.tickets import ledger, subjects


def missed(asked: Asked, contracts: Mapping[str, CustomerContract]) -> dict[str, list[Judged]]:
    """The commitments that tickets of these contracts missed and that a credit answers, by casefolded id."""
    answered = {
        credit.answers
        for version in asked.versions
        for credit in version.agreement.credits
        if not credit.of_availability
    }
    if not answered:
        return {}
    names = names_of(contracts)
    if asked.as_of is None:
        tickets = credits.missed_tickets(asked.conn, asked.desk, names, answered, asked.at)
    else:
        tickets = credits.tickets_of(asked.conn, asked.desk, names)
    wanted = sorted(ticket for ticket, key in tickets.items() if key in contracts or asked.as_of is not None)
    found: dict[str, list[Judged]] = {}
    judged = answers(
        asked.conn,
        asked.catalogue,
        asked.desk,
        wanted,
        now=asked.now,
        at=asked.at,
        as_of=asked.as_of,
        placed=False,
    )
    logs = ledger.logs(asked.conn, asked.desk, judged) if states_outages(asked.versions) else {}
    for ticket, answer in judged.items():
        evaluation = answer.evaluation
        contract = evaluation.ticket.contract
        if contract is not None and contract.key in contracts:
            of = found.setdefault(contract.key, [])
            log = [event for event in logs.get(ticket, ()) if asked.is_known(event.received_at)]
            of += ((evaluation.agreement, each) for each in misses_of(ticket, evaluation, answered, log))
    return found


def states_outages(versions: Iterable[Version]) -> bool:
    """Whether a credit of these versions depends on the causes of outages that tickets state."""
    return any(credit.outages_of for version in versions for credit in version.agreement.credits)


def misses_of(
    ticket: str, evaluation: Evaluation, answered: Collection[str], log: Iterable[Event] = ()
) -> Iterator[MissedClock]:
    """The guarantees among these commitments that a ticket missed. `log`: its events, for the cause of an outage."""
    cause = _cause(log, evaluation.at)
    for clock in evaluation.clocks:
        if clock.commitment in answered and clock.kind is Kind.GUARANTEE and clock.breached_at is not None:
            started_at = clock.breached_at if clock.started_at is None else clock.started_at
            yield MissedClock(
                commitment=clock.commitment,
                ticket=ticket,
                cycle=clock.cycle_id,
                breached_at=clock.breached_at,
                started_at=started_at,
                ended_at=_ended_at(clock),
                created_at=evaluation.ticket.created_at,
                facts=_facts_of(clock, evaluation),
                cause=cause,
            )


def _cause(log: Iterable[Event], at: Micros) -> str | None:
    """The cause of an outage as the latest fact of a ticket states it."""
    stated = [
        text_of(event, "cause") for event in in_order(log) if event.type in OUTAGE_FACTS and event.at <= at
    ]
    return next((cause for cause in reversed(stated) if cause is not None), None)


def _ended_at(clock: ClockView) -> Micros | None:
    """When the interruption ended. A clock that was cancelled after its miss owes for the time up to the miss."""
    if clock.state is CANCELLED:
        return clock.breached_at
    return clock.stopped_at


def _facts_of(clock: ClockView, evaluation: Evaluation) -> tuple[str, ...]:
    """The events that moved a clock."""
    found = (
        str(each.cause.ref)
        for each in evaluation.transitions
        if each.commitment == clock.commitment
        and each.cycle == clock.cycle_id
        and each.cause is not None
        and each.cause.code is ReasonCode.EVENT
    )
    return tuple(dict.fromkeys(found))


def names_of(contracts: Mapping[str, CustomerContract]) -> set[str]:
    """The casefolded ids of contracts and of their customers: how their tickets are found."""
    customers = {casefolded(term.customer) for each in contracts.values() for term in each.terms}
    return {*contracts, *(customers - {""})}


def claims(asked: Asked, contracts: Mapping[str, CustomerContract]) -> dict[str, list[Event]]:
    """The facts about claims and credits of these contracts, by casefolded id."""
    found: dict[str, list[Event]] = {key: [] for key in contracts}
    own = [Subject(SubjectKind.CONTRACT, key) for key in contracts]
    ways = subjects.written(asked.conn, asked.desk, own)
    written = {each: {*ways[each], *subjects_of(contracts[each.id])} for each in own}
    for subject, log in ledger.subject_logs(asked.conn, asked.desk, own, written).items():
        found[subject.id] += facts_of(event for event in log if asked.is_known(event.received_at))
    for ticket, key in _tickets_with_claims(asked, contracts).items():
        if key in found:
            log = ledger.logs(asked.conn, asked.desk, [ticket])[ticket]
            known = [event for event in log if asked.is_known(event.received_at)]
            found[key] += facts_of(known, _derived(asked))
    return found


def subjects_of(contract: CustomerContract) -> set[Subject]:
    """The subjects that events and signals of a contract may bear: its id in every way that it was written."""
    ids = {contract.key, *(term.id for term in contract.terms)}
    return {Subject(SubjectKind.CONTRACT, each) for each in ids}


def _tickets_with_claims(asked: Asked, contracts: Mapping[str, CustomerContract]) -> dict[str, str]:
    """The tickets that may be or answer a claim; none where every credit is owed without one."""
    rules = [credit for version in asked.versions for credit in version.agreement.credits]
    if all(credit.owed is CreditOwed.AUTOMATIC for credit in rules):
        return {}
    names = names_of(contracts)
    conditions = [dict(each.where.tests) for each in _derived(asked)]
    if all(condition.keys() == {"kind"} for condition in conditions):
        kinds = {kind for condition in conditions for kind in condition["kind"] if kind}
        types = {EventType.CLAIM_FILED, EventType.CLAIM_ANSWERED}
        return credits.tickets_with_facts(asked.conn, asked.desk, names, types, kinds)
    return credits.tickets_of(asked.conn, asked.desk, names)


def _derived(asked: Asked) -> tuple[DerivedFact, ...]:
    """How events show claims, by the latest version."""
    derived = asked.versions[-1].agreement.derived
    return tuple(each for each in derived if each.fact == EventType.CLAIM_FILED)
