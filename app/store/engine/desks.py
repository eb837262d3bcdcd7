"""The desks whose rows a query reads: the condition for a list, and the setting of a transaction.

A list restricts itself to the caller's desks in its own WHERE clause, on both databases. On PostgreSQL row-level
security (`row_security`) repeats that for every query of the transaction, by the setting made here.
"""

from contextvars import ContextVar
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, true

from app.principal import EVERY, EVERY_DESK, Desks

SEPARATOR: Final = "\x1f"
"""Between the names in the setting: the unit separator. No desk has a control character in its name. One desk alone,
and `*`, read as the release before wrote them."""

visible_desks: ContextVar[Desks] = ContextVar("visible_desks", default=EVERY)
"""The desks whose rows the reads of this context see. PostgreSQL enforces it, whatever a query selects."""


def setting_of(desks: Desks) -> str:
    """The value of the transaction setting for these desks."""
    return EVERY_DESK if EVERY_DESK in desks else SEPARATOR.join(sorted(desks))


def in_desks(column: Column[Any], desks: Desks) -> ColumnElement[bool]:
    """The condition that a row belongs to one of these desks."""
    if EVERY_DESK in desks:
        return true()
    # Equality keeps the order of an index on (desk, ...), which a list of values may not.
    return column == next(iter(desks)) if len(desks) == 1 else column.in_(sorted(desks))
