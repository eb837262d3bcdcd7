"""Services: the uptime of each this month, the downtime left, its last days, its outages and announced maintenance.

`/services` is the page and `/services/list` the part of it that changes; `/services/resources` lists the resources of
one service, page by page, since there may be thousands. `/services/record` has the forms about outages and maintenance.
"""

from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.flow.query import averages
from app.flow.query.availability import AvailabilityLimits, AvailabilityQuestion
from app.flow.query.availability_list import UptimePage, uptime_page
from app.flow.query.averages import When
from app.principal import Permission, covers
from app.sla.period import PeriodFault
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.http.access import desks_for
from app.web.http.forms import read_form
from app.web.http.problems import Place, invalid, not_found
from app.web.pages.frame.parameters import Value
from app.web.pages.frame.reader import Reader, RecordReader, ViewReader
from app.web.pages.frame.room import Room
from app.web.pages.service.calls import call_line
from app.web.pages.service.cards import Audience, ServiceCard, card
from app.web.pages.service.recording import done_text, record, record_page

DAYS: Final = 90
"""Days that are shown as bars: a quarter, as status pages show it."""
OUTAGES: Final = 50
"""The latest outages of a service that are listed; the figures count all."""

room = Room("service")


class ServiceQuery(BaseModel):
    """The parameters of the pages."""

    model_config = ConfigDict(extra="ignore")

    desk: Value = None
    period: Value = None
    id: Value = None
    service: Value = None
    resource: Value = None
    cursor: Annotated[str | None, Query(max_length=1_000)] = None


Wanted = Annotated[ServiceQuery, Query()]


@room.get("/services")
async def services(reader: ViewReader, wanted: Wanted) -> Response:
    """The services of the reader's desks."""
    context = await _services(reader, wanted)
    return room.page(reader, "services.html", desk=wanted.desk, done=done_text(reader), **context)


@room.get("/services/list")
async def services_list(reader: ViewReader, wanted: Wanted) -> Response:
    """The cards of the services, for the script to swap in."""
    return room.fragment(reader, "list.html", **await _services(reader, wanted))


@room.get("/services/resources")
async def resources(reader: ViewReader, wanted: Wanted) -> Response:
    """The resources of one service."""
    context = await _resources(reader, wanted)
    return room.page(reader, "resources.html", desk=wanted.desk, done=done_text(reader), **context)


@room.get("/services/resources/list")
async def resources_list(reader: ViewReader, wanted: Wanted) -> Response:
    """The rows of the resources, for the script to swap in."""
    return room.fragment(reader, "rows.html", **await _resources(reader, wanted))


@room.get("/services/record")
async def show_form(reader: RecordReader) -> Response:
    """The form of an outage, its end, its cause or announced maintenance, as a page."""
    return await record_page(room, reader, reader.request.query_params)


@room.router.post("/services/record")
async def record_fact(reader: RecordReader) -> Response:
    """Records what the form says."""
    return await record(room, reader, await read_form(reader.request))


async def _services(reader: Reader, wanted: ServiceQuery) -> dict[str, Any]:
    days = min(DAYS, reader.runtime.settings.availability_days_max)
    asked = AvailabilityQuestion(reader.now, resource="", period=wanted.period, days=days)

    def read(conn: Connection) -> dict[str, Any]:
        desks = _desks(conn, reader, wanted)
        page, cards = _cards(conn, reader, desks, asked, wanted.cursor)
        return {
            "groups": _by_desk(cards),
            "calls": [] if wanted.cursor else _calls(conn, reader, desks, wanted.period),
            "next": page.next,
            "refresh_at": min((each.next_at for each in cards if each.next_at), default=None),
        }

    return {"wanted": wanted, **await _read(reader, wanted, read)}


async def _resources(reader: Reader, wanted: ServiceQuery) -> dict[str, Any]:
    asked = AvailabilityQuestion(
        reader.now, id=wanted.id, service=wanted.service, resource=wanted.resource, period=wanted.period
    )

    def read(conn: Connection) -> dict[str, Any]:
        desks = _desks(conn, reader, wanted)
        page, cards = _cards(conn, reader, desks, asked, wanted.cursor)
        return {"cards": [each for each in cards if each.resource], "next": page.next}

    return {"wanted": wanted, **await _read(reader, wanted, read)}


async def _read(reader: Reader, wanted: ServiceQuery, work: Any) -> dict[str, Any]:
    try:
        return await reader.read(work)
    except UnknownDesk as error:
        raise not_found("desk", str(wanted.desk)) from error
    except PeriodFault as error:
        raise invalid([Place("query", "period", str(error))]) from error


def _desks(conn: Connection, reader: Reader, wanted: ServiceQuery) -> list[str]:
    seen = desks_for(reader.caller, wanted.desk)
    return [each for each in sorted(reader.runtime.catalogue.desks(conn)) if covers(seen, each)]


def _cards(
    conn: Connection, reader: Reader, desks: list[str], asked: AvailabilityQuestion, cursor: str | None
) -> tuple[UptimePage, list[ServiceCard]]:
    settings, catalogue = reader.runtime.settings, reader.runtime.catalogue
    limits = AvailabilityLimits(settings.page_size, min(OUTAGES, settings.availability_outages_max))
    page = uptime_page(conn, catalogue, desks, asked, limits, cursor)
    words = room.words(reader)
    to = {
        desk: Audience(
            words,
            reader.now,
            catalogue.in_force(conn, desk, at=reader.now).agreement.time_zone,
            may_record=reader.caller.may(Permission.RECORD, desk),
        )
        for desk in {str(each["desk"]) for each in page.documents}
    }
    return page, [card(each, to[each["desk"]]) for each in page.documents]


def _by_desk(cards: list[ServiceCard]) -> list[tuple[str, list[ServiceCard]]]:
    """The cards by desk, the most urgent first."""
    found: dict[str, list[ServiceCard]] = {}
    for each in sorted(cards, key=lambda each: (each.desk, each.urgency)):
        found.setdefault(each.desk, []).append(each)
    return list(found.items())


def _calls(conn: Connection, reader: Reader, desks: list[str], period: str | None) -> list[Any]:
    """The averages of calls of a month."""
    when, words = When.of(reader.now, None, None, period), room.words(reader)
    months = [
        (desk, each) for desk in desks for each in averages.months(conn, reader.runtime.catalogue, desk, when)
    ]
    return [call_line(words, averages.average(desk, each)) for desk, each in months]
