"""Claims: what became of a credit by the facts that were filed, answered, requested, granted and refused.

A credit that is owed automatically needs none of them. Another is claimable until its deadline and lapses there without
a claim; a claim that is refused can be filed again, as a new one, until the same deadline. A person can grant or refuse
any credit by hand. Facts are applied in their total order, so the order of their arrival changes nothing. Instants are
microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, cast

from app.sla.agreement.agreement import DerivedFact
from app.sla.agreement.credit import CreditOwed
from app.sla.event import SETS_FIELDS, Event, EventType, in_order
from app.sla.fields import casefolded
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros
from app.sla.subject import Subject


class CreditState(StrEnum):
    """What a credit is at an instant."""

    ACCRUING = "accruing"
    """Its period or interruption is not over: the amount can still change."""
    OWED = "owed"
    CLAIMABLE = "claimable"
    CLAIMED = "claimed"
    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    """Its cause was retracted after it had been recorded. A person decides."""


NOT_COUNTED: Final = frozenset({CreditState.REFUSED, CreditState.LAPSED, CreditState.WITHDRAWN})
"""States in which an amount is in no total."""

OPEN: Final = frozenset({CreditState.ACCRUING, CreditState.CLAIMABLE, CreditState.CLAIMED})
"""States in which an amount is not due: it still changes, or it is not asked for, or it is not decided."""

FACTS: Final = frozenset(
    {
        EventType.CLAIM_FILED,
        EventType.CLAIM_ANSWERED,
        EventType.CREDIT_REQUESTED,
        EventType.CREDIT_GRANTED,
        EventType.CREDIT_REFUSED,
    }
)

CAUSE_WITHDRAWN: Final = "cause_withdrawn"
"""In the data of a decision: the cause was retracted then. Such a refusal has no effect once the cause stands again."""


@dataclass(frozen=True, slots=True)
class Claimable:
    """What a claim can be about: one credit of a contract.

    `caused_at` is when its cause was certain, `arises_at` when it stops accruing (None: not known yet). `services` are
    the casefolded services that it is for.
    """

    credit: str
    answers: str
    of_availability: bool
    service: str
    services: frozenset[str]
    period: str
    ticket: str | None
    owed: CreditOwed
    caused_at: Micros
    arises_at: Micros | None
    claim_by: Micros | None
    tickets: frozenset[str] = frozenset()
    """Those that report what it is for."""

    def is_claimed_by(self, claim: Event) -> bool:
        """Whether a claim is about it. One that says nothing is about all that could be claimed then."""
        about = claim.data.get("about")
        if about is None or about == {}:
            return self.caused_at <= claim.at and self.is_in_time(claim.at)
        if not isinstance(about, Mapping):
            return False
        return all(self._is(key, value) for key, value in cast("Mapping[str, object]", about).items())

    def is_in_time(self, at: Micros) -> bool:
        """Whether it could be claimed at an instant: the time to claim ends before its deadline."""
        return self.claim_by is None or at < self.claim_by

    def is_asked_for_by(self, fact: Event) -> bool:
        """Whether a fact claims or requests it."""
        if fact.type == EventType.CREDIT_REQUESTED:
            return fact.data.get("credit") == self.credit
        return fact.type == EventType.CLAIM_FILED and self.is_claimed_by(fact)

    def _is(self, key: str, value: object) -> bool:
        own = {
            "availability": self.answers if self.of_availability else None,
            "commitment": None if self.of_availability else self.answers,
            "period": self.period,
            "credit": self.credit,
        }
        if key == "service":
            return casefolded(value) in self.services
        if key == "ticket":
            return value in self.tickets
        return key in own and own[key] == value


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a credit's state. `fact` is the event that made it and `ticket` its ticket; None: time alone."""

    state: CreditState
    at: Micros
    fact: str | None = None
    author: str | None = None
    reason: str | None = None
    ticket: str | None = None


