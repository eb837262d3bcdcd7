"""The desks whose rows a query reads and writes: the condition for a list, and the setting of a transaction.

A list restricts itself to the caller's desks in its own WHERE clause, on both databases. On PostgreSQL row-level
security (`row_security`) repeats that for every statement of a transaction, by the setting made here.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, text, true

from app.principal import EVERY, EVERY_DESK, Desks
from app.store.engine.dialect import DESK_SETTING, has_row_security
from app.store.engine.prepared import Prepared

SEPARATOR: Final = "\x1f"
"""Between the names in the setting: the unit separator. No desk has a control character in its name. One desk alone,
and `*`, read as the release before wrote them."""

WRITING: Final = "\x1e"
"""In the setting of a write: the record separator. With it the subscriptions of `*` are visible, read-only: a signal of
any desk makes deliveries to them."""

WITHOUT_PARKED: Final = "desks without parked subjects"
"""Under which key a write transaction remembers them (`database.memoized`), once it has read the desks' versions."""

visible_desks: ContextVar[Desks] = ContextVar("visible_desks", default=EVERY)
"""The desks whose rows the transactions of this context see. PostgreSQL enforces it, whatever a statement says."""

_SET: Final = Prepared(text("SELECT set_config(:setting, :desks, true)"))
_INFO: Final = "desks"


class EveryDesk(StrEnum):
    """Why a write, or a part of one, is not confined to desks. The value is the reason; there are no others.

    `tests/store/test_confined_writes.py` has where each is used. Commands of the operator are not confined either.
    """

    STREAM = "places in the stream are numbered over all desks"
    DUE = "finds what is due over all desks, and is confined to the desks that it finds before it evaluates"
    DELIVERIES = (
        "one transaction records results and claims for the endpoints of all desks; a subscription may be `*`"
    )
    RETENTION = "partitions and the audit log are of all desks; tickets are archived confined to their desks"
    UPGRADE = "completes what the release before stored, of all desks, before the process serves"
    SIGN_IN = (
        "a key or a person is not confined before the session is stored; refused sign-ins and a person's own password"
        " and second factor belong to no desk"
    )
    PEOPLE = "whether a person, key or session is the caller's to manage depends on its roles on all desks"


def setting_of(desks: Desks) -> str:
    """The value of the transaction setting for reads of these desks."""
    return EVERY_DESK if EVERY_DESK in desks else SEPARATOR.join(sorted(desks))


def writing_setting_of(desks: Desks) -> str:
    """The same for writes."""
    return EVERY_DESK if EVERY_DESK in desks else SEPARATOR.join((WRITING, *sorted(desks)))


def note_setting(conn: Connection, setting: str) -> None:
    """Remember the setting with which a write transaction began, so that its parts can be confined further."""
    conn.info[_INFO] = setting


@contextmanager
def confined(conn: Connection, desks: Desks) -> Generator[None]:
    """A part of a write transaction that sees and writes the rows of these desks only.

    After an exception the setting stays: the transaction must be rolled back.
    """
    before = conn.info[_INFO]
    _put(conn, writing_setting_of(desks))
    yield
    _put(conn, before)


def _put(conn: Connection, setting: str) -> None:
    if has_row_security(conn) and conn.info[_INFO] != setting:
        _SET.rows(conn, {"setting": DESK_SETTING, "desks": setting})
        conn.info[_INFO] = setting


def in_desks(column: Column[Any], desks: Desks) -> ColumnElement[bool]:
    """The condition that a row belongs to one of these desks."""
    if EVERY_DESK in desks:
        return true()
    # Equality keeps the order of an index on (desk, ...), which a list of values may not.
    return column == next(iter(desks)) if len(desks) == 1 else column.in_(sorted(desks))
