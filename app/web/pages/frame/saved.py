"""The menu of saved views of a page: which there are, which one the address shows, and where its filters are saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from app.delivery.wording.phrases import N_
from app.flow.people import views
from app.flow.people.views import PATHS, Page, known_filters
from app.principal import Permission, PrincipalKind
from app.store.people.views import View
from app.web.pages.frame.reader import LIST, Reader


@dataclass(frozen=True, slots=True)
class Choice:
    """A view of the menu."""

    name: str
    desk: str | None
    address: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """The menu. `save_at`: where the filters of the address are saved; none without filters, or without the right, which
    is `may_save`."""

    all: Choice
    """The page without filters; its name is a phrase."""
    choices: tuple[Choice, ...]
    shown: str | None
    save_at: str | None
    may_save: bool


_ALL_TICKETS: Final = N_("All tickets")
_WITHOUT_FILTERS: Final = N_("Without filters")


def address_of(view: View) -> str:
    """The address of a view."""
    return _address(Page(view.page), view.filters)


def _address(page: Page, filters: Mapping[str, str]) -> str:
    return f"{PATHS[page]}?{urlencode(filters) or LIST}"


def may_save(reader: Reader) -> bool:
    """Whether the reader may save views: of their own as a person, or of a desk."""
    return reader.caller.principal.kind is PrincipalKind.USER or reader.may(Permission.SHARE)


async def menu(reader: Reader, page: Page) -> Menu:
    """The menu of a page at the reader's address."""
    present = known_filters(page, reader.request.query_params)
    found = await reader.read(lambda conn: views.seen(conn, reader.caller.principal, page))
    choices = tuple(_choice(view, page, present) for view in found)
    shown = next((choice.name for choice in choices if choice.is_shown), None)
    address = f"/views?{urlencode({'page': page.value, **present})}"
    may = may_save(reader)
    everything = Choice(
        _ALL_TICKETS if page is Page.NOW else _WITHOUT_FILTERS, None, _address(page, {}), not present
    )
    return Menu(everything, choices, shown, address if present and may else None, may)


def _choice(view: View, page: Page, present: Mapping[str, str]) -> Choice:
    filters = known_filters(page, view.filters)
    return Choice(view.name, view.desk, address_of(view), filters == present)
