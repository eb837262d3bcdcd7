"""Saved views: who sees which, who may change them, and which filters a page has.

A view of a person is seen by that person alone. A view of a desk is seen by everybody who may view the desk, and has the
desk among its filters; it is shared, changed and removed with the permission `share`. Everything here runs in a
transaction that sees the caller's desks. Instants are microseconds UTC.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.flow.people.manage import BeyondAuthority, UnknownDesk
from app.flow.people.own import NoPerson
from app.flow.query.open_tickets import TODAY, UNCLOCKED, Tile
from app.intake.data_fields import is_visible
from app.principal import Permission, Principal, PrincipalKind, covers
from app.sla.agreement.rule import Kind
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.people import views
from app.store.people.views import Filters, View

NAME_LENGTH: Final = 100
_VALUE_LENGTH: Final = 200
"""As long as a filter of a page may be."""


class Page(StrEnum):
    """A page whose filters can be saved."""

    NOW = "now"
    BREACHES = "breaches"
    REPORTS = "reports"


PATHS: Final[Mapping[str, str]] = {Page.NOW: "/", Page.BREACHES: "/breaches", Page.REPORTS: "/reports"}
_OF_TICKETS: Final = ("assignee", "group", "customer", "commitment", "kind", "q")
FILTERS: Final[Mapping[Page, tuple[str, ...]]] = {
    Page.NOW: ("desk", "show", "queue", "plan", *_OF_TICKETS),
    Page.BREACHES: ("desk", "show", "taken", "from", "to", *_OF_TICKETS),
    Page.REPORTS: ("desk", "range", "from", "to", "kind", "commitment", "group", "assignee", "customer"),
}
"""The parameters of a page's address that are filters."""
RANGES: Final = (
    *(f"{which}-{unit}" for unit in ("week", "month", "quarter", "year") for which in ("this", "last")),
    "own",
)
"""Choices of dates of Reports."""


_SHOWN: Final = (*Tile, TODAY, UNCLOCKED)
"""What Now can show instead of all that is open."""


def _one_of(values: Collection[str]) -> Callable[[str], bool]:
    return frozenset(values).__contains__


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_ACCEPTS: Final[Mapping[tuple[Page, str], tuple[Callable[[str], bool], str]]] = {
    (Page.NOW, "show"): (_one_of(_SHOWN), "one of " + ", ".join(_SHOWN)),
    (Page.BREACHES, "show"): (_one_of(("open", "ended", "all")), "one of open, ended, all"),
    (Page.BREACHES, "taken"): (_one_of(("yes", "no")), "one of yes, no"),
    (Page.REPORTS, "range"): (_one_of(RANGES), "one of " + ", ".join(RANGES)),
    (Page.REPORTS, "kind"): (_one_of(list(Kind)), "one of " + ", ".join(Kind)),
    **{
        (page, name): (_is_date, "a date as 2026-03-06")
        for page in (Page.BREACHES, Page.REPORTS)
        for name in ("from", "to")
    },
}


class FaultyView(ValueError):
    """The view cannot be saved. `place` is the field that is wrong: `name`, `view`, or a filter as in `filters/show`."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(reason)
        self.place = place


class ViewNameTaken(ValueError):
    """Another view of this page and owner has the name."""


class TooManyViews(ValueError):
    """The owner has as many views as SLATIMER_SAVED_VIEWS_MAX allows."""


class UnknownView(LookupError):
    """There is no such view that the caller may see."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A view to save. `desk`: the one to share it with; none for the caller's own."""

    page: Page
    name: str
    filters: Filters
    desk: str | None = None


def seen(conn: Connection, who: Principal, page: Page | None = None) -> list[View]:
    """The views that a caller may see: their own, then those of desks; each by name."""
    own = views.of_person(conn, who.id) if who.kind is PrincipalKind.USER else []
    shared = views.of_desks(conn, who.desks_with(Permission.VIEW))
    pages = PATHS if page is None else (page,)
    return [view for view in [*own, *shared] if view.page in pages]


def required(conn: Connection, who: Principal, view_id: str) -> View:
    """The view of an id. Raises UnknownView for one that the caller may not see."""
    found = views.find(conn, view_id)
    if found is None or found.page not in PATHS or not (found.person == who.id or _sees(who, found.desk)):
        raise UnknownView(f"There is no view {view_id[:100]!r} that this caller may see.")
    return found


def may_change(who: Principal, view: View) -> bool:
    """Whether a caller may rename and remove a view that it sees."""
    return view.person == who.id if view.desk is None else who.may(Permission.SHARE, view.desk)


