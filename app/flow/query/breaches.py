"""The list of breaches with what each costs, and its counts, of one snapshot. Instants are microseconds UTC."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.flow.query.contracts import some_contracts
from app.flow.query.credits import asked, lines_of
from app.principal import Desks
from app.sla.agreement.agreement import Agreement
from app.sla.credit.line import Line
from app.sla.span import Micros
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import breach_filters, breaches
from app.store.tickets.breach_filters import BreachCounts, BreachFilters
from app.store.tickets.breaches import Breach

__all__ = [
    "Breach",
    "BreachBoard",
    "BreachCounts",
    "BreachFilters",
    "all_breaches",
    "board",
    "costs_by_breach",
    "filter_choices",
]

LATEST: Final = 2_000
"""Breaches whose values are offered as filters: what was broken long ago is found by its text."""
CHOICES_MAX: Final = 200
"""Values offered for one filter: more cannot be chosen from a menu."""


@dataclass(frozen=True, slots=True)
class BreachBoard:
    """A page of the list, the latest first, the counts of the whole list, and the cursor of the next page."""

    breaches: Sequence[Breach]
    counts: BreachCounts
    next: str | None
    costs: Mapping[str, Sequence[Line]]
    """The credits that a breach has caused, by its id."""
    agreements: Mapping[str, Agreement]
    """In force now, by desk of the page."""


def board(
    conn: Connection,
    catalogue: Catalogue,
    filters: BreachFilters,
    cursor: str | None,
    limit: int,
    *,
    now: Micros,
) -> BreachBoard:
    """A page of breaches with their costs. Raises FaultyCursor."""
    found, following = breaches.breaches(conn, filters, cursor, limit)
    desks = sorted({each.desk for each in found})
    agreements = {desk: catalogue.in_force(conn, desk, at=now).agreement for desk in desks}
    costs = costs_by_breach(conn, catalogue, found, now)
    return BreachBoard(found, breach_filters.counts(conn, filters), following, costs, agreements)


def costs_by_breach(
    conn: Connection, catalogue: Catalogue, found: Iterable[Breach], now: Micros
) -> dict[str, Sequence[Line]]:
    """The credits of breaches of any desks that are valid, by their ids."""
    by_desk: dict[str, list[Breach]] = {}
    for each in found:
        by_desk.setdefault(each.desk, []).append(each)
    costs: dict[str, Sequence[Line]] = {}
    for desk, own in by_desk.items():
        costs |= costs_of(conn, catalogue, desk, own, now)
    return costs


def costs_of(
    conn: Connection, catalogue: Catalogue, desk: str, found: Iterable[Breach], now: Micros
) -> dict[str, Sequence[Line]]:
    """The credits of breaches of one desk that are valid, by their ids, from those of their tickets' contracts."""
    credits = catalogue.in_force(conn, desk, at=now).agreement.credits
    answered = {rule.answers for rule in credits if not rule.of_availability}
    caused = {
        each.id: each
        for each in found
        if each.retracted_at is None and each.fields["contract"] and each.commitment in answered
    }
    if not caused:
        return {}
    ids = {str(each.fields["contract"]) for each in caused.values()}
    contracts = some_contracts(conn, catalogue, desk, ids, at=now).values()
    question = asked(conn, catalogue, desk, now=now)
    by_ticket: dict[str, list[Line]] = {}
    for each in lines_of(question, contracts):
        for line in each.lines:
            for ticket in line.about.tickets:
                by_ticket.setdefault(ticket, []).append(line)
    costs = {
        name: [line for line in by_ticket.get(each.subject.ticket or "", ()) if is_for(line, each)]
        for name, each in caused.items()
    }
    return {name: own for name, own in costs.items() if own}


def breaches_of(conn: Connection, desk: str, ticket: str) -> list[Breach]:
    """The breaches of a ticket that are valid, the latest first."""
    return breaches.of_tickets(conn, desk, [ticket])


def is_for(line: Line, breach: Breach) -> bool:
    """Whether a credit is for this breach of a commitment."""
    about, cycle = line.about, line.key.cycle
    return (
        not about.of_availability
        and about.answers == breach.commitment
        and breach.subject.ticket in about.tickets
        and cycle in (None, breach.cycle)
    )


def all_breaches(conn: Connection, filters: BreachFilters, most: int) -> list[Breach] | None:
    """All breaches that match, the latest first; None if there are more than `most`."""
    found, following = breaches.breaches(conn, filters, None, most)
    return found if following is None else None


def filter_choices(conn: Connection, desks: Desks) -> dict[str, list[str]]:
    """The values to filter by that the latest breaches have, by parameter."""
    return breach_filters.choices(conn, desks, LATEST, CHOICES_MAX)
