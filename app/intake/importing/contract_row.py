"""Rows of an export of contracts as documents of contracts.

Cells are read as billing systems write them: decimal commas and grouped thousands, dates in the local order, billing
cycles in words. What a cell leaves open is never guessed: it is refused with the key of the mapping that states it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from app.intake.importing.contract_mapping import (
    DATE_KEYS,
    LIST_KEYS,
    NUMBER_KEYS,
    ContractMapped,
    DecimalSign,
)
from app.intake.importing.mapping import FieldColumn
from app.intake.importing.rows import Row
from app.intake.importing.times import TimeFormat, TimeReader, day_or_month_first
from app.intake.importing.unreadable import UnreadableRow, UnusableLog
from app.intake.mapping.value import dig
from app.sla.calendar.zone import Zone, zone
from app.sla.document.faults import Fault

_SEPARATORS: Final = re.compile(r"[|;,\n]")
_NO_DATE: Final = ("0000-00-00", "0000-00-00 00:00:00")
"""How MySQL, and so WHMCS and others, write that there is no date."""
_CURRENCY_SIGNS: Final = re.compile(r"^[^\d+-]{0,4}(?=[\d+-])|(?<=\d)[^\d.,]{1,4}$")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f'\u2019]")
_PLAIN: Final = re.compile(r"-?\d+", re.ASCII)
_GROUPED: Final = re.compile(r"-?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*", re.ASCII)


class _Cycle(NamedTuple):
    """What a fee is paid for: `per` of a fee, and the months of a term."""

    per: str
    months: int | None = None


_CYCLES: Final = {
    "monthly": _Cycle("month"),
    "annually": _Cycle("year"),
    "annual": _Cycle("year"),
    "yearly": _Cycle("year"),
    "quarterly": _Cycle("term", 3),
    "semi-annually": _Cycle("term", 6),
    "biennially": _Cycle("term", 24),
    "triennially": _Cycle("term", 36),
}
"""Billing cycles as WHMCS, Blesta and HostBill write them."""


class FaultyRow(ValueError):
    """A row cannot be read. `faults` name the key and, where there is one, the column."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class ContractRowReader:
    """Reads the rows of one file. `sample`: rows by which the order of day and month is recognised."""

    def __init__(self, mapped: ContractMapped, sample: Iterable[Row], zone_name: str) -> None:
        self._mapped = mapped
        form, rows = mapped.time_format, list(sample)
        if form is TimeFormat.AUTO:
            columns = [each.column for key, each in mapped.columns.items() if key in DATE_KEYS]
            form = day_or_month_first(str(row.cells.get(name, "")) for row in rows for name in columns)
        self._form, self._zone = form, zone(zone_name)

    def document(self, row: Row) -> dict[str, Any]:
        """The contract's document that a row states. Empty cells state nothing. Raises FaultyRow."""
        found: dict[str, Any] = {}
        faults: list[Fault] = []
        for key, column in self._mapped.columns.items():
            cell = _cell(row, column)
            if cell is None:
                continue
            try:
                _put(found, key, self._read(key, column.column, cell))
            except _Unclear as error:
                faults.append(Fault(f"{key} (column {column.column!r})", error.wrong, error.right))
        if faults:
            raise FaultyRow(faults)
        return _with_defaults(_with_end(found), self._mapped.defaults)

    def _read(self, key: str, column: str, cell: object) -> object:
        if key in DATE_KEYS:
            return _date(cell, column, self._form, self._zone)
        if key in LIST_KEYS:
            return _list(cell, self._mapped.list_separator)
        if key == "fee.amount":
            return _amount(cell, self._mapped.decimal)
        if key == "fee.per":
            return _CYCLES.get(str(cell).strip().lower(), cell)
        if key in NUMBER_KEYS or key == "fee.term_months":
            return _whole(cell)
        return cell if isinstance(cell, str) else str(cell)


class _Unclear(ValueError):
    """A cell that cannot be read."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(wrong)
        self.wrong, self.right = wrong, right


def _cell(row: Row, column: FieldColumn) -> object:
    """The cell of a column, in the mapping's word for it; None where the row states nothing."""
    name = column.column
    cell = row.cells[name] if name in row.cells else dig(row.cells, name) if "." in name else None
    if isinstance(cell, str):
        cell = cell.strip()
        if cell in _NO_DATE:
            return None
        cell = column.values.get(cell, cell)
    return None if cell == "" else cell


