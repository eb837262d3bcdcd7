"""Clock signals: the set difference between the transitions of an evaluation and the signals recorded before.

Only lateness is ever retracted. Transitions are compared, and not two views: so nothing between two evaluations is lost,
and a batch of events emits what its parts would have emitted. The only comparison with the last view is that of due
dates. Instants are microseconds UTC.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

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
"""The signal that retracts each kind of lateness."""

# Module constants: access to an enum's members and values costs several times that of a global.
_LATE: Final = (TransitionKind.BREACHED, TransitionKind.MISSED, TransitionKind.LAPSED)
_WARNED: Final = TransitionKind.WARNED
_RUNNING: Final = State.RUNNING
_AT: Final = attrgetter("at")

CLOCK_SIGNALS: Final = (
    *(f"clock.{kind}" for kind in TransitionKind),
    "clock.breach_retracted",
    "clock.miss_retracted",
    "clock.due_changed",
)


class RecordedSignal(NamedTuple):
    """A signal as the signal table has it. `at` is the corrected instant where one was corrected."""

    id: str
    commitment: str
    cycle: Micros
    kind: str
    occurrence: str
    generation: int
    at: Micros
    retracted: bool


class LastRecorded(NamedTuple):
    """How a clock stood at the last recorded evaluation of its ticket."""

    state: State
    due_at: Micros | None


class Signal(NamedTuple):
    """A signal to emit. `kind` lacks its `clock.`; `replaces` is the recorded signal that it retracts or corrects.

    The natural key is (desk, ticket, commitment, cycle, kind, occurrence, generation): at most one row ever.
    """

    kind: str
    commitment: str
    cycle: Micros
    occurrence: str
    generation: int
    at: Micros
    cause: Reason | None
    clock: ClockView | None
    """The whole clock; none when a late event left no such cycle."""
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
    """The signals to emit for this evaluation: retractions first, then in the order of the transitions.

    `last` holds the clocks as they were last recorded, `revision` is the ticket's new one, `because` names the event or
    version that became known: the cause of retractions and of moved due dates.
    """
    return _Difference(recorded, evaluation, revision, because).run(last)


class _Difference:
    """The recorded signals of a ticket against the transitions of its evaluation."""

    def __init__(
        self,
        recorded: Sequence[RecordedSignal],
        evaluation: Evaluation,
        revision: int,
        because: Reason | None,
    ) -> None:
        self.evaluation, self.revision, self.because = evaluation, revision, because
        recorded = [t for t in recorded if not evaluation.is_settled(t.commitment, t.cycle)]
        self.views = {(c.commitment, c.cycle_id): c for c in evaluation.clocks}
        self.known = {
            (t.commitment, t.cycle, t.kind, t.occurrence) for t in recorded if t.kind not in LATE_KINDS
        }
        late = [t for t in recorded if t.kind in LATE_KINDS]
        self.late_recorded = {(t.commitment, t.cycle): t for t in late if not t.retracted}
        self.retracted = {(t.commitment, t.cycle): t for t in late if t.retracted}
        self.recorded = recorded
        self.out: list[Signal] = []

    def run(self, last: Mapping[_CycleKey, LastRecorded]) -> list[Signal]:
        transitions = sorted(self.evaluation.transitions, key=_AT)
        late = {(m.commitment, m.cycle): m for m in transitions if m.kind in _LATE}
        self._retract(late)
        for transition in transitions:
            if transition.kind in _LATE:
                self._add_late(transition)
            elif transition.kind is not _WARNED or (transition.commitment, transition.cycle) not in late:
                self._add_new(transition)
        self._add_moved_due_dates(last)
        return self.out

    def _retract(self, late: Mapping[_CycleKey, Transition]) -> None:
        for key, recorded in self.late_recorded.items():
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

    def _add_late(self, transition: Transition) -> None:
        """A breach is emitted once a cycle. One recorded at another instant is corrected, not emitted again."""
        key = (transition.commitment, transition.cycle)
        recorded = self.late_recorded.get(key)
        if recorded is None:
            before = self.retracted.get(key)
            again = self._times_retracted(transition)
            self._add(transition, again, before.id if before else None)
        elif recorded.at != transition.at:
            self.out.append(self._moved(self.views[key], recorded.at, transition.at, recorded.id))

    def _times_retracted(self, transition: Transition) -> int:
        of = (transition.commitment, transition.cycle, transition.kind.value, transition.occurrence)
        return sum(t.retracted and (t.commitment, t.cycle, t.kind, t.occurrence) == of for t in self.recorded)

    def _add_new(self, transition: Transition) -> None:
        # The kind equals its text, as a key as well.
        key = (transition.commitment, transition.cycle, transition.kind, transition.occurrence)
        if key not in self.known:
            self.known.add(key)
            self._add(transition, 0, None)

    def _add(self, transition: Transition, generation: int, replaces: str | None) -> None:
        self.out.append(
            Signal(
                str(transition.kind),
                transition.commitment,
                transition.cycle,
                transition.occurrence,
                generation,
                transition.at,
                transition.cause,
                self.views[transition.commitment, transition.cycle],
                replaces,
            )
        )

    def _add_moved_due_dates(self, last: Mapping[_CycleKey, LastRecorded]) -> None:
        """A clock that ran and runs on, due at another instant, without a signal of now that explains it."""
        explained = {
            (s.commitment, s.cycle)
            for s in self.out
            if s.kind in ("started", "resumed", "reopened", DUE_CHANGED)
        }
        for key, view in self.views.items():
            before = last.get(key)
            if before is None or before.state is not _RUNNING or key in explained:
                continue
            if view.state is _RUNNING and view.due_at != before.due_at:
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
