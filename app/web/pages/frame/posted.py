"""What pages do after a form: lead on to another page, so that reloading it sends nothing a second time."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from app.delivery.wording.phrases import N_
from app.intake.data_fields import is_visible
from app.principal import Principal
from app.web.http.sign_in import local
from app.web.pages.frame.reader import Reader

REFUSED: Final = 422
"""The status of a form that is shown again with its faults."""
_NAME_LENGTH: Final = 255


class Fault:
    """What is wrong with a field of a form: phrases."""

    NAME: Final = N_("Write your name.")
    REASON: Final = N_("Write a reason.")
    TOO_LONG: Final = N_("This is too long.")


def lead_to(reader: Reader, address: str) -> Response:
    """Lead the browser to an address of this service."""
    answer = RedirectResponse(reader.request.scope.get("root_path", "") + address, status_code=303)
    reader.choices.keep(reader.request, answer)
    return answer


def back_of(given: Mapping[str, str], otherwise: str) -> str:
    """Where a form leads back to: its `back`, which is never an address of another site."""
    return local(given["back"]) if given.get("back") else otherwise


def came_from(reader: Reader, otherwise: str) -> str:
    """The page of this service from which the reader came, for the `back` of a form."""
    try:
        source = urlsplit(reader.request.headers.get("referer", ""))
    except ValueError:
        return otherwise
    if source.netloc != reader.request.headers.get("host") or source.path == reader.request.url.path:
        return otherwise
    path = source.path.removeprefix(reader.request.scope.get("root_path", "")) or "/"
    return local(path + (f"?{source.query}" if source.query else ""))


def name_fault(who: Principal, given: str) -> str | None:
    """What is wrong with the name that an act is signed with. A person signs with their own, whatever is given."""
    return (
        None if is_visible(signed := who.signs(given).strip()) and len(signed) <= _NAME_LENGTH else Fault.NAME
    )
