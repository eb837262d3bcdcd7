"""Commitments in an agreement file: one `[[commitments]]` table read into a Commitment.

Targets, start and stop facts, conditions and exemptions. A fault is recorded with its key and reading goes on with a
default, so that all faults of a file are found at once. Lengths are microseconds.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from app.sla.agreement.agreement import (
    Commitment,
    Condition,
    CycleRule,
    Exemption,
    Kind,
    OnChange,
    OnReopen,
    TargetRule,
)
from app.sla.agreement.calendar_file import read_calendar
from app.sla.agreement.label import read_label
from app.sla.agreement.start_file import read_starts
from app.sla.calendar import Calendar
from app.sla.calendar.target import NEXT_WORKING_DAY, Target, TargetFault, TargetKind, Threshold
from app.sla.document.faults import Fault, instead_of, listed
from app.sla.document.table import Table
from app.sla.event import KNOWN_TYPES
from app.sla.fields import STATUS_MARK, TICKET_FIELDS, casefolded
from app.sla.span import Micros
from app.sla.ticket import STATUSES

ALWAYS: Final = "always"
FIELDS: Final = frozenset(TICKET_FIELDS) | {"author"}
"""What a condition may test: a ticket's fields, and who created it."""
_ENDS: Final = KNOWN_TYPES | {STATUS_MARK + status for status in STATUSES}
_TARGET_EXAMPLE: Final = '"2h"'
_CALENDAR_EXAMPLE: Final = '"haisoft/tickets"'


@dataclass(frozen=True, slots=True)
class Written:
    """A commitment, its table in the file, and its calendars, without those that are faulty."""

    table: Table
    commitment: Commitment
    calendars: tuple[Calendar, ...]


class AgreementReader:
    """Reads what several tables of an agreement file share: calendars, targets, conditions, event types."""

    def __init__(
        self,
        calendars: Mapping[str, Calendar],
        always: Calendar,
        faults: list[Fault],
        *,
        language: str | None = None,
    ) -> None:
        self.language = language
        self.calendars: Mapping[str, Calendar] = {**calendars, ALWAYS: always}
        self.always = always
        self.faults = faults

    def calendar(self, table: Table, key: str, *, required: bool = False) -> Calendar | None:
        """A calendar by its reference, or `always`."""
        name = table.text(key, example=_CALENDAR_EXAMPLE, required=required)
        if name is not None and name not in self.calendars:
            table.fault(key, f'there is no calendar "{name}"', instead_of(name, self.calendars))
        return self.calendars.get(name or "")

    def named(self, table: Table, key: str) -> Calendar | None:
        """A calendar that must be named."""
        return self.calendar(table, key, required=True)

    def target(self, table: Table, key: str, text: str, *, roll: str | None = None) -> Target | None:
        """A target as "2h" or "3 working days"; None when it cannot be read."""
        try:
            return Target.parse(text, roll=roll)
        except TargetFault as fault:
            table.fault(key, *_wrong_and_right(fault))
            return None

    def check(self, table: Table, key: str, target: Target, calendars: Iterable[Calendar]) -> None:
        """Record a target that one of these calendars cannot count. A faulty calendar is not reported twice."""
        try:
            for calendar in calendars:
                target.check(calendar)
        except TargetFault as fault:
            table.fault(key, *_wrong_and_right(fault))

    def duration(self, table: Table, key: str) -> Micros | None:
        """A length of real time, as "1h"."""
        text = table.text(key, example='"1h"')
        target = self.target(table, key, text) if text is not None else None
        if target is None:
            return None
        if target.kind is not TargetKind.DURATION:
            table.fault(key, f'"{text}" is not a length of time', f'Write {key} = "24h".')
            return None
        return target.measure(0, self.always).length

    def condition(self, table: Table, key: str) -> Condition:
        """Field values that must hold: `{ kind = ["claim"] }`. Absent: every ticket."""
        return self.condition_of(table.table(key, example=f'{key} = {{ kind = ["claim"] }}'))

    def condition_of(self, table: Table, *, beside: Collection[str] = ()) -> Condition:
        """The condition of a table's keys, without those in `beside`."""
        tests: list[tuple[str, frozenset[str]]] = []
        for field in table.content:
            if field in beside:
                continue
            if field not in FIELDS:
                table.fault(field, "a ticket has no such field", instead_of(field, FIELDS))
            elif values := self._values(table, field):
                tests.append((field, values))
        return Condition(tuple(sorted(tests, key=lambda test: test[0])))

    def _values(self, table: Table, field: str) -> frozenset[str]:
        """Any of these values; "" means that the field is absent. A single one may stand without its list."""
        given = table.value(field)
        values = cast(list[object], given) if isinstance(given, list | tuple) else [given]
        good = [value for value in values if isinstance(value, str | int) and not isinstance(value, bool)]
        if not good or len(good) < len(values):
            right = f'Write {field} = ["one", "another"]; "" stands for absent.'
            table.fault(field, f"{given!r} is not a list of values", right)
        return frozenset(casefolded(value) for value in good)

    def words(self, table: Table, key: str, known: frozenset[str], what: str) -> frozenset[str]:
        """A list of words, each of them known."""
        return self.known_words(table, table.texts(key, example=f'["{min(known)}"]'), known, what)

    def known_words(
        self, table: Table, found: Iterable[tuple[str, str]], known: frozenset[str], what: str
    ) -> frozenset[str]:
        """The words found at these keys; unknown ones are recorded as faults."""
        found = list(found)
        for place, word in found:
            if word not in known:
                table.fault(place, f'there is no {what} "{word}"', _nearest_word(word, known))
        return frozenset(word for _, word in found)


