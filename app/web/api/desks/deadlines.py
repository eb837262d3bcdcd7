"""Deadlines from a calendar and a target, or from an agreement, without a ticket.

Counted by the same core as tickets. One question or an array of them; each answer has its spans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self, cast

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from starlette.responses import Response

from app.flow.agreement.limits import limits_of
from app.flow.query.reasons import text
from app.flow.query.serialize import explanation, instant_text
from app.intake.instant import InstantIn
from app.sla.agreement.agreement import Withheld
from app.sla.budget import charge
from app.sla.calendar import Calendar, NeverCloses, NeverOpen, UncoveredYear
from app.sla.calendar.target import Target, TargetFault
from app.sla.clock.explanation import Explanation, explain_deadline
from app.sla.document.faults import FaultyFile
from app.sla.limits import Limits
from app.store.contracts.catalogue import StoredVersion
from app.store.engine.database import Connection
from app.web.api.tickets.tickets import LAST_SPAN
from app.web.http.access import Viewer
from app.web.http.bodies import ONE_OR_MANY, read_values
from app.web.http.budget import budgeted
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Place, Problem, body_places, invalid, pointer, problems
from app.web.http.reason import Detail
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

MOST: Final = 1_000
"""Questions in one array, as many as events in one push."""

INLINE_YEARS: Final = (1970, 2100)
"""Years that an inline calendar covers at most: it must not make the service compile eight millennia."""

ALWAYS: Final = "always"
"""The name of the calendar that is open at every instant."""

Word = Annotated[str, StringConstraints(min_length=1, max_length=255)]

router = Router(prefix="/v1", tags=["deadlines"])


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


class DeadlineSpan(BaseModel):
    """One span from the start to the deadline, counted or not, with its reason and the running total."""

    start: InstantOut
    end: InstantOut
    start_local: str | None
    end_local: str | None
    kind: str = Field(examples=["counted"])
    counted: bool
    reason: str = Field(examples=["lunch gap"])
    reason_detail: Detail = None
    source: str | None
    seconds: int
    total_seconds: int
    planned: bool = Field(description="it lies after the requested instant")


class DeadlineExplanation(BaseModel):
    """How the deadline is counted."""

    clock: None
    calendar: str | None
    calendar_reason: str | None = Field(default=None, description="why this one; null without a ticket")
    calendar_reason_detail: Detail = None
    calendar_version: str | None
    time_zone: str | None
    target: str | None
    target_seconds: int | None
    due_at: InstantOut | None
    due_local: str | None
    spans: list[DeadlineSpan]
    next: int | None = Field(
        None,
        description="the answer has only some of the spans; ask again with this as `after`. Null: no more follow",
    )


class Deadline(BaseModel):
    """A deadline and its explanation."""

    due_at: InstantOut
    explanation: DeadlineExplanation


_QUESTION: Final = {"$ref": "#/components/schemas/DeadlineQuestion"}


@router.post(
    "/deadlines",
    summary="Compute deadlines",
    response_model=Deadline | list[Deadline],
    responses=problems(400, 401, 403, 404, 413, 415, 422),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                ONE_OR_MANY: {
                    "schema": {"oneOf": [_QUESTION, {"type": "array", "items": _QUESTION, "maxItems": MOST}]},
                    "example": {
                        "calendar": "haisoft/tickets",
                        "start": "2026-03-06T15:30:00+01:00",
                        "within": "2h",
                    },
                }
            },
        }
    },
)
async def compute_deadlines(request: Request, caller: Viewer) -> Response:
    """Computes when something is due that starts at `start`, and why. Nothing is stored.

    The answer to an array is an array in the same order; if one of its questions is faulty, all are refused. An answer
    has a limited number of spans in all: `next` of an explanation says where to go on.
    """
    values, many = await read_values(request, limit=MOST, media_types=(ONE_OR_MANY,))
    questions = _read(values, many=many)
    parts = running(request)

    def answer(conn: Connection) -> Json:
        known = _versions(
            parts, conn, {desk for each in questions if (desk := each.desk) and caller.sees(desk)}
        )
        answers = _answers(
            questions, _Terms(known, limits_of(parts.settings)), parts.settings.answer_spans, many
        )
        return Json(answers if many else answers[0])

    return await parts.database.read(budgeted(parts.settings, answer))


def _answers(
    questions: Sequence[DeadlineQuestion], terms: "_Terms", spans: int, many: bool
) -> list[dict[str, Any]]:
    """The answers; they show this many spans in all."""
    answers: list[dict[str, Any]] = []
    for index, question in enumerate(questions):
        charge()
        recorded = _deadline(question, terms, (index,) if many else ())
        shown = explanation(recorded, after=question.after, limit=spans)
        spans -= len(shown["spans"])
        answers.append({"due_at": instant_text(recorded.due_at), "explanation": shown})
    return answers


def _read(values: list[object], *, many: bool) -> list[DeadlineQuestion]:
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


def _versions(parts: WebRuntime, conn: Connection, desks: set[str]) -> dict[str, StoredVersion]:
    known = parts.catalogue.desks(conn)
    now = parts.database.now()
    return {
        desk: parts.catalogue.in_force(conn, desk, known[desk], at=now) for desk in desks if desk in known
    }


_Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Terms:
    """What answers are made from: the versions of the desks, and the limits of an inline calendar."""

    known: Mapping[str, StoredVersion]
    limits: Limits


def _deadline(question: DeadlineQuestion, terms: _Terms, path: _Path) -> Explanation:
    try:
        target, calendar = _terms(question, terms, path)
        return explain_deadline(target, calendar, question.start)
    except (UncoveredYear, NeverOpen, NeverCloses) as error:
        raise invalid([Place("body", pointer((*path, "start")), str(error))]) from error
    except TargetFault as error:
        raise invalid([Place("body", pointer((*path, "within")), str(error))]) from error


def _terms(question: DeadlineQuestion, terms: _Terms, path: _Path) -> tuple[Target, Calendar]:
    if question.within is None:
        return _committed(question, terms.known, path)
    target = Target.parse(question.within)
    calendar = _calendar(question.calendar, terms, path)
    target.check(calendar)
    return target, calendar


def _calendar(given: object, terms: _Terms, path: _Path) -> Calendar:
    if given == ALWAYS:
        return Calendar.always()
    if isinstance(given, str):
        stored = terms.known.get(given.partition("/")[0])
        if stored is None or given not in stored.calendars:
            raise _not_found("calendar", given, (*path, "calendar"))
        return stored.calendars[given]
    return _inline(cast(dict[str, Any], given), path, terms.limits)


def _inline(table: dict[str, Any], path: _Path, limits: Limits) -> Calendar:
    """A calendar inside the question. Raises Problem that names every faulty key."""
    years = table.get("years")
    if isinstance(years, list) and not all(
        isinstance(year, int) and INLINE_YEARS[0] <= year <= INLINE_YEARS[1]
        for year in cast(list[object], years)
    ):
        reason = f"must lie within {INLINE_YEARS[0]} and {INLINE_YEARS[1]}"
        raise invalid([Place("body", pointer((*path, "calendar", "years")), reason)])
    try:
        if faults := tuple(limits.faults_of_calendar(table)):
            raise FaultyFile(faults)
        return Calendar.parse({"years": list(INLINE_YEARS)} | table)
    except FaultyFile as error:
        places = [
            Place(
                "body", pointer((*path, "calendar", *fault.place.split("."))), f"{fault.wrong}. {fault.right}"
            )
            for fault in error.faults
        ]
        raise invalid(places) from error


def _committed(
    question: DeadlineQuestion, known: Mapping[str, StoredVersion], path: _Path
) -> tuple[Target, Calendar]:
    desk, commitment_id = question.agreement or "", question.commitment or ""
    if desk not in known:
        raise _not_found("desk", desk, (*path, "agreement"))
    agreement = known[desk].agreement
    try:
        commitment = agreement.commitment(commitment_id)
    except KeyError as error:
        raise _not_found("commitment", commitment_id, (*path, "commitment")) from error
    fields = {"level": question.level, "contract": question.contract, "priority": question.priority}
    regime = agreement.regime(commitment, fields)
    if isinstance(regime, Withheld):
        raise invalid(
            [Place("body", pointer((*path, "commitment")), f"has no target here: {text(regime.reason)}")]
        )
    return regime.target, regime.calendar


def _not_found(what: str, name: str, path: tuple[object, ...]) -> Problem:
    reason = f"there is no {what} {name} that this key may see"
    return Problem(
        Kind.NOT_FOUND, f"{pointer(path)}: {reason}.", errors=[Place("body", pointer(path), reason)]
    )
