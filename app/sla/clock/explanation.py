"""The explanation of a deadline: every span from a clock's start to its end, counted or not, with its reason.

The spans are those that the calendar counted and those in which the clock did not run. Their running total is the
counted time, and equals the target at the due date. Instants are microseconds UTC; the local time zone of a span is
that of the clock's calendar.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from app.sla.budget import charge
from app.sla.calendar import Calendar
from app.sla.calendar.target import Target
from app.sla.clock.evaluation import Evaluation
from app.sla.clock.segment import Stretch
from app.sla.clock.time_account import TimeAccount
from app.sla.clock.transition import State
from app.sla.clock.view import ClockView
from app.sla.reason import Reason, ReasonCode
from app.sla.span import Micros


class SpanKind(StrEnum):
    """What happened to the clock in a span."""

    COUNTED = "counted"
    SKIPPED = "skipped"
    PAUSED = "paused"
    EXCLUDED = "excluded"
    AWAITING = "awaiting"
    STOPPED = "stopped"
    NOT_APPLYING = "not_applying"
    OVERDUE = "overdue"


_ELAPSED: Final = Reason(ReasonCode.ELAPSED_TIME)


class NoSuchClock(LookupError):
    """The ticket has no such clock. Its clocks are listed in the ticket's view."""


@dataclass(frozen=True, slots=True)
class ExplainedSpan:
    """One span. `total` is what has counted by its end; `planned`: it lies after the instant of the question."""

    start: Micros
    end: Micros
    kind: SpanKind
    reason: Reason
    source: str | None
    total: int
    planned: bool = False

    @property
    def counted(self) -> bool:
        """Whether its time counts towards the target."""
        return self.kind is SpanKind.COUNTED or self.kind is SpanKind.OVERDUE


@dataclass(frozen=True, slots=True)
class Explanation:
    """A deadline or a stop, span by span. `calendar` gives the zone of local times."""

    target: str | None
    target_length: int | None
    due_at: Micros | None
    calendar: Calendar | None
    spans: tuple[ExplainedSpan, ...]
    clock: ClockView | None = None


def explain_deadline(target: Target, calendar: Calendar, since: Micros) -> Explanation:
    """A deadline without any ticket. Raises TargetFault and UncoveredYear."""
    measured = target.measure(since, calendar)
    due_at = target.deadline(since, calendar)
    spans = tuple(_counted_spans(_Piece(since, due_at, measured.calendar), 0, None, since))
    return Explanation(str(target), measured.length, due_at, calendar, spans)


def explain(evaluation: Evaluation, commitment: str | None = None, cycle: int | None = None) -> Explanation:
    """Explain a clock: of that commitment, else the one that is due next; of that cycle, else its latest.

    Raises NoSuchClock.
    """
    views = [c for c in evaluation.clocks if commitment in (None, c.commitment) and cycle in (None, c.cycle)]
    if not views:
        known = ", ".join(sorted({c.commitment for c in evaluation.clocks})) or "none"
        wanted = " ".join(str(part) for part in (commitment, cycle) if part is not None) or "at all"
        raise NoSuchClock(f"no clock {wanted}; the ticket has: {known}")
    view = views[-1]
    running = [c for c in views if c.state is State.RUNNING and c.due_at is not None]
    if commitment is None and running:
        view = min(running, key=lambda c: c.due_at or 0)
    account = evaluation.histories[view.commitment, view.cycle_id]
    shown = account.regime.calendar if account.regime else None
    spans: tuple[ExplainedSpan, ...] = ()
    if account.uncovered is None:
        spans = tuple(_life(account, view, evaluation.at))
    return Explanation(view.target, view.target_length, view.due_at, shown, spans, view)


@dataclass(frozen=True, slots=True)
class _Piece:
    start: Micros
    end: Micros
    measuring: Calendar


def _life(account: TimeAccount, view: ClockView, at: Micros) -> Iterator[ExplainedSpan]:
    total = 0
    for stretch in _stretches(account, view, at):
        if stretch.state is not State.RUNNING or stretch.calendar is None:
            yield _uncounted_span(stretch, total, at)
            continue
        piece = _Piece(stretch.start, stretch.end, stretch.calendar)
        for span in _counted_spans(piece, total, account.due_at if account.is_late else None, at):
            if stretch.discounted:
                yield ExplainedSpan(
                    span.start, span.end, SpanKind.SKIPPED, Reason(ReasonCode.BEFORE_CHANGE), None, total
                )
            else:
                total = span.total
                yield span


def _stretches(account: TimeAccount, view: ClockView, at: Micros) -> Iterable[Stretch]:
    """The stretches of its life up to its end; a clock that runs is followed up to its due date."""
    clock, last = account.clock, account.clock.segments[-1]
    ended = clock.ended_at
    for stretch in account.stretches:
        if ended is None or stretch.start < ended:
            yield stretch
    if view.state in (State.RUNNING, State.PAUSED, State.AWAITING):
        end = max(at, account.due_at or at) if view.state is State.RUNNING else at
        if end > last.start:
            calendar = account.measuring if view.state is State.RUNNING else None
            yield Stretch(last.start, end, view.state, last.reason, calendar)


def _uncounted_span(stretch: Stretch, total: int, at: Micros) -> ExplainedSpan:
    cause = stretch.reason
    match stretch.state:
        case State.AWAITING:
            kind, reason = SpanKind.AWAITING, Reason(ReasonCode.AWAITING_START)
        case State.PAUSED if cause is not None:
            excluded = cause.code is ReasonCode.EXCLUSION
            kind, reason = SpanKind.EXCLUDED if excluded else SpanKind.PAUSED, cause
        case State.RUNNING:
            kind, reason = SpanKind.NOT_APPLYING, Reason(ReasonCode.NOT_APPLYING)
        case _:
            kind, reason = SpanKind.STOPPED, Reason(ReasonCode.UNTIL_REOPENED, stretch.state.value)
    return ExplainedSpan(stretch.start, stretch.end, kind, reason, None, total, stretch.start >= at)


def _counted_spans(piece: _Piece, total: int, due_at: Micros | None, at: Micros) -> Iterator[ExplainedSpan]:
    """The calendar's own spans of a running piece, cut at the due date and at the instant of the question."""
    for span in piece.measuring.spans_us(piece.start, piece.end):
        charge()
        cuts = sorted({span.start, span.end, *(c for c in (due_at, at) if c and span.start < c < span.end)})
        for start, end in pairwise(cuts):
            if span.open:
                total += end - start
            late = due_at is not None and start >= due_at
            kind = (SpanKind.OVERDUE if late else SpanKind.COUNTED) if span.open else SpanKind.SKIPPED
            reason = (
                _ELAPSED
                if piece.measuring.is_always
                else Reason(ReasonCode.CALENDAR, params={"text": span.reason})
            )
            yield ExplainedSpan(start, end, kind, reason, span.source, total, start >= at)
