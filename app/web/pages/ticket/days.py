"""The picture of the days of a clock: one row for each local day, hours from left to right.

The periods that counted and those that did not are drawn over the opening hours.

All figures are units of the drawing. A local time is written as microseconds since 1970, as if it were UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from app.delivery.wording.phrases import N_
from app.sla.calendar import Calendar
from app.sla.clock.explanation import ExplainedSpan, Explanation
from app.sla.span import SECOND, Micros, instant, micros
from app.web.pages.frame.words import local
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.reasons import span_text
from app.web.pages.ticket.scale import DAY, LABEL, WIDE, Scale
from app.web.pages.ticket.vocabulary import SPANS

TALL: Final = 38
"""Height of a row: the names of markers are above its bar."""
BAR: Final = 20
ABOVE: Final = 15
TOP: Final = 22
_MANY: Final = 14
"""Rows above which days that look the same share one."""
_CLOSE: Final = 64
"""Distance of two markers at which their names would overlap."""
_LETTER: Final = 6.2
"""Approximate width of a letter: a reason that does not fit is in the tooltip and in the table."""
_SHOWS_NO_REASON: Final = frozenset({"counted", "overdue"})
PATTERNS: Final = {
    "paused": "paused",
    "excluded": "excluded",
    "awaiting": "awaiting",
    "stopped": "awaiting",
    "not_applying": "awaiting",
}
"""The pattern of a kind of span: they differ by their lines, not by colour alone."""


class Box(NamedTuple):
    """A stretch of a row."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Block:
    """A period within a day."""

    box: Box
    kind: str
    pattern: str | None
    title: str
    label: str | None
    is_planned: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker: now, or the due date."""

    name: str
    x: float
    text_x: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A day, or several that look the same."""

    name: str
    is_run: bool
    bar: int
    open: tuple[Box, ...]
    blocks: tuple[Block, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole drawing."""

    height: int
    summary: str
    rows: tuple[Row, ...]
    kinds: tuple[tuple[str, str], ...]
    """The legend: the kinds of spans, with their words."""
    hours: tuple[tuple[float, str], ...]
    """The lines of the scale, with their names."""


class _Piece(NamedTuple):
    """A part of a span within one local day."""

    start: int
    end: int
    span: ExplainedSpan | None


@dataclass(slots=True)
class _Day:
    start: int
    pieces: list[_Piece] = field(default_factory=list[_Piece])
    open: list[_Piece] = field(default_factory=list[_Piece])
    marks: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])
    last: int | None = None

    @property
    def times(self) -> Iterator[int]:
        """The times of day that the picture must show: where the desk opens, where something counts, begins or ends,
        and the markers. A night through which a clock stands still is none."""
        yield from (piece.start - self.start for piece in self.open)
        yield from (reading - self.start for _, reading, _ in self.marks)
        for piece in self.pieces:
            if piece.start > self.start or (piece.span and piece.span.kind in _SHOWS_NO_REASON):
                yield piece.start - self.start
            else:
                yield piece.end - self.start

    def shows(self, piece: _Piece, scale: Scale) -> bool:
        """Whether a period of the day reaches into the picture."""
        return piece.end - self.start > scale.begin

    @property
    def appearance(self) -> object:
        """What a day looks like; None: like no other."""
        if self.marks:
            return None
        return [
            (
                p.start - self.start,
                p.end - self.start,
                p.span and (p.span.kind, p.span.reason, p.span.planned),
            )
            for p in (*self.pieces, *self.open)
        ]


def picture(explanation: Explanation, spans: Sequence[ExplainedSpan], label: str, to: Audience) -> Picture:
    """The picture of an explanation; of its spans only these."""
    zone = explanation.calendar.time_zone if explanation.calendar else to.zone
    marks = [("now", to.now, to.words.say(N_("now {time}"), time=_time(to.now, zone, to)))]
    if explanation.due_at is not None:
        due = to.words.say(N_("due {when}"), when=_time(explanation.due_at, zone, to))
        marks.append(("due", explanation.due_at, due))
    days = _alike(_by_day(spans, _opening(explanation.calendar, spans), marks, zone))
    scale = Scale.of(time for day in days for time in day.times)
    kinds = dict.fromkeys(span.kind.value for span in spans)
    summary = to.words.say(N_("Days of {label}"), label=label)
    return Picture(
        height=TOP + len(days) * TALL + 4,
        summary=summary,
        rows=tuple(_row(day, TOP + n * TALL + ABOVE, scale, to) for n, day in enumerate(days)),
        kinds=tuple((kind, to.words.say(SPANS[kind])) for kind in kinds),
        hours=scale.hours,
    )


def _time(at: Micros, zone: str, to: Audience) -> str:
    return to.words.time(local(at, zone))


def _reading(at: Micros, zone: str) -> int:
    """The local time of an instant as if it were UTC."""
    return micros(local(at, zone).replace(tzinfo=UTC))


def _opening(calendar: Calendar | None, spans: Sequence[ExplainedSpan]) -> list[tuple[Micros, Micros]]:
    """The opening hours of the days of the picture; none of a calendar that is always open."""
    if calendar is None or calendar.is_always:
        return []
    start, end = spans[0].start - DAY, max(span.end for span in spans) + DAY
    return [(each.start, each.end) for each in calendar.spans_us(start, end) if each.open]


def _by_day(
    spans: Iterable[ExplainedSpan],
    opening: Iterable[tuple[Micros, Micros]],
    marks: Iterable[tuple[str, Micros, str]],
    zone: str,
) -> list[_Day]:
    """What lies in each local day that the spans or the markers touch."""
    days: dict[int, _Day] = {}

    def of(reading: int) -> _Day:
        start = reading // DAY * DAY
        return days.setdefault(start, _Day(start))

    for span in spans:
        for piece in _cut(_reading(span.start, zone), _reading(span.end, zone), span):
            of(piece.start).pieces.append(piece)
    for name, at, text in marks:
        of(_reading(at, zone)).marks.append((name, _reading(at, zone), text))
    for start, end in opening:
        for piece in _cut(_reading(start, zone), _reading(end, zone), None):
            if piece.start // DAY * DAY in days:
                of(piece.start).open.append(piece)
    return [days[start] for start in sorted(days)]


def _cut(start: int, end: int, span: ExplainedSpan | None) -> Iterator[_Piece]:
    """A span cut at midnights. One inside the hour that is repeated in autumn may end before it starts: not drawn."""
    while start < end:
        until = min(end, (start // DAY + 1) * DAY)
        yield _Piece(start, until, span)
        start = until


def _alike(days: list[_Day]) -> list[_Day]:
    """Consecutive days that look the same share a row, if there are many."""
    if len(days) <= _MANY:
        return days
    rows: list[_Day] = []
    for day in days:
        before = rows[-1] if rows else None
        if before and day.appearance is not None and before.appearance is not None and _same(before, day):
            before.last = day.start
        else:
            rows.append(day)
    return rows


def _same(one: _Day, other: _Day) -> bool:
    return one.appearance == other.appearance


def _row(day: _Day, bar: int, scale: Scale, to: Audience) -> Row:
    name = to.day(_date(day.start))
    if day.last is not None:
        name = f"{name} – {to.day(_date(day.last))}"  # noqa: RUF001 - the dash of a span
    return Row(
        name,
        day.last is not None,
        bar,
        tuple(_box(piece, day.start, scale) for piece in day.open),
        tuple(_block(piece, day.start, scale, to) for piece in day.pieces if day.shows(piece, scale)),
        tuple(_marks(day, scale)),
    )


def _date(reading: int) -> datetime:
    return instant(reading).astimezone(UTC)


def _box(piece: _Piece, start: int, scale: Scale) -> Box:
    begin = max(piece.start - start, scale.begin)
    return Box(scale.across(begin), round(max(1.0, scale.width(piece.end - start - begin)), 2))


def _block(piece: _Piece, start: int, scale: Scale, to: Audience) -> Block:
    span = piece.span
    assert span is not None  # noqa: S101 - opening hours are no blocks
    box, kind, reason = _box(piece, start, scale), span.kind.value, span_text(span, to)
    times = f"{_hour(piece.start, start)}–{_hour(piece.end, start)}"  # noqa: RUF001 - the dash of a span
    title = f"{times} {to.words.say(SPANS[kind])}: {reason}"
    if span.planned:
        title += f" ({to.words.say(N_('upcoming'))})"
    fits = kind not in _SHOWS_NO_REASON and len(reason) * _LETTER + 8 < box.width
    return Block(box, kind, PATTERNS.get(kind), title, reason if fits else None, span.planned)


def _hour(reading: int, start: int) -> str:
    minutes = (reading - start) // (60 * SECOND)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _marks(day: _Day, scale: Scale) -> Iterator[Mark]:
    """The markers from left to right; the name of one close to the next is on its left."""
    ordered = sorted(day.marks, key=lambda mark: mark[1])
    for n, (name, reading, text) in enumerate(ordered):
        x = scale.across(reading - day.start)
        follower = scale.across(ordered[n + 1][1] - day.start) if n + 1 < len(ordered) else LABEL + WIDE
        left = follower - x < _CLOSE
        yield Mark(name, x, x - 1 if left else x + 1, "end" if left else "start", text)
