"""The process of an export that is downloaded: `python -m app.flow.transfer.archive`. It reads, and changes nothing.

Its standard input is one JSON object with the settings, the desk, the instant and a folder. It writes the export into
the folder, so that the transaction ends whatever the pace of who downloads it, then a line of JSON to standard output,
`{"failed": …}` or `{}`, and after the latter a ZIP archive of the files. It runs with low priority, and ends when its
output is closed, so it does not outlive the process that started it.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

import orjson

from app.flow.agreement.limits import limits_of
from app.flow.transfer import manifest
from app.flow.transfer.export import Wanted, Writer
from app.log import log_as_json
from app.settings import Settings
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.read_only import ReadOnlyDatabase
from app.store.transfer.rows import Extent

TOO_LARGE: Final = "too_large"
"""The reason of an export that is larger than the settings allow."""
_NICENESS: Final = 10
"""Low priority: requests and the sweep go first."""


class TooLarge(RuntimeError):
    """The files are larger than the settings allow."""


def main() -> None:
    """Read the order, write the export, and send it."""
    order = orjson.loads(sys.stdin.buffer.read())
    # Whatever else writes to standard output goes to standard error: the channel has the archive only.
    with os.fdopen(os.dup(1), "wb") as channel:
        os.dup2(2, 1)
        os.nice(_NICENESS)
        settings = Settings.model_validate(order["settings"])
        log_as_json(settings.log_level)
        folder = Path(order["folder"])
        failed = _failure(lambda: write_files(settings, order["desk"], order["now"], folder))
        channel.write(orjson.dumps({} if failed is None else {"failed": failed}) + b"\n")
        channel.flush()
        if failed is None:
            write_archive(folder, f"export-{order['desk']}", channel)


def _failure(work: Callable[[], None]) -> str | None:
    """Why the work has failed; None if it has not."""
    try:
        work()
    except TooLarge:
        return TOO_LARGE
    except OSError as error:
        return f"the files could not be written: {error.strerror}"
    except ReadOnlyDatabase.failures as error:
        return f"the database could not be read: {error}"
    return None


def write_files(settings: Settings, desk: str, now: Micros, folder: Path) -> None:
    """Write the export of a desk. Raises TooLarge, OSError, and what a read raises."""
    most = settings.transfer_download_max_size

    def check(_kind: str, _rows: int) -> None:
        if sum(each.stat().st_size for each in folder.iterdir()) > most:
            raise TooLarge

    catalogue = Catalogue(settings.holiday_years_ahead, limits=limits_of(settings))
    writer = Writer(catalogue, settings, Wanted(Extent(desk), folder), check)
    state = writer.begun()
    with ReadOnlyDatabase(settings, frozenset({desk})) as database:
        database.read(lambda conn: writer.write(conn, now, state))


def write_archive(folder: Path, name: str, channel: IO[bytes] | Any) -> None:
    """Write the files as a ZIP archive with a folder of this name. Each is removed once it is sent; the manifest, which
    says that the export is complete, comes last."""
    files = sorted(folder.iterdir(), key=lambda each: (each.name == manifest.NAME, each.name))
    with ZipFile(channel, "w", ZIP_DEFLATED) as archive:
        for each in files:
            archive.write(each, f"{name}/{each.name}")
            each.unlink()


if __name__ == "__main__":
    main()
