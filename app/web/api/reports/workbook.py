"""XLSX: a workbook of one sheet, written row by row to a temporary file."""

# XlsxWriter has annotations, some of them partial, and no stub file.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Final, TypeAlias

Cell: TypeAlias = str | int | Decimal | datetime | None
"""A datetime is a local time, without an offset: spreadsheets know no other."""

_DATE_FORMAT: Final = "yyyy-mm-dd hh:mm:ss"


def as_xlsx(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """The rows under a header. A text is written as a text, whatever it begins with."""
    from xlsxwriter import Workbook  # forty modules, which a process without such a report need not have

    with TemporaryFile() as file:
        workbook = Workbook(file, {"constant_memory": True, "default_date_format": _DATE_FORMAT})
        sheet = workbook.add_worksheet("report")
        sheet.freeze_panes(1, 0)
        bold = workbook.add_format({"bold": True})
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, bold)
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                match cell:
                    case str():
                        sheet.write_string(number, place, cell)
                    case datetime():
                        sheet.write_datetime(number, place, cell)
                    case int() | Decimal():
                        # The format has no other numbers than floats; all that is counted was counted before.
                        sheet.write_number(number, place, float(cell))
                    case None:
                        pass
        workbook.close()
        file.seek(0)
        return file.read()
