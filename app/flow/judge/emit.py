"""What goes into the stream, in which words, and what does it take back?

Turns the core's signals into rows with their place in the stream and their JSON, encoded once for every reader of it.
A signal is `late` when its instant had been judged before: it was learnt afterwards. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.flow.query import serialize
from app.flow.query.answer import TicketAnswer
from app.flow.query.reasons import detail, move_detail, text_or_none
from app.sla.clock.signals import DUE_CHANGED, RETRACTION, Signal
from app.sla.queue.signals import QueueSignal
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tickets import signals
from app.store.tickets.signals import CLOCK, QUEUE, NewSignal, Published, id_of

_RETRACTIONS = frozenset(RETRACTION.values())


@dataclass(slots=True)
class Emitter:
    """What one transaction tells. Places in the stream are given when it is written: last, since only one transaction
    at a time may do so."""

    now: Micros
    recent: Micros
    deliver: bool
    traces: Mapping[tuple[str, str], str]
    """The request or the pass of the sweep because of which each ticket, (desk, ticket), is told of."""
    rows: list[NewSignal] = field(default_factory=list[NewSignal])
    retracted: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    corrected: list[tuple[str, Micros]] = field(default_factory=list[tuple[str, Micros]])

    def emit_clocks(self, answer: TicketAnswer, judged_at: Micros | None, recorded: Iterable[Signal]) -> None:
        """Tell a ticket's clock signals. `judged_at`: when the ticket was last evaluated before, if it was."""
        for signal in recorded:
            identity = (signal.commitment, signal.cycle, CLOCK + signal.kind, signal.occurrence)
            signal_id = id_of(answer.desk, answer.ticket, *identity, signal.generation)
            late = judged_at is not None and signal.kind != DUE_CHANGED and signal.at <= judged_at
            row = NewSignal(
                seq=0,
                id=signal_id,
                desk=answer.desk,
                ticket=answer.ticket,
                commitment=signal.commitment,
                queue="",
                cycle=signal.cycle,
                kind=CLOCK + signal.kind,
                occurrence=signal.occurrence,
                generation=signal.generation,
                at=signal.at,
                detected_at=self.now,
                commitment_kind=_commitment_kind(answer, signal),
                late=late,
                deliver=self._delivers(signal.at),
                stands=True,
                rank=None,
                joined_at=None,
            )
            self._add(row, self._clock_body(answer, signal, row))
            self._undo(signal, signal_id)

    def emit_queue(self, desk: str, recorded: QueueSignal, before: int | None, after: int | None) -> None:
        """Tell a change of a ticket's place, with its positions before and after as they are known now."""
        kind = QUEUE + recorded.kind
        row = NewSignal(
            seq=0,
            id=id_of(
                desk, recorded.ticket, recorded.queue, 0, kind, recorded.occurrence, recorded.generation
            ),
            desk=desk,
            ticket=recorded.ticket,
            commitment="",
            queue=recorded.queue,
            cycle=0,
            kind=kind,
            occurrence=recorded.occurrence,
            generation=recorded.generation,
            at=recorded.at,
            detected_at=self.now,
            commitment_kind=None,
            late=False,
            deliver=self._delivers(recorded.at),
            stands=recorded.stands,
            rank=recorded.rank,
            joined_at=recorded.joined_at,
        )
        more: dict[str, Any] = {
            "queue": recorded.queue,
            "cause": recorded.cause,
            "cause_detail": move_detail(recorded.cause),
            "joined_at": serialize.moment(recorded.joined_at),
            "position_before": before,
            "position_after": after,
            "stands": recorded.stands,
        }
        self._add(row, _about(row) | more | {"clock": None})

    def write(self, conn: Connection) -> list[Published]:
        """Write everything down and say what the stream carries."""
        signals.append(conn, self.rows)
        signals.retract(conn, self.retracted, self.now)
        signals.correct(conn, self.corrected)
        return [row.published() for row in self.rows]

    def _only_trace(self) -> str | None:
        """Another ticket, one merged into or a duplicate, is told of because of the request if there is one only."""
        found = set(self.traces.values())
        return found.pop() if len(found) == 1 else None

    def _delivers(self, at: Micros) -> bool:
        return self.deliver and self.now - at <= self.recent

    def _undo(self, signal: Signal, by: str) -> None:
        if signal.replaces is None:
            return
        if signal.kind in _RETRACTIONS:
            self.retracted.append((signal.replaces, by))
        elif signal.kind == DUE_CHANGED and signal.new_due_at is not None:
            self.corrected.append((signal.replaces, signal.new_due_at))

    def _clock_body(self, answer: TicketAnswer, signal: Signal, row: NewSignal) -> serialize.Json:
        body = _about(row)
        body["cycle"] = None if signal.clock is None else signal.clock.cycle
        body["cycle_id"] = serialize.moment(signal.cycle) if signal.cycle else None
        body["cause"] = text_or_none(signal.cause)
        body["cause_detail"] = detail(signal.cause)
        body["replaces"] = signal.replaces
        if signal.kind == DUE_CHANGED or signal.kind in _RETRACTIONS:
            body["old_due_at"] = serialize.moment(signal.old_due_at)
            body["new_due_at"] = serialize.moment(signal.new_due_at)
        body["clock"] = None if signal.clock is None else serialize.clock_of(answer, signal.clock)
        return body

    def _add(self, row: NewSignal, body: serialize.Json) -> None:
        row.body = orjson.dumps(body).decode()
        row.trace = self.traces.get((row.desk, row.ticket)) or self._only_trace()
        self.rows.append(row)


def _commitment_kind(answer: TicketAnswer, signal: Signal) -> str | None:
    """Whose promise it is; none for a clock that is gone with its commitment."""
    if signal.clock is not None:
        return signal.clock.kind.value
    known = (c.kind.value for c in answer.evaluation.agreement.commitments if c.id == signal.commitment)
    return next(known, None)


def _about(row: NewSignal) -> serialize.Json:
    return {
        "id": row.id,
        "kind": row.kind,
        "desk": row.desk,
        "ticket": row.ticket,
        "commitment": row.commitment or None,
        "cycle": None,
        "occurrence": row.occurrence,
        "generation": row.generation,
        "at": serialize.moment(row.at),
        "detected_at": serialize.moment(row.detected_at),
        "commitment_kind": row.commitment_kind,
        "late": row.late,
    }
