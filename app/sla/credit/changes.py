"""Changes of credits: the difference between the lines derived now and the signals recorded before.

Each transition is emitted once, whatever moves its instant: its identity is its state and the fact that made it. A
changed amount is emitted with the old and the new one; a line that is no longer derived is withdrawn, and emitted anew
if it comes back. What a person decides about a withdrawn one is emitted as any decision. The last signal of a line is
always its state, so an earlier step that becomes known later has none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from app.sla.credit.claim import CreditState, Transition
from app.sla.credit.line import Line
from app.sla.credit.withdrawal import Withdrawal
from app.sla.span import Micros

CHANGED: Final = "changed"
CREDIT_SIGNALS: Final = (
    *(f"credit.{state}" for state in CreditState if state is not CreditState.ACCRUING),
    f"credit.{CHANGED}",
)
"""The kinds of signals of credits."""

_Identity: TypeAlias = tuple[str, str | None]
"""What a transition is known by: its state, and the fact that made it."""


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """A recorded signal of a line. `kind` lacks its `credit.`; `id` is the signal's."""

    id: str
    line: str
    kind: str
    at: Micros
    generation: int
    amount: Decimal | None
    fact: str | None = None
    """The id of the event that made the transition; None: time alone."""
    withdrawn: bool = False
    """Whether the line was not derived then: the signal is of its withdrawal, or of a decision after it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A signal to record. `line` is None for one that is no longer derived.

    Its natural key is (line, kind, at, generation). `retracts` is the recorded signal that it takes back.
    """

    id: str
    kind: str
    at: Micros
    generation: int
    line: Line | None
    old_amount: Decimal | None = None
    new_amount: Decimal | None = None
    retracts: str | None = None
    fact: str | None = None
    withdrawal: Withdrawal | None = None
    """Of a line that is no longer derived: its course up to this signal."""


def changes(
    recorded: Iterable[RecordedChange],
    lines: Iterable[Line],
    at: Micros,
    withdrawals: Mapping[str, Withdrawal] | None = None,
) -> list[Change]:
    """The signals to record of these lines by an instant. `recorded` in the order of recording.

    `withdrawals` are the courses of the lines that are no longer derived; one without is withdrawn at the instant.
    """
    before: dict[str, list[RecordedChange]] = {}
    for each in recorded:
        before.setdefault(each.line, []).append(each)
    derived = {line.id: line for line in lines if line.transitions and line.is_worth_a_signal}
    found = [each for line in derived.values() for each in _of_line(before.get(line.id, ()), line, at)]
    courses = withdrawals or {}
    gone = (
        each
        for name, own in before.items()
        if name not in derived
        for each in _withdrawn(name, own, courses.get(name) or Withdrawal(at))
    )
    return [*found, *gone]


def _of_line(recorded: Sequence[RecordedChange], line: Line, at: Micros) -> Iterator[Change]:
    counts = _counts(recorded)
    back = bool(recorded) and recorded[-1].kind == CreditState.WITHDRAWN
    if recorded and recorded[-1].amount != line.amount and not back:
        number = sum(each.kind == CHANGED for each in recorded)
        yield Change(line.id, CHANGED, at, number, line, recorded[-1].amount, line.amount)
    states = [(each.kind, each.fact) for each in recorded if each.kind != CHANGED]
    for transition in _not_emitted(states, line.transitions):
        yield _entered(line, transition, counts)


def _not_emitted(states: Sequence[_Identity], transitions: Sequence[Transition]) -> list[Transition]:
    """The transitions that are not recorded and come after the state that was recorded last; at least the last one."""
    identities = [(each.state.value, each.fact) for each in transitions]
    emitted = states[-1] if states else None
    if emitted == identities[-1]:
        return []
    first = identities.index(emitted) + 1 if emitted in identities else 0
    known = set(states)
    found = [
        each
        for each, identity in zip(transitions[first:-1], identities[first:-1], strict=True)
        if identity not in known
    ]
    return [*found, transitions[-1]]


def _entered(line: Line, transition: Transition, counts: Mapping[tuple[str, Micros], int]) -> Change:
    kind = transition.state.value
    again = counts.get((kind, transition.at), 0)
    return Change(line.id, kind, transition.at, again, line, new_amount=line.amount, fact=transition.fact)


def _counts(recorded: Iterable[RecordedChange]) -> dict[tuple[str, Micros], int]:
    found: dict[tuple[str, Micros], int] = {}
    for each in recorded:
        found[each.kind, each.at] = found.get((each.kind, each.at), 0) + 1
    return found


def _withdrawn(name: str, recorded: Sequence[RecordedChange], course: Withdrawal) -> Iterator[Change]:
    """The signals of a line that is no longer derived: of its withdrawal, and of what was decided since."""
    stood = max((n for n, each in enumerate(recorded) if not each.withdrawn), default=-1)
    states = [(each.kind, each.fact) for each in recorded[stood + 1 :]]
    counts = _counts(recorded)
    for transition in _not_emitted(states, course.transitions):
        until = course.until(transition)
        if transition.state is CreditState.WITHDRAWN:
            yield _retracted(name, recorded, until)
        else:
            kind = transition.state.value
            again = counts.get((kind, transition.at), 0)
            amount = recorded[stood].amount
            yield Change(
                name, kind, transition.at, again, None, None, amount, fact=transition.fact, withdrawal=until
            )


def _retracted(name: str, recorded: Sequence[RecordedChange], withdrawal: Withdrawal) -> Change:
    arose = next(each for each in recorded if each.kind != CHANGED)
    return Change(
        name,
        CreditState.WITHDRAWN.value,
        withdrawal.at,
        sum(each.kind == CreditState.WITHDRAWN for each in recorded),
        None,
        old_amount=recorded[-1].amount,
        retracts=arose.id,
        withdrawal=withdrawal,
    )