def read_commitment(
    table: Table, commitment_id: str, reader: AgreementReader, *, earlier: Collection[str]
) -> Written:
    """One commitment. `earlier` are the ids before it in the file, which it may refer to."""
    measure = table.text("measure", example='"response"') or commitment_id
    cycle = table.word("cycle", CycleRule.ONCE)
    calendar = read_calendar(table, FIELDS, reader.named)
    stops_on, stop_statuses = _facts(table, "stops_on", reader)
    ends_on, end_statuses = _facts(table, "ends_on", reader)
    if not stops_on and not stop_statuses:
        table.fault("stops_on", "nothing stops it", 'Write stops_on = ["agent.replied"].')
    not_after, not_after_reason = _not_after(table, earlier)
    label, labels = read_label(table, commitment_id, reader.language)
    commitment = Commitment(
        id=commitment_id,
        label=label,
        labels=labels,
        kind=_kind(table),
        measure=measure,
        target=_target_rule(table, reader, calendar.all),
        calendar=calendar.plain or reader.always,
        calendar_rule=calendar.rule,
        calendar_of=_earlier(table, "calendar_of", earlier),
        starts_on=read_starts(table, cycle),
        stops_on=stops_on,
        stop_statuses=stop_statuses,
        ends_on=ends_on,
        end_statuses=end_statuses,
        pauses_while=reader.words(table, "pauses_while", STATUSES, "status"),
        applies_to=reader.condition(table, "applies_to"),
        otherwise_reason=table.text("otherwise_reason", example='"Not covered by the agreement"'),
        exceptions=_exceptions(table, reader),
        warn_at=_warn_at(table),
        warn_awaiting=reader.duration(table, "warn_awaiting"),
        cycle=cycle,
        on_reopen=_on_reopen(table, measure),
        on_change=table.word("on_change", OnChange.CARRY),
        not_after=not_after,
        not_after_reason=not_after_reason,
    )
    table.close()
    return Written(table, commitment, calendar.all)


def _kind(table: Table) -> Kind:
    if table.value("kind") is None:
        table.fault("kind", "it is missing", f"Write {listed(kind.value for kind in Kind)}.")
    return table.word("kind", Kind.GUARANTEE)


def _target_rule(table: Table, reader: AgreementReader, calendars: tuple[Calendar, ...]) -> TargetRule:
    """The target in its five forms: fixed, by level, by contract, by a field's values."""
    given = table.value("target")
    roll = _roll(table)
    if isinstance(given, Mapping):
        return _target_by_field(table.table("target", example=""), reader, calendars, roll)
    text = table.text("target", example=_TARGET_EXAMPLE, required=True) or ""
    for mark, rule in (
        ("level:", TargetRule(text, level=text[6:].strip())),
        ("contract:", TargetRule(text, contract=text[9:].strip())),
    ):
        if text.startswith(mark):
            if text == mark:
                table.fault("target", f'"{mark}" names nothing', f'Write target = "{mark}gti".')
            return rule
    fixed = reader.target(table, "target", text, roll=roll) if text else None
    if fixed is not None:
        reader.check(table, "target", fixed, calendars)
    return TargetRule(text, fixed=fixed)


