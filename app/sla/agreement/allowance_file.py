"""Allowances in an agreement file: the `[[allowances]]` tables read into rules.

A fault is recorded with its key and reading goes on with a default, so that all faults of a file are found at once.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.sla.agreement.agreement import Terms
from app.sla.agreement.allowance import COUNTABLE, AllowanceRule, PastAllowance
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.agreement.label import read_label
from app.sla.document.faults import instead_of
from app.sla.document.table import Table

EXAMPLE: Final = '[[allowances]] with id = "interventions"'
_LEVEL: Final = "level:"
_RIGHT: Final = 'Write limit = 5 or limit = "level:interventions".'


def read_allowance(table: Table, allowance_id: str, reader: AgreementReader) -> AllowanceRule:
    """One allowance, of the table of its id."""
    label, labels = read_label(table, allowance_id, reader.language)
    limit, name = _limit(table)
    rule = AllowanceRule(
        id=allowance_id,
        label=label,
        labels=labels,
        counts=_counts(table),
        limit=limit,
        limit_name=name,
        past=table.word("past_allowance", PastAllowance.FLAG),
    )
    table.close()
    return rule


def _counts(table: Table) -> str:
    counts = table.text("counts", example='"intervention.started"', required=True)
    if counts is not None and counts not in COUNTABLE:
        table.fault("counts", f'an allowance cannot count "{counts}"', instead_of(counts, COUNTABLE))
    return counts or ""


def _limit(table: Table) -> tuple[int | None, str | None]:
    """The number, or the name of the value that levels and contracts set."""
    given = table.value("limit")
    if isinstance(given, int):
        return table.whole("limit", None, least=0), None
    if isinstance(given, str) and given.startswith(_LEVEL) and (name := given.removeprefix(_LEVEL).strip()):
        return None, name
    table.fault("limit", "it is missing" if given is None else f"{given!r} is no limit", _RIGHT)
    return 0, None


def names_of_limits(rules: Iterable[AllowanceRule]) -> frozenset[str]:
    """The values that levels and contracts may set for these allowances."""
    return frozenset(rule.limit_name for rule in rules if rule.limit_name is not None)


def read_limits(table: Table, names: Iterable[str]) -> dict[str, int]:
    """The values of these names that the table of a level or a contract sets."""
    found = {name: table.whole(name, None, least=0) for name in sorted(names) if name in table.content}
    return {name: limit for name, limit in found.items() if limit is not None}


def check_limits(top: Table, rules: Iterable[AllowanceRule], levels: Mapping[str, Terms]) -> None:
    """A limit by level needs a level that sets it."""
    for rule in rules:
        name = rule.limit_name
        if name and not any(name in terms.limits for terms in levels.values()):
            wrong = f'no level sets "{name}"'
            right = f"Write {name} = 5 in a table [levels.…] of this file."
            top.fault(f"allowances.{rule.id}.limit", wrong, right)
