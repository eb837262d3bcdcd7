"""What an address of the page asks for: filters, the page of the list, the selected ticket, the view."""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from app.flow.query.open_tickets import OpenFilters, Tile
from app.principal import Desks
from app.web.pages.frame.parameters import NONE_IF_EMPTY, Value

MAX_KEPT: Final = 500
"""Rows of one page at most: no more can be kept."""


class View(StrEnum):
    """How the list is shown."""

    LIST = "list"
    WALL = "wall"


class NowQuery(BaseModel):
    """The parameters of the page."""

    model_config = ConfigDict(extra="ignore")

    desk: Value = None
    show: Annotated[Tile | Literal["today", "unclocked"] | None, NONE_IF_EMPTY] = None
    """A tile; "today" has what was decided today instead of what is open, "unclocked" what is open without a clock."""
    assignee: Value = None
    group: Value = None
    queue: Value = None
    plan: Value = None
    customer: Value = None
    commitment: Value = None
    kind: Value = None
    q: Value = None
    cursor: Annotated[str | None, Query(max_length=1_000)] = None
    view: View = View.LIST
    selected: Annotated[str | None, Query(max_length=400)] = None
    keep: Annotated[list[str], Query(max_length=MAX_KEPT)] = []
    seen: Annotated[int | None, Query(ge=0)] = None
    """The place in the stream of signals up to which the page has followed: an answer that has it will do."""

    def filters(self, desks: Desks) -> OpenFilters:
        """The filters, within the desks that the reader may see."""
        fields: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("assignee", "group", "queue", "plan", "customer", "commitment", "kind")
        }
        return OpenFilters(desks, self.show if isinstance(self.show, Tile) else None, text=self.q, **fields)

    @property
    def kept(self) -> Collection[tuple[str, str]]:
        """The rows that the browser has and that nothing has changed, as (desk, ticket)."""
        return {key_parts(each) for each in self.keep}

    @property
    def is_filtered(self) -> bool:
        """Whether any filter beside the desk and the tile is set."""
        return any(
            (
                self.assignee,
                self.group,
                self.queue,
                self.plan,
                self.customer,
                self.commitment,
                self.kind,
                self.q,
            )
        )


def key_parts(key: str) -> tuple[str, str]:
    """The desk and the ticket of a row's key. A name of a desk has no slash."""
    desk, _, ticket = key.partition("/")
    return desk, ticket
