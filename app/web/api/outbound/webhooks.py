"""Describes the outbound webhooks in the OpenAPI document: one for each kind of signal, with an example.

Nothing here is called: these are requests that the service makes. All examples are about one ticket.
"""

from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from app.delivery.envelope import MEDIA_TYPE, TYPE_PREFIX, source_of
from app.flow.agreement.applied_signals import AGREEMENT_APPLIED, APPLIED_KINDS, CALENDAR_APPLIED
from app.flow.agreement.contracts import APPLIED
from app.flow.outbound.subscribe import DISABLED, KINDS, TEST
from app.sla.availability.signals import AVAILABILITY_SIGNALS, AvailabilityKind
from app.sla.credit.changes import CREDIT_SIGNALS
from app.sla.report.subscribed import REPORT_READY
from app.web.api.tickets.signals import Signal
from app.web.http.instant import InstantOut


class DeliveredSignal(Signal):
    """A signal of a delivery, one that is recorded or a test, and what is known of its ticket at the attempt.

    A field that the subscription omits is absent, and all are for a signal about no ticket.
    """

    kind: Annotated[str, WithJsonSchema({"type": "string", "enum": [*KINDS, TEST]})]
    title: str | None = Field(None, description="the ticket's title")
    url: str | None = Field(None, description="the ticket's address in the ticket system")
    customer: str | None = None
    assignee: str | None = None
    group: str | None = None


class SignalEvent(BaseModel):
    """A signal as it is delivered: a CloudEvents 1.0 event in structured mode."""

    model_config = ConfigDict(extra="forbid")

    specversion: Literal["1.0"]
    id: str = Field(description="the signal's; the same in every attempt", examples=["sig_…"])
    source: str = Field(description="the desk of its ticket", examples=["urn:slatimer:desk:haisoft"])
    type: Annotated[
        str, WithJsonSchema({"type": "string", "enum": [TYPE_PREFIX + kind for kind in (*KINDS, TEST)]})
    ] = Field(description="`slatimer.` and the kind")
    subject: str | None = Field(None, description="the ticket; absent if the signal is about none")
    time: InstantOut = Field(description="when it happened")
    datacontenttype: Literal["application/json"]
    data: DeliveredSignal


DESCRIPTIONS: Final = {
    "clock.started": "A clock started.",
    "clock.paused": "A clock was paused: the ticket waits for somebody else.",
    "clock.resumed": "A paused clock resumed.",
    "clock.stopped": "The commitment was fulfilled. `met` is true if it was in time.",
    "clock.reopened": "A stopped clock runs again: the ticket was reopened.",
    "clock.cancelled": "A clock was cancelled: it ended without being fulfilled.",
    "clock.warned": "A warning threshold was reached.",
    "clock.breached": "A guarantee was breached. `at` is the due date that passed.",
    "clock.missed": "An objective was missed.",
    "clock.lapsed": "A deadline that binds the customer passed.",
    "clock.breach_retracted": "A recorded breach is retracted: later facts show that it was none. `replaces` names it.",
    "clock.miss_retracted": "A recorded miss is retracted: later facts show that it was none. `replaces` names it.",
    "clock.due_changed": "The due date changed; the old and the new one are given.",
    "queue.joined": "A ticket joined a queue.",
    "queue.moved": "A ticket moved in its queue; the cause is given.",
    "queue.left": "A ticket left its queue.",
    "average.warned": "The mean wait of a month's calls so far has reached the target.",
    "average.breached": "The mean wait of a month's calls missed the target. `at` is the end of the month.",
    "average.breach_retracted": "A recorded breach of an average is retracted. `replaces` names it.",
    "allowance.exceeded": "A ticket is past the month's allowance of its contract or customer.",
    "allowance.exceeded_retracted": "A ticket is not past its allowance after all. `replaces` names the signal.",
    "availability.warned": "A warning threshold of a month's downtime was reached.",
    "availability.breached": "A commitment on uptime was breached. `at` is when the month could no longer keep it.",
    "availability.breach_moved": "A late fact gave a recorded breach of an uptime another instant. `replaces` names it.",
    "availability.breach_retracted": "A recorded breach of an uptime is retracted: later facts show that it was none. "
    "`replaces` names it.",
    "credit.owed": "A credit is owed without being asked for: its month is over, or its commitment was missed.",
    "credit.claimable": "A credit can be requested or claimed; `claim_by` gives the end, if there is one.",
    "credit.changed": "The amount of a credit changed; the old and the new one are given.",
    "credit.claimed": "A credit was claimed in time.",
    "credit.granted": "A credit was granted.",
    "credit.refused": "A credit was refused.",
    "credit.lapsed": "The time to claim a credit passed without a claim.",
    "credit.withdrawn": "The cause of a credit was retracted after it had been recorded: a person decides.",
    APPLIED: "A customer's contract was entered, changed or taken back; all its terms are given.",
    REPORT_READY: "A week or month of the desk has ended: its figures, each with that of the period before.",
    DISABLED: "A subscription was disabled: its endpoint is gone, or failed too many times and for too long.",
    AGREEMENT_APPLIED: "A new version of the desk's agreement was stored; `effective_from` may lie ahead.",
    CALENDAR_APPLIED: "A new version of the desk's calendars was stored; `effective_from` may lie ahead.",
    TEST: "A test that an administrator sent. It is not recorded.",
}
"""What each kind means, in a sentence."""

