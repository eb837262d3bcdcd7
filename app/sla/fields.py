"""The fields of a ticket: the one declaration that events, agreements, views, lists, filters and columns derive from.

Order: as a ticket's view shows them. A new field is declared here; tests name the places that spell fields out (the
table `ticket` and the models of the OpenAPI document) and still lack it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class FieldType(Enum):
    """What a field's value is, unless it is null."""

    TEXT = auto()
    LIST = auto()
    """A list of texts."""
    DATE = auto()
    """A date, or an instant with an offset, as a text. A commitment may start when it comes."""


class Column(Enum):
    """How a field becomes a column of the ticket's row, for the filters of lists and subscriptions and for messages."""

    AS_SENT = auto()
    """The value of the last event that names the field; plan and level also the contract's."""
    EVALUATED = auto()
    """What the evaluation makes of it: the status after replies, the queue after the agreement's default, the contract
    that the ticket belongs to."""


@dataclass(frozen=True, slots=True)
class TicketField:
    """One field. `in_view`: shown in a ticket's view. `filters_lists`: a parameter of `GET /v1/tickets`.
    `filters_subscriptions`: a key of a subscription's filter. A field that filters needs a column."""

    name: str
    type: FieldType = FieldType.TEXT
    column: Column | None = None
    in_view: bool = False
    filters_lists: bool = False
    filters_subscriptions: bool = False


FIELDS: Final = (
    TicketField("title", column=Column.AS_SENT, in_view=True),
    TicketField("url", column=Column.AS_SENT, in_view=True),
    TicketField(
        "customer", column=Column.AS_SENT, in_view=True, filters_lists=True, filters_subscriptions=True
    ),
    TicketField("organisation", column=Column.AS_SENT, in_view=True, filters_subscriptions=True),
    TicketField("contract", column=Column.EVALUATED, in_view=True, filters_lists=True),
    TicketField("priority", column=Column.AS_SENT, in_view=True, filters_subscriptions=True),
    TicketField("plan", column=Column.AS_SENT, in_view=True, filters_lists=True, filters_subscriptions=True),
    TicketField("level", column=Column.AS_SENT, in_view=True, filters_subscriptions=True),
    TicketField("service", column=Column.AS_SENT, in_view=True, filters_subscriptions=True),
    TicketField("category", column=Column.AS_SENT, in_view=True, filters_subscriptions=True),
    TicketField("kind", column=Column.AS_SENT, filters_lists=True, filters_subscriptions=True),
    TicketField("status", column=Column.EVALUATED),
    TicketField("channel"),
    TicketField("queue", column=Column.EVALUATED, filters_lists=True, filters_subscriptions=True),
    TicketField("domain", in_view=True),
    TicketField(
        "assignee", column=Column.AS_SENT, in_view=True, filters_lists=True, filters_subscriptions=True
    ),
    TicketField("group", column=Column.AS_SENT, in_view=True, filters_lists=True, filters_subscriptions=True),
    TicketField("requested_date", type=FieldType.DATE),
    TicketField("tags", type=FieldType.LIST),
)
"""The view has `status` and `queue` beside these: the evaluated status, and the ticket's place in its queue."""


def casefolded(value: object) -> str:
    """A field's value as it is compared: without case and outer space; absent is empty."""
    return "" if value is None else str(value).strip().casefold()


def _names(which: Callable[[TicketField], bool] = lambda _: True) -> tuple[str, ...]:
    return tuple(field.name for field in FIELDS if which(field))


TICKET_FIELDS: Final = _names()
LIST_FIELDS: Final = _names(lambda field: field.type is FieldType.LIST)
"""Fields that hold a list of texts; all others hold one."""
DATE_FIELDS: Final = _names(lambda field: field.type is FieldType.DATE)
ASSIGNED_FIELDS: Final = ("assignee", "group")
"""Fields that say who works on the ticket."""
FIELD_MARK: Final = "field:"
"""Before a field in `starts_on`: its date comes, or the ticket is assigned anew."""
STATUS_MARK: Final = "status:"
"""Before a status in `starts_on`, `stops_on` and `ends_on`."""
RELEASED_MARK: Final = "released:"
"""The fact that such a field became empty. It has no word in an agreement file."""
VIEW_FIELDS: Final = _names(lambda field: field.in_view)
COLUMNS: Final = _names(lambda field: field.column is not None)
COLUMNS_AS_SENT: Final = _names(lambda field: field.column is Column.AS_SENT)
LIST_FILTERS: Final = _names(lambda field: field.filters_lists)
SUBSCRIPTION_FILTERS: Final = _names(lambda field: field.filters_subscriptions)
