"""Random claims of credits that lapse within seconds, what must become of them, and the comparison with the signals.

Each contract D-n of desk/agreements/chaos.toml has one service. Its outages lie so far back that the time to claim their
credit ends about now; each further outage prolongs it. What is claimed in time is claimed and decided by an answer; what
is not lapses. The amount is that of the other credits. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import orjson

from tests.chaos.credits import SHARES, month_of, owed
from tests.chaos.life import SECOND, Happening
from tests.chaos.outages import CLAIMED, ENDED, STARTED, SUBJECT, counted_outages

CLAIMANTS: Final = 8
CLAIMANT: Final = "contract:D-"
CLAIMED_SERVICE: Final = f"{SUBJECT}{CLAIMED}"
_HOUR: Final = 3600
WITHIN: Final = 1488 * _HOUR * SECOND
"""From the end of the last outage; 62 days, so that its month is over."""

FILED: Final = "claim.filed"
ANSWERED: Final = "claim.answered"

CLAIMS: Final = f"SELECT ticket, kind, at, body FROM signal WHERE ticket LIKE '{CLAIMANT}%' ORDER BY seq"

_CHANGED: Final = "credit.changed"


def claimed_outage(chance: Random, number: int, begins_at: int) -> list[tuple[float, Happening]]:
    """The facts of an outage whose credit lapses within seconds, each with the seconds to its push, in that order."""
    ended = begins_at - WITHIN + round(chance.uniform(-3.0, 2.0) * SECOND)
    # Within one month, so that a contract has one credit of it.
    length = chance.uniform(60, 3 * _HOUR) if chance.random() < 0.8 else chance.uniform(8 * _HOUR, 40 * _HOUR)
    began = max(ended - round(length * SECOND), month_of(ended)[0])
    subject = f"{CLAIMED_SERVICE}{chance.randint(1, CLAIMANTS)}"
    pushed = [
        (0.0, Happening(f"D{number}-{type_}", type_, subject, at, {"reference": f"D{number}"}))
        for type_, at in ((STARTED, began), (ENDED, ended))
    ]
    chance.shuffle(pushed)
    return pushed


def claim_life(chance: Random, number: int, begins_at: int) -> list[tuple[float, Happening]]:
    """A claim, its answer, and perhaps the next claim, each with the seconds to its push, in that order."""
    contract = f"{CLAIMANT}{chance.randint(1, CLAIMANTS)}"
    found: list[tuple[float, Happening]] = []
    after = 0.0
    for place in range(chance.randint(1, 4)):
        type_ = (FILED, ANSWERED)[place % 2]
        data = {} if type_ == FILED else {"accepted": chance.random() < 0.3}
        late = chance.uniform(0.0, 2.0) if chance.random() < 0.15 else 0.0
        at = begins_at + round(after * SECOND)
        found.append((after + late, Happening(f"K{number}-{place}", type_, contract, at, data)))
        after += chance.uniform(0.3, 2.5)
    return sorted(found, key=lambda each: each[0])


@dataclass(frozen=True, slots=True)
class Claimed:
    """The state and the amount of a contract's credit of a month, as in "2026-09"."""

    period: str
    state: str
    amount: str


def credit_of(log: Iterable[Happening], at: int) -> Claimed | None:
    """What the credit of a contract is by the facts of its service and its own; None: nothing is owed.

    A claim that does not say what it is about claims what can be claimed then: a late one claims nothing.
    """
    facts = list(log)
    amount = owed(facts)
    if amount == SHARES[0][1]:
        return None
    claim_by = deadline(facts)
    state, pending = "claimable", False
    for fact in sorted((each for each in facts if each.type in (FILED, ANSWERED)), key=lambda each: each.at):
        if fact.at > at:
            break
        if state == "claimable" and claim_by <= fact.at:
            state = "lapsed"
        if fact.type == FILED and fact.at < claim_by and state != "granted":
            pending, state = True, "claimed"
        elif fact.type == ANSWERED and pending:
            pending = False
            if fact.data["accepted"]:
                state = "granted"
            elif state == "claimed":
                state = "refused"
    if state == "claimable" and claim_by <= at:
        state = "lapsed"
    month = datetime.fromtimestamp((claim_by - WITHIN) // SECOND, UTC)
    return Claimed(month.strftime("%Y-%m"), state, amount)


def deadline(facts: Iterable[Happening]) -> int:
    """Until when a contract can claim: by the end of its last outage."""
    return max((each.end or 0 for each in counted_outages(facts)), default=0) + WITHIN


def by_contract(logs: Mapping[str, Mapping[str, Happening]]) -> Iterator[tuple[str, list[Happening]]]:
    """Each contract with the facts of its service and its own."""
    for number in range(1, CLAIMANTS + 1):
        contract = f"{CLAIMANT}{number}"
        own = (logs.get(subject, {}).values() for subject in (contract, f"{CLAIMED_SERVICE}{number}"))
        yield contract, [each for some in own for each in some]


@dataclass(frozen=True, slots=True)
class RecordedClaim:
    """A stored signal of a credit that can be claimed. `period` is its month, as in "2026-09"."""

    contract: str
    period: str
    kind: str
    at: int
    amount: str | None

    @classmethod
    def of(cls, row: Any) -> "RecordedClaim":
        """A row of CLAIMS."""
        body = orjson.loads(row["body"])
        return cls(row["ticket"], body["period"], row["kind"], row["at"], body["new_amount"])


def missing_claims(expected: Mapping[str, Claimed | None], recorded: Sequence[RecordedClaim]) -> set[object]:
    """The contracts whose last signals do not say what their credit is.

    An outage whose end arrives after its start is open until then, and broke later months as well: those are left out.
    """
    states = {(each.contract, each.period): each.kind for each in recorded if each.kind != _CHANGED}
    amounts = {(each.contract, each.period): each.amount for each in recorded}
    found = set[object]()
    for contract, credit in expected.items():
        if credit is not None:
            key = contract, credit.period
            stands, wanted = (states.get(key), amounts.get(key)), (f"credit.{credit.state}", credit.amount)
            if stands != wanted:
                found.add(f"{contract} is {wanted}, recorded is {stands}")
    return found


def doubled_claims(recorded: Sequence[RecordedClaim]) -> set[object]:
    """Signals that say the same again: a state of the same instant, or an amount that is recorded already."""
    states: dict[tuple[str, str], tuple[str, int]] = {}
    amounts: dict[tuple[str, str], str | None] = {}
    found = set[object]()
    for place, each in enumerate(recorded):
        key, state = (each.contract, each.period), (each.kind, each.at)
        again = amounts.get(key) == each.amount if each.kind == _CHANGED else states.get(key) == state
        if again:
            found.add(f"{place}: {each}")
        if each.kind != _CHANGED:
            states[key] = state
        amounts[key] = each.amount
    return found
