"""What happened: the events of a ticket with who and what, and the signals that were recorded about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.delivery.wording.phrases import HAPPENED, N_
from app.flow.query.answer import TicketAnswer
from app.sla.event import KNOWN_TYPES, Event
from app.sla.reason import Reason, ReasonCode
from app.sla.span import SECOND, micros
from app.web.pages.frame.vocabulary import LEFT_QUEUE, MOVES, named
from app.web.pages.frame.words import Words
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.explained import kept_label
from app.web.pages.ticket.read import TicketRead
from app.web.pages.ticket.reasons import reason_text
from app.web.pages.ticket.vocabulary import AUTHORS, EVENTS, FIELDS, STATUSES

_LATE_RECEIPT: Final = 60 * SECOND
"""Of an event that came later than this its receipt is shown."""
_BY_EVENT: Final = frozenset({"event", "event_received"})
_TYPE_SAYS: Final = {"agent.replied": "agent", "customer.replied": "customer"}
"""Types of events whose names say who caused them: "Reply by the desk"."""
_RETRACTED: Final = "_retracted"
_ALARMS: Final = frozenset({"clock.breached", "clock.missed", "clock.lapsed"})


@dataclass(frozen=True, slots=True)
class Happened:
    """An event: when, what, by whom, with what data."""

    id: str
    at: str
    what: str
    who: str | None
    details: tuple[str, ...]
    more: str | None
    """Extensions of the event."""
    notes: tuple[str, ...]
    is_valid: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """A signal."""

    kind: str
    at: str
    what: str
    about: str
    why: str | None
    detected: str
    is_late: bool
    """Reported later than it happened."""
    is_retracted: bool
    alarm: str | None
    """The kind of the commitment, where it reports something as late."""


def events(found: TicketRead, to: Audience) -> list[Happened]:
    """The events, the latest first."""
    return [_event(each, each.id in found.valid, to) for each in reversed(found.events)]


def _event(event: Event, is_valid: bool, to: Audience) -> Happened:
    words, author = to.words, event.data.get("author")
    notes: list[str] = []
    if event.received_at - event.at > _LATE_RECEIPT:
        notes.append(words.say(N_("received {when}"), when=to.stamp(event.received_at)))
    if event.type not in KNOWN_TYPES:
        notes.append(words.say(N_("Unknown type: stored, without effect")))
    if not is_valid:
        notes.append(words.say(N_("No longer in effect")))
    return Happened(
        id=event.id,
        at=to.stamp(event.at),
        what=named(words, EVENTS, event.type),
        who=_who(event.type, author, words),
        details=tuple(_detail(name, value, to) for name, value in event.data.items() if name != "author"),
        more="; ".join(f"{name}: {_shown(value)}" for name, value in (event.attributes or {}).items())
        or None,
        notes=tuple(notes),
        is_valid=is_valid,
    )


def _who(kind: str, author: object, words: Words) -> str | None:
    """Who caused an event, unless the name of its type says so."""
    if author is None or _TYPE_SAYS.get(kind) == author:
        return None
    return named(words, AUTHORS, str(author))


def _detail(name: str, value: object, to: Audience) -> str:
    shown = named(to.words, STATUSES, str(value)) if name == "status" else _shown(value)
    known = to.words.say(FIELDS[name]) if name in FIELDS else name.replace("_", " ")
    return f"{known}: {shown}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def signals(found: TicketRead, answer: TicketAnswer, to: Audience) -> list[Recorded]:
    """The signals, by when it happened, the latest first."""
    types = {event.id: event.type for event in found.events}
    retracted = {each.get("replaces") for each in found.signals if each["kind"].endswith(_RETRACTED)}
    ordered = sorted(found.signals, key=lambda each: str(each["at"]))
    return [_signal(each, answer, types, retracted, to) for each in reversed(ordered)]


def _signal(
    body: Mapping[str, Any], answer: TicketAnswer, types: Mapping[str, str], retracted: set[Any], to: Audience
) -> Recorded:
    commitment, kind = body.get("commitment"), body["kind"]
    return Recorded(
        kind=kind,
        at=_stamp(body["at"], to),
        what=named(to.words, HAPPENED, kind),
        about=kept_label(answer, commitment, to) if commitment else _place(body, to),
        why=_why(body, types, to),
        detected=_stamp(body["detected_at"], to),
        is_late=body["late"],
        is_retracted=body["id"] in retracted,
        alarm=body["commitment_kind"] if kind in _ALARMS else None,
    )


def _stamp(text: str, to: Audience) -> str:
    return to.stamp(micros(datetime.fromisoformat(text)))


def _place(body: Mapping[str, Any], to: Audience) -> str:
    """A move in a queue: its name, and the positions before and after as far as they are known."""
    before, after = body.get("position_before"), body.get("position_after")
    if before and after:
        phrase = N_("{queue}, from position {before} to {after}")
        return to.words.say(phrase, queue=body["queue"], before=before, after=after)
    if before or after:
        return to.words.say(N_("{queue}, position {n}"), queue=body["queue"], n=before or after)
    return str(body.get("queue") or body.get("reason") or "")


def _why(body: Mapping[str, Any], types: Mapping[str, str], to: Audience) -> str | None:
    """The cause: an event of the ticket by its name, others by their phrase."""
    detail = body.get("cause_detail")
    if detail is None:
        return None
    code, ref = detail["code"], detail["ref"]
    if code in _BY_EVENT and ref in types:
        return named(to.words, EVENTS, types[ref])
    if body.get("queue"):
        return named(to.words, dict(MOVES) | dict(LEFT_QUEUE), code)
    return reason_text(Reason(ReasonCode(code), ref, detail["params"]), to)
