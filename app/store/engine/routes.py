"""The routing table as processes read it: which desks live on another server or move, and where they are reached.

`slatimer desk move` writes it (`store.transfer.server`). A desk without a row lives here, if it exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, select

from app.store.tables import route as _route

CHANNEL: Final = "slatimer_routes"
"""The channel on which PostgreSQL announces that the table has changed."""


class RouteState(StrEnum):
    """How far the move of a desk is. On the server that it leaves: COPYING to AWAY; on the other one: ARRIVING."""

    COPYING = "copying"
    """It still lives here, and is copied."""
    LEAVING = "leaving"
    """It is written no more, but for the results of deliveries in flight."""
    LEFT = "left"
    """It is written no more. The other server does not have it yet."""
    AWAY = "away"
    """It lives on the other server."""
    ARRIVING = "arriving"
    """It is copied here, and still lives on the other server."""
    ABORTING = "aborting"
    """It lives here, and what the move has made is removed."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a desk lives that moves or has moved. `base_url` is the other server's."""

    state: RouteState
    base_url: str

    @property
    def is_away(self) -> bool:
        """Whether the other server has it."""
        return self.state in _ELSEWHERE

    @property
    def is_closed(self) -> bool:
        """Whether no server can write it now, as far as this one knows."""
        return self.state in _CLOSED


_ELSEWHERE: Final = (RouteState.AWAY, RouteState.ARRIVING)
_CLOSED: Final = (RouteState.LEAVING, RouteState.LEFT)
_ALL: Final = select(_route.c.desk, _route.c.state, _route.c.base_url)

Routes = Mapping[str, Route]
"""By desk, those that matter to a request: that are away, or that no server can write."""


def read(conn: Connection) -> Routes:
    """The desks that a request must not find here."""
    found = {row.desk: Route(RouteState(row.state), row.base_url) for row in conn.execute(_ALL).all()}
    return {desk: route for desk, route in found.items() if route.is_away or route.is_closed}
