"""A statement as a page that prints well, in the reader's language: `GET /v1/statements/...` in a browser."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import quote, urlencode

from babel.dates import format_skeleton
from fastapi import Request
from starlette.responses import HTMLResponse, Response

from app.intake.instant import read_instant
from app.sla.span import Micros
from app.web.http.running import running
from app.web.pages.credits.rows import Audience, credit_row
from app.web.pages.frame.assets import STATIC
from app.web.pages.frame.choices import choices_of
from app.web.pages.frame.figures import money, month
from app.web.pages.frame.labels import rule_labels
from app.web.pages.frame.rendering import render, words_of
from app.web.pages.frame.words import Words, local, zone_name

_ROOM: Final = "credits"
_HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language, Cookie"}
_PARTS: Final = ("lines", "without_amount", "closed")


async def statement_page(request: Request, found: dict[str, Any]) -> Response:
    """The page of a statement's document. Its times are those of the desk's zone."""
    runtime = running(request)
    choices, now = choices_of(request, runtime.settings.page_language), runtime.database.now()
    agreement = await runtime.database.look_up(
        lambda conn: runtime.catalogue.in_force(conn, found["desk"], at=now).agreement
    )
    labels = rule_labels(agreement, choices.language)
    words = words_of(_ROOM, choices.language)
    to = Audience(words, read_instant(found["at"]), found["time_zone"], labels=labels)
    context = {
        "static": STATIC,
        "choices": choices,
        "statement": found,
        "csv": _csv_address(found),
        "month": month(words, found["period"]),
        "first_day": _day(words, found["first_day"]),
        "last_day": _day(words, found["last_day"]),
        "known_at": _instant(words, read_instant(found["as_of"]), found["time_zone"]),
        "parts": {part: [_line(each, to) for each in found[part]] for part in _PARTS},
        "charges": [_charge(to, each) for each in found["charges"]],
        "unassigned": [_charge(to, each) for each in found["unassigned_charges"]],
        "totals": [_total(words, each) for each in found["totals"]],
    }
    content = render(_ROOM, choices.language, "credits/statement.html", context)
    return HTMLResponse(content, headers=_HEADERS)


def _csv_address(found: Mapping[str, Any]) -> str:
    """The address of the statement as CSV, at the instant and by the knowledge of the page."""
    path = "/".join(quote(found[part], safe="") for part in ("desk", "contract", "period"))
    query = urlencode({"format": "csv", "at": found["at"], "as_of": found["as_of"]})
    return f"/v1/statements/{path}?{query}"


def _line(line: Mapping[str, Any], to: Audience) -> dict[str, Any]:
    """A credit; its deadline is written with its date, since a statement is kept."""
    until = line["claim_by"]
    written = _instant(to.words, read_instant(until), to.zone) if until else None
    return {"row": credit_row(line, to), "claim_by": written}


def _charge(to: Audience, charge: Mapping[str, Any]) -> dict[str, str | None]:
    return {
        "label": to.labels.get(charge["charge"], charge["label"]),
        "subject": charge["subject"],
        "line": charge["line"],
        "at": _instant(to.words, read_instant(charge["at"]), to.zone),
        "amount": money(to.words, charge["amount"], charge["currency"]),
    }


def _total(words: Words, total: Mapping[str, Any]) -> dict[str, str]:
    names = ("amount", "open", "due", "charges", "balance")
    written = {name: money(words, total[name], total["currency"]) for name in names}
    return {"currency": total["currency"], **written}


def _day(words: Words, day: str) -> str:
    return format_skeleton("yMMMd", date.fromisoformat(day), locale=words.locale)


def _instant(words: Words, at: Micros, zone: str) -> str:
    then = local(at, zone)
    return f"{format_skeleton('yMMMEd', then, locale=words.locale)} {words.time(then)} {zone_name(then)}"
