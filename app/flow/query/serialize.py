"""Serialization: views, explanations and signals as JSON. The field names are a contract with every caller.

Instants become RFC 3339 in UTC with a "Z", microseconds only where there are any; durations become whole seconds,
rounded down. Plain dicts, not models: a ticket is serialized for every event that is pushed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, overload

import orjson

from app.flow.query.answer import ArchivedAnswer, QueueAnswer, TicketAnswer
from app.flow.query.reasons import detail, move_detail, span_text, text, text_or_none
from app.sla.calendar import Calendar
from app.sla.clock.explanation import ExplainedSpan, Explanation
from app.sla.clock.view import ClockView
from app.sla.fields import VIEW_FIELDS
from app.sla.queue.waiting import Move
from app.sla.span import SECOND, Micros

if TYPE_CHECKING:
    from app.store.tickets.signals import NewSignal

Json = dict[str, Any]

DUPLICATES_CAPPED: Final = "duplicates_capped"
EVENTS_DROPPED: Final = "facts_no_longer_kept"
"""The flag of a ticket whose events were deleted: only its final view is left."""

_NOT_MERGED: Final[Json] = {"merged_into": None, "merged_from": []}
"""What a final view that was stored by an earlier release does not say."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1 << 13)
def _rfc3339(at: Micros) -> str:
    written = (_EPOCH + timedelta(microseconds=at)).isoformat()
    return written[:-6] + "Z"


@overload
def instant_text(at: Micros) -> str: ...
@overload
def instant_text(at: None) -> None: ...
@overload
def instant_text(at: Micros | None) -> str | None: ...
def instant_text(at: Micros | None) -> str | None:
    """An instant in RFC 3339, UTC, with a "Z"."""
    return None if at is None else _rfc3339(at)


def local(at: Micros | None, calendar: Calendar | None) -> str | None:
    """An instant on the clock of the calendar's zone, with its offset."""
    return None if at is None or calendar is None else calendar.local(at).isoformat()


def seconds(length: int | None) -> int | None:
    """A duration in whole seconds, rounded down."""
    return None if length is None else length // SECOND


def clock(view: ClockView, detected_at: Micros | None, calendar: Calendar | None) -> Json:
    """A clock. `detected_at` belongs to a breach only; `calendar` gives the zone of the local due date."""
    breached = view.breached_at is not None
    return {
        "commitment": view.commitment,
        "label": view.label,
        "kind": view.kind.value,
        "measure": view.measure,
        "cycle": view.cycle,
        "state": view.state.value,
        "open_now": view.open_now,
        "awaiting": list(view.awaiting),
        "awaiting_since": instant_text(view.awaiting_since),
        "started_at": instant_text(view.started_at),
        "due_at": instant_text(view.due_at),
        "calendar_local_due": local(view.due_at, calendar),
        "stopped_at": instant_text(view.stopped_at),
        "counted_seconds": seconds(view.counted),
        "target": view.target,
        "target_seconds": seconds(view.target_length),
        "remaining_seconds": seconds(view.remaining),
        "overdue_seconds": seconds(view.overdue),
        "due_if_resumed_now": instant_text(view.due_if_resumed_now),
        "breached_at": instant_text(view.breached_at),
        "detected_at": instant_text(detected_at) if breached else None,
        "met": view.met,
        "calendar": view.calendar,
        "calendar_reason": text_or_none(view.calendar_reason),
        "calendar_reason_detail": detail(view.calendar_reason),
        "next_at": instant_text(view.next_at),
        "cause": text_or_none(view.cause),
        "cause_detail": detail(view.cause),
        "flags": list(view.flags),
    }


def clock_of(answer: TicketAnswer, view: ClockView) -> Json:
    """A clock of an answer, with when its breach was recorded."""
    key = (view.commitment, view.cycle_id)
    history = answer.evaluation.histories.get(key)
    calendar = history.regime.calendar if history and history.regime else None
    return clock(view, answer.detected.get(key), calendar)


