"""Turn: what the evaluations of one transaction share, and what each comes to. Instants are microseconds UTC."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar

import structlog

from app.flow.judge.emit import Emitter
from app.flow.judge.parking import Backoff
from app.flow.query.answer import TicketAnswer
from app.flow.query.failures import NOT_OF_THE_SUBJECT
from app.flow.query.long_replays import Postponed
from app.flow.query.positions import QueuePositions
from app.sla.span import SECOND, Micros
from app.sla.subject import Subject, SubjectKey
from app.store.engine.database import Connection
from app.store.tickets.clocks import TicketKey
from app.store.tickets.signals import NewSignal

_log = structlog.stdlib.get_logger()

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Turn:
    """What the evaluations of one transaction share.

    `received_at` is the transaction's time, which its events bear; `at` is the instant of the evaluations. That is later
    where the transaction waited for a lock whose holder evaluated at a later instant.
    """

    conn: Connection
    received_at: Micros
    at: Micros
    emitter: Emitter
    positions: QueuePositions
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class Judged:
    """What the evaluations of some subjects of one desk came to. Rows are written; the signals are to be appended."""

    signals: list[NewSignal] = field(default_factory=list[NewSignal])
    answers: Mapping[TicketKey, TicketAnswer] = field(default_factory=dict[TicketKey, TicketAnswer])
    failed: Mapping[SubjectKey, str] = field(default_factory=dict[SubjectKey, str])
    next_at: Micros | None = None
    """The least instant at which one of them must be evaluated again."""
    concerned: Mapping[str, Collection[Subject]] = field(default_factory=dict[str, Collection[Subject]])
    """Other subjects, by desk, whose figures may have changed: they are made due now, for the sweep."""


class Case(Protocol):
    """Subjects of one desk that are evaluated together, with all that this needs read and locked."""

    @property
    def evaluated_at(self) -> Micros:
        """The latest instant at which one of them was evaluated before, 0 when none was."""
        ...

    def judge(self, turn: Turn) -> Judged:
        """Evaluate them and write their rows. A subject that fails is parked and harms no other."""
        ...


class Failures:
    """The evaluations of one desk that failed, with their errors."""

    def __init__(self, desk: str) -> None:
        self._desk = desk
        self.errors: dict[Subject, str] = {}
        self.waits: dict[Subject, Micros] = {}
        """Those that did not fail but are postponed, by how much."""

    def attempt(
        self, subjects: Iterable[Subject], work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[bool, T | None]:
        """(whether it succeeded, its result). What these subjects' own content makes fail is their failure only.

        A failure of the database is none of theirs: it fails the transaction, which is tried again.
        """
        try:
            return True, work(*args, **kwargs)
        except NOT_OF_THE_SUBJECT:
            raise
        except Postponed as postponed:
            waiting = list(subjects)
            self.errors |= dict.fromkeys(waiting, str(postponed))
            self.waits |= dict.fromkeys(waiting, round(postponed.wait * SECOND))
            return False, None
        except Exception as error:  # noqa: BLE001 - parked, logged, counted and shown
            failed = list(subjects)
            _log.exception("evaluation failed, subject parked", desk=self._desk, subject=failed[0].text)
            self.errors |= dict.fromkeys(failed, f"{type(error).__name__}: {error}")
            return False, None
