"""What if: `/reports/what-if` is the form, `/reports/what-if/{simulation}` how far a simulation is and what it came to.

The form works without scripts. A running simulation is asked for again by the script, or by a link without it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote

from babel.dates import format_interval
from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.delivery.wording.language import nearest
from app.sla.agreement.agreement import Agreement
from app.sla.calendar.zone import Zone, zone
from app.store.contracts.catalogue import StoredVersion, UnknownDesk
from app.store.engine.database import Connection
from app.store.tickets import simulations
from app.store.tickets.simulations import SimulationState, StoredSimulation
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.pages.frame.files.sent import read_sent
from app.web.pages.frame.posted import REFUSED, lead_to
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.frame.words import Words
from app.web.pages.what_if.editable import Editable, as_typed, hours_of, others_tried, targets_of, with_tried
from app.web.pages.what_if.reasons import Audience
from app.web.pages.what_if.result import result
from app.web.pages.what_if.trying import Refused, fault_of, faults_elsewhere, start, tried_of

_DAYS: Final = 30
"""The span that the form begins with: so many days up to yesterday."""
_EXAMPLE: Final = 'commitments.gti.warn_at = ["75%"]'
FLIPS: Final = 200
"""Flips that the page shows; the API has them all."""

room = Room("what_if")


class WhatIfQuery(BaseModel):
    """The desk of the form, and the dates that it begins with; or the simulation whose values it begins with."""

    model_config = ConfigDict(extra="ignore")

    desk: str | None = None
    since: Annotated[date | None, Field(alias="from")] = None
    until: Annotated[date | None, Field(alias="to")] = None
    again: Annotated[str | None, Query(max_length=100)] = None

    def dates(self, today: date) -> tuple[date, date]:
        """The first and the last date. Tickets of today are not over, so the last is yesterday at the latest."""
        yesterday = today - timedelta(days=1)
        if self.since is None or self.until is None or not self.since <= min(self.until, yesterday):
            return today - timedelta(days=_DAYS), yesterday
        return self.since, min(self.until, yesterday)


@room.get("/reports/what-if")
async def show_form(reader: ViewReader, wanted: Annotated[WhatIfQuery, Query()]) -> Response:
    """The form: a desk, a span and what to try."""
    if not wanted.desk and not reader.desks:
        raise not_found("desk", "")
    desk = must_see(reader.caller, wanted.desk or reader.desks[0])

    def read(conn: Connection) -> tuple[StoredVersion, StoredSimulation | None]:
        again = simulations.find(conn, wanted.again) if wanted.again else None
        return reader.runtime.catalogue.in_force(conn, desk, at=reader.now), again

    try:
        found, again = await reader.read(read)
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    local = zone(found.agreement.time_zone)
    first, last = wanted.dates(local.local_date(reader.now))
    changes: dict[str, Any] = {}
    if again is not None and again.desk == desk:
        first, last = _dates(local, again)
        changes = again.question["changes"] or {}
    targets, hours = _entries(reader, found)
    return room.page(
        reader,
        "form.html",
        desk=desk,
        first=first,
        last=last,
        example=_EXAMPLE,
        targets=with_tried(targets, changes),
        hours=with_tried(hours, changes),
        others=others_tried([*targets, *hours], changes),
        refused=Refused(),
        fault_of=fault_of,
        elsewhere=(),
    )


@room.router.post("/reports/what-if")
async def try_it(reader: ViewReader) -> Response:
    """Starts the simulation and leads to it. A form that is not accepted is shown again."""
    tried = tried_of(await read_sent(reader.request))
    desk = must_see(reader.caller, tried.desk)
    started = await start(reader, room.words(reader), desk, tried)
    if isinstance(started, str):
        return lead_to(reader, f"/reports/what-if/{started}")
    found = await reader.read(lambda conn: reader.runtime.catalogue.in_force(conn, desk, at=reader.now))
    targets, hours = _entries(reader, found)
    context: dict[str, Any] = {
        "first": tried.first,
        "last": tried.last,
        "example": _EXAMPLE,
        "targets": as_typed(targets, tried.fields),
        "hours": as_typed(hours, tried.fields),
        "others": tried.others,
        "refused": started,
        "fault_of": fault_of,
        "elsewhere": faults_elsewhere((each.key for each in (*targets, *hours)), started.faults),
    }
    answer = room.page(reader, "form.html", desk=desk, **context)
    answer.status_code = REFUSED
    return answer


@room.router.post("/reports/what-if/{simulation}/cancel")
async def cancel(reader: ViewReader, simulation: str) -> Response:
    """Cancels a simulation that is running."""
    found = await reader.read(lambda conn: simulations.find(conn, simulation))
    if found is None or not reader.caller.sees(found.desk):
        raise not_found("simulation", simulation)
    await reader.runtime.simulations.cancel(found.desk, simulation)
    return lead_to(reader, f"/reports/what-if/{quote(simulation, safe='')}")


def _entries(reader: Reader, found: StoredVersion) -> tuple[list[Editable], list[Editable]]:
    """The targets and the hours that can be tried otherwise."""
    labels = _labels(found.agreement, room.words(reader))
    agreement, calendars = found.documents.agreement, found.documents.calendars.get(found.agreement.desk)
    return targets_of(agreement, labels), hours_of(calendars)


class Continued(BaseModel):
    """From which flip on the list is shown."""

    model_config = ConfigDict(extra="ignore")

    after: Annotated[int, Query(ge=-1, le=2**31)] = -1


Wanted = Annotated[Continued, Query()]


@room.get("/reports/what-if/{simulation}")
async def show_simulation(reader: ViewReader, simulation: str, wanted: Wanted) -> Response:
    """A simulation: its progress, then its result."""
    context = await _found(reader, simulation, wanted.after)
    return room.page(reader, "simulation.html", **context)


@room.get("/reports/what-if/{simulation}/state")
async def show_state(reader: ViewReader, simulation: str, wanted: Wanted) -> Response:
    """What changes of that page, for the script to swap in."""
    return room.fragment(reader, "state.html", **await _found(reader, simulation, wanted.after))


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is stored of a simulation, with the desk's agreement in force."""

    found: StoredSimulation
    agreement: Agreement
    flips: list[dict[str, Any]]
    following: int | None


