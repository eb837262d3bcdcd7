"""Agreement files: a desk's document read into an `Agreement`.

Takes the parsed document (of TOML or JSON) and the calendars that it may name. A faulty file is refused with all of its
faults at once. Nothing is guessed: an unknown key is a fault. Day targets under `always` count in the file's own
`time_zone`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, cast

from app.sla.agreement.agreement import (
    REPLY_PREFIXES,
    Agreement,
    DerivedFact,
    MessageEffect,
    QueueRules,
    Terms,
)
from app.sla.agreement.allowance_file import check_limits, names_of_limits, read_limits
from app.sla.agreement.availability_file import read_availabilities
from app.sla.agreement.commitment_file import AgreementReader, Written, read_commitment
from app.sla.agreement.contract_file import read_contracts
from app.sla.agreement.credit import CreditRule
from app.sla.agreement.credit_file import EXAMPLE as CREDIT_EXAMPLE
from app.sla.agreement.credit_file import Answered, read_credit
from app.sla.agreement.label import read_language
from app.sla.agreement.measure_file import read_allowances, read_averages, read_charges
from app.sla.agreement.reports_file import read_reports
from app.sla.calendar import Calendar
from app.sla.calendar.file import time_zone
from app.sla.calendar.target import Target, TargetFault
from app.sla.document.faults import Fault, FaultyFile, instead_of
from app.sla.document.table import Table
from app.sla.event import KNOWN_TYPES
from app.sla.fields import casefolded
from app.sla.pattern import PatternFault, desk_pattern

_NAME: Final = re.compile(r"[^\s/.\[\]\x00-\x1f\x7f]+")

ASSIGNED: Final = "assigned"
"""Among `shown_by`: a change of assignee, which has no event type of its own."""


class AgreementFault(FaultyFile):
    """An agreement cannot be read. Each of its `faults` names the key, what is wrong and what to write instead."""


def parse_agreement(document: Mapping[str, object], *, calendars: Mapping[str, Calendar]) -> Agreement:
    """The agreement of a file's document. `calendars` are known by their references, as "haisoft/tickets".

    Raises AgreementFault with every fault that the document has.
    """
    faults: list[Fault] = []
    top = Table(document, "", faults)
    zone_name = time_zone(top)
    reader = AgreementReader(calendars, Calendar.always(zone_name), faults, language=read_language(top))
    desk = _name(top, "desk", example='"haisoft"') or ""
    written = _commitments(top, reader)
    currency = top.text("currency", example='"EUR"')
    taken = {w.commitment.id for w in written}
    availability = read_availabilities(top, reader, taken=taken)
    averages = read_averages(top, reader, taken)
    allowances = read_allowances(top, reader, taken)
    levels = _levels(top, reader, written, names_of_limits(allowances))
    _check_references(written, levels)
    check_limits(top, allowances, levels)
    names, goal = read_reports(top)
    agreement = Agreement(
        desk=desk,
        name=top.text("name", example='"Support agreement"') or desk,
        commitments=tuple(w.commitment for w in written),
        currency=currency,
        source=top.text("source", example='"sla-2026.pdf"'),
        time_zone=zone_name,
        applies_to=reader.condition(top, "applies_to"),
        otherwise_reason=top.text("otherwise_reason", example='"Not covered by the agreement"'),
        levels=levels,
        calendars=reader.calendars,
        default_level=_default_level(top, levels),
        derived=_derived(top, reader),
        customer_reply_ends_pending=top.flag("customer_reply_ends_pending", default=True),
        queue=_queue(top, reader),
        availability=availability,
        credits=_credits(top, reader, Answered.of(availability, (each.commitment for each in written))),
        averages=averages,
        allowances=allowances,
        charges=read_charges(top, reader, taken, currency),
        keep_events=_keep_events(top),
        names_in_reports=names,
        goal=goal,
        missing=tuple(text for _, text in top.texts("missing", example='["the table of credits"]')),
    )
    agreement = replace(agreement, contracts=read_contracts(top, reader, agreement))
    top.close()
    if faults:
        raise AgreementFault(dict.fromkeys(faults))
    return agreement


def desks_of_calendars(document: object) -> Iterator[str]:
    """The desks whose calendars a document names, as in `calendar = "haisoft/tickets"`."""
    if isinstance(document, Mapping):
        for key, value in cast("Mapping[str, object]", document).items():
            if key == "calendar":
                named = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {key: value}
                references = (name for word, name in named.items() if word != "by")
                yield from (
                    name.partition("/")[0] for name in references if isinstance(name, str) and "/" in name
                )
            else:
                yield from desks_of_calendars(value)
    elif isinstance(document, list):
        for value in cast("list[object]", document):
            yield from desks_of_calendars(value)


def _keep_events(top: Table) -> Target | None:
    example = '"36 months"'
    text = top.text("keep_events", example=example)
    if text is None:
        return None
    try:
        target = Target.parse(text)
    except TargetFault as error:
        top.fault("keep_events", str(error), f"Write it as {example}.")
        return None
    if not target.is_real_time:
        top.fault("keep_events", f"{text!r} is not a calendar time", f'Write it as {example} or "90 days".')
        return None
    return target


def _name(table: Table, key: str, *, example: str) -> str | None:
    """A name that other places refer to: no space, slash, dot or bracket."""
    name = table.text(key, example=example, required=True)
    if name is not None and not _NAME.fullmatch(name):
        table.fault(key, f"{name!r} has a space, a slash, a dot or a bracket", f"Write {key} = {example}.")
    return name


def _commitments(top: Table, reader: AgreementReader) -> list[Written]:
    example = '[[commitments]] with id = "response"'
    tables = top.tables("commitments", example=example)
    if not tables:
        top.fault("commitments", "there is none", f"Write {example}.")
    written: list[Written] = []
    seen: set[str] = set()
    for table in tables:
        commitment_id = _name(table, "id", example='"response"') or ""
        if commitment_id in seen:
            table.fault("id", f'"{commitment_id}" is taken', "Give each commitment an id of its own.")
        elif commitment_id:
            table.place = f"commitments.{commitment_id}"
        written.append(read_commitment(table, commitment_id, reader, earlier=seen))
        seen.add(commitment_id)
    return written


def _credits(top: Table, reader: AgreementReader, answered: Answered) -> tuple[CreditRule, ...]:
    found: list[CreditRule] = []
    for table in top.tables("credits", example=CREDIT_EXAMPLE):
        credit_id = _name(table, "id", example='"uptime-credit"') or ""
        if any(credit.id == credit_id for credit in found):
            table.fault("id", f'"{credit_id}" is taken', "Give each credit an id of its own.")
        elif credit_id:
            table.place = f"credits.{credit_id}"
        found.append(read_credit(table, credit_id, reader, answered))
    return tuple(found)


def _levels(
    top: Table, reader: AgreementReader, written: Iterable[Written], limits: frozenset[str]
) -> dict[str, Terms]:
    """`[levels.gold]`: targets by the names that commitments refer to, by casefolded name."""
    example = "[levels.example]"
    outer = top.table("levels", example=example)
    found: dict[str, Terms] = {}
    for name in outer.content:
        table = outer.inner(name, outer.value(name), example=example)
        if table is None:
            continue
        if casefolded(name) in found:
            outer.fault(name, "the name is taken, without regard to case", "Give each table its own name.")
        allowance = table.whole("allowance", None, least=0)
        own = {} if allowance is None else {"allowance": allowance}
        found[casefolded(name)] = Terms(
            calendar=reader.calendar(table, "calendar"),
            allowance=allowance,
            limits=own | read_limits(table, limits - own.keys()),
            targets=_terms_targets(table, reader, written),
        )
        table.close()
    return found


def _terms_targets(table: Table, reader: AgreementReader, written: Iterable[Written]) -> dict[str, Target]:
    """The targets that this table sets for the names in "level:gti"."""
    own_calendar = reader.calendars.get(str(table.content.get("calendar")))
    targets: dict[str, Target] = {}
    for w in written:
        rule = w.commitment.target
        name = rule.level or rule.contract
        if name is None or (text := table.text(name, example='"4h"')) is None:
            continue
        target = reader.target(table, name, text)
        if target is not None:
            reader.check(table, name, target, w.calendars if own_calendar is None else (own_calendar,))
            targets[name] = target
    return targets | _spare_targets(table, targets)


def _spare_targets(table: Table, asked: Collection[str]) -> dict[str, Target]:
    """Figures that no commitment of the file uses: a desk may state more about its levels."""
    spare: dict[str, Target] = {}
    for name, value in table.content.items():
        if name in asked or not isinstance(value, str):
            continue
        try:
            spare[name] = Target.parse(value)
        except TargetFault:
            continue  # not read, so refused as an unknown key
        table.text(name, example='"4h"')
    return spare


def _check_references(written: Iterable[Written], levels: Mapping[str, Terms]) -> None:
    """A target by level needs a level that sets it. A contract may be stored later, so its name is not checked."""
    for w in written:
        name = w.commitment.target.level
        if name and not any(name in terms.targets for terms in levels.values()):
            wrong = f'no level sets "{name}"'
            w.table.fault("target", wrong, f'Write {name} = "4h" in a table [levels.…] of this file.')


def _default_level(top: Table, levels: Mapping[str, Terms]) -> str | None:
    name = top.text("default_level", example='"gold"')
    if name is not None and casefolded(name) not in levels:
        top.fault("default_level", f'there is no level "{name}"', instead_of(name, levels))
    return name


def _derived(top: Table, reader: AgreementReader) -> tuple[DerivedFact, ...]:
    example = '[[derived]] with fact = "request.read" and shown_by = ["agent.replied"]'
    found: list[DerivedFact] = []
    for table in top.tables("derived", example=example):
        fact = table.text("fact", example='"request.read"', required=True)
        if fact is not None and fact not in KNOWN_TYPES:
            table.fault("fact", f'there is no event type "{fact}"', instead_of(fact, KNOWN_TYPES))
        shown_by = reader.words(table, "shown_by", KNOWN_TYPES | {ASSIGNED}, "event type")
        if not shown_by:
            table.fault("shown_by", "nothing shows the fact", 'Write shown_by = ["agent.replied"].')
        if fact in shown_by:
            table.fault("shown_by", "a fact does not show itself", f'Take "{fact}" out of the list.')
        by_agent = table.flag("by_agent", default=False)
        found.append(DerivedFact(fact or "", shown_by, by_agent, reader.condition(table, "where")))
        table.close()
    return tuple(found)


def _queue(top: Table, reader: AgreementReader) -> QueueRules:
    table = top.table("queue", example="[queue]")
    plain = QueueRules()
    prefixes = table.texts("prefixes", example='["re", "fwd"]')
    first = table.tables("first", example='[{ plan = ["managed"] }]')
    rules = QueueRules(
        first=tuple(reader.condition_of(inner) for inner in first),
        repeat_message=table.word("repeat_message", MessageEffect.KEEPS),
        duplicate=table.word("duplicate", MessageEffect.KEEPS),
        duplicates_max=table.whole("duplicates_max", plain.duplicates_max, least=1) or plain.duplicates_max,
        domain_reply=table.word("domain_reply", MessageEffect.MOVES),
        domain_required=table.flag("domain_required", default=False),
        token=_token(table, plain.token),
        prefixes=tuple(casefolded(text) for _, text in prefixes) or REPLY_PREFIXES,
        calendar=reader.calendar(table, "calendar"),
        forecast_days=table.whole("forecast_days", plain.forecast_days, least=1) or plain.forecast_days,
        forecast_replies=table.whole("forecast_replies", None, least=1) or plain.forecast_replies,
    )
    table.close()
    return rules


def _token(table: Table, default: str) -> str:
    right = r"Write a pattern whose first group is the ticket's id, as token = '\[\[([^\[\]]+)\]\]'."
    pattern = table.text("token", example=r"'\[\[([^\[\]]+)\]\]'") or default
    try:
        if desk_pattern(pattern).groups < 1:
            table.fault("token", f"{pattern!r} has no group", right)
    except PatternFault as fault:
        table.fault("token", f"{pattern!r} is not a pattern: {fault}", right)
    return pattern
