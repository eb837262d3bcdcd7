"""Calls that count in a month of an average, from the log: the truth that the stored projection follows.

Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence

from app.sla.agreement.average import AverageRule
from app.sla.agreement.version import Version
from app.sla.average.call import Call, call_of
from app.sla.average.month import calls_within
from app.sla.calendar.zone import zone
from app.sla.event import Event, EventType
from app.sla.period import Months, Period
from app.sla.span import Micros, Span
from app.sla.subject import Subject, SubjectKind
from app.store.engine.database import Connection
from app.store.tickets import ledger


def months_of(versions: Sequence[Version]) -> Months:
    """The months of a desk: those of its agreement's zone."""
    return Months(zone(versions[-1].agreement.time_zone))


def logs_of_calls(
    conn: Connection, desk: str, span: Span, kind: str = EventType.CALL_OFFERED
) -> Mapping[Subject, Sequence[Event]]:
    """The whole logs of the calls that have an event of this type in a span."""
    found = (Subject.parse(subject) for subject, _ in ledger.counted(conn, desk, kind, span))
    return ledger.subject_logs(conn, desk, sorted(each for each in found if each.kind is SubjectKind.CALL))


def calls_of(logs: Iterable[Sequence[Event]], as_of: Micros | None = None) -> list[Call]:
    """The calls of these logs, by the events received by `as_of`."""
    known = logs if as_of is None else ([e for e in log if e.received_at <= as_of] for log in logs)
    return [call for log in known if (call := call_of(log)) is not None]


def calls_from_log(
    conn: Connection, desk: str, rule: AverageRule, period: Period, as_of: Micros | None = None
) -> list[Call]:
    """The calls that count in a month of an average, by the events received by `as_of`."""
    return calls_within(rule, period, calls_of(logs_of_calls(conn, desk, period.span).values(), as_of))
