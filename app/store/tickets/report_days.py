"""Revisions of past days: by them kept figures of reports are known to be up to date.

A transaction that changes what reports count of a past day raises the day's revision. What happens to a day within
`SETTLING` is not counted, so that the usual events do not all write to the row of their day; for as long its figures
are not kept. Instants are microseconds UTC.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from sqlalchemy import bindparam, select, text

from app.sla.report.measure import Instant
from app.sla.span import DAY, HOUR, Micros, Span
from app.store.engine.database import Connection
from app.store.engine.prepared import Prepared
from app.store.tables import report_day as _report_day

SETTLING: Final[Micros] = HOUR
"""How long after an instant its figures change without a new revision. A transaction is far shorter, so one that began
within that time has ended an hour later."""
KEPT_AFTER: Final[Micros] = 2 * SETTLING
"""How long after its end a period's figures are kept at the earliest: nothing that had no revision is running then."""

QUEUES: Final = "queues"
CLOCKS: Final = tuple(instant.value for instant in Instant)
EVERYTHING: Final = "everything"
"""All figures of the desk, of all days."""
_FIELDS: Final = ".fields"

# The rows of one transaction are written in order, so that two do not wait for each other. Both databases know it.
_MARK: Final = Prepared(
    text(
        "INSERT INTO report_day (desk, figures, day, revision) VALUES (:desk, :figures, :day, 1) "
        "ON CONFLICT (desk, figures, day) DO UPDATE SET revision = report_day.revision + 1"
    )
)
_REVISIONS: Final = (
    select(_report_day.c.day, _report_day.c.revision)
    .where(
        _report_day.c.desk == bindparam("desk"),
        _report_day.c.figures.in_(bindparam("figures", expanding=True)),
        _report_day.c.day >= bindparam("first"),
        _report_day.c.day <= bindparam("last"),
    )
    .order_by(_report_day.c.day)
)


class Mark(NamedTuple):
    """Figures of a day that have changed: `figures` are those of one of `CLOCKS`, or of `QUEUES`."""

    figures: str
    day: int

    @classmethod
    def at(cls, figures: str, at: Micros, *, by_field: bool = False) -> "Mark":
        """The mark of an instant. `by_field`: only figures that are split by a field of the ticket have changed."""
        return cls(figures + _FIELDS if by_field else figures, at // DAY)


def mark(conn: Connection, desk: str, marks: Collection[Mark]) -> None:
    """Raise the revisions of days, in the transaction that changes their figures."""
    if marks:
        _MARK.write(
            conn, [{"desk": desk, "figures": each.figures, "day": each.day} for each in sorted(marks)]
        )


def mark_all(conn: Connection, desk: str, *, by_field: bool = False) -> None:
    """Raise the revision of all days of a desk: it is not known what has changed.

    `by_field`: only of figures that are split by a field of the ticket.
    """
    mark(conn, desk, [Mark.at(EVERYTHING, 0, by_field=by_field)])


class Revisions:
    """The revisions of days, added up."""

    def __init__(self, rows: Sequence[tuple[int, int]], everything: int) -> None:
        self._days = [day for day, _ in rows]
        self._sums = [0, *accumulate(revision for _, revision in rows)]
        self._everything = everything

    @classmethod
    def read(
        cls, conn: Connection, desk: str, figures: Iterable[str], span: Span, *, by_field: bool
    ) -> "Revisions":
        """The revisions that figures of a span depend on. `by_field`: they are split by a field of the ticket."""
        plain = list(figures)
        names = [*plain, *(name + _FIELDS for name in plain)] if by_field else plain
        given = {"desk": desk, "figures": names, "first": span.start // DAY, "last": (span.end - 1) // DAY}
        rows = [(row.day, row.revision) for row in conn.execute(_REVISIONS, given).all()]
        whole = {
            **given,
            "figures": [EVERYTHING, EVERYTHING + _FIELDS][: 1 + by_field],
            "first": 0,
            "last": 0,
        }
        everything = sum(row.revision for row in conn.execute(_REVISIONS, whole).all())
        return cls(rows, everything)

    def of(self, span: Span) -> int:
        """The sum of those of the days of a span."""
        first, after = (
            bisect_left(self._days, span.start // DAY),
            bisect_left(self._days, (span.end - 1) // DAY + 1),
        )
        return self._everything + self._sums[after] - self._sums[first]
