"""The export of a desk as a download: what `slatimer export` writes, as one archive."""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import structlog
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.delivery.wording.phrases import N_
from app.flow.transfer.archive import TOO_LARGE
from app.flow.transfer.download import BUSY, TOO_LONG, Download, NotExported
from app.flow.transfer.export import note_export
from app.principal import Permission, covers
from app.sla.span import instant
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.room import Room
from app.web.pages.settings.shown import page

_log = structlog.stdlib.get_logger()

_UNAVAILABLE: Final = 503
_RETRY_SECONDS: Final = 30
"""After which a browser may ask again: most desks are exported by then."""
_WHY: Final[Mapping[str, str]] = {
    BUSY: N_("Another export is being made. Try again when it has ended."),
    TOO_LARGE: N_("This desk is too large to be downloaded. Export it by the command."),
    TOO_LONG: N_("The export took too long. Export this desk by the command."),
}
"""Why there is no download."""
_FAILED: Final = N_("The export could not be made. The log of the service says why.")


async def export_page(room: Room, reader: Reader, failure: str | None = None) -> Response:
    """The desks that the reader may export."""
    desks = [each for each in reader.desks if reader.caller.may(Permission.CONFIGURE, each)]
    answer = page(
        room, reader, "export.html", failure, desks=desks, is_offered=reader.runtime.downloads.are_offered
    )
    if failure is not None:
        answer.status_code = _UNAVAILABLE
        answer.headers["Retry-After"] = str(_RETRY_SECONDS)
    return answer


async def exported(room: Room, reader: Reader, desk: str) -> Response:
    """The archive, as soon as the export is written; else the page with the reason. Raises the 404 problem."""
    must_see(reader.caller, desk)
    parts = reader.runtime
    if not covers(frozenset(reader.desks), desk):
        raise not_found("desk", desk[:100])
    await parts.database.write(lambda conn, _: note_export(conn, desk), frozenset({desk}))
    now = parts.database.now()
    try:
        download = await parts.downloads.begin(desk, now)
    except NotExported as error:
        return await export_page(room, reader, _WHY.get(error.reason, _FAILED))
    seconds = parts.settings.transfer_download_timeout.total_seconds()
    return _Archive(download, f"export-{desk}-{instant(now).date()}.zip", seconds)


class _Archive(StreamingResponse):
    """An archive that is sent, within so many seconds. Its process ends with the answer, however that ends."""

    def __init__(self, download: Download, name: str, seconds: float) -> None:
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f"attachment; filename=\"export.zip\"; filename*=UTF-8''{quote(name, safe='')}",
        }
        super().__init__(download.chunks(), media_type="application/zip", headers=headers)
        self._download, self._seconds = download, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            # Who does not read the archive keeps no other desk's from being made.
            async with asyncio.timeout(self._seconds):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            _log.warning("download ended, the client was too slow", desk=self._download.desk)
        finally:
            self._download.close()