_DETAILS: Final = {
    "title": "The mail server does not answer",
    "url": "https://desk.example.org/tickets/4711",
    "customer": "Lycée Carnot",
    "assignee": "ann@example.org",
    "group": "second-level",
}

_TERM: Final = {
    "id": "C-1001",
    "customer": "Lycée Carnot",
    "services": None,
    "resources": ["srv1.example.org"],
    "plan": None,
    "level": "gold",
    "fee": {"amount": "49.90", "per": "month"},
    "currency": "EUR",
    "targets": {},
    "calendar": None,
    "billing_day": None,
    "valid_from": "2026-01-01",
    "valid_to": None,
}

_CREDIT: Final = {
    "id": "haisoft.network-credit.C-1001.2026-02",
    "desk": "haisoft",
    "contract": "C-1001",
    "customer": "Lycée Carnot",
    "credit": "network-credit",
    "label": "Penalty for network unavailability",
    "availability": "network-uptime",
    "period": "2026-02",
    "base": "monthly_fee",
    "base_amount": "1000.00",
    "units": 1,
    "share": "3.3 %",
    "amount": "33.00",
    "currency": "EUR",
    "state": "owed",
    "facts": ["o-17", "o-18"],
    "explanation": ["1 whole unit of 1 h; the rest does not count.", "3.3 % of the monthly fee."],
}

_MARCH: Final = "desk=haisoft&from=2026-02-28T23%3A00%3A00Z&to=2026-03-31T22%3A00%3A00Z"
_REPORT: Final = {
    "at": "2026-03-31T22:00:00Z",
    "detected_at": "2026-03-31T22:00:00.120Z",
    "occurrence": "2026-03",
    "by": "month",
    "period": "2026-03",
    "label": "2026-03",
    "from": "2026-02-28T23:00:00Z",
    "to": "2026-03-31T22:00:00Z",
    "figures": [
        {
            "report": "attainment",
            "of": "guarantee",
            "figure": "share",
            "value": "97.4358",
            "before": "95.1219",
        },
        {"report": "availability", "of": "guarantee", "figure": "uptime", "value": "99.9744", "before": None},
        {"report": "credits", "of": "EUR", "figure": "amount", "value": "33.00", "before": "0.00"},
    ],
    "left_out": [],
    "reports": {
        report: f"/v1/reports/{report}?{_MARCH}" for report in ("attainment", "availability", "credits")
    },
    "url": f"https://sla.example.org/v1/reports/attainment?{_MARCH}",
}

_STATES: Final = {
    "clock.paused": "paused",
    "clock.stopped": "stopped",
    "clock.cancelled": "cancelled",
    "clock.reopened": "running",
}
_LATE: Final = {"clock.breached": "guarantee", "clock.missed": "objective", "clock.lapsed": "customer"}
_RETRACTED: Final = {"clock.breach_retracted", "clock.miss_retracted"}
_REPLACED: Final = "sig_f7fafe68dd0390f8d2a3889bac14b7"
_AT: Final = "2026-03-06T14:15:00Z"
_DUE: Final = "2026-03-06T14:15:00Z"

_HEADERS: Final = {
    "webhook-id": "the signal's id, the same in every attempt: use it to drop duplicates",
    "webhook-timestamp": "time of this attempt, in seconds since 1970; reject one that is more than five minutes off",
    "webhook-signature": "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several, separated by "
    "spaces, while a secret is replaced",
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    "2XX": {"description": "Received. The body of the response is ignored."},
    "410": {"description": "The endpoint is gone: the subscription is disabled."},
    "429": {
        "description": "Not now. `Retry-After` is honoured, up to a maximum, by all deliveries to this endpoint."
    },
    "default": {"description": "Not received: retried by the schedule. Redirects are not followed."},
}


