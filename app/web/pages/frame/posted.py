"""What pages do after a form: lead on to another page, so that reloading it sends nothing a second time."""

from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from app.web.http.sign_in import local
from app.web.pages.frame.reader import Reader

REFUSED = 422
"""The status of a form that is shown again with its faults."""


def lead_to(reader: Reader, address: str) -> Response:
    """Lead the browser to an address of this service."""
    answer = RedirectResponse(reader.request.scope.get("root_path", "") + address, status_code=303)
    reader.choices.keep(reader.request, answer)
    return answer


def back_of(given: Mapping[str, str], otherwise: str) -> str:
    """Where a form came from: its `back`, which is never an address of another site."""
    return local(given["back"]) if given.get("back") else otherwise
