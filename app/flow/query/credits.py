"""Queries of credits: the lines of contracts, those that were withdrawn, and statements.

Everything is derived from the log. Only what was owed once and is no longer derived comes from the recorded signals: a
person decides about it. `at` selects the state at an instant, `as_of` what was known at one; with both the earlier
counts. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import orjson

from app.flow.query.contracts import CustomerContract
from app.flow.query.credit_causes import Asked, Uptimes
from app.flow.query.credit_documents import withdrawn_from
from app.flow.query.credit_facts import claims, missed, subjects_of
from app.flow.query.serialize import instant_text
from app.sla.agreement.version import known_versions
from app.sla.budget import charge
from app.sla.credit.changes import RecordedChange
from app.sla.credit.claim import CreditState
from app.sla.credit.line import Line
from app.sla.credit.lines import ContractCredits
from app.sla.span import Micros
from app.store.contracts import credits
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.credits import RecordedCredit
from app.store.engine.database import Connection

AMOUNT = "amount"

_KEPT: Final = frozenset({CreditState.OWED, CreditState.GRANTED})
"""A line that was in one of these states stays as withdrawn when its cause is retracted; another one vanishes."""


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line as its latest signal carries it. `document` is the line's JSON, as it was then."""

    change: RecordedChange
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ContractLines:
    """The credits of one contract. `recorded` has the signals, in the order of recording."""

    contract: CustomerContract
    lines: list[Line]
    recorded: list[RecordedLine]
    ends_at: Micros | None = None
    """The instant asked, if it is the latest one: what is gone and not recorded as withdrawn is withdrawn then."""

    @property
    def withdrawn(self) -> list[RecordedLine]:
        """What was owed or granted and is no longer derived, each by its latest signal before the withdrawal."""
        derived = {line.id for line in self.lines}
        gone: dict[str, list[RecordedLine]] = {}
        for each in self.recorded:
            if each.change.line not in derived:
                gone.setdefault(each.change.line, []).append(each)
        found = (self._withdrawn(signals) for signals in gone.values())
        return [each for each in found if each is not None]

    def _withdrawn(self, signals: Sequence[RecordedLine]) -> RecordedLine | None:
        """A line that is gone. None: it was never owed, or it is not withdrawn by the instant asked."""
        last = signals[-1].change
        at = last.at if last.kind == CreditState.WITHDRAWN else self.ends_at
        before = [each for each in signals if each.change.kind != CreditState.WITHDRAWN]
        if at is None or not any(each.change.kind in _KEPT for each in before):
            return None
        return RecordedLine(before[-1].change, withdrawn_from(before[-1].document, at))


def asked(
    conn: Connection,
    catalogue: Catalogue,
    desk: str,
    *,
    now: Micros,
    at: Micros | None = None,
    as_of: Micros | None = None,
) -> Asked:
    """A question about a desk's credits. Raises UnknownDesk."""
    instant = now if at is None else at
    instant = instant if as_of is None else min(instant, as_of)
    versions = known_versions(catalogue.versions(conn, desk, at=instant), as_of)
    return Asked(conn, catalogue, desk, versions, now, instant, as_of)


def lines_of(question: Asked, contracts: Iterable[CustomerContract]) -> list[ContractLines]:
    """The credits of these contracts, in their order."""
    listed = list(contracts)
    if not any(version.agreement.credits for version in question.versions):
        return [ContractLines(each, [], []) for each in listed]
    by_key = {each.key: each for each in listed}
    uptimes, misses, facts = (
        Uptimes.read(question),
        missed(question, by_key),
        claims(question, by_key),
    )
    recorded = _recorded(question, listed)
    ends_at = question.at if question.is_latest else None
    found: list[ContractLines] = []
    for each in listed:
        charge()
        caused = [*uptimes.of(each), *misses.get(each.key, ())]
        derived = ContractCredits(question.desk, each.id, each.terms, facts[each.key])
        found.append(ContractLines(each, derived.lines(caused, question.at), recorded[each.key], ends_at))
    return found


def _recorded(question: Asked, contracts: Iterable[CustomerContract]) -> dict[str, list[RecordedLine]]:
    """The recorded signals of each contract's lines."""
    keys = {subject.id: each.key for each in contracts for subject in subjects_of(each)}
    subjects = [subject for each in contracts for subject in subjects_of(each)]
    found: dict[str, list[RecordedLine]] = {key: [] for key in keys.values()}
    given = {} if question.as_of is None else {"as_of": question.as_of}
    for row in credits.recorded_credits(question.conn, question.desk, subjects, **given):
        if row.at > question.at:
            continue
        body = orjson.loads(row.body)
        fact = _fact(row, body["credit"])
        change = RecordedChange(row.id, row.line, row.kind, row.at, row.generation, _amount(body), fact)
        found[keys[str(body["contract"])]].append(RecordedLine(change, body["credit"]))
    return found


def _amount(body: Mapping[str, Any]) -> Decimal | None:
    written = body["new_amount"]
    return None if written is None else Decimal(written)


def _fact(row: RecordedCredit, document: Mapping[str, Any]) -> str | None:
    """The event that made the transition of a signal, whose document has all transitions known then."""
    at = instant_text(row.at)
    made = [
        each["event"] for each in document["transitions"] if each["state"] == row.kind and each["at"] == at
    ]
    return made[min(row.generation, len(made) - 1)] if made else None
