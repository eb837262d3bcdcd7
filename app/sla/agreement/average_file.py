"""Averages in an agreement file: the `[[averages]]` tables read into rules.

A fault is recorded with its key and reading goes on with a default, so that all faults of a file are found at once.
"""

import re
from typing import Final

from app.sla.agreement.average import WARN_AFTER, AverageRule, MeanTarget
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.agreement.label import read_label
from app.sla.agreement.rule import Kind
from app.sla.calendar.target import Target, TargetFault
from app.sla.document.table import Table
from app.sla.event import EventType
from app.sla.fields import casefolded
from app.sla.period import PeriodRule

EXAMPLE: Final = '[[averages]] with id = "phone-pickup"'
_TARGET: Final = re.compile(r"\s*(<=?)\s*(\S.*)")
_TARGET_EXAMPLE: Final = '"< 90s"'
_LINES_EXAMPLE: Final = '["support", ""]'


def read_average(table: Table, average_id: str, reader: AgreementReader) -> AverageRule:
    """One average, of the table of its id."""
    label, labels = read_label(table, average_id, reader.language)
    rule = AverageRule(
        id=average_id,
        label=label,
        labels=labels,
        kind=_kind(table),
        from_fact=_fact(table, "from_fact", EventType.CALL_OFFERED),
        to_fact=_fact(table, "to_fact", EventType.CALL_ANSWERED),
        lines=_lines(table),
        calendar=reader.named(table, "calendar") or reader.always,
        target=_target(table),
        period=_period(table),
        warn_after=table.whole("warn_after", WARN_AFTER, least=1) or WARN_AFTER,
    )
    table.close()
    return rule


def _kind(table: Table) -> Kind:
    kind = table.word("kind", Kind.GUARANTEE)
    if kind is Kind.CUSTOMER:
        table.fault("kind", "no customer answers the desk's calls", 'Write "guarantee" or "objective".')
    return kind


def _fact(table: Table, key: str, only: EventType) -> str:
    """A wait is measured from the offer of a call to its answer; the keys say so in the file."""
    written = table.text(key, example=f'"{only.value}"') or only.value
    if written != only.value:
        table.fault(key, f'an average is not taken of "{written}"', f'Write {key} = "{only.value}".')
    return only.value


def _lines(table: Table) -> frozenset[str] | None:
    if table.value("lines") is None:
        return None
    found = table.texts("lines", example=_LINES_EXAMPLE)
    if not found:
        wrong, right = "it names no line", f"Write lines = {_LINES_EXAMPLE}, or leave it out for all lines."
        table.fault("lines", wrong, right)
    return frozenset(casefolded(line) for _, line in found)


def _target(table: Table) -> MeanTarget:
    text = table.text("target", example=_TARGET_EXAMPLE, required=True) or ""
    found = _TARGET.fullmatch(text)
    limit = None
    if found is not None:
        try:
            limit = Target.parse(found[2])
        except TargetFault:
            limit = None
    if found is None or limit is None or not limit.is_duration or limit.amount <= 0:
        if text:
            wrong = f"{text!r} is no bound of a mean"
            table.fault("target", wrong, f'Write target = {_TARGET_EXAMPLE} or "<= 2m".')
        return MeanTarget(text, 0, strict=False)
    return MeanTarget(f"{found[1]} {limit.written}", limit.amount, strict=found[1] == "<")


def _period(table: Table) -> PeriodRule:
    period = table.word("period", PeriodRule.CALENDAR_MONTH)
    if period is not PeriodRule.CALENDAR_MONTH:
        wrong = "an average is of all calls of the desk, which have no contract's month in common"
        table.fault("period", wrong, f'Write period = "{PeriodRule.CALENDAR_MONTH.value}".')
    return PeriodRule.CALENDAR_MONTH
