"""Deadlines from a calendar and a target, or from an agreement, without a ticket.

Counted by the same core as tickets. One question or an array of them; each answer has its spans.
"""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow.agreement.limits import limits_of
from app.flow.query.serialize import explanation, instant_text
from app.sla.budget import charge
from app.store.contracts.catalogue import StoredVersion
from app.store.engine.database import Connection
from app.web.api.desks.deadline_question import DeadlineQuestion, read_questions
from app.web.api.desks.deadline_terms import Basis, deadline_of
from app.web.http.access import Viewer
from app.web.http.bodies import ONE_OR_MANY, read_values
from app.web.http.budget import budgeted
from app.web.http.instant import InstantOut
from app.web.http.problems import problems
from app.web.http.reason import Detail
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import WebRuntime, running

MOST: Final = 1_000
"""Questions in one array, as many as events in one push."""

router = Router(prefix="/v1", tags=["deadlines"])


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
    questions = read_questions(values, many=many)
    parts = running(request)

    def answer(conn: Connection) -> Json:
        known = _versions(
            parts, conn, {desk for each in questions if (desk := each.desk) and caller.sees(desk)}
        )
        answers = _answers(
            questions, Basis(known, limits_of(parts.settings)), parts.settings.answer_spans, many
        )
        return Json(answers if many else answers[0])

    return await parts.database.read(budgeted(parts.settings, answer))


def _answers(
    questions: Sequence[DeadlineQuestion], basis: Basis, spans: int, many: bool
) -> list[dict[str, Any]]:
    """The answers; they show this many spans in all."""
    answers: list[dict[str, Any]] = []
    for index, question in enumerate(questions):
        charge()
        recorded = deadline_of(question, basis, (index,) if many else ())
        shown = explanation(recorded, after=question.after, limit=spans)
        spans -= len(shown["spans"])
        answers.append({"due_at": instant_text(recorded.due_at), "explanation": shown})
    return answers


def _versions(parts: WebRuntime, conn: Connection, desks: set[str]) -> dict[str, StoredVersion]:
    known = parts.catalogue.desks(conn)
    now = parts.database.now()
    return {
        desk: parts.catalogue.in_force(conn, desk, known[desk], at=now) for desk in desks if desk in known
    }
