"""Judges of subjects beside tickets: one pure function for each kind, registered here and nowhere else.

A judge gets everything it decides by, so it needs no database: the subject's events in the order of receipt, the
versions of the desk's agreement, the signals that were recorded of the subject, the instant, and when it was last
judged. An event of a kind without a judge is stored and not evaluated. Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping, Sequence

from app.flow.judge.availability import ServiceJudge
from app.flow.judge.judgement import Judgement, SubjectSignal
from app.flow.judge.subject_logs import KnownLog
from app.settings import Settings
from app.sla.agreement.version import Version
from app.sla.clock.signals import RecordedSignal
from app.sla.span import Micros
from app.sla.subject import SubjectKind

__all__ = ["Judgement", "SubjectJudge", "SubjectSignal", "judges"]

SubjectJudge = Callable[
    [KnownLog, Sequence[Version], Sequence[RecordedSignal], Micros, Micros | None], Judgement
]
"""(log, versions, recorded signals, instant, instant of the last evaluation if any) -> what is found."""


def judges(settings: Settings) -> Mapping[SubjectKind, SubjectJudge]:
    """The judge of each kind. Tickets have a case of their own: they are judged by the logs of other tickets too."""
    return {
        SubjectKind.SERVICE: ServiceJudge(
            months=settings.availability_months, resources=settings.availability_resources_max
        )
    }
