"""Agreements: commitments, levels, contracts and queue rules as plain values.

Names are those of the desk's agreement file (`file` reads it). For a ticket's fields an agreement decides whether a
commitment applies, and with which target and calendar (its `Regime`). It does not depend on time. Field values are
compared without case; an absent field is the empty text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from app.sla.agreement.allowance import AllowanceRule
from app.sla.agreement.availability import AvailabilityRule
from app.sla.agreement.average import AverageRule
from app.sla.agreement.charge import ChargeRule
from app.sla.agreement.credit import CreditRule
from app.sla.agreement.rule import (
    EVERY_TICKET,
    CalendarRule,
    Choice,
    Condition,
    Exemption,
    Kind,
    Regime,
    TargetRule,
    Withheld,
)
from app.sla.calendar import Calendar
from app.sla.calendar.target import Target, Threshold
from app.sla.calendar.zone import zone
from app.sla.contract import Contract
from app.sla.contract_finder import ContractFinder, StoredContracts
from app.sla.fields import DATE_FIELDS, FIELD_MARK, RELEASED_MARK, STATUS_MARK, casefolded
from app.sla.reason import Reason, ReasonCode


class CycleRule(StrEnum):
    """When a commitment has more than one clock on a ticket."""

    ONCE = "once"
    NEXT_REPLY = "next_reply"
    PROGRESS = "progress"
    CLAIM = "claim"
    ASSIGNMENT = "assignment"


class OnReopen(StrEnum):
    """What a reopen does to a clock that was stopped."""

    RESUME = "resume"
    RESTART = "restart"
    IGNORE = "ignore"


class OnChange(StrEnum):
    """What a new target does with the time counted so far."""

    CARRY = "carry"
    FROM_START = "from_start"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Commitment:
    """One commitment, as its table in the agreement file states it."""

    id: str
    label: str
    kind: Kind
    measure: str
    target: TargetRule
    calendar: Calendar
    """The calendar unless a level or contract has its own."""
    starts_on: tuple[frozenset[str], ...]
    """All groups are needed, of each group the first; for cycles other than once any of any group. Event types, and
    marked as such statuses and fields."""
    stops_on: frozenset[str]
    stop_statuses: frozenset[str] = frozenset()
    ends_on: frozenset[str] = frozenset()
    end_statuses: frozenset[str] = frozenset()
    pauses_while: frozenset[str] = frozenset()
    applies_to: Condition = EVERY_TICKET
    otherwise_reason: str | None = None
    """Listed under not_applicable when `applies_to` does not hold; None: not listed."""
    exceptions: tuple[Exemption, ...] = ()
    warn_at: tuple[Threshold, ...] = ()
    warn_awaiting: int | None = None
    """Real time, microseconds."""
    cycle: CycleRule = CycleRule.ONCE
    on_reopen: OnReopen = OnReopen.RESUME
    on_change: OnChange = OnChange.CARRY
    not_after: str | None = None
    """A cycle that would open after the due date of this other commitment's clock is refused."""
    not_after_reason: str | None = None
    calendar_of: str | None = None
    """Count a fixed target in the calendar that this other commitment has for the ticket, where it has one."""
    calendar_rule: CalendarRule | None = None
    """The calendar by a field of the ticket, in place of `calendar`."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """The label by language, for messages; `label` is one of these. Empty where the file has one label for all."""

    is_response: bool = field(init=False)
    """Whether solving the ticket ends it: a first response or a next reply."""
    start_types: frozenset[str] = field(init=False)
    """Every event type that is one of its start facts."""
    steady: bool = field(init=False)
    """Whether no field of a ticket can change its application, target or calendar."""
    interests: frozenset[str] = field(init=False)
    """Every fact that can start, stop or end it; any other moves it by the ticket's status alone."""
    start_dates: frozenset[str] = field(init=False)
    """The date fields among its start facts."""
    fixed_regime: Regime | None = field(init=False, compare=False)
    """Its target and calendar where no field of a ticket can change them."""

    def __post_init__(self) -> None:
        """Compute once what is needed for every event of every ticket."""
        starts = frozenset(name for group in self.starts_on for name in group)
        response = self.measure == "response" or self.cycle is CycleRule.NEXT_REPLY
        object.__setattr__(self, "is_response", response)
        object.__setattr__(self, "start_types", starts)
        conditions = self.applies_to.tests or self.exceptions or self.calendar_of or self.calendar_rule
        object.__setattr__(self, "steady", self.target.fixed is not None and not conditions)
        releases = {RELEASED_MARK + fact.removeprefix(FIELD_MARK) for fact in starts}
        ended_by = releases if self.cycle is CycleRule.ASSIGNMENT else frozenset[str]()
        object.__setattr__(self, "interests", starts | self.stops_on | self.ends_on | ended_by)
        dates = frozenset(name for name in DATE_FIELDS if FIELD_MARK + name in starts)
        object.__setattr__(self, "start_dates", dates)
        by_field = self.target.fixed is None or self.calendar_of or self.calendar_rule
        fixed = None if by_field or self.target.fixed is None else Regime(self.target.fixed, self.calendar)
        object.__setattr__(self, "fixed_regime", fixed)

    @property
    def calendar_written(self) -> str:
        """The calendar's name, or the field that decides."""
        return self.calendar.name if self.calendar_rule is None else f"by {self.calendar_rule.by}"


