"""A question for a deadline, and the questions of a body."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from app.intake.instant import InstantIn
from app.web.api.tickets.explanation import LAST_SPAN
from app.web.http.problems import Place, body_places, invalid

Word = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class DeadlineQuestion(BaseModel):
    """Either `calendar` and `within`, or `agreement` and `commitment` with the fields that choose its target."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"calendar": "haisoft/tickets", "start": "2026-03-06T15:30:00+01:00", "within": "2h"},
                {
                    "agreement": "phpnet",
                    "commitment": "gti",
                    "level": "example-1",
                    "start": "2026-03-06T15:30:00+01:00",
                },
            ]
        },
    )

    start: InstantIn
    calendar: Word | dict[str, Any] | None = Field(
        None, description="a reference, `always`, or a calendar's table"
    )
    within: Word | None = Field(None, description="a target: `2h`, `3 working days`, `7 days`, `3 months`")
    agreement: Word | None = Field(None, description="the desk")
    commitment: Word | None = None
    level: Word | None = None
    contract: Word | None = None
    priority: Word | None = None
    after: int = Field(
        0, ge=0, le=LAST_SPAN, description="`next` of the answer before, to go on after its spans"
    )

    @property
    def desk(self) -> str | None:
        """The desk whose version is needed for the answer, if any."""
        by_reference = self.calendar.partition("/")[0] if isinstance(self.calendar, str) else None
        return self.agreement or by_reference

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        by_calendar = self.calendar is not None and self.within is not None
        by_agreement = self.agreement is not None and self.commitment is not None
        of_other = (self.agreement, self.commitment) if by_calendar else (self.calendar, self.within)
        if by_calendar == by_agreement or any(part is not None for part in of_other):
            raise ValueError("write either calendar and within, or agreement and commitment")
        return self


def read_questions(values: list[object], *, many: bool) -> list[DeadlineQuestion]:
    """The questions of a body. Raises Problem that names every faulty place."""
    questions: list[DeadlineQuestion] = []
    places: list[Place] = []
    for index, value in enumerate(values):
        try:
            questions.append(DeadlineQuestion.model_validate(value))
        except ValidationError as error:
            places += body_places(error, (index,) if many else ())
    if places:
        raise invalid(places)
    return questions