def _put(found: dict[str, Any], key: str, value: object) -> None:
    """Set a key, within its table where it has a dot."""
    if isinstance(value, _Cycle):
        _put(found, key, value.per)
        if value.months is not None:
            _put(found, "fee.term_months", value.months)
        return
    above, dot, name = key.partition(".")
    if dot:
        found.setdefault(above, {})[name] = value
    else:
        found[key] = value


def _with_end(found: dict[str, Any]) -> dict[str, Any]:
    """`last_day` as the date after it, on which the contract is no longer valid."""
    last = found.pop("last_day", None)
    if last is not None and "valid_to" not in found:
        found["valid_to"] = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    return found


def _with_defaults(found: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What all rows have, where the row states nothing itself."""
    merged = dict(defaults) | found
    for key in ("fee", "targets"):
        if isinstance(defaults.get(key), dict) and key in found:
            merged[key] = defaults[key] | found[key]
    if "amount" not in merged.get("fee", {"amount": None}):
        del merged["fee"]  # a row without an amount has no fee, whatever the defaults say of it
    return merged


def _date(cell: object, column: str, form: TimeFormat, of: Zone) -> str:
    if not isinstance(cell, str):
        raise _Unclear(f"{cell!r} is not a date", 'Write it as "2026-01-31".')
    try:
        return (
            date.fromisoformat(cell[:10]).isoformat()
            if cell[4:5] == "-"
            else _other_date(cell, column, form, of)
        )
    except UnreadableRow as error:
        raise _Unclear(f"{cell!r} is not a date", 'Write it as "2026-01-31" or "31.01.2026".') from error
    except UnusableLog as error:
        right = 'State time_format = "day_first" or "month_first" in [columns] of the mapping.'
        raise _Unclear(f"{cell!r} may have the day or the month first", right) from error
    except ValueError as error:
        raise _Unclear(f"{cell!r} is not a date that exists", 'Write it as "2026-01-31".') from error


def _other_date(cell: str, column: str, form: TimeFormat, of: Zone) -> str:
    return of.local_date(TimeReader(column, form, of).read(cell)).isoformat()


def _list(cell: object, separator: str | None) -> list[object]:
    if isinstance(cell, list):
        return list(cell)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    parts = _SEPARATORS.split(str(cell)) if separator is None else str(cell).split(separator)
    return [part.strip() for part in parts if part.strip()]


def _whole(cell: object) -> object:
    text = str(cell).strip()
    return int(text) if _PLAIN.fullmatch(text) and len(text) < 10 else cell


def _amount(cell: object, sign: DecimalSign) -> object:
    """An amount as a text with a decimal point. A number of JSON stays as it is."""
    if not isinstance(cell, str):
        return cell
    text = _SPACES.sub("", _CURRENCY_SIGNS.sub("", cell.strip()))
    decimal = _DECIMALS[sign](text)
    if decimal is None:
        right = 'State decimal = "," or decimal = "." in [columns] of the mapping.'
        raise _Unclear(f'"{cell[:40]}" may have decimals or thousands after its sign', right)
    return text.replace("," if decimal == "." else ".", "").replace(",", ".")


def _decimal_of(text: str) -> str | None:
    """The decimal sign of an amount, where it is certain."""
    points, commas = text.count("."), text.count(",")
    if points and commas:
        return "." if text.rfind(".") > text.rfind(",") else ","
    sign = "." if points else ","
    if not points and not commas:
        return "."
    if points + commas > 1:
        # More than one of them: they group thousands.
        return "," if sign == "." else "."
    return None if _GROUPED.fullmatch(text) and not text.lstrip("-").startswith("0") else sign


_DECIMALS: Final[Mapping[DecimalSign, Callable[[str], str | None]]] = {
    DecimalSign.AUTO: _decimal_of,
    DecimalSign.COMMA: lambda _: ",",
    DecimalSign.POINT: lambda _: ".",
}
