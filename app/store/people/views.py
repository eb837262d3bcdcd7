"""Saved views: the filters of a page under a name, of one person or shared by a desk.

What happens to a shared view is in the audit log. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from sqlalchemy import RowMapping, Table, select

from app.principal import Desks
from app.sla.span import Micros
from app.store import audit
from app.store.audit import Action
from app.store.engine.database import Connection
from app.store.engine.desks import in_desks
from app.store.people.secrets import new_id
from app.store.tables import desk_view as _of_desk
from app.store.tables import person as _person
from app.store.tables import person_view as _of_person

Filters = Mapping[str, str]
"""Parameters of a page's address."""


@dataclass(frozen=True, slots=True)
class View:
    """A saved view. `person` is the id of its owner; `desk` the one that shares it. It has one of the two."""

    id: str
    page: str
    name: str
    filters: Filters
    created_at: Micros
    changed_at: Micros
    person: str | None = None
    desk: str | None = None
    created_by: str | None = None
    """Who shared it."""


_TABLES: Final[tuple[Table, Table]] = (_of_person, _of_desk)


def of_person(conn: Connection, person_id: str) -> list[View]:
    """A person's own views, by name."""
    query = select(_of_person).where(_of_person.c.person == person_id)
    return _sorted(conn.execute(query).mappings().all())


def of_desks(conn: Connection, desks: Desks) -> list[View]:
    """The views that these desks share, by name."""
    return _sorted(conn.execute(select(_of_desk).where(in_desks(_of_desk.c.desk, desks))).mappings().all())


def find(conn: Connection, view_id: str) -> View | None:
    """The view of an id, whosever it is."""
    for table in _TABLES:
        if row := conn.execute(select(table).where(table.c.id == view_id)).mappings().first():
            return _read(row)
    return None


def add_own(conn: Connection, person_id: str, page: str, name: str, filters: Filters, now: Micros) -> View:
    """Save a view of a person."""
    view = View(new_id(), page, name, filters, now, now, person=person_id)
    conn.execute(_of_person.insert(), _values(view, "person"))
    return view


def share(conn: Connection, desk: str, page: str, name: str, filters: Filters, by: str, now: Micros) -> View:
    """Save a view of a desk."""
    view = View(new_id(), page, name, filters, now, now, desk=desk, created_by=by)
    conn.execute(_of_desk.insert(), _values(view, "desk", "created_by"))
    audit.record(conn, Action.VIEW_SHARED, [desk], view.id, note=name)
    return view


def change(conn: Connection, view: View, name: str, filters: Filters, now: Micros) -> None:
    """Give a view another name and other filters."""
    table = _table_of(view)
    changed = {"name": name, "filters": orjson.dumps(filters).decode(), "changed_at": now}
    conn.execute(table.update().where(table.c.id == view.id).values(changed))
    if view.desk is not None:
        audit.record(conn, Action.VIEW_CHANGED, [view.desk], view.id, note=name)


def remove(conn: Connection, view: View) -> None:
    """Delete a view. Whose default it was opens Now without filters."""
    table = _table_of(view)
    conn.execute(table.delete().where(table.c.id == view.id))
    if view.desk is not None:
        audit.record(conn, Action.VIEW_REMOVED, [view.desk], view.id, note=view.name)


def remove_all_of(conn: Connection, person_id: str) -> None:
    """Delete a person's own views, and what they chose to open with."""
    conn.execute(_of_person.delete().where(_of_person.c.person == person_id))
    set_default(conn, person_id, None)


def default_of(conn: Connection, person_id: str) -> str | None:
    """The id of the view that a person opens Now with. The view may be gone."""
    return conn.execute(select(_person.c.default_view).where(_person.c.id == person_id)).scalar()


def set_default(conn: Connection, person_id: str, view_id: str | None) -> None:
    """Choose the view that a person opens Now with; none: without filters."""
    conn.execute(_person.update().where(_person.c.id == person_id).values(default_view=view_id))


def _table_of(view: View) -> Table:
    return _of_person if view.desk is None else _of_desk


def _values(view: View, *owners: str) -> dict[str, Any]:
    shared = ("id", "page", "name", "created_at", "changed_at", *owners)
    return {name: getattr(view, name) for name in shared} | {"filters": orjson.dumps(view.filters).decode()}


def _sorted(rows: Any) -> list[View]:
    return sorted(map(_read, rows), key=lambda view: (view.name.casefold(), view.desk or "", view.id))


def _read(row: RowMapping) -> View:
    read: dict[str, Any] = {"filters": _filters(row["filters"])}
    return View(**dict[str, Any](row) | read)


def _filters(text: str) -> dict[str, str]:
    """Stored filters. Those that an export was edited to have may be anything."""
    read: object = orjson.loads(text)
    if not isinstance(read, dict):
        return {}
    return {str(name): str(value) for name, value in cast("dict[object, object]", read).items()}
