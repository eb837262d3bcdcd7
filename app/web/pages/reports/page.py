"""Reports: `/reports` is the page, `/reports/chart.svg` a chart as a file, `/reports/behind` what a figure counts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response

from app.delivery.wording.language import nearest
from app.delivery.wording.phrases import N_
from app.flow.people.views import Page as SavedPage
from app.flow.query.open_tickets import filter_choices
from app.flow.query.report_scope import NamesAreOff
from app.flow.query.serialize import instant_text
from app.sla.agreement.rule import Kind
from app.store.contracts.catalogue import UnknownDesk
from app.store.engine.database import Connection
from app.web.http.access import desks_for, must_see
from app.web.http.kept_reports import keep_figures
from app.web.http.problems import Place, invalid, not_found
from app.web.pages.charts.svg import as_file
from app.web.pages.frame.reader import Reader, ViewReader
from app.web.pages.frame.room import NO_STORE, Room
from app.web.pages.frame.saved import menu
from app.web.pages.reports import wording
from app.web.pages.reports.behind import listed
from app.web.pages.reports.behind_query import BehindQuery
from app.web.pages.reports.clock_sections import attainment, causes, hours, usage
from app.web.pages.reports.figures import Compared, Question, Reports, TooLong, cut_of, question, reports
from app.web.pages.reports.kinds import kind_tiles
from app.web.pages.reports.object_sections import availability, credits, queues
from app.web.pages.reports.query import (
    FILTERS,
    OBJECT_FILTERS,
    QUEUE_FILTERS,
    Chart,
    ChartQuery,
    ReportsQuery,
)
from app.web.pages.reports.ranges import Range
from app.web.pages.reports.section import Page, Section

T = TypeVar("T")

room = Room("reports", "charts.css")

DESKS_SHOWN: Final = 20
"""Desks on a page of all of them: each is a report of its own."""

_CHOICES: Final[Mapping[Range, str]] = {
    Range.THIS_WEEK: N_("This week"),
    Range.LAST_WEEK: N_("Last week"),
    Range.THIS_MONTH: N_("This month"),
    Range.LAST_MONTH: N_("Last month"),
    Range.THIS_QUARTER: N_("This quarter"),
    Range.LAST_QUARTER: N_("Last quarter"),
    Range.THIS_YEAR: N_("This year"),
    Range.LAST_YEAR: N_("Last year"),
}
_SECTIONS: Final[Mapping[Chart, Callable[[Page], Section]]] = {
    Chart.ATTAINMENT: attainment,
    Chart.USAGE: usage,
    Chart.STARTS: partial(hours, chart=Chart.STARTS),
    Chart.BREACH_HOURS: partial(hours, chart=Chart.BREACH_HOURS),
    Chart.CAUSES: causes,
    Chart.WAITS: partial(queues, chart=Chart.WAITS),
    Chart.MOVES: partial(queues, chart=Chart.MOVES),
    Chart.AVAILABILITY: availability,
    Chart.CREDITS: credits,
}
_KNOWN: Final[Mapping[Chart, tuple[str, ...]]] = {
    Chart.WAITS: QUEUE_FILTERS,
    Chart.MOVES: QUEUE_FILTERS,
    Chart.AVAILABILITY: OBJECT_FILTERS,
    Chart.CREDITS: OBJECT_FILTERS,
}
"""The filters that a chart knows; those of clocks know all."""


@room.get("/reports")
async def show_reports(reader: ViewReader, wanted: Annotated[ReportsQuery, Query()]) -> Response:
    """All charts of a desk in a span. Without a desk, the shares that each of the reader's desks has kept."""
    if wanted.desk is None and len(reader.desks) != 1:
        if not reader.desks:
            return room.page(reader, "none.html")
        context = await _all_desks(reader, wanted)
        return room.page(reader, "desks.html", saved=await menu(reader, SavedPage.REPORTS), **context)
    desk = must_see(reader.caller, wanted.desk or reader.desks[0])
    what, found = await _found(reader, wanted, desk, frozenset(Chart))
    page = _page(reader, what, found)
    choices = await reader.read(lambda conn: filter_choices(conn, desks_for(reader.caller, desk)))
    return room.page(
        reader,
        "reports.html",
        desk=desk,
        wanted=wanted,
        saved=await menu(reader, SavedPage.REPORTS),
        dates=wording.dates(page.words, what.dates.first, what.dates.last),
        earlier=wording.dates(page.words, what.earlier.first, what.earlier.last),
        what=what,
        ranges=_ranges(reader, wanted),
        choices=choices,
        commitments=_commitments(page),
        kinds=kind_tiles(page),
        shown_kind=page.kind,
        sections=[_section(reader, page, chart) for chart in Chart],
        incomplete=_incomplete(found[Chart.ATTAINMENT]),
    )


@room.get("/reports/chart.svg")
async def download_chart(reader: ViewReader, wanted: Annotated[ChartQuery, Query()]) -> Response:
    """One chart of the page as a file. 404 where there is nothing to draw."""
    desk = must_see(reader.caller, wanted.desk or (reader.desks[0] if reader.desks else ""))
    what, found = await _found(reader, wanted, desk, frozenset({wanted.chart, Chart.ATTAINMENT}))
    page = _page(reader, what, found)
    section = _SECTIONS[wanted.chart](page)
    if section.drawing is None:
        raise not_found("chart", wanted.chart.value)
    title = f"{section.title}, {what.desk}, {wording.dates(page.words, what.dates.first, what.dates.last)}"
    name = f"{wanted.chart.value}-{what.dates.first}-{what.dates.last}.svg"
    headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(as_file(section.drawing, title), media_type="image/svg+xml", headers=headers)


