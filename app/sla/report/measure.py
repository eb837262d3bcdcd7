"""What the reports of clocks count: which clocks fall into a period by which instant, and under which key.

A report first reduces clocks to cells: how many clocks have this period, these values of the split, this kind and this
key. Rows and totals are sums of cells, so they do not depend on where the cells come from: the database counts stored
clocks, `cells_of` counts clocks that were evaluated as of an earlier instant. Instants are microseconds UTC.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from app.sla.report.cut import Piece, piece_at
from app.sla.report.figures import ClockFigures
from app.sla.span import DAY, HOUR, Micros

COMMITMENT: Final = "commitment"
TICKET_SPLITS: Final = ("plan", "level", "priority", "queue", "assignee", "group", "customer", "service")
SPLITS: Final = (COMMITMENT, *TICKET_SPLITS)
"""What a report can be split by: the commitment, or a field of the ticket as it is now."""

WHOLE: Final = 1000
"""Thousandths of the target in all of it."""
EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday; Monday is 0."""


class Outcome(StrEnum):
    """How a clock ended. Part of the API: never renamed."""

    MET = "met"
    MISSED = "missed"
    """It was late, whether it stopped or was cancelled afterwards."""
    EXCLUDED = "excluded"
    """It was cancelled in time: neither met nor missed."""


class Instant(StrEnum):
    """The instant of a clock by which it falls into a period."""

    STARTED = "started_at"
    BREACHED = "breached_at"
    ENDED = "ended_at"


class Measure(StrEnum):
    """What is counted."""

    OUTCOMES = "outcomes"
    """Clocks that ended, by outcome."""
    SHARES = "shares"
    """Clocks that were met or missed, by the thousandths of the target that they had counted, rounded down."""
    STARTS = "starts"
    """Clocks that started, by weekday and hour."""
    LATE_HOURS = "late_hours"
    """Clocks that were late, by weekday and hour of their due date."""
    BREACHES = "breaches"
    """Clocks that were late, by cause, first pause, assignee and hour of the day."""


INSTANT_OF: Final[Mapping[Measure, Instant]] = {
    Measure.OUTCOMES: Instant.ENDED,
    Measure.SHARES: Instant.ENDED,
    Measure.STARTS: Instant.STARTED,
    Measure.LATE_HOURS: Instant.BREACHED,
    Measure.BREACHES: Instant.BREACHED,
}

KEYS: Final[Mapping[Measure, tuple[str, ...]]] = {
    Measure.OUTCOMES: ("outcome",),
    Measure.SHARES: ("share",),
    Measure.STARTS: ("hour_of_week",),
    Measure.LATE_HOURS: ("hour_of_week",),
    Measure.BREACHES: ("cause", "first_pause", "assignee", "hour"),
}
"""The names of the parts of a measure's key."""

Value: TypeAlias = str | int | None


class Cell(NamedTuple):
    """How many clocks have this period, these values of the split, this kind of commitment and this key."""

    period: int
    split: tuple[str | None, ...]
    kind: str
    key: tuple[Value, ...]
    clocks: int


@dataclass(frozen=True, slots=True)
class ReportedClock:
    """A clock of a ticket as reports count it. `fields` are the ticket's, as text."""

    ticket: str
    commitment: str
    cycle: Micros
    kind: str
    met: bool | None
    breached_at: Micros | None
    figures: ClockFigures
    fields: Mapping[str, str | None]

    def at(self, instant: Instant) -> Micros | None:
        """One of its instants, if it has come."""
        match instant:
            case Instant.STARTED:
                return self.figures.started_at
            case Instant.BREACHED:
                return self.breached_at
            case Instant.ENDED:
                return self.figures.ended_at

    def of(self, split: str) -> str | None:
        """Its value of a split; nothing and an empty text are the same."""
        return self.commitment if split == COMMITMENT else self.fields.get(split) or None

    @property
    def key(self) -> tuple[str, str, Micros]:
        """Its identity on the desk: ticket, commitment, cycle."""
        return (self.ticket, self.commitment, self.cycle)

    @property
    def outcome(self) -> Outcome:
        """How it ended, if it has."""
        return {True: Outcome.MET, False: Outcome.MISSED, None: Outcome.EXCLUDED}[self.met]


def key_of(clock: ReportedClock, measure: Measure, at: Micros, offset: Micros) -> tuple[Value, ...] | None:
    """The key of a clock in a measure, at its instant and the offset there; None: it is not counted."""
    match measure:
        case Measure.OUTCOMES:
            return (clock.outcome.value,)
        case Measure.SHARES:
            counted, length = clock.figures.counted, clock.figures.target_length
            if not length or counted is None or clock.met is None:
                return None
            return (counted * WHOLE // length,)
        case Measure.STARTS | Measure.LATE_HOURS:
            return (hour_of_week(at + offset),)
        case Measure.BREACHES:
            hour = (at + offset) % DAY // HOUR
            return (clock.figures.late_cause, clock.figures.first_pause, clock.of("assignee"), hour)


def is_behind(
    clock: ReportedClock, measure: Measure, parts: Sequence[Piece], wanted: Mapping[str, Value]
) -> bool:
    """Whether a measure counts the clock in one of these parts under these values: of splits, `kind`, or its key."""
    at = clock.at(INSTANT_OF[measure])
    part = None if at is None else piece_at(parts, at)
    if at is None or part is None:
        return False
    key = key_of(clock, measure, at, part.offset)
    if key is None:
        return False
    values: dict[str, Value] = dict(zip(KEYS[measure], key, strict=True)) | {"kind": clock.kind}
    if measure is Measure.SHARES:
        values["tenth"] = min(int(values["share"] or 0) * 10 // WHOLE, 10)
    return all(
        (values[name] if name in values else clock.of(name)) == value for name, value in wanted.items()
    )


def hour_of_week(local: Micros) -> int:
    """The hour of the week of a local time: 0 is Monday from 00:00 to 01:00."""
    return (local // HOUR + EPOCH_WEEKDAY * 24) % (7 * 24)


def cells_of(
    clocks: Iterable[ReportedClock], measure: Measure, parts: Sequence[Piece], splits: Sequence[str]
) -> list[Cell]:
    """The cells of clocks that were evaluated one by one."""
    counts: Counter[tuple[int, tuple[str | None, ...], str, tuple[Value, ...]]] = Counter()
    for clock in clocks:
        at = clock.at(INSTANT_OF[measure])
        part = None if at is None else piece_at(parts, at)
        if at is None or part is None:
            continue
        key = key_of(clock, measure, at, part.offset)
        if key is not None:
            counts[part.period, tuple(map(clock.of, splits)), clock.kind, key] += 1
    return [Cell(*of, count) for of, count in counts.items()]
