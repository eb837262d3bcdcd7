"""The tiles: counts that are filters. Zero is quiet, a number that matters is the largest thing on the page."""

from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.query.open_tickets import TODAY, KeptSince, OpenCounts, Tile
from app.web.pages.frame.reader import Reader
from app.web.pages.now.query import NowQuery

_LABELS: Final = {
    Tile.OVERDUE: N_("Breached, open"),
    Tile.AT_RISK: N_("At risk"),
    Tile.DUE_SOON: N_("Due within 1 h"),
    Tile.AWAITING: N_("Waiting for a fact"),
    Tile.PAUSED: N_("Paused"),
    Tile.UNASSIGNED: N_("Unassigned"),
}
"""In the order of the page. The label is a phrase."""


@dataclass(frozen=True, slots=True)
class TileView:
    """A tile: its count, and the address that it leads to. A chosen one leads back to the whole list."""

    name: str
    label: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class TodayView:
    """The tile of today: how many clocks were met and breached, and the address of their list."""

    kept: int
    missed: int
    address: str
    is_chosen: bool


def tiles(reader: Reader, wanted: NowQuery, counts: OpenCounts) -> list[TileView]:
    """All tiles."""
    return [_tile(reader, wanted, tile, label, counts.tiles[tile]) for tile, label in _LABELS.items()]


def today_tile(reader: Reader, wanted: NowQuery, today: KeptSince) -> TodayView:
    """The tile of what was kept today."""
    chosen = wanted.show == TODAY
    address = reader.address_of("/", show=None if chosen else TODAY, cursor=None)
    return TodayView(today.kept, today.missed, address, chosen)


def _tile(reader: Reader, wanted: NowQuery, tile: Tile, label: str, count: int) -> TileView:
    chosen = wanted.show is tile
    show = None if chosen else tile.value
    return TileView(tile.value, label, count, reader.address_of("/", show=show, cursor=None), chosen)
