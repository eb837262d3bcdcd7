"""Parsing a desk's file of sources.

`sources/<desk>.toml` has a table for each ticket system, with maps of words, rules and options. The adapter's defaults
stand for every key that the file does not set. A file is refused with all of its faults at once.
"""

import re
from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.rule import FACTS, Marker, Rule
from app.intake.mapping.source import Source
from app.intake.signature import SCHEMES
from app.sla.calendar.zone import zone
from app.sla.document.faults import Fault, FaultyFile, instead_of
from app.sla.document.table import Table
from app.sla.ticket import STATUSES

EXPRESSION: Final = "expression"
"""The adapter of systems that have none of their own: the file itself describes how they are read."""

DROP: Final = "drop"
"""In a map of statuses: a ticket of this status is none of ours."""

_READ: Final = "read"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class SourceFault(FaultyFile):
    """A file of sources cannot be read. Each of its `faults` names the key, what is wrong and what would be right."""


def parse_sources(
    document: Mapping[str, object], desk: str, adapters: Mapping[str, Adapter]
) -> dict[str, Source]:
    """The sources of a file's document, by system. Raises SourceFault with every fault that the document has."""
    faults: list[Fault] = []
    top = Table(document, "", faults)
    named = top.text("desk", example=f'"{desk}"')
    if named is not None and named != desk:
        top.fault("desk", f"the file is that of {desk!r}", f'Write desk = "{desk}", or leave it out.')
    sources = top.table("sources", example="[sources.zammad]")
    found: dict[str, Source] = {}
    for name in sources.content:
        inner = sources.inner(name, sources.value(name), example=f"[sources.{name}]")
        if inner is not None and (adapter := _adapter_of(sources, name, inner, adapters)) is not None:
            found[name] = _source(inner, desk, name, adapter)
    top.close()
    if faults:
        raise SourceFault(dict.fromkeys(faults))
    return found


def _adapter_of(sources: Table, name: str, inner: Table, adapters: Mapping[str, Adapter]) -> Adapter | None:
    known = adapters.keys() - {EXPRESSION}
    if name in known:
        return adapters[name]
    if not _NAME.fullmatch(name):
        sources.fault(name, "it is no name for an address", "Write it like [sources.our-desk].")
    elif _READ in inner.content:
        return adapters[EXPRESSION]
    else:
        right = f"{instead_of(name, known)} Any other system needs a table [sources.{name}.{_READ}]."
        sources.fault(name, "no such system is known", right)
    return None


def _source(inner: Table, desk: str, name: str, adapter: Adapter) -> Source:
    source = Source(
        desk=desk,
        system=name,
        statuses=dict(adapter.statuses) | _statuses(inner),
        priorities=dict(adapter.priorities) | _words(inner, "priorities", '"2 normal" = "normal"'),
        queues=_words(inner, "queues", '"Second line" = "servers"'),
        rules=_rules(inner),
        zone=_zone(inner),
        scheme=_scheme(inner, adapter),
        options=adapter.options(inner),
    )
    inner.close()
    return source


def _words(inner: Table, key: str, example: str) -> dict[str, str]:
    """A table of their words and ours; theirs are in lower case."""
    return {theirs.casefold(): ours for theirs, ours in _entries(_table_of_words(inner, key, example))}


def _table_of_words(inner: Table, key: str, example: str) -> Table:
    return inner.table(key, example=f"[{inner.at(key)}] and in it {example}")


def _entries(words: Table) -> list[tuple[str, str]]:
    found = ((theirs, words.text(theirs, example='"a word"')) for theirs in words.content)
    return [(theirs, ours) for theirs, ours in found if ours is not None]


def _statuses(inner: Table) -> dict[str, str | None]:
    words = _table_of_words(inner, "statuses", '"In progress" = "open"')
    found: dict[str, str | None] = {}
    for theirs, ours in _entries(words):
        if ours not in STATUSES and ours != DROP:
            words.fault(theirs, f"{ours!r} is no status", instead_of(ours, {*STATUSES, DROP}))
        found[theirs.casefold()] = None if ours == DROP else ours
    return found


def _rules(inner: Table) -> tuple[Rule, ...]:
    example = '[[rules]] with when = { tag = "restored" } and then = "service.restored"'
    rules = (_rule(rule) for rule in inner.tables("rules", example=example))
    return tuple(rule for rule in rules if rule is not None)


def _rule(rule: Table) -> Rule | None:
    example = '{ tag = "intervention-started" }'
    when = rule.table("when", example=f"when = {example}")
    then = _facts(rule)
    rule.close()
    given = [marker for marker in Marker if marker in when.content]
    if len(given) != 1:
        rule.fault(
            "when", "it must name one thing to look at", f"Write one of {_markers()}: when = {example}."
        )
        return None
    marker = given[0]
    word = when.text(marker, example='"restored"', required=True)
    value = when.text("value", example='"restored"') if marker is Marker.FIELD else None
    when.close()
    return Rule(marker, word.strip(), then, value) if word and then else None


def _markers() -> str:
    return ", ".join(Marker)


def _facts(rule: Table) -> tuple[str, ...]:
    example = '"intervention.started"'
    given = rule.value("then")
    facts = (
        [given]
        if isinstance(given, str)
        else [fact for _, fact in rule.texts("then", example=f"[{example}]")]
    )
    if not facts:
        rule.fault("then", "it names no event", f"Write then = {example}, or a list.")
    for fact in facts:
        if fact not in FACTS:
            rule.fault("then", f"{fact!r} is no event that a rule may name", instead_of(fact, FACTS))
    return tuple(facts)


def _zone(inner: Table) -> str | None:
    name = inner.text("time_zone", example='"Europe/Paris"')
    if name is None:
        return None
    try:
        return zone(name).name
    except (LookupError, ValueError, OSError):
        inner.fault("time_zone", f"{name!r} is no zone of the zone database", 'Write it as "Europe/Paris".')
        return None


def _scheme(inner: Table, adapter: Adapter) -> str | None:
    name = inner.text("scheme", example='"hub-sha256"')
    accepted = adapter.schemes or tuple(SCHEMES)
    if name is not None and name not in accepted:
        inner.fault("scheme", f"{name!r} is no signature scheme of this system", instead_of(name, accepted))
        return None
    return name
