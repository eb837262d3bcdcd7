"""Kept figures of a report: of periods that ended, read where they are up to date, and what is to be kept after it.

A report `as_of` an earlier instant has none, nor one of a desk with tickets that a release without reports has evaluated
last. Instants are microseconds UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final, TypeAlias

import orjson

from app.sla.report.cut import Piece
from app.sla.report.measure import COMMITMENT, INSTANT_OF, Cell, Measure, Value
from app.sla.span import Micros, Span
from app.store.engine.database import Connection
from app.store.tickets import kept_figures
from app.store.tickets.kept_figures import KeptFigures, Place
from app.store.tickets.report_days import KEPT_AFTER, QUEUES, Revisions
from app.store.tickets.reports import TooManyCells

_CELLS_MAX: Final = 20_000
"""Cells of one period that are kept: about a megabyte of text. More are counted again, which takes little longer."""


@dataclass(slots=True)
class KeptPeriods:
    """The figures of one measure and split, by period."""

    conn: Connection
    desk: str
    figures: str
    revisions: Revisions
    stored: Mapping[Place, tuple[int, str]]
    now: Micros
    new: list[KeptFigures] = field(default_factory=list[KeptFigures])
    """What was counted and is to be kept."""

    @classmethod
    def of_clocks(
        cls, conn: Connection, desk: str, measure: Measure, splits: Sequence[str], span: Span, now: Micros
    ) -> "KeptPeriods":
        """The cells of a measure of clocks."""
        by_field = measure is Measure.BREACHES or any(split != COMMITMENT for split in splits)
        return cls._read(
            conn, desk, measure.value, INSTANT_OF[measure].value, splits, span, now, by_field=by_field
        )

    @classmethod
    def of_queues(
        cls, conn: Connection, desk: str, splits: Sequence[str], span: Span, now: Micros
    ) -> "KeptPeriods":
        """The tallies of queues."""
        return cls._read(conn, desk, QUEUES, QUEUES, splits, span, now, by_field=bool(splits))

    @classmethod
    def _read(
        cls,
        conn: Connection,
        desk: str,
        name: str,
        depends_on: str,
        splits: Sequence[str],
        span: Span,
        now: Micros,
        *,
        by_field: bool,
    ) -> "KeptPeriods":
        # The revisions first: of what is read later they would be too old at worst, and then nothing is used.
        revisions = Revisions.read(conn, desk, [depends_on], span, by_field=by_field)
        figures = ":".join((name, *splits))
        return cls(conn, desk, figures, revisions, kept_figures.kept(conn, desk, figures, span), now)

    def has_ended(self, span: Span) -> bool:
        """Whether the figures of a period can be kept."""
        return span.end <= self.now - KEPT_AFTER

    def body(self, span: Span, offset: Micros) -> Any:
        """The kept figures of a period; None: there are none, or they are out of date."""
        found = self.stored.get(Place(span.start, span.end, offset))
        if found is None or found[0] != self.revisions.of(span) or not self.has_ended(span):
            return None
        return orjson.loads(found[1])

    def keep(self, span: Span, offset: Micros, body: Sequence[Any]) -> None:
        """Keep what was counted of a period, if it has ended."""
        if self.has_ended(span):
            revision, written = self.revisions.of(span), orjson.dumps(body).decode()
            kept = KeptFigures(self.desk, self.figures, span.start, span.end, offset, revision, written)
            self.new.append(kept)

    def cells(
        self, pieces: Sequence[Piece], most: int, count: Callable[[Sequence[Piece], int], list[Cell]]
    ) -> list[Cell]:
        """The cells of these pieces: kept ones, and those that `count` gives of the others, at most so many.

        Raises TooManyCells.
        """
        found: list[Cell] = []
        missing: list[Piece] = []
        for piece in pieces:
            body = self.body(piece.span, piece.offset)
            if body is None:
                missing.append(piece)
            else:
                found += _cells(piece.period, body)
        for piece in missing:
            if len(found) >= most:
                raise TooManyCells(f"the report has more than {most} figures")
            counted = count([piece], most - len(found))
            if len(counted) <= _CELLS_MAX:
                self.keep(piece.span, piece.offset, _columns(counted))
            found += counted
        return found


_Columns: TypeAlias = "list[tuple[Sequence[str | None], str, list[Sequence[Value]], Sequence[int]]]"
"""Cells of a period by split and kind: a column for each part of the key, and one of the numbers of clocks. That is
shorter than cells one by one, and read faster."""


def _columns(cells: Iterable[Cell]) -> _Columns:
    grouped: dict[tuple[tuple[str | None, ...], str], list[Cell]] = {}
    for cell in cells:
        grouped.setdefault((cell.split, cell.kind), []).append(cell)
    return [
        (split, kind, list(zip(*(cell.key for cell in own), strict=True)), [cell.clocks for cell in own])
        for (split, kind), own in grouped.items()
    ]


def _cells(period: int, body: _Columns) -> Iterator[Cell]:
    for split, kind, columns, clocks in body:
        keys = zip(*columns, strict=True)
        yield from map(Cell._make, zip(repeat(period), repeat(tuple(split)), repeat(kind), keys, clocks))


def kept_bodies(periods: Iterable[tuple[int, Span]], kept: KeptPeriods) -> dict[int, Any]:
    """What is kept of these periods, by number."""
    found = ((number, kept.body(span, 0)) for number, span in periods)
    return {number: body for number, body in found if body is not None}
