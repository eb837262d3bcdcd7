"""Uptimes as JSON: the figures of a view, which signals carry too. Seconds have a fraction where there is one."""

from app.flow.query.reasons import detail, text
from app.flow.query.serialize import Json, instant_text
from app.sla.agreement.availability import AvailabilityRule
from app.sla.availability.explanation import ExplainedOutage
from app.sla.availability.outage import EVERY_RESOURCE
from app.sla.availability.uptime import Uptime
from app.sla.span import SECOND, Micros


def exact_seconds(length: Micros) -> int | float:
    """A length in seconds: whole where it is, else with up to six decimals."""
    return length / SECOND if length % SECOND else length // SECOND


def figures(rule: AvailabilityRule, found: Uptime) -> Json:
    """What an uptime came to by a commitment."""
    return {
        "id": rule.id,
        "label": rule.label,
        "kind": rule.kind.value,
        "period": found.period.name or None,
        "from": instant_text(found.period.start),
        "to": instant_text(found.period.end),
        "target": rule.target.written,
        "state": found.state.value,
        "uptime": found.text,
        "total_seconds": exact_seconds(found.total),
        "downtime_seconds": exact_seconds(found.downtime),
        "excluded_seconds": exact_seconds(found.excluded),
        "allowance_seconds": exact_seconds(found.allowance),
        "remaining_seconds": exact_seconds(found.remaining),
        "breached_at": instant_text(found.breached_at),
        "next_at": instant_text(found.next_at),
    }


def outage_document(explained: ExplainedOutage, at: Micros) -> Json:
    """An outage with its spans, each with why it counts or does not. One that ends after `at` lasts at that instant."""
    outage = explained.outage
    return {
        "reference": outage.reference,
        "service": explained.service,
        "resource": None if outage.resource == EVERY_RESOURCE else outage.named,
        "from": instant_text(outage.start),
        "to": None if outage.lasts_after(at) else instant_text(outage.end),
        "cause": outage.cause,
        "event": outage.event,
        "counted_seconds": exact_seconds(explained.counted),
        "spans": [
            {
                "from": instant_text(each.span.start),
                "to": instant_text(each.span.end),
                "counted": each.counted,
                "reason": text(each.reason),
                "reason_detail": detail(each.reason),
            }
            for each in explained.spans
        ],
    }
