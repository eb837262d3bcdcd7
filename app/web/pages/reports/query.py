"""What an address of the page asks for: the desk, the dates, the kind of commitment and the filters."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sla.agreement.rule import Kind
from app.web.pages.frame.parameters import NONE_IF_EMPTY, Date, Value
from app.web.pages.reports.ranges import Range

FILTERS: Final = ("commitment", "group", "assignee", "customer")
QUEUE_FILTERS: Final = ("group", "assignee", "customer")
"""Filters that queues know: a wait is of no commitment."""
OBJECT_FILTERS: Final = ("commitment", "customer")
"""Filters that availability and credits know: they are of no ticket."""


class Chart(StrEnum):
    """The charts of the page. Part of the addresses of their files: never renamed."""

    ATTAINMENT = "attainment"
    USAGE = "usage"
    STARTS = "starts"
    BREACH_HOURS = "breach-hours"
    CAUSES = "causes"
    WAITS = "waits"
    MOVES = "moves"
    AVAILABILITY = "availability"
    CREDITS = "credits"


class ReportsQuery(BaseModel):
    """The parameters of the page. `from` and `to` are dates of the desk's zone, both included."""

    model_config = ConfigDict(extra="ignore")

    desk: Value = None
    range: Annotated[Range | None, NONE_IF_EMPTY] = None
    since: Date = Field(None, alias="from")
    until: Date = Field(None, alias="to")
    kind: Annotated[Kind | None, NONE_IF_EMPTY] = None
    commitment: Value = None
    group: Value = None
    assignee: Value = None
    customer: Value = None
    after: Value = None
    """Of the page of all desks: those after this name."""

    @model_validator(mode="after")
    def _check(self) -> "ReportsQuery":
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError("`to` must not lie before `from`")
        return self

    @property
    def chosen(self) -> Range:
        """The choice of dates. Without one, this month, or the dates if both are given."""
        if self.range is None or self.range is Range.OWN:
            return Range.THIS_MONTH if self.since is None or self.until is None else Range.OWN
        return self.range

    def only(self, names: tuple[str, ...] = FILTERS) -> tuple[tuple[str, str | None], ...]:
        """The filters that are set, of these."""
        return tuple((name, value) for name in names if (value := getattr(self, name)) is not None)


class ChartQuery(ReportsQuery):
    """One chart of the page, as a file."""

    chart: Chart
