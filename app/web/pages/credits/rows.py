"""Rows of credits in the reader's words: how much, by when something must be done, and what the reader may decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.intake.instant import read_instant
from app.sla.credit.claim import NOT_COUNTED, CreditState
from app.sla.span import Micros
from app.web.pages.credits.reasons import explained
from app.web.pages.frame.figures import money, month
from app.web.pages.frame.vocabulary import CREDIT_STATES
from app.web.pages.frame.words import Words

_RANK: Final = {state: rank for rank, state in enumerate(CREDIT_STATES)}
_MARKS: Final = {
    CreditState.CLAIMED: "\u25d0",
    CreditState.WITHDRAWN: "\u21b6",
    CreditState.CLAIMABLE: "\u25cb",
    CreditState.OWED: "\u25cf",
    CreditState.GRANTED: "\u2713",
    CreditState.ACCRUING: "\u2026",
    CreditState.REFUSED: "\u2715",
    CreditState.LAPSED: "\u2212",
}
_NEVER: Final = "~"
"""Sorts behind every instant."""


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom and when: the words, the instant, the desk's time zone, and what the reader may do there."""

    words: Words
    now: Micros
    zone: str
    may_request: bool = False
    may_decide: bool = False
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """The labels of the agreement's rules in the reader's language, by their ids."""

    def at(self, at: Micros) -> str:
        """An instant as the desk's clock shows it."""
        return self.words.written(at, self.zone, self.now)


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One credit. `amount` is None where it is not known; `choices` are the decisions that are offered."""

    id: str
    desk: str
    contract: str
    customer: str | None
    label: str
    ticket: str | None
    about: str
    amount: str | None
    state: str
    state_text: str
    decided: str | None
    deadline: str | None
    period: str
    month: str
    explanation: tuple[str, ...]
    choices: tuple[str, ...]
    is_closed: bool

    @property
    def values(self) -> dict[str, Any]:
        """What the form that decides it needs."""
        about = f"{self.contract}, {self.label}, {self.amount or ''}".rstrip(", ")
        return {"id": self.id, "about": about, "choices": list(self.choices)}


def by_urgency(credit: Mapping[str, Any]) -> tuple[int, str, str, str]:
    """The order of rows: what somebody must act on first, by its deadline."""
    until = credit["claim_by"] if credit["state"] == CreditState.CLAIMABLE else None
    return _RANK[credit["state"]], until or _NEVER, credit["desk"], credit["contract"]


def state_text(words: Words, state: str) -> str:
    """A state of a credit with its mark."""
    of = CreditState(state)
    return f"{_MARKS[of]} {words.say(CREDIT_STATES[of])}"


def credit_row(credit: Mapping[str, Any], to: Audience) -> CreditRow:
    """The row of a credit, from its document."""
    words, state = to.words, str(credit["state"])
    amount, currency = credit["amount"], credit["currency"]
    return CreditRow(
        id=credit["id"],
        desk=credit["desk"],
        contract=credit["contract"],
        customer=credit["customer"],
        label=to.labels.get(credit["credit"], credit["label"]),
        ticket=credit["ticket"],
        about=credit["service"] or credit["availability"] or credit["commitment"] or "",
        amount=None if amount is None else money(words, amount, currency),
        state=state,
        state_text=state_text(words, state),
        decided=_decided(credit, to),
        deadline=_deadline(credit, to),
        period=credit["period"],
        month=month(words, credit["period"]),
        explanation=tuple(explained(words, credit, to.at, to.labels)),
        choices=tuple(_choices(credit, to)),
        is_closed=state in NOT_COUNTED and state != CreditState.WITHDRAWN,
    )


def _decided(credit: Mapping[str, Any], to: Audience) -> str | None:
    """When the credit came into its state, and who made it so."""
    if not credit["transitions"]:
        return None
    last = credit["transitions"][-1]
    by = [each for each in (last["author"], last["reason"]) if each and last["author"]]
    return ", ".join([to.at(read_instant(last["at"])), *by])


def _deadline(credit: Mapping[str, Any], to: Audience) -> str | None:
    """By when something must be done about it, or what it waits for."""
    words, claim_by, arises_at = to.words, credit["claim_by"], credit["arises_at"]
    match credit["state"]:
        case CreditState.CLAIMABLE if claim_by:
            return words.say(N_("claim by {when}"), when=to.at(read_instant(claim_by)))
        case CreditState.CLAIMABLE:
            return words.say(N_("no deadline to claim"))
        case CreditState.ACCRUING if arises_at:
            return words.say(N_("accrues until {when}"), when=to.at(read_instant(arises_at)))
        case CreditState.ACCRUING:
            return words.say(N_("accrues until the interruption is over"))
        case CreditState.CLAIMED:
            return words.say(N_("waits for an answer"))
        case CreditState.WITHDRAWN:
            return words.say(N_("waits for a decision"))
        case _:
            return None


def _choices(credit: Mapping[str, Any], to: Audience) -> list[str]:
    """What the reader may decide now; the API refuses the others. One that was withdrawn is let stand or taken back."""
    state, found = credit["state"], list[str]()
    withdrawn = any(each["state"] == CreditState.WITHDRAWN for each in credit["transitions"])
    if state == CreditState.CLAIMABLE and to.may_request and credit["owed"] != "automatic" and not withdrawn:
        found.append("request")
    if not to.may_decide or state == CreditState.ACCRUING:
        return found
    if state != CreditState.GRANTED:
        found.append("stand" if withdrawn else "grant")
    if state != CreditState.REFUSED:
        found.append("take_back" if withdrawn else "refuse")
    return found
