"""Is the process alive, can it do its work, and how has it been doing?

Alive says only that it answers. Ready says that the database answers and that the sweep keeps up: a service that tells
breaches late must be seen. None of these needs a key, and none tells anything about a ticket.
"""

from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow import metrics
from app.flow.process.invariants import Check, Verdict
from app.flow.process.sweep import SweepState
from app.flow.query.serialize import moment
from app.sla.span import SECOND
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Problem, problems
from app.web.http.responses import Json
from app.web.http.running import running

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Sweep(BaseModel):
    """How the sweep is doing."""

    running: bool = Field(description="in this process; with workers they sweep")
    lag_seconds: float = Field(description="how long the oldest ticket that is due has been waiting")
    next_at: InstantOut | None = Field(description="when a clock changes next")
    last_pass_at: InstantOut | None
    parked: int = Field(description="tickets set aside since they cannot be judged")


class CheckView(BaseModel):
    """An invariant, and whether it holds."""

    check: str = Field(examples=["the sweep keeps up"])
    verdict: Verdict
    detail: str


class Ready(BaseModel):
    """The process can do its work."""

    status: Literal["ready"]
    sweep: Sweep
    checks: list[CheckView]
    checked_at: InstantOut


@router.get("/healthz", summary="Liveness", response_model=Alive)
async def healthz() -> Response:
    """Answers as long as the process does."""
    return Json({"status": "alive"})


@router.get("/readyz", summary="Readiness", response_model=Ready, responses=problems(503))
async def readyz(request: Request) -> Response:
    """Answers 200 when the database answers and breaches are told on time, else 503 with what is wrong.

    The invariants that cost little are looked at besides. One that does not hold is shown and keeps nobody out: it is a
    person's matter, and a process that is taken out of service mends nothing. `slatimer doctor` checks all of them.
    """
    parts = running(request)
    try:
        state, report = await parts.sweeper.state(), await parts.health.report()
    except parts.database.failures as error:
        raise Problem(Kind.UNAVAILABLE, "The database does not answer.") from error
    recorded = {
        "sweep": _sweep(state),
        "checks": [_check(check) for check in report.checks],
        "checked_at": moment(report.at),
    }
    wrong = parts.health.problem(state)
    if wrong:
        raise Problem(Kind.UNAVAILABLE, wrong, extra=recorded)
    return Json({"status": "ready", **recorded})


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
    await running(request).deliverer.state()
    return Response(generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _check(check: Check) -> dict[str, str]:
    return {"check": check.name, "verdict": check.verdict.value, "detail": check.detail}


def _sweep(state: SweepState) -> dict[str, object]:
    return {
        "running": state.running,
        "lag_seconds": state.lag / SECOND,
        "next_at": moment(state.next_at),
        "last_pass_at": moment(state.last_pass_at),
        "parked": state.parked,
    }
