"""Totals of credits by state and currency. Amounts of different states or currencies are never added."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.delivery.wording.phrases import NN_
from app.sla.credit.claim import NOT_COUNTED, CreditState
from app.sla.credit.money import total
from app.web.pages.credits.rows import state_text
from app.web.pages.frame.figures import money
from app.web.pages.frame.vocabulary import CREDIT_STATES
from app.web.pages.frame.words import Words

_UNKNOWN = NN_("{n} without an amount", "{n} without an amount")


@dataclass(frozen=True, slots=True)
class StateTotal:
    """What the credits of a state come to, by currency."""

    state: str
    text: str
    amounts: tuple[str, ...]
    unknown: str | None
    count: int


def totals(words: Words, credits: Iterable[Mapping[str, Any]]) -> list[StateTotal]:
    """The totals of each state that counts or is to be decided, in the order of the page."""
    by_state: dict[str, list[Mapping[str, Any]]] = {}
    for each in credits:
        by_state.setdefault(each["state"], []).append(each)
    shown = [
        each
        for each in map(CreditState, CREDIT_STATES)
        if each not in NOT_COUNTED or each is CreditState.WITHDRAWN
    ]
    return [_total(words, state.value, by_state[state]) for state in shown if state in by_state]


def _total(words: Words, state: str, credits: list[Mapping[str, Any]]) -> StateTotal:
    by_currency: dict[str, list[Decimal]] = {}
    for each in credits:
        if each["amount"] is not None:
            by_currency.setdefault(each["currency"], []).append(Decimal(each["amount"]))
    unknown = sum(each["amount"] is None for each in credits)
    return StateTotal(
        state=state,
        text=state_text(words, state),
        amounts=tuple(money(words, str(total(by_currency[each])), each) for each in sorted(by_currency)),
        unknown=words.count(_UNKNOWN, unknown) if unknown else None,
        count=len(credits),
    )
