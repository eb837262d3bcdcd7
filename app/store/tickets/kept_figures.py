"""Kept figures of ended periods, each valid for one sum of revisions. Instants are microseconds UTC."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

from sqlalchemy import bindparam, func, select, text

from app.sla.span import Micros, Span
from app.store.engine.database import Connection
from app.store.tables import report_figures as _figures


class Place(NamedTuple):
    """A period with one offset from UTC."""

    start: Micros
    end: Micros
    offset: Micros


@dataclass(frozen=True, slots=True)
class KeptFigures:
    """The figures of a period, as JSON. `figures` names the measure and the split."""

    desk: str
    figures: str
    start: Micros
    end: Micros
    offset: Micros
    revision: int
    body: str


_KEPT: Final = select(
    _figures.c.start, _figures.c.end, _figures.c.offset, _figures.c.revision, _figures.c.body
).where(
    _figures.c.desk == bindparam("desk"),
    _figures.c.figures == bindparam("figures"),
    _figures.c.start >= bindparam("first"),
    _figures.c.start < bindparam("last"),
)
# Both databases know it. Of two that keep the same figures the later stays; an outdated one is not used.
_KEEP: Final = text(
    'INSERT INTO report_figures (desk, figures, start, "end", "offset", revision, kept_at, body) '
    "VALUES (:desk, :figures, :start, :end, :offset, :revision, :kept_at, :body) "
    'ON CONFLICT (desk, figures, start, "end", "offset") DO UPDATE '
    "SET revision = excluded.revision, kept_at = excluded.kept_at, body = excluded.body"
)
_COUNT: Final = select(func.count()).where(_figures.c.desk == bindparam("desk"))
_OLDEST: Final = (
    select(_figures.c.kept_at)
    .where(_figures.c.desk == bindparam("desk"))
    .order_by(_figures.c.kept_at)
    .offset(bindparam("spare"))
    .limit(1)
)
_DROP: Final = _figures.delete().where(
    _figures.c.desk == bindparam("desk"), _figures.c.kept_at <= bindparam("until")
)


def kept(conn: Connection, desk: str, figures: str, span: Span) -> Mapping[Place, tuple[int, str]]:
    """What is kept of periods that begin in a span: the revision and the body of each."""
    given = {"desk": desk, "figures": figures, "first": span.start, "last": span.end}
    return {
        Place(row.start, row.end, row.offset): (row.revision, row.body)
        for row in conn.execute(_KEPT, given).all()
    }


def keep(conn: Connection, now: Micros, found: Iterable[KeptFigures], most: int) -> None:
    """Keep figures. A desk that has more than `most` loses the oldest, at least a tenth of them."""
    rows = sorted(found, key=lambda each: (each.desk, each.figures, each.start, each.end, each.offset))
    if not rows:
        return
    conn.execute(_KEEP, [asdict(each) | {"kept_at": now} for each in rows])
    for desk in sorted({each.desk for each in rows}):
        count = conn.execute(_COUNT, {"desk": desk}).scalar_one()
        if count > most:
            spare = min(count - 1, count - most + most // 10)
            until = conn.execute(_OLDEST, {"desk": desk, "spare": spare}).scalar_one()
            conn.execute(_DROP, {"desk": desk, "until": until})
