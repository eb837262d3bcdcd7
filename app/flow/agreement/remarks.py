"""Remarks on a desk's files: beside the faults of `slatimer check` and of a PUT, and of the calendars in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.flow.agreement.desk_files import DeskFile, FileKind
from app.sla.calendar.remarks import remarks_on
from app.sla.document.faults import Remark, line_of
from app.sla.span import Micros, instant
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection


@dataclass(frozen=True, slots=True)
class FileRemark:
    """One remark with its file and, where it can be found, its line."""

    path: str
    line: int | None
    remark: Remark

    def __str__(self) -> str:
        return f"{self.path}{'' if self.line is None else f':{self.line}'}: remark: {self.remark}"


def remarks_of(files: Iterable[DeskFile], today: date) -> list[FileRemark]:
    """The remarks on files without faults."""
    return [
        FileRemark(file.path, line_of(file.text, remark.place), remark)
        for file in files
        if file.kind is FileKind.CALENDARS
        for remark in remarks_on(file.document, today)
    ]


def remarks_in_force(conn: Connection, catalogue: Catalogue, now: Micros) -> dict[str, list[Remark]]:
    """The remarks on the calendars of each desk's version in force, by desk; none for a desk without any."""
    found: dict[str, list[Remark]] = {}
    for desk, number in sorted(catalogue.desks(conn).items()):
        own = catalogue.in_force(conn, desk, number, at=now).documents.calendars.get(desk, {})
        if remarks := remarks_on(own, instant(now).date()):
            found[desk] = remarks
    return found
