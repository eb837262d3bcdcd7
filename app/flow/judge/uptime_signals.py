"""Signals of uptimes: the difference between what is true of a service now and what was recorded of it before.

A breach is recorded once for each commitment, period and resource. It is retracted, with its cause, when it is none any
more; recorded again with the next generation when it is one after all; and corrected when its instant was another.
Warnings are recorded once and not for what is broken already. Instants are microseconds UTC.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.flow.judge.judgement import SubjectSignal
from app.flow.query.reasons import detail, text_or_none
from app.flow.query.serialize import instant_text
from app.flow.query.uptimes import figures
from app.sla.agreement.availability import AvailabilityRule
from app.sla.availability.outage import EVERY_RESOURCE
from app.sla.availability.signals import AvailabilityKind, warning_occurrence
from app.sla.availability.uptime import Uptime
from app.sla.clock.signals import RecordedSignal
from app.sla.reason import Reason
from app.sla.span import DAY, Micros, Span

_ZONES: Final = 2 * DAY
"""More than the beginnings of a month lie apart in any two zones: a version with another zone takes a month over."""

_Key = tuple[str, Micros, str]
"""(commitment, cycle, resource)."""


@dataclass(frozen=True, slots=True)
class JudgedUptime:
    """The uptime of one object by one commitment. `named` is the resource as it was first written."""

    rule: AvailabilityRule
    resource: str
    named: str
    uptime: Uptime

    @property
    def key(self) -> _Key:
        return self.rule.id, self.uptime.period.start, self.resource


class Difference:
    """The recorded signals of a service against what is true of it now, in the judged periods of these spans.

    `named`: the resources that facts name.
    """

    def __init__(
        self,
        service: str,
        named: Collection[str],
        recorded: Iterable[RecordedSignal],
        spans: Sequence[Span],
        because: Reason,
    ) -> None:
        self._service, self._because, self._spans = service, because, spans
        self._named = {EVERY_RESOURCE, *named}
        # Of a service with thousands of resources most signals are of other months.
        since, until = min(span.start for span in spans) - _ZONES, max(span.end for span in spans)
        recorded = [each for each in recorded if since <= each.cycle < until]
        self._times = Counter((each.commitment, each.cycle, each.kind, each.occurrence) for each in recorded)
        breaches = [each for each in recorded if each.kind == AvailabilityKind.BREACHED]
        self._valid = {_key_of(each): each for each in breaches if not each.retracted}
        self._retracted = {_key_of(each): each for each in breaches if each.retracted}

    def signals(self, judged: Sequence[JudgedUptime]) -> list[SubjectSignal]:
        """Retractions first, then warnings and breaches in the order of their instants."""
        current = {each.key: each for each in judged}
        cycles = {key[:2] for key in current}
        undone: list[SubjectSignal] = []
        for key, recorded in self._valid.items():
            now = current.get(key)
            # Of a resource that no fact names any more nothing is judged.
            is_judged = key[:2] in cycles and key[2] in self._named
            is_gone = not is_judged and any(span.start - _ZONES <= key[1] < span.end for span in self._spans)
            if is_gone or (now is not None and now.uptime.breached_at is None):
                undone.append(self._retraction(recorded, now))
        new = [signal for each in judged for signal in self._of(each)]
        return [*undone, *sorted(new, key=lambda signal: signal.at)]

    def _of(self, judged: JudgedUptime) -> Iterator[SubjectSignal]:
        breached_at = judged.uptime.breached_at
        if breached_at is None:
            yield from self._warnings(judged)
            return
        recorded = self._valid.get(judged.key)
        if recorded is None:
            before = self._retracted.get(judged.key)
            again = 0 if before is None else before.generation + 1
            yield self._signal(judged, AvailabilityKind.BREACHED, judged.resource, breached_at, again)
        elif recorded.at != breached_at:
            yield self._moved(judged, recorded, breached_at)

    def _warnings(self, judged: JudgedUptime) -> Iterator[SubjectSignal]:
        commitment, cycle, resource = judged.key
        for percent, reached_at in judged.uptime.warnings:
            occurrence = warning_occurrence(percent, resource)
            if not self._times[commitment, cycle, AvailabilityKind.WARNED, occurrence]:
                yield self._signal(
                    judged, AvailabilityKind.WARNED, occurrence, reached_at, threshold=f"{percent}%"
                )

    def _moved(self, judged: JudgedUptime, recorded: RecordedSignal, at: Micros) -> SubjectSignal:
        kind = AvailabilityKind.BREACH_MOVED
        more = self._cause() | {
            "replaces": recorded.id,
            "old_at": instant_text(recorded.at),
            "new_at": instant_text(at),
        }
        signal = self._signal(judged, kind, recorded.occurrence, at, self._again(kind, recorded), **more)
        return replace(signal, corrects=recorded.id)

    def _retraction(self, recorded: RecordedSignal, judged: JudgedUptime | None) -> SubjectSignal:
        kind = AvailabilityKind.BREACH_RETRACTED
        details = {"service": self._service, "resource": recorded.occurrence or None}
        return SubjectSignal(
            kind,
            recorded.occurrence,
            recorded.at,
            commitment=recorded.commitment,
            cycle=recorded.cycle,
            generation=self._again(kind, recorded),
            commitment_kind=None if judged is None else judged.rule.kind.value,
            retracts=recorded.id,
            details=(details if judged is None else self._details(judged)) | self._cause(),
        )

    def _again(self, kind: str, of: RecordedSignal) -> int:
        return self._times[of.commitment, of.cycle, kind, of.occurrence]

    def _cause(self) -> dict[str, Any]:
        return {"cause": text_or_none(self._because), "cause_detail": detail(self._because)}

    def _signal(
        self,
        judged: JudgedUptime,
        kind: AvailabilityKind,
        occurrence: str,
        at: Micros,
        generation: int = 0,
        **more: Any,
    ) -> SubjectSignal:
        commitment, cycle, _ = judged.key
        return SubjectSignal(
            kind,
            occurrence,
            at,
            commitment=commitment,
            cycle=cycle,
            generation=generation,
            commitment_kind=judged.rule.kind.value,
            details=self._details(judged) | more,
        )

    def _details(self, judged: JudgedUptime) -> dict[str, Any]:
        shown = figures(judged.rule, judged.uptime)
        named = {"service": self._service, "resource": judged.named or None}
        return named | {name: shown[name] for name in _SHOWN}


_SHOWN: Final = (
    *("label", "period", "from", "to", "target", "state", "uptime", "total_seconds", "downtime_seconds"),
    *("excluded_seconds", "allowance_seconds", "remaining_seconds", "breached_at", "next_at"),
)
"""What a signal carries of the figures. Its `at` and its commitment it has besides."""


def _key_of(recorded: RecordedSignal) -> _Key:
    return recorded.commitment, recorded.cycle, recorded.occurrence
