"""The judge of services: warnings, breaches and retractions of their commitments on uptime.

Judged are the periods about which something new is known, those that have passed since the last evaluation, and the
running one; of each every commitment that names the service, for the service and for each resource that was ever named.
Recorded signals are compared with what is true now, so that each is emitted once, whatever the order of the facts and
however often a service is evaluated. Pure. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.flow.judge.judgement import Judgement
from app.flow.judge.subject_logs import KnownLog
from app.flow.judge.uptime_signals import Difference, JudgedUptime
from app.sla.agreement.availability import AvailabilityRule
from app.sla.agreement.version import Version
from app.sla.availability.change import News, changed, news
from app.sla.availability.facts import ServiceFacts
from app.sla.availability.outage import EVERY_RESOURCE
from app.sla.availability.uptime import ALL, Uptime, Who, compile_downtime
from app.sla.availability.version import JudgedPeriod, period_at, periods_of, taking_over
from app.sla.clock.signals import RecordedSignal
from app.sla.event import Event
from app.sla.fields import casefolded
from app.sla.reason import Reason, ReasonCode
from app.sla.span import DAY, HOUR, Micros, Span

_TRANSACTION: Final = HOUR
"""An event may have been received before the last evaluation and stored after it, by a transaction that waited for it.
None waits so long: the statement timeout ends it before."""
_MONTH: Final = 31 * DAY


class ServiceJudge:
    """The judge of services. Facts about what was more than `months` months ago make no signals.

    A resource that no fact of the month names is judged where the service has no more than `resources` of them.
    """

    def __init__(self, *, months: int, resources: int) -> None:
        self._months, self._resources = months, resources

    def __call__(
        self,
        log: KnownLog,
        versions: Sequence[Version],
        recorded: Sequence[RecordedSignal],
        at: Micros,
        judged_at: Micros | None,
    ) -> Judgement:
        """The signals that are not recorded yet, and the next instant at which one can become due."""
        events = log.events
        if not events:
            return Judgement()
        facts = log.book.facts
        found, of_versions = _news(facts, log, judged_at), _of_versions(versions, judged_at, at)
        spans = [*(each.span for each in found), *of_versions]
        periods = list(periods_of(versions, self._bounded(spans, at), at))
        concerned = None if judged_at is None or of_versions else frozenset(each.resource for each in found)
        judged = [each for period in periods for each in self._judged(facts, period, concerned, at)]
        spans, because = [each.period.span for each in periods], _because(events, versions, judged_at)
        difference = Difference(facts.service, facts.resources, recorded, spans, because)
        return Judgement(difference.signals(judged), _next_at(facts, judged, versions, at))

    def _bounded(self, spans: Iterable[Span], at: Micros) -> Iterator[Span]:
        """The spans up to now and not too long ago, and the running period."""
        since = at - self._months * _MONTH
        yield Span(at, at)
        for span in spans:
            if span.start <= at and span.end > since:
                yield Span(max(span.start, since), max(since, min(span.end, at)))

    def _judged(
        self, facts: ServiceFacts, judged: JudgedPeriod, concerned: frozenset[str] | None, at: Micros
    ) -> Iterator[JudgedUptime]:
        """The objects of the service by every commitment that names it, in one period.

        `concerned`: the resources about which something else is stated than before; None, or the whole service among
        them: all. The uptime of another resource is as it was judged.
        """
        service = casefolded(facts.service)
        touching = facts.within(judged.period.span)
        by_resource = touching.by_resource()
        is_small = len(facts.resources) <= self._resources
        wanted = facts.resources
        if concerned is not None and EVERY_RESOURCE not in concerned:
            wanted = {name: named for name, named in facts.resources.items() if name in concerned}
        for rule in judged.agreement.availability:
            if service not in map(casefolded, rule.services):
                continue
            yield JudgedUptime(rule, EVERY_RESOURCE, EVERY_RESOURCE, _uptime(rule, touching, ALL, judged, at))
            # A resource without facts of its own in the period is up and down with the service.
            general = _uptime(rule, by_resource.of(), Who.of(), judged, at)
            for resource, named in wanted.items():
                if resource in by_resource.named:
                    own = by_resource.of(resource)
                    yield JudgedUptime(
                        rule, resource, named, _uptime(rule, own, Who.of(resource), judged, at)
                    )
                elif is_small:
                    yield JudgedUptime(rule, resource, named, general)


def _news(facts: ServiceFacts, log: KnownLog, judged_at: Micros | None) -> list[News]:
    """About what something was not known at the last evaluation, or had not passed."""
    if judged_at is None:
        return changed(ServiceFacts(facts.service), facts)
    new = log.news(judged_at - _TRANSACTION)
    passed = (each for each in facts.outages if each.lasts_after(judged_at))
    return [
        *news(facts.service, log.book.related(new), new),
        *(News(Span(max(each.start, judged_at), each.span.end), each.resource) for each in passed),
    ]


def _of_versions(versions: Iterable[Version], judged_at: Micros | None, at: Micros) -> list[Span]:
    """The spans in which versions judge that are new, or came into force, since the last evaluation."""
    if judged_at is None:
        return []
    since = judged_at - _TRANSACTION
    new = (v for v in versions if _recorded_at(v) >= since or since <= v.effective_from <= at)
    return [Span(version.effective_from, max(version.effective_from, at)) for version in new]


def _uptime(
    rule: AvailabilityRule, facts: ServiceFacts, who: Who, judged: JudgedPeriod, at: Micros
) -> Uptime:
    return compile_downtime(rule, [facts], who).uptime(judged.period, at)


def _next_at(
    facts: ServiceFacts, judged: Iterable[JudgedUptime], versions: Sequence[Version], at: Micros
) -> Micros | None:
    """When a signal can become due though nothing is reported: not before a fact ahead or an open outage makes one."""
    ahead = taking_over(versions, at)
    if any(outage.lasts_after(at) for outage in facts.outages):
        running = period_at(versions, at, at).period
        ahead.append(running.end)
        ahead += [
            each.uptime.next_at for each in judged if each.uptime.period == running and each.uptime.next_at
        ]
    return min(ahead, default=None)


def _recorded_at(version: Version) -> Micros:
    return version.effective_from if version.recorded_at is None else version.recorded_at


def _because(events: Sequence[Event], versions: Sequence[Version], judged_at: Micros | None) -> Reason:
    """What became known last: an event, or a version that was recorded after it."""
    last, version = events[-1], versions[-1]
    if judged_at is not None and last.received_at <= judged_at <= _recorded_at(version):
        return Reason(ReasonCode.VERSION_APPLIED, version.number)
    return Reason(ReasonCode.EVENT_RECEIVED, last.id, {"type": last.type})
