"""The navigation: every page that a reader can go to without naming a ticket, in order.

An entry is shown when its room is built (`pages/<room>/page.py` exists) and the reader has its permission on any desk.
"""

from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_
from app.principal import Permission
from app.web.pages.frame.assets import PAGES


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the navigation: its room, its path and its title, a phrase. `sets_up`: it belongs to setting up."""

    room: str
    path: str
    title: str
    permission: Permission = Permission.VIEW
    sets_up: bool = False

    @property
    def is_built(self) -> bool:
        """Whether the room of the page exists."""
        return (PAGES / self.room / "page.py").is_file()


NAVIGATION: Final = (
    Entry("now", "/", N_("Now")),
    Entry("breaches", "/breaches", N_("Breaches")),
    Entry("queues", "/queues", N_("Queues")),
    Entry("service", "/services", N_("Services")),
    Entry("reports", "/reports", N_("Reports")),
    Entry("credits", "/credits", N_("Credits")),
    Entry("calendars", "/calendars", N_("Calendars"), sets_up=True),
    Entry("agreements", "/agreements", N_("Agreements"), sets_up=True),
    Entry("connections", "/connections", N_("Connections"), Permission.INBOX, sets_up=True),
    Entry("settings", "/settings", N_("Settings"), sets_up=True),
)
BUILT: Final = tuple(entry for entry in NAVIGATION if entry.is_built)
