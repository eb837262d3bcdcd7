"""What the page of saved views shows: rows, the form as it was typed, filters in words, and phrases for faults."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from app.delivery.wording.phrases import N_
from app.flow.people.own import NoPerson
from app.flow.people.views import FaultyView, Page, TooManyViews, ViewNameTaken, may_change
from app.flow.query.open_tickets import TODAY, UNCLOCKED, Tile
from app.principal import Principal
from app.store.people.views import Filters, View
from app.web.pages.frame.saved import address_of
from app.web.pages.frame.vocabulary import KINDS
from app.web.pages.frame.words import Words

DONE: Final[Mapping[str, str]] = {
    "rename": N_("The view is renamed."),
    "delete": N_("The view is deleted."),
    "default": N_("Now opens with this view."),
    "no_default": N_("Now opens without filters."),
}
"""What was done, by the name in the address."""

PAGES: Final[Mapping[str, str]] = {
    Page.NOW: N_("Now"),
    Page.BREACHES: N_("Breaches"),
    Page.REPORTS: N_("Reports"),
}
_NAMES: Final[Mapping[str, str]] = {
    "desk": N_("Desk"),
    "show": N_("State"),
    "queue": N_("Queue"),
    "plan": N_("Plan"),
    "taken": N_("Taken on"),
    "range": N_("Dates"),
    "from": N_("From"),
    "to": N_("To"),
    "assignee": N_("Assignee"),
    "group": N_("Group"),
    "customer": N_("Customer"),
    "commitment": N_("Commitment"),
    "kind": N_("Kind"),
    "q": N_("Search"),
}
_VALUES: Final[Mapping[tuple[str, str], str]] = {
    ("show", Tile.OVERDUE): N_("Breached, open"),
    ("show", Tile.AT_RISK): N_("At risk"),
    ("show", Tile.DUE_SOON): N_("Due within 1 h"),
    ("show", Tile.AWAITING): N_("Waiting for a fact"),
    ("show", Tile.PAUSED): N_("Paused"),
    ("show", Tile.UNASSIGNED): N_("Unassigned"),
    ("show", TODAY): N_("Kept today"),
    ("show", UNCLOCKED): N_("Without a running commitment"),
    ("show", "open"): N_("open"),
    ("show", "ended"): N_("ended"),
    ("show", "all"): N_("all"),
    ("range", "this-week"): N_("This week"),
    ("range", "last-week"): N_("Last week"),
    ("range", "this-month"): N_("This month"),
    ("range", "last-month"): N_("Last month"),
    ("range", "this-quarter"): N_("This quarter"),
    ("range", "last-quarter"): N_("Last quarter"),
    ("range", "this-year"): N_("This year"),
    ("range", "last-year"): N_("Last year"),
    ("range", "own"): N_("Own dates"),
    **{("kind", kind): text for kind, text in KINDS.items()},
    ("taken", "yes"): N_("yes"),
    ("taken", "no"): N_("no"),
}


_DATES: Final = frozenset({"from", "to"})


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom filters are written: the words, the labels of commitments by their ids, and the day."""

    words: Words
    labels: Mapping[str, str]
    today: date


@dataclass(frozen=True, slots=True)
class Draft:
    """The form that saves a view, as it was typed. `fault` is a phrase, about the name."""

    page: Page
    filters: Filters
    name: str = ""
    desk: str | None = None
    is_default: bool = False
    fault: str | None = None

    @property
    def query(self) -> str:
        """The filters as the form sends them."""
        return urlencode(self.filters)


@dataclass(frozen=True, slots=True)
class Typed:
    """A name that was typed for a view and not accepted."""

    view: str
    name: str
    fault: str


@dataclass(frozen=True, slots=True)
class Row:
    """A view of the list. `typed` is the name in its form."""

    id: str
    name: str
    address: str
    page: str
    filters: tuple[tuple[str, str], ...]
    desk: str | None
    created_by: str | None
    is_default: bool
    may_be_default: bool
    may_change: bool
    typed: str
    fault: str | None


def page_of(name: str | None) -> Page | None:
    """The page of a name; none for another one."""
    return next((page for page in Page if page == name), None)


def fault_of(error: Exception) -> str:
    """The phrase for why a view was not saved."""
    match error:
        case ViewNameTaken():
            return N_("There is a view with this name already.")
        case TooManyViews():
            return N_("There are as many views as can be saved. Delete one.")
        case NoPerson():
            return N_("Only a person has views of their own.")
        case FaultyView(place="name"):
            return N_("A name has 1 to 100 characters that can be seen.")
        case _:
            return N_("These filters cannot be saved for this desk.")


def rows(
    found: Iterable[View], who: Principal, chosen: str | None, to: Audience, typed: Typed | None
) -> list[Row]:
    """The views of the list, in their order."""
    return [_row(view, who, chosen, to, typed if typed and typed.view == view.id else None) for view in found]


def _row(view: View, who: Principal, chosen: str | None, to: Audience, typed: Typed | None) -> Row:
    return Row(
        view.id,
        view.name,
        address_of(view),
        PAGES[view.page],
        tuple(described(Page(view.page), view.filters, to)),
        view.desk,
        view.created_by,
        view.id == chosen,
        who.name is not None and view.page == Page.NOW,
        may_change(who, view),
        view.name if typed is None else typed.name,
        None if typed is None else typed.fault,
    )


def described(page: Page, filters: Filters, to: Audience) -> list[tuple[str, str]]:
    """Filters in words, each as its name and its value."""
    return [
        (to.words.say(_NAMES[name]), _value(name, value, to))
        for name, value in filters.items()
        if name in _NAMES and page in PAGES
    ]


def _value(name: str, value: str, to: Audience) -> str:
    if (name, value) in _VALUES:
        return to.words.say(_VALUES[name, value])
    if name == "commitment":
        return to.labels.get(value, value)
    if name in _DATES:
        with suppress(ValueError):  # of a release that did not check it
            return to.words.full_day(date.fromisoformat(value), to.today)
    return value
