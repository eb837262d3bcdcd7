"""What `slatimer replay --inspect` prints: the mapping on standard output, everything else on standard error."""

from typing import Any

from rich.table import Table

from app.cli.terminal import counted, progress_screen, remark, result, result_json
from app.flow.importing.inspection import Inspected
from app.flow.query import serialize
from app.flow.query.serialize import instant_text


def show_inspected(found: Inspected, *, as_json: bool) -> None:
    """Print how a log is read, and how its first tickets would stand."""
    if as_json:
        result_json(_json(found))
        return
    packed = ", compressed by gzip" if found.compressed else ""
    remark(f"{found.layout}{packed}{', newest first' if found.backwards else ''}")
    remark(f"{counted(found.rows, 'row')}, {found.refused} refused. Nothing was written.")
    columns = Table("column", "read as", "a value", box=None, pad_edge=False)
    by_column = {column: name for name, column in found.read_as.items()}
    for column, value in found.columns.items():
        columns.add_row(column, by_column.get(column, "-"), value)
    progress_screen().print(columns)
    for text in found.remarks:
        remark(text)
    for refused in found.refusals:
        remark(f"refused: {refused}")
    if found.tickets:
        progress_screen().print(_tickets(found))
    if found.mapping is not None:
        result(found.mapping.rstrip("\n"))


def _tickets(found: Inspected) -> Table:
    table = Table("ticket", "status", "commitment", "state", "due", "breached", box=None, pad_edge=False)
    for answer in found.tickets:
        status = answer.evaluation.ticket.status
        for clock in answer.evaluation.clocks:
            dates = (instant_text(clock.due_at) or "-", instant_text(clock.breached_at) or "-")
            table.add_row(answer.ticket, status, clock.commitment, clock.state.value, *dates)
        if not answer.evaluation.clocks:
            table.add_row(answer.ticket, status, "-", "-", "-", "-")
    return table


def _json(found: Inspected) -> dict[str, Any]:
    return {
        "layout": found.layout,
        "compressed": found.compressed,
        "newest_first": found.backwards,
        "columns": found.columns,
        "read_as": found.read_as,
        "time_format": found.time_format,
        "time_zone": found.time_zone,
        "rows": found.rows,
        "refused": found.refused,
        "refusals": [str(refused) for refused in found.refusals],
        "remarks": found.remarks,
        "mapping": found.mapping,
        "tickets": [serialize.ticket(answer) for answer in found.tickets],
    }
