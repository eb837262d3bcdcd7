"""Takes a planned version of a desk's files back, by the form of their list."""

from urllib.parse import quote

from starlette.responses import Response

from app.flow.agreement.apply import NoSuchVersion, NotPlanned, withdraw_planned
from app.store.contracts.catalogue import UnknownDesk
from app.web.http.access import must_see
from app.web.http.forms import read_form
from app.web.http.problems import Kind, Problem, not_found
from app.web.pages.frame.posted import lead_to
from app.web.pages.frame.reader import Reader


async def withdraw_version(reader: Reader, desk: str, path: str) -> Response:
    """Withdraw the version that the form names, and lead back to the list. Raises Problem."""
    must_see(reader.caller, desk)
    number, assessor = (await read_form(reader.request)).get("version", ""), reader.runtime.assessor
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise not_found("version", number[:100])
    try:
        await reader.runtime.database.write(
            lambda conn, now: withdraw_planned(conn, now, assessor, desk, int(number)), reader.caller.desks
        )
    except UnknownDesk as error:
        raise not_found("desk", desk) from error
    except NoSuchVersion as error:
        raise not_found("version", number) from error
    except NotPlanned as error:
        raise Problem(Kind.CONFLICT, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    return lead_to(reader, f"{path}/{quote(desk, safe='')}#versions-title")