def ticket(answer: TicketAnswer | ArchivedAnswer) -> Json:
    """A TicketView. An archived ticket changes no more: its view is the final one, shown at the instant of the query."""
    if isinstance(answer, ArchivedAnswer):
        now = instant_text(answer.now)
        view: Json = _NOT_MERGED | orjson.loads(answer.view) | {"at": now, "as_of": now}
        return view | {"flags": [*view["flags"], EVENTS_DROPPED]} if answer.events_dropped else view
    evaluation = answer.evaluation
    fields = evaluation.ticket.fields
    shown: Json = {name: fields.get(name) for name in VIEW_FIELDS}
    return {
        "desk": answer.desk,
        "ticket": answer.ticket,
        **shown,
        "status": evaluation.ticket.status,
        "created_at": instant_text(evaluation.ticket.created_at),
        "at": instant_text(evaluation.at),
        "as_of": instant_text(answer.as_of),
        "clocks": [clock_of(answer, view) for view in evaluation.clocks],
        "earlier_cycles": dict(answer.earlier_cycles),
        "not_applicable": [
            {"commitment": commitment, "reason": text(reason), "reason_detail": detail(reason)}
            for commitment, reason in evaluation.not_applicable
        ],
        "queue": None if answer.queue is None else queue_place(answer.queue),
        "merged_into": answer.merged_into,
        "merged_from": list(answer.merged_from),
        "flags": [*evaluation.flags, *([DUPLICATES_CAPPED] if answer.is_capped else [])],
    }


def clocks_alone(answer: TicketAnswer) -> Json:
    """A TicketView without the ticket's fields and its place: what a system that only pushes may learn."""
    return ticket(answer) | dict.fromkeys(VIEW_FIELDS) | {"queue": None}


def queue_place(place: QueueAnswer) -> Json:
    """Where a ticket waits."""
    return {
        "name": place.name,
        "position": place.position,
        "length": place.length,
        "joined_at": instant_text(place.joined_at),
        "moves": [move(one) for one in place.moves],
        "expected_reply_at": instant_text(place.expected_reply_at),
        "expected_reply_reason": text_or_none(place.reason),
        "expected_reply_reason_detail": detail(place.reason),
    }


def move(one: Move) -> Json:
    """A change of a ticket's place."""
    kind = "left" if one.to_key is None else "joined" if one.from_key is None else "moved"
    cause = {"cause": one.cause, "cause_detail": move_detail(one.cause)}
    return {"at": instant_text(one.at), "kind": kind, **cause, "queue": one.queue}


def explanation(
    explained: Explanation, detected_at: Micros | None = None, *, after: int = 0, limit: int | None = None
) -> Json:
    """The spans of a deadline or a stop, each in UTC and on the clock of the calendar's zone.

    Spans after the first `after`, `limit` at most; `next` is the `after` of those that follow.
    """
    until = None if limit is None else after + limit
    more = until is not None and until < len(explained.spans)
    calendar = explained.calendar
    chosen = None if explained.clock is None else explained.clock.calendar_reason
    return {
        "clock": None if explained.clock is None else clock(explained.clock, detected_at, calendar),
        "calendar": None if calendar is None else calendar.name,
        "calendar_reason": text_or_none(chosen),
        "calendar_reason_detail": detail(chosen),
        "calendar_version": None if calendar is None else calendar.version,
        "time_zone": None if calendar is None else calendar.time_zone,
        "target": explained.target,
        "target_seconds": seconds(explained.target_length),
        "due_at": instant_text(explained.due_at),
        "due_local": local(explained.due_at, calendar),
        "spans": explained_spans(explained.spans[after:until], calendar),
        "next": until if more else None,
    }


def explained_spans(spans: Iterable[ExplainedSpan], calendar: Calendar | None) -> list[Json]:
    """Spans with their reasons and running totals."""
    return [
        {
            "start": instant_text(span.start),
            "end": instant_text(span.end),
            "start_local": local(span.start, calendar),
            "end_local": local(span.end, calendar),
            "kind": span.kind.value,
            "counted": span.counted,
            "reason": span_text(span),
            "reason_detail": detail(span.reason),
            "source": span.source,
            "seconds": seconds(span.end - span.start),
            "total_seconds": seconds(span.total),
            "planned": span.planned,
        }
        for span in spans
    ]


def signal(new: "NewSignal") -> Json:
    """What every signal has in common. `ticket` is null where the subject is none, `subject` for the desk itself."""
    return {
        "id": new.id,
        "kind": new.kind,
        "desk": new.desk,
        "ticket": new.subject.ticket,
        "subject": new.subject.text or None,
        "commitment": new.commitment or None,
        "cycle": None,
        "occurrence": new.occurrence,
        "generation": new.generation,
        "at": instant_text(new.at),
        "detected_at": instant_text(new.detected_at),
        "commitment_kind": new.commitment_kind,
        "late": new.late,
    }