@dataclass(frozen=True, slots=True)
class DerivedFact:
    """A fact that few systems send, shown by another event: `fact` happened when one of `shown_by` does.

    `assigned` among `shown_by` is a change of assignee. `by_agent`: only what a person of the desk does.
    """

    fact: str
    shown_by: frozenset[str]
    by_agent: bool = False
    where: Condition = EVERY_TICKET


@dataclass(frozen=True, slots=True)
class Terms:
    """What a level sets: targets by name, and optionally a calendar and an allowance."""

    targets: Mapping[str, Target]
    calendar: Calendar | None = None
    allowance: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    """The limits of allowances by name; `allowance` is among them where it is set."""


class MessageEffect(StrEnum):
    """What a further message, a duplicate or a missing domain's answer does to the place in the queue."""

    MOVES = "moves"
    KEEPS = "keeps"


REPLY_PREFIXES: Final = ("re", "fwd", "fw", "antw", "tr", "r", "aw", "wg", "rif")
"""Prefixes that mail programs put before a subject, in the languages of the desks."""


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How the desk's queues are ordered and what moves a ticket in them."""

    first: tuple[Condition, ...] = ()
    """Ranks: tickets for which the first condition holds come first, and so on; all others after them."""
    repeat_message: MessageEffect = MessageEffect.KEEPS
    duplicate: MessageEffect = MessageEffect.KEEPS
    duplicates_max: int = 10
    """How many tickets before it a further one on the same subject moves. A person opens a few; a mail loop opens
    thousands, and each would move all before it."""
    domain_reply: MessageEffect = MessageEffect.MOVES
    domain_required: bool = False
    token: str = r"\[\[([^\[\]]+)\]\]"
    """Where a subject carries its ticket's id; the first group is the id."""
    prefixes: tuple[str, ...] = REPLY_PREFIXES
    calendar: Calendar | None = None
    """The calendar of the forecast; None: no forecast."""
    forecast_days: int = 5
    """Working days that the rate of replies is taken from."""
    forecast_replies: int = 10
    """With fewer replies than this in those days there is no forecast."""

    def rank(self, fields: Mapping[str, object]) -> int:
        """The rank of a ticket with these fields; 0 is served first."""
        for rank, condition in enumerate(self.first):
            if condition.all_hold(fields):
                return rank
        return len(self.first)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A desk's whole agreement, with its calendars resolved. Equal documents give equal agreements."""

    desk: str
    name: str
    commitments: tuple[Commitment, ...]
    currency: str | None = None
    source: str | None = None
    time_zone: str = "UTC"
    applies_to: Condition = EVERY_TICKET
    """Tickets that the agreement covers; to all others no commitment applies, for `otherwise_reason`."""
    otherwise_reason: str | None = None
    levels: Mapping[str, Terms] = field(default_factory=dict[str, Terms])
    contracts: Mapping[str, Contract] = field(default_factory=dict[str, Contract])
    """Those of the file, by their ids as they are compared. Others are stored."""
    calendars: Mapping[str, Calendar] = field(default_factory=dict[str, Calendar], compare=False)
    """The calendars that contracts may name, by their references."""
    default_level: str | None = None
    derived: tuple[DerivedFact, ...] = ()
    customer_reply_ends_pending: bool = True
    queue: QueueRules = QueueRules()
    availability: tuple[AvailabilityRule, ...] = ()
    credits: tuple[CreditRule, ...] = ()
    averages: tuple[AverageRule, ...] = ()
    allowances: tuple[AllowanceRule, ...] = ()
    charges: tuple[ChargeRule, ...] = ()
    withheld_for: Reason | None = None
    """Why none of its commitments applies, though they otherwise would: the ticket is past an allowance."""
    missing: tuple[str, ...] = ()
    """What the source text refers to and does not contain."""
    names_in_reports: bool = True
    """Whether reports may name assignees."""
    goal: Decimal | None = None
    """The share of clocks that the desk means to keep, in per cent; reports compare with it."""
    keep_events: Target | None = None
    """Retention of a ticket's events after its end; None: for ever. Its final view is never deleted."""
    field_starts: frozenset[str] = field(init=False, compare=False)
    """The start facts of its commitments that are statuses or fields."""

    def __post_init__(self) -> None:
        """Compute once what is needed for every event of every ticket."""
        starts = (fact for each in self.commitments for fact in each.start_types)
        marked = frozenset(fact for fact in starts if fact.startswith((FIELD_MARK, STATUS_MARK)))
        object.__setattr__(self, "field_starts", marked)

    def contract_finder(self, stored: StoredContracts) -> ContractFinder | None:
        """Finds the contracts of tickets; None: the desk has no contracts."""
        if not stored.exist and not self.contracts:
            return None
        return ContractFinder.of(stored, self.contracts, zone(self.time_zone))

    def commitment(self, commitment_id: str) -> Commitment:
        """The commitment of that id. Raises KeyError."""
        for commitment in self.commitments:
            if commitment.id == commitment_id:
                return commitment
        raise KeyError(commitment_id)

    def applies(self, commitment: Commitment, fields: Mapping[str, object]) -> bool | Withheld:
        """Whether the commitment applies to a ticket with these fields; Withheld when the agreement states why not."""
        for exemption in commitment.exceptions:
            left_out = exemption.condition
            if left_out.any_holds(fields) and commitment.applies_to.beside(left_out).all_hold(fields):
                return _withheld(exemption.reason)
        if not commitment.applies_to.all_hold(fields):
            return _withheld(commitment.otherwise_reason)
        if not self.applies_to.all_hold(fields):
            return _withheld(self.otherwise_reason)
        return True if self.withheld_for is None else Withheld(self.withheld_for)

    def limit(
        self, rule: AllowanceRule, fields: Mapping[str, object], contract: Contract | None = None
    ) -> int | None:
        """The limit of an allowance for a ticket with these fields: the contract's, else the level's. None: no limit.

        `contract` as for `regime`.
        """
        if rule.limit_name is None:
            return rule.limit
        own = self._undated(fields) if contract is None else contract
        if own is not None and rule.limit_name in own.limits:
            return own.limits[rule.limit_name]
        level = self.levels.get(casefolded(fields.get("level") or self.default_level))
        return None if level is None else level.limits.get(rule.limit_name)

    def _undated(self, fields: Mapping[str, object]) -> Contract | None:
        """The contract of the file that the fields name, if it is valid for ever."""
        filed = self.contracts.get(casefolded(fields.get("contract")))
        return None if filed is None or filed.has_dates else filed

    def regime(
        self, commitment: Commitment, fields: Mapping[str, object], contract: Contract | None = None
    ) -> Regime | Withheld:
        """The target and calendar for a ticket with these fields, or why there is none.

        `contract`: the ticket's. Without it, the one of the file that the fields name, if it is valid for ever.
        """
        if commitment.fixed_regime is not None:
            return commitment.fixed_regime
        rule = commitment.target
        if contract is None:
            contract = self._undated(fields)
        if rule.fixed is not None:
            return self._counted(rule.fixed, commitment, fields, contract)
        if rule.by is None:
            return self._regime_from_terms(commitment, fields, contract)
        target = rule.of.get(casefolded(fields.get(rule.by)), rule.otherwise)
        if target is None:
            params = {"field": rule.by, "value": fields.get(rule.by)}
            return Withheld(Reason(ReasonCode.NO_TARGET_FOR_VALUE, params=params))
        return self._counted(target, commitment, fields, contract)

    def _counted(
        self,
        target: Target,
        commitment: Commitment,
        fields: Mapping[str, object],
        contract: Contract | None,
    ) -> Regime | Withheld:
        """A target in the calendar of its commitment."""
        if commitment.calendar_of is None and commitment.calendar_rule is None:
            return Regime(target, commitment.calendar)
        choice = self._calendar(commitment, fields, contract)
        return choice if isinstance(choice, Withheld) else Regime(target, *choice)

    def _calendar(
        self, commitment: Commitment, fields: Mapping[str, object], contract: Contract | None
    ) -> Choice | Withheld:
        """The calendar of a commitment where neither level nor contract has its own."""
        if commitment.calendar_of is not None and commitment.target.fixed is not None:
            other = self.regime(self.commitment(commitment.calendar_of), fields, contract)
            if isinstance(other, Regime):
                return other.calendar, _chosen(ReasonCode.CALENDAR_OF_COMMITMENT, commitment.calendar_of)
        rule = commitment.calendar_rule
        return (commitment.calendar, None) if rule is None else rule.choose(fields)

    def _regime_from_terms(
        self, commitment: Commitment, fields: Mapping[str, object], contract: Contract | None
    ) -> Regime | Withheld:
        """A target by level or contract: the contract's own value of that name wins over the level's."""
        rule = commitment.target
        named = rule.level or rule.contract or ""
        own = self._calendar_of_contract(contract)
        if contract is not None and named in contract.targets:
            target = contract.targets[named]
            return (
                self._counted(target, commitment, fields, contract) if own is None else Regime(target, *own)
            )
        if rule.contract:
            return Withheld(Reason(ReasonCode.NO_CONTRACT_VALUE, params={"target": named}))
        given = fields.get("level")
        level = self.levels.get(casefolded(given or self.default_level))
        if level is None:
            unknown = Reason(ReasonCode.UNKNOWN_LEVEL, params={"level": given})
            return Withheld(unknown if given else Reason(ReasonCode.NO_LEVEL))
        if named not in level.targets:
            return Withheld(Reason(ReasonCode.NOT_IN_LEVEL, params={"target": named}))
        target = level.targets[named]
        if own is not None:
            return Regime(target, *own)
        if level.calendar is None:
            return self._counted(target, commitment, fields, contract)
        reason = _chosen(ReasonCode.CALENDAR_OF_LEVEL, str(given or self.default_level))
        return Regime(target, level.calendar, reason)

    def _calendar_of_contract(self, contract: Contract | None) -> Choice | None:
        """A contract's own calendar, for every target that comes from it or from its level."""
        calendar = None if contract is None else self.calendars.get(contract.calendar or "")
        if contract is None or calendar is None:
            return None
        return calendar, _chosen(ReasonCode.CALENDAR_OF_CONTRACT, contract.id)


# Cached: it is looked up for each evaluation, and levels and contracts are few.
@lru_cache(maxsize=1024)
def _chosen(code: ReasonCode, name: str) -> Reason:
    """Why a calendar: that of a level, a contract or another commitment."""
    return Reason(code, name)


def _withheld(reason: str | None) -> Withheld | bool:
    return Withheld(Reason(ReasonCode.AGREEMENT_TEXT, params={"text": reason})) if reason else False
