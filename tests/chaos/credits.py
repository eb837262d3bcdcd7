"""Random outages of the month before, the credits that must come of them, and the comparison with the recorded signals.

Each contract of desk/agreements/chaos.toml has one service and a fee of 100.00. The credit is a share of it by bands of
the month's uptime. A late fact changes it, or withdraws it. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import orjson

from tests.chaos.life import APART, SECOND, Happening
from tests.chaos.outages import (
    ENDED,
    EXCLUDED_CAUSE,
    PAST,
    STARTED,
    SUBJECT,
    VERIFIED,
    WITHDRAWN,
    counted_outages,
)

CONTRACTS: Final = 12
CONTRACT: Final = "contract:C-"
SHARES: Final = ((1, "0.00"), (10, "25.00"), (50, "50.00"))
"""Up to so many thousandths of the month down, this is owed; above them the whole fee."""
WHOLE: Final = "100.00"

_HOUR: Final = 3600

CREDITS: Final = f"SELECT ticket, kind, body FROM signal WHERE ticket LIKE '{CONTRACT}%' ORDER BY seq"


def past_life(chance: Random, number: int, begins_at: int) -> list[tuple[float, Happening]]:
    """The facts of an outage of the month before, each with the seconds from its begin to the push, in that order."""
    start, end = past_month(begins_at)
    length = (
        chance.uniform(20 * _HOUR, 30 * _HOUR) if chance.random() < 0.1 else chance.uniform(60, 3 * _HOUR)
    )
    began = chance.randrange(start, end - 31 * _HOUR * SECOND)
    ended = began + round(length * SECOND)
    name = f"P{number}"
    subject = f"{SUBJECT}{PAST}{chance.randint(1, CONTRACTS)}"

    def fact(type_: str, at: int, **data: Any) -> Happening:
        return Happening(f"{name}-{type_}", type_, subject, at, {"reference": name, **data})

    pushed = [(0.0, fact(ENDED, ended)), (0.0, fact(STARTED, began))]
    if chance.random() < 0.2:
        pushed.append((chance.uniform(0.0, 4.0), fact(VERIFIED, ended + APART, cause=EXCLUDED_CAUSE)))
    if chance.random() < 0.15:
        why = {"id": f"{name}-{STARTED}", "author": "lead", "reason": "error"}
        pushed.append((chance.uniform(0.0, 4.0), fact(WITHDRAWN, begins_at, **why)))
    return sorted(pushed, key=lambda each: each[0])


def month_of(at: int) -> tuple[int, int]:
    """Beginning and end of the month of an instant."""
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    start = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    end = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
    return round(start.timestamp()) * SECOND, round(end.timestamp()) * SECOND


def past_month(at: int) -> tuple[int, int]:
    """Beginning and end of the month before that of an instant."""
    return month_of(month_of(at)[0] - 1)


def owed(happenings: Iterable[Happening]) -> str:
    """What the contract of a service is owed by these facts, for the month in which its outages were."""
    log = list(happenings)
    spans = sorted((each.start, each.end) for each in counted_outages(log) if each.end is not None)
    if not spans:
        return SHARES[0][1]
    down, until = 0, 0
    for start, end in spans:
        down += max(0, end - max(start, until))
        until = max(until, end)
    begins, ends = month_of(spans[0][0])
    return next(
        (amount for thousandths, amount in SHARES if down * 1000 <= thousandths * (ends - begins)), WHOLE
    )


@dataclass(frozen=True, slots=True)
class RecordedCredit:
    """A stored signal of a credit."""

    contract: str
    kind: str
    old_amount: str | None
    new_amount: str | None

    @classmethod
    def of(cls, row: Any) -> "RecordedCredit":
        """A row of CREDITS."""
        body = orjson.loads(row["body"])
        return cls(row["ticket"], row["kind"], body["old_amount"], body["new_amount"])


def missing_credits(expected: Mapping[str, str], recorded: Sequence[RecordedCredit]) -> set[object]:
    """The contracts whose last signal does not say what is owed now."""
    last = {each.contract: each for each in recorded}
    return {
        f"{contract} is owed {amount}, recorded is {last.get(contract)}"
        for contract, amount in expected.items()
        if _stands_at(last.get(contract)) != amount
    }


def broken_chains(recorded: Sequence[RecordedCredit]) -> set[object]:
    """Signals that do not continue from the one before: a credit owed twice, or a change from another amount."""
    amounts: dict[str, str | None] = {}
    found = set[object]()
    for place, each in enumerate(recorded):
        before = amounts.get(each.contract)
        if each.old_amount != before or each.new_amount == before:
            found.add(f"{place}: {each} after {before}")
        amounts[each.contract] = each.new_amount
    return found


def _stands_at(last: RecordedCredit | None) -> str:
    return SHARES[0][1] if last is None or last.new_amount is None else last.new_amount
