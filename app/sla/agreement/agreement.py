"""Agreements: commitments, levels, contracts and queue rules as plain values.

Names are those of the desk's agreement file (`file` reads it). For a ticket's fields an agreement decides whether a
commitment applies, and with which target and calendar (its `Regime`). It does not depend on time. Field values are
compared without case; an absent field is the empty text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

from app.sla.calendar import Calendar
from app.sla.calendar.target import Target, Threshold
from app.sla.reason import Reason, ReasonCode


class Kind(StrEnum):
    """How binding it is: late, a guarantee is a breach, an objective a miss, a customer's duty a lapse."""

    GUARANTEE = "guarantee"
    OBJECTIVE = "objective"
    CUSTOMER = "customer"


class CycleRule(StrEnum):
    """When a commitment has more than one clock on a ticket."""

    ONCE = "once"
    NEXT_REPLY = "next_reply"
    PROGRESS = "progress"
    CLAIM = "claim"


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
class Condition:
    """Ticket fields that must hold together; of each field any of its values. No tests: every ticket."""

    tests: tuple[tuple[str, frozenset[str]], ...] = ()

    def all_hold(self, fields: Mapping[str, object]) -> bool:
        """Whether every test holds for these fields."""
        for name, values in self.tests:  # noqa: SIM110 - a plain loop: this runs for each event of each commitment
            if not _matches(fields.get(name), values):
                return False
        return True

    def any_holds(self, fields: Mapping[str, object]) -> bool:
        """Whether at least one test holds, as `except` means it."""
        for name, values in self.tests:  # noqa: SIM110
            if _matches(fields.get(name), values):
                return True
        return False

    def beside(self, other: "Condition") -> "Condition":
        """Its tests of fields that the other does not name."""
        named = {name for name, _ in other.tests}
        return Condition(tuple(test for test in self.tests if test[0] not in named))


def casefolded(value: object) -> str:
    """A field's value as it is compared: without case and outer space; absent is empty."""
    return "" if value is None else str(value).strip().casefold()


def _matches(value: object, values: frozenset[str]) -> bool:
    if isinstance(value, list | tuple):
        return any(casefolded(v) in values for v in cast("Sequence[object]", value))
    return casefolded(value) in values


@dataclass(frozen=True, slots=True)
class Regime:
    """The target and the calendar in force for a commitment on a ticket."""

    target: Target
    calendar: Calendar

    def same_as(self, other: "Regime") -> bool:
        """Whether a change to the other changes nothing."""
        return self is other or (self.target == other.target and self.calendar.counts_as(other.calendar))


@dataclass(frozen=True, slots=True)
class Withheld:
    """The reason why a commitment has no clock on a ticket, in the agreement's words."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class TargetRule:
    """How the target of a commitment is found.

    `fixed` for a plain target; `level` or `contract` name a value in the ticket's level or contract; `by` a field with
    a target for each of its values and `otherwise` for the rest.
    """

    written: str
    fixed: Target | None = None
    level: str | None = None
    contract: str | None = None
    by: str | None = None
    of: Mapping[str, Target] = field(default_factory=dict[str, Target])
    otherwise: Target | None = None


@dataclass(frozen=True, slots=True)
class Exemption:
    """Tickets that a commitment leaves out although it would apply: one test that holds is enough."""

    condition: Condition
    reason: str | None = None
    """Listed under not_applicable; None: not listed."""


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
    """All groups are needed, of each group the first event; for cycles other than once any event of any group."""
    stops_on: frozenset[str]
    stop_statuses: frozenset[str] = frozenset()
    ends_on: frozenset[str] = frozenset()
    end_statuses: frozenset[str] = frozenset()
    pauses_while: frozenset[str] = frozenset()
    applies_to: Condition = Condition()
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
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """The label by language, for messages; `label` is one of these. Empty where the file has one label for all."""

    is_response: bool = field(init=False)
    """Whether solving the ticket ends it: a first response or a next reply."""
    start_types: frozenset[str] = field(init=False)
    """Every event type that is one of its start facts."""
    steady: bool = field(init=False)
    """Whether no field of a ticket can change its application, target or calendar."""
    interests: frozenset[str] = field(init=False)
    """Every event type that can start, stop or end it; any other moves it by the ticket's status alone."""

    def __post_init__(self) -> None:
        """Compute once what is needed for every event of every ticket."""
        starts = frozenset(name for group in self.starts_on for name in group)
        response = self.measure == "response" or self.cycle is CycleRule.NEXT_REPLY
        object.__setattr__(self, "is_response", response)
        object.__setattr__(self, "start_types", starts)
        conditions = self.applies_to.tests or self.exceptions or self.calendar_of
        object.__setattr__(self, "steady", self.target.fixed is not None and not conditions)
        object.__setattr__(self, "interests", starts | self.stops_on | self.ends_on)


