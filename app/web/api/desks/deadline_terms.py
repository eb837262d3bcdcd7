"""Target and calendar of a question, and the deadline that they give."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from app.flow.query.reasons import text
from app.sla.agreement.agreement import Withheld
from app.sla.calendar import Calendar, NeverCloses, NeverOpen, UncoveredYear
from app.sla.calendar.target import Target, TargetFault
from app.sla.clock.explanation import Explanation, explain_deadline
from app.sla.document.faults import FaultyFile
from app.sla.limits import Limits
from app.store.contracts.catalogue import StoredVersion
from app.web.api.desks.deadline_question import DeadlineQuestion
from app.web.http.problems import Kind, Place, Problem, invalid, pointer

INLINE_YEARS: Final = (1970, 2100)
"""Years that an inline calendar covers at most: it must not make the service compile eight millennia."""

ALWAYS: Final = "always"
"""The name of the calendar that is open at every instant."""

BodyPath = tuple[int, ...]
"""Where a question is in the body: its number in an array, else nothing."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What answers are made from: the versions of the desks, and the limits of an inline calendar."""

    versions: Mapping[str, StoredVersion]
    limits: Limits


def deadline_of(question: DeadlineQuestion, basis: Basis, path: BodyPath) -> Explanation:
    """The deadline of a question, with how it is counted. Raises Problem that names the faulty place."""
    try:
        target, calendar = _target_and_calendar(question, basis, path)
        return explain_deadline(target, calendar, question.start)
    except (UncoveredYear, NeverOpen, NeverCloses) as error:
        raise invalid([Place("body", pointer((*path, "start")), str(error))]) from error
    except TargetFault as error:
        raise invalid([Place("body", pointer((*path, "within")), str(error))]) from error


def _target_and_calendar(question: DeadlineQuestion, basis: Basis, path: BodyPath) -> tuple[Target, Calendar]:
    if question.within is None:
        return _committed(question, basis.versions, path)
    target = Target.parse(question.within)
    calendar = _calendar(question.calendar, basis, path)
    target.check(calendar)
    return target, calendar


def _calendar(given: object, basis: Basis, path: BodyPath) -> Calendar:
    if given == ALWAYS:
        return Calendar.always()
    if isinstance(given, str):
        stored = basis.versions.get(given.partition("/")[0])
        if stored is None or given not in stored.calendars:
            raise _not_found("calendar", given, (*path, "calendar"))
        return stored.calendars[given]
    return _inline(cast(dict[str, Any], given), path, basis.limits)


def _inline(table: dict[str, Any], path: BodyPath, limits: Limits) -> Calendar:
    """A calendar inside the question. Raises Problem that names every faulty key."""
    years = table.get("years")
    if isinstance(years, list) and not all(
        isinstance(year, int) and INLINE_YEARS[0] <= year <= INLINE_YEARS[1]
        for year in cast(list[object], years)
    ):
        reason = f"must lie within {INLINE_YEARS[0]} and {INLINE_YEARS[1]}"
        raise invalid([Place("body", pointer((*path, "calendar", "years")), reason)])
    try:
        if faults := tuple(limits.faults_of_calendar(table)):
            raise FaultyFile(faults)
        return Calendar.parse({"years": list(INLINE_YEARS)} | table)
    except FaultyFile as error:
        places = [
            Place(
                "body", pointer((*path, "calendar", *fault.place.split("."))), f"{fault.wrong}. {fault.right}"
            )
            for fault in error.faults
        ]
        raise invalid(places) from error


def _committed(
    question: DeadlineQuestion, versions: Mapping[str, StoredVersion], path: BodyPath
) -> tuple[Target, Calendar]:
    desk, commitment_id = question.agreement or "", question.commitment or ""
    if desk not in versions:
        raise _not_found("desk", desk, (*path, "agreement"))
    agreement = versions[desk].agreement
    try:
        commitment = agreement.commitment(commitment_id)
    except KeyError as error:
        raise _not_found("commitment", commitment_id, (*path, "commitment")) from error
    fields = {"level": question.level, "contract": question.contract, "priority": question.priority}
    regime = agreement.regime(commitment, fields)
    if isinstance(regime, Withheld):
        raise invalid(
            [Place("body", pointer((*path, "commitment")), f"has no target here: {text(regime.reason)}")]
        )
    return regime.target, regime.calendar


def _not_found(what: str, name: str, path: tuple[object, ...]) -> Problem:
    reason = f"there is no {what} {name} that this key may see"
    return Problem(
        Kind.NOT_FOUND, f"{pointer(path)}: {reason}.", errors=[Place("body", pointer(path), reason)]
    )
