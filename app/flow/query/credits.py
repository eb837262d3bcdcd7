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
from app.flow.query.credit_documents import withdrawn_document
from app.flow.query.credit_facts import claims, missed, subjects_of
from app.flow.query.serialize import Json, instant_text
from app.sla.agreement.version import known_versions
from app.sla.budget import charge
from app.sla.credit.changes import RecordedChange
from app.sla.credit.claim import CreditState
from app.sla.credit.line import Line
from app.sla.credit.lines import ContractCredits
from app.sla.credit.statement import Confirmed
from app.sla.credit.withdrawal import Withdrawal
from app.sla.event import Event
from app.sla.span import Micros
from app.store.contracts import credits
from app.store.contracts.catalogue import Catalogue
from app.store.contracts.credits import RecordedCredit
from app.store.engine.database import Connection

_KEPT: Final = frozenset({CreditState.OWED, CreditState.GRANTED})
"""A line that was in one of these states stays as withdrawn when its cause is retracted; another one vanishes."""


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line as one of its signals carries it. `document` is the line's JSON, as it was then."""

    change: RecordedChange
    document: Mapping[str, Any]
    detected_at: Micros
    """When the signal was recorded."""


@dataclass(frozen=True, slots=True)
class WithdrawnLine:
    """A credit that was owed or granted and is no longer derived, as it was recorded last, and what became of it."""

    last: RecordedLine
    withdrawal: Withdrawal

    @property
    def document(self) -> Json:
        """The line's JSON."""
        return withdrawn_document(self.last.document, self.withdrawal)

    @property
    def confirmed(self) -> Confirmed | None:
        """Its amount, if a person let it stand and the amount is known."""
        amount, currency = self.last.change.amount, self.last.document["currency"]
        if not self.withdrawal.is_confirmed or amount is None or currency is None:
            return None
        return Confirmed(amount, currency)


@dataclass(frozen=True, slots=True)
class ContractLines:
    """The credits of one contract. `recorded` has the signals, in the order of recording."""

    contract: CustomerContract
    lines: list[Line]
    recorded: list[RecordedLine]
    facts: Sequence[Event] = ()
    """About its claims and credits."""
    by: Micros = 0
    """The instant asked."""
    is_latest: bool = False
    """Whether that is the latest one: what is gone and not recorded as withdrawn is withdrawn then."""

    @property
    def documents(self) -> dict[str, Mapping[str, Any]]:
        """Each recorded line as it was derived last."""
        return {each.change.line: each.document for each in self.recorded if not each.change.withdrawn}

    @property
    def withdrawn(self) -> dict[str, WithdrawnLine]:
        """What was owed or granted and is no longer derived, by the line's id."""
        derived = {line.id for line in self.lines}
        gone: dict[str, list[RecordedLine]] = {}
        for each in self.recorded:
            if each.change.line not in derived:
                gone.setdefault(each.change.line, []).append(each)
        found = {line: self._withdrawn(line, signals) for line, signals in gone.items()}
        return {line: each for line, each in found.items() if each is not None}

    def _withdrawn(self, line: str, signals: Sequence[RecordedLine]) -> WithdrawnLine | None:
        """A line that is gone. None: it was never owed, or it is not withdrawn by the instant asked."""
        stood = [n for n, each in enumerate(signals) if not each.change.withdrawn]
        if not any(signals[n].change.kind in _KEPT for n in stood):
            return None
        since = [each.change.at for each in signals[stood[-1] + 1 :]]
        if not since and not self.is_latest:
            return None
        last, at = signals[stood[-1]], since[0] if since else self.by
        course = Withdrawal.of(line, at, self.facts, known_at=last.detected_at, by=self.by)
        return WithdrawnLine(last, course)


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
    found: list[ContractLines] = []
    for each in listed:
        charge()
        caused = [*uptimes.of(each), *misses.get(each.key, ())]
        derived = ContractCredits(question.desk, each.id, each.terms, facts[each.key], question.versions)
        found.append(
            ContractLines(
                each,
                derived.lines(caused, question.at),
                recorded[each.key],
                facts[each.key],
                question.at,
                question.is_latest,
            )
        )
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
        document = body["credit"]
        change = RecordedChange(
            id=row.id,
            line=row.line,
            kind=row.kind,
            at=row.at,
            generation=row.generation,
            amount=_amount(body),
            fact=_fact(row, document),
            withdrawn=any(each["state"] == CreditState.WITHDRAWN for each in document["transitions"]),
        )
        found[keys[str(body["contract"])]].append(RecordedLine(change, document, row.detected_at))
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
