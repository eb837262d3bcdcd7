"""Mapping of an export of contracts: which column holds which key, and how its cells are written.

Without a mapping the columns are named as the keys of a contract, with `fee_amount`, `fee_per`, `term_months` and
`targets.NAME` for what lies in tables. A mapping also states what a file leaves open: its encoding and delimiter,
whether the day or the month comes first, whether a comma is a decimal sign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

from app.intake.importing.layout import Stated
from app.intake.importing.mapping import FaultyMapping, FieldColumn, stated_of
from app.intake.importing.times import TimeFormat
from app.sla.document.table import Table

TEXT_KEYS: Final = ("id", "customer", "plan", "level", "currency", "calendar")
LIST_KEYS: Final = ("services", "resources")
DATE_KEYS: Final = ("valid_from", "valid_to", "last_day")
"""`last_day` is the last date on which the contract is valid, as most billing systems state it: the day before
`valid_to`."""
NUMBER_KEYS: Final = ("billing_day",)
FEE_KEYS: Final = ("amount", "per", "term_months")
_KEYS: Final = (*TEXT_KEYS, *LIST_KEYS, *DATE_KEYS, *NUMBER_KEYS)
_SYNONYMS: Final = {
    "fee.amount": ("fee.amount", "fee_amount", "amount", "fee"),
    "fee.per": ("fee.per", "fee_per", "per", "billing_cycle"),
    "fee.term_months": ("fee.term_months", "fee_term_months", "term_months"),
}
_TARGETS: Final = "targets."


class DecimalSign(StrEnum):
    """Which character separates the decimals of an amount."""

    AUTO = "auto"
    COMMA = ","
    POINT = "."


@dataclass(frozen=True, slots=True)
class ContractMapped:
    """How the rows of an export are read: the column of each key, as in `fee.amount`, and what all rows have."""

    columns: Mapping[str, FieldColumn]
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    stated: Stated = field(default_factory=Stated)
    time_format: TimeFormat = TimeFormat.AUTO
    decimal: DecimalSign = DecimalSign.AUTO
    list_separator: str | None = None
    """None: a comma, a semicolon, a bar or a line break."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that the file must have."""
        return tuple(dict.fromkeys(each.column for each in self.columns.values()))


def by_key_names(columns: Sequence[str]) -> ContractMapped:
    """The mapping of a file without one: its columns are named as the keys are."""
    found = {key: FieldColumn(key) for key in _KEYS if key in columns}
    for key, names in _SYNONYMS.items():
        if name := next((each for each in names if each in columns), None):
            found[key] = FieldColumn(name)
    found |= {name: FieldColumn(name) for name in columns if name.startswith(_TARGETS) and name != _TARGETS}
    return ContractMapped(found)


def unread(mapped: ContractMapped, columns: Sequence[str]) -> list[str]:
    """The columns of a file that a mapping does not read."""
    return [name for name in columns if name and name not in mapped.names]


def parse_contract_mapping(document: Mapping[str, Any]) -> ContractMapped:
    """A mapping from its file's document. Raises FaultyMapping with every fault."""
    top = Table(document, "", [])
    columns, file = top.table("columns", example="[columns]"), top.table("file", example="[file]")
    defaults = top.table("defaults", example='[defaults] with currency = "EUR"')
    found = _columns(columns, _KEYS, "")
    found |= _columns(columns.table("fee", example='fee = { amount = "Price" }'), FEE_KEYS, "fee.")
    targets = columns.table("targets", example='targets = { response = "Response time" }')
    found |= _columns(targets, tuple(targets.content), _TARGETS)
    mapped = ContractMapped(
        columns=found,
        defaults=defaults.content,
        stated=stated_of(file),
        time_format=columns.word("time_format", TimeFormat.AUTO),
        decimal=columns.word("decimal", DecimalSign.AUTO),
        list_separator=columns.text("list_separator", example='"|"'),
    )
    if "id" not in found:
        columns.fault("id", "it is missing", 'Write id = "Contract", the column with the contract\'s id.')
    for table in (top, columns, file):
        table.close()
    if top.faults:
        raise FaultyMapping(top.faults)
    return mapped


def _columns(table: Table, keys: Sequence[str], above: str) -> dict[str, FieldColumn]:
    found = {key: _column(table, key) for key in keys if table.value(key) is not None}
    if above:
        table.close()
    return {above + key: column for key, column in found.items() if column is not None}


def _column(table: Table, key: str) -> FieldColumn | None:
    """A column, or a table of its column and the words of its values."""
    given = table.value(key)
    if not isinstance(given, Mapping):
        name = table.text(key, example='"Column"')
        return None if name is None else FieldColumn(name)
    inner = table.inner_of(key, cast("Mapping[str, object]", given))
    column = inner.text("column", example='"Level"', required=True)
    values = inner.table("values", example='values = { "Or" = "gold" }')
    words = {value: values.text(value, example='"gold"') or "" for value in values.content}
    inner.close()
    return FieldColumn(column, words) if column else None
