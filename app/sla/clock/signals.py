"""What has to be told, given what is true and what was told before?

`signals` is a set difference: the moments of an evaluation, less those that the signal table holds. Only being late is
ever taken back. It compares moments and not two views, so that nothing between two looks is lost and a batch tells what
its parts would have told. The only thing compared with the last view is a due date that moved. Microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.sla.clock.evaluation import Evaluation
from app.sla.clock.transition import State, Transition, TransitionKind
from app.sla.clock.view import ClockView
from app.sla.reason import Reason
from app.sla.span import Micros

BREACHED: Final = "breached"
MISSED: Final = "missed"
LAPSED: Final = "lapsed"
LATE_KINDS: Final = frozenset({BREACHED, MISSED, LAPSED})
DUE_CHANGED: Final = "due_changed"
RETRACTION: Final = {BREACHED: "breach_retracted", MISSED: "miss_retracted", LAPSED: "breach_retracted"}
"""How each way of being late is taken back."""

CLOCK_SIGNALS: Final = (
    *(f"clock.{kind}" for kind in TransitionKind),
    "clock.breach_retracted",
    "clock.miss_retracted",
    "clock.due_changed",
)


@dataclass(frozen=True, slots=True)
class RecordedSignal:
    """A signal that was told, as the table has it. `at` is the corrected instant where one was corrected."""

    id: str
    commitment: str
    cycle: Micros
    kind: str
    occurrence: str
    generation: int
    at: Micros
    retracted: bool


@dataclass(frozen=True, slots=True)
class LastRecorded:
    """How a clock stood when its ticket was last told of."""

    state: State
    due_at: Micros | None


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing to tell. `kind` lacks its `clock.`; `replaces` is the told signal that it takes back or puts right.

    The natural key is (desk, ticket, commitment, cycle, kind, occurrence, generation): the table holds it once.
    """

    kind: str
    commitment: str
    cycle: Micros
    occurrence: str
    generation: int
    at: Micros
    cause: Reason | None
    clock: ClockView | None
    """The whole clock; none when a late fact left no such cycle."""
    replaces: str | None = None
    old_due_at: Micros | None = None
    new_due_at: Micros | None = None


_CycleKey = tuple[str, Micros]


def signals(
    recorded: Sequence[RecordedSignal],
    last: Mapping[_CycleKey, LastRecorded],
    evaluation: Evaluation,
    *,
    revision: int,
    because: Reason | None = None,
) -> list[Signal]:
    """What to tell of this evaluation, retractions first, then in the order of the moments.

    `last` holds the clocks as they were last told of, `revision` is the ticket's new one, `because` names what was
    learnt: the cause of retractions and of moved dates.
    """
    return _Telling(recorded, evaluation, revision, because).run(last)


class _Telling:
    def __init__(
        self,
        recorded: Sequence[RecordedSignal],
        evaluation: Evaluation,
        revision: int,
        because: Reason | None,
    ) -> None:
        self.evaluation, self.revision, self.because = evaluation, revision, because
        self.views = {(c.commitment, c.cycle_id): c for c in evaluation.clocks}
        self.known = {
            (t.commitment, t.cycle, t.kind, t.occurrence) for t in recorded if t.kind not in LATE_KINDS
        }
        late = [t for t in recorded if t.kind in LATE_KINDS]
        self.late_told = {(t.commitment, t.cycle): t for t in late if not t.retracted}
        self.taken_back = {(t.commitment, t.cycle): t for t in late if t.retracted}
        self.recorded = recorded
        self.out: list[Signal] = []

    def run(self, last: Mapping[_CycleKey, LastRecorded]) -> list[Signal]:
        transitions = sorted(self.evaluation.transitions, key=lambda m: m.at)
        late = {(m.commitment, m.cycle): m for m in transitions if m.kind.value in LATE_KINDS}
        self._retract(late)
        for moment in transitions:
            if moment.kind.value in LATE_KINDS:
                self._tell_late(moment)
            elif moment.kind is not TransitionKind.WARNED or (moment.commitment, moment.cycle) not in late:
                self._tell(moment)
        self._tell_moved_dates(last)
        return self.out

    def _retract(self, late: Mapping[_CycleKey, Transition]) -> None:
        for key, recorded in self.late_told.items():
            if key in late:
                continue
            view = self.views.get(key)
            kind = RETRACTION[recorded.kind]
            again = sum((t.commitment, t.cycle) == key and t.kind == kind for t in self.recorded)
            self.out.append(
                Signal(
                    kind,
                    recorded.commitment,
                    recorded.cycle,
                    recorded.occurrence,
                    again,
                    recorded.at,
                    self.because,
                    view,
                    replaces=recorded.id,
                    old_due_at=recorded.at,
                    new_due_at=view.due_at if view else None,
                )
            )

    def _tell_late(self, moment: Transition) -> None:
        """A breach is told once a cycle. One that is true at another instant than told is put right, not told again."""
        key = (moment.commitment, moment.cycle)
        recorded = self.late_told.get(key)
        if recorded is None:
            before = self.taken_back.get(key)
            again = self._times_taken_back(moment)
            self._add(moment, again, before.id if before else None)
        elif recorded.at != moment.at:
            self.out.append(self._moved(self.views[key], recorded.at, moment.at, recorded.id))

    def _times_taken_back(self, moment: Transition) -> int:
        of = (moment.commitment, moment.cycle, moment.kind.value, moment.occurrence)
        return sum(t.retracted and (t.commitment, t.cycle, t.kind, t.occurrence) == of for t in self.recorded)

    def _tell(self, moment: Transition) -> None:
        key = (moment.commitment, moment.cycle, moment.kind.value, moment.occurrence)
        if key not in self.known:
            self.known.add(key)
            self._add(moment, 0, None)

    def _add(self, moment: Transition, generation: int, replaces: str | None) -> None:
        self.out.append(
            Signal(
                moment.kind.value,
                moment.commitment,
                moment.cycle,
                moment.occurrence,
                generation,
                moment.at,
                moment.cause,
                self.views[moment.commitment, moment.cycle],
                replaces,
            )
        )

    def _tell_moved_dates(self, last: Mapping[_CycleKey, LastRecorded]) -> None:
        """A clock that ran when last told of and runs on, due at another instant, for no reason told just now."""
        explained = {
            (s.commitment, s.cycle)
            for s in self.out
            if s.kind in ("started", "resumed", "reopened", DUE_CHANGED)
        }
        for key, view in self.views.items():
            before = last.get(key)
            if before is None or before.state is not State.RUNNING or key in explained:
                continue
            if view.state is State.RUNNING and view.due_at != before.due_at:
                self.out.append(self._moved(view, before.due_at, view.due_at, None))

    def _moved(self, view: ClockView, old: Micros | None, new: Micros | None, corrects: str | None) -> Signal:
        return Signal(
            DUE_CHANGED,
            view.commitment,
            view.cycle_id,
            str(self.revision),
            0,
            self.evaluation.at,
            self.because,
            view,
            replaces=corrects,
            old_due_at=old,
            new_due_at=new,
        )
