"""What an agreement file measures by the month beside tickets' clocks: averages, allowances and charges.

Their ids are those of one namespace with the commitments': a signal or a credit names one of them by its id alone.
"""

from collections.abc import Iterator
from typing import Final

from app.sla.agreement import allowance_file, average_file, charge_file
from app.sla.agreement.allowance import AllowanceRule
from app.sla.agreement.average import AverageRule
from app.sla.agreement.charge import ChargeRule
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.document.table import Table

_UNFIT: Final = frozenset(" \t\n/.[]")


def read_averages(top: Table, reader: AgreementReader, taken: set[str]) -> tuple[AverageRule, ...]:
    """The `[[averages]]` tables. `taken` are the ids so far; those of the tables are added."""
    tables = _tables(top, "averages", average_file.EXAMPLE, taken)
    return tuple(average_file.read_average(table, name, reader) for table, name in tables)


def read_allowances(top: Table, reader: AgreementReader, taken: set[str]) -> tuple[AllowanceRule, ...]:
    """The `[[allowances]]` tables. `taken` as in `read_averages`."""
    tables = _tables(top, "allowances", allowance_file.EXAMPLE, taken)
    return tuple(allowance_file.read_allowance(table, name, reader) for table, name in tables)


def read_charges(
    top: Table, reader: AgreementReader, taken: set[str], currency: str | None
) -> tuple[ChargeRule, ...]:
    """The `[[charges]]` tables. `taken` as in `read_averages`; `currency` is the agreement's."""
    tables = _tables(top, "charges", charge_file.EXAMPLE, taken)
    return tuple(charge_file.read_charge(table, name, reader, currency) for table, name in tables)


def _tables(top: Table, key: str, example: str, taken: set[str]) -> Iterator[tuple[Table, str]]:
    """Each table of a list with its id."""
    for table in top.tables(key, example=example):
        found = table.text("id", example=f'"{example.split(chr(34))[1]}"', required=True) or ""
        if _UNFIT & set(found):
            table.fault("id", f"{found!r} has a space, a slash, a dot or a bracket", f"Write {example}.")
        elif found in taken:
            table.fault("id", f'"{found}" is taken', "Give it an id that nothing else in the file has.")
        elif found:
            table.place = f"{key}.{found}"
        taken.add(found)
        yield table, found
