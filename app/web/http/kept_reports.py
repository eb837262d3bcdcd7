"""Keeps figures of ended periods after a report, for the next one, whether the API or a page has made it."""

from collections.abc import Sequence

import structlog

from app.store.tickets import kept_figures
from app.store.tickets.kept_figures import KeptFigures
from app.web.http.running import WebRuntime

_log = structlog.stdlib.get_logger()


async def keep_figures(runtime: WebRuntime, desk: str, found: Sequence[KeptFigures]) -> None:
    """Store figures that were counted for a report. An answer is whole without it: a failure is logged."""
    if not found:
        return
    most = runtime.settings.report_kept_max
    try:
        await runtime.database.write(
            lambda conn, now: kept_figures.keep(conn, now, found, most), frozenset({desk})
        )
    except runtime.database.failures as error:
        # The next report counts again.
        _log.warning("figures of a report could not be kept", desk=desk, error=str(error))