def describe(app: FastAPI) -> None:
    """Add the webhooks to the app."""
    for kind in (*KINDS, TEST):
        app.webhooks.post(
            TYPE_PREFIX + kind,
            summary=kind,
            description=DESCRIPTIONS[kind],
            tags=["webhooks"],
            response_model=None,
            status_code=204,
            operation_id=f"webhook_{kind.replace('.', '_')}",
            openapi_extra=_request(),
            responses=_ANSWERS,
        )(_never_called)


def add_examples(document: dict[str, Any]) -> None:
    """Add the examples to the app's document. Not earlier: FastAPI drops null values."""
    for methods in document.get("webhooks", {}).values():
        (content,) = methods["post"]["requestBody"]["content"].values()
        content["example"] = example(methods["post"]["summary"])


def _never_called() -> None:
    """Never called: a webhook is a request that the service makes."""


def _request() -> dict[str, Any]:
    return {
        "parameters": [
            {
                "in": "header",
                "name": name,
                "required": True,
                "schema": {"type": "string"},
                "description": description,
            }
            for name, description in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/SignalEvent"}}},
        },
    }


def example(kind: str) -> dict[str, Any]:
    """An event of this kind as it is delivered."""
    signal = _signal(kind)
    event = {
        "specversion": "1.0",
        "id": signal["id"],
        "source": source_of(signal["desk"]),
        "type": TYPE_PREFIX + kind,
        "subject": signal["ticket"],
        "time": signal["at"],
        "datacontenttype": "application/json",
        "data": signal,
    }
    return {name: value for name, value in event.items() if value is not None}


def _signal(kind: str) -> dict[str, Any]:
    about_clock, about_queue = kind.startswith("clock."), kind.startswith("queue.")
    if kind in AVAILABILITY_SIGNALS:
        return _UPTIME | {"kind": kind} | _more_of_uptime(kind)
    signal: dict[str, Any] = {
        "id": "sig_3d30b14718c803bfd600d7fdf061e3",
        "kind": kind,
        "desk": "haisoft",
        "ticket": "4711" if about_clock or about_queue else None,
        "subject": "4711" if about_clock or about_queue else None,
        "commitment": "ticket-response" if about_clock else None,
        "cycle": 1 if about_clock else None,
        "occurrence": "1772806500000000",
        "generation": 0,
        "at": _AT,
        "detected_at": "2026-03-06T14:15:00.003Z",
        "commitment_kind": _LATE.get(kind, "guarantee") if about_clock else None,
        "late": False,
        "clock": _clock(kind) if about_clock else None,
    }
    details = _DETAILS if about_clock or about_queue or kind.startswith("allowance.") else {}
    return signal | _more(kind) | details


def _more(kind: str) -> dict[str, Any]:
    if kind.startswith("clock."):
        replaced = _REPLACED if kind in _RETRACTED else None
        more: dict[str, Any] = {
            "cycle_id": None,
            "cause": None if kind in _LATE else "e-17",
            "cause_detail": None if kind in _LATE else {"code": "event", "ref": "e-17", "params": {}},
            "replaces": replaced,
        }
        moved = {"old_due_at": _DUE, "new_due_at": "2026-03-09T10:00:00Z"}
        return more | (moved if kind in _RETRACTED or kind == "clock.due_changed" else {})
    if kind.startswith(("average.", "allowance.")):
        return _month(kind)
    if kind.startswith("queue."):
        cause = "repeat_message" if kind == "queue.moved" else "created"
        return {
            "queue": "tickets",
            "cause": cause,
            "cause_detail": {"code": cause, "ref": None, "params": {}},
            "joined_at": _AT,
            "position_before": None if kind == "queue.joined" else 2,
            "position_after": None if kind == "queue.left" else 5,
            "stands": True,
        }
    if kind == REPORT_READY:
        return _REPORT
    if kind == APPLIED:
        return {"subject": "contract:C-1001", "contract": "C-1001", "version": 2, "terms": [_TERM]}
    if kind in CREDIT_SIGNALS:
        return _more_of_credit(kind)
    if kind in APPLIED_KINDS:
        return {
            "number": 2,
            "effective_from": "2026-04-01T00:00:00Z",
            "applies_to": "open",
            "who": "key key_8c6f0d2b9a1e",
            "note": "the contract of 2026",
            "holiday_changes": None,
            "replaced_versions": [],
        }
    more = {"subscription": "sub_8c6f0d2b9a1e44f7c3"}
    return more | {"reason": "the endpoint answered 410 Gone"} if kind == DISABLED else more


