"""Start facts in an agreement file: the key `starts_on` of a commitment.

Event types, statuses ("status:open") and fields ("field:requested_date" when its date comes, "field:assignee" when the
ticket is assigned). What a cycle cannot start on is a fault, with what to write instead.
"""

from typing import Final

from app.sla.agreement.agreement import CycleRule
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.event import KNOWN_TYPES
from app.sla.fields import ASSIGNED_FIELDS, DATE_FIELDS, FIELD_MARK, STATUS_MARK
from app.sla.ticket import STATUSES

_EXAMPLE: Final = '["ticket.created"]'
_ASSIGNMENTS: Final = frozenset(FIELD_MARK + name for name in ASSIGNED_FIELDS)
_DATES: Final = frozenset(FIELD_MARK + name for name in DATE_FIELDS)
STARTS: Final = KNOWN_TYPES | {STATUS_MARK + status for status in STATUSES} | _ASSIGNMENTS | _DATES
"""Everything that a commitment can start on."""

Groups = tuple[frozenset[str], ...]


def read_starts(table: Table, cycle: CycleRule) -> Groups:
    """All are needed; an inner list means the first of any."""
    if cycle is CycleRule.ASSIGNMENT:
        return _assignment(table)
    groups: list[frozenset[str]] = []
    for n, group in enumerate(table.values("starts_on", example=_EXAMPLE)):
        key = f"starts_on[{n}]"
        inner = Table({key: group}, table.place, table.faults)
        found = inner.texts(key, example=_EXAMPLE) if isinstance(group, list) else [(key, str(group))]
        for place, word in found:
            _check(table, place, word, cycle)
        groups.append(frozenset(word for _, word in found))
    if not any(groups):
        table.fault("starts_on", "nothing starts it", f"Write starts_on = {_EXAMPLE}.")
    return tuple(groups)


def _check(table: Table, place: str, word: str, cycle: CycleRule) -> None:
    if word not in STARTS:
        table.fault(place, f'there is no event type, status or date "{word}"', _nearest(word))
    elif word in _DATES and cycle is not CycleRule.ONCE:
        table.fault(place, f'a date starts no cycle "{cycle}"', 'Write cycle = "once", or another start.')
    elif word not in KNOWN_TYPES and cycle is CycleRule.NEXT_REPLY:
        wrong = f'"{word}" is no message of a customer, and only those open a next reply'
        table.fault(place, wrong, 'Write starts_on = ["customer.replied"], or cycle = "once".')


def _assignment(table: Table) -> Groups:
    """Which field assigns; the assignee unless the file says otherwise."""
    found = table.texts("starts_on", example='["field:group"]')
    if len(found) > 1 or any(word not in _ASSIGNMENTS for _, word in found):
        wrong = "a cycle of assignments opens with the change of one field"
        right = 'Write starts_on = ["field:assignee"] or ["field:group"], or leave it out: then it is the assignee.'
        table.fault("starts_on", wrong, right)
        found = []
    return (frozenset(word for _, word in found) or frozenset({FIELD_MARK + ASSIGNED_FIELDS[0]}),)


def _nearest(word: str) -> str:
    """The nearest known word; for `solved` it is `status:solved`, for a field the field with its mark."""
    for marked in (STATUS_MARK + word, FIELD_MARK + word):
        if marked in STARTS:
            return f'Write "{marked}".'
    return instead_of(word, STARTS)
