"""What the data of events is made of: names, texts, dates, sequences, spans; and the base of its models."""

from datetime import date
from typing import Annotated, Final
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from app.intake.instant import InstantIn, NotAnInstant, read_instant
from app.intake.validation import NAME_PATTERN, PERIOD_PATTERN, shown
from app.sla.span import Micros

MAX_NAME: Final = 255
"""Characters of an id, a subject, a desk or a type: an index holds each, and no ticket system gives longer ones."""

MAX_SEQUENCE: Final = 2**63 - 1
"""What a database's largest integer holds."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME, pattern=NAME_PATTERN)]
_NOT_SHOWN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
"""Categories of characters that show nothing: controls, formats (those without width among them), spaces."""
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show nothing either: fillers, the empty Braille pattern."""


def is_visible(text: str) -> bool:
    """Whether a text has a character that can be seen."""
    return any(category(character) not in _NOT_SHOWN and character not in _BLANK for character in text)


def _visible(text: str) -> str:
    if not is_visible(text):
        raise ValueError("input should have a character that can be seen")
    return text


Visible = AfterValidator(_visible)
"""A text that a person reads: of characters without width only it would be empty."""

NotEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), Visible]
Text = str | None
"""A field that may be absent, which leaves it as it was, or null, which empties it."""


def read_sequence(value: object) -> int | str:
    """A sequence: a whole number, or a text as the extension of CloudEvents defines it. A text of digits is a number.

    Raises ValueError.
    """
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME and value.isprintable():
        number = int(value) if value.isascii() and value.isdigit() else None
        return value if number is None or number > MAX_SEQUENCE else number
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEQUENCE:
        return value
    raise ValueError(
        f"must be a whole number from 0 to {MAX_SEQUENCE} or a text of 1 to {MAX_NAME} characters, got {shown(value)}"
    )


def _date_or_instant(value: str) -> str:
    try:
        date.fromisoformat(value) if len(value) == len("2026-03-06") else read_instant(value)
    except NotAnInstant as error:
        raise ValueError(f"{error}, or as a date, 2026-03-06") from error
    except ValueError as error:
        raise ValueError("is a date that does not exist. Write it as 2026-03-06") from error
    return value


DateText = Annotated[str, AfterValidator(_date_or_instant), Field(examples=["2026-03-06"])]
"""A date, which begins at midnight in the desk's zone, or an instant with an offset."""


Reference = Name | None
Resource = Annotated[
    Name | None,
    Field(
        description="a host, server or domain of the service, compared without case; without it: all of them"
    ),
]

Period = Annotated[str, StringConstraints(pattern=PERIOD_PATTERN), Field(examples=["2026-11"])]
"""A month, as 2026-11, or the date on which a contract's month begins."""


Sequence = Annotated[
    int | str,
    PlainValidator(read_sequence),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": MAX_SEQUENCE},
                {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
            ]
        }
    ),
]


class Data(BaseModel):
    """Data of any event: the ticket of an event whose subject is a call or a service."""

    model_config = ConfigDict(strict=True, extra="allow")

    ticket: Name | None = None


class TimeSpan(Data):
    """A span of time, its end not included."""

    start: InstantIn = Field(alias="from")
    end: InstantIn = Field(alias="to")

    @field_validator("end")
    @classmethod
    def _ends_after_it_starts(cls, end: Micros, info: ValidationInfo) -> Micros:
        if "start" in info.data and end <= info.data["start"]:
            raise ValueError("must be after /data/from")
        return end
