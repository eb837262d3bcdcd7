"""The list of breaches as a table, for a file to save."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from app.flow.query.breaches import Breach
from app.flow.query.serialize import instant_text
from app.sla.credit.line import Line, totals
from app.web.api.reports.table import Table

_COLUMNS: Final = (
    *("at", "detected_at", "retracted_at", "kind", "desk", "subject", "title", "customer", "contract"),
    *("assignee", "group", "commitment", "commitment_kind", "cycle", "state", "open", "cause"),
    *("acknowledged_by", "acknowledged_at", "note", "id"),
    *("credit_amount", "credit_currency", "credit_state"),
)


def breach_table(breaches: Sequence[Breach], costs: Mapping[str, Sequence[Line]]) -> Table:
    """One row for each breach. `cause`: why it was late, as the reports count it. `costs`: its credits, by its id."""
    rows = [_cells(each) | _cost(costs.get(each.id, ())) for each in breaches]
    return Table("breaches", _COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])


def _cost(lines: Sequence[Line]) -> dict[str, Any]:
    """The total of the credits that count. Amounts of several currencies are never added: then there is none."""
    found = totals(lines)
    return {
        "credit_amount": next(iter(found.values())) if len(found) == 1 else None,
        "credit_currency": ", ".join(found) or None,
        "credit_state": ", ".join(dict.fromkeys(line.state.value for line in lines)) or None,
    }


def _cells(breach: Breach) -> dict[str, Any]:
    recorded, seen = orjson.loads(breach.body), breach.acknowledgement
    return {
        **{name: breach.fields[name] for name in ("title", "customer", "contract", "assignee", "group")},
        **{name: recorded[name] for name in ("kind", "commitment_kind", "cycle")},
        "at": instant_text(breach.true_at),
        "detected_at": instant_text(breach.detected_at),
        "retracted_at": instant_text(breach.retracted_at),
        "desk": breach.desk,
        "subject": breach.subject.text,
        "commitment": breach.commitment,
        "state": breach.clock_state,
        "open": "yes" if breach.is_open else "no",
        "cause": breach.late_cause,
        "acknowledged_by": seen and seen.author,
        "acknowledged_at": seen and instant_text(seen.at),
        "note": seen and seen.note,
        "id": breach.id,
    }