def _more_of_credit(kind: str) -> dict[str, Any]:
    state = kind.removeprefix("credit.")
    old, new = {"changed": ("33.00", "66.00"), "withdrawn": ("33.00", None)}.get(state, (None, "33.00"))
    return {
        "subject": "contract:C-1001",
        "commitment": "network-credit",
        "occurrence": f"{_CREDIT['id']} 1806706800000000",
        "contract": "C-1001",
        "customer": "Lycée Carnot",
        "period": "2026-02",
        "old_amount": old,
        "new_amount": new,
        "currency": "EUR",
        "replaces": _REPLACED if state == "withdrawn" else None,
        "credit": _CREDIT | {"state": "owed" if state == "changed" else state, "amount": new or old},
    }


def _month(kind: str) -> dict[str, Any]:
    """What a signal of a month has besides."""
    retracts = kind.endswith("_retracted")
    more: dict[str, Any] = {"replaces": "sig_f7fafe68dd0390f8d2a3889bac14b7" if retracts else None}
    if kind.startswith("allowance."):
        figures = {"label": "Interventions of the month", "period": "2026-03", "contract": "C-17"}
        beside = {"customer": "Lycée Carnot", "limit": 5, "cause": "e-17"}
        subject = {"ticket": "4711", "subject": "4711", "commitment": "interventions", "cycle": 1}
        return more | subject | ({} if retracts else figures | beside)
    return more | {
        "commitment": "phone-pickup",
        "commitment_kind": "guarantee",
        "label": "Phone answered on average",
        "period": "2026-03",
        "target": "< 90s",
        "count": 212,
        "abandoned": 9,
        "mean_seconds": 88.25 if retracts else 91.5,
    }


def _more_of_uptime(kind: str) -> dict[str, Any]:
    match kind:
        case AvailabilityKind.WARNED:
            figures = {
                "state": "running",
                "uptime": "99.9596",
                "downtime_seconds": 1080,
                "remaining_seconds": 257.4,
            }
            return figures | {"breached_at": None, "threshold": "80%", "occurrence": "80% srv-17"}
        case AvailabilityKind.BREACHED:
            return {}
        case _:
            cause = {"code": "event_received", "ref": "e-17", "params": {"type": "outage.ended"}}
            shown = {"cause": "outage.ended e-17", "cause_detail": cause, "replaces": _REPLACED}
            moved = {"old_at": _AT, "new_at": "2026-03-06T14:12:00Z", "at": "2026-03-06T14:12:00Z"}
            return shown | (moved if kind == AvailabilityKind.BREACH_MOVED else {})


_UPTIME: Final[dict[str, Any]] = {
    "id": "sig_3d30b14718c803bfd600d7fdf061e3",
    "desk": "haisoft",
    "ticket": None,
    "subject": "service:network",
    "commitment": "network-uptime",
    "cycle": None,
    "occurrence": "srv-17",
    "generation": 0,
    "at": _AT,
    "detected_at": "2026-03-06T14:15:00.003Z",
    "commitment_kind": "guarantee",
    "late": False,
    "replaces": None,
    "service": "network",
    "resource": "srv-17",
    "label": "Network uptime",
    "period": "2026-03",
    "from": "2026-02-28T23:00:00Z",
    "to": "2026-03-31T22:00:00Z",
    "target": "> 99.95%",
    "state": "breached",
    "uptime": "99.9500",
    "total_seconds": 2_674_800,
    "downtime_seconds": 1337.4,
    "excluded_seconds": 0,
    "allowance_seconds": 1337.4,
    "remaining_seconds": 0,
    "breached_at": _AT,
    "next_at": "2026-03-31T22:00:00Z",
    "clock": None,
}


def _clock(kind: str) -> dict[str, Any]:
    state = _STATES.get(kind, "running")
    running, late = state == "running", kind in _LATE
    return {
        "commitment": "ticket-response",
        "label": "Response to a ticket",
        "kind": _LATE.get(kind, "guarantee"),
        "measure": "response",
        "cycle": 1,
        "state": state,
        "open_now": True if running else None,
        "awaiting": [],
        "awaiting_since": None,
        "started_at": "2026-03-06T10:15:00Z",
        "due_at": None if state == "paused" else _DUE,
        "calendar_local_due": None if state == "paused" else "2026-03-06T15:15:00+01:00",
        "stopped_at": _AT if state == "stopped" else None,
        "counted_seconds": 7200 if late else 5400,
        "target": "2h",
        "target_seconds": 7200,
        "remaining_seconds": 0 if late else 1800,
        "overdue_seconds": 0,
        "due_if_resumed_now": "2026-03-06T14:45:00Z" if state == "paused" else None,
        "breached_at": _DUE if late else None,
        "detected_at": "2026-03-06T14:15:00.003Z" if late else None,
        "met": False if late else True if state == "stopped" else None,
        "calendar": "haisoft/tickets",
        "calendar_reason": None,
        "calendar_reason_detail": None,
        "next_at": None,
        "cause": None,
        "cause_detail": None,
        "flags": [],
    }
