"""The effects of another version on clocks: due dates that move, clocks that begin or end, breaches, credits.

Instants and lengths are microseconds, instants UTC.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappush, heappushpop
from statistics import median_low
from typing import Final

from app.flow.agreement.unchanged import UnchangedClock
from app.sla.agreement.agreement import Kind
from app.sla.clock.transition import LIVE
from app.sla.clock.view import ClockView
from app.sla.credit.money import total, written
from app.sla.span import DAY, HOUR, MINUTE, Micros

_WORST: Final = 10
"""The due dates that move furthest, which are listed apart from all changes."""

ComparedClock = ClockView | UnchangedClock
"""A clock as an evaluation shows it, or as it is stored."""
ClockKey = tuple[str, int]
"""(commitment, cycle)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A clock of an open ticket whose due date another version changes; None: it does not run, or does not exist."""

    desk: str
    ticket: str
    commitment: str
    cycle: int
    old_due_at: Micros | None
    new_due_at: Micros | None

    @property
    def shift(self) -> Micros | None:
        """How far the due date moves, negative for earlier; None where there is none before or after."""
        if self.old_due_at is None or self.new_due_at is None:
            return None
        return self.new_due_at - self.old_due_at


@dataclass(frozen=True, slots=True)
class CreditChange:
    """What is credited in a currency before and after."""

    currency: str
    before: Decimal
    after: Decimal

    @property
    def amounts(self) -> tuple[str, str]:
        """Both amounts as texts, with the decimals of the currency."""
        return written(self.before, self.currency), written(self.after, self.currency)

    @property
    def text(self) -> str:
        """The change in words, in English."""
        before, after = self.amounts
        return f"credits in {self.currency} change from {before} to {after}"


Credited = Mapping[str, tuple[Decimal, Decimal]]
"""By currency, what is credited before and after."""


def added(
    found: Credited, before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> dict[str, tuple[Decimal, Decimal]]:
    """These sums with those of further contracts, by currency."""
    nothing = Decimal(0)
    return {
        currency: (
            total([found.get(currency, (nothing, nothing))[0], before.get(currency, nothing)]),
            total([found.get(currency, (nothing, nothing))[1], after.get(currency, nothing)]),
        )
        for currency in found.keys() | before.keys() | after.keys()
    }


def credit_changes(found: Credited) -> list[CreditChange]:
    """The currencies in which another sum is credited, in order."""
    return [CreditChange(each, *found[each]) for each in sorted(found) if found[each][0] != found[each][1]]


@dataclass(frozen=True, slots=True)
class Shifts:
    """How far due dates move: the furthest earlier, the furthest later, and in the middle; negative is earlier."""

    earliest: Micros
    latest: Micros
    median: Micros


@dataclass(slots=True)
class Effects:
    """The effects so far. `most` bounds the changes that are kept; all are counted."""

    most: int
    changes: list[Change] = field(default_factory=list[Change])
    changed: int = 0
    """Clocks whose due date changes, comes or goes."""
    begin: int = 0
    end: int = 0
    appear: Counter[Kind] = field(default_factory=Counter[Kind])
    """Breaches that appear, by the kind of the commitment: an objective's is a miss, a customer's a lapse."""
    fall_away: Counter[Kind] = field(default_factory=Counter[Kind])
    _credited: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict[str, tuple[Decimal, Decimal]])
    _shifts: list[Micros] = field(default_factory=list[Micros])
    _furthest: list[tuple[Micros, tuple[str, str, str, int], Change]] = field(default_factory=list)  # type: ignore[type-arg]

    @property
    def moved(self) -> int:
        """Due dates that move."""
        return len(self._shifts)

    @property
    def shifts(self) -> Shifts | None:
        """How far they move; None where none does."""
        if not self._shifts:
            return None
        return Shifts(min(self._shifts), max(self._shifts), median_low(self._shifts))

    @property
    def worst(self) -> list[Change]:
        """The due dates that move furthest, the furthest first."""
        return [change for *_, change in sorted(self._furthest, key=lambda each: (-each[0], each[1]))]

    @property
    def money(self) -> list[CreditChange]:
        """The currencies in which another sum is credited, in order."""
        return credit_changes(self._credited)

    def credit(self, before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> None:
        """Add what some contracts are credited before and after, by currency."""
        self._credited = added(self._credited, before, after)

    def compare(
        self,
        desk: str,
        ticket: str,
        old: Mapping[ClockKey, ComparedClock],
        new: Mapping[ClockKey, ComparedClock],
    ) -> None:
        """Add what differs between the clocks of a ticket before and after."""
        for commitment, cycle in sorted(old.keys() | new.keys()):
            before, after = old.get((commitment, cycle)), new.get((commitment, cycle))
            self._count(before, after)
            due = None if before is None else before.due_at, None if after is None else after.due_at
            if due[0] != due[1]:
                self._moved(Change(desk, ticket, commitment, cycle, *due))

    def _count(self, before: ComparedClock | None, after: ComparedClock | None) -> None:
        lived, lives = _lives(before), _lives(after)
        self.begin += lives and not lived
        self.end += lived and not lives
        if _is_breached(after) and not _is_breached(before) and after is not None:
            self.appear[after.kind] += 1
        if _is_breached(before) and not _is_breached(after) and before is not None:
            self.fall_away[before.kind] += 1

    def _moved(self, change: Change) -> None:
        self.changed += 1
        if len(self.changes) < self.most:
            self.changes.append(change)
        if change.shift is None:
            return
        self._shifts.append(change.shift)
        entry = (abs(change.shift), (change.desk, change.ticket, change.commitment, change.cycle), change)
        if len(self._furthest) < _WORST:
            heappush(self._furthest, entry)
        else:
            heappushpop(self._furthest, entry)

    @property
    def sentence(self) -> str:
        """All of it in one sentence, in English."""
        parts = [
            *self._due_words(),
            *_counted(self.begin, "clock begins", "clocks begin"),
            *_counted(self.end, "clock ends", "clocks end"),
            *(text for kind in Kind for text in self._breach_words(kind)),
            *(each.text for each in self.money),
        ]
        if not parts:
            return "No clock of an open ticket changes."
        text = "; ".join(parts)
        return f"{text[:1].upper()}{text[1:]}."

    def _due_words(self) -> list[str]:
        shifts = self.shifts
        if shifts is None:
            return []
        count = _counted(self.moved, "due date moves", "due dates move")[0]
        if shifts.earliest == shifts.latest:
            return [f"{count} by {_shift(shifts.median)}"]
        between = f"{_shift(shifts.earliest)} to {_shift(shifts.latest)}"
        return [f"{count} by {between}, the median by {_shift(shifts.median)}"]

    def _breach_words(self, kind: Kind) -> list[str]:
        one, many = _NAMES[kind]
        return [
            *_counted(self.appear[kind], f"{one} appears", f"{many} appear"),
            *_counted(self.fall_away[kind], f"{one} falls away", f"{many} fall away"),
        ]


_NAMES: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.GUARANTEE: ("breach", "breaches"),
    Kind.OBJECTIVE: ("missed objective", "missed objectives"),
    Kind.CUSTOMER: ("lapsed deadline", "lapsed deadlines"),
}


def _lives(view: ComparedClock | None) -> bool:
    return view is not None and view.state in LIVE


def _is_breached(view: ComparedClock | None) -> bool:
    return view is not None and view.breached_at is not None


def _counted(count: int, one: str, many: str) -> list[str]:
    return [f"{count:,} {one if count == 1 else many}"] if count else []


def _shift(length: Micros) -> str:
    """A shift in its two largest units: "1 d 2 h later"."""
    left, words = abs(length), list[str]()
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        count, left = divmod(left, unit)
        if count:
            words.append(f"{count} {name}")
    text = " ".join(words[:2]) or "less than a minute"
    return f"{text} {'earlier' if length < 0 else 'later'}"
