"""Outages, their causes and announced maintenance by forms: what the dialogs do, as pages that work without scripts.

Times are typed in the desk's zone. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from starlette.responses import Response

from app.delivery.wording.phrases import N_
from app.flow.judge.record import FaultyFact, fact
from app.intake.data_fields import is_visible
from app.sla.event import EventType
from app.sla.span import SECOND, Micros, micros
from app.store.contracts.catalogue import UnknownDesk
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.pages.frame.posted import REFUSED, Fault, back_of, came_from, lead_to
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room
from app.web.pages.frame.words import local

_NO_TIME: Final = N_("Write a date and a time.")
_NOT_AFTER: Final = N_("The end must lie after the start.")
_NO_CAUSE: Final = N_("Write a cause.")
_LENGTH: Final = 200
_MILLISECOND: Final = SECOND // 1000
_TEXTS: Final = ("reference", "resource", "cause")


@dataclass(frozen=True, slots=True)
class Form:
    """One of the forms: the event that it makes, its texts as phrases, and its fields. `done` is what was recorded."""

    event: EventType
    title: str
    button: str
    done: str
    times: tuple[tuple[str, str], ...] = ()
    names_resource: bool = False
    cause: bool | None = None
    """Whether it has a cause; required if true, optional if false."""


_UNTIL: Final = N_("Until")
FORMS: Final[Mapping[str, Form]] = {
    "start": Form(
        EventType.OUTAGE_STARTED,
        N_("Record an outage"),
        N_("Record the start"),
        N_("The start of the outage was recorded."),
        (("time", N_("Since")),),
        names_resource=True,
        cause=False,
    ),
    "end": Form(
        EventType.OUTAGE_ENDED,
        N_("Record its end"),
        N_("Record the end"),
        N_("The end of the outage was recorded."),
        (("time", _UNTIL),),
        cause=False,
    ),
    "cause": Form(
        EventType.OUTAGE_VERIFIED,
        N_("State its cause"),
        N_("Record the cause"),
        N_("The cause of the outage was recorded."),
        cause=True,
    ),
    "window": Form(
        EventType.MAINTENANCE_ANNOUNCED,
        N_("Announce maintenance"),
        N_("Announce"),
        N_("The maintenance was announced."),
        (("from", N_("From")), ("to", _UNTIL)),
        names_resource=True,
    ),
}
"""The forms by their names in addresses."""


@dataclass(slots=True)
class Entered:
    """A form as it was sent: its instants by field, and phrases by the field that they are about."""

    instants: dict[str, Micros] = field(default_factory=dict[str, Micros])
    faults: dict[str, str] = field(default_factory=dict[str, str])


async def record_page(
    room: Room,
    reader: Reader,
    given: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
    failure: str | None = None,
) -> Response:
    """One of the forms, empty or as it was sent. Raises the 404 problem."""
    what, desk, service = (
        given.get("what", ""),
        must_see(reader.caller, given.get("desk", "")),
        given.get("service"),
    )
    if what not in FORMS or not service:
        raise not_found("form", what[:100])
    zone, home = await _zone(reader, desk), f"/services?{urlencode({'desk': desk})}"
    is_sent = faults is not None or failure is not None
    now = local(reader.now, zone).strftime("%Y-%m-%dT%H:%M:%S")
    times = {name: now for name, _ in FORMS[what].times}
    answer = room.page(
        reader,
        "record.html",
        desk=desk,
        what=what,
        form=FORMS[what],
        service=service,
        zone=zone,
        typed=given if is_sent else {**times, **given},
        faults=faults or {},
        failure=failure,
        back=back_of(given, home) if is_sent else came_from(reader, home),
    )
    if is_sent:
        answer.status_code = REFUSED
    return answer


async def record(room: Room, reader: Reader, given: Mapping[str, str]) -> Response:
    """Record what the form says, and lead back. One with faults is shown again. Raises the 404 problem."""
    what, desk = given.get("what", ""), must_see(reader.caller, given.get("desk", ""))
    if what not in FORMS:
        raise not_found("form", what[:100])
    entered = _entered(FORMS[what], given, await _zone(reader, desk))
    if entered.faults:
        return await record_page(room, reader, given, entered.faults)
    try:
        await _receive(reader, desk, FORMS[what], given, entered)
    except FaultyFact as error:
        return await record_page(room, reader, given, failure=str(error))
    return lead_to(reader, _with_done(back_of(given, f"/services?{urlencode({'desk': desk})}"), what))


def done_text(reader: Reader) -> str | None:
    """What was recorded just now, a phrase, by the name in the address."""
    form = FORMS.get(reader.request.query_params.get("done", ""))
    return None if form is None else form.done


async def _receive(reader: Reader, desk: str, form: Form, given: Mapping[str, str], entered: Entered) -> None:
    """Receive the event. Raises FaultyFact."""
    parts, who, now = reader.runtime, reader.caller.principal, reader.runtime.database.now()
    more: dict[str, Any] = {name: given[name].strip() for name in _TEXTS if given.get(name, "").strip()}
    if form.event is EventType.OUTAGE_STARTED:
        more["reference"] = f"page-{now // _MILLISECOND}"
    if given.get("emergency"):
        more["emergency"] = True
    incoming = fact(
        desk,
        f"service:{given.get('service', '')}",
        form.event,
        at=entered.instants.get("time", now),
        author=who.signs(who.label),
        max_text=parts.settings.max_text_length,
        since=entered.instants.get("from"),
        until=entered.instants.get("to"),
        more=more,
    )
    receipt = await parts.receiver.receive([incoming])
    if receipt.refused:
        raise FaultyFact(receipt.refused[0].reason)


def _entered(form: Form, given: Mapping[str, str], zone: str) -> Entered:
    found = Entered()
    for name, _ in form.times:
        at = _instant(given.get(name, ""), zone)
        if at is None:
            found.faults[name] = _NO_TIME
        else:
            found.instants[name] = at
    if not found.faults and "to" in found.instants and found.instants["to"] <= found.instants["from"]:
        found.faults["to"] = _NOT_AFTER
    if form.cause and not is_visible(given.get("cause", "")):
        found.faults["cause"] = _NO_CAUSE
    found.faults |= {name: Fault.TOO_LONG for name in _TEXTS if len(given.get(name, "")) > _LENGTH}
    return found


def _instant(text: str, zone: str) -> Micros | None:
    """A local time as a browser sends it. In the hour that is repeated in autumn, the first of the two."""
    try:
        typed = datetime.fromisoformat(text)
        return micros(typed.replace(tzinfo=ZoneInfo(zone))) if typed.tzinfo is None else None
    except (ValueError, OverflowError):
        return None


def _with_done(address: str, what: str) -> str:
    path, query = urlsplit(address).path, parse_qsl(urlsplit(address).query)
    return (
        f"{path}?{urlencode([*((name, value) for name, value in query if name != 'done'), ('done', what)])}"
    )


async def _zone(reader: Reader, desk: str) -> str:
    """The zone in which the desk's outages are written. Raises the 404 problem."""
    try:
        found = await reader.read(lambda conn: reader.runtime.catalogue.in_force(conn, desk, at=reader.now))
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    return found.agreement.time_zone
