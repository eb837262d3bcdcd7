"""Commitments on uptime in an agreement file: each `[[availability]]` table read into an AvailabilityRule.

A fault is recorded with its key and reading goes on with a default, so that all faults of a file are found at once.
Lengths are microseconds, shares exact fractions.
"""

import re
from collections.abc import Collection
from fractions import Fraction
from typing import Final

from app.sla.agreement.availability import AvailabilityRule, MaintenanceNotice, UptimeTarget
from app.sla.agreement.commitment_file import AgreementReader
from app.sla.agreement.label import read_label
from app.sla.agreement.rule import Kind
from app.sla.calendar.target import TargetFault, Threshold
from app.sla.document.faults import listed
from app.sla.document.table import Table
from app.sla.fields import casefolded
from app.sla.period import PeriodRule

_TABLE: Final = '[[availability]] with id = "uptime"'
_TARGET: Final = re.compile(r"(>=?)\s*(\d{1,3}(?:\.\d{1,9})?)\s*%", re.ASCII)
_TARGET_RIGHT: Final = (
    'Write target = ">= 99.9%", which exactly 99.9 % keeps, or '
    'target = "> 99.95%", which exactly 99.95 % breaks.'
)
_WHOLE: Final = UptimeTarget(">= 100%", Fraction(1), strict=False)
_KINDS: Final = (Kind.GUARANTEE, Kind.OBJECTIVE)
_ID: Final = re.compile(r"[^\s/.\[\]\x00-\x1f\x7f]+")


def read_availabilities(
    top: Table, reader: AgreementReader, *, taken: Collection[str]
) -> tuple[AvailabilityRule, ...]:
    """The commitments on uptime of a file. `taken` are the ids of its other commitments."""
    found: list[AvailabilityRule] = []
    seen = set(taken)
    for table in top.tables("availability", example=_TABLE):
        rule_id = table.text("id", example='"uptime"', required=True) or ""
        if rule_id in seen:
            table.fault("id", f'"{rule_id}" is taken', "Give each commitment an id of its own.")
        elif rule_id and not _ID.fullmatch(rule_id):
            wrong = f"{rule_id!r} has a space, a slash, a dot or a bracket"
            table.fault("id", wrong, 'Write id = "uptime".')
        elif rule_id:
            table.place = f"availability.{rule_id}"
        seen.add(rule_id)
        found.append(_rule(table, rule_id, reader))
    return tuple(found)


def _rule(table: Table, rule_id: str, reader: AgreementReader) -> AvailabilityRule:
    label, labels = read_label(table, rule_id, reader.language)
    rule = AvailabilityRule(
        id=rule_id,
        label=label,
        labels=labels,
        kind=_kind(table),
        services=_services(table),
        target=_target(table),
        period=table.word("period", PeriodRule.CALENDAR_MONTH),
        excluded_causes=_causes(table),
        maintenance=_maintenance(table, reader),
        warn_at=_warn_at(table),
    )
    table.close()
    return rule


def _kind(table: Table) -> Kind:
    given = table.value("kind")
    right = f"Write {listed(kind.value for kind in _KINDS)}."
    if given is None:
        table.fault("kind", "it is missing", right)
    for kind in _KINDS:
        if given == kind.value:
            return kind
    if given is not None:
        table.fault("kind", f"{given!r} is no kind of a commitment on uptime", right)
    return Kind.GUARANTEE


def _services(table: Table) -> tuple[str, ...]:
    example = '["Hosting"]'
    found: dict[str, str] = {}
    for place, name in table.texts("services", example=example):
        if not name.strip():
            table.fault(place, "it is empty", f"Write services = {example}.")
        elif casefolded(name) in found:
            table.fault(place, f'"{name}" is named twice, without regard to case', "Name each service once.")
        else:
            found[casefolded(name)] = name.strip()
    if not found:
        table.fault("services", "it names no service", f"Write services = {example}.")
    return tuple(found.values())


def _target(table: Table) -> UptimeTarget:
    text = table.text("target", example='">= 99.9%"', required=True)
    if text is None:
        return _WHOLE
    match = _TARGET.fullmatch(text.strip())
    if match is None:
        table.fault("target", f'"{text}" is no target of an uptime', _TARGET_RIGHT)
        return _WHOLE
    share, strict = Fraction(match[2]) / 100, match[1] == ">"
    if not 0 < share <= 1 or (strict and share == 1):
        table.fault("target", f'"{text}" can never be kept or never be broken', _TARGET_RIGHT)
        return _WHOLE
    return UptimeTarget(text.strip(), share, strict)


def _causes(table: Table) -> frozenset[str]:
    example = '["force_majeure"]'
    found: set[str] = set()
    for place, cause in table.texts("excluded_causes", example=example):
        if not cause.strip():
            wrong = "it is empty, and an outage whose cause is not stated counts"
            table.fault(place, wrong, f"Write excluded_causes = {example}.")
        found.add(casefolded(cause))
    return frozenset(found)


def _maintenance(table: Table, reader: AgreementReader) -> MaintenanceNotice | None:
    example = 'maintenance = { notice = "24h", emergency_notice = "60m" }'
    inner = table.inner("maintenance", table.value("maintenance"), example=example)
    if inner is None:
        return None
    if inner.value("notice") is None:
        inner.fault("notice", "it is missing", f"Write {example}.")
    normal, emergency = reader.duration(inner, "notice"), reader.duration(inner, "emergency_notice")
    inner.close()
    return MaintenanceNotice(normal or 0, emergency)


def _warn_at(table: Table) -> tuple[int, ...]:
    found: set[int] = set()
    for place, text in table.texts("warn_at", example='["50%", "80%"]'):
        try:
            percent = Threshold.parse(text).percent
        except TargetFault:
            percent = None
        if percent is None:
            wrong = f'"{text}" is no share of the downtime that a period may have'
            table.fault(place, wrong, 'Write a share between nothing and the whole, as "80%".')
        else:
            found.add(percent)
    return tuple(sorted(found))
