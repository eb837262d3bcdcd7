"""Parser of the `read` table of a desk's file: the JMESPath expressions that read a system without an adapter.

`[sources.NAME.read]` holds JMESPath expressions, `types` maps the system's words to events. Everything is compiled and
checked here; all faults are reported at once, each with the path of its key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.expressions.query import NoExpression, Query
from app.intake.mapping.rule import STATUS_PREFIX
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.event import EventType
from app.sla.fields import TICKET_FIELDS
from app.sla.ticket import STATUSES

REPLY: Final = "reply"
"""Value in `types`: a reply of the customer or of the desk, depending on the actor."""

IGNORE: Final = "ignore"
"""Value in `types`: the type is known and makes no event."""

ANYTHING_ELSE: Final = "*"

ACTORS: Final = ("customer", "agent", "system")

_SINGLE: Final = (
    "ticket",
    "time",
    "created",
    "type",
    "id",
    "sequence",
    "status",
    "actor",
    "automatic",
    "text",
    "reference",
    "each",
    "delivery_id",
    "challenge",
)
"""Keys of single expressions, each with one result."""

_DATA: Final = ("into", "service", "resource", "cause", "claim", "accepted", "ticket")
"""Further data of an event, beside fields and messages."""

_NOT_HERE: Final = frozenset(
    {
        EventType.EVENT_WITHDRAWN,
        EventType.EXCLUSION_GRANTED,
        EventType.CREDIT_REQUESTED,
        EventType.CREDIT_GRANTED,
        EventType.CREDIT_REFUSED,
    }
)
"""Events that need a person's name and a reason; a ticket system cannot report them."""

_TYPE_VALUES: Final = frozenset(
    {
        *(kind for kind in EventType if kind not in _NOT_HERE),
        *(STATUS_PREFIX + status for status in STATUSES),
        REPLY,
        IGNORE,
    }
)
"""The values that `types` may map a system's type to."""


@dataclass(frozen=True, slots=True, eq=False)
class Expressions:
    """How a body is read. `single` holds the expressions by their keys; keys of `types` and `actors` are in lower case.

    `snapshot` is true or false for all requests, or an expression that is true for those that show the whole ticket.
    """

    single: Mapping[str, Query]
    fields: Mapping[str, Query]
    data: Mapping[str, Query]
    types: Mapping[str, tuple[str, ...]]
    actors: Mapping[str, str]
    snapshot: Query | bool
    headers: tuple[str, ...]


def read_expressions(source: Table) -> Expressions:
    """The `read` table of a source. Faults gather in the table's list."""
    # Without a scheme every request would be refused: only the file knows how this system signs.
    source.text("scheme", example='"hub-sha256"', required=True)
    read = source.table("read", example=f"[{source.at('read')}]")
    single = _queries(read, _SINGLE)
    for key in ("ticket",):
        if key not in read.content:
            read.fault(key, "it is missing", f'Write {key} = "an expression that finds it".')
    expressions = Expressions(
        single=single,
        fields=_table_of_queries(read, "fields", TICKET_FIELDS, 'title = "ticket.subject"'),
        data=_table_of_queries(read, "data", _DATA, 'into = "merged_into.id"'),
        types=_types(read),
        actors=_actors(read),
        snapshot=_snapshot(read),
        headers=_headers(read),
    )
    if not read.content.get("type") and expressions.snapshot is False:
        read.fault("type", "it is missing", 'Write type = "event", or snapshot = true.')
    if expressions.types and "type" not in read.content:
        read.fault("types", "there is no type that they could be of", 'Write type = "event" beside them.')
    read.close()
    return expressions


def _queries(table: Table, keys: Iterable[str]) -> dict[str, Query]:
    found = ((key, _query(table, key)) for key in keys)
    return {key: query for key, query in found if query is not None}


def _query(table: Table, key: str) -> Query | None:
    text = table.text(key, example='"ticket.id"')
    if text is None:
        return None
    try:
        return Query.of(table.at(key), text)
    except NoExpression as error:
        table.fault(
            key, f"{text!r} is no JMESPath expression: {error}", f'Write it like {key} = "ticket.id".'
        )
        return None


def _table_of_queries(read: Table, key: str, known: tuple[str, ...], example: str) -> dict[str, Query]:
    inner = read.table(key, example=f"[{read.at(key)}] and in it {example}")
    found = _queries(inner, known)
    inner.close()
    return found


def _types(read: Table) -> dict[str, tuple[str, ...]]:
    inner = read.table("types", example=f'[{read.at("types")}] and in it "solved" = "status:solved"')
    return {theirs.casefold(): _facts(inner, theirs) for theirs in inner.content}


def _facts(inner: Table, theirs: str) -> tuple[str, ...]:
    value = inner.value(theirs)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not value:
        inner.fault(theirs, "it is no fact", 'Write the type of an event, or a list: "service.restored".')
        return ()
    facts = [str(one) for one in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    for fact in facts:
        if fact not in _TYPE_VALUES:
            inner.fault(theirs, f"{fact!r} is no fact", instead_of(fact, _TYPE_VALUES))
    return tuple(facts)


def _actors(read: Table) -> dict[str, str]:
    inner = read.table("actors", example=f'[{read.at("actors")}] and in it "end-user" = "customer"')
    found: dict[str, str] = {}
    for theirs in inner.content:
        ours = inner.text(theirs, example='"customer"')
        if ours is not None and ours not in ACTORS:
            inner.fault(theirs, f"{ours!r} is no actor", instead_of(ours, ACTORS))
        elif ours is not None:
            found[theirs.casefold()] = ours
    return found


def _snapshot(read: Table) -> Query | bool:
    value = read.value("snapshot")
    if value is None or isinstance(value, bool):
        return bool(value)
    return _query(read, "snapshot") or False


def _headers(read: Table) -> tuple[str, ...]:
    return tuple(name.lower() for _, name in read.texts("headers", example='["x-event"]'))
