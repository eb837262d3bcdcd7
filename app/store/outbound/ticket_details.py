"""What deliveries show of a ticket beside the signal, as it was last evaluated."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import bindparam, select

from app.sla.subject import SubjectKey
from app.store.engine.batch import parts
from app.store.engine.database import Connection
from app.store.tables import ticket as _ticket

TICKET_DETAILS: Final = ("title", "url", "customer", "assignee", "group")
"""The fields, in the order of the body."""

Details = Mapping[str, str | None]

_DETAILS: Final = select(_ticket.c.ticket, *(_ticket.c[name] for name in TICKET_DETAILS)).where(
    _ticket.c.desk == bindparam("desk"), _ticket.c.ticket.in_(bindparam("tickets", expanding=True))
)
NOTHING_KNOWN: Final[Details] = dict.fromkeys(TICKET_DETAILS)
"""Of a ticket whose row is gone: it was archived."""


def ticket_details(conn: Connection, subjects: Iterable[SubjectKey]) -> dict[SubjectKey, Details]:
    """The details of those of these subjects that are tickets, by (desk, subject)."""
    by_desk: dict[str, dict[str, SubjectKey]] = {}
    for desk, subject in subjects:
        if subject.ticket is not None:
            by_desk.setdefault(desk, {})[subject.ticket] = (desk, subject)
    found: dict[SubjectKey, Details] = {
        key: NOTHING_KNOWN for keys in by_desk.values() for key in keys.values()
    }
    for desk, keys in by_desk.items():
        for part in parts(sorted(keys)):
            for row in conn.execute(_DETAILS, {"desk": desk, "tickets": part}).mappings():
                found[keys[row["ticket"]]] = {name: row[name] for name in TICKET_DETAILS}
    return found
