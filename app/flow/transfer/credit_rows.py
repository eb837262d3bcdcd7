"""The credits of a desk as rows of an export: derived from the events, so an import leaves them out."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from app.flow.query.statements import CreditFilters, credit_page
from app.flow.transfer.values import Column
from app.intake.instant import read_instant
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.transfer.kinds import FieldType

NAME: Final = "credits"

_TYPES: Final = {
    FieldType.TEXT: "id contract customer credit label availability commitment service period ticket cause base "
    "share currency state owed as",
    FieldType.DECIMAL: "base_amount amount_before_cap amount",
    FieldType.INSTANT: "cycle caused_at arises_at claim_by next_at",
    FieldType.JSON: "transitions facts explanation",
}
COLUMNS: Final = tuple(Column(name, type_) for type_, names in _TYPES.items() for name in names.split())


def credit_rows(
    conn: Connection, catalogue: Catalogue, desk: str, now: Micros, limit: int
) -> Iterator[Mapping[str, Any]]:
    """The credits of all contracts as of `now`, those of `limit` contracts at a time."""
    after: str | None = ""
    while after is not None:
        page = credit_page(conn, catalogue, desk, CreditFilters(), now=now, after=after, limit=limit)
        for document in page.documents:
            yield {name: _stored(type_, document[name]) for name, type_, _ in COLUMNS}
        after = page.next


def _stored(type_: FieldType, value: Any) -> Any:
    if value is None:
        return None
    if type_ is FieldType.INSTANT:
        return read_instant(value)
    return orjson.dumps(value).decode() if type_ is FieldType.JSON else value
