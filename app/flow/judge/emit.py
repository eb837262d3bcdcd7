"""Emission: the core's signals as rows of the stream, each with its JSON, encoded once for every reader.

A signal is `late` when its instant had been evaluated before: it was learnt afterwards. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from app.flow.query import serialize
from app.flow.query.answer import TicketAnswer
from app.flow.query.reasons import detail, move_detail, text_or_none
from app.sla.clock.signals import DUE_CHANGED, RETRACTION, Signal
from app.sla.queue.signals import QueueSignal
from app.sla.span import Micros
from app.sla.subject import Subject, SubjectKey
from app.store.tickets.signals import CLOCK, QUEUE, NewSignal

_RETRACTIONS = frozenset(RETRACTION.values())


def encoded(signal: NewSignal, body: serialize.Json) -> NewSignal:
    """The signal with its JSON."""
    signal.body = orjson.dumps(body)
    return signal


@dataclass(frozen=True, slots=True)
class Emitter:
    """Makes the signals of one transaction.

    `now` is when they are detected. Signals older than `recent`, and all of them unless `deliver`, are recorded and not
    delivered. `traces` has the id of the request, or of the sweep's batch, because of which each subject is evaluated.
    """

    now: Micros
    recent: Micros
    deliver: bool
    traces: Mapping[SubjectKey, str]

    def clock_signals(
        self, answer: TicketAnswer, judged_at: Micros | None, signals: Iterable[Signal]
    ) -> list[NewSignal]:
        """A ticket's clock signals. `judged_at`: when the ticket was last evaluated before, if it was."""
        return [self._clock_signal(answer, judged_at, signal) for signal in signals]

    def _clock_signal(self, answer: TicketAnswer, judged_at: Micros | None, signal: Signal) -> NewSignal:
        subject = Subject.parse(answer.ticket)
        retracts = signal.replaces if signal.kind in _RETRACTIONS else None
        corrects = None
        if signal.kind == DUE_CHANGED and signal.replaces is not None and signal.new_due_at is not None:
            corrects = (signal.replaces, signal.new_due_at)
        new = NewSignal(
            desk=answer.desk,
            subject=subject,
            kind=CLOCK + signal.kind,
            occurrence=signal.occurrence,
            at=signal.at,
            detected_at=self.now,
            commitment=signal.commitment,
            cycle=signal.cycle,
            generation=signal.generation,
            commitment_kind=_commitment_kind(answer, signal),
            late=judged_at is not None and signal.kind != DUE_CHANGED and signal.at <= judged_at,
            deliver=self.delivers(signal.at),
            trace=self.trace(answer.desk, subject),
            retracts=retracts,
            corrects=corrects,
        )
        return encoded(new, _clock_body(answer, signal, new))

    def queue_signal(
        self, desk: str, signal: QueueSignal, before: int | None, after: int | None
    ) -> NewSignal:
        """A change of a ticket's place, with its positions before and after as they are known now."""
        subject = Subject.parse(signal.ticket)
        new = NewSignal(
            desk=desk,
            subject=subject,
            kind=QUEUE + signal.kind,
            occurrence=signal.occurrence,
            at=signal.at,
            detected_at=self.now,
            queue=signal.queue,
            generation=signal.generation,
            deliver=self.delivers(signal.at),
            stands=signal.stands,
            rank=signal.rank,
            joined_at=signal.joined_at,
            trace=self.trace(desk, subject),
        )
        body = serialize.signal(new) | {
            "queue": signal.queue,
            "cause": signal.cause,
            "cause_detail": move_detail(signal.cause),
            "joined_at": serialize.instant_text(signal.joined_at),
            "position_before": before,
            "position_after": after,
            "stands": signal.stands,
            "clock": None,
        }
        return encoded(new, body)

    def trace(self, desk: str, subject: Subject) -> str | None:
        """The id of what caused a signal. Other subjects, a merge's target or a duplicate, inherit the only one."""
        own = self.traces.get((desk, subject))
        if own is not None:
            return own
        known = set(self.traces.values())
        return known.pop() if len(known) == 1 else None

    def delivers(self, at: Micros) -> bool:
        """Whether a signal of this instant is delivered."""
        return self.deliver and self.now - at <= self.recent


def _clock_body(answer: TicketAnswer, signal: Signal, new: NewSignal) -> serialize.Json:
    body = serialize.signal(new)
    body["cycle"] = None if signal.clock is None else signal.clock.cycle
    body["cycle_id"] = serialize.instant_text(signal.cycle) if signal.cycle else None
    body["cause"] = text_or_none(signal.cause)
    body["cause_detail"] = detail(signal.cause)
    body["replaces"] = signal.replaces
    if signal.kind == DUE_CHANGED or signal.kind in _RETRACTIONS:
        body["old_due_at"] = serialize.instant_text(signal.old_due_at)
        body["new_due_at"] = serialize.instant_text(signal.new_due_at)
    body["clock"] = None if signal.clock is None else serialize.clock_of(answer, signal.clock)
    return body


def _commitment_kind(answer: TicketAnswer, signal: Signal) -> str | None:
    """The kind of the signal's commitment; none for a clock that is gone with its commitment."""
    if signal.clock is not None:
        return signal.clock.kind.value
    known = (c.kind.value for c in answer.evaluation.agreement.commitments if c.id == signal.commitment)
    return next(known, None)