@dataclass(frozen=True, slots=True)
class DerivedFact:
    """A fact that few systems send, shown by another event: `fact` happened when one of `shown_by` does.

    `assigned` among `shown_by` is a change of assignee. `by_agent`: only what a person of the desk does.
    """

    fact: str
    shown_by: frozenset[str]
    by_agent: bool = False
    where: Condition = Condition()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a level or a contract sets: targets by name, and optionally a calendar and an allowance."""

    targets: Mapping[str, Target]
    calendar: Calendar | None = None
    allowance: int | None = None


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
    applies_to: Condition = Condition()
    """Tickets that the agreement covers; to all others no commitment applies, for `otherwise_reason`."""
    otherwise_reason: str | None = None
    levels: Mapping[str, Terms] = field(default_factory=dict[str, Terms])
    contracts: Mapping[str, Terms] = field(default_factory=dict[str, Terms])
    default_level: str | None = None
    derived: tuple[DerivedFact, ...] = ()
    customer_reply_ends_pending: bool = True
    queue: QueueRules = QueueRules()
    missing: tuple[str, ...] = ()
    """What the source text refers to and does not contain."""
    keep_events: Target | None = None
    """Retention of a ticket's events after its end; None: for ever. Its final view is never deleted."""

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
        return True if self.applies_to.all_hold(fields) else _withheld(self.otherwise_reason)

    def regime(self, commitment: Commitment, fields: Mapping[str, object]) -> Regime | Withheld:
        """The target and calendar for a ticket with these fields, or why there is none."""
        rule = commitment.target
        if rule.fixed is not None:
            return Regime(rule.fixed, self._calendar(commitment, fields))
        if rule.by is not None:
            target = rule.of.get(casefolded(fields.get(rule.by)), rule.otherwise)
            if target is None:
                params = {"field": rule.by, "value": fields.get(rule.by)}
                return Withheld(Reason(ReasonCode.NO_TARGET_FOR_VALUE, params=params))
            return Regime(target, commitment.calendar)
        return self._regime_from_terms(commitment, fields)

    def _calendar(self, commitment: Commitment, fields: Mapping[str, object]) -> Calendar:
        if commitment.calendar_of is None:
            return commitment.calendar
        other = self.regime(self.commitment(commitment.calendar_of), fields)
        return other.calendar if isinstance(other, Regime) else commitment.calendar

    def _regime_from_terms(self, commitment: Commitment, fields: Mapping[str, object]) -> Regime | Withheld:
        rule = commitment.target
        contract = self.contracts.get(casefolded(fields.get("contract")))
        level = self.levels.get(casefolded(fields.get("level") or self.default_level))
        named = rule.level or rule.contract or ""
        for terms in (contract, level if rule.level else None):
            if terms is not None and named in terms.targets:
                return Regime(terms.targets[named], terms.calendar or commitment.calendar)
        if rule.contract:
            return Withheld(Reason(ReasonCode.NO_CONTRACT_VALUE, params={"target": named}))
        if level is None:
            given = fields.get("level")
            unknown = Reason(ReasonCode.UNKNOWN_LEVEL, params={"level": given})
            return Withheld(unknown if given else Reason(ReasonCode.NO_LEVEL))
        return Withheld(Reason(ReasonCode.NOT_IN_LEVEL, params={"target": named}))


def _withheld(reason: str | None) -> Withheld | bool:
    return Withheld(Reason(ReasonCode.AGREEMENT_TEXT, params={"text": reason})) if reason else False
