"""What the desk's contracts are credited for the span, by what was in force and under the draft, page by page.

Missed commitments are those of the tickets of the span; broken uptimes those of the months that it touches. Sums are
those of the list of credits. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from app.flow.agreement.effects import added
from app.flow.agreement.preview_money import (
    Contracts,
    Misses,
    answered_by,
    contracts_under,
    credited,
    note_missed,
)
from app.flow.query.credit_causes import Asked
from app.flow.simulation.draft import Question, Sides
from app.sla.agreement.version import Version
from app.sla.clock.evaluation import Evaluation
from app.sla.contract import Contract
from app.sla.credit.money import written
from app.sla.event import Event
from app.store.contracts import contracts
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection

_PAGE: Final = 50
"""Contracts in one read, as in a preview."""

Json = dict[str, Any]


@dataclass(slots=True)
class SpanMoney:
    """The credits of a question on both sides."""

    question: Question
    sides: Sides
    is_done: bool = False
    _after: str = ""
    _missed: tuple[Misses, Misses] = field(default_factory=lambda: (Misses(), Misses()))
    _sums: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict[str, tuple[Decimal, Decimal]])

    def __post_init__(self) -> None:
        self.is_done = not any(version.agreement.credits for version in (*self._old, *self._new))

    @property
    def _old(self) -> tuple[Version, ...]:
        return self.sides.before

    @property
    def _new(self) -> tuple[Version, ...]:
        return self.sides.after

    def note(self, ticket: str, log: Iterable[Event], old: Evaluation | None, new: Evaluation | None) -> None:
        """Keep what a ticket missed under both."""
        for evaluation, misses, versions in zip(
            (old, new), self._missed, (self._old, self._new), strict=True
        ):
            answered = answered_by(versions)
            if evaluation is not None and answered:
                note_missed(misses, ticket, evaluation, answered, log)

    def step(self, conn: Connection, catalogue: Catalogue) -> None:
        """Credit the next contracts on both sides."""
        keys = self._page(conn)
        if not keys:
            self.is_done = True
            return
        self._after = keys[-1]
        stored = contracts.of_contracts(conn, self.question.desk, keys)
        before, after = (
            self._credited(
                conn, catalogue, versions, contracts_under(terms, keys, versions[-1].agreement), missed
            )
            for versions, terms, missed in zip(
                (self._old, self._new), (stored, self._with_draft(stored, keys)), self._missed, strict=True
            )
        )
        self._sums = added(self._sums, before, after)

    def _credited(
        self,
        conn: Connection,
        catalogue: Catalogue,
        versions: tuple[Version, ...],
        found: Contracts,
        missed: Misses,
    ) -> dict[str, Decimal]:
        span, now = self.question.span, self.question.now
        asked = Asked(conn, catalogue, self.question.desk, versions, now, span.end, now)
        return credited(asked, found, missed, within=span)

    def _with_draft(
        self, stored: Mapping[str, tuple[Contract, ...]], keys: Sequence[str]
    ) -> Mapping[str, tuple[Contract, ...]]:
        stated = {plan.key: plan for plan in self.sides.contracts if plan.key in set(keys)}
        return dict(stored) | {
            key: tuple(plan.after[on] for on in sorted(plan.after)) for key, plan in stated.items()
        }

    def _page(self, conn: Connection) -> list[str]:
        keys = contracts.keys_page(conn, self.question.desk, after=self._after, limit=_PAGE)
        others = {key for side in (self._old, self._new) for key in side[-1].agreement.contracts}
        others |= {plan.key for plan in self.sides.contracts}
        return sorted({*keys, *(key for key in others if key > self._after)})[:_PAGE]

    def document(self) -> list[Json]:
        """The sums by currency as JSON."""
        return [
            {"currency": each, "before": written(old, each), "after": written(new, each)}
            for each, (old, new) in sorted(self._sums.items())
        ]
