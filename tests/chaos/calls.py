"""Random calls, the averages that must come of them, and the comparison with the recorded signals.

Each average of desk/agreements/chaos.toml has one line and a target of less than 90 s. Calls of the month before break
and keep it, since the mean of few waits moves about; those of the running month are worth a warning. The facts of a call
are pushed in random order, some are withdrawn. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.chaos.credits import month_of, past_month
from tests.chaos.life import APART, SECOND, Happening
from tests.chaos.outages import WITHDRAWN

CALL: Final = "call:"
LINES: Final = 6
PICKUP: Final = "pickup-"
LINE: Final = "hotline-"
TARGET: Final = 90 * SECOND
WARN_AFTER: Final = 10

_OFFERED: Final = "call.offered"
_ANSWERED: Final = "call.answered"
_WARNED: Final = "average.warned"
_BREACHED: Final = "average.breached"
_RETRACTED: Final = "average.breach_retracted"

AVERAGES: Final = (
    "SELECT commitment, cycle, kind, at, retracted_at IS NOT NULL AS gone FROM signal "
    "WHERE kind LIKE 'average.%' ORDER BY seq"
)

Month = tuple[str, int]
"""An average and the beginning of a month."""


def call_life(chance: Random, number: int, begins_at: int) -> list[tuple[float, Happening]]:
    """The facts of a call, each with the seconds from its begin to the push, in that order."""
    wait = round(chance.uniform(60, 120) * SECOND)
    if chance.random() < 0.5:
        start, end = past_month(begins_at)
        offered_at = chance.randrange(start, end)
    else:
        # The answer is now, or slightly ahead.
        offered_at = begins_at - wait + round(chance.uniform(-2, 0.5) * SECOND)
    line = {"line": f"{LINE}{chance.randint(1, LINES)}"}
    subject = f"{CALL}{number}"

    def fact(place: int, type_: str, at: int, data: Mapping[str, Any]) -> tuple[float, Happening]:
        pushed = chance.uniform(0.0, 2.5) if chance.random() < 0.35 else 0.0
        return pushed, Happening(f"C{number}-{place}", type_, subject, at, dict(data))

    facts = [fact(0, _OFFERED, offered_at, line)]
    if chance.random() < 0.2:
        facts.append(fact(1, _OFFERED, offered_at + wait // 3, line))
    if chance.random() < 0.9:
        sent = {"waited_seconds": round(chance.uniform(60, 120), 3)} if chance.random() < 0.2 else {}
        facts.append(fact(2, _ANSWERED, offered_at + wait, sent))
    if chance.random() < 0.2:
        after, gone = chance.choice(facts)
        about = {"id": gone.id, "author": "lead", "reason": "error"}
        facts.append((after, Happening(f"C{number}-3", WITHDRAWN, subject, begins_at + APART, about)))
    return sorted(facts, key=lambda each: each[0])


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was offered. `answered_at` and `waited` are None while it is not answered."""

    line: str
    offered_at: int
    answered_at: int | None = None
    waited: int = 0


def call_of(log: Iterable[Happening]) -> Call | None:
    """The call of these facts; None if no offer stands."""
    facts = list(log)
    gone = {each.data["id"] for each in facts if each.type == WITHDRAWN}
    stands = [each for each in facts if each.id not in gone]
    offers = [each for each in stands if each.type == _OFFERED]
    if not offers:
        return None
    offer = min(offers, key=_at)
    answers = [each for each in stands if each.type == _ANSWERED and each.at >= offer.at]
    if not answers:
        return Call(offer.data["line"], offer.at)
    answer = min(answers, key=_at)
    sent = answer.data.get("waited_seconds")
    waited = answer.at - offer.at if sent is None else round(sent * 1000) * (SECOND // 1000)
    return Call(offer.data["line"], offer.at, answer.at, waited)


def _at(fact: Happening) -> int:
    return fact.at


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be recorded of a month: whether it is broken, and whether it was worth a warning."""

    broken: bool
    warned: bool


def averages(logs: Iterable[Iterable[Happening]], at: int) -> dict[Month, Expected]:
    """Every month of an average that has calls, by an instant. A month that runs is not broken, one that is over not
    worth a warning."""
    waits: dict[Month, list[tuple[int, int]]] = {}
    for call in filter(None, map(call_of, logs)):
        answers = waits.setdefault((call.line.replace(LINE, PICKUP), month_of(call.offered_at)[0]), [])
        if call.answered_at is not None and call.answered_at <= at:
            answers.append((call.answered_at, call.waited))
    return {
        (name, start): Expected(
            broken=month_of(start)[1] <= at and _is_missed(answers),
            warned=at < month_of(start)[1] and _is_worth_a_warning(answers),
        )
        for (name, start), answers in waits.items()
    }


def _is_missed(answers: Sequence[tuple[int, int]]) -> bool:
    return bool(answers) and sum(waited for _, waited in answers) >= TARGET * len(answers)


def _is_worth_a_warning(answers: Sequence[tuple[int, int]]) -> bool:
    """Whether at any answer, of so many at least, the mean so far missed the target."""
    ordered = sorted(answers)
    instants = {at for at, _ in ordered}
    so_far = ([each for each in ordered if each[0] <= instant] for instant in instants)
    return any(len(answered) >= WARN_AFTER and _is_missed(answered) for answered in so_far)


@dataclass(frozen=True, slots=True)
class RecordedAverage:
    """A stored signal of an average."""

    month: Month
    kind: str
    at: int
    gone: bool

    @classmethod
    def of(cls, row: Any) -> "RecordedAverage":
        """A row of AVERAGES."""
        return cls((row["commitment"], row["cycle"]), row["kind"], row["at"], bool(row["gone"]))


def missing_averages(expected: Mapping[Month, Expected], recorded: Sequence[RecordedAverage]) -> set[object]:
    """The months of which the signals do not say what is so: broken at their end or not, and a warning if it was due."""
    broken = {(each.month, each.at) for each in recorded if each.kind == _BREACHED and not each.gone}
    warned = {each.month for each in recorded if each.kind == _WARNED}
    wanted = {(month, month_of(month[1])[1]) for month, each in expected.items() if each.broken}
    wrong = {f"{month} is broken: {(month, at) in wanted}" for month, at in broken ^ wanted}
    return {
        *wrong,
        *(f"{m} has no warning" for m, each in expected.items() if each.warned and m not in warned),
    }


def doubled_averages(recorded: Sequence[RecordedAverage]) -> set[object]:
    """Signals that do not continue from the one before: a second warning, a breach of what is broken already."""
    stands: set[Month] = set()
    warned: set[Month] = set()
    found = set[object]()
    for place, each in enumerate(recorded):
        marked = warned if each.kind == _WARNED else stands
        if (each.month in marked) is not (each.kind == _RETRACTED):
            found.add(f"{place}: {each}")
        (marked.discard if each.kind == _RETRACTED else marked.add)(each.month)
    return found
