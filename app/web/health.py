"""Is the process alive, can it do its work, and how has it been doing?

Alive says only that it answers. Ready says that the database answers and that the sweep keeps up: a service that tells
breaches late must be seen. None of these needs a key, and none tells anything about a ticket.
"""

from typing import Final, Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow import metrics
from app.flow.sweep import SweepState
from app.flow.wire import moment
from app.sla.span import SECOND
from app.web.answer import Json
from app.web.instant import InstantOut
from app.web.problems import Kind, Problem, problems
from app.web.running import running

MOST_LAG: Final = 30 * SECOND
"""A sweep that is this far behind tells breaches too late to be of use; its usual lag is milliseconds."""

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Sweep(BaseModel):
    """How the sweep is doing."""

    running: bool
    lag_seconds: float = Field(description="how long the oldest ticket that is due has been waiting")
    next_at: InstantOut | None = Field(description="when a clock changes next")
    last_pass_at: InstantOut | None
    parked: int = Field(description="tickets set aside since they cannot be judged")


class Ready(BaseModel):
    """The process can do its work."""

    status: Literal["ready"]
    sweep: Sweep


@router.get("/healthz", summary="Liveness", response_model=Alive)
async def healthz() -> Response:
    """Answers as long as the process does."""
    return Json({"status": "alive"})


@router.get("/readyz", summary="Readiness", response_model=Ready, responses=problems(503))
async def readyz(request: Request) -> Response:
    """Answers 200 when the database answers and the sweep keeps up, else 503 with what is wrong."""
    parts = running(request)
    try:
        state = await parts.sweeper.state()
    except parts.database.failures as error:
        raise Problem(Kind.UNAVAILABLE, "The database does not answer.") from error
    wrong = _wrong(state)
    if wrong:
        raise Problem(Kind.UNAVAILABLE, wrong, extra={"sweep": _sweep(state)})
    return Json({"status": "ready", "sweep": _sweep(state)})


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format",
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": "slatimer_sweep_lag_seconds 0.0"}
            },
        }
    },
)
async def show_metrics(request: Request) -> Response:
    """Everything that the process counts and measures."""
    await running(request).sweeper.state()
    return Response(generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _wrong(state: SweepState) -> str | None:
    if not state.running:
        return "The sweep is not running."
    if state.failure is not None:
        return "The sweep's last pass failed; the reason is in the log."
    if state.lag > MOST_LAG:
        return f"The sweep is {state.lag // SECOND} s behind."
    return None


def _sweep(state: SweepState) -> dict[str, object]:
    return {
        "running": state.running,
        "lag_seconds": state.lag / SECOND,
        "next_at": moment(state.next_at),
        "last_pass_at": moment(state.last_pass_at),
        "parked": state.parked,
    }
