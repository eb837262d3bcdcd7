"""The contract of a ticket: what a miss of each clock would cost, and what misses have cost."""

from dataclasses import dataclass

from babel.numbers import format_currency

from app.delivery.wording.phrases import N_
from app.flow.query.answer import TicketAnswer
from app.sla.agreement.credit import FlatShare
from app.sla.agreement.rule import Kind
from app.sla.clock.transition import RUNNING
from app.sla.clock.view import ClockView
from app.sla.contract import Contract
from app.sla.credit.cause import MissedClock
from app.sla.credit.line import Line
from app.sla.credit.lines import ContractCredits
from app.web.pages.frame.vocabulary import CREDIT_STATES, named
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.explained import kept_label
from app.web.pages.ticket.read import TicketRead


@dataclass(frozen=True, slots=True)
class ContractShown:
    """The contract, and a sentence for each credit that there is or would be."""

    id: str
    customer: str | None
    level: str | None
    would: tuple[str, ...]
    has: tuple[str, ...]


def contract_of(found: TicketRead, answer: TicketAnswer, to: Audience) -> ContractShown | None:
    """The contract that the ticket belongs to; None without one."""
    contract = answer.evaluation.ticket.contract
    if contract is None:
        return None
    at_stake = [view for view in answer.evaluation.clocks if view.state is RUNNING]
    would = [
        _would(view, line, answer, to)
        for view in at_stake
        for line in _lines(found, answer, contract, view)
        if line.amount is not None
    ]
    has = [_has(line, answer, to) for lines in found.costs.values() for line in lines]
    return ContractShown(
        contract.id, contract.customer, contract.level, tuple(would), tuple(dict.fromkeys(has))
    )


def _lines(found: TicketRead, answer: TicketAnswer, contract: Contract, view: ClockView) -> list[Line]:
    """The credits that a miss of a running guarantee would make at its due date."""
    if view.kind is not Kind.GUARANTEE or view.due_at is None or view.breached_at is not None:
        return []
    evaluation = answer.evaluation
    missed = MissedClock(
        commitment=view.commitment,
        ticket=answer.ticket,
        cycle=view.cycle_id,
        breached_at=view.due_at,
        started_at=view.due_at if view.started_at is None else view.started_at,
        created_at=evaluation.ticket.created_at,
    )
    credits = ContractCredits(answer.desk, contract.id, [contract], (), found.versions)
    return credits.lines([(evaluation.agreement, missed)], view.due_at)


def _would(view: ClockView, line: Line, answer: TicketAnswer, to: Audience) -> str:
    phrase = (
        N_("{label}: a miss would cost {amount}.")
        if isinstance(line.rule.amount, FlatShare)
        else N_("{label}: a miss would cost {amount} or more.")
    )
    return to.words.say(phrase, label=kept_label(answer, view.commitment, to), amount=_amount(line, to))


def _has(line: Line, answer: TicketAnswer, to: Audience) -> str:
    label = kept_label(answer, line.about.answers, to)
    state = named(to.words, CREDIT_STATES, line.state.value)
    return to.words.say(
        N_("{label} was missed: {amount}, {state}."), label=label, amount=_amount(line, to), state=state
    )


def _amount(line: Line, to: Audience) -> str:
    if line.amount is None or line.worth.currency is None:
        return to.words.say(N_("amount not known"))
    return format_currency(line.amount, line.worth.currency, locale=to.words.locale)
