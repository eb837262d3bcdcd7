"""Queries of allowances: what of a month is used and left, and which tickets are past theirs.

As stored for what is known now, derived from the log for what was known earlier. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from app.flow.query.averages import When
from app.flow.query.measured_calls import months_of
from app.flow.query.merge_graph import gather
from app.flow.query.serialize import Json, instant_text
from app.sla.agreement.allowance import AllowanceRule
from app.sla.agreement.version import Version, known_versions, version_of_period
from app.sla.allowance import Exceeded, Use, in_turn, rule_of, uses_of
from app.sla.budget import charge
from app.sla.contract_finder import ContractFinder
from app.sla.event import Event, in_order
from app.sla.fields import casefolded
from app.sla.period import Period
from app.sla.span import Micros
from app.sla.ticket import Ticket
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.tickets import allowances, ledger
from app.store.tickets.allowances import StoredUse
from app.store.tickets.averages import projected_by


@dataclass(frozen=True, slots=True)
class Allowance:
    """An allowance of one contract or customer in a month, with the tickets that use it up, in turn."""

    rule: AllowanceRule
    period: Period
    uses: Sequence[Use]

    @property
    def limit(self) -> int | None:
        """The limit that counts for the latest ticket: a level may change within a month."""
        return self.uses[-1].limit

    @property
    def left(self) -> int | None:
        """How many more are included."""
        return None if self.limit is None else max(0, self.limit - len(self.uses))


def has_allowances(versions: Iterable[Version]) -> bool:
    """Whether any version of a desk's agreement has an allowance."""
    return any(version.agreement.allowances for version in versions)


def used(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    when: When,
    ids: Iterable[str] | None = None,
    contract: str | None = None,
) -> list[Allowance]:
    """The allowances of a month of which any is used. Raises UnknownDesk and PeriodFault.

    `ids`: those of these ids; `contract`: those of this contract.
    """
    versions = known_versions(catalogue.versions(conn, desk, at=when.at), when.as_of)
    period = when.month(months_of(versions))
    rules = version_of_period(versions, period, when.at).agreement.allowances
    wanted = None if ids is None else set(ids)
    found: list[Allowance] = []
    for rule in rules:
        if wanted is not None and rule.id not in wanted:
            continue
        uses = [use for use in _uses(conn, desk, versions, rule, period, when) if use.at <= when.at]
        if contract is not None:
            uses = [use for use in uses if casefolded(use.contract) == casefolded(contract)]
        by_holder = groupby(sorted(uses, key=_holder), key=_holder)
        found += [Allowance(rule, period, in_turn(mine)) for _, mine in by_holder]
    return found


def _holder(use: Use) -> str:
    return use.holder


def _uses(
    conn: Connection, desk: str, versions: Sequence[Version], rule: AllowanceRule, period: Period, when: When
) -> list[Use]:
    if when.as_of is None and projected_by(conn, desk, rule.id, period.start) is not None:
        return allowances.of_month(conn, desk, rule.id, period.start)
    return uses_from_log(conn, desk, versions, rule, period, when.at, when.as_of)


def uses_from_log(
    conn: Connection,
    desk: str,
    versions: Sequence[Version],
    rule: AllowanceRule,
    period: Period,
    at: Micros,
    as_of: Micros | None = None,
) -> list[Use]:
    """The uses of a month up to `at`, by the events received by `as_of`."""
    tickets = {
        ticket for _, ticket in ledger.counted(conn, desk, rule.counts, period.span) if ticket is not None
    }
    months, found = months_of(versions), list[Use]()
    graph = gather(conn, desk, sorted(tickets), as_of=as_of)
    finder = graph.contract_finder(versions[-1].agreement)
    for name in sorted(tickets):
        charge()
        log = graph.whole_log(name, at)
        uses = uses_of(name, log, _after(log, at, finder), versions, months, at)
        found += [use for use in uses if (use.allowance, use.period) == (rule.id, period.start)]
    return found


def _after(log: Iterable[Event], at: Micros, finder: ContractFinder | None) -> Ticket:
    """A ticket after its events up to an instant."""
    ticket = Ticket(finder=finder)
    for event in in_order(log):
        if event.at <= at:
            ticket.apply(event)
    return ticket


def exceeded_as_stored(
    stored: Iterable[StoredUse], versions: Sequence[Version], at: Micros
) -> list[Exceeded]:
    """The allowances that a ticket is past at an instant, of its stored uses."""
    months = months_of(versions)
    found = (
        rule_of(each.use, versions, months, at) for each in stored if each.exceeded and each.use.at <= at
    )
    return [each for each in found if each is not None]


def exceeded_from_log(
    conn: Connection,
    desk: str,
    versions: Sequence[Version],
    uses: Iterable[Use],
    at: Micros,
    as_of: Micros,
) -> list[Exceeded]:
    """The allowances that a ticket with these uses was past, by the events received by `as_of`."""
    months, found = months_of(versions), list[Exceeded]()
    for use in uses:
        mine = rule_of(use, versions, months, at)
        if mine is None or use.limit is None:
            continue
        all_uses = uses_from_log(conn, desk, versions, mine.rule, mine.period, at, as_of)
        turn = in_turn(each for each in all_uses if each.holder == use.holder)
        if use in turn and use.is_past(turn.index(use) + 1):
            found.append(mine)
    return found


def use_figures(exceeded: Exceeded | None) -> dict[str, Any]:
    """What the signal of an exceeded allowance has besides."""
    if exceeded is None:
        return {}
    return {
        "label": exceeded.rule.label,
        "period": exceeded.period.name,
        "contract": exceeded.use.contract,
        "customer": exceeded.use.customer,
        "limit": exceeded.use.limit,
        "cause": exceeded.use.event,
    }


def allowance(desk: str, found: Allowance) -> Json:
    """An allowance of a month as JSON."""
    latest = found.uses[-1]
    return {
        "desk": desk,
        "id": found.rule.id,
        "label": found.rule.label,
        "counts": found.rule.counts,
        "past_allowance": found.rule.past.value,
        "period": found.period.name,
        "contract": latest.contract,
        "customer": latest.customer,
        "limit": found.limit,
        "used": len(found.uses),
        "left": found.left,
        "tickets": [use.ticket for use in found.uses],
        "uses": [
            {
                "ticket": use.ticket,
                "event": use.event,
                "at": instant_text(use.at),
                "exceeded": use.is_past(position),
            }
            for position, use in enumerate(found.uses, start=1)
        ],
    }
