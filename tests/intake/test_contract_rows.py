"""Rows of exports of billing systems, as documents of contracts."""

from typing import Any

import pytest

from app.intake.importing.contract_mapping import by_key_names, parse_contract_mapping
from app.intake.importing.contract_row import ContractRowReader, FaultyRow
from app.intake.importing.mapping import FaultyMapping
from app.intake.importing.rows import Row

COLUMNS = [
    "id",
    "customer",
    "fee_amount",
    "fee_per",
    "term_months",
    "valid_from",
    "last_day",
    "services",
    "targets.gti",
]
MAPPING: dict[str, Any] = {
    "columns": {
        "id": "Nr",
        "level": {"column": "Tarif", "values": {"Gold Plus": "gold"}},
        "fee": {"amount": "Preis"},
        "valid_from": "Beginn",
        "decimal": ",",
        "time_format": "month_first",
    },
    "defaults": {"currency": "EUR", "fee": {"per": "month"}},
}


def document(cells: dict[str, object], mapping: dict[str, Any] | None = None) -> dict[str, Any]:
    mapped = by_key_names(COLUMNS) if mapping is None else parse_contract_mapping(mapping)
    row = Row(2, 1, cells)
    return ContractRowReader(mapped, [row], "Europe/Paris").document(row)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("49,90", "49.90"),
        ("49.90", "49.90"),
        ("1.200,50", "1200.50"),
        ("1,200.50", "1200.50"),
        ("1.200.000", "1200000"),
        ("1,200,000", "1200000"),
        ("1 200,50 €", "1200.50"),
        ("1\u202f200,50", "1200.50"),
        ("1'200.50", "1200.50"),
        ("€49.90", "49.90"),
        ("VND 1200000", "1200000"),
        ("0.500", "0.500"),
        ("49.9000", "49.9000"),
        ("-5,00", "-5.00"),
    ],
)
def test_an_amount_is_read_as_billing_systems_write_it(written: str, amount: str) -> None:
    assert document({"fee_amount": written})["fee"]["amount"] == amount


def test_an_amount_that_may_be_thousands_is_refused_with_the_key_that_states_it() -> None:
    with pytest.raises(FaultyRow) as refused:
        document({"fee_amount": "1.200"})
    (fault,) = refused.value.faults
    assert fault.place == "fee.amount (column 'fee_amount')"
    assert "decimal" in fault.right


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31 00:00:00", "2026-01-31"),
        ("31.01.2026", "2026-01-31"),
        ("31/01/2026", "2026-01-31"),
        ("01/31/2026", "2026-01-31"),
        ("31 Jan 2026", "2026-01-31"),
    ],
)
def test_a_date_is_read_in_its_local_order(written: str, read: str) -> None:
    assert document({"valid_from": written})["valid_from"] == read


@pytest.mark.parametrize("written", ["02/03/2026", "2026-02-30", "soon"])
def test_a_date_that_is_not_certain_or_does_not_exist_is_refused(written: str) -> None:
    with pytest.raises(FaultyRow):
        document({"valid_from": written})


def test_the_last_day_is_the_day_before_the_end() -> None:
    assert document({"last_day": "31.12.2026"})["valid_to"] == "2027-01-01"


@pytest.mark.parametrize("written", ["", "0000-00-00"])
def test_no_date_is_none(written: str) -> None:
    assert "valid_to" not in document({"last_day": written})


@pytest.mark.parametrize(
    ("cycle", "fee"),
    [
        ("Monthly", {"per": "month"}),
        ("Annually", {"per": "year"}),
        ("Quarterly", {"per": "term", "term_months": 3}),
        ("month", {"per": "month"}),
    ],
)
def test_a_billing_cycle_is_what_the_fee_is_for(cycle: str, fee: dict[str, Any]) -> None:
    assert document({"fee_amount": "5", "fee_per": cycle})["fee"] == {"amount": "5"} | fee


def test_lists_and_targets_have_cells_of_their_own() -> None:
    read = document({"services": "Web; Mail", "targets.gti": "4h"})
    assert (read["services"], read["targets"]) == (["Web", "Mail"], {"gti": "4h"})


def test_a_mapping_names_columns_values_and_what_all_rows_have() -> None:
    read = document({"Nr": "7", "Tarif": "Gold Plus", "Preis": "1.200", "Beginn": "02/03/2026"}, MAPPING)
    assert read == {
        "id": "7",
        "level": "gold",
        "fee": {"amount": "1.200".replace(".", ""), "per": "month"},
        "currency": "EUR",
        "valid_from": "2026-02-03",
    }
    assert "fee" not in document({"Nr": "7"}, MAPPING)


def test_a_faulty_mapping_is_refused_with_every_fault() -> None:
    with pytest.raises(FaultyMapping) as refused:
        parse_contract_mapping({"columns": {"levl": "x", "decimal": ";"}, "file": {"format": "pdf"}})
    assert {fault.place for fault in refused.value.faults} == {
        "columns.id",
        "columns.levl",
        "columns.decimal",
        "file.format",
    }
