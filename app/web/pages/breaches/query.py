"""What an address of the page asks for: filters, a span of days, and the page of the list."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from app.flow.query.breaches import BreachFilters
from app.flow.query.serialize import instant_text
from app.principal import Desks
from app.sla.calendar.zone import zone
from app.web.pages.frame.parameters import NONE_IF_EMPTY, Date, Value

_FIELDS: Final = ("assignee", "group", "customer", "commitment", "kind")


class Show(StrEnum):
    """Which breaches by their state; the valid ones if nothing is chosen."""

    OPEN = "open"
    ENDED = "ended"
    ALL = "all"
    """Retracted ones too."""


class Taken(StrEnum):
    """Whether a person has taken it on."""

    YES = "yes"
    NO = "no"


class BreachQuery(BaseModel):
    """The parameters of the page. `from` and `to` are days; both count."""

    model_config = ConfigDict(extra="ignore")

    desk: Value = None
    show: Annotated[Show | None, NONE_IF_EMPTY] = None
    taken: Annotated[Taken | None, NONE_IF_EMPTY] = None
    assignee: Value = None
    group: Value = None
    customer: Value = None
    commitment: Value = None
    kind: Value = None
    since: Date = Field(None, alias="from")
    until: Date = Field(None, alias="to")
    q: Value = None
    cursor: Annotated[str | None, Query(max_length=1_000)] = None

    def filters(self, desks: Desks, time_zone: str) -> BreachFilters:
        """The filters, within the desks that the reader may see; days are those of the zone."""
        local = zone(time_zone)
        before = None if self.since is None else self.since - timedelta(days=1)
        fields: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        return BreachFilters(
            desks,
            since=None if before is None else local.end_of_day(before),
            until=None if self.until is None else local.end_of_day(self.until),
            unsettled=None if self.show in (None, Show.ALL) else self.show is Show.OPEN,
            retracted=self.show is Show.ALL,
            acknowledged=None if self.taken is None else self.taken is Taken.YES,
            text=self.q,
            **fields,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether any filter beside the desk is set."""
        return any(getattr(self, name) for name in ("show", "taken", "since", "until", "q", *_FIELDS))

    def for_api(self, filters: BreachFilters) -> dict[str, str]:
        """The same as parameters of `GET /v1/breaches`."""
        given: dict[str, Any] = {
            "desk": self.desk,
            "from": instant_text(filters.since),
            "to": instant_text(filters.until),
            "open": filters.unsettled,
            "retracted": filters.retracted or None,
            "acknowledged": filters.acknowledged,
            "q": self.q,
            **{name: getattr(self, name) for name in _FIELDS},
        }
        return {
            name: str(value).lower() if value is True or value is False else str(value)
            for name, value in given.items()
            if value is not None
        }
