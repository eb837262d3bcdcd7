"""Subjects other than tickets as last evaluated: when each must be evaluated again.

`next_at` is a hint for the sweep; the revision is the guard: a row is written only against the revision that was read.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import BigInteger, BindParameter, bindparam, case, select

from app.sla.span import Micros
from app.sla.subject import Subject
from app.store.engine import dialect
from app.store.engine.batch import parts
from app.store.engine.database import Connection, WriteContention
from app.store.tables import subject as _subject


@dataclass(frozen=True, slots=True)
class StoredSubject:
    """A subject as last evaluated."""

    desk: str
    subject: Subject
    revision: int
    evaluated_at: Micros
    next_at: Micros | None


_COLUMNS: Final = tuple(field.name for field in fields(StoredSubject))
_SOME: Final = (
    select(*(_subject.c[name] for name in _COLUMNS))
    .where(
        _subject.c.desk == bindparam("desk"), _subject.c.subject.in_(bindparam("subjects", expanding=True))
    )
    .order_by(_subject.c.subject)
)
_KNOWN: Final = select(_subject.c.subject).where(
    _subject.c.desk == bindparam("desk"), _subject.c.subject.in_(bindparam("subjects", expanding=True))
)
_EVALUATED: Final = select(_subject.c.subject, _subject.c.evaluated_at).where(
    _subject.c.desk == bindparam("desk"), _subject.c.subject.in_(bindparam("subjects", expanding=True))
)
_AT: Final[BindParameter[int]] = bindparam("at", type_=BigInteger)
_MARK: Final = (
    _subject.update()
    .where(_subject.c.desk == bindparam("_desk"), _subject.c.subject == bindparam("_subject"))
    # Evaluations between the beginning of this transaction and its lock of the row did not know what makes it due.
    .values(next_at=case((_subject.c.evaluated_at >= _AT, _subject.c.evaluated_at + 1), else_=_AT))
)
_WRITTEN: Final = (
    select(_subject.c.subject, _subject.c.written)
    .where(
        _subject.c.desk == bindparam("desk"), _subject.c.subject.in_(bindparam("subjects", expanding=True))
    )
    .order_by(_subject.c.subject)
)
_WRITE: Final = (
    _subject.update()
    .where(_subject.c.desk == bindparam("_desk"), _subject.c.subject == bindparam("_subject"))
    .values(written=bindparam("written"))
)
_INSERT: Final = _subject.insert()
_UPDATE: Final = (
    _subject.update()
    .where(
        _subject.c.desk == bindparam("_desk"),
        _subject.c.subject == bindparam("_subject"),
        _subject.c.revision == bindparam("_read"),
    )
    .values({name: bindparam(name) for name in ("revision", "evaluated_at", "next_at")})
)


def locked(conn: Connection, desk: str, subjects: Iterable[Subject]) -> dict[Subject, StoredSubject]:
    """Those of these subjects that were evaluated before, locked until the transaction ends.

    Rows are locked in the order of the subjects, so that no two transactions wait for each other. A subject without a
    row is not locked: of two transactions that insert it the second fails on its key, and is run again.
    """
    found = (
        StoredSubject(*row)
        for part in parts(sorted(subjects))
        for row in conn.execute(dialect.for_update(conn, _SOME), {"desk": desk, "subjects": part}).all()
    )
    return {each.subject: each for each in found}


def written(conn: Connection, desk: str, subjects: Iterable[Subject]) -> dict[Subject, tuple[Subject, ...]]:
    """Every way in which events write each of these subjects, by its key: the first one first, the key among them."""
    keys = sorted({subject.key for subject in subjects})
    rows = (
        row for part in parts(keys) for row in conn.execute(_WRITTEN, {"desk": desk, "subjects": part}).all()
    )
    found = {row.subject: row.written for row in rows}
    return {key: tuple(dict.fromkeys((*found.get(key, ()), key))) for key in keys}


def register(conn: Connection, desk: str, subjects: Iterable[Subject]) -> None:
    """Remember how events write these subjects, where that is not the key itself."""
    new = sorted(subject for subject in set(subjects) if subject != subject.key)
    keys = sorted({subject.key for subject in new})
    for part in parts(keys):
        rows = conn.execute(dialect.for_update(conn, _WRITTEN), {"desk": desk, "subjects": part}).all()
        before = {row.subject: row.written or (row.subject,) for row in rows}
        for key in part:
            ways = tuple(dict.fromkeys((*before.get(key, ()), *(each for each in new if each.key == key))))
            if key not in before:
                fresh = StoredSubject(desk, key, 1, 0, None)
                conn.execute(_INSERT, {name: getattr(fresh, name) for name in _COLUMNS} | {"written": ways})
            elif ways != before[key]:
                conn.execute(_WRITE, {"_desk": desk, "_subject": key, "written": ways})


def write(conn: Connection, rows: Sequence[StoredSubject]) -> None:
    """Store subjects, each with its new revision. Raises WriteContention when another writer was first."""
    new = [{name: getattr(row, name) for name in _COLUMNS} for row in rows if row.revision == 1]
    known = [
        {
            "_desk": row.desk,
            "_subject": row.subject,
            "_read": row.revision - 1,
            "revision": row.revision,
            "evaluated_at": row.evaluated_at,
            "next_at": row.next_at,
        }
        for row in rows
        if row.revision != 1
    ]
    if new:
        conn.execute(_INSERT, new)
    if known and dialect.row_count(conn.execute(_UPDATE, known), len(known)) != len(known):
        raise WriteContention("a subject was changed by another writer")


def mark_due(conn: Connection, desk: str, subjects: Iterable[Subject], at: Micros) -> None:
    """Make these subjects due at an instant, also those that were never evaluated. Rows in the order of subjects.

    One that was evaluated since that instant is due after its evaluation: the caller's fact was not committed then.
    """
    for part in parts(sorted(set(subjects))):
        known = set(conn.execute(_KNOWN, {"desk": desk, "subjects": part}).scalars())
        marked = [{"_desk": desk, "_subject": subject, "at": at} for subject in sorted(known)]
        new = [
            {name: getattr(row, name) for name in _COLUMNS}
            for row in (StoredSubject(desk, subject, 1, 0, at) for subject in sorted(set(part) - known))
        ]
        if marked:
            conn.execute(_MARK, marked)
        if new:
            conn.execute(_INSERT, new)


def evaluated_at(conn: Connection, desk: str, subjects: Iterable[Subject]) -> dict[Subject, Micros]:
    """When each of these subjects was last evaluated, those that never were left out."""
    return {
        row.subject: row.evaluated_at
        for part in parts(sorted(set(subjects)))
        for row in conn.execute(_EVALUATED, {"desk": desk, "subjects": part}).all()
    }