async def _found(reader: Reader, simulation: str, after: int) -> dict[str, Any]:
    """What the page shows of a simulation. The same problem for one of another desk as for none."""

    def read(conn: Connection) -> _Stored:
        found = simulations.find(conn, simulation)
        if found is None or not reader.caller.sees(found.desk):
            raise not_found("simulation", simulation)
        flips, following = simulations.flips(conn, simulation, after, FLIPS)
        agreement = reader.runtime.catalogue.in_force(conn, found.desk, at=reader.now).agreement
        return _Stored(found, agreement, flips, following)

    stored, words = await reader.read(read), room.words(reader)
    found, local = reader.runtime.simulations.seen(stored.found), zone(stored.agreement.time_zone)
    first, last = _dates(local, found)
    labels = _labels(stored.agreement, words)
    to = Audience(words, reader.now, stored.agreement.time_zone)
    return {
        "desk": found.desk,
        "found": found,
        "is_running": found.state is SimulationState.RUNNING,
        "percent": int(found.progress * 100),
        "dates": format_interval(first, last, "yMMMd", locale=words.locale),
        "changes": found.question["changes"],
        "result": None
        if found.result is None
        else result(to, found.desk, found.result, stored.flips, labels),
        "following": stored.following,
    }


def _dates(local: Zone, simulation: StoredSimulation) -> tuple[date, date]:
    """The first and the last date of a simulation."""
    return local.local_date(simulation.question["from"]), local.local_date(simulation.question["to"] - 1)


def _labels(agreement: Agreement, words: Words) -> dict[str, str]:
    """The labels of the commitments in the reader's language, by id."""
    language = words.language.value
    return {each.id: nearest(language, dict(each.labels)) or each.label for each in agreement.commitments}
