"""What an address of the list behind a figure asks for."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from app.sla.report.measure import Measure, Value
from app.web.http.instant import InstantInQuery


class Of(StrEnum):
    """What is listed: the clocks of a measure, or the objects of another report."""

    OUTCOMES = Measure.OUTCOMES
    SHARES = Measure.SHARES
    STARTS = Measure.STARTS
    LATE_HOURS = Measure.LATE_HOURS
    BREACHES = Measure.BREACHES
    QUEUES = "queues"
    AVAILABILITY = "availability"
    CREDITS = "credits"


_Value = Annotated[str | None, Field(max_length=400)]


class BehindQuery(BaseModel):
    """A figure by its address. A field that is given empty asks for those that have none."""

    model_config = ConfigDict(extra="ignore")

    of: Of
    desk: str
    since: InstantInQuery = Field(alias="from", ge=0)
    until: InstantInQuery = Field(alias="to")
    cursor: Annotated[str | None, Field(max_length=1000)] = None
    kind: _Value = None
    commitment: _Value = None
    plan: _Value = None
    level: _Value = None
    priority: _Value = None
    queue: _Value = None
    assignee: _Value = None
    group: _Value = None
    customer: _Value = None
    service: _Value = None
    outcome: _Value = None
    tenth: Annotated[int | None, Field(ge=0, le=10)] = None
    hour_of_week: Annotated[int | None, Field(ge=0, lt=7 * 24)] = None
    cause: _Value = None
    step: _Value = None
    currency: _Value = None

    def filters(self, *names: str) -> dict[str, Value]:
        """What is asked for, of these names."""
        given = [name for name in names if name in self.model_fields_set]
        return {name: None if getattr(self, name) == "" else getattr(self, name) for name in given}

    def texts(self, *names: str) -> dict[str, str | None]:
        """What is asked for, of these names, which are texts."""
        return {name: None if value is None else str(value) for name, value in self.filters(*names).items()}


KEYS: Final[Mapping[Of, tuple[str, ...]]] = {
    Of.OUTCOMES: ("outcome",),
    Of.SHARES: ("tenth",),
    Of.STARTS: ("hour_of_week",),
    Of.LATE_HOURS: ("hour_of_week",),
    Of.BREACHES: ("cause",),
}
"""What the key of a measure has; other reports ignore it."""
