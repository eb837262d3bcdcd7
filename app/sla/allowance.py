"""Allowances of a month: which tickets use them up, in which order, and which are past them. Pure.

A ticket counts once, in the local month of its first fact that counts, for its contract and without one for its
customer. The order is that of the facts, then of the tickets' ids. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.sla.agreement.allowance import AllowanceRule, PastAllowance
from app.sla.agreement.version import Version, version_of_period
from app.sla.clock.signals import RecordedSignal
from app.sla.event import Event, in_order
from app.sla.fields import casefolded
from app.sla.period import Months, Period
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from app.sla.ticket import Ticket

FLAG: Final = "allowance_exceeded"
"""The flag of a ticket that is past an allowance."""
EXCEEDED: Final = "allowance.exceeded"
RETRACTED: Final = "allowance.exceeded_retracted"
ALLOWANCE_SIGNALS: Final = (EXCEEDED, RETRACTED)


@dataclass(frozen=True, slots=True)
class Use:
    """A ticket that uses up an allowance, with its first fact that counts. `limit` None: there is no limit."""

    allowance: str
    period: Micros
    """The first instant of its month."""
    ticket: str
    at: Micros
    event: str
    contract: str | None
    customer: str | None
    limit: int | None

    @property
    def holder(self) -> str:
        """Whose allowance it is, as it is compared; empty where the ticket names neither contract nor customer."""
        if self.contract is not None:
            return f"contract:{casefolded(self.contract)}"
        return "" if self.customer is None else f"customer:{casefolded(self.customer)}"

    def is_past(self, position: int) -> bool:
        """Whether it is past the limit at this position, the first one being 1."""
        return self.limit is not None and position > self.limit


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A use that is past its allowance."""

    rule: AllowanceRule
    period: Period
    use: Use


def uses_of(
    ticket: str,
    log: Iterable[Event],
    state: Ticket,
    versions: Sequence[Version],
    months: Months,
    at: Micros,
) -> list[Use]:
    """The allowances that a ticket uses up by an instant. `state` is the ticket after this log."""
    kinds = {rule.counts for version in versions for rule in version.agreement.allowances}
    first: dict[str, Event] = {}
    for event in in_order(event for event in log if event.type in kinds or event.type == "event.withdrawn"):
        if event.type in kinds and event.at <= at:
            first.setdefault(event.type, event)
    contract, customer = _named(state.fields, "contract"), _named(state.fields, "customer")
    found: list[Use] = []
    for kind, event in first.items():
        period = months.at(event.at)
        agreement = version_of_period(versions, period, at).agreement
        for rule in agreement.allowances:
            if rule.counts == kind:
                unknown = contract is None and customer is None
                limit = None if unknown else agreement.limit(rule, state.fields, state.contract)
                found.append(
                    Use(rule.id, period.start, ticket, event.at, event.id, contract, customer, limit)
                )
    return found


def _named(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    return str(value).strip() if casefolded(value) else None


def in_turn(uses: Iterable[Use]) -> list[Use]:
    """Uses of one holder and month, in the order in which they use up the allowance."""
    return sorted(uses, key=lambda use: (use.at, use.ticket))


def rule_of(use: Use, versions: Sequence[Version], months: Months, at: Micros) -> Exceeded | None:
    """A use that is past its allowance, with the rule of its month; none when the agreement dropped the rule."""
    period = months.at(use.at)
    rules = version_of_period(versions, period, at).agreement.allowances
    rule = next((rule for rule in rules if rule.id == use.allowance), None)
    return None if rule is None else Exceeded(rule, period, use)


def without_clocks(exceeded: Iterable[Exceeded], versions: Sequence[Version]) -> tuple[Version, ...] | None:
    """The versions under which no commitment applies to a ticket that is past these allowances.

    None: its clocks run all the same.
    """
    past = next((each for each in exceeded if each.rule.past is PastAllowance.NO_CLOCK), None)
    if past is None:
        return None
    params = {"limit": past.use.limit, "period": past.period.name}
    reason = Reason(ReasonCode.PAST_ALLOWANCE, past.rule.id, params)
    return tuple(replace(v, agreement=replace(v.agreement, withheld_for=reason)) for v in versions)


@dataclass(frozen=True, slots=True)
class AllowanceSignal:
    """A signal to record. `retracts` is the id of the recorded signal that it takes back."""

    kind: str
    allowance: str
    cycle: Micros
    at: Micros
    generation: int = 0
    retracts: str | None = None
    exceeded: Exceeded | None = None


def allowance_signals(
    exceeded: Iterable[Exceeded], recorded: Iterable[RecordedSignal]
) -> list[AllowanceSignal]:
    """What of a ticket's exceeded allowances is not recorded yet, retractions first. `recorded`: those of the ticket."""
    now = {(each.rule.id, each.period.start): each for each in exceeded}
    before = [signal for signal in recorded if signal.kind == EXCEEDED]
    valid = {(s.commitment, s.cycle): s for s in before if not s.retracted}
    found = [
        AllowanceSignal(RETRACTED, s.commitment, s.cycle, s.at, s.generation, s.id)
        for key, s in valid.items()
        if key not in now
    ]
    for key, each in now.items():
        if key not in valid:
            again = sum((s.commitment, s.cycle) == key for s in before)
            found.append(AllowanceSignal(EXCEEDED, *key, each.use.at, again, exceeded=each))
    return found