def save(
    conn: Connection, who: Principal, wanted: Wanted, known: Collection[str], now: Micros, *, most: int
) -> View:
    """Save a view. `known`: the desks that exist.

    Raises FaultyView, ViewNameTaken, TooManyViews, NoPerson, UnknownDesk, BeyondAuthority.
    """
    name, desk = checked_name(wanted.name), wanted.desk
    if desk is None:
        if who.kind is not PrincipalKind.USER:
            raise NoPerson("This needs a person who is signed in; a key has no views of its own.")
        filters = checked(wanted.page, wanted.filters)
        _check_room(views.of_person(conn, who.id), wanted.page, name, most)
        return views.add_own(conn, who.id, wanted.page, name, filters, now)
    if desk not in known or not _sees(who, desk):
        raise UnknownDesk(f"There is no desk {desk!r} that this key may see.")
    _must_share(who, desk)
    filters = checked(wanted.page, wanted.filters, desk)
    _check_room(views.of_desks(conn, frozenset({desk})), wanted.page, name, most)
    return views.share(conn, desk, wanted.page, name, filters, who.signs(who.id), now)


def change(
    conn: Connection, who: Principal, view_id: str, name: str | None, filters: Filters | None, now: Micros
) -> View:
    """Give a view another name, other filters, or both.

    Raises UnknownView, BeyondAuthority, FaultyView, ViewNameTaken.
    """
    view = _to_change(conn, who, view_id)
    chosen = view.name if name is None else checked_name(name)
    given = view.filters if filters is None else checked(Page(view.page), filters, view.desk)
    beside = [each for each in _of_owner(conn, view) if each.id != view.id]
    _check_room(beside, Page(view.page), chosen, len(beside) + 1)
    views.change(conn, view, chosen, given, now)
    return required(conn, who, view_id)


def remove(conn: Connection, who: Principal, view_id: str) -> None:
    """Delete a view. Raises UnknownView, BeyondAuthority."""
    views.remove(conn, _to_change(conn, who, view_id))


def choose(conn: Connection, who: Principal, view_id: str | None) -> None:
    """Let a person open Now with a view; none: without filters. Raises NoPerson, UnknownView, FaultyView."""
    if who.kind is not PrincipalKind.USER:
        raise NoPerson("This needs a person who is signed in; a key opens no page.")
    if view_id is not None and required(conn, who, view_id).page != Page.NOW:
        raise FaultyView("view", "the default is a view of the page `now`")
    views.set_default(conn, who.id, view_id)


def default(conn: Connection, who: Principal) -> View | None:
    """The view that a person opens Now with. None also where it was removed, or is of a desk they do not see."""
    chosen = views.default_of(conn, who.id) if who.kind is PrincipalKind.USER else None
    try:
        view = None if chosen is None else required(conn, who, chosen)
    except UnknownView:
        return None
    if view is None or (desk := view.filters.get("desk")) is None:
        return view
    return view if covers(who.desks_with(Permission.VIEW), desk) else None


def known_filters(page: Page, given: Mapping[str, str]) -> dict[str, str]:
    """Those parameters of an address that are filters of the page, in one order."""
    return {name: given[name] for name in FILTERS[page] if given.get(name)}


def checked(page: Page, given: Filters, desk: str | None = None) -> dict[str, str]:
    """Filters of a page; of a view of a desk with that desk. Raises FaultyView."""
    for name, value in given.items():
        _check(page, name, value)
    if desk is not None and given.get("desk", desk) != desk:
        raise FaultyView("filters/desk", "a view that a desk shares filters by that desk")
    return known_filters(page, dict(given) if desk is None else {**given, "desk": desk})


def checked_name(name: str) -> str:
    """A name without spaces around it. Raises FaultyView."""
    name = name.strip()
    if not is_visible(name) or not name.isprintable() or len(name) > NAME_LENGTH:
        raise FaultyView("name", f"a name has 1 to {NAME_LENGTH} visible characters")
    return name


def _check(page: Page, name: str, value: str) -> None:
    place = f"filters/{name[:100]}"
    if name not in FILTERS[page]:
        raise FaultyView(place, f"the page {page} has no such filter; it has {', '.join(FILTERS[page])}")
    if len(value) > _VALUE_LENGTH or not value.isprintable():
        raise FaultyView(place, f"a filter has at most {_VALUE_LENGTH} printable characters")
    accepts, right = _ACCEPTS.get((page, name), (None, ""))
    if value and accepts is not None and not accepts(value):
        raise FaultyView(place, f"write {right}")


def _check_room(beside: Collection[View], page: Page, name: str, most: int) -> None:
    if any(view.page == page and view.name.casefold() == name.casefold() for view in beside):
        raise ViewNameTaken(f"There is a view {name!r} already. Choose another name, or change that one.")
    if len(beside) >= most:
        raise TooManyViews(f"There are {most} views already, the limit SLATIMER_SAVED_VIEWS_MAX. Remove one.")


def _of_owner(conn: Connection, view: View) -> list[View]:
    if view.desk is None:
        return views.of_person(conn, view.person or "")
    return views.of_desks(conn, frozenset({view.desk}))


def _to_change(conn: Connection, who: Principal, view_id: str) -> View:
    view = required(conn, who, view_id)
    if view.desk is not None:
        _must_share(who, view.desk)
    return view


def _must_share(who: Principal, desk: str) -> None:
    if not who.may(Permission.SHARE, desk):
        raise BeyondAuthority(
            f"Views of desk {desk} are shared and changed with the role lead or admin there."
        )


def _sees(who: Principal, desk: str | None) -> bool:
    return desk is not None and who.may(Permission.VIEW, desk)
