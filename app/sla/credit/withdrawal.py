"""Withdrawals: what became of a credit whose cause was retracted after it had been owed or granted.

Such a credit is no longer derived. It is kept as it was recorded last, withdrawn, until a person decides: a grant
confirms that it stands, with the recorded amount, and a refusal takes it back. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from app.sla.credit.claim import CAUSE_WITHDRAWN, CreditState, Transition, decision
from app.sla.event import Event, EventType, in_order
from app.sla.span import Micros


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The course of a withdrawn credit: when it was withdrawn, and what was decided since."""

    at: Micros
    decisions: tuple[Transition, ...] = ()

    @classmethod
    def of(
        cls, credit: str, at: Micros, facts: Iterable[Event], *, known_at: Micros, by: Micros
    ) -> "Withdrawal":
        """The course of a credit that was withdrawn `at`, by an instant.

        `known_at` is when the last signal of the credit before the withdrawal was recorded: what was decided until then
        was about the credit as it stood.
        """
        decided = (
            fact
            for fact in in_order(facts)
            if fact.type in (EventType.CREDIT_GRANTED, EventType.CREDIT_REFUSED)
            and fact.data.get("credit") == credit
            and fact.at <= by
            and fact.received_at > known_at
            and (fact.data.get(CAUSE_WITHDRAWN) is True or fact.at >= at)
        )
        return cls(at, tuple(_decisions(decided, at)))

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The withdrawal and the decisions; the last one is the state."""
        return (Transition(CreditState.WITHDRAWN, self.at), *self.decisions)

    @property
    def state(self) -> CreditState:
        """What the credit is now: withdrawn, granted or refused."""
        return self.transitions[-1].state

    @property
    def is_confirmed(self) -> bool:
        """Whether a person decided that the credit stands."""
        return self.state is CreditState.GRANTED

    def until(self, transition: Transition) -> "Withdrawal":
        """The course up to one of its transitions."""
        reached = self.transitions.index(transition)
        return replace(self, decisions=self.decisions[:reached])


def _decisions(facts: Iterable[Event], withdrawn_at: Micros) -> Iterator[Transition]:
    state = CreditState.WITHDRAWN
    for fact in facts:
        found = decision(fact, max(fact.at, withdrawn_at))
        if found.state is not state:
            state = found.state
            yield found