def _target_by_field(
    table: Table, reader: AgreementReader, calendars: tuple[Calendar, ...], roll: str | None
) -> TargetRule:
    """`{ by = "priority", urgent = "1h", else = "8h" }`."""
    by = table.text("by", example='"priority"', required=True)
    if by is not None and by not in FIELDS:
        table.fault("by", f'a ticket has no field "{by}"', instead_of(by, FIELDS))
    targets: dict[str, Target] = {}
    for value in table.content:
        if value == "by" or (text := table.text(value, example=_TARGET_EXAMPLE)) is None:
            continue
        target = reader.target(table, value, text, roll=roll)
        if target is not None:
            reader.check(table, value, target, calendars)
            targets[casefolded(value)] = target
    otherwise = targets.pop("else", None)
    return TargetRule(f"by {by}", by=by, of=targets, otherwise=otherwise)


def _roll(table: Table) -> str | None:
    roll = table.text("roll", example=f'"{NEXT_WORKING_DAY}"')
    if roll is not None and roll != NEXT_WORKING_DAY:
        table.fault("roll", f'"{roll}" is not known', f'Write roll = "{NEXT_WORKING_DAY}".')
        return None
    return roll


def _facts(table: Table, key: str, reader: AgreementReader) -> tuple[frozenset[str], frozenset[str]]:
    """Event types and, apart, the statuses written as "status:solved"."""
    words = reader.words(table, key, _ENDS, "event type or status")
    statuses = frozenset(word for word in words if word.startswith(STATUS_MARK))
    return words - statuses, frozenset(word.removeprefix(STATUS_MARK) for word in statuses)


def _exceptions(table: Table, reader: AgreementReader) -> tuple[Exemption, ...]:
    """One table with `except_reason` beside it, or several tables each with its own `reason`."""
    reason = table.text("except_reason", example='"Not included"')
    if isinstance(table.value("except"), Mapping):
        return (Exemption(reader.condition(table, "except"), reason),)
    found: list[Exemption] = []
    example = 'except = [{ category = ["out-of-scope"], reason = "Not included" }]'
    for inner in table.tables("except", example=example):
        own = inner.text("reason", example='"Not included"')
        found.append(Exemption(reader.condition_of(inner, beside=("reason",)), own or reason))
    return tuple(found)


def _warn_at(table: Table) -> tuple[Threshold, ...]:
    found: list[Threshold] = []
    for place, text in table.texts("warn_at", example='["75%", "30m before"]'):
        try:
            found.append(Threshold.parse(text))
        except TargetFault as fault:
            table.fault(place, *_wrong_and_right(fault))
    return tuple(found)


def _on_reopen(table: Table, measure: str) -> OnReopen:
    """The default: a gtr clock resumes on a reopen, every other stays stopped."""
    rule = table.word("on_reopen", OnReopen.RESUME if measure == "gtr" else OnReopen.IGNORE)
    if rule is OnReopen.RESTART and measure == "response":
        wrong = "a first response never restarts"
        table.fault("on_reopen", wrong, 'Write on_reopen = "ignore", or cycle = "next_reply".')
    return rule


def _not_after(table: Table, earlier: Collection[str]) -> tuple[str | None, str | None]:
    if table.value("not_after") is None:
        return None, None
    inner = table.table(
        "not_after", example='not_after = { commitment = "claim-filing", reason = "Too late" }'
    )
    commitment = _earlier(inner, "commitment", earlier, required=True)
    reason = inner.text("reason", example='"Filed too late"', required=True)
    inner.close()
    return commitment, reason


def _earlier(table: Table, key: str, earlier: Collection[str], *, required: bool = False) -> str | None:
    """A commitment that stands earlier in the file, so that references cannot form a ring."""
    name = table.text(key, example='"claim-filing"', required=required)
    if name is not None and name not in earlier:
        table.fault(key, f'no earlier commitment is called "{name}"', instead_of(name, earlier))
    return name


def _nearest_word(word: str, known: frozenset[str]) -> str:
    """The nearest known word; for `solved` it is `status:solved`."""
    marked = STATUS_MARK + word
    return f'Write "{marked}".' if marked in known else instead_of(word, known)


def _wrong_and_right(fault: TargetFault) -> tuple[str, str]:
    """The parts of its message: the first sentence is what is wrong, the rest what to write instead."""
    wrong, _, right = str(fault).partition(". ")
    return wrong, right
