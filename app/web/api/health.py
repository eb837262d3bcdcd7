"""Liveness, readiness and metrics.

Liveness: the process responds. Readiness: the database responds and the sweep keeps up, since a service that detects
breaches late must be noticed. None of these requires a key, and none reveals anything about a ticket.
"""

from typing import Literal

from fastapi import Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.flow import metrics
from app.flow.process.invariants import Check, Verdict
from app.flow.process.sweep import SweepState
from app.flow.query.serialize import instant_text
from app.sla.span import SECOND
from app.store.engine.database import ReplicaState
from app.web.http.instant import InstantOut
from app.web.http.problems import Kind, Problem, problems
from app.web.http.responses import Json
from app.web.http.routing import Router
from app.web.http.running import running

router = Router(tags=["health"])


class Alive(BaseModel):
    """The process responds."""

    status: Literal["alive"]


class Sweep(BaseModel):
    """The state of the sweep."""

    running: bool = Field(description="whether this process sweeps; with workers, they do")
    lag_seconds: float = Field(description="how long the oldest due ticket has been waiting")
    next_at: InstantOut | None = Field(description="when a clock changes next")
    last_pass_at: InstantOut | None
    parked: int = Field(description="tickets that cannot be evaluated at present")


class CheckView(BaseModel):
    """An invariant and its verdict."""

    check: str = Field(examples=["the sweep keeps up"])
    verdict: Verdict
    detail: str


class ReadReplica(BaseModel):
    """The read replica."""

    in_use: bool = Field(description="whether reports and lists are read there at present")
    lag_seconds: float | None = Field(
        description="how far it is behind; null: unreachable, or without a transaction since its start"
    )


class Ready(BaseModel):
    """The process is ready for requests."""

    status: Literal["ready"]
    sweep: Sweep
    replica: ReadReplica | None = Field(description="null without SLATIMER_REPLICA_URL")
    checks: list[CheckView]
    checked_at: InstantOut


@router.get("/healthz", summary="Liveness", response_model=Alive)
async def healthz() -> Response:
    """Responds as long as the process runs."""
    return Json({"status": "alive"})


@router.get("/readyz", summary="Readiness", response_model=Ready, responses=problems(503))
async def readyz(request: Request) -> Response:
    """200 if the database responds and the sweep keeps up, else 503 with what is wrong.

    `checks` are the invariants that are cheap to check. A failed one does not make the process unready: taking it out of
    service would repair nothing. `slatimer doctor` checks all of them.
    """
    runtime = running(request)
    try:
        state, report = await runtime.sweeper.state(), await runtime.health.report()
        replica = await runtime.database.replica_state()
    except runtime.database.failures as error:
        raise Problem(Kind.UNAVAILABLE, "The database does not respond.") from error
    recorded = {
        "sweep": _sweep(state),
        "replica": _replica(replica),
        "checks": [_check(check) for check in report.checks],
        "checked_at": instant_text(report.at),
    }
    wrong = runtime.health.problem(state)
    if wrong:
        raise Problem(Kind.UNAVAILABLE, wrong, extra=recorded)
    return Json({"status": "ready", **recorded})


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format",
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": "slatimer_sweep_lag_seconds 0.0"}
            },
        }
    },
)
async def show_metrics(request: Request) -> Response:
    """All metrics of the process."""
    runtime = running(request)
    await runtime.sweeper.state()
    await runtime.deliverer.state()
    await runtime.clock_metrics.refresh()
    await runtime.replica_metrics.refresh()
    return Response(generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _check(check: Check) -> dict[str, str]:
    return {"check": check.name, "verdict": check.verdict.value, "detail": check.detail}


def _replica(state: ReplicaState | None) -> dict[str, object] | None:
    if state is None:
        return None
    return {"in_use": state.in_use, "lag_seconds": None if state.lag is None else state.lag / SECOND}


def _sweep(state: SweepState) -> dict[str, object]:
    return {
        "running": state.running,
        "lag_seconds": state.lag / SECOND,
        "next_at": instant_text(state.next_at),
        "last_pass_at": instant_text(state.last_pass_at),
        "parked": state.parked,
    }