@dataclass(slots=True)
class _Course:
    """The course of one credit while its facts are applied."""

    subject: Claimable
    transitions: list[Transition] = field(default_factory=list[Transition])
    claims: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Unanswered claims about it: the id by (ticket or contract, the claim's own name)."""

    @property
    def state(self) -> CreditState:
        return self.transitions[-1].state

    def enter(self, state: CreditState, at: Micros, event: Event | None = None) -> None:
        arises = self.subject.arises_at
        at = at if arises is None else max(at, arises)
        if event is None:
            self.transitions.append(Transition(state, at))
            return
        self.transitions.append(_transition(state, at, event))

    def lapse(self, at: Micros) -> None:
        """Lapse at the deadline, if it passed by an instant without a claim."""
        claim_by = self.subject.claim_by
        if self.state is CreditState.CLAIMABLE and claim_by is not None and claim_by <= at:
            self.enter(CreditState.LAPSED, claim_by)

    def apply(self, event: Event) -> None:
        match event.type:
            case EventType.CLAIM_FILED if self.subject.is_claimed_by(event):
                self._claim(event)
            case EventType.CLAIM_ANSWERED:
                self._answer(event)
            case _:
                if event.data.get("credit") == self.subject.credit:
                    self._by_hand(event)

    def _by_hand(self, event: Event) -> None:
        match event.type:
            case EventType.CREDIT_REQUESTED:
                self._claim(event)
            case EventType.CREDIT_REFUSED if event.data.get(CAUSE_WITHDRAWN) is True:
                pass  # It was taken back because its cause was gone, and the cause is there again.
            case _:
                self._decide(_decided(event), event)

    def _claim(self, event: Event) -> None:
        """A claim in time makes a claimable or refused credit claimed; a late one can only be granted."""
        if self.subject.owed is CreditOwed.AUTOMATIC or self.state is CreditState.GRANTED:
            return
        self.claims[event.subject, _text(event.data.get("claim")) or ""] = event.id
        if self.subject.is_in_time(event.at) and self.state in (CreditState.CLAIMABLE, CreditState.REFUSED):
            self.enter(CreditState.CLAIMED, event.at, event)

    def _answer(self, event: Event) -> None:
        """The answer to the claim of the same subject and name; one without a name answers all of its subject."""
        name, accepted = _text(event.data.get("claim")), event.data.get("accepted")
        answered = [key for key in self.claims if key[0] == event.subject and name in (None, "", key[1])]
        if not answered or not isinstance(accepted, bool):
            return
        for key in answered:
            del self.claims[key]
        if accepted:
            self._decide(CreditState.GRANTED, event)
        elif self.state is CreditState.CLAIMED:
            self._decide(CreditState.REFUSED, event)

    def _decide(self, state: CreditState, event: Event) -> None:
        if self.state is not state:
            self.enter(state, event.at, event)


def decision(event: Event, at: Micros) -> Transition:
    """The transition that a grant or a refusal by hand makes at an instant."""
    return _transition(_decided(event), at, event)


def _decided(event: Event) -> CreditState:
    return CreditState.GRANTED if event.type == EventType.CREDIT_GRANTED else CreditState.REFUSED


def _transition(state: CreditState, at: Micros, event: Event) -> Transition:
    author, reason = (_text(event.data.get(key)) for key in ("author", "reason"))
    return Transition(state, at, event.id, author, reason, Subject.parse(event.subject).ticket)


def facts_of(log: Iterable[Event], derived: Sequence[DerivedFact] = ()) -> Iterator[Event]:
    """The facts of a log about claims and credits, without withdrawn ones, and those that other events show."""
    fields: dict[str, object] = {}
    for event in in_order(log):
        if event.type in SETS_FIELDS:
            fields |= event.data
        if event.type in FACTS:
            yield event
        elif _shows_claim(event, fields, derived):
            yield replace(event, type=EventType.CLAIM_FILED)


def _shows_claim(event: Event, fields: Mapping[str, object], derived: Sequence[DerivedFact]) -> bool:
    return any(
        each.fact == EventType.CLAIM_FILED
        and event.type in each.shown_by
        and (event.human or not each.by_agent)
        and each.where.all_hold(fields)
        for each in derived
    )


def course(subject: Claimable, facts: Iterable[Event], at: Micros) -> tuple[Transition, ...]:
    """The transitions of a credit by an instant; none while it accrues. The last one is its state.

    `facts` are those of its contract, in their total order.
    """
    if subject.arises_at is None or at < subject.arises_at:
        return ()
    automatic = subject.owed is CreditOwed.AUTOMATIC
    found = _Course(subject)
    found.enter(CreditState.OWED if automatic else CreditState.CLAIMABLE, subject.arises_at)
    for event in facts:
        if event.at <= at:
            found.lapse(event.at)
            found.apply(event)
    found.lapse(at)
    return tuple(found.transitions)


def reason_of(transition: Transition) -> Reason | None:
    """Why a credit is in this state; none where time alone says it."""
    params = {"author": transition.author, "reason": transition.reason, "state": transition.state.value}
    match transition.state:
        case CreditState.CLAIMED:
            return Reason(ReasonCode.CREDIT_CLAIMED, transition.fact, params | {"ticket": transition.ticket})
        case CreditState.GRANTED | CreditState.REFUSED:
            return Reason(ReasonCode.CREDIT_DECIDED, transition.fact, params)
        case CreditState.LAPSED:
            return Reason(ReasonCode.CREDIT_LAPSED)
        case _:
            return None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