@room.get("/reports/behind")
async def show_behind(reader: ViewReader, wanted: Annotated[BehindQuery, Query()]) -> Response:
    """The clocks, steps in queues, services or credits that a figure counts."""
    must_see(reader.caller, wanted.desk)
    if wanted.until <= wanted.since:
        raise invalid([Place("query", "to", "must be later than `from`")])
    parts, words = reader.runtime, room.words(reader)
    found = await _read(
        reader,
        wanted.desk,
        lambda conn: listed(conn, parts.catalogue, parts.settings, wanted, words, reader.now),
    )
    return room.page(reader, "behind.html", desk=wanted.desk, found=found)


async def _all_desks(reader: Reader, wanted: ReportsQuery) -> dict[str, Any]:
    """The tiles of a page of desks, one read for each: the turns of others are in between."""
    following = [each for each in reader.desks if each > (wanted.after or "")]
    pages = [
        _page(reader, *await _found(reader, wanted, desk, frozenset({Chart.ATTAINMENT})))
        for desk in following[:DESKS_SHOWN]
    ]
    rows = [(page.what.desk, {tile.kind: tile for tile in kind_tiles(page)}) for page in pages]
    titles = {kind: room.words(reader).say(text) for kind, text in wording.KINDS.items()}
    what = pages[0].what if pages else None
    return {
        "rows": rows,
        "titles": {kind: text for kind, text in titles.items() if any(kind in tiles for _, tiles in rows)},
        "ranges": _ranges(reader, wanted),
        "dates": what and wording.dates(room.words(reader), what.dates.first, what.dates.last),
        "earlier": what and wording.dates(room.words(reader), what.earlier.first, what.earlier.last),
        "first": what.dates.first if what else "",
        "last": what.dates.last if what else "",
        "after": wanted.after,
        "next": following[DESKS_SHOWN - 1] if len(following) > DESKS_SHOWN else None,
    }


async def _read(reader: Reader, desk: str, work: Callable[[Connection], T]) -> T:
    """The result of a read. Raises Problem for what cannot be asked of the desk."""
    try:
        return await reader.read(work)
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    except NamesAreOff as error:
        raise invalid([Place("query", "assignee", str(error))]) from error
    except TooLong as error:
        raise invalid([Place("query", "to", str(error))]) from error


async def _found(
    reader: Reader, wanted: ReportsQuery, desk: str, charts: frozenset[Chart]
) -> tuple[Question, Reports]:
    """The question and its reports, whose figures of ended periods are kept."""
    parts = reader.runtime

    def read(conn: Connection) -> tuple[Question, Reports]:
        what = question(conn, parts.catalogue, parts.settings, wanted, desk, reader.now)
        return what, reports(conn, parts.catalogue, parts.settings, what, charts)

    what, found = await _read(reader, desk, read)
    unique = {id(each): each for each in found.values()}
    await keep_figures(parts, desk, [kept for each in unique.values() for kept in each.to_keep])
    return what, found


def _page(reader: Reader, what: Question, found: Reports) -> Page:
    """The page of the kind that is asked for; without one, the first of the agreement, guarantees before others."""
    used = {each.kind for each in what.agreement.commitments}
    kind = what.wanted.kind or next((kind for kind in Kind if kind in used), Kind.GUARANTEE)
    return Page(what, found, room.words(reader), kind.value)


def _section(reader: Reader, page: Page, chart: Chart) -> Section:
    """A section with the addresses of its files, and a note on filters that do not apply to it."""
    made = _SECTIONS[chart](page)
    known = _KNOWN.get(chart, FILTERS)
    other = [name for name, _ in page.what.wanted.only() if name not in known]
    if other:
        names = page.words.both(*(page.words.say(wording.FIELDS[name]) for name in other))
        text = page.words.say(N_("Not filtered by: {names}"), names=names)
        made = replace(made, note=text if made.note is None else f"{made.note} {text}")
    return replace(made, files=_files(reader, page, made, known)) if made.rows else made


def _files(reader: Reader, page: Page, made: Section, known: tuple[str, ...]) -> dict[str, str]:
    what = page.what
    query: dict[str, Any] = {
        "desk": what.desk,
        "from": instant_text(what.span.start),
        "to": instant_text(what.span.end),
        **dict(what.wanted.only(known)),
    }
    if (by := cut_of(what, made.chart)) is not None:
        query["by"] = by.value
    addresses = {
        name.upper(): f"/v1/reports/{made.report}?{urlencode({**query, 'format': name})}"
        for name in ("csv", "xlsx")
    }
    if made.drawing is None:
        return addresses
    svg = reader.address_of("/reports/chart.svg", chart=made.chart.value, desk=what.desk, kind=page.kind)
    return {"SVG": svg, **addresses}


def _ranges(reader: Reader, wanted: ReportsQuery) -> list[tuple[str, str, bool]]:
    """The choices of dates: text, address, whether it is the chosen one."""
    changed: dict[str, str | None] = {"from": None, "to": None}
    return [
        (room.words(reader).say(text), reader.address(range=each.value, **changed), each is wanted.chosen)
        for each, text in _CHOICES.items()
    ]


def _commitments(page: Page) -> list[tuple[str, str]]:
    """The commitments of the desk on tickets: id and label."""
    language = page.words.language.value
    return [
        (each.id, nearest(language, dict(each.labels)) or each.label)
        for each in page.what.agreement.commitments
    ]


def _incomplete(found: Compared) -> int:
    return found.now.incomplete if found.now else 0
